//! A circuit breaker: while the device is down, callers are told so at once, and one probe at a time finds out
//! when it is back.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::fault::Fault;
use crate::timing::now;

/// Who asked for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A caller.
    Caller,
    /// The breaker, to find out whether the device is back.
    Probe,
}

#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    Open {
        fault: Fault,
        since: Instant,
        pause: Duration,
        /// When the device is tried again; `None`: never, or a probe is under way.
        probe_at: Option<Instant>,
    },
}

impl Breaker {
    /// Lets a caller through, or tells why not.
    pub(crate) fn admit(&self) -> Result<(), Fault> {
        match &*self.0.lock() {
            State::Closed => Ok(()),
            State::Open { fault, since, .. } => {
                let seconds = now().saturating_duration_since(*since).as_secs();
                let prospect = match fault.is_final() {
                    true => "nothing is tried any more until the process is restarted",
                    false => "it is tried again by itself",
                };
                Err(fault.clone().told_again(&format!("unavailable for {seconds} s, {prospect}")))
            }
        }
    }

    /// Takes note of a signature that verified; `true` if that ends an outage.
    pub(crate) fn succeeded(&self) -> bool {
        let mut state = self.0.lock();
        let State::Open { since, .. } = &*state else { return false };
        let seconds = now().saturating_duration_since(*since).as_secs();
        tracing::info!("the token signs again, after {seconds} s");
        *state = State::Closed;
        true
    }

    /// Takes note of a failure that all remedies did not help against; `true` if the device was taken for down already,
    /// and no signature has shown otherwise since.
    pub(crate) fn failed(&self, fault: &Fault, asker: Asker) -> bool {
        if !fault.is_outage() {
            self.unanswered(asker);
            return false;
        }
        let mut state = self.0.lock();
        let next = |pause: Duration| (!fault.is_final()).then(|| now() + pause);
        match &mut *state {
            State::Closed => {
                tracing::error!("the token is taken for unavailable: {}", fault.message());
                *state = State::Open {
                    fault: fault.clone(),
                    since: now(),
                    pause: FIRST_PAUSE,
                    probe_at: next(FIRST_PAUSE),
                };
                false
            }
            State::Open { fault: last, pause, probe_at, .. } => {
                *last = fault.clone();
                if asker == Asker::Probe {
                    *pause = (*pause * 2).min(LONGEST_PAUSE);
                    *probe_at = next(*pause);
                }
                true
            }
        }
    }

    /// When the next probe is due.
    pub(crate) fn probe_at(&self) -> Option<Instant> {
        match &*self.0.lock() {
            State::Open { probe_at, .. } => *probe_at,
            State::Closed => None,
        }
    }

    /// Whether a probe is due now; if so, it is the caller's to make.
    pub(crate) fn take_probe(&self) -> bool {
        match &mut *self.0.lock() {
            State::Open { probe_at, .. } if probe_at.is_some_and(|at| at <= now()) => {
                *probe_at = None;
                true
            }
            _ => false,
        }
    }

    /// Takes note of a request that told nothing of the device; if it was a probe, another is made.
    pub(crate) fn unanswered(&self, asker: Asker) {
        if let (Asker::Probe, State::Open { pause, probe_at, .. }) = (asker, &mut *self.0.lock()) {
            *probe_at = Some(now() + *pause);
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(&*self.0.lock(), State::Open { .. })
    }
}

/// How long after the failure the device is tried first; each time after, twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest time between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Class;

    fn outage() -> Fault {
        Fault::new(Class::Device, "away")
    }

    #[test]
    fn a_closed_breaker_lets_through_and_an_open_one_tells_why_not() {
        let breaker = Breaker::default();
        assert!(breaker.admit().is_ok());
        breaker.failed(&outage(), Asker::Caller);
        let told = breaker.admit().unwrap_err();
        assert_eq!(told.class, Class::Device);
        assert!(told.message().contains("away") && told.message().contains("unavailable"), "{told:?}");
        assert!(breaker.succeeded() && !breaker.succeeded());
        assert!(breaker.admit().is_ok());
    }

    #[test]
    fn what_is_the_callers_own_fault_opens_nothing() {
        let breaker = Breaker::default();
        assert!(!breaker.failed(&Fault::new(Class::Request, "unfit"), Asker::Caller));
        assert!(breaker.admit().is_ok());
    }

    #[test]
    fn a_second_failure_without_a_signature_between_confirms_the_first() {
        let breaker = Breaker::default();
        assert!(!breaker.failed(&outage(), Asker::Caller));
        breaker.succeeded();
        assert!(!breaker.failed(&outage(), Asker::Caller));
        assert!(!breaker.failed(&Fault::new(Class::Request, "unfit"), Asker::Caller));
        assert!(breaker.failed(&outage(), Asker::Caller));
    }

    #[test]
    fn one_probe_at_a_time_and_none_after_a_refused_pin() {
        let breaker = Breaker::default();
        breaker.failed(&outage(), Asker::Caller);
        assert!(breaker.probe_at().is_some() && !breaker.take_probe(), "not at once");
        breaker.failed(&Fault::new(Class::Pin, "wrong PIN"), Asker::Probe);
        assert_eq!(breaker.probe_at(), None);
        assert!(breaker.admit().unwrap_err().message().contains("restarted"));
    }

    #[test]
    fn pauses_between_probes_grow_and_callers_do_not_make_them_longer() {
        let breaker = Breaker::default();
        breaker.failed(&outage(), Asker::Caller);
        let first = breaker.probe_at().unwrap();
        breaker.failed(&outage(), Asker::Caller);
        assert_eq!(breaker.probe_at(), Some(first));
        breaker.failed(&outage(), Asker::Probe);
        assert!(breaker.probe_at().unwrap() > first);
    }
}
