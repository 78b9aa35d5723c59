//! The exact envelope that goes out, and what is made of those that come back.

use proptest::prelude::*;

use super::*;
use crate::exchange::message::{ExchangeRequest, Outcome};
use crate::jwt::TrustRule;
use crate::secret::SecretText;

const GOLDEN_REQUEST: &str = include_str!("../../../testdata/soap/request.xml");
const SUCCESS: &str = include_str!("../../../testdata/soap/success.xml");
const OTHER_SPELLING: &str = include_str!("../../../testdata/soap/success-other-spelling.xml");
const REFUSAL: &str = include_str!("../../../testdata/soap/refusal.xml");
const FAULT_WCF: &str = include_str!("../../../testdata/soap/fault-wcf.xml");
const FAULT_CLIENT: &str = include_str!("../../../testdata/soap/fault-client.xml");
const FAULT_SOAP_12: &str = include_str!("../../../testdata/soap/fault-soap12.xml");
const SAML: &str = include_str!("../../../testdata/soap/saml.xml");

fn with_request<T>(test: impl FnOnce(&ExchangeRequest<'_>) -> T) -> T {
    test(&ExchangeRequest {
        system_user_token: &"My \"App\" & <Co>-x".parse().unwrap(),
        signed_system_token: &SecretText::new("My \"App\" & <Co>-x.202611231559.c2ln".into()),
        client_secret: &"app<&>\"'secret".parse().unwrap(),
        context: &"Cust12345".parse().unwrap(),
    })
}

fn outcome_of(status: u16, content_type: &str, body: &[u8]) -> Result<Outcome, Error> {
    let mut answer = Answer::of_body(body, Some(content_type));
    answer.status = StatusCode::from_u16(status).unwrap();
    with_request(|request| decode(&answer, &request.secrets())?.outcome(request))
}

fn answer(body: &str) -> Result<Outcome, Error> {
    outcome_of(200, "text/xml; charset=utf-8", body.as_bytes())
}

#[track_caller]
fn token(outcome: Result<Outcome, Error>) -> String {
    match outcome {
        Ok(Outcome::Token(jwt)) => jwt.expose().to_owned(),
        other => panic!("a token was expected, and not {other:?}"),
    }
}

/// The error's text, which is one of the protocol and says nothing of the answer's content.
#[track_caller]
fn refused(body: &str) -> String {
    let error = answer(body).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Protocol, "{error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hunter"), "{shown}");
    error.to_string()
}

/// The answer of success with something else in the place of a part.
fn changed(part: &str, other: &str) -> String {
    assert!(SUCCESS.contains(part), "{part}");
    SUCCESS.replace(part, other)
}

mod sent {
    use super::*;

    #[test]
    fn the_envelope_is_the_documented_one_with_everything_escaped() {
        let body = with_request(|request| body(request).unwrap());
        assert_eq!(std::str::from_utf8(body.as_bytes().unwrap()), Ok(GOLDEN_REQUEST));
    }

    #[test]
    fn the_headers_name_the_action_and_the_form() {
        assert_eq!(headers()["Content-Type"], "text/xml; charset=utf-8");
        let action = headers()["SOAPAction"].to_str().unwrap().to_owned();
        assert_eq!(action, format!("\"{SERVICE}/IPartnerSystemUserService/Authenticate\""));
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_back_as_it_was(secret in "[!-~]{1,60}", token in "[ -~æøåλ漢🦀]{1,60}") {
            let signed = format!("x{token}x");
            let request = ExchangeRequest {
                system_user_token: &"x-y".parse().unwrap(),
                signed_system_token: &SecretText::new(signed.clone()),
                client_secret: &secret.parse().unwrap(),
                context: &"Cust12345".parse().unwrap(),
            };
            let body = body(&request).unwrap();
            let envelope = xml::parse(body.as_bytes().unwrap()).unwrap();
            let header = envelope.only(SOAP_11, "Header").unwrap().unwrap();
            prop_assert_eq!(header.only(SERVICE, "ApplicationToken").unwrap().unwrap().text(), secret);
            let body = envelope.only(SOAP_11, "Body").unwrap().unwrap();
            prop_assert_eq!(body.children[0].only(SERVICE, "SignedSystemToken").unwrap().unwrap().text(), signed);
        }
    }
}

