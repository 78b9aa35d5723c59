//! How many exchanges run at once, and start in a second.

use soticket::ExchangeLimits;

use super::Settings;
use crate::args::{MAX_PARALLEL, ManyArgs};
use crate::failure::Failure;

/// The limits of a run over many tenants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) parallel: usize,
    pub(crate) per_second: u32,
}

impl Settings {
    /// What the flags say, else the settings file, else the library's defaults.
    pub(crate) fn pace(&self, args: &ManyArgs) -> Result<Pace, Failure> {
        let parallel = match args.parallel.or(self.file.parallel) {
            Some(parallel) if !(1..=MAX_PARALLEL).contains(&u64::from(parallel)) => {
                return Err(Failure::configuration(format!(
                    "`parallel` in {} is {parallel}; say 1 to {MAX_PARALLEL}",
                    self.file.name()
                )));
            }
            Some(parallel) => usize::from(parallel),
            None => ExchangeLimits::DEFAULT_CONCURRENT,
        };
        let per_second = args.rate.or(self.file.rate).unwrap_or(ExchangeLimits::DEFAULT_PER_SECOND);
        Ok(Pace { parallel, per_second })
    }
}

impl From<Pace> for ExchangeLimits {
    fn from(pace: Pace) -> Self {
        Self::new().with_concurrent(pace.parallel).with_per_second(pace.per_second)
    }
}
