//! `--help`, completions and manual pages.

use crate::support::Desk;

const COMMANDS: &[&str] = &[
    "demo",
    "ticket",
    "sign",
    "verify",
    "key",
    "key list",
    "key generate",
    "key import",
    "key convert",
    "key inspect",
    "store",
    "store new-key",
    "store purge",
    "doctor",
    "emulator",
    "completions",
    "man",
];

/// What needs none, or has subcommands that have some.
const WITHOUT_EXAMPLE: &[&str] = &["demo", "key", "store", "completions", "man"];

#[test]
fn every_command_has_help() {
    let desk = Desk::new();
    let all = desk.soticket("--help").run().done();
    for command in COMMANDS {
        let help = desk.soticket(command).arg("--help").run().done();
        assert!(help.contains("Usage: soticket"), "{command}: {help}");
        let name = command.split(' ').next().unwrap();
        assert!(all.contains(name), "{name} is not listed: {all}");
    }
}

/// What people read, as they read it: a change of it is looked at, and taken with `INSTA_UPDATE=always`.
#[test]
fn help_reads_as_it_was_written() {
    let desk = Desk::new();
    for command in COMMANDS {
        let help = desk.soticket(command).arg("--help").run().done();
        insta::assert_snapshot!(format!("help-{}", command.replace(' ', "-")), help);
    }
    insta::assert_snapshot!("help", desk.soticket("--help").run().done());
}

#[test]
fn the_work_has_examples_and_says_where_secrets_come_from() {
    let desk = Desk::new();
    for command in COMMANDS.iter().filter(|command| !WITHOUT_EXAMPLE.contains(command)) {
        let help = desk.soticket(command).arg("--help").run().done();
        assert!(help.contains("Example:") || help.contains("Examples:"), "{command}: {help}");
    }
    let help = desk.soticket("ticket --help").run().done();
    assert!(help.contains("SOTICKET_CLIENT_SECRET") && help.contains("--client-secret-file"), "{help}");
    assert!(!help.contains("--client-secret "), "what is refused is not offered: {help}");
}

#[test]
fn help_and_the_reference_page_list_the_same_exit_codes() {
    let help = Desk::new().soticket("--help").run().done();
    let page = include_str!("../../../../docs/command-line.md");
    for code in 0..=6 {
        let line = help.lines().find_map(|line| line.strip_prefix(&format!("  {code}  "))).unwrap();
        assert!(page.contains(&format!("| {code} | {line}")), "{code}: {line}");
    }
}

#[test]
fn the_reference_page_names_every_flag() {
    let desk = Desk::new();
    let page = include_str!("../../../../docs/command-line.md");
    for command in COMMANDS {
        let help = desk.soticket(command).arg("--help").run().done();
        let flags =
            help.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
        for flag in flags.map(|flag| flag.trim_end_matches(['.', ',', ';', '`'])) {
            assert!(page.contains(flag), "{command} {flag} is not in docs/command-line.md");
        }
    }
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = Desk::new().soticket("completions").arg(shell).run().done();
        assert!(script.contains("system-user-token-file"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let desk = Desk::new();
    assert!(desk.soticket("man").run().done().contains(".TH soticket"));
    desk.soticket("man --out pages").run().done();
    for command in COMMANDS {
        let name = format!("pages/soticket-{}.1", command.replace(' ', "-"));
        assert!(desk.read(&name).contains(".SH NAME"), "{name}");
    }
}
