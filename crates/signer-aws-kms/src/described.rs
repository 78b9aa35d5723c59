//! What the service says of a key, and whether that is a key that signs as it is needed here.

use aws_sdk_kms::operation::get_public_key::GetPublicKeyOutput;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, SigningAlgorithmSpec};
use soticket_core::signer::SigningAlgorithm;
use soticket_core::{PublicKey, SignerError, SignerErrorKind};

use crate::fault::Place;
use crate::key::KmsKey;

/// A key that signs.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    /// The key's own name: an alias may mean another key tomorrow.
    pub(crate) arn: String,
    pub(crate) public_key: PublicKey,
    pub(crate) spec: Spec,
}

/// The kinds of key that can be used, and how each signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) key: KeySpec,
    pub(crate) signing: SigningAlgorithmSpec,
    algorithm: SigningAlgorithm,
    bits: u32,
}

impl Spec {
    /// The kind of key that holds a key of this algorithm and size, if there is one.
    pub(crate) fn of(key: &PublicKey) -> Option<Self> {
        let fits = |spec: &Self| spec.algorithm == key.algorithm() && spec.bits == key.bits();
        Self::all().into_iter().find(fits)
    }

    fn all() -> [Self; 4] {
        let rsa = |key, bits| Self {
            key,
            signing: SigningAlgorithmSpec::RsassaPkcs1V15Sha256,
            algorithm: SigningAlgorithm::Rs256,
            bits,
        };
        let p256 = Self {
            key: KeySpec::EccNistP256,
            signing: SigningAlgorithmSpec::EcdsaSha256,
            algorithm: SigningAlgorithm::Es256,
            bits: 256,
        };
        [rsa(KeySpec::Rsa2048, 2048), rsa(KeySpec::Rsa3072, 3072), rsa(KeySpec::Rsa4096, 4096), p256]
    }
}

impl Described {
    /// Makes sense of what `kms:GetPublicKey` answered about `key`.
    pub(crate) fn new(place: &Place, key: &KmsKey, answer: &GetPublicKeyOutput) -> Result<Self, SignerError> {
        let missing = |what: &str| {
            let message =
                format!("kms:GetPublicKey answered without {what}; see what is behind the endpoint");
            place.error(SignerErrorKind::Protocol, message)
        };
        let spec = fitting(place, answer).ok_or_else(|| missing("KeySpec"))??;
        let is_arn = |id: &&str| id.starts_with("arn:") && id.parse::<KmsKey>().is_ok();
        let arn = answer.key_id().filter(is_arn).ok_or_else(|| missing("the key's ARN"))?;
        if !key.may_be(arn) {
            return Err(another_key(place, arn));
        }
        let spki = answer.public_key().ok_or_else(|| missing("PublicKey"))?;
        let public_key = PublicKey::from_spki_der(spki.as_ref()).map_err(|cause| {
            let message = "the public key that kms:GetPublicKey answered cannot be read";
            place.error(SignerErrorKind::Protocol, message).with_source(cause)
        })?;
        if Spec::of(&public_key).as_ref() != Some(&spec) {
            let (bits, algorithm) = (public_key.bits(), public_key.algorithm());
            let message = format!(
                "the service calls the key {}, and its public half is {algorithm} with {bits} bits",
                spec.key
            );
            return Err(place.error(SignerErrorKind::Protocol, message));
        }
        Ok(Self { arn: arn.to_owned(), public_key, spec })
    }
}

/// The error for an answer about another key than was asked for.
pub(crate) fn another_key(place: &Place, arn: &str) -> SignerError {
    let shown: String = arn.chars().filter(|c| !c.is_control()).take(MAX_SHOWN_ARN).collect();
    place.error(
        SignerErrorKind::Untrusted,
        format!("the service answered with the key `{shown}`, which is another; find out what is behind the endpoint"),
    )
}

/// The kind of key, if it is one that signs as it is needed here; `None` if the answer does not say what it is.
fn fitting(place: &Place, answer: &GetPublicKeyOutput) -> Option<Result<Spec, SignerError>> {
    let (key, usage) = (answer.key_spec()?, answer.key_usage()?);
    let offered = answer.signing_algorithms();
    let spec = Spec::all().into_iter().find(|spec| spec.key == *key && offered.contains(&spec.signing));
    Some(match (spec, usage) {
        (Some(spec), KeyUsageType::SignVerify) => Ok(spec),
        _ => Err(place.error(
            SignerErrorKind::Key,
            format!(
                "the key is a {key} for {usage}, which does not sign as it is needed here; name an RSA_2048, RSA_3072 or \
                 RSA_4096 key that signs with RSASSA_PKCS1_V1_5_SHA_256, or an ECC_NIST_P256 key, made for SIGN_VERIFY"
            ),
        )),
    })
}

/// The longest ARN that is shown, in characters.
const MAX_SHOWN_ARN: usize = 200;
