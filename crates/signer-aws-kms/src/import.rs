//! A private key brought into the service: wrapped so that only the service can open it.

use std::time::Duration;

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    AlgorithmSpec, ExpirationModelType, KeyMetadata, KeyState, KeyUsageType, OriginType, WrappingKeySpec,
};
use soticket_core::{PublicKey, SignerError, SignerErrorKind};
use zeroize::Zeroizing;

use crate::client::{out_of_sight, prepared, region_for};
use crate::described::Spec;
use crate::fault::Place;
use crate::key::KmsKey;

/// A key that was brought into the service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedKey {
    /// The key's ARN, by which it can be named for ever.
    pub arn: String,
    /// Whether it was there before, with the same public half, so that nothing was done.
    pub was_there: bool,
}

/// Brings a private key, as PKCS#8 in DER with its public half `public`, into the service under the name `key`.
///
/// An alias that does not exist is made, with a new key behind it; a key that waits for its material gets it; a key that
/// holds the same key already is left as it is. The key travels wrapped by `RSA_AES_KEY_WRAP_SHA_256` under a key of the
/// service, and does not expire. When a step fails, or the program ends, the same call goes on from there; the error
/// names the key's ARN.
///
/// Needs `kms:DescribeKey`, `kms:GetParametersForImport`, `kms:ImportKeyMaterial`, `kms:GetPublicKey`, and for an alias
/// `kms:CreateKey` and `kms:CreateAlias`.
///
/// # Errors
/// [`SignerErrorKind::Key`] for a key that the service does not take, RSA under 2048 bits among them, and when the name is
/// another key's; else what the service says.
pub async fn import_key(
    client: &Client,
    key: &KmsKey,
    pkcs8: &[u8],
    public: &PublicKey,
) -> Result<ImportedKey, SignerError> {
    let place = Place { key: key.to_string(), arn: None, region: region_for(client, key)? };
    let spec = Spec::of(public).ok_or_else(|| too_small(&place, public))?;
    let importer = Importer { client: prepared(client), place, spec, public };
    out_of_sight(importer.import(key, pkcs8)).await
}

struct Importer<'a> {
    client: Client,
    place: Place,
    spec: Spec,
    public: &'a PublicKey,
}

/// What is behind the name.
enum Found<'a> {
    Nothing { alias: &'a str },
    Waiting(String),
    Same(String),
}

