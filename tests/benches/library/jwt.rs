//! Validating a JWT, every rule included, with the key set at hand.

use divan::{Bencher, black_box};

use crate::service::{Service, tenant};

#[divan::bench]
fn validate(bencher: Bencher<'_, '_>) {
    let service = Service::start();
    let client = service.client();
    let (runtime, tenant) = (super::runtime(), tenant());
    let jwt = runtime.block_on(client.jwt(&tenant)).unwrap();
    bencher.bench_local(|| runtime.block_on(client.validate(black_box(&jwt), &tenant)).unwrap());
}
