//! The environment's JWKS: fetched when first needed, kept, and fetched again when keys rotate.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::http::HttpClient;
use crate::jwt::TrustRule;
use crate::jwt::key_set::{KeyReference, KeySet, VerificationKey};

/// How soon after a fetch the next one may follow, however many unknown keys tokens name.
pub const MIN_REFETCH_INTERVAL: Duration = Duration::from_secs(60);

/// How long a fetched key set is used before it is fetched again, even if it has every key that is asked for.
pub const MAX_AGE: Duration = Duration::from_secs(12 * 60 * 60);

/// Gets the key set, from wherever it is.
#[async_trait]
pub(crate) trait FetchKeys: fmt::Debug + Send + Sync {
    async fn fetch(&self) -> Result<KeySet, Error>;
}

/// The key set, kept. One fetch runs at a time, and everybody who waits for it shares what came of it.
#[derive(Debug)]
pub(crate) struct JwksCache {
    source: Box<dyn FetchKeys>,
    latest: RwLock<Latest>,
    fetching: Mutex<()>,
}

/// What the fetches so far have come to.
#[derive(Debug, Clone, Default)]
struct Latest {
    keys: Option<Arc<KeySet>>,
    /// Counts fetches, failed ones too, so that who waited for one knows it.
    fetches: u64,
    fetched_at: Option<Instant>,
    failure: Option<Error>,
}

impl Latest {
    fn is_due(&self, after: Duration) -> bool {
        self.fetched_at.is_none_or(|at| at.elapsed() >= after)
    }
}

impl JwksCache {
    pub(crate) fn new(source: impl FetchKeys + 'static) -> Self {
        Self { source: Box::new(source), latest: RwLock::default(), fetching: Mutex::new(()) }
    }

    /// The key that a token's header refers to.
    pub(crate) async fn key(&self, reference: &KeyReference) -> Result<Arc<VerificationKey>, Error> {
        if reference.is_empty() {
            let message = "the JWT does not say which key signed it (no `kid`, no `x5t`); pin the environment's certificate instead";
            return Err(Error::untrusted(TrustRule::KeyIdPresent, message));
        }
        let seen = self.latest();
        let found = seen.keys.as_ref().and_then(|keys| keys.find(reference));
        match found {
            Some(key) if !seen.is_due(MAX_AGE) => Ok(key),
            _ => self.key_after_fetch(reference, &seen).await,
        }
    }

    /// Makes sure that a key set is there, and says how many keys it has.
    pub(crate) async fn load(&self) -> Result<usize, Error> {
        let latest = self.fetched_since(&self.latest()).await;
        match (latest.keys, latest.failure) {
            (_, Some(failure)) => Err(failure),
            (keys, None) => Ok(keys.map_or(0, |keys| keys.len())),
        }
    }

    async fn key_after_fetch(
        &self,
        reference: &KeyReference,
        seen: &Latest,
    ) -> Result<Arc<VerificationKey>, Error> {
        let latest = self.fetched_since(seen).await;
        let found = latest.keys.as_ref().and_then(|keys| keys.find(reference));
        if let (Some(_), Some(failure)) = (&found, &latest.failure) {
            tracing::warn!(error = %failure, "the JWKS cannot be fetched; the one that was fetched before stays in use");
        }
        found.ok_or_else(|| match (latest.keys, latest.failure) {
            (None, Some(failure)) => failure,
            (_, failure) => unknown_key(reference, failure),
        })
    }

    /// The outcome of a fetch that began after `seen` was looked at; of no new one when the last is too fresh.
    async fn fetched_since(&self, seen: &Latest) -> Latest {
        let _one_at_a_time = self.fetching.lock().await;
        let latest = self.latest();
        let somebody_fetched = latest.fetches != seen.fetches;
        let too_soon = latest.keys.is_some() && !latest.is_due(MIN_REFETCH_INTERVAL);
        if somebody_fetched || too_soon {
            return latest;
        }
        self.fetch().await
    }

    async fn fetch(&self) -> Latest {
        let outcome = self.source.fetch().await;
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        latest.fetches += 1;
        latest.fetched_at = Some(Instant::now());
        match outcome {
            Ok(keys) => {
                tracing::debug!(keys = keys.len(), "fetched the JWKS");
                latest.keys = Some(Arc::new(keys));
                latest.failure = None;
            }
            Err(error) => latest.failure = Some(error),
        }
        latest.clone()
    }

    fn latest(&self) -> Latest {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn unknown_key(reference: &KeyReference, failure: Option<Error>) -> Error {
    let message = format!(
        "the JWT is signed with the key `{reference}`, which the environment's JWKS does not hold; \
         check that it comes from this environment"
    );
    let error = Error::untrusted(TrustRule::KeyIdKnown, message);
    match failure {
        Some(failure) => error.with_source(failure),
        None => error,
    }
}

/// Fetches the key set that the environment's discovery document names.
#[derive(Debug)]
pub(crate) struct Discovery {
    http: HttpClient,
    environment: Environment,
}

impl Discovery {
    pub(crate) fn new(http: HttpClient, environment: Environment) -> Self {
        Self { http, environment }
    }

    async fn get(&self, url: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
        Ok(self.http.send(|| self.http.get(url)).await?.body)
    }
}

#[async_trait]
impl FetchKeys for Discovery {
    async fn fetch(&self) -> Result<KeySet, Error> {
        let document = self.get(&self.environment.discovery_url()).await?;
        let url = jwks_uri(&document, &self.environment)?;
        KeySet::from_json(&self.get(&url).await?)
    }
}

#[derive(Deserialize)]
struct DiscoveryDocument {
    jwks_uri: String,
}

/// The JWKS's address, which must be the environment's own: keys from elsewhere are not its keys.
fn jwks_uri(document: &[u8], environment: &Environment) -> Result<String, Error> {
    let document: DiscoveryDocument = serde_json::from_slice(document).map_err(|_| {
        let url = environment.discovery_url();
        Error::new(
            ErrorKind::Protocol,
            format!("{url} answered no discovery document; check the environment and any proxy between"),
        )
    })?;
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    let ours = origin(&environment.base_url());
    if ours.is_none() || origin(&document.jwks_uri) != ours {
        let message = format!(
            "the discovery document of {environment} names a JWKS of another host (`{}`), which is not trusted",
            crate::refusal::escape(&document.jwks_uri, MAX_SHOWN_URL)
        );
        return Err(Error::untrusted(TrustRule::KeySet, message));
    }
    Ok(document.jwks_uri)
}

/// How much of a foreign URL an error shows, in characters.
const MAX_SHOWN_URL: usize = 200;

#[cfg(test)]
mod tests;
