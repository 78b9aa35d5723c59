//! Public keys out of files: in PEM or DER, alone or in a certificate.

use pkcs1::der::{Decode, Encode, pem};
use thiserror::Error;
use x509_cert::Certificate;

use crate::public_key::{PublicKey, PublicKeyError};

/// Reads certificates and public keys: one in DER, or any number in PEM with any text between.
///
/// Of a certificate the key counts and nothing else. At least one key is returned.
///
/// # Errors
/// When there is none, or one of them cannot be read.
pub fn read_all(bytes: &[u8]) -> Result<Vec<PublicKey>, ReadPublicKeyError> {
    if bytes.len() > MAX_FILE_SIZE {
        return Err(ReadPublicKeyError::TooLarge);
    }
    let blocks = pem_blocks(bytes)?;
    if blocks.is_empty() {
        return Ok(vec![public_key_of_der(bytes)?]);
    }
    blocks.iter().map(|(label, der)| public_key_of_block(label, der)).collect()
}

/// Why a file holds no public key that can be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadPublicKeyError {
    /// Larger than any certificate file.
    #[error("the file is larger than {MAX_FILE_SIZE} bytes; a certificate or a public key was expected")]
    TooLarge,
    /// Neither PEM nor DER of a certificate or a public key.
    #[error("no certificate and no public key found, neither in PEM nor in DER")]
    NothingFound,
    /// A PEM block that is damaged.
    #[error("a PEM block is damaged")]
    Pem(#[source] pem::Error),
    /// A private key, which has no business here.
    #[error("this is a private key (`{0}`); only public keys and certificates are wanted here")]
    PrivateKey(String),
    /// A PEM block of another kind.
    #[error("the PEM block `{0}` is neither a certificate nor a public key")]
    OtherBlock(String),
    /// A certificate that cannot be read.
    #[error("the certificate cannot be read")]
    Certificate(#[source] pkcs1::der::Error),
    /// A key that cannot be used.
    #[error("the public key cannot be used")]
    PublicKey(#[from] PublicKeyError),
}

fn pem_blocks(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ReadPublicKeyError> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(Vec::new());
    };
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(PEM_BEGIN) {
        let block = rest.get(start..).unwrap_or_default();
        let end = block
            .find(PEM_END)
            .and_then(|end| Some(end + block.get(end..)?.find('\n').unwrap_or(block.len() - end)));
        let end = end.unwrap_or(block.len());
        let (block, after) = block.split_at(end);
        let (label, der) = pem::decode_vec(block.trim_end().as_bytes()).map_err(ReadPublicKeyError::Pem)?;
        blocks.push((label.to_owned(), der));
        rest = after;
    }
    Ok(blocks)
}

fn public_key_of_block(label: &str, der: &[u8]) -> Result<PublicKey, ReadPublicKeyError> {
    match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => public_key_of_certificate(der),
        "PUBLIC KEY" => Ok(PublicKey::from_spki_der(der)?),
        "RSA PUBLIC KEY" => Ok(PublicKey::from_pkcs1_der(der)?),
        _ if label.contains("PRIVATE KEY") => Err(ReadPublicKeyError::PrivateKey(label.to_owned())),
        _ => Err(ReadPublicKeyError::OtherBlock(label.to_owned())),
    }
}

fn public_key_of_der(der: &[u8]) -> Result<PublicKey, ReadPublicKeyError> {
    public_key_of_certificate(der)
        .or_else(|_| PublicKey::from_spki_der(der))
        .or_else(|_| PublicKey::from_pkcs1_der(der))
        .map_err(|_| ReadPublicKeyError::NothingFound)
}

fn public_key_of_certificate(der: &[u8]) -> Result<PublicKey, ReadPublicKeyError> {
    let certificate = Certificate::from_der(der).map_err(ReadPublicKeyError::Certificate)?;
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der();
    Ok(PublicKey::from_spki_der(&spki.map_err(ReadPublicKeyError::Certificate)?)?)
}

const MAX_FILE_SIZE: usize = 1024 * 1024;
const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";
