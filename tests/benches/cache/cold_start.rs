//! A start with nothing: tickets for many tenants from an emulator in a process of its own, and where the time goes.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use soticket::{ExchangeLimits, RetryPolicy, SystemUserClient, Tenant, TicketCache, TokenSigner as _};
use soticket_tests::{LoginService, Wire};
use tokio::task::JoinSet;

/// How many tenants there are, and how many exchanges at once, each with a connection of its own.
pub(crate) const FEW: u32 = 1_000;
const MANY: u32 = 50_000;
const AT_ONCE: [usize; 4] = [1, 4, 16, 64];
/// What is chosen for the many.
const CHOSEN: usize = 16;
/// The pace of a limit by rate.
const PER_SECOND: u32 = 100;
/// How many signatures tell what one takes.
const SIGNATURES: u32 = 2_000;
pub(crate) const LIFETIME: Duration = Duration::from_secs(6 * 60 * 60);

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!(
        "\na cold start against an emulator in a process of its own, on the same two cores; CPU for each ticket"
    );
    println!(
        "{:>8} {:>6} {:>8} {:>9} {:>10} {:>10}",
        "tenants", "wire", "at once", "tickets/s", "ours", "emulator"
    );
    let mut cpu_by_wire = Vec::new();
    for wire in [Wire::Plain, Wire::Tls] {
        for at_once in AT_ONCE {
            let limits = ExchangeLimits::new().with_concurrent(at_once).with_per_second(0);
            let cpu = runtime.block_on(start(FEW, wire, limits));
            if at_once == CHOSEN {
                cpu_by_wire.push(cpu);
            }
        }
    }
    let paced = ExchangeLimits::new().with_concurrent(CHOSEN).with_per_second(PER_SECOND);
    runtime.block_on(start(FEW, Wire::Tls, paced));
    let limits = ExchangeLimits::new().with_concurrent(CHOSEN).with_per_second(0);
    let many = runtime.block_on(start(MANY, Wire::Tls, limits));
    let signature = runtime.block_on(signature());
    let tls = cpu_by_wire[1].saturating_sub(cpu_by_wire[0]);
    println!(
        "of our CPU, {:.0} µs a ticket with {FEW} tenants and {:.0} µs with {MANY}:",
        micros(cpu_by_wire[1]),
        micros(many)
    );
    println!("  signing {:.0} µs", micros(signature));
    println!("  TLS {:.0} µs (the difference to plain HTTP)", micros(tls));
    println!("  the rest {:.0} µs", micros(cpu_by_wire[1].saturating_sub(signature + tls)));
}

/// Gets a ticket of each of `count` tenants, and returns the CPU time of this process for one.
async fn start(count: u32, wire: Wire, limits: ExchangeLimits) -> Duration {
    let service = LoginService::with_many_tenants(count, LIFETIME, wire);
    let client = service.client_builder().with_retry_policy(RetryPolicy::never()).build().unwrap();
    let used = fill(&service, client, count, limits).await;
    let wire = if wire == Wire::Tls { "TLS" } else { "plain" };
    let (ours, theirs) = (micros(used.ours), micros(used.theirs));
    println!(
        "{count:>8} {wire:>6} {:>8} {:>9.0} {ours:>7.0} µs {theirs:>7.0} µs",
        limits.concurrent(),
        used.rate
    );
    used.ours
}

/// What a cold start took: tickets a second, and CPU time for each, of this process and of the service.
pub(crate) struct Used {
    pub(crate) rate: f64,
    ours: Duration,
    theirs: Duration,
}

/// Gets the tickets of all tenants of `service` at once.
pub(crate) async fn fill(
    service: &LoginService,
    client: SystemUserClient,
    count: u32,
    limits: ExchangeLimits,
) -> Used {
    let cache = TicketCache::builder(client).with_limits(limits).build();
    let tenants: Vec<Tenant> = LoginService::many_tenants(count).collect();
    // The key set and one connection are there already.
    cache.ticket(&tenants[0]).await.unwrap();
    let (start, ours, theirs) = (Instant::now(), own_cpu(), cpu_of(service.process_id()));
    let mut tasks = JoinSet::new();
    for tenant in tenants.into_iter().skip(1) {
        let cache = cache.clone();
        tasks.spawn(async move { cache.ticket(&tenant).await.map(drop) });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.unwrap().unwrap();
    }
    let (ours, theirs) = (own_cpu() - ours, cpu_of(service.process_id()) - theirs);
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    Used { rate, ours: ours / count, theirs: theirs / count }
}

/// The CPU time of a signature.
async fn signature() -> Duration {
    let service = LoginService::with_many_tenants(1, LIFETIME, Wire::Plain);
    let source = soticket::pem::KeySource::file(service.folder().join("partner.xml"));
    let signer = soticket::pem::PemSigner::builder(source).build().unwrap();
    let before = own_cpu();
    for _ in 0..SIGNATURES {
        signer.sign(b"My App-cust10000.202611241500").await.unwrap();
    }
    (own_cpu() - before) / SIGNATURES
}

fn own_cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap()
}

/// The CPU time that a process has had so far, as Linux tells it in hundredths of a second.
fn cpu_of(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u32 = fields[11..13].iter().map(|ticks| ticks.parse::<u32>().unwrap()).sum();
    Duration::from_millis(10) * ticks
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
