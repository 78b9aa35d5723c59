//! No core dump of this process: it would hold every secret.

/// Switches core dumps off, where the system has them; a refusal changes nothing worth stopping for.
#[cfg(unix)]
pub(crate) fn disable() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub(crate) fn disable() {}
