//! Encrypted PKCS#8: reads the scheme, bounds what it may cost, and decrypts into memory that is wiped.

use der::Decode;
use der::asn1::{AnyRef, ObjectIdentifier};
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{self, Kdf, Pbkdf2Prf};
use pkcs8::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::Secret;
use crate::error::{KeyError, KeyProblem};
use crate::format::Container;
use crate::passphrase::Passphrase;

/// The most memory that scrypt may ask for, in bytes: 16 times what OpenSSL's default needs.
pub const MAX_SCRYPT_MEMORY_BYTES: u64 = 256 * 1024 * 1024;

/// The largest scrypt parallelization that is accepted, since each lane costs the same time again.
pub const MAX_SCRYPT_PARALLELIZATION: u16 = 16;

/// The most iterations of PBKDF2 that are accepted: some seconds of work.
pub const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;

/// A decrypted `PrivateKeyInfo` and how it was encrypted.
pub(super) struct Decrypted {
    pub(super) plaintext: Secret,
    pub(super) scheme: String,
    pub(super) warning: Option<String>,
}

/// Decrypts `EncryptedPrivateKeyInfo`; the passphrase is looked up only for a scheme that can be decrypted.
pub(super) fn decrypt(bytes: &[u8], passphrase: Passphrase) -> Result<Decrypted, KeyError> {
    let info =
        EncryptedPrivateKeyInfoRef::from_der(bytes).map_err(|cause| unreadable_scheme(bytes, cause))?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(KeyProblem::UnsupportedEncryption(named(info.encryption_algorithm.oid())).into());
    };
    check_cost(&parameters.kdf)?;
    let passphrase = passphrase.resolve()?;
    let mut buffer = Zeroizing::new(info.encrypted_data.as_bytes().to_vec());
    let length = parameters
        .decrypt_in_place(passphrase.text.expose(), &mut buffer)
        .map_err(|cause| decryption_error(cause, parameters))?
        .len();
    buffer.truncate(length);
    Ok(Decrypted { plaintext: buffer, scheme: describe(parameters), warning: passphrase.warning })
}

fn check_cost(kdf: &Kdf) -> Result<(), KeyError> {
    let too_costly = match kdf {
        Kdf::Pbkdf2(parameters) => {
            let iterations = parameters.iteration_count;
            (iterations == 0 || iterations > MAX_PBKDF2_ITERATIONS)
                .then(|| format!("{iterations} iterations of PBKDF2"))
        }
        Kdf::Scrypt(parameters) => {
            let (n, r, p) = (parameters.cost_parameter, parameters.block_size, parameters.parallelization);
            let memory = n.saturating_mul(u64::from(r)).saturating_mul(SCRYPT_BLOCK_BYTES);
            // The library takes the logarithm of N, so what has none must not reach it.
            let sound = n >= 2 && n.is_power_of_two() && r > 0 && p > 0;
            (!sound || memory > MAX_SCRYPT_MEMORY_BYTES || p > MAX_SCRYPT_PARALLELIZATION)
                .then(|| format!("scrypt with N={n}, r={r}, p={p}"))
        }
        _ => return Err(KeyProblem::UnsupportedEncryption(named(kdf.oid())).into()),
    };
    too_costly.map_or(Ok(()), |found| Err(KeyProblem::TooCostly(found).into()))
}

fn decryption_error(cause: pkcs8::pkcs5::Error, parameters: &pbes2::Parameters) -> KeyError {
    use pkcs8::pkcs5::Error::{AlgorithmParametersInvalid, UnsupportedAlgorithm};

    match cause {
        AlgorithmParametersInvalid { .. } | UnsupportedAlgorithm { .. } => {
            KeyError::with_source(KeyProblem::UnsupportedEncryption(describe(parameters)), cause)
        }
        _ => KeyProblem::PassphraseWrong.into(),
    }
}

