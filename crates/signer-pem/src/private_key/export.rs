//! A private key written out, in every format that is read.

use aws_lc_rs::rand;
use base64ct::{Base64, Encoding};
use der::pem::{self, LineEnding};
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Params, Pbkdf2Prf, Salt, ScryptParams};
use pkcs8::{EncodePrivateKey, PrivateKeyInfoRef, SecretDocument};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use sec1::EncodeEcPrivateKey;
use soticket_core::SecretText;
use zeroize::Zeroizing;

use super::{Material, PrivateKey};
use crate::error::{KeyError, KeyProblem};
use crate::rsa_parts;

/// How the passphrase of a key that is written becomes its encryption key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyDerivation {
    /// scrypt, which costs an attacker memory too; OpenSSL 1.1 and newer read it.
    #[default]
    Scrypt,
    /// PBKDF2 with HMAC-SHA-256, which everything reads and FIPS 140 allows.
    Pbkdf2,
}

impl PrivateKey {
    /// PKCS#8 in PEM, unencrypted, with a final line feed.
    ///
    /// # Errors
    /// When a library fails to encode it, which is a bug.
    pub fn to_pkcs8_pem(&self) -> Result<SecretText, KeyError> {
        to_pem("PRIVATE KEY", &self.to_pkcs8_der()?)
    }

    /// PKCS#8 in DER, unencrypted.
    ///
    /// # Errors
    /// When a library fails to encode it, which is a bug.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let document = match self.material() {
            Material::Rsa(key) => key.to_pkcs8_der(),
            Material::P256(key) => key.to_pkcs8_der(),
        };
        document.map(secret_bytes).map_err(encoding)
    }

    /// PKCS#1 in PEM, unencrypted, with a final line feed.
    ///
    /// # Errors
    /// When the key is no RSA key.
    pub fn to_pkcs1_pem(&self) -> Result<SecretText, KeyError> {
        to_pem("RSA PRIVATE KEY", &self.to_pkcs1_der()?)
    }

    /// PKCS#1 in DER, unencrypted.
    ///
    /// # Errors
    /// When the key is no RSA key.
    pub fn to_pkcs1_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.rsa("PKCS#1 holds RSA keys only")?.to_pkcs1_der().map(secret_bytes).map_err(encoding)
    }

    /// SEC1 in PEM, unencrypted, with a final line feed.
    ///
    /// # Errors
    /// When the key is no P-256 key.
    pub fn to_sec1_pem(&self) -> Result<SecretText, KeyError> {
        to_pem("EC PRIVATE KEY", &self.to_sec1_der()?)
    }

    /// SEC1 in DER, unencrypted.
    ///
    /// # Errors
    /// When the key is no P-256 key.
    pub fn to_sec1_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self.material() {
            Material::P256(key) => EncodeEcPrivateKey::to_sec1_der(key).map(secret_bytes).map_err(encoding),
            Material::Rsa(_) => Err(KeyProblem::NotExpressible("SEC1 holds EC keys only").into()),
        }
    }

    /// `RSAKeyValue` XML in one line, as .NET's `ToXmlString(true)` writes it.
    ///
    /// # Errors
    /// When the key is no RSA key.
    pub fn to_xml(&self) -> Result<SecretText, KeyError> {
        let key = self.rsa("RSAKeyValue holds RSA keys only")?;
        let [p, q] = key.primes() else {
            return Err(KeyProblem::Library("not two primes").into());
        };
        let numbers: [(&str, rsa::BoxedUint); 8] = [
            ("Modulus", key.n().as_ref().clone()),
            ("Exponent", key.e().clone()),
            ("P", p.as_ref().clone()),
            ("Q", q.as_ref().clone()),
            ("DP", rsa_parts::crt_exponent(key.d(), p.as_ref())?),
            ("DQ", rsa_parts::crt_exponent(key.d(), q.as_ref())?),
            ("InverseQ", rsa_parts::inverse(q.as_ref(), p.as_ref())?),
            ("D", key.d().clone()),
        ];
        let elements: Vec<_> = numbers.into_iter().map(|(name, number)| element(name, number)).collect();
        let parts: Vec<&str> = std::iter::once(XML_OPEN)
            .chain(elements.iter().map(|element| element.as_str()))
            .chain([XML_CLOSE])
            .collect();
        // Joining allocates the exact length once.
        Ok(SecretText::new(parts.concat()))
    }

    /// PKCS#8 in PEM, encrypted with AES-256-CBC (PBES2) under a key derived from `passphrase`.
    ///
    /// Takes a fraction of a second, by design.
    ///
    /// # Errors
    /// When the passphrase is empty, or the system has no random numbers.
    pub fn to_encrypted_pkcs8_pem(
        &self,
        passphrase: &SecretText,
        derivation: KeyDerivation,
    ) -> Result<SecretText, KeyError> {
        if passphrase.expose().is_empty() {
            return Err(KeyProblem::NewPassphraseEmpty.into());
        }
        let der = self.to_pkcs8_der()?;
        let encrypted = PrivateKeyInfoRef::try_from(der.as_slice())
            .and_then(|info| info.encrypt_with_params(parameters(derivation)?, passphrase.expose()))
            .map_err(encoding)?;
        to_pem("ENCRYPTED PRIVATE KEY", encrypted.as_bytes())
    }

    fn rsa(&self, otherwise: &'static str) -> Result<&rsa::PrivateKey, KeyError> {
        match self.material() {
            Material::Rsa(key) => Ok(key),
            Material::P256(_) => Err(KeyProblem::NotExpressible(otherwise).into()),
        }
    }
}

