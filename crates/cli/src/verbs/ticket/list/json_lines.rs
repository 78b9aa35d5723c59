//! Tenants in JSON lines: objects with `context` and `system_user_token` among other members.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{CONTEXT, Found, Source, TOKEN};
use crate::settings::Listed;

#[derive(Deserialize)]
struct Line {
    context: Option<String>,
    system_user_token: Option<String>,
}

pub(super) fn read(source: &Source<'_>) -> Vec<Listed> {
    let lines = source.text.split(|byte| *byte == b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    lines.map(|(line, number)| source.listed(number, parse(line))).collect()
}

fn parse(line: &[u8]) -> Result<Found, String> {
    // What the parser says may quote the line.
    let line: Line = serde_json::from_slice(line).map_err(|error| {
        format!(
            "it is no JSON object with the texts `{CONTEXT}` and `{TOKEN}`; see column {}",
            error.column()
        )
    })?;
    let (context, token) = (line.context.map(Zeroizing::new), line.system_user_token.map(Zeroizing::new));
    let context = context.ok_or_else(|| format!("there is no `{CONTEXT}` in it"))?;
    let token = token.ok_or_else(|| format!("there is no `{TOKEN}` in it"))?;
    Ok((context, token))
}
