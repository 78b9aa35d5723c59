//! The client of the service: made from a URI by the SDK's own sources, and never one that waits for ever.

use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use aws_sdk_kms::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kms::error::{BoxError, ConnectorError};
use aws_smithy_http_client as http_client;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use soticket_core::{SignerError, SignerErrorKind};
use thiserror::Error;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;
use url::Url;

use crate::key::KmsKey;
use crate::uri::{AwsKmsUri, goes_safely};

impl AwsKmsUri {
    /// Makes a client for what the URI says; the rest comes from the SDK's own sources, in its order: the environment,
    /// the shared configuration files, a web identity, the container's or the machine's metadata. A profile that the URI
    /// names goes before the environment. The SDK's variables count, `AWS_USE_FIPS_ENDPOINT`,
    /// `AWS_USE_DUALSTACK_ENDPOINT` and `HTTPS_PROXY` among them.
    ///
    /// A call is tried [`MAX_ATTEMPTS`] times within [`OPERATION_TIMEOUT`], by the SDK, and by nobody else.
    /// Credentials are looked for with the first call and not here.
    ///
    /// # Errors
    /// [`SignerErrorKind::Configuration`] when nothing says which Region.
    pub async fn client(&self) -> Result<Client, SignerError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
            .timeout_config(time_limits());
        if let Ok(name) = AppName::new(APP_NAME) {
            loader = loader.app_name(name);
        }
        if let Some(profile) = self.profile() {
            // What the URI says goes before the environment, which the SDK would ask first.
            let region = ProfileFileRegionProvider::builder().profile_name(profile).build();
            let region = RegionProviderChain::first_try(region).or_default_provider();
            loader = loader.profile_name(profile).region(region);
        }
        if let Some(region) = self.region() {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(url) = self.endpoint_url() {
            loader = loader.endpoint_url(url.as_str());
        }
        let config = out_of_sight(loader.load()).await;
        if config.region().is_none() {
            return Err(no_region(self.key()));
        }
        let mut settings = aws_sdk_kms::config::Builder::from(&config);
        if let Some(profile) = self.profile() {
            settings = settings.credentials_provider(credentials_of(profile, &config));
        }
        if is_plain(config.endpoint_url()) || is_plain(std::env::var(ENDPOINT_VARIABLE).ok().as_deref()) {
            settings = settings.http_client(http_client::Builder::new().build_http());
        }
        Ok(Client::from_conf(settings.build()))
    }
}

/// Whether an endpoint is asked without TLS, which is allowed on this machine alone: no proxy has any business there, and
/// one would see the session token.
fn is_plain(endpoint: Option<&str>) -> bool {
    let url = endpoint.and_then(|endpoint| Url::parse(endpoint).ok());
    url.is_some_and(|url| url.scheme() == "http")
}

/// The credentials of a profile, which may be those of a role that is assumed in the same Region.
fn credentials_of(profile: &str, config: &SdkConfig) -> ProfileFileCredentialsProvider {
    let place = ProviderConfig::without_region()
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack())
        .with_timeout_config(time_limits());
    ProfileFileCredentialsProvider::builder().configure(&place).profile_name(profile).build()
}

/// The same client, with our time limits if it has none, and able to do without connections that went with the runtime
/// that they were made on.
pub(crate) fn prepared(client: &Client) -> Client {
    let config = client.config();
    let own = config.timeout_config().cloned().unwrap_or_else(|| TimeoutConfig::builder().build());
    let limits = [own.operation_timeout(), own.operation_attempt_timeout(), own.read_timeout()];
    let has_limits = limits.iter().any(Option::is_some);
    let limits =
        if has_limits { own } else { own.to_builder().take_unset_from(time_limits().to_builder()).build() };
    let config = config.to_builder().timeout_config(limits).retry_classifier(ConnectionIsGone);
    let config = config.interceptor(NoPlainHttp);
    Client::from_conf(config.build())
}

/// Lets no request leave over plain HTTP but to this machine, whoever named the endpoint: the URI, the environment, a
/// profile, or whoever made the client.
#[derive(Debug)]
struct NoPlainHttp;

#[dyn_dispatch_hint]
impl Intercept for NoPlainHttp {
    fn name(&self) -> &'static str {
        "no plain HTTP"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let url = Url::parse(context.request().uri()).ok();
        if url.is_some_and(|url| goes_safely(&url)) { Ok(()) } else { Err(PlainHttp.into()) }
    }
}

/// The endpoint is one to which nothing may be sent.
#[derive(Debug, Error)]
#[error("the endpoint is plain http:// and not on this machine")]
pub(crate) struct PlainHttp;

/// Has the SDK try again when the runtime that drove a connection ended, as where each thread has a runtime of its own:
/// it would take that for a mistake of the caller.
#[derive(Debug)]
struct ConnectionIsGone;

impl ClassifyRetry for ConnectionIsGone {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if error.as_connector_error().is_some_and(ConnectorError::is_user) => {
                RetryAction::transient_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "connection is gone"
    }
}

/// Makes a call of the SDK without its own log: that shows whole answers at its highest level, and so signatures, which are
/// credentials. What there is to know is in our errors, and in our own log.
pub(crate) async fn out_of_sight<F: Future>(call: F) -> F::Output {
    call.with_subscriber(Dispatch::none()).await
}

/// The Region that the client asks, which an ARN has to agree with: the SDK does not look at it.
pub(crate) fn region_for(client: &Client, key: &KmsKey) -> Result<String, SignerError> {
    let region = client.config().region().map(ToString::to_string).ok_or_else(|| no_region(key))?;
    match key.region() {
        Some(of_arn) if of_arn != region => Err(SignerError::new(
            SignerErrorKind::Configuration,
            format!(
                "the key `{key}` is in {of_arn}, and the client asks {region}; give it a client for {of_arn}"
            ),
        )),
        _ => Ok(region),
    }
}

fn no_region(key: &KmsKey) -> SignerError {
    SignerError::new(
        SignerErrorKind::Configuration,
        format!(
            "nothing says in which Region the key `{key}` is; add `?region=eu-central-1` to the URI, name the key by its \
             ARN, or set AWS_REGION"
        ),
    )
}

fn time_limits() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// How long a connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one attempt may take, the answer included, and the credentials where they have to be got first. Without it, the
/// SDK waits for ever.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a call may take with all its attempts and the pauses between them.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a call is tried when the service is busy, fails or does not answer.
pub const MAX_ATTEMPTS: u32 = 3;

/// What the calls are marked with, as CloudTrail shows it.
const APP_NAME: &str = "soticket";

/// Names the endpoint of this service alone.
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_KMS";
