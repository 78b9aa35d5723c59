//! Why a key could not be read, written or used; never shows anything of a file's contents.

use std::error::Error as StdError;
use std::fmt;

use soticket_core::{SignerError, SignerErrorKind};
use thiserror::Error;

use crate::format::Container;
use crate::mistake::Mistake;
use crate::parse::encrypted::{MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_MEMORY_BYTES, MAX_SCRYPT_PARALLELIZATION};
use crate::passphrase::MAX_PASSPHRASE_BYTES;
use crate::rsa_parts::{MAX_RSA_BITS, MIN_RSA_BITS};
use crate::source::MAX_KEY_FILE_BYTES;

/// A [`KeyProblem`] and, where there is one, the cause that a library or the system reported.
#[derive(Debug)]
pub struct KeyError {
    problem: KeyProblem,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl KeyError {
    pub(crate) fn with_source(
        problem: KeyProblem,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { problem, source: Some(source.into()) }
    }

    /// The same cause under another problem.
    pub(crate) fn replace(self, problem: KeyProblem) -> Self {
        Self { problem, source: self.source }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &KeyProblem {
        &self.problem
    }

    /// Who must act.
    #[must_use]
    pub fn kind(&self) -> SignerErrorKind {
        match self.problem {
            KeyProblem::Missing
            | KeyProblem::Unreadable
            | KeyProblem::Directory
            | KeyProblem::PassphraseMissing
            | KeyProblem::PassphraseUnavailable(_)
            | KeyProblem::PassphraseEmpty(_)
            | KeyProblem::PassphraseTooLong(_)
            | KeyProblem::NewPassphraseEmpty
            | KeyProblem::UnknownKeyType(_)
            | KeyProblem::NotExpressible(_) => SignerErrorKind::Configuration,
            KeyProblem::Library(_) => SignerErrorKind::Bug,
            _ => SignerErrorKind::Key,
        }
    }

    /// The same error of a signer, naming the `subject`: a key file, say.
    pub(crate) fn into_signer_error(self, subject: impl fmt::Display) -> SignerError {
        let error = SignerError::new(self.kind(), format!("{subject}: {}", self.problem));
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

impl From<KeyProblem> for KeyError {
    fn from(problem: KeyProblem) -> Self {
        Self { problem, source: None }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl StdError for KeyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// What is wrong with a key or its file, and the next step.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// The path leads nowhere.
    #[error("there is no such file; check the path")]
    Missing,
    /// The system refuses to open or read the file.
    #[error("the file cannot be read; check that this process's user may read it")]
    Unreadable,
    /// The path is a directory's.
    #[error("this is a directory; name the file inside it")]
    Directory,
    /// The file is larger than [`MAX_KEY_FILE_BYTES`].
    #[error("the file has more than {MAX_KEY_FILE_BYTES} bytes, which no key file has; check the path")]
    TooBig,
    /// There is nothing in it, or nothing but white space.
    #[error("the file is empty; restore the key from its backup")]
    Empty,
    /// Something else that is well known.
    #[error("this is {0}")]
    Mistaken(Mistake),
    /// None of the formats.
    #[error(
        "no private key found; tried PKCS#8, encrypted PKCS#8, PKCS#1 and SEC1, each in PEM and DER, and \
         RSAKeyValue XML; check that the file is the key and whole"
    )]
    NotRecognised,
    /// A PEM block begins and does not end, or what is between is not Base64.
    #[error("the PEM block is damaged ({0}); copy the file again, from its BEGIN line to its END line")]
    DamagedPem(&'static str),
    /// The XML cannot be read.
    #[error("the RSAKeyValue XML cannot be used ({0}); copy the file again as it was handed out")]
    DamagedXml(&'static str),
    /// The structure was recognised, its details cannot be read.
    #[error(
        "this looks like a private key in {0}, but it is damaged; copy the file again, in binary mode if it is DER"
    )]
    Damaged(Container),
    /// More than one private key.
    #[error("the file holds {0} private keys; leave only the one to sign with")]
    SeveralKeys(usize),
    /// A PEM block with OpenSSL's old encryption, which derives its key by one round of MD5.
    #[error(
        "the key has OpenSSL's old, weak encryption (Proc-Type: 4,ENCRYPTED); \
         convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out key.pem`"
    )]
    LegacyEncryption,
    /// An encryption scheme other than PBES2 with AES.
    #[error(
        "the key is encrypted with {0}; PBES2 with AES is read: \
         convert it with `openssl pkcs8 -in FILE -out plain.pem` and \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc -in plain.pem -out key.pem`, then delete plain.pem"
    )]
    UnsupportedEncryption(String),
    /// The parameters of the encryption scheme ask for too much memory or time.
    #[error(
        "the key's encryption asks for {0}; at most {MAX_SCRYPT_MEMORY_BYTES} bytes and parallelization \
         {MAX_SCRYPT_PARALLELIZATION} of scrypt or {MAX_PBKDF2_ITERATIONS} iterations of PBKDF2 are accepted; \
         encrypt it anew with `soticket key convert`"
    )]
    TooCostly(String),
    /// An encrypted key and no passphrase.
    #[error(
        "the key is encrypted and no passphrase was given; \
         give one through a file, an environment variable or a prompt"
    )]
    PassphraseMissing,
    /// The key cannot be decrypted.
    #[error("the passphrase is wrong, or the encrypted key is damaged; check the passphrase first")]
    PassphraseWrong,
    /// Where the passphrase should come from gives none; the text names the place.
    #[error("no passphrase can be had from {0}")]
    PassphraseUnavailable(String),
    /// Where the passphrase should come from gives an empty one; the text names the place.
    #[error("{0} holds an empty passphrase; write the key's passphrase there")]
    PassphraseEmpty(String),
    /// A key is to be encrypted with an empty passphrase.
    #[error("the new passphrase is empty; choose one, or write the key unencrypted")]
    NewPassphraseEmpty,
    /// A passphrase longer than [`MAX_PASSPHRASE_BYTES`]; the text names the place.
    #[error("{0} holds more than {MAX_PASSPHRASE_BYTES} bytes, which no passphrase has; check what is in it")]
    PassphraseTooLong(String),
    /// A private key of a kind that cannot sign here.
    #[error("this is {0}; needed is an RSA key of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits or a P-256 key")]
    Unsupported(String),
    /// The numbers of a key contradict each other.
    #[error("the key's numbers contradict each other ({0}); the file is damaged: restore it from its backup")]
    Inconsistent(&'static str),
    /// The key cannot be written in that format.
    #[error("{0}; write it as PKCS#8")]
    NotExpressible(&'static str),
    /// A name that is none of [`KeyType`](crate::KeyType)'s.
    #[error("`{0}` is no kind of key; choose rsa2048, rsa3072, rsa4096 or p256")]
    UnknownKeyType(String),
    /// The cryptographic library refuses what should have been right.
    #[error(
        "the cryptographic library failed: {0}; report it with the key's kind and size, not with the key"
    )]
    Library(&'static str),
}
