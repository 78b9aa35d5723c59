//! A private key written to a file, in the format that was asked for.

use std::path::{Path, PathBuf};

use soticket::SecretText;
use soticket::pem::{KeyDerivation, KeyError, PrivateKey};
use zeroize::Zeroizing;

use crate::args::{KeyFormat, NewFileArgs};
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::place::{Existing, check_free, persist};
use crate::secret_input::{Prompt, SecretInput};

/// Finds what cannot work before a key is made or a passphrase asked for.
pub(super) fn check(out: &PathBuf, args: &NewFileArgs, format: KeyFormat) -> Result<(), Failure> {
    if args.encrypt && format != KeyFormat::Pkcs8 {
        return Err(Failure::configuration("only PKCS#8 is encrypted here; use --to pkcs8"));
    }
    if args.public_out.as_ref() == Some(out) {
        return Err(Failure::configuration(
            "--out and --public-out name the same file; give each half its own",
        ));
    }
    check_free([Some(out), args.public_out.as_ref()].into_iter().flatten(), Existing::of(args))
}

/// Writes `key` as asked for, and says what it is.
pub(super) fn write(
    out: &Path,
    args: &NewFileArgs,
    format: KeyFormat,
    key: &PrivateKey,
) -> Result<Exit, Failure> {
    let contents = encode(args, format, key)?;
    let public = key.public_key();
    if out == Path::new("-") {
        let text = std::str::from_utf8(&contents).map_err(|_| {
            Failure::configuration("DER is not written to standard output; name a file by --out")
        })?;
        print(text)?;
    } else {
        persist(out, &contents, Existing::of(args))?;
    }
    // After the private half: alone it would be of no use.
    if let Some(path) = &args.public_out {
        persist(path, public.to_pem().as_bytes(), Existing::of(args))?;
    }
    if out == Path::new("-") {
        return Ok(Exit::Done);
    }
    print(&format!(
        "wrote {} ({} with {} bits, public half SHA-256 {})\n",
        out.display(),
        public.algorithm(),
        public.bits(),
        public.fingerprint()
    ))?;
    Ok(Exit::Done)
}

fn encode(args: &NewFileArgs, format: KeyFormat, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text =
        |encoded: Result<SecretText, KeyError>| encoded.map(|text| Zeroizing::new(text.expose().into()));
    let encoded = match format {
        KeyFormat::Pkcs8 if args.encrypt => {
            text(key.to_encrypted_pkcs8_pem(&new_passphrase(args)?, KeyDerivation::default()))
        }
        KeyFormat::Pkcs8 => text(key.to_pkcs8_pem()),
        KeyFormat::Pkcs8Der => key.to_pkcs8_der(),
        KeyFormat::Pkcs1 => text(key.to_pkcs1_pem()),
        KeyFormat::Pkcs1Der => key.to_pkcs1_der(),
        KeyFormat::Sec1 => text(key.to_sec1_pem()),
        KeyFormat::Sec1Der => key.to_sec1_der(),
        KeyFormat::Xml => text(key.to_xml()),
    };
    encoded
        .map_err(|error| Failure::new(error.kind().into(), "the key cannot be written so").with_cause(error))
}

fn new_passphrase(args: &NewFileArgs) -> Result<SecretText, Failure> {
    let input = SecretInput {
        what: "new key's passphrase",
        variable: Some("SOTICKET_NEW_KEY_PASSPHRASE"),
        flag: Some("--new-key-passphrase-file"),
        file_of_flag: args.new_key_passphrase_file.clone(),
        file_of_settings: None,
        prompt: Prompt::Twice,
    };
    input.read()
}
