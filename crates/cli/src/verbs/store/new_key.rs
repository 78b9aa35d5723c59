//! `soticket store new-key`: a key in a file.

use soticket::store::StoreKey;
use zeroize::Zeroizing;

use crate::args::NewKeyArgs;
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::place::{Existing, persist};

pub(super) fn run(args: &NewKeyArgs) -> Result<Exit, Failure> {
    let key = StoreKey::generate()?.to_secret_text();
    let line = Zeroizing::new(format!("{}\n", key.expose()));
    persist(&args.out, line.as_bytes(), Existing::KeptForGood)?;
    print(&format!("wrote {} ({} bits, for its owner only)\n", args.out.display(), StoreKey::LENGTH * 8))?;
    Ok(Exit::Done)
}
