//! `soticket key list`: the tokens of a module, and the private keys in one of them.

use serde_json::{Value, json};
use soticket::pkcs11::{Inventory, ListedKey, PinCounter, TokenInfo};

use super::token::access;
use crate::args::{Format, ListArgs};
use crate::failure::{Exit, Failure};
use crate::output::{print, print_json};
use crate::settings::{named_signer, pkcs11_pin};

pub(super) async fn run(args: ListArgs) -> Result<Exit, Failure> {
    let pin = pkcs11_pin(&args.token, None);
    let inventory = access(&named_signer(args.signer.as_deref())?, &pin, &args.token)?.list().await?;
    match args.format {
        Format::Text => print(&as_text(&inventory))?,
        Format::Json => print_json(&as_json(&inventory))?,
    }
    Ok(Exit::Done)
}

fn as_text(inventory: &Inventory) -> String {
    let mut text: String = inventory.tokens.iter().map(token_line).collect();
    match &inventory.keys {
        None if inventory.tokens.is_empty() => text.push_str("no initialised token\n"),
        None => text.push_str("\nname one of them by `token=` or `serial=` to see its keys\n"),
        Some((token, keys)) if keys.is_empty() => {
            text.push_str(&format!("\nno private key in {token} matches\n"));
        }
        Some((token, keys)) => {
            text.push_str(&format!("\nprivate keys in {token}:\n{HEADING}"));
            text.extend(keys.iter().map(key_line));
        }
    }
    text
}

const HEADING: &str = "TYPE  BITS  SENSITIVE  EXTRACTABLE  URI\n";

fn token_line(token: &TokenInfo) -> String {
    let counter = match token.pin_counter() {
        PinCounter::Clean => "",
        PinCounter::Low => ", wrong PINs are counted",
        PinCounter::FinalTry => ", one more wrong PIN locks it",
        PinCounter::Locked => ", the PIN is locked",
        PinCounter::ToBeChanged => ", the PIN has to be changed",
        _ => ", no PIN is set",
    };
    format!("{token}, {} {}{counter}\n", token.manufacturer(), token.model())
}

fn key_line(key: &ListedKey) -> String {
    let bits = key.public_key().map_or_else(|| "?".to_owned(), |public| public.bits().to_string());
    let word = |is: Option<bool>| match is {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    };
    let attributes = key.attributes();
    format!(
        "{:<6}{:<6}{:<11}{:<13}{}\n",
        key.key_type(),
        bits,
        word(attributes.sensitive),
        word(attributes.extractable),
        key.uri_attributes()
    )
}

fn as_json(inventory: &Inventory) -> Value {
    let tokens = inventory.tokens.iter().map(|token| {
        json!({
            "label": token.label(),
            "serial": token.serial(),
            "manufacturer": token.manufacturer(),
            "model": token.model(),
            "slot_id": token.slot_id(),
        })
    });
    let keys = inventory.keys.as_ref().map(|(token, keys)| {
        let uri = |key: &ListedKey| format!("pkcs11:{};{}", token.uri_attributes(), key.uri_attributes());
        keys.iter().map(|key| key_as_json(key, &uri(key))).collect::<Vec<_>>()
    });
    json!({ "tokens": tokens.collect::<Vec<_>>(), "keys": keys })
}

fn key_as_json(key: &ListedKey, uri: &str) -> Value {
    let public = key.public_key();
    json!({
        "uri": uri,
        "label": key.label(),
        "id": key.id().iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "type": key.key_type(),
        "bits": public.map(soticket::PublicKey::bits),
        "key_sha256": public.map(soticket::PublicKey::fingerprint),
        "attributes": key.attributes().named().collect::<std::collections::BTreeMap<_, _>>(),
    })
}
