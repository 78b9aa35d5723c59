//! `soticket key inspect`: what a key is, and never the key.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use soticket::{KeyInfo, OpenSignerOptions, SignerUri};

use crate::args::{Format, InspectArgs};
use crate::failure::{Exit, Failure};
use crate::output::{print, print_json};
use crate::settings::{key_passphrase, pkcs11_pin, public_key, with_pin_tries};

pub(super) async fn run(args: InspectArgs) -> Result<Exit, Failure> {
    let uri: SignerUri = args.key.parse().map_err(|error: soticket::ParseSignerUriError| {
        Failure::configuration("the key cannot be named so").with_cause(error)
    })?;
    let passphrase = key_passphrase(args.key_passphrase_file, None);
    let pin = pkcs11_pin(&args.token, None);
    let options = OpenSignerOptions::new()
        .with_passphrase(move || passphrase.read_for_signer())
        .with_pin(move || pin.read_for_signer());
    let mut options = with_pin_tries(options, &args.token);
    if let Some(path) = &args.signer_public_key {
        options = options.with_public_key(public_key(path)?);
    }
    let signer = uri.open(options).await?;
    let info = signer.key_info();
    match args.format {
        _ if args.public => print(&info.public_key().to_pem())?,
        Format::Json => print_json(&as_json(info))?,
        Format::Text => print(&as_text(info))?,
    }
    Ok(Exit::Done)
}

fn exportability(info: &KeyInfo) -> &'static str {
    match info.exportability() {
        soticket::Exportability::Exportable => "can be copied",
        soticket::Exportability::NonExportable => "cannot leave its place",
        _ => "unknown",
    }
}

fn as_text(info: &KeyInfo) -> String {
    let lines = [
        ("key", info.label().to_owned()),
        ("where", info.location().to_owned()),
        ("format", info.format().unwrap_or("not a file").to_owned()),
        ("algorithm", format!("{} with {} bits", info.algorithm(), info.public_key().bits())),
        ("private half", exportability(info).to_owned()),
        ("public half", format!("SHA-256 {}", info.public_key().fingerprint())),
    ];
    let lines = lines.iter().map(|(name, value)| format!("{name:<14}{value}\n"));
    let warnings = info.warnings().iter().map(|warning| format!("{:<14}{warning}\n", "warning"));
    let attributes = info.attributes().map(|(name, value)| format!("{:<14}{name} {value}\n", "attribute"));
    lines.chain(attributes).chain(warnings).collect()
}

fn as_json(info: &KeyInfo) -> Value {
    json!({
        "label": info.label(),
        "location": info.location(),
        "backend": info.backend(),
        "format": info.format(),
        "algorithm": info.algorithm().to_string(),
        "bits": info.public_key().bits(),
        "private_half": exportability(info),
        "key_sha256": info.public_key().fingerprint(),
        "public_key": info.public_key().to_pem(),
        "attributes": info.attributes().collect::<BTreeMap<_, _>>(),
        "warnings": info.warnings(),
    })
}
