//! `soticket verify`: whether a signed system token was made by a key.

use std::path::Path;

use serde_json::json;
use soticket::SignedSystemToken;

use crate::args::{Format, VerifyArgs};
use crate::failure::{Exit, Failure};
use crate::output::{print_json, print_line};
use crate::secret_input::{Prompt, SecretInput};
use crate::settings::{Settings, public_key};

pub(crate) async fn run(args: VerifyArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let settings = Settings::new(args.connection, config)?;
    let key = match &args.public_key {
        Some(path) => public_key(path)?,
        None => settings.signer().await?.key_info().public_key().clone(),
    };
    let input = SecretInput {
        what: "signed system token",
        variable: None,
        flag: Some("--signed-token-file"),
        file_of_flag: Some(args.signed_token_file),
        file_of_settings: None,
        prompt: Prompt::Once,
    };
    let signed: SignedSystemToken = input.read()?.expose().parse().map_err(|error| {
        Failure::configuration("what was read is no signed system token").with_cause(error)
    })?;
    let is_good = signed.verify(&key).is_ok();
    let signed_at = signed.time();
    match args.format {
        Format::Json => print_json(&json!({
            "verified": is_good,
            "signed_at": signed_at.to_string(),
            "algorithm": key.algorithm().to_string(),
            "key_sha256": key.fingerprint(),
        }))?,
        Format::Text if is_good => print_line(&format!("the signature is good; signed at {signed_at}"))?,
        Format::Text => {}
    }
    if is_good {
        return Ok(Exit::Done);
    }
    let message = format!(
        "the signature was not made by the key with SHA-256 {}; each application and environment has its own key",
        key.fingerprint()
    );
    Err(Failure::new(Exit::Untrusted, message))
}
