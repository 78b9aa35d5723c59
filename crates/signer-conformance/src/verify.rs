//! Verification by libraries that soticket does not verify with.

use p256::ecdsa::signature::Verifier as _;
use soticket_core::Signature;
use spki::DecodePublicKey as _;

use crate::key::TestKey;

/// Whether RustCrypto takes the signature for the key's.
pub(crate) fn verifies(key: TestKey, message: &[u8], signature: &Signature) -> bool {
    let bytes = signature.as_bytes();
    if key == TestKey::P256 {
        let key = p256::ecdsa::VerifyingKey::from_public_key_pem(key.public_pem()).unwrap();
        // The documented form: `r ‖ s`, 32 bytes each.
        return p256::ecdsa::Signature::from_slice(bytes)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok());
    }
    let key = rsa::PublicKey::from_public_key_pem(key.public_pem()).unwrap();
    let key = rsa::pkcs1v15::VerifyingKey::<rsa::sha2::Sha256>::new(key);
    rsa::pkcs1v15::Signature::try_from(bytes).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}
