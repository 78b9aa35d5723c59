//! SuperOffice system user tickets: the signer trait, the protocol and the validated ticket.
//!
//! A [`Tenant`]'s system user token is signed by a [`TokenSigner`], whose private key may be out of this
//! process's reach, and exchanged by a [`SystemUserClient`] for a [`SystemUserTicket`], which is trusted only
//! after every [`TrustRule`] has held. This crate holds no private key.

mod api;
mod cache;
mod client_secret;
mod clock;
mod environment;
mod error;
pub mod exchange;
#[cfg(all(fuzzing, feature = "soap"))]
pub mod fuzzing;
mod http;
pub mod jwt;
pub mod public_key;
mod refusal;
mod retry;
pub mod secret;
pub mod signer;
pub mod store;
pub mod system_token;
mod tenant;
pub mod ticket;

pub use api::{ApiClient, ApiError, ApiErrorKind, TenantState, TenantStatus};
pub use cache::{CacheStatistics, ExchangeLimits, TicketCache, TicketCacheBuilder};
pub use client_secret::{ClientSecret, ParseClientSecretError};
pub use clock::{Clock, ManualClock, SystemClock};
pub use environment::{CustomEnvironment, Environment, ParseEnvironmentError};
pub use error::{Error, ErrorKind};
#[cfg(feature = "soap")]
pub use exchange::SoapFault;
pub use exchange::{ClockSkew, SystemUserClient, SystemUserClientBuilder, Transport};
pub use http::{MAX_ANSWER_SIZE, Timeouts};
pub use jwt::pinned::{PinnedKeyError, PinnedKeys};
pub use jwt::{TrustRule, UnvalidatedJwt};
pub use public_key::PublicKey;
pub use refusal::{Refusal, RefusalReason};
pub use retry::RetryPolicy;
pub use secret::SecretText;
pub use signer::{
    Exportability, KeyInfo, Signature, SignerError, SignerErrorKind, SigningAlgorithm, TokenSigner,
};
pub use store::TicketStore;
pub use system_token::{
    ParseSignedSystemTokenError, ParseSystemUserTokenError, SignedSystemToken, SystemUserToken,
};
pub use tenant::{ContextIdentifier, ParseContextIdentifierError, Tenant};
pub use ticket::{Claims, SystemUserTicket};

pub use {jiff, reqwest};
