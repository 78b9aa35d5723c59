//! The exchange over SOAP, as a client on the wire sees it.

use reqwest::Response;
use roxmltree::Document;
use soticket_emulator::{Fault, Outcome, Sample, Scope, Times};

use crate::support::{Bench, bench};

const PATH: &str = "/Login/services/PartnerSystemUserService.svc";
const SERVICE: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

fn action() -> String {
    format!("\"{SERVICE}/IPartnerSystemUserService/Authenticate\"")
}

fn envelope(signed: &str) -> String {
    format!(
        "<e:Envelope xmlns:e='{ENVELOPE}' xmlns='{SERVICE}'><e:Header><ContextIdentifier>{}</ContextIdentifier><ApplicationToken>{}\
         </ApplicationToken></e:Header><e:Body><AuthenticationRequest><SignedSystemToken>{signed}</SignedSystemToken>\
         <ReturnTokenType>Jwt</ReturnTokenType></AuthenticationRequest></e:Body></e:Envelope>",
        Sample::CONTEXT,
        Sample::CLIENT_SECRET
    )
}

async fn post(bench: &Bench, kind: &str, action: &str, body: String) -> Response {
    let request = reqwest::Client::new().post(bench.url(PATH)).header("Content-Type", kind);
    request.header("SOAPAction", action).body(body).send().await.unwrap()
}

/// An exchange's values: `IsSuccessful`, `Token`, `ErrorMessage`.
async fn exchange(bench: &Bench, signed: &str) -> [Option<String>; 3] {
    let answer = post(bench, "text/xml; charset=utf-8", &action(), envelope(signed)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/xml; charset=utf-8");
    let text = answer.text().await.unwrap();
    let document = Document::parse(&text).unwrap();
    ["IsSuccessful", "Token", "ErrorMessage"].map(|name| {
        let node = document.descendants().find(|node| node.has_tag_name((SERVICE, name))).unwrap();
        node.text().map(str::to_owned)
    })
}

/// The local part of a fault's code.
async fn fault(answer: Response) -> String {
    assert_eq!(answer.status(), 500);
    let text = answer.text().await.unwrap();
    let document = Document::parse(&text).unwrap();
    assert!(document.descendants().any(|node| node.has_tag_name((ENVELOPE, "Fault"))));
    let code = document.descendants().find(|node| node.has_tag_name("faultcode")).unwrap();
    let (prefix, name) = code.text().unwrap().split_once(':').unwrap();
    assert!(code.lookup_namespace_uri(Some(prefix)).is_some(), "the code's prefix is declared: {text}");
    name.to_owned()
}

#[tokio::test]
async fn a_good_exchange_gives_a_token_and_a_bad_one_its_reason() {
    let bench = bench().await;
    let [is_successful, token, error] = exchange(&bench, &bench.signed()).await;
    assert_eq!((is_successful.as_deref(), error), (Some("true"), None));
    assert!(bench.claims(&token.unwrap()).is_ok());
    let [is_successful, token, error] = exchange(&bench, "nonsense").await;
    assert_eq!((is_successful.as_deref(), token), (Some("false"), None));
    assert!(error.unwrap().starts_with("InvalidSignature"));
    let outcomes: Vec<_> = bench.emulator.log().into_iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes[0], Outcome::Issued);
}

#[tokio::test]
async fn texts_are_escaped() {
    let bench = bench().await;
    let text = "Denied: <a href=\"x\"> & 'more' ]]> \u{2028}";
    let fault = Fault::Refusal { code: soticket_emulator::Refusal::Denied, text: Some(text.to_owned()) };
    bench.emulator.faults().queue(Scope::Exchange, Times::ONCE, fault);
    assert_eq!(exchange(&bench, &bench.signed()).await[2].as_deref(), Some(text));
}

#[tokio::test]
async fn what_is_no_request_gets_a_fault_or_a_status() {
    let bench = bench().await;
    let (good, kind) = (envelope(&bench.signed()), "text/xml; charset=utf-8");
    for wrong in ["", "Authenticate", "\"urn:other\""] {
        assert_eq!(fault(post(&bench, kind, wrong, good.clone()).await).await, "ActionNotSupported");
    }
    for (part, other, code) in [
        (ENVELOPE, "http://www.w3.org/2003/05/soap-envelope", "VersionMismatch"),
        ("<e:Header>", "<e:Header><x e:mustUnderstand='1' xmlns='urn:x'/>", "MustUnderstand"),
        ("AuthenticationRequest>", "AnotherRequest>", "DeserializationFailed"),
        (">Jwt<", ">JWT<", "DeserializationFailed"),
        (">Jwt<", ">Saml<", "DeserializationFailed"),
        (
            "<SignedSystemToken>",
            "<ReturnTokenType>Jwt</ReturnTokenType><SignedSystemToken>",
            "DeserializationFailed",
        ),
    ] {
        let answer = post(&bench, kind, &action(), good.replace(part, other)).await;
        assert_eq!(fault(answer).await, code, "{other}");
    }
    bench.emulator.faults().queue(Scope::Exchange, Times::ONCE, Fault::InternalError);
    assert_eq!(fault(post(&bench, kind, &action(), good.clone()).await).await, "InternalServiceFault");

    let status = async |kind: &str, body: String| post(&bench, kind, &action(), body).await.status().as_u16();
    assert_eq!(status("application/soap+xml", good.clone()).await, 415);
    assert_eq!(status(kind, "no XML".to_owned()).await, 400);
    assert_eq!(status(kind, format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{good}")).await, 400);
    assert_eq!(status(kind, good.replace("Jwt", &"x".repeat(70_000))).await, 413);
    assert_eq!(reqwest::Client::new().put(bench.url(PATH)).send().await.unwrap().status(), 405);
    assert_eq!(bench.emulator.exchanges(), 0);
}

#[tokio::test]
async fn the_service_describes_itself() {
    let bench = bench().await;
    for query in ["?wsdl", "?WSDL", "?singleWsdl"] {
        let answer = reqwest::get(bench.url(PATH) + query).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/xml; charset=utf-8");
        let text = answer.text().await.unwrap();
        let document = Document::parse(&text).unwrap();
        let address = document.descendants().find(|node| node.tag_name().name() == "address").unwrap();
        assert_eq!(address.attribute("location"), Some(bench.url(PATH).as_str()));
    }
    let page = reqwest::get(bench.url(PATH)).await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.text().await.unwrap().contains("?wsdl"));
}
