//! `soticket demo` and `soticket emulator`: what runs on this machine alone.

use soticket_emulator::Sample;

use crate::support::Desk;

#[test]
fn the_demo_needs_nothing_and_ends_with_an_api_call() {
    let desk = Desk::new();
    let temporary = desk.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let out = desk.soticket("demo").env("TMPDIR", &temporary).run().done();
    assert!(out.contains("currentPrincipal") && out.contains(Sample::CONTEXT), "{out}");
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn the_demo_is_not_led_astray_by_the_environment() {
    let desk = Desk::new();
    desk.write("soticket.toml", "environment = 'online'\nno-such-key = 1\n");
    let run =
        desk.soticket("demo").env("SOTICKET_ENVIRONMENT", "online").env("HTTPS_PROXY", "http://127.0.0.1:9");
    run.run().done();
}

#[cfg(unix)]
mod emulator {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    use soticket_emulator::Sample;

    use crate::support::Desk;

    /// Runs the emulator while `act` runs with its address, ends it by `signal`, and gives the rest of its output.
    fn serve(desk: &Desk, arguments: &str, signal: &str, act: impl FnOnce(&str)) -> (String, String) {
        let mut run = desk.soticket(arguments);
        let mut child = run.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").unwrap_or_default().to_owned();
        if !url.is_empty() {
            act(&url);
        }
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let status = child.wait().unwrap();
        let (mut rest, mut err) = (String::new(), String::new());
        out.read_to_string(&mut rest).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(killed.success() && !url.is_empty(), "{line}{err}");
        assert_eq!(status.code(), Some(0), "{err}");
        (rest, err)
    }

    #[test]
    fn one_line_says_that_it_is_ready_and_a_signal_ends_it_cleanly() {
        for signal in ["-TERM", "-INT"] {
            let desk = Desk::new();
            let (rest, err) =
                serve(&desk, "emulator", signal, |url| assert!(url.starts_with("http://127.0.0.1:")));
            assert_eq!(rest, "");
            assert!(err.contains("SOTICKET_ENVIRONMENT"), "{err}");
        }
    }

    #[test]
    fn what_it_tells_of_the_sample_is_enough_for_a_ticket_over_tls() {
        let desk = Desk::new();
        serve(&desk, "emulator --tls-dir tls --sample-key sample.xml", "-TERM", |url| {
            assert!(url.starts_with("https://localhost:"), "{url}");
            let run = desk.soticket("ticket --signer sample.xml --ca-file tls/ca.pem --context");
            run.arg(Sample::CONTEXT)
                .args(["--environment", url])
                .env("SOTICKET_CLIENT_SECRET", Sample::CLIENT_SECRET)
                .env("SOTICKET_SYSTEM_USER_TOKEN", Sample::SYSTEM_USER_TOKEN)
                .run()
                .done();
        });
    }

    #[test]
    fn its_configuration_is_its_own() {
        let desk = Desk::new();
        desk.write("emulator.toml", "applications = []\ntenants = []\n");
        let (_, err) = serve(&desk, "emulator --config emulator.toml", "-TERM", |_| ());
        assert!(!err.contains("SOTICKET_ENVIRONMENT"), "{err}");
        desk.write("emulator.toml", "no-such-key = 1\n");
        let err = desk.soticket("emulator --config emulator.toml").run().failed(2);
        assert!(err.contains("no-such-key"), "{err}");
    }

    #[test]
    fn other_machines_reach_it_only_when_that_is_said() {
        let desk = Desk::new();
        desk.soticket("emulator --listen 0.0.0.0:0").run().failed(2);
        serve(&desk, "emulator --listen 0.0.0.0:0 --allow-network", "-TERM", |_| ());
    }
}
