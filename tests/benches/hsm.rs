//! Signatures by a PKCS#11 token: through the asynchronous signer, beside the bare calls to the same module.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and stops at the first surprise"
)]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use soticket::pkcs11::{Pin, Pkcs11Signer};
use soticket::{PublicKey, Signature, TokenSigner as _};
use soticket_pkcs11_testbed::module::{BareModule, BareSession};
use soticket_pkcs11_testbed::{Bed, Device, run_isolated};
use soticket_tests::median;

/// How long one measurement lasts, and how many are made of each kind, in turns; medians count.
const TIME: Duration = Duration::from_millis(500);
const ROUNDS: usize = 11;
/// Callers that ask for signatures at once. They have one thread, which gets its turn on two busy cores only every few
/// milliseconds: what is measured is what the signer can do, and not how fast that thread asks.
const CALLERS: usize = 64;
/// The digest that the bare calls sign, and its `DigestInfo`, which is what the signer hands to the token too.
const DIGEST: [u8; 32] = [7; 32];
const DIGEST_INFO: [u8; 51] = {
    let prefix = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    let mut info = [7; 51];
    let mut index = 0;
    while index < prefix.len() {
        info[index] = prefix[index];
        index += 1;
    }
    info
};
/// As long as the message of a signed system token.
const MESSAGE: &[u8] = b"My App-pzqc70604i.202611231559";

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    // A measurement's own process is given its name, and a user a part of one.
    let is_wanted =
        |name: &str| arguments.is_empty() || arguments.iter().any(|part| name.contains(part.as_str()));
    let limit = Duration::from_secs(600);
    if is_wanted("hsm-in-software") {
        let setup = Device::SoftHsm.setup().with_limit(limit).with_output_shown();
        run_isolated("hsm-in-software", &setup, in_software);
    }
    if is_wanted("hsm-at-a-distance") {
        let setup = Device::SoftHsm.faulty().with_env("P11FAULT_LOG", "");
        run_isolated("hsm-at-a-distance", &setup.with_limit(limit).with_output_shown(), at_a_distance);
    }
}

/// Against the bare calls, on a token in software: two cores are what limits both. Between them, the bare calls with
/// each signature verified, which the signer does too, tell what of the difference is the price of that.
fn in_software(bed: &Bed) {
    bed.generate_rsa("01", "rsa", 2048);
    let module = BareModule::open(bed.module());
    let login = module.session(Some(bed.pin()));
    println!("SoftHSM, RSA-2048, signatures a second (median of {ROUNDS} x {TIME:?})");
    println!(
        "{:>8} {:>8} {:>8} {:>8}   to bare, by time and by CPU time",
        "threads", "bare", "verified", "signer"
    );
    for threads in [1, 2, 4, 8] {
        let signer = signer(bed, "rsa", threads);
        let key = signer.key_info().public_key();
        // In turns, and compared within each: what else the machine does changes slowly.
        let round = |_| {
            [
                bare_loop(&module, threads, None),
                bare_loop(&module, threads, Some(key)),
                through_signer(&signer),
            ]
        };
        let rounds: Vec<[Rate; 3]> = (0..ROUNDS).map(round).collect();
        let of = |value: &dyn Fn(&[Rate; 3]) -> f64| median(rounds.iter().map(value).collect());
        let [bare, verified, ours] = [0, 1, 2].map(|kind| of(&|round| round[kind].by_time));
        let ratios = [1, 2].map(|kind| {
            [
                of(&|round| round[kind].by_time / round[0].by_time),
                of(&|round| round[kind].by_cpu_time / round[0].by_cpu_time),
            ]
        });
        println!(
            "{threads:>8} {bare:>8.0} {verified:>8.0} {ours:>8.0}   verified {:.3} {:.3}, signer {:.3} {:.3}",
            ratios[0][0], ratios[0][1], ratios[1][0], ratios[1][1]
        );
    }
    drop(login);
    let naive = median((0..ROUNDS).map(|_| login_each_time(&module, bed.pin())).collect());
    println!("with open, login, search and close for each signature, 1 thread: {naive:.0}");
}

