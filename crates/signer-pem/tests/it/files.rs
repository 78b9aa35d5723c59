//! Reading key files: paths that lead nowhere, sizes, and who else can read them.

use std::fs;
use std::path::Path;

use soticket_core::{SignerErrorKind, TokenSigner};
use soticket_signer_pem::{KeySource, MAX_KEY_FILE_BYTES, Passphrase, PemSigner};

use crate::support::{PASSPHRASE, bytes};

fn refusal(path: &Path) -> (SignerErrorKind, String) {
    let error = PemSigner::builder(KeySource::file(path)).build().unwrap_err();
    let subject = format!("key file `{}`: ", path.display());
    (error.kind(), error.to_string().strip_prefix(&subject).expect("the file is named").to_owned())
}

#[test]
fn a_path_that_leads_to_no_file_says_so() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        refusal(&folder.path().join("partner.pem")),
        (SignerErrorKind::Configuration, "there is no such file; check the path".to_owned())
    );
    assert_eq!(
        refusal(folder.path()),
        (SignerErrorKind::Configuration, "this is a directory; name the file inside it".to_owned())
    );
}

#[test]
fn an_empty_file_and_one_that_is_too_big_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("partner.pem");
    fs::write(&file, "").unwrap();
    assert_eq!(refusal(&file).1, "the file is empty; restore the key from its backup");
    fs::write(&file, vec![b'x'; MAX_KEY_FILE_BYTES + 1]).unwrap();
    assert_eq!(
        refusal(&file).1,
        "the file has more than 131072 bytes, which no key file has; check the path"
    );
    let mut largest = bytes("test-key-rsa2048.pkcs8.pem");
    largest.resize(MAX_KEY_FILE_BYTES, b'\n');
    fs::write(&file, largest).unwrap();
    assert!(PemSigner::builder(KeySource::file(&file)).build().is_ok());
}

#[test]
fn the_file_is_read_once_and_may_go_away_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("partner.pem");
    fs::write(&file, bytes("test-key-p256.sec1.pem")).unwrap();
    let signer = PemSigner::builder(KeySource::file(&file)).build().unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(crate::support::sign(&signer).as_bytes().len(), 64);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with_mode(file: &Path, contents: &[u8], mode: u32) {
        fs::write(file, contents).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_file_that_others_can_read_is_warned_of_with_its_mode_and_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("partner.pem");
        for (mode, shown) in [(0o644, "0644"), (0o640, "0640"), (0o604, "0604")] {
            with_mode(&file, &bytes("test-key-p256.sec1.pem"), mode);
            let signer = PemSigner::builder(KeySource::file(&file)).build().unwrap();
            let path = file.display();
            assert_eq!(
                signer.key_info().warnings(),
                [format!(
                    "`{path}` can be read by other users of this machine (mode {shown}); run `chmod 600 {path}`"
                )]
            );
        }
        for mode in [0o600, 0o400] {
            with_mode(&file, &bytes("test-key-p256.sec1.pem"), 0o600);
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                PemSigner::builder(KeySource::file(&file)).build().unwrap().key_info().warnings().is_empty()
            );
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    #[test]
    fn a_passphrase_file_that_others_can_read_is_warned_of_too() {
        let folder = tempfile::tempdir().unwrap();
        let (key, passphrase) = (folder.path().join("partner.pem"), folder.path().join("passphrase"));
        with_mode(&key, &bytes("test-key-p256.scrypt-aes256.pem"), 0o600);
        with_mode(&passphrase, PASSPHRASE.as_bytes(), 0o644);
        let builder =
            PemSigner::builder(KeySource::file(&key)).with_passphrase(Passphrase::file(&passphrase));
        let signer = builder.build().unwrap();
        let [warning] = signer.key_info().warnings() else { panic!("one warning expected") };
        assert!(warning.contains("passphrase` can be read by other users"), "{warning}");
    }

    #[test]
    fn a_key_is_read_from_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, bytes("test-key-rsa2048.pkcs8.pem")).unwrap()
        });
        assert!(PemSigner::builder(KeySource::file(&pipe)).build().is_ok());
        writer.join().unwrap();
    }
}
