//! TLS with a throw-away certificate authority, whose private key is never written.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The names that the certificate is always good for.
const NAMES: &[&str] = &[
    "localhost",
    "127.0.0.1",
    "::1",
    "sod.superoffice.com",
    "qaonline.superoffice.com",
    "online.superoffice.com",
];

/// Whether and how connections are encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tls {
    /// Plain HTTP.
    #[default]
    None,
    /// A certificate under a throw-away authority, to be had from the handle.
    ThrowAway,
    /// The same, and `ca.pem` and `federated-login.pem` are written into this folder.
    ThrowAwayIn(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    #[error("the TLS configuration is not usable")]
    Rustls(#[from] tokio_rustls::rustls::Error),
}

/// An acceptor, and the authority's certificate in PEM.
pub(crate) fn acceptor(more: &[String]) -> Result<(TlsAcceptor, String), TlsError> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "soticket emulator, throw-away CA");
    let ca_pem = ca.self_signed(&ca_key)?.pem();
    let names: Vec<String> =
        NAMES.iter().map(|name| (*name).to_owned()).chain(more.iter().cloned()).collect();
    let leaf_key = KeyPair::generate()?;
    let leaf = CertificateParams::new(names)?.signed_by(&leaf_key, &Issuer::new(ca, ca_key))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), ca_pem))
}