impl Importer<'_> {
    async fn import(&self, key: &KmsKey, pkcs8: &[u8]) -> Result<ImportedKey, SignerError> {
        let arn = match self.find(key).await? {
            Found::Same(arn) => return Ok(ImportedKey { arn, was_there: true }),
            Found::Waiting(arn) => arn,
            Found::Nothing { alias } => self.create(alias).await?,
        };
        let rest = async {
            self.bring(&arn, pkcs8).await?;
            self.wait_until_enabled(&arn).await
        };
        let again = format!("the import stopped at the key `{arn}`; import again, which goes on from there");
        rest.await.map_err(|error| self.stopped(&again, error))?;
        Ok(ImportedKey { arn, was_there: false })
    }

    /// What the name means now.
    async fn find<'a>(&self, key: &'a KmsKey) -> Result<Found<'a>, SignerError> {
        let answer = self.client.describe_key().key_id(key.as_str()).send().await;
        let described = match (answer, key.alias()) {
            (Ok(described), _) => described,
            (Err(error), Some(alias)) if has_code(&error, "NotFoundException") => {
                return Ok(Found::Nothing { alias });
            }
            (Err(error), _) => return Err(self.place.failed("DescribeKey", error)),
        };
        let metadata = described.key_metadata().ok_or_else(|| {
            self.place.error(SignerErrorKind::Protocol, "kms:DescribeKey answered without KeyMetadata")
        })?;
        let arn = metadata.arn().unwrap_or(metadata.key_id()).to_owned();
        if self.awaits_this(metadata) {
            return Ok(Found::Waiting(arn));
        }
        let is_of_this_kind = metadata.key_usage() == Some(&KeyUsageType::SignVerify)
            && metadata.key_spec() == Some(&self.spec.key);
        if is_of_this_kind && self.holds_this(&arn).await? {
            Ok(Found::Same(arn))
        } else {
            Err(self.taken(metadata))
        }
    }

    fn awaits_this(&self, metadata: &KeyMetadata) -> bool {
        metadata.key_state() == Some(&KeyState::PendingImport)
            && metadata.origin() == Some(&OriginType::External)
            && metadata.key_usage() == Some(&KeyUsageType::SignVerify)
            && metadata.key_spec() == Some(&self.spec.key)
    }

    async fn holds_this(&self, arn: &str) -> Result<bool, SignerError> {
        let answer = self.client.get_public_key().key_id(arn).send().await;
        let answer = answer.map_err(|error| self.place.failed("GetPublicKey", error))?;
        Ok(answer.public_key().is_some_and(|spki| spki.as_ref() == self.public.spki_der()))
    }

    /// A new key that waits for its material, under the alias: so an import that breaks off is found again.
    async fn create(&self, alias: &str) -> Result<String, SignerError> {
        let request =
            self.client.create_key().origin(OriginType::External).key_usage(KeyUsageType::SignVerify);
        let request = request.key_spec(self.spec.key.clone()).description(DESCRIPTION);
        // Asked for once: each time makes a key.
        let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
        let created = request.customize().config_override(once).send().await;
        let created = created.map_err(|error| self.may_be_made(self.place.failed("CreateKey", error)))?;
        let arn = created.key_metadata().and_then(KeyMetadata::arn).ok_or_else(|| {
            self.place.error(SignerErrorKind::Protocol, "kms:CreateKey answered without an ARN")
        })?;
        self.name(arn, alias).await?;
        Ok(arn.to_owned())
    }

    async fn name(&self, arn: &str, alias: &str) -> Result<(), SignerError> {
        match self.client.create_alias().alias_name(alias).target_key_id(arn).send().await {
            Ok(_) => Ok(()),
            // As when the answer was lost, and the SDK asked again.
            Err(error) if has_code(&error, "AlreadyExistsException") && self.means(alias, arn).await => {
                Ok(())
            }
            Err(error) => {
                let without = format!(
                    "the key `{arn}` was made and got no alias; import again with that ARN as its name"
                );
                Err(self.stopped(&without, self.place.failed("CreateAlias", error)))
            }
        }
    }

    async fn means(&self, alias: &str, arn: &str) -> bool {
        let described = self.client.describe_key().key_id(alias).send().await.ok();
        let metadata = described.as_ref().and_then(|described| described.key_metadata());
        metadata.and_then(KeyMetadata::arn) == Some(arn)
    }

    async fn bring(&self, arn: &str, pkcs8: &[u8]) -> Result<(), SignerError> {
        let request = self.client.get_parameters_for_import().key_id(arn);
        let request = request.wrapping_algorithm(AlgorithmSpec::RsaAesKeyWrapSha256);
        let parameters = request.wrapping_key_spec(WrappingKeySpec::Rsa4096).send().await;
        let parameters = parameters.map_err(|error| self.place.failed("GetParametersForImport", error))?;
        let (Some(under), Some(token)) = (parameters.public_key(), parameters.import_token()) else {
            let message = "kms:GetParametersForImport answered without a key or a token";
            return Err(self.place.error(SignerErrorKind::Protocol, message));
        };
        let wrapped = wrap(under.as_ref(), pkcs8).ok_or_else(|| {
            let message = "the service's wrapping key cannot be used; see what is behind the endpoint";
            self.place.error(SignerErrorKind::Protocol, message)
        })?;
        let request = self.client.import_key_material().key_id(arn).import_token(token.clone());
        let request = request.encrypted_key_material(Blob::new(wrapped));
        let imported = request.expiration_model(ExpirationModelType::KeyMaterialDoesNotExpire).send().await;
        match imported {
            Ok(_) => Ok(()),
            // Likewise: what was taken the first time may be refused the second.
            Err(_) if self.holds_this(arn).await.unwrap_or_default() => Ok(()),
            Err(error) => Err(self.place.failed("ImportKeyMaterial", error)),
        }
    }

    /// The service takes a moment to know of what it was given.
    async fn wait_until_enabled(&self, arn: &str) -> Result<(), SignerError> {
        for _ in 0..STATE_LOOKS {
            let described = self.client.describe_key().key_id(arn).send().await;
            let described = described.map_err(|error| self.place.failed("DescribeKey", error))?;
            if described.key_metadata().and_then(KeyMetadata::key_state) == Some(&KeyState::Enabled) {
                return Ok(());
            }
            tokio::time::sleep(STATE_PAUSE).await;
        }
        Err(self.place.error(SignerErrorKind::Transport, "the key is not enabled yet; try again later"))
    }

    fn taken(&self, metadata: &KeyMetadata) -> SignerError {
        let spec = metadata.key_spec().map_or("key of unknown kind", |spec| spec.as_str());
        let state = metadata.key_state().map_or("unknown", |state| state.as_str());
        self.place.error(
            SignerErrorKind::Key,
            format!(
                "the name is taken by another key, a {spec} in the state {state}; name an alias that does not exist, or a {} \
                 key of origin EXTERNAL that waits for its material",
                self.spec.key
            ),
        )
    }

    /// The same error; what is not known to have been refused may have been done.
    fn may_be_made(&self, error: SignerError) -> SignerError {
        if error.kind() != SignerErrorKind::Transport {
            return error;
        }
        let message = format!(
            "it is not known whether a key was made; look for one that waits for its material and is called `{DESCRIPTION}`, \
             and import with its ARN as the name, or import again"
        );
        self.place.error(error.kind(), message).with_source(error)
    }

    /// The same error, with the way to go on.
    fn stopped(&self, way: &str, error: SignerError) -> SignerError {
        let message = format!("{way}, or have the key deleted (`aws kms schedule-key-deletion`)");
        self.place.error(error.kind(), message).with_source(error)
    }
}