fn parameters(derivation: KeyDerivation) -> pkcs8::Result<Parameters> {
    let salt = Salt::new(random::<SALT_BYTES>()?)?;
    let kdf = match derivation {
        KeyDerivation::Scrypt => Kdf::Scrypt(ScryptParams {
            salt,
            cost_parameter: SCRYPT_N,
            block_size: SCRYPT_R,
            parallelization: SCRYPT_P,
            key_length: None,
        }),
        KeyDerivation::Pbkdf2 => Kdf::Pbkdf2(Pbkdf2Params {
            salt,
            iteration_count: PBKDF2_ITERATIONS,
            key_length: None,
            prf: Pbkdf2Prf::HmacWithSha256,
        }),
    };
    Ok(Parameters { kdf, encryption: EncryptionScheme::Aes256Cbc { iv: random()? } })
}

fn random<const LENGTH: usize>() -> pkcs8::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).map_err(|_| pkcs8::pkcs5::Error::Rng)?;
    Ok(bytes)
}

fn secret_bytes(document: SecretDocument) -> Zeroizing<Vec<u8>> {
    document.to_bytes()
}

fn to_pem(label: &'static str, der: &[u8]) -> Result<SecretText, KeyError> {
    pem::encode_string(label, LineEnding::LF, der).map(SecretText::new).map_err(encoding)
}

fn element(name: &str, number: rsa::BoxedUint) -> Zeroizing<String> {
    let number = Zeroizing::new(number);
    let bytes = Zeroizing::new(number.to_be_bytes());
    let base64 = Zeroizing::new(Base64::encode_string(rsa_parts::significant(&bytes)));
    Zeroizing::new(["<", name, ">", &base64, "</", name, ">"].concat())
}

fn encoding(cause: impl std::error::Error + Send + Sync + 'static) -> KeyError {
    KeyError::with_source(KeyProblem::Library("the key cannot be encoded"), cause)
}

const XML_OPEN: &str = "<RSAKeyValue>";
const XML_CLOSE: &str = "</RSAKeyValue>";

/// OWASP's recommendation that fits OpenSSL's memory limit for reading such a file, 32 MiB: N and r need 16
/// MiB, and five lanes make up in time for the memory.
const SCRYPT_N: u64 = 1 << 14;
const SCRYPT_R: u16 = 8;
const SCRYPT_P: u16 = 5;
/// OWASP's recommendation for HMAC-SHA-256.
const PBKDF2_ITERATIONS: u32 = 600_000;
const SALT_BYTES: usize = 16;
