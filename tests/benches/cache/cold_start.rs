//! A start with nothing: tickets for many tenants.

pub(crate) fn measure() {}
