//! The README's commands do what it says, as it prints them.

use std::process::Command;

use soticket_emulator::Sample;
use soticket_tests::{LoginService, program, root, soticket};

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The contents of the fenced blocks of one language, in order.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    readme().split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_first_command_runs_the_whole_flow() {
    let command = &blocks("sh")[0];
    assert_eq!(command, "cargo run -- demo\n");
    let output = Command::new("sh").args(["-ec", command]).current_dir(root()).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("Cust12345"), "{shown}");
}

#[test]
fn the_second_command_is_what_continuous_integration_runs() {
    let command = &blocks("sh")[1];
    assert_eq!(command, "cargo xtask ci\n");
    let script = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(script.lines().any(|line| line.trim_start_matches("exec ") == command.trim_end()), "{script}");
}

/// The blocks after the two commands, each run as a user would who has the settings that the text names.
#[test]
fn the_other_commands_work_with_the_settings_that_the_text_names() {
    let service = LoginService::start();
    let list = format!("context,system_user_token\n{},{}\n", Sample::CONTEXT, Sample::SYSTEM_USER_TOKEN);
    std::fs::write(service.folder().join("tenants.csv"), list).unwrap();
    for block in &blocks("sh")[2..] {
        let mut shell = soticket_shell(&service);
        let output = shell.args(["-ec", block]).output().unwrap();
        assert!(output.status.success(), "{block}{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A shell that finds the program, with the service's settings.
fn soticket_shell(service: &LoginService) -> Command {
    let mut shell = Command::new("sh");
    for (name, value) in service.settings_for(&mut soticket()).get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let path = std::env::var("PATH").unwrap();
    shell.env("PATH", format!("{}:{path}", program().parent().unwrap().display()));
    shell.current_dir(service.folder());
    shell
}