/// `RSA_AES_KEY_WRAP_SHA_256`, which PKCS#11 calls `CKM_RSA_AES_KEY_WRAP`: a fresh AES key under the service's RSA key
/// (OAEP with SHA-256), and behind it the private key under the AES key (RFC 5649).
fn wrap(under: &[u8], pkcs8: &[u8]) -> Option<Vec<u8>> {
    let mut aes = Zeroizing::new([0; 32]);
    rand::fill(aes.as_mut_slice()).ok()?;
    let rsa = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(under).ok()?).ok()?;
    let mut wrapped = vec![0; rsa.ciphertext_size()];
    rsa.encrypt(&OAEP_SHA256_MGF1SHA256, aes.as_slice(), &mut wrapped, None).ok()?;
    let mut material = vec![0; pkcs8.len().next_multiple_of(KWP_BLOCK) + KWP_BLOCK];
    let kek = AesKek::new(&AES_256, aes.as_slice()).ok()?;
    wrapped.extend_from_slice(kek.wrap_with_padding(pkcs8, &mut material).ok()?);
    Some(wrapped)
}

fn too_small(place: &Place, public: &PublicKey) -> SignerError {
    place.error(
        SignerErrorKind::Key,
        format!(
            "AWS KMS takes RSA keys of 2048, 3072 and 4096 bits, and P-256 keys, and this is {} with {} bits; have SuperOffice \
             issue a new partner key, or keep this one in a PKCS#11 token",
            public.algorithm(),
            public.bits()
        ),
    )
}

fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E>, code: &str) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(code)
}

/// What the console shows of a key that was made here.
const DESCRIPTION: &str = "SuperOffice partner key, imported by soticket";
/// The unit of RFC 5649's padding, and how much longer the result is, in bytes.
const KWP_BLOCK: usize = 8;
/// How often, and how long apart, is looked whether the key is enabled.
const STATE_LOOKS: usize = 20;
const STATE_PAUSE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use aws_lc_rs::key_wrap::KeyWrapPadded as _;
    use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};

    use super::*;

    #[test]
    fn what_was_wrapped_is_opened_by_who_has_the_other_half_and_differs_each_time() {
        use aws_lc_rs::encoding::AsDer as _;
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let spki = private.public_key().as_der().unwrap();
        let open = OaepPrivateDecryptingKey::new(private).unwrap();
        for length in [16, 1217, 1218] {
            let secret = vec![7; length];
            let wrapped = wrap(spki.as_ref(), &secret).unwrap();
            assert_ne!(wrapped, wrap(spki.as_ref(), &secret).unwrap());
            let (key, material) = wrapped.split_at(256);
            let mut aes = vec![0; 256];
            let aes = open.decrypt(&OAEP_SHA256_MGF1SHA256, key, &mut aes, None).unwrap();
            let mut opened = vec![0; length + 2 * KWP_BLOCK];
            let kek = AesKek::new(&AES_256, aes).unwrap();
            assert_eq!(kek.unwrap_with_padding(material, &mut opened).unwrap(), secret);
        }
        assert_eq!(wrap(b"no key", &[0; 16]), None);
    }
}
