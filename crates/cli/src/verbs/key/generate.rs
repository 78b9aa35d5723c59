//! `soticket key generate`.

use soticket::pem::{KeyError, KeyType, PrivateKey};

use super::new_file;
use crate::args::GenerateArgs;
use crate::failure::{Exit, Failure};

pub(super) fn run(args: &GenerateArgs) -> Result<Exit, Failure> {
    let key_type: KeyType = args
        .key_type
        .parse()
        .map_err(|error: KeyError| Failure::configuration("--type cannot be used").with_cause(error))?;
    new_file::check(&args.file, args.to)?;
    let key = PrivateKey::generate(key_type)
        .map_err(|error| Failure::new(error.kind().into(), "no key can be made").with_cause(error))?;
    new_file::write(&args.file, args.to, &key)
}
