//! A private key written to a file: for its owner only, whole or not at all, and over nothing that is there.

use std::io::{self, Write as _};
use std::path::Path;

use soticket::SecretText;
use soticket::pem::{KeyDerivation, KeyError, PrivateKey};
use zeroize::Zeroizing;

use crate::args::{KeyFormat, NewFileArgs};
use crate::failure::{Exit, Failure};
use crate::output::print;
use crate::secret_input::{Prompt, SecretInput};

/// Finds what cannot work before a key is made or a passphrase asked for.
pub(super) fn check(args: &NewFileArgs, format: KeyFormat) -> Result<(), Failure> {
    if args.encrypt && format != KeyFormat::Pkcs8 {
        return Err(Failure::configuration("only PKCS#8 is encrypted here; use --to pkcs8"));
    }
    if args.public_out.as_ref() == Some(&args.out) {
        return Err(Failure::configuration(
            "--out and --public-out name the same file; give each half its own",
        ));
    }
    let files = [Some(&args.out), args.public_out.as_ref()];
    match files.into_iter().flatten().find(|path| !args.force && path.exists()) {
        Some(path) => Err(exists(path)),
        None => Ok(()),
    }
}

/// Writes `key` as asked for, and says what it is.
pub(super) fn write(args: &NewFileArgs, format: KeyFormat, key: &PrivateKey) -> Result<Exit, Failure> {
    let contents = encode(args, format, key)?;
    let public = key.public_key();
    if args.out == Path::new("-") {
        let text = std::str::from_utf8(&contents).map_err(|_| {
            Failure::configuration("DER is not written to standard output; name a file by --out")
        })?;
        print(text)?;
    } else {
        persist(&args.out, &contents, Existing::of(args))?;
    }
    // After the private half: alone it would be of no use.
    if let Some(path) = &args.public_out {
        persist(path, public.to_pem().as_bytes(), Existing::of(args))?;
    }
    if args.out == Path::new("-") {
        return Ok(Exit::Done);
    }
    print(&format!(
        "wrote {} ({} with {} bits, public half SHA-256 {})\n",
        args.out.display(),
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
        variable: "SOTICKET_NEW_KEY_PASSPHRASE",
        flag: "--new-key-passphrase-file",
        file_of_flag: args.new_key_passphrase_file.clone(),
        file_of_settings: None,
        prompt: Prompt::Twice,
    };
    input.read()
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy)]
enum Existing {
    Kept,
    Replaced,
}

impl Existing {
    fn of(args: &NewFileArgs) -> Self {
        if args.force { Self::Replaced } else { Self::Kept }
    }
}

/// Writes beside `path` first, readable by the owner alone, and puts it in its place when it is on the disk.
fn persist(path: &Path, contents: &[u8], existing: Existing) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = |error: io::Error| {
        Failure::configuration(format!("`{}` cannot be written", path.display())).with_cause(error)
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    file.write_all(contents).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    let placed = match existing {
        Existing::Replaced => file.persist(path),
        Existing::Kept => file.persist_noclobber(path),
    };
    match placed {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        Err(error) => Err(cannot(error.error)),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::configuration(format!(
        "`{}` exists; name another file, or replace it with --force",
        path.display()
    ))
}