fn describe(parameters: &pbes2::Parameters) -> String {
    let kdf = match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => format!("PBKDF2 {}", prf_name(pbkdf2.prf)),
        Kdf::Scrypt(_) => "scrypt".to_owned(),
        other => named(other.oid()),
    };
    format!("PBES2 {kdf} {}", named(parameters.encryption.oid()))
}

fn prf_name(prf: Pbkdf2Prf) -> &'static str {
    match prf {
        Pbkdf2Prf::HmacWithSha1 => "HMAC-SHA-1",
        Pbkdf2Prf::HmacWithSha224 => "HMAC-SHA-224",
        Pbkdf2Prf::HmacWithSha256 => "HMAC-SHA-256",
        Pbkdf2Prf::HmacWithSha384 => "HMAC-SHA-384",
        Pbkdf2Prf::HmacWithSha512 => "HMAC-SHA-512",
        _ => "another function",
    }
}

/// The library reads only the schemes that it knows; this reads enough of the others to name them.
fn unreadable_scheme(bytes: &[u8], cause: der::Error) -> KeyError {
    match scheme_name(bytes) {
        Some(name) => KeyError::with_source(KeyProblem::UnsupportedEncryption(name), cause),
        None => KeyError::with_source(KeyProblem::Damaged(Container::Pkcs8), cause),
    }
}

fn scheme_name(bytes: &[u8]) -> Option<String> {
    let scheme: AlgorithmIdentifierRef<'_> = first_member(AnyRef::from_der(bytes).ok()?)?;
    if scheme.oid != pbes2::PBES2_OID {
        return Some(named(scheme.oid));
    }
    let inner = scheme.parameters?.sequence(|reader| {
        let kdf: AlgorithmIdentifierRef<'_> = Decode::decode(reader)?;
        let cipher: AlgorithmIdentifierRef<'_> = Decode::decode(reader)?;
        Ok::<_, der::Error>((kdf.oid, cipher.oid))
    });
    let (kdf, cipher) = inner.ok()?;
    Some(format!("PBES2 {} {}", named(kdf), named(cipher)))
}

fn first_member(sequence: AnyRef<'_>) -> Option<AlgorithmIdentifierRef<'_>> {
    let member = sequence.sequence(|reader| {
        let first = AlgorithmIdentifierRef::decode(reader)?;
        AnyRef::decode(reader)?;
        Ok::<_, der::Error>(first)
    });
    member.ok()
}

fn named(oid: ObjectIdentifier) -> String {
    let known = NAMES.iter().find(|(known, _)| *known == oid);
    known.map_or_else(|| format!("the algorithm {oid}"), |(_, name)| (*name).to_owned())
}

const NAMES: [(ObjectIdentifier, &str); 16] = [
    (pbes2::AES_128_CBC_OID, "AES-128-CBC"),
    (pbes2::AES_192_CBC_OID, "AES-192-CBC"),
    (pbes2::AES_256_CBC_OID, "AES-256-CBC"),
    (pbes2::AES_128_GCM_OID, "AES-128-GCM"),
    (pbes2::AES_256_GCM_OID, "AES-256-GCM"),
    (pbes2::PBKDF2_OID, "PBKDF2"),
    (pbes2::SCRYPT_OID, "scrypt"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.3.7"), "DES-EDE3-CBC"),
    (ObjectIdentifier::new_unwrap("1.3.14.3.2.7"), "DES-CBC"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.3.2"), "RC2-CBC"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.3"), "PBES1 MD5 DES-CBC"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.10"), "PBES1 SHA-1 DES-CBC"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.1"), "PKCS#12 SHA-1 RC4"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3"), "PKCS#12 SHA-1 DES-EDE3-CBC"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.4"), "PKCS#12 SHA-1 two-key DES-EDE-CBC"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6"), "PKCS#12 SHA-1 RC2-CBC"),
];

/// scrypt's memory is this times N times r.
const SCRYPT_BLOCK_BYTES: u64 = 128;
