//! Tenants in CSV, with the columns `context` and `system_user_token` among others, in any order.

use csv::{ByteRecord, ReaderBuilder, Trim};
use zeroize::Zeroizing;

use super::{CONTEXT, Found, Source, TOKEN};
use crate::failure::Failure;
use crate::settings::Listed;

/// Which columns hold what is wanted.
struct Columns {
    context: usize,
    token: usize,
}

pub(super) fn read(source: &Source<'_>) -> Result<Vec<Listed>, Failure> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter(source.text))
        .from_reader(source.text);
    let mut lines = Lines::of(source.text);
    let mut columns = None;
    let mut listed = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(|error| {
            Failure::configuration(format!("{} cannot be read as CSV", source.name)).with_cause(error)
        })?;
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        match &columns {
            None => columns = Some(Columns::find(&record, source.name)?),
            Some(columns) => {
                let line = lines.number_at(record.position().map_or(0, csv::Position::byte));
                listed.push(source.listed(line, columns.take(&record)));
            }
        }
    }
    Ok(listed)
}

/// Spreadsheets write what their country's numbers leave free.
fn delimiter(text: &[u8]) -> u8 {
    let header = text.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let found = header.and_then(|line| line.iter().find(|byte| matches!(byte, b',' | b';' | b'\t')));
    *found.unwrap_or(&b',')
}

impl Columns {
    /// Reads the header row. It is not repeated: it may be a tenant's already.
    fn find(header: &ByteRecord, name: &str) -> Result<Self, Failure> {
        let find = |wanted: &str| {
            let found = header.iter().position(|column| column.eq_ignore_ascii_case(wanted.as_bytes()));
            found.ok_or_else(|| {
                Failure::configuration(format!(
                    "{name} has no column `{wanted}`; its first line has to name the columns, as in \
                     `{CONTEXT},{TOKEN}`"
                ))
            })
        };
        Ok(Self { context: find(CONTEXT)?, token: find(TOKEN)? })
    }

    fn take(&self, record: &ByteRecord) -> Result<Found, String> {
        let take = |column: usize, name: &str| {
            let field = record.get(column).ok_or_else(|| format!("there is no `{name}` in it"))?;
            if field.contains(&b'\n') {
                return Err(format!("its `{name}` goes over several lines; is a quotation mark missing?"));
            }
            let text = std::str::from_utf8(field).map_err(|_| format!("its `{name}` is no UTF-8"))?;
            Ok(Zeroizing::new(text.to_owned()))
        };
        Ok((take(self.context, CONTEXT)?, take(self.token, TOKEN)?))
    }
}

/// Finds the numbers of lines. The parser's own are those of the blank lines before.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self { text, at: 0, number: 1 }
    }

    /// The line of the first character at or behind `offset` that ends no line; offsets never fall.
    fn number_at(&mut self, offset: u64) -> usize {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        while let Some(byte) = self.text.get(self.at)
            && (self.at < offset || byte.is_ascii_whitespace())
        {
            self.number += usize::from(*byte == b'\n');
            self.at += 1;
        }
        self.number
    }
}