mod taken {
    use super::*;

    #[test]
    fn a_token_is_taken_however_the_envelope_is_spelled() {
        assert_eq!(token(answer(SUCCESS)), "a.b.c");
        assert_eq!(token(answer(OTHER_SPELLING)), "a.b.c");
        for content_type in ["TEXT/XML", "text/xml;charset=\"UTF-8\"", "text/xml; action=x; charset=utf-8"] {
            assert_eq!(token(outcome_of(200, content_type, SUCCESS.as_bytes())), "a.b.c", "{content_type}");
        }
    }

    #[test]
    fn a_boolean_is_taken_in_each_of_its_spellings_and_no_other() {
        for (text, is_true) in
            [("true", true), ("1", true), ("\n\t true ", true), ("false", false), (" 0", false)]
        {
            let outcome = answer(&changed(">true<", &format!(">{text}<"))).unwrap();
            assert_eq!(matches!(outcome, Outcome::Token(_)), is_true, "{text}");
        }
        for text in ["", "True", "TRUE", "yes", "2", "true false", "tr ue", "\u{a0}true"] {
            let told = refused(&changed(">true<", &format!(">{text}<")));
            assert!(told.contains("IsSuccessful"), "{text}: {told}");
        }
        let nil = "<IsSuccessful xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>";
        assert!(refused(&changed("<IsSuccessful>true</IsSuccessful>", nil)).contains("IsSuccessful"));
        assert!(refused(&changed("<IsSuccessful>true</IsSuccessful>", "")).contains("IsSuccessful"));
    }

    #[test]
    fn every_encoding_with_its_mark_is_read() {
        let with_declaration = |name: &str| {
            format!("<?xml version=\"1.0\" encoding=\"{name}\"?>{}", SUCCESS.replace("a.b.c", "ä.🦀.c"))
        };
        let utf16 = |text: &str, mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect::<Vec<_>>()
        };
        let text = with_declaration("utf-16");
        for body in [
            utf16(&text, [0xff, 0xfe], u16::to_le_bytes),
            utf16(&text, [0xfe, 0xff], u16::to_be_bytes),
            format!("\u{feff}{}", with_declaration("UTF-8")).into_bytes(),
            with_declaration("utf-8").into_bytes(),
        ] {
            assert_eq!(token(outcome_of(200, "text/xml", &body)), "ä.🦀.c");
        }
    }

    #[test]
    fn an_encoding_that_is_claimed_and_not_kept_is_none() {
        let declared =
            |name: &str| format!("<?xml version=\"1.0\" encoding=\"{name}\"?>{SUCCESS}").into_bytes();
        let utf16: Vec<u8> = SUCCESS.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let odd = [&[0xff, 0xfe][..], &utf16, &[0x20]].concat();
        let surrogate = [0xff, 0xfe, 0x00, 0xd8, 0x20, 0x00].to_vec();
        for body in [declared("utf-16"), declared("iso-8859-1"), odd, surrogate, b"<a>\xff</a>".to_vec()] {
            let told = outcome_of(200, "text/xml", &body).unwrap_err().to_string();
            assert!(told.contains("encoding"), "{told}");
        }
        assert!(outcome_of(200, "text/xml", &utf16).is_err(), "UTF-16 without its mark");
        let told =
            outcome_of(200, "text/xml; charset=iso-8859-1", SUCCESS.as_bytes()).unwrap_err().to_string();
        assert!(told.contains("character set"), "{told}");
    }

    #[test]
    fn a_refusal_is_read_with_its_text_and_a_token_beside_it_is_not_taken() {
        let both = changed(">true<", ">0<").replace(
            "<ErrorMessage i:nil=\"true\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"/>",
            "<ErrorMessage>Denied</ErrorMessage>",
        );
        for (body, text) in [(REFUSAL, "Revoked: <by the administrator> & for good"), (&both, "Denied")] {
            let Ok(Outcome::Refused(refusal)) = answer(body) else { panic!("a refusal was expected") };
            assert_eq!(refusal.text(), text);
        }
    }

    #[test]
    fn a_refusal_that_echoes_our_secrets_is_cleaned() {
        let echo = REFUSAL
            .replace("for good", "app&lt;&amp;>\"'secret for My \"App\" &amp; &lt;Co>-x.202611231559.c2ln");
        let Ok(Outcome::Refused(refusal)) = answer(&echo) else { panic!("a refusal was expected") };
        assert!(refusal.text().ends_with("[redacted] for [redacted]"), "{}", refusal.text());
    }

    #[test]
    fn success_without_a_token_is_no_success() {
        for other in [
            "",
            "<Token/>",
            "<Token></Token>",
            "<Token xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='1'/>",
        ] {
            assert!(refused(&changed("<Token>a.b.c</Token>", other)).contains("no token"), "{other}");
        }
    }

    #[test]
    fn saml_is_refused_by_name_as_xml_and_as_text() {
        let error = answer(SAML).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::NotSaml));
        let text = token(answer(&changed("a.b.c", "&lt;saml:Assertion/>")));
        assert!(text.starts_with('<'), "the validator refuses it, as over REST");
    }
}

