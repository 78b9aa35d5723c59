//! A cold start with the key in a token at a distance, by the number of its sessions.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use soticket::pkcs11::{Pin, Pkcs11Signer};
use soticket::{ExchangeLimits, RetryPolicy, SystemUserClient, TokenSigner as _};
use soticket_pkcs11_testbed::{Bed, Device, run_isolated};
use soticket_tests::LoginService;

use super::cold_start::{FEW, LIFETIME, fill};

pub(crate) const NAME: &str = "cache-sessions";
const SESSIONS: [usize; 4] = [1, 2, 4, 16];
/// More than there are sessions, so that these are what limits.
const AT_ONCE: usize = 32;
const TIME_LIMIT: Duration = Duration::from_secs(300);

pub(crate) fn measure() {
    let setup = Device::SoftHsm.faulty().with_env("P11FAULT_LOG", "");
    run_isolated(NAME, &setup.with_limit(TIME_LIMIT).with_output_shown(), by_sessions);
}

/// Five milliseconds more for each signature, as a device in the network takes.
fn by_sessions(bed: &Bed) {
    bed.generate_rsa("01", "rsa", 2048);
    bed.faults().set("C_Sign 0 -1 0 before 5\n");
    println!(
        "\nthe same for {FEW} tenants over plain HTTP, {AT_ONCE} at once, signed by SoftHSM with 5 ms for each C_Sign"
    );
    println!("{:>8} {:>9}", "sessions", "tickets/s");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for sessions in SESSIONS {
        let rate = runtime.block_on(async {
            let builder = Pkcs11Signer::builder(bed.uri("object=rsa").parse().unwrap());
            let builder = builder.with_pin(Pin::text(bed.pin().to_owned().into()));
            let signer = builder.with_workers(NonZeroUsize::new(sessions).unwrap()).build().await.unwrap();
            let key = signer.key_info().public_key().clone();
            let service = LoginService::for_key_elsewhere(&key, FEW, LIFETIME);
            let secret = LoginService::CLIENT_SECRET.parse().unwrap();
            let client = SystemUserClient::builder(service.url().parse().unwrap(), secret, Arc::new(signer))
                .with_retry_policy(RetryPolicy::never())
                .build()
                .unwrap();
            let limits = ExchangeLimits::new().with_concurrent(AT_ONCE).with_per_second(0);
            fill(&service, client, FEW, limits).await.rate
        });
        println!("{sessions:>8} {rate:>9.0}");
    }
}
