//! `soticket key convert`.

use soticket::pem::{KeySource, Passphrase, PrivateKey};

use super::new_file;
use crate::args::ConvertArgs;
use crate::failure::{Exit, Failure};
use crate::settings::key_passphrase;

pub(super) fn run(args: ConvertArgs) -> Result<Exit, Failure> {
    new_file::check(&args.out, &args.file, args.to)?;
    let passphrase = key_passphrase(args.key_passphrase_file, None);
    let ask = move || passphrase.read_for_signer();
    let loaded = PrivateKey::read(&KeySource::file(args.from), Passphrase::callback(ask))?;
    for warning in loaded.warnings() {
        tracing::warn!("{warning}");
    }
    new_file::write(&args.out, &args.file, args.to, loaded.key())
}