mod faults {
    use std::error::Error as _;

    use super::*;

    fn fault(status: u16, content_type: &str, body: &str) -> (String, SoapFault) {
        let error = outcome_of(status, content_type, body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Protocol, "{error}");
        let fault = error.source().unwrap().downcast_ref::<SoapFault>().unwrap().clone();
        (error.to_string(), fault)
    }

    #[test]
    fn a_fault_is_an_error_with_code_reason_and_cure_under_any_status() {
        for status in [500, 400, 200] {
            let (told, fault) = fault(status, "text/xml; charset=utf-8", FAULT_WCF);
            assert_eq!(fault.code(), "InternalServiceFault");
            assert!(fault.reason().starts_with("The server was unable"), "{fault}");
            assert!(told.contains(&status.to_string()) && told.contains("try again later"), "{told}");
            assert!(!format!("{fault:?}").contains("hunter2"), "details are not kept");
        }
        let (told, fault) = fault(500, "text/xml", FAULT_CLIENT);
        assert_eq!((fault.code(), fault.reason()), ("Client.Authentication", "who are you"));
        assert!(told.contains("does not understand the request"), "{told}");
    }

    #[test]
    fn a_fault_of_soap_1_2_is_recognised_and_nothing_else_of_it() {
        let (_, fault) = fault(400, "application/soap+xml; charset=utf-8", FAULT_SOAP_12);
        assert_eq!((fault.code(), fault.reason()), ("BadContextToken", "Use SOAP 1.2"));
        let answer = changed(SOAP_11, SOAP_12);
        assert!(refused(&answer).contains("SOAP 1.2"));
    }

    #[test]
    fn a_fault_that_echoes_our_secrets_or_goes_on_for_ever_is_cleaned() {
        let body =
            FAULT_CLIENT.replace("who are you", &format!("app&lt;&amp;>\"'secret\u{85}{}", "x".repeat(2000)));
        let (_, fault) = fault(500, "text/xml", &body);
        assert!(fault.reason().starts_with("[redacted]\\u{85}xxx") && fault.reason().len() < 400, "{fault}");
    }

    #[test]
    fn an_incomplete_fault_is_one_all_the_same() {
        let body = FAULT_CLIENT.replace(
            "<faultcode>soapenv:Client.Authentication</faultcode><faultstring>who are you</faultstring>",
            "",
        );
        let (_, fault) = fault(500, "text/xml", &body);
        assert_eq!((fault.code(), fault.reason()), ("", ""));
        assert_eq!(fault.to_string(), "SOAP fault without a code: no reason given");
    }

    #[test]
    fn a_status_of_failure_without_a_fault_is_none_of_success() {
        for status in [500, 400] {
            for body in [SUCCESS, REFUSAL, SAML] {
                let error = outcome_of(status, "text/xml", body.as_bytes()).unwrap_err();
                assert!(
                    error.to_string().contains("no fault") && error.to_string().contains(&status.to_string()),
                    "{error}"
                );
            }
        }
    }
}

