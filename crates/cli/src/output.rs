//! Results on standard output, whole or not at all.

use std::io::{self, Write as _};

use serde_json::Value;

use crate::failure::{Exit, Failure};
use crate::terminal::beside_progress;

/// Writes `text` to standard output. A reader that has gone ends the program without a word.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let written = beside_progress(|| {
        let mut output = io::stdout().lock();
        output.write_all(text.as_bytes()).and_then(|()| output.flush())
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::silent(),
        _ => Failure::new(Exit::Unexpected, "the result cannot be written").with_cause(error),
    })
}

/// Writes `line` and a line end.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    print(&format!("{line}\n"))
}

/// Writes `value` as one line of JSON.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print_line(&value.to_string())
}

/// `text` as one word of a POSIX shell, whatever it holds.
pub(crate) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_one_word_of_the_shell() {
        for text in ["7T:abc==", "it's", "$(reboot)", "`x`", "a b", "", "\\"] {
            let script = format!("printf %s {}", shell_quoted(text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
