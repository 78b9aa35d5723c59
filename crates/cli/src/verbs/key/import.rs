//! `soticket key import`: a key file's key into a token, proved by a signature there.

use soticket::pem::{KeySource, Passphrase, PrivateKey};
use soticket::pkcs11::Pkcs11Signer;
use soticket::{PublicKey, TokenSigner as _};

use super::token::{access, told};
use crate::args::ImportArgs;
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::settings::{key_passphrase, named_signer, pkcs11_pin};

pub(super) async fn run(args: ImportArgs) -> Result<Exit, Failure> {
    let uri = named_signer(args.signer.as_deref())?;
    let pin = pkcs11_pin(&args.token, None);
    let into = access(&uri, &pin, &args.token)?;
    let passphrase = key_passphrase(args.key_passphrase_file, None);
    let passphrase = Passphrase::callback(move || passphrase.read_for_signer());
    let loaded = PrivateKey::read(&KeySource::file(&args.from), passphrase)?;
    let public = loaded.key().public_key().clone();
    let pkcs8 = loaded.key().to_pkcs8_der();
    let pkcs8 = pkcs8.map_err(|error| {
        Failure::new(error.kind().into(), "the key cannot be handed on").with_cause(error)
    })?;
    drop(loaded);
    let (token, key) = into.import(pkcs8).await?;
    print(&format!("imported {}\n", told(&token, &key)))?;
    let signer = Pkcs11Signer::builder_with(access(&uri, &pin, &args.token)?).build().await?;
    require_same(&public, signer.key_info().public_key())?;
    let file = args.from.display();
    print(&format!(
        "the token signs with it ({}), and the signature verifies\n\n\
         `{file}` still holds the key. When a ticket was had with the key in the token, destroy the file and every copy\n\
         of it, in mails, backups and version control too:\n  shred --remove '{file}'\n\
         On SSDs and on file systems that copy on write, nothing is sure to be gone: there, an encrypted disk or a new\n\
         key from SuperOffice is the cure.\n",
        signer.mechanism()
    ))?;
    Ok(Exit::Done)
}

fn require_same(file: &PublicKey, token: &PublicKey) -> Result<(), Failure> {
    if file == token {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Signer,
        format!(
            "the token signs with another key (SHA-256 {}) than the file holds (SHA-256 {}); name the new key by an \
             `object=` and `id=` that no other key has",
            token.fingerprint(),
            file.fingerprint()
        ),
    ))
}