mod refused {
    use super::*;

    #[test]
    fn what_is_no_envelope_is_told_apart() {
        for (content_type, body, told) in [
            ("text/html; charset=utf-8", "<html>hunter2</html>", "HTML"),
            ("text/xml", "", "empty"),
            ("application/json", "{\"IsSuccessful\": true}", "type"),
            ("text/plain", SUCCESS, "type"),
            ("application/xml", SUCCESS, "type"),
            ("text/xml", "hunter2", "well-formed"),
            ("text/xml", "<html>hunter2</html>", "no SOAP envelope"),
        ] {
            let error = outcome_of(200, content_type, body.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Protocol);
            assert!(error.to_string().contains(told) && !error.to_string().contains("hunter2"), "{error}");
        }
        let nothing = Answer::of_body(SUCCESS.as_bytes(), None);
        assert!(decode(&nothing, &[]).err().unwrap().to_string().contains("no content type"));
    }

    #[test]
    fn an_envelope_of_another_shape_is_refused() {
        let service = SERVICE;
        for (part, other, told) in [
            (SOAP_11, "urn:other", "no SOAP envelope"),
            (service, "urn:other", "AuthenticationResponse"),
            ("s:Envelope", "s:Envelop", "no SOAP envelope"),
            ("s:Body", "s:Bodies", "no body"),
            ("<s:Body>", "<s:Body>hunter2", "text where elements belong"),
            ("</s:Body>", "</s:Body><s:Trailer/>", "beside header and body"),
            ("<IsSuccessful>", "hunter2<IsSuccessful>", "text where elements belong"),
            ("a.b.c", "a<hunter2/>.b.c", "an element where a text belongs"),
            (
                "<Token>",
                "<Token xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'>",
                "nil that is none",
            ),
            (
                "<s:Body>",
                "<s:Header><h xmlns='urn:x' s:mustUnderstand='1'/></s:Header><s:Body>",
                "must be understood",
            ),
        ] {
            let shown = refused(&changed(part, other));
            assert!(shown.contains(told), "{other}: {shown}");
        }
    }

    /// As in attacks that show one thing to a checker and another to a reader.
    #[test]
    fn what_is_there_twice_is_refused() {
        let response = SUCCESS.split_once("<s:Body>").unwrap().1.split_once("</s:Body>").unwrap().0;
        for (part, other) in [
            ("<Token>a.b.c</Token>", "<Token>a.b.c</Token><Token>hunter2</Token>"),
            ("<IsSuccessful>", "<IsSuccessful>false</IsSuccessful><IsSuccessful>"),
            ("<s:Body>", "<s:Body/><s:Body>"),
            ("<s:Body>", &format!("<s:Header>{response}</s:Header><s:Header/><s:Body>")),
            ("</s:Body>", &format!("{response}</s:Body>")),
            ("</s:Envelope>", &format!("</s:Envelope>{SUCCESS}")),
        ] {
            refused(&changed(part, other));
        }
        let in_header = changed(
            "<s:Body>",
            &format!("<s:Header>{}</s:Header><s:Body>", response.replace("a.b.c", "hunter2")),
        );
        assert_eq!(token(answer(&in_header)), "a.b.c", "what stands elsewhere is none of the answer's");
        let spelled = SERVICE.replace("0.1", "0&#46;1");
        for other in [&spelled, &format!("{SERVICE}\n")] {
            let told =
                refused(&changed("<Token>", &format!("<Token xmlns='{other}'>hunter2</Token><Token>")));
            assert!(told.contains("a namespace with a reference"), "one to us, two to others: {told}");
        }
        let fault = FAULT_CLIENT.replace("</faultstring>", "</faultstring><faultstring/>");
        assert!(refused(&fault).contains("twice"));
    }
}

mod attacks {
    use super::*;

