//! RSA keys: the partners' public keys, and the key that signs JWTs with its certificate.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use rcgen::{CertificateParams, DnType, KeyPair};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::LineEnding;
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use rsa::sha2::Sha256;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BoxedUint, PrivateKey, PublicKey};
use sha1::{Digest as _, Sha1};

/// The size of keys that the emulator makes, in bits.
pub(crate) const GENERATED_BITS: usize = 2048;
/// The largest partner key, in bits.
const MAX_PARTNER_BITS: u32 = 4096;

/// Why a key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the RSA key is not usable: {0}")]
    Rsa(#[from] rsa::Error),
    #[error("the key is neither PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`) nor `RSAKeyValue` XML")]
    Format,
    #[error("the RSA key has {0} bits; 1024 to 4096 are accepted")]
    Size(u32),
    #[error("the private key is not PKCS#8 PEM")]
    Pkcs8(#[from] rsa::pkcs8::Error),
    #[error("the certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    #[error("the key is no secret for HMAC")]
    Hmac(#[from] hmac::digest::InvalidLength),
    #[error("the key could not be encoded")]
    Spki(#[from] rsa::pkcs8::spki::Error),
}

/// A fresh private key. Takes a second or so: never on an executor's thread.
pub(crate) fn generate() -> Result<PrivateKey, KeyError> {
    Ok(PrivateKey::new(&mut getrandom::SysRng, GENERATED_BITS)?)
}

/// A partner's public key, from PEM or `RSAKeyValue` XML (of which the private half is ignored).
pub(crate) fn public_key(text: &str) -> Result<PublicKey, KeyError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let key = if text.starts_with('<') {
        let (n, e) = (xml_number(text, "Modulus")?, xml_number(text, "Exponent")?);
        PublicKey::new(n, e)?
    } else {
        PublicKey::from_public_key_pem(text)
            .or_else(|_| PublicKey::from_pkcs1_pem(text))
            .map_err(|_| KeyError::Format)?
    };
    let bits = key.n().bit_width();
    if bits > MAX_PARTNER_BITS { Err(KeyError::Size(bits)) } else { Ok(key) }
}

/// A private key from `RSAKeyValue` XML.
pub(crate) fn private_key_from_xml(text: &str) -> Result<PrivateKey, KeyError> {
    let number = |name| xml_number(text, name);
    Ok(PrivateKey::from_components(
        number("Modulus")?,
        number("Exponent")?,
        number("D")?,
        vec![number("P")?, number("Q")?],
    )?)
}

fn xml_number(text: &str, name: &str) -> Result<BoxedUint, KeyError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let document = roxmltree::Document::parse(text).map_err(|_| KeyError::Format)?;
    let element = document.descendants().find(|node| node.has_tag_name(name));
    let digits: String = element
        .and_then(|node| node.text())
        .ok_or(KeyError::Format)?
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let bytes = BASE64_STANDARD.decode(digits).map_err(|_| KeyError::Format)?;
    Ok(BoxedUint::from_be_slice_vartime(&bytes))
}

/// `key` as SuperOffice hands keys out.
pub(crate) fn to_xml(key: &PrivateKey) -> Result<String, KeyError> {
    let (p, q) = (&key.primes()[0], &key.primes()[1]);
    let one = BoxedUint::one();
    let missing = || KeyError::Format;
    let inverse = key.qinv().ok_or_else(missing)?.retrieve();
    let parts = [
        ("Modulus", key.n().as_ref().clone()),
        ("Exponent", key.e().clone()),
        ("P", p.as_ref().clone()),
        ("Q", q.as_ref().clone()),
        ("DP", key.dp().cloned().unwrap_or_else(|| one.clone())),
        ("DQ", key.dq().cloned().unwrap_or(one)),
        ("InverseQ", inverse),
        ("D", key.d().clone()),
    ];
    let inner: String = parts
        .iter()
        .map(|(name, number)| {
            format!("<{name}>{}</{name}>", BASE64_STANDARD.encode(number.to_be_bytes_trimmed_vartime()))
        })
        .collect();
    Ok(format!("<RSAKeyValue>{inner}</RSAKeyValue>"))
}

/// The key that signs JWTs, ready to be used, with its certificate and names.
#[derive(Clone)]
pub(crate) struct LoginKey {
    pub(crate) private: PrivateKey,
    pub(crate) signing: SigningKey<Sha256>,
    /// The certificate's SHA-1 thumbprint in upper-case hex.
    pub(crate) kid: String,
    pub(crate) certificate_der: Vec<u8>,
    pub(crate) certificate_pem: String,
    pub(crate) public_pem: String,
}

impl std::fmt::Debug for LoginKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl LoginKey {
    pub(crate) fn new(private: PrivateKey) -> Result<Self, KeyError> {
        let pkcs8 = private.to_pkcs8_der()?;
        let pair = KeyPair::try_from(pkcs8.as_bytes())?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "SuperOffice Federated Login (emulator)");
        let certificate = params.self_signed(&pair)?;
        Ok(Self {
            signing: SigningKey::new(private.clone()),
            kid: Sha1::digest(certificate.der()).iter().map(|byte| format!("{byte:02X}")).collect(),
            public_pem: private.to_public_key().to_public_key_pem(LineEnding::LF)?,
            certificate_der: certificate.der().to_vec(),
            certificate_pem: certificate.pem(),
            private,
        })
    }

    pub(crate) fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::new(PrivateKey::from_pkcs8_pem(pem)?)
    }

    pub(crate) fn x5t(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha1::digest(&self.certificate_der))
    }

    /// The key as a JWK.
    pub(crate) fn jwk(&self) -> serde_json::Value {
        let number = |n: &BoxedUint| BASE64_URL_SAFE_NO_PAD.encode(n.to_be_bytes_trimmed_vartime());
        serde_json::json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "x5t": self.x5t(),
            "n": number(self.private.n()), "e": number(self.private.e()),
            "x5c": [BASE64_STANDARD.encode(&self.certificate_der)],
        })
    }
}
