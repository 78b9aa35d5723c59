//! `soticket emulator`: the login service on this machine, until it is interrupted.

use std::path::Path;

use soticket_emulator::{Config, Emulator, Reach, Sample, Tls};

use crate::args::EmulatorArgs;
use crate::failure::{Exit, Failure};
use crate::interruption::Interruption;
use crate::output::print_line;

pub(crate) async fn run(args: EmulatorArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let served = match config {
        Some(path) => Config::load(path),
        None => Config::sample(&args.sample_key),
    };
    let served =
        served.map_err(|error| Failure::configuration("the emulator cannot be set up").with_cause(error))?;
    let reach = if args.allow_network { Reach::Network } else { Reach::Loopback };
    let tls = args.tls_dir.clone().map_or(Tls::None, Tls::ThrowAwayIn);
    let builder =
        Emulator::builder().with_config(served).with_listen(args.listen).with_reach(reach).with_tls(tls);
    // Asked for first, so that an interruption that comes early is not missed.
    let mut interruption = Interruption::listen()?;
    let emulator = builder
        .start()
        .await
        .map_err(|error| Failure::configuration("the emulator cannot be started").with_cause(error))?;
    if config.is_none() {
        tell_of_the_sample(&args, &emulator.url());
    }
    print_line(&format!("listening on {}", emulator.url()))?;
    interruption.wait().await;
    emulator.shutdown().await;
    Ok(Exit::Done)
}

/// What to set to use the sample application, as a shell takes it.
fn tell_of_the_sample(args: &EmulatorArgs, url: &str) {
    use crate::output::shell_quoted;
    use std::io::Write as _;
    let mut settings = vec![
        ("SOTICKET_ENVIRONMENT", url.to_owned()),
        ("SOTICKET_CONTEXT", Sample::CONTEXT.to_owned()),
        ("SOTICKET_SIGNER", args.sample_key.display().to_string()),
        ("SOTICKET_CLIENT_SECRET", Sample::CLIENT_SECRET.to_owned()),
        ("SOTICKET_SYSTEM_USER_TOKEN", Sample::SYSTEM_USER_TOKEN.to_owned()),
    ];
    if let Some(folder) = &args.tls_dir {
        settings.push(("SOTICKET_CA_FILE", folder.join("ca.pem").display().to_string()));
    }
    let lines: String =
        settings.iter().map(|(name, value)| format!("export {name}={}\n", shell_quoted(value))).collect();
    // The emulator works without anybody to tell.
    let _ = write!(std::io::stderr(), "The sample application is served. To use it:\n{lines}");
}