/// With five milliseconds more for each signature, as a device in the network takes. That one computes elsewhere, so
/// that a P-256 key, which costs this machine little, shows how the signer scales, and RSA what two cores allow.
fn at_a_distance(bed: &Bed) {
    bed.generate_p256("02", "p256");
    bed.generate_rsa("01", "rsa", 2048);
    bed.faults().set("C_Sign 0 -1 0 before 5\n");
    println!("\nthe same, with 5 ms for each C_Sign");
    println!("{:>8}  {:>8}  {:>6}  {:>8}  {:>6}", "workers", "P-256", "ratio", "RSA-2048", "ratio");
    let mut one = None;
    for workers in [1, 2, 4, 8, 16] {
        let rates = ["p256", "rsa"].map(|label| {
            let signer = signer(bed, label, workers);
            median((0..ROUNDS / 2).map(|_| through_signer(&signer).by_time).collect())
        });
        let [p256, rsa] = *one.get_or_insert(rates);
        println!(
            "{workers:>8}  {:>8.0}  {:>6.2}  {:>8.0}  {:>6.2}",
            rates[0],
            rates[0] / p256,
            rates[1],
            rates[1] / rsa
        );
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn signer(bed: &Bed, label: &str, workers: usize) -> Arc<Pkcs11Signer> {
    let builder = Pkcs11Signer::builder(bed.uri(&format!("object={label}")).parse().unwrap());
    let pin = bed.pin().to_owned().into();
    let builder = builder.with_pin(Pin::text(pin)).with_workers(NonZeroUsize::new(workers).unwrap());
    Arc::new(runtime().block_on(builder.build()).unwrap())
}

/// By callers that ask again as soon as they were answered.
fn through_signer(signer: &Arc<Pkcs11Signer>) -> Rate {
    runtime().block_on(async {
        let count = Arc::new(AtomicU64::new(0));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (signer, count) = (Arc::clone(signer), Arc::clone(&count));
                tokio::spawn(async move {
                    loop {
                        signer.sign(MESSAGE).await.unwrap();
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        // The threads and their sessions are there by then.
        tokio::time::sleep(TIME / 10).await;
        let start = Start::now(&count);
        tokio::time::sleep(TIME).await;
        let rate = start.rate(&count);
        callers.iter().for_each(tokio::task::JoinHandle::abort);
        rate
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn bare_loop(module: &BareModule, threads: usize, key: Option<&PublicKey>) -> Rate {
    let (count, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = |session: BareSession<'_>| {
        while !stop.load(Ordering::Relaxed) {
            let signature = session.sign(&DIGEST_INFO);
            if let Some(key) = key {
                let signature = Signature::from_bytes(&signature[..]);
                key.verify_sha256(&DIGEST, &signature).unwrap();
            }
            count.fetch_add(1, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        (0..threads).for_each(|_| _ = scope.spawn(|| work(module.session(None))));
        thread::sleep(TIME / 10);
        let start = Start::now(&count);
        thread::sleep(TIME);
        let rate = start.rate(&count);
        stop.store(true, Ordering::Relaxed);
        rate
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn login_each_time(module: &BareModule, pin: &str) -> f64 {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < TIME {
        module.session(Some(pin)).sign(&DIGEST_INFO);
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// Signatures a second: of time, and of the time of processors, which other programs of the machine take less from.
#[derive(Debug, Clone, Copy)]
struct Rate {
    by_time: f64,
    by_cpu_time: f64,
}

/// The beginning of a measurement.
struct Start {
    time: Instant,
    cpu_time: Duration,
}

impl Start {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    fn now(count: &AtomicU64) -> Self {
        count.store(0, Ordering::Relaxed);
        Self { time: Instant::now(), cpu_time: cpu_time() }
    }

    fn rate(&self, count: &AtomicU64) -> Rate {
        let count = count.load(Ordering::Relaxed) as f64;
        let by_time = count / self.time.elapsed().as_secs_f64();
        Rate { by_time, by_cpu_time: count / (cpu_time() - self.cpu_time).as_secs_f64() }
    }
}

/// What this process has used of its processors.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.try_into().unwrap()
}
