//! Links between the Markdown files lead to files that are there.

use super::{finding::Finding, tree::Tree};

/// What opens and closes a block of code.
const FENCES: [&str; 2] = ["```", "~~~"];

/// No link to a file, a folder or a heading that does not exist.
pub(crate) fn lead_somewhere(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_ending(".md") {
        for (number, line) in prose(text) {
            let dead = targets(&line).into_iter().filter(|target| !leads_somewhere(tree, path, target));
            findings.extend(dead.map(|target| {
                let what = format!("the link to `{target}` leads nowhere");
                Finding::new(path, number, what, "name a file of the repository, relative to this one")
            }));
        }
    }
    findings
}

/// The numbered lines outside of blocks of code, without code inside of them.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fence = None;
    let mut lines = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let mark = FENCES.into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, None) => lines.push((number, without_code(line))),
            (None, mark) => fence = mark,
            (open, mark) if open == mark => fence = None,
            _ => {}
        }
    }
    lines
}

fn without_code(line: &str) -> String {
    let mut parts = line.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    while let (Some(_code), Some(after)) = (parts.next(), parts.next()) {
        text.push_str("code");
        text.push_str(after);
    }
    text
}

/// What follows `](`, or `]:` at the start of a line.
fn targets(line: &str) -> Vec<String> {
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let definition = line.trim_start().strip_prefix('[').and_then(|rest| {
        let (label, target) = rest.split_once("]:")?;
        (!label.contains(']')).then(|| target.split_whitespace().next())?
    });
    inline.chain(definition).map(|target| target.trim_matches(['<', '>']).to_owned()).collect()
}

fn leads_somewhere(tree: &Tree, from: &str, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolve(from, file) else {
        return false;
    };
    tree.has(&path) && (heading.is_empty() || !path.ends_with(".md") || has_heading(tree, &path, heading))
}

/// The path that `target` means in the file `from`; nothing when it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut folders: Vec<&str> = from.split('/').collect();
    folders.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                folders.pop()?;
            }
            name => folders.push(name),
        }
    }
    Some(folders.join("/"))
}

fn has_heading(tree: &Tree, path: &str, anchor: &str) -> bool {
    let headings = prose_and_code(tree.text(path).unwrap_or_default());
    headings.iter().any(|heading| anchor_of(heading) == anchor)
}

/// Headings with the code in them, which counts for their anchors.
fn prose_and_code(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let numbers = prose(text).into_iter().map(|(number, _)| number);
    let headings = numbers.filter_map(|number| lines.get(number - 1)?.strip_prefix('#'));
    headings.map(|heading| heading.trim_start_matches('#').trim()).collect()
}

/// The anchor that GitHub gives a heading.
fn anchor_of(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::places;

    fn dead(text: &str) -> Vec<String> {
        places(&lead_somewhere(&Tree::of_files(&[
            ("README.md", "# The `one` & only\n"),
            ("docs/guide.md", text),
            ("docs/pkcs11/setup.md", "# Set up\n"),
        ])))
    }

    #[test]
    fn links_to_files_folders_headings_and_the_web_are_accepted() {
        let text = "\
# Top
[a](../README.md) and [b](pkcs11/setup.md#set-up), [c](pkcs11), [d](#top), [e](../README.md#the-one--only)
[f](https://example.com/x) [g](mailto:a@example.com) ![h](<../README.md>) [i](../README.md \"title\")
[j]: pkcs11/setup.md
";
        assert_eq!(dead(text), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_found_with_their_lines() {
        assert_eq!(
            dead("# Top\n[a](gone.md)\n[b](#bottom)\n[c]: ../LICENSE\n[d](../../outside.md)\n"),
            [
                "docs/guide.md:2: the link to `gone.md` leads nowhere",
                "docs/guide.md:3: the link to `#bottom` leads nowhere",
                "docs/guide.md:4: the link to `../LICENSE` leads nowhere",
                "docs/guide.md:5: the link to `../../outside.md` leads nowhere",
            ]
        );
    }

    #[test]
    fn several_links_of_a_line_are_each_looked_at() {
        assert_eq!(dead("[a](../README.md) [b](gone.md) [c](lost.md)\n").len(), 2);
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(
            dead("`[a](gone.md)`\n```text\n[b](gone.md)\n```\n~~~\n[c](gone.md)\n```\n~~~\n"),
            [""; 0]
        );
        assert_eq!(dead("```\ncode\n```\n[a](gone.md)\n").len(), 1);
    }
}
