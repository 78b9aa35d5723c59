//! What is told on standard error beside errors: warnings, and on request more.

mod repeats;

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, Targets, dynamic_filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

pub(crate) use repeats::kept_back;

use crate::terminal::StandardError;

/// Overrides `-v`, in the form of `soticket_core=debug,hyper=info`.
const VARIABLE: &str = "SOTICKET_LOG";

/// Begins to log at the level that `-v`, given `verbosity` times, asks for.
pub(crate) fn start(verbosity: u8) {
    let asked = std::env::var(VARIABLE).ok().map(|text| text.parse::<Targets>());
    let targets = match &asked {
        Some(Ok(targets)) => targets.clone(),
        _ => by_verbosity(verbosity),
    };
    // Who asks for more is told everything.
    let is_asked = verbosity > 0 || asked.is_some();
    let filter = targets.and(dynamic_filter_fn(move |event, _| is_asked || repeats::is_news(event)));
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(|| StandardError)
        .with_ansi(colour)
        .without_time()
        .with_target(verbosity > 0)
        .with_filter(filter);
    // Only a second start could fail, and there is none.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    if let Some(Err(error)) = asked {
        tracing::warn!(%error, "{VARIABLE} is not understood and left aside");
    }
}

/// Our own crates first: what others log of a failure is told by our errors already.
fn by_verbosity(verbosity: u8) -> Targets {
    match verbosity {
        0 => Targets::new().with_target(OURS, LevelFilter::WARN),
        1 => Targets::new().with_target(OURS, LevelFilter::INFO),
        2 => Targets::new().with_target(OURS, LevelFilter::DEBUG),
        _ => Targets::new().with_default(LevelFilter::TRACE),
    }
}

/// What the names of all our crates begin with.
const OURS: &str = "soticket";
