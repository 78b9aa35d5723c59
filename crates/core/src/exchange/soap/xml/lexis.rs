//! What XML 1.0 allows to stand where, as far as the library leaves that to its users.

/// `QName` of Namespaces in XML 1.0.
pub(super) fn is_qualified_name(name: &str) -> bool {
    let (prefix, local) = name.split_once(':').unwrap_or(("_", name));
    [prefix, local].iter().all(|part| part.starts_with(is_name_start) && part.chars().all(is_name_character))
}

/// `NameStartChar` of XML 1.0, but for the colon.
fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// `NameChar` of XML 1.0, but for the colon.
fn is_name_character(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Whether white space follows each value of a tag's attributes, or the end.
pub(super) fn are_apart(attributes: &str) -> bool {
    let (mut rest, mut apart) = (attributes, true);
    while let Some((_, value)) = rest.split_once(['\'', '"']).filter(|_| apart) {
        // The quote that opened it closes it.
        let quote = rest.as_bytes()[rest.len() - value.len() - 1];
        let Some((_, after)) = value.split_once(char::from(quote)) else { return false };
        apart = after.is_empty() || after.starts_with(is_white_space);
        rest = after;
    }
    apart
}

/// `Char` of XML 1.0.
pub(super) fn is_xml_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// `S` of XML 1.0.
pub(in crate::exchange::soap) fn is_white_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' ')
}