    #[test]
    fn what_xml_can_do_beyond_elements_is_refused() {
        let laughs = format!(
            "<!DOCTYPE s [<!ENTITY a \"hunter2\">{}]>",
            (0..9).map(|n| format!("<!ENTITY b{n} \"&a;&a;&a;&a;&a;&a;&a;&a;&a;\">")).collect::<String>()
        );
        let external = "<!DOCTYPE s [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
        for prefix in
            [laughs.as_str(), external, "<!DOCTYPE s SYSTEM \"http://127.0.0.1:9/hunter2\">", "<!DOCTYPE s>"]
        {
            let body = format!("{prefix}{}", changed("a.b.c", "&x;"));
            assert!(refused(&body).contains("document type"), "{prefix}");
        }
        for reference in ["&hunter2;", "&nbsp;", "&b8;"] {
            assert!(refused(&changed("a.b.c", reference)).contains("entity"), "{reference}");
            refused(&changed("<Token>", &format!("<Token a='{reference}'>")));
        }
        assert!(refused(&changed("<s:Body>", "<?hunter2 x?><s:Body>")).contains("processing instruction"));
    }

    #[test]
    fn what_is_no_well_formed_xml_is_refused() {
        for (part, other) in [
            ("</s:Envelope>", ""),
            ("</Token>", "</Tokem>"),
            ("<Token>", "<Token a='1' a='2'>"),
            ("<Token>", "<Token xmlns:p='urn:x' xmlns:q='urn:x' p:a='1' q:a='2'>"),
            ("<Token>", "<Token a=hunter2>"),
            ("<Token>", "<Token a='<'>"),
            ("<Token>", "<q:Token>"),
            ("a.b.c", "a &"),
            ("a.b.c", "&#0;"),
            ("a.b.c", "&#xD800;"),
            ("a.b.c", "\u{1}"),
            ("a.b.c", "\u{ffff}"),
            ("a.b.c", "<!-- -- -->"),
            ("a.b.c", "a]]>b"),
            ("<Token>", "<Token a='\u{1c}'>"),
            ("<Token>", "<Token a='&#1;'>"),
            ("<Token>", "<Token a='1'b='2'>"),
            ("<Token>", "<Token 1a='1'>"),
            ("<ErrorMessage", "<Err|mlns"),
            ("<ErrorMessage", "<a:b:c"),
            ("<Token>", "<xmlns:x/><Token>"),
            ("<Token>", "<xml:x/><Token>"),
            ("a.b.c", "<?xml version='1.0'?>"),
        ] {
            refused(&changed(part, other));
        }
        refused(&changed("<Token>a.b.c</Token>", "<q:Token>hunter2</q:Token>"));
        for body in [
            format!("{SUCCESS}hunter2"),
            format!(" <?xml version='1.0'?>{SUCCESS}"),
            format!("<![CDATA[ ]]>{SUCCESS}"),
            format!("<?xml version='1.1'?>{SUCCESS}"),
            format!("<?xml version='1.0' encodign='UTF-8'?>{SUCCESS}"),
            format!("<?xml encoding='UTF-8' version='1.0'?>{SUCCESS}"),
            format!("<?xml encoding='UTF-8'?>{SUCCESS}"),
            format!("<?xml version='1.0' standalone='maybe'?>{SUCCESS}"),
        ] {
            refused(&body);
        }
    }

