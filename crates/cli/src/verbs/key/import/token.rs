//! Into a PKCS#11 token.

use soticket::pkcs11::Pkcs11Signer;
use soticket::{SignerUri, TokenSigner as _};

use super::{Brought, require_same, tell_of_file};
use crate::args::ImportArgs;
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::settings::pkcs11_pin;
use crate::verbs::key::token::{access, told};

pub(super) async fn import(uri: &SignerUri, args: &ImportArgs) -> Result<Exit, Failure> {
    let pin = pkcs11_pin(&args.token, None);
    let into = access(uri, &pin, &args.token)?;
    let Brought { public, pkcs8 } = Brought::read(args)?;
    let (token, key) = into.import(pkcs8).await?;
    print(&format!("imported {}\n", told(&token, &key)))?;
    let signer = Pkcs11Signer::builder_with(access(uri, &pin, &args.token)?).build().await?;
    let cure = "name the new key by an `object=` and `id=` that no other key has";
    require_same(&public, signer.key_info().public_key(), cure)?;
    print(&format!("the token signs with it ({}), and the signature verifies\n", signer.mechanism()))?;
    tell_of_file(&args.from)?;
    Ok(Exit::Done)
}
