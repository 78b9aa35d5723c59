//! A whole exchange against the emulator on loopback, its work included: a signature that is verified, and one
//! that is made, by the `rsa` crate.

use divan::Bencher;
use divan::counter::ItemsCount;

use crate::service::{Service, tenant};

#[divan::bench(args = [1, 16], sample_count = 50)]
fn at_once(bencher: Bencher<'_, '_>, exchanges: usize) {
    let service = Service::start();
    let client = service.client();
    let runtime = super::runtime();
    bencher.counter(ItemsCount::new(exchanges)).bench_local(|| {
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..exchanges {
                let client = client.clone();
                tasks.spawn(async move { client.ticket(&tenant()).await.unwrap() });
            }
            tasks.join_all().await
        })
    });
}