    /// Each just within its limit and just beyond it.
    #[test]
    fn depth_number_and_size_have_limits() {
        let beside = |extra: &str| changed("<Token>", &format!("{extra}<Token>"));
        let nested = |depth: usize| beside(&format!("{}{}", "<x>".repeat(depth), "</x>".repeat(depth)));
        let attributes = |count: usize| {
            beside(&format!("<x {}/>", (0..count).map(|n| format!("a{n}='' ")).collect::<String>()))
        };
        let namespaces = |count: usize| {
            let half = |from: usize| {
                (from..from + count / 2).map(|n| format!("xmlns:n{n}='urn:{n}' ")).collect::<String>()
            };
            beside(&format!("<x {}><x {}/></x>", half(0), half(100)))
        };
        let tag = |size: usize| beside(&format!("<x a='{}'/>", "y".repeat(size - "x a=''".len())));
        let elements = |count: usize| beside(&"<x/>".repeat(count));
        let namespace = |size: usize| beside(&format!("<x xmlns:n='{}'/>", "y".repeat(size)));
        let own_depth = 3;
        let (own_elements, own_namespaces) = (6, 2);
        for (within, beyond, told) in [
            (nested(xml::MAX_DEPTH - own_depth), nested(xml::MAX_DEPTH - own_depth + 1), "deeper than 32"),
            (
                elements(xml::MAX_ELEMENTS - own_elements),
                elements(xml::MAX_ELEMENTS - own_elements + 1),
                "more than 512 elements",
            ),
            (tag(xml::MAX_TAG_SIZE), tag(xml::MAX_TAG_SIZE + 1), "more than 8192 bytes"),
            (attributes(xml::MAX_ATTRIBUTES), attributes(xml::MAX_ATTRIBUTES + 1), "more than 32 attributes"),
            (
                namespaces(xml::MAX_NAMESPACES - own_namespaces),
                namespaces(xml::MAX_NAMESPACES - own_namespaces + 2),
                "more than 64 namespaces",
            ),
            (
                namespace(xml::MAX_NAMESPACE_SIZE),
                namespace(xml::MAX_NAMESPACE_SIZE + 1),
                "namespace of more than 256 bytes",
            ),
        ] {
            assert_eq!(token(answer(&within)), "a.b.c", "{told}");
            assert!(refused(&beyond).contains(told), "{told}: {}", refused(&beyond));
        }
    }

    /// What is said once and meant often is what makes little into much.
    #[test]
    fn memory_is_a_small_multiple_of_the_largest_answer() {
        let attributes: String = (0..xml::MAX_ATTRIBUTES).map(|n| format!(" n:a{n}=''")).collect();
        let elements = format!("<n:x{attributes}/>").repeat(xml::MAX_ELEMENTS - 1);
        let namespace = "y".repeat(xml::MAX_NAMESPACE_SIZE);
        let often = xml::parse(format!("<x xmlns:n='{namespace}'>{elements}</x>").as_bytes()).unwrap();
        let long = format!("<x>{}</x>", "y".repeat(crate::http::MAX_ANSWER_SIZE - "<x></x>".len()));
        for root in [often, xml::parse(long.as_bytes()).unwrap()] {
            assert!(root.size() < 5 * crate::http::MAX_ANSWER_SIZE, "{}", root.size());
        }
    }

    /// As much of each as an answer may hold: a mebibyte. That this ends at all is what is tested.
    #[test]
    fn huge_answers_of_any_kind_come_to_an_end() {
        let size = crate::http::MAX_ANSWER_SIZE;
        for piece in [
            "<x>",
            "<x/>",
            "x",
            "&amp;",
            "&x;",
            "<!---->",
            "<![CDATA[x]]>",
            "<x a='",
            " a='1'",
            "<",
            "&",
            "]]>",
            "\u{feff}",
        ] {
            for before in [
                "",
                "<s:Envelope xmlns:s='",
                "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' ",
                SUCCESS.split_once("a.b.c").unwrap().0,
            ] {
                let body = format!("{before}{}", piece.repeat((size - before.len()) / piece.len()));
                assert!(answer(&body).is_err(), "{before}{piece}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_answer_panics_the_reader(body in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = outcome_of(200, "text/xml", &body);
    }

    #[test]
    fn nearly_right_answers_do_not_panic_the_reader(
        cut in 0..SUCCESS.len(),
        put in "(<|>|/|&|;|\"|'|=|!|\\?|\\[|\\]|-|:|s:|xmlns|xsi:nil|Token|Body|CDATA|\\PC){0,12}",
        left_out in 0_usize..20,
    ) {
        let (before, after) = (&SUCCESS.as_bytes()[..cut], &SUCCESS.as_bytes()[(cut + left_out).min(SUCCESS.len())..]);
        let body = [before, put.as_bytes(), after].concat();
        if let Ok(Outcome::Token(token)) = outcome_of(200, "text/xml", &body) {
            prop_assert!(!token.expose().is_empty());
        }
    }
}
