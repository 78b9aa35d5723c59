//! Which store and which key: flags, else the environment, else the settings file; without their secrets in any output.

#[cfg(any(feature = "file-store", feature = "redis"))]
use crate::support::Bench;
use crate::support::Desk;

const KEY: &str = "5b1d0c9e2f3a48576675849302b1c0dfeeccbbaa99887766554433221100aabb";

#[test]
fn a_password_of_redis_on_the_command_line_or_in_the_settings_file_is_refused_and_not_repeated() {
    let desk = Desk::new();
    for arguments in ["--store redis://:s3cr3t@cache/0", "--store=rediss://user:s3cr3t@cache"] {
        for verb in ["ticket", "ticket --all", "store purge"] {
            let err = desk.soticket(&format!("{verb} {arguments}")).run().failed(2);
            assert!(err.contains("SOTICKET_STORE") && !err.contains("s3cr3t"), "{err}");
        }
    }
    desk.write("soticket.toml", "store = 'rediss://user:s3cr3t@cache'\n");
    let err = desk.soticket("ticket").run().failed(2);
    assert!(err.contains("store-url-file") && !err.contains("s3cr3t"), "{err}");
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_away_is_told_without_its_password_and_the_ticket_printed() {
    let bench = Bench::start().await;
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("redis://user:s3cr3t@127.0.0.1:{port}/0");
    bench.desk.write("url.txt", format!("{url}\n"));
    for run in [
        bench.soticket("ticket -vv").env("SOTICKET_STORE", &url),
        bench.soticket("ticket -vv --store-url-file url.txt"),
    ] {
        let ran = run.env("SOTICKET_STORE_KEY", KEY).run();
        assert!(ran.err.contains("WARN") && ran.err.contains("store"), "{}", ran.err);
        assert!(!ran.err.contains("s3cr3t"), "{}", ran.err);
        assert!(ran.done().starts_with("7T:"));
    }
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_cannot_be_used_is_wrong_configuration_and_not_repeated() {
    let bench = Bench::start().await;
    for url in ["redis://:s3cr3t@cache.example", "http://:s3cr3t@localhost", "redis://:s3cr3t@localhost:port"]
    {
        let run = bench.soticket("ticket").env("SOTICKET_STORE", url).env("SOTICKET_STORE_KEY", KEY);
        let err = run.run().failed(2);
        assert!(err.contains("URL of the Redis") && !err.contains("s3cr3t"), "{err}");
    }
    let url = "redis://:s3cr3t@192.0.2.1";
    bench.desk.write("soticket.toml", "store-plain-network = true\n");
    let run = bench.desk.soticket("store purge").env("SOTICKET_STORE", url).env("SOTICKET_STORE_KEY", KEY);
    run.run().done();
}

#[cfg(not(feature = "redis"))]
#[test]
fn without_redis_its_cargo_feature_is_named() {
    let desk = Desk::new();
    let run = desk.soticket("store purge").env("SOTICKET_STORE", "redis://:s3cr3t@localhost");
    let err = run.env("SOTICKET_STORE_KEY", KEY).run().failed(2);
    assert!(err.contains("`redis`") && !err.contains("s3cr3t"), "{err}");
}

#[cfg(not(feature = "file-store"))]
#[test]
fn without_the_store_of_files_its_cargo_feature_is_named() {
    let err = Desk::new().soticket("store purge --store tickets").run().failed(2);
    assert!(err.contains("`file-store`"), "{err}");
}

#[cfg(feature = "file-store")]
mod files {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_key_that_is_none_is_wrong_configuration_and_not_repeated() {
        let bench = Bench::start().await;
        for key in ["s3cr3t", "", &"0".repeat(64), &KEY[1..]] {
            let run = bench.soticket("ticket --store tickets").env("SOTICKET_STORE_KEY", key);
            let err = run.run().failed(2);
            assert!(err.contains("store key"), "{err}");
            assert!(key.is_empty() || !err.contains(key), "{err}");
        }
        let err = bench.soticket("ticket --store tickets").run().failed(2);
        assert!(err.contains("SOTICKET_STORE_KEY") && err.contains("--store-key-file"), "{err}");
        assert_eq!(bench.emulator.exchanges(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_place_that_is_no_folder_is_wrong_configuration() {
        let bench = Bench::start().await;
        bench.desk.write("tickets", "");
        let run = bench.soticket("ticket --store tickets").env("SOTICKET_STORE_KEY", KEY);
        let err = run.run().failed(2);
        assert!(err.contains("tickets"), "{err}");
        assert_eq!(bench.emulator.exchanges(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_settings_file_names_a_folder_from_where_it_lies_and_a_key_file() {
        let bench = Bench::start().await;
        bench.desk.write("etc/store.key", KEY);
        bench.desk.write("etc/soticket.toml", "store = 'kept'\nstore-key-file = 'store.key'\n");
        bench.soticket("ticket --config etc/soticket.toml").run().done();
        assert!(bench.desk.path("etc/kept").is_dir());
        let other = || bench.soticket("ticket --config etc/soticket.toml").env("SOTICKET_STORE", "other");
        other().run().done();
        assert!(bench.desk.path("other").is_dir());
        other().args(["--store", "third"]).run().done();
        assert!(bench.desk.path("third").is_dir());
        assert_eq!(bench.emulator.exchanges(), 3);
        let without = bench.soticket("ticket --config etc/soticket.toml").env("SOTICKET_STORE", "");
        without.run().done();
        assert_eq!(bench.emulator.exchanges(), 4, "an empty variable is no store");
    }
}

/// In a session keyring of its own, as a login or systemd gives one.
#[cfg(all(feature = "keyring", feature = "file-store", target_os = "linux"))]
#[tokio::test(flavor = "multi_thread")]
async fn the_key_may_be_in_the_keyring_which_makes_one_the_first_time() {
    let bench = Bench::start().await;
    let name = format!("soticket-test-{}", std::process::id());
    let inner = bench.soticket(&format!("ticket --store tickets --store-key-keyring {name}")).command;
    let mut keyctl = std::process::Command::new("keyctl");
    keyctl.args(["session", "-", "sh", "-c", "\"$@\" && \"$@\"", "sh"]);
    keyctl.arg(inner.get_program()).args(inner.get_args()).current_dir(inner.get_current_dir().unwrap());
    for (variable, value) in inner.get_envs() {
        match value {
            Some(value) => keyctl.env(variable, value),
            None => keyctl.env_remove(variable),
        };
    }
    let output = tokio::task::spawn_blocking(move || keyctl.output()).await.unwrap();
    let output = output.expect("keyctl is there: `cargo xtask setup`, or Debian's `keyutils`");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    let tickets: Vec<_> = out.lines().collect();
    assert!(matches!(tickets[..], [first, second] if first == second && first.starts_with("7T:")), "{err}");
    assert_eq!(bench.emulator.exchanges(), 1);
}

#[cfg(all(not(feature = "keyring"), feature = "file-store"))]
#[test]
fn without_a_keyring_its_cargo_feature_is_named() {
    let desk = Desk::new();
    let err = desk.soticket("store purge --store tickets --store-key-keyring x").run().failed(2);
    assert!(err.contains("`keyring`"), "{err}");
}
