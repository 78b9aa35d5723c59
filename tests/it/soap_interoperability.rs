//! SOAP clients and servers that we did not write, each against the other half of ours.

use std::error::Error as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use soticket::{
    ErrorKind, PinnedKeys, RefusalReason, SignedSystemToken, SoapFault, SystemClock, SystemUserClient,
    Tenant, Transport, UnvalidatedJwt,
};
use soticket_emulator::{Approval, Sample};
use soticket_tests::root;

use crate::support::{Service, signer, tenant};

fn wsdl(service: &Service) -> String {
    format!("{}/login/services/PartnerSystemUserService.svc?wsdl", service.emulator.url())
}

/// One exchange by zeep, which knows of the service only what its WSDL says.
async fn by_zeep(service: &Service, token_type: &str) -> Value {
    let python = std::env::var("SOTICKET_TEST_ZEEP")
        .expect("SOTICKET_TEST_ZEEP is not set: run `cargo xtask test soap`, which installs zeep");
    let signed =
        SignedSystemToken::build(tenant().system_user_token(), &SystemClock, &signer()).await.unwrap();
    let mut client = Command::new(python);
    client
        .arg(root().join("tests/python/soap_client.py"))
        .arg(wsdl(service))
        .env("CLIENT_SECRET", Sample::CLIENT_SECRET)
        .env("CONTEXT", Sample::CONTEXT)
        .env("SIGNED_SYSTEM_TOKEN", signed.to_secret_text().expose())
        .env("RETURN_TOKEN_TYPE", token_type);
    let output = tokio::task::spawn_blocking(move || client.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
#[ignore = "needs zeep, which cargo xtask test installs"]
async fn zeep_gets_a_jwt_from_the_emulator_that_our_validator_takes() {
    let service = Service::start().await;
    let answer = by_zeep(&service, "Jwt").await;
    assert_eq!((&answer["IsSuccessful"], &answer["ErrorMessage"]), (&json!(true), &Value::Null));
    let jwt = UnvalidatedJwt::new(answer["Token"].as_str().unwrap().to_owned());
    let ticket = service.client().validate(&jwt, &tenant()).await.unwrap();
    assert!(ticket.expose().starts_with("7T:"));

    service.emulator.set_approval(Sample::CONTEXT, Approval::Revoked).unwrap();
    let answer = by_zeep(&service, "Jwt").await;
    assert_eq!((&answer["IsSuccessful"], &answer["Token"]), (&json!(false), &Value::Null));
    assert!(answer["ErrorMessage"].as_str().unwrap().starts_with("Revoked"), "{answer}");
    assert_eq!(by_zeep(&service, "Saml").await["Fault"], "a:DeserializationFailed");
}

/// node-soap, serving the emulator's WSDL; stopped when dropped.
struct NodeSoap {
    process: Child,
    url: String,
}

impl NodeSoap {
    fn start(login: &Service) -> Self {
        let mut node = Command::new("node");
        node.arg(root().join("tests/node/soap-server.js")).args([wsdl(login), login.emulator.url()]);
        let mut process = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { process, url: url.trim_end().to_owned() }
    }
}

impl Drop for NodeSoap {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_had_from_node_soap() {
    let login = Service::start().await;
    let server = NodeSoap::start(&login);
    let pinned = login.emulator.federated_login_certificate_pem();
    let client = SystemUserClient::builder(
        server.url.parse().unwrap(),
        Sample::CLIENT_SECRET.parse().unwrap(),
        signer(),
    )
    .with_transport(Transport::Soap)
    .with_pinned_keys(PinnedKeys::from_pem_or_der(pinned.as_bytes()).unwrap())
    .build()
    .unwrap();
    assert!(client.ticket(&tenant()).await.unwrap().expose().starts_with("7T:"));

    login.emulator.set_approval(Sample::CONTEXT, Approval::NeedsReapproval).unwrap();
    match client.ticket(&tenant()).await.unwrap_err().kind() {
        ErrorKind::Refused(refusal) => assert_eq!(refusal.reason(), RefusalReason::NeedsReapproval),
        other => panic!("a refusal was expected and not {other:?}"),
    }
    let broken = Tenant::new("Fault".parse().unwrap(), Sample::SYSTEM_USER_TOKEN.parse().unwrap());
    let error = client.ticket(&broken).await.unwrap_err();
    let fault = error.source().and_then(|source| source.downcast_ref::<SoapFault>()).expect("a fault");
    assert_eq!((fault.code(), fault.reason()), ("Server", "broken <down> & out"));
}
