//! The cache against a service that does as it is told, on a clock that waits for nobody.

mod limits;
mod model;
mod renewal;
mod sharing;
mod support;
mod trouble;
