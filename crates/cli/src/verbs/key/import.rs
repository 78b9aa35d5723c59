//! `soticket key import`: a key file's key into a place that it never leaves, proved by a signature there.

#[cfg(feature = "aws-kms")]
mod service;
#[cfg(feature = "pkcs11")]
mod token;

use std::path::Path;

use soticket::PublicKey;
use soticket::pem::{KeySource, Passphrase, PrivateKey};
use zeroize::Zeroizing;

use crate::args::ImportArgs;
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::settings::{key_passphrase, named_signer};

pub(super) async fn run(args: ImportArgs) -> Result<Exit, Failure> {
    let uri = named_signer(args.signer.as_deref())?;
    #[cfg(feature = "pkcs11")]
    if uri.as_pkcs11().is_some() {
        return token::import(&uri, &args).await;
    }
    #[cfg(feature = "aws-kms")]
    if let Some(uri) = uri.as_aws_kms() {
        return service::import(uri, &args).await;
    }
    Err(Failure::configuration(format!(
        "`{uri}` is no place that this program can bring a key to; name a token as `pkcs11:token=…;object=…` (cargo feature \
         `pkcs11`), or a key in AWS KMS as `awskms:///alias/…` (cargo feature `aws-kms`)"
    )))
}

/// The key that is brought: its public half, and all of it as PKCS#8 in DER.
struct Brought {
    public: PublicKey,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl Brought {
    fn read(args: &ImportArgs) -> Result<Self, Failure> {
        let passphrase = key_passphrase(args.key_passphrase_file.clone(), None);
        let passphrase = Passphrase::callback(move || passphrase.read_for_signer());
        let loaded = PrivateKey::read(&KeySource::file(&args.from), passphrase)?;
        let public = loaded.key().public_key().clone();
        let pkcs8 = loaded.key().to_pkcs8_der();
        let pkcs8 = pkcs8.map_err(|error| {
            Failure::new(error.kind().into(), "the key cannot be handed on").with_cause(error)
        })?;
        Ok(Self { public, pkcs8 })
    }
}

/// Refuses a key that is not the file's; `cure` says how it can have come to that.
fn require_same(file: &PublicKey, there: &PublicKey, cure: &str) -> Result<(), Failure> {
    if file == there {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Signer,
        format!(
            "the key there is another (SHA-256 {}) than the file holds (SHA-256 {}); {cure}",
            there.fingerprint(),
            file.fingerprint()
        ),
    ))
}

/// Says what is left to do: the file still holds the key.
fn tell_of_file(file: &Path) -> Result<(), Failure> {
    let file = file.display();
    print(&format!(
        "\n`{file}` still holds the key. When a ticket was had with the key in its new place, destroy the file and every\n\
         copy of it, in mails, backups and version control too:\n  shred --remove '{file}'\n\
         On SSDs and on file systems that copy on write, nothing is sure to be gone: there, an encrypted disk or a new\n\
         key from SuperOffice is the cure.\n",
    ))
}
