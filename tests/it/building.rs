//! What a client refuses to be built from, and what it does with what it was given.

use std::time::Duration;

use soticket::pem::{KeySource, KeyType, PemSigner, PrivateKey};
use soticket::reqwest::{Certificate, Client, Proxy};
use soticket::{
    ErrorKind, PinnedKeys, SigningAlgorithm, SystemUserClient, SystemUserClientBuilder, TrustRule,
};
use soticket_emulator::{Config, Emulator, Sample, Tls};

use crate::support::{Service, partner_key_xml, signer, tenant};

fn is_configuration_error(builder: SystemUserClientBuilder) -> bool {
    builder.build().is_err_and(|error| error.kind() == &ErrorKind::Configuration)
}

#[tokio::test]
async fn an_es256_signer_has_to_be_asked_for() {
    let service = Service::start().await;
    let key = PrivateKey::generate(KeyType::P256).unwrap().to_pkcs8_der().unwrap();
    let signer = std::sync::Arc::new(PemSigner::builder(KeySource::memory("p256", key)).build().unwrap());
    let builder = || {
        let secret = Sample::CLIENT_SECRET.parse().unwrap();
        SystemUserClient::builder(service.environment(), secret, std::sync::Arc::clone(&signer))
    };
    assert!(is_configuration_error(builder()));
    assert!(builder().with_signing_algorithm(SigningAlgorithm::Es256).build().is_ok());
    let rsa = service.client_builder().with_signing_algorithm(SigningAlgorithm::Es256);
    assert!(is_configuration_error(rsa), "an RS256 signer is not what was asked for then");
}

#[tokio::test]
async fn what_would_loosen_a_trust_rule_is_refused() {
    let service = Service::start().await;
    let too_long = SystemUserClientBuilder::MAX_LEEWAY + Duration::from_secs(1);
    assert!(is_configuration_error(service.client_builder().with_leeway(too_long)));
    assert!(is_configuration_error(service.client_builder().with_pinned_keys(PinnedKeys::default())));
}

#[tokio::test]
async fn a_proxy_that_was_given_is_used_and_nothing_else() {
    let service = Service::start().await;
    let nowhere = Proxy::all("http://127.0.0.1:9").unwrap();
    let client = service.client_builder().with_proxy(nowhere).build().unwrap();
    assert_eq!(client.ticket(&tenant()).await.unwrap_err().kind(), &ErrorKind::Transport);
    assert!(service.emulator.log().is_empty());
}

#[tokio::test]
async fn a_callers_http_client_keeps_its_settings_but_for_the_trust_rules() {
    let service = Service::start().await;
    let careless =
        Client::builder().redirect(soticket::reqwest::redirect::Policy::limited(9)).user_agent("careless");
    let client = service.client_builder().with_http_client(careless).build().unwrap();
    service.spoil_next_exchange(soticket_emulator::Fault::Redirect {
        status: 307,
        location: format!("{}/Login/api/PartnerSystemUser/Authenticate", service.emulator.url()),
    });
    let error = client.ticket(&tenant()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::Redirected));
    assert_eq!(service.emulator.log().len(), 1, "the secret did not go where the redirect led");
}

#[tokio::test]
async fn an_authority_is_trusted_only_if_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("partner.xml");
    std::fs::write(&key_file, partner_key_xml()).unwrap();
    let config = Config::sample(&key_file).unwrap();
    let emulator = Emulator::builder().with_config(config).with_tls(Tls::ThrowAway).start().await.unwrap();
    let builder = || {
        let secret = Sample::CLIENT_SECRET.parse().unwrap();
        SystemUserClient::builder(emulator.url().parse().unwrap(), secret, signer())
    };
    let error = builder().build().unwrap().ticket(&tenant()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::Tls));
    let careless = Client::builder().tls_danger_accept_invalid_certs(true);
    let error = builder().with_http_client(careless).build().unwrap().ticket(&tenant()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::Tls), "a careless caller changes nothing");
    assert!(emulator.log().is_empty(), "no secret was sent");
    let root = Certificate::from_pem(emulator.ca_pem().unwrap().as_bytes()).unwrap();
    assert!(builder().with_extra_root(root).build().unwrap().ticket(&tenant()).await.is_ok());
}
