//! The tenants of `--tenants`: a list in CSV or JSON lines, from a file or standard input.

mod csv;
mod json_lines;

use std::collections::HashMap;
use std::path::Path;

use soticket::Tenant;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::secret_input::read_list;
use crate::settings::Listed;

/// The list and what it is called in messages.
struct Source<'a> {
    name: &'a str,
    text: &'a [u8],
}

/// The two members or columns of a tenant as they were found, in this order: context identifier, system user token.
type Found = (Zeroizing<String>, Zeroizing<String>);

/// Reads all of the list; what is wrong in one line is that line's own failure.
pub(super) fn read(path: &Path) -> Result<Vec<Listed>, Failure> {
    let name =
        if path == Path::new("-") { "standard input".to_owned() } else { format!("`{}`", path.display()) };
    let bytes = read_list(path, "list of tenants")?;
    if [UTF_16_LE, UTF_16_BE].iter().any(|mark| bytes.starts_with(mark)) {
        return Err(Failure::configuration(format!("{name} is UTF-16; save it as UTF-8")));
    }
    let source = Source { name: &name, text: bytes.strip_prefix(UTF_8_MARK).unwrap_or(&bytes) };
    let listed = match format_of(path, source.text)? {
        Format::Csv => csv::read(&source)?,
        Format::JsonLines => json_lines::read(&source),
    };
    if listed.is_empty() {
        return Err(Failure::configuration(format!("{name} lists no tenant")));
    }
    Ok(listed)
}

/// Each tenant once, in the order of their first lines, which count. Says how many lines there were beside those.
pub(super) fn each_once(listed: Vec<Listed>) -> (Vec<Listed>, usize) {
    let all = listed.len();
    let mut seen: HashMap<String, (Option<usize>, Tenant)> = HashMap::with_capacity(all);
    let mut once = Vec::with_capacity(all);
    for listed in listed {
        if let Ok(tenant) = &listed.tenant {
            // Case does not tell two tenants apart.
            let name = tenant.context().as_str().to_ascii_lowercase();
            if let Some((first, kept)) = seen.get(&name) {
                tell_of_repetition(tenant, listed.line, *first, kept);
                continue;
            }
            seen.insert(name, (listed.line, tenant.clone()));
        }
        once.push(listed);
    }
    let repeated = all - once.len();
    (once, repeated)
}

fn tell_of_repetition(tenant: &Tenant, line: Option<usize>, first: Option<usize>, kept: &Tenant) {
    let context = tenant.context();
    if tenant.system_user_token().expose() == kept.system_user_token().expose() {
        tracing::warn!(%context, line, first_line = first, "this tenant is listed twice, and done once");
    } else {
        tracing::warn!(
            %context, line, first_line = first,
            "this tenant is listed twice, with different system user tokens; the first one counts"
        );
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

/// By the file's name, else by its first character.
fn format_of(path: &Path, text: &[u8]) -> Result<Format, Failure> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match (ending.as_deref(), first) {
        (Some("csv"), _) => Ok(Format::Csv),
        (_, Some(b'[')) => Err(Failure::configuration(format!(
            "`{}` is one JSON array; write an object a line, as `jq -c '.[]'` does",
            path.display()
        ))),
        (Some("json" | "jsonl" | "ndjson"), _) | (_, Some(b'{')) => Ok(Format::JsonLines),
        _ => Ok(Format::Csv),
    }
}

impl Source<'_> {
    /// What stands in `line`; the failure names that, and repeats nothing of it but a context identifier.
    fn listed(&self, line: usize, found: Result<Found, String>) -> Listed {
        let place = format!("line {line} of {}", self.name);
        let tenant = found
            .map_err(|why| Failure::configuration(why).about(&place))
            .and_then(|(context, token)| tenant(&context, &token, &place));
        Listed { line: Some(line), tenant }
    }
}

fn tenant(context: &str, token: &str, place: &str) -> Result<Tenant, Failure> {
    let context = context.parse().map_err(|error| {
        Failure::configuration("the context identifier cannot be used").with_cause(error).about(place)
    });
    let context: soticket::ContextIdentifier = context?;
    let token = token.parse().map_err(|error| {
        let about = format!("{context}, {place}");
        Failure::configuration("the system user token cannot be used").with_cause(error).about(&about)
    });
    Ok(Tenant::new(context, token?))
}

/// What some editors put before a text.
const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const UTF_16_LE: &[u8] = &[0xff, 0xfe];
const UTF_16_BE: &[u8] = &[0xfe, 0xff];

/// The names of the two columns or members.
const CONTEXT: &str = "context";
const TOKEN: &str = "system_user_token";

#[cfg(test)]
mod tests;
