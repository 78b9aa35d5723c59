//! The ticket cache: what a hit takes beside a bare map, what a tenant takes in memory, and a start with nothing.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and stops at the first surprise"
)]
#![allow(clippy::disallowed_methods, reason = "time is what is measured")]

mod cold_start;
mod hits;
mod primed;
mod sessions;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What a user of the chore may name, or a part of it, and what it runs.
const BENCHMARKS: [(&str, fn()); 3] = [
    ("cache hits", hits::measure),
    ("cache cold start", cold_start::measure),
    (sessions::NAME, sessions::measure),
];

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for (name, measure) in BENCHMARKS {
        if arguments.is_empty() || arguments.iter().any(|part| name.contains(part.as_str())) {
            measure();
        }
    }
}
