//! What names the environment, the tenant, the key and the secrets.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::TokenArgs;

/// Whom to ask, for whom, and with which key.
#[derive(Debug, Default, Args)]
pub(crate) struct ConnectionArgs {
    /// sod, qaonline, online or a URL [env: SOTICKET_ENVIRONMENT]
    #[arg(long, value_name = "ENVIRONMENT")]
    pub(crate) environment: Option<String>,

    /// The tenant's context identifier, such as Cust12345 [env: SOTICKET_CONTEXT]
    #[arg(long, value_name = "CONTEXT")]
    pub(crate) context: Option<String>,

    /// The signing key: a file, or a signer URI [env: SOTICKET_SIGNER]
    #[arg(long, value_name = "URI")]
    pub(crate) signer: Option<String>,

    /// How to speak to the service [env: SOTICKET_TRANSPORT] [default: rest]
    #[arg(long, value_enum)]
    pub(crate) transport: Option<Transport>,

    /// Trust the authorities in this PEM file too, for TLS [env: SOTICKET_CA_FILE]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Trust JWTs by this certificate or public key instead of the JWKS; repeatable
    /// [env: SOTICKET_PINNED_CERTIFICATE]
    #[arg(long, value_name = "FILE")]
    pub(crate) pinned_certificate: Vec<PathBuf>,

    /// The file that holds the client secret; `-` is standard input [env: SOTICKET_CLIENT_SECRET holds the secret]
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,

    /// The file that holds the system user token; `-` is standard input [env: SOTICKET_SYSTEM_USER_TOKEN holds the token]
    #[arg(long, value_name = "FILE")]
    pub(crate) system_user_token_file: Option<PathBuf>,

    /// The file that holds an encrypted key's passphrase; `-` is standard input [env: SOTICKET_KEY_PASSPHRASE
    /// holds the passphrase]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) token: TokenArgs,

    /// The public half of the signing key or a certificate of it, for a PKCS#11 token that keeps none
    #[arg(long, value_name = "FILE")]
    pub(crate) signer_public_key: Option<PathBuf>,

    /// Refuse a signing key that can leave its place
    #[arg(long)]
    pub(crate) require_non_extractable: bool,
}

/// How the exchange is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// JSON over HTTPS
    Rest,
    /// SOAP 1.1 over HTTPS, for networks that let nothing else through
    Soap,
}
