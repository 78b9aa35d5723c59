//! The reader of what the SOAP service answers: it never panics, says nothing of success under a status of failure, and
//! takes only what another reader of XML finds in the same place.
#![no_main]
#![allow(missing_docs, reason = "the macro makes a function")]

use roxmltree::{Document, Node};
use soticket_core::fuzzing::read_soap_answer;

const SERVICE: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

fn find<'a, 'input>(parent: Node<'a, 'input>, name: (&str, &str)) -> Vec<Node<'a, 'input>> {
    parent.children().filter(|child| child.has_tag_name(name)).collect()
}

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    assert!(read_soap_answer(500, body).is_none());
    let Some((is_successful, token, error_message)) = read_soap_answer(200, body) else { return };
    // The other reader knows UTF-8 alone.
    let Ok(text) = std::str::from_utf8(body) else { return };
    let document = Document::parse(text.trim_start_matches('\u{feff}'))
        .expect("well-formed to one, and not to the other");
    let root = document.root_element();
    assert!(root.has_tag_name((ENVELOPE, "Envelope")));
    let bodies = find(root, (ENVELOPE, "Body"));
    let answers = find(bodies[0], (SERVICE, "AuthenticationResponse"));
    assert_eq!((bodies.len(), answers.len()), (1, 1));
    let value = |name| {
        let found = find(answers[0], (SERVICE, name));
        assert!(found.len() < 2);
        found.first().map(|node| {
            node.children().filter(Node::is_text).filter_map(|text| text.text()).collect::<String>()
        })
    };
    let said = value("IsSuccessful").expect("it is there");
    assert_eq!(is_successful, matches!(said.trim_matches([' ', '\t', '\r', '\n']), "true" | "1"));
    // The other reader leaves a carriage return as it is where its text ends or an entity follows (XML 1.0, 2.11 has it
    // replaced), so that line ends do not count.
    let text_of = |text: Option<String>| text.unwrap_or_default().replace(['\r', '\n'], "");
    assert_eq!(text_of(token), text_of(value("Token")));
    assert_eq!(text_of(error_message), text_of(value("ErrorMessage")));
});
