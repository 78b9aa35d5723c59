//! `soticket sign`: the signed system token, and no exchange.

use std::path::Path;

use serde_json::json;
use soticket::{SignedSystemToken, SystemClock};

use crate::args::{Format, SignArgs};
use crate::failure::{Exit, Failure};
use crate::interruption::unless_interrupted;
use crate::output::{print_json, print_line};
use crate::settings::Settings;

pub(crate) async fn run(args: SignArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let format = args.format;
    let settings = Settings::new(args.connection, config)?;
    let token = settings.system_user_token()?;
    let signer = settings.signer().await?;
    let signed = unless_interrupted(SignedSystemToken::build(&token, &SystemClock, &signer)).await??;
    let text = signed.to_secret_text();
    let info = signer.key_info();
    match format {
        Format::Text => print_line(text.expose())?,
        Format::Json => print_json(&json!({
            "signed_system_token": text.expose(),
            "signed_at": signed.time().to_string(),
            "algorithm": info.algorithm().to_string(),
            "key_sha256": info.public_key().fingerprint(),
        }))?,
    }
    Ok(Exit::Done)
}
