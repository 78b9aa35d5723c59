//! A hit beside moka's bare `get` in the same run, what it allocates, and what a tenant takes in memory.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use soticket::store::Record;
use soticket::{SystemUserClient, SystemUserTicket, Tenant, TicketCache};
use soticket_tests::median;
use stats_alloc::Region;

use super::ALLOCATOR;
use super::primed::{self, Primed};

const TENANTS: [usize; 3] = [1, 1_000, 50_000];
const TASKS: [usize; 3] = [1, 2, 8];
/// How many rounds there are, each of which measures both, and calls in each for all tasks together; medians count.
const ROUNDS: usize = 11;
const CALLS: usize = 400_000;

type Moka = moka::sync::Cache<String, SystemUserTicket>;

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (emulator, client) = runtime.block_on(primed::client());
    let record = runtime.block_on(primed::record(&client));
    println!(
        "a hit: `TicketCache::ticket` beside moka's bare `get` (median of {ROUNDS} rounds of {CALLS} calls)"
    );
    println!(
        "{:>8} {:>6} {:>10} {:>10} {:>8} {:>12}",
        "tenants", "tasks", "ours", "moka", "ratio", "allocations"
    );
    for count in TENANTS {
        runtime.block_on(contest(&client, &record, count));
    }
    println!("\nmemory for each tenant, beside the ticket itself");
    for count in TENANTS.into_iter().skip(1) {
        runtime.block_on(memory(&client, &record, count));
    }
    runtime.block_on(emulator.shutdown());
}

async fn contest(client: &SystemUserClient, record: &Record, count: usize) {
    let primed = Primed::new(client, record, count).await;
    let moka: Moka = Moka::new(u64::try_from(count).unwrap() * 2);
    for (tenant, ticket) in primed.tenants.iter().zip(&primed.tickets) {
        moka.insert(tenant.context().to_string(), ticket.clone());
    }
    let tenants = Arc::new(primed.tenants);
    for tasks in TASKS {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let ours = time(tasks, &tenants, ours(&primed.cache));
            let theirs = time(tasks, &tenants, theirs(&moka));
            rounds.push((ours, theirs));
        }
        let region = Region::new(ALLOCATOR);
        let runs_alone = ours(&primed.cache);
        tenants.iter().for_each(runs_alone);
        let allocations = region.change().allocations;
        let nanoseconds = |times: &dyn Fn(&(Duration, Duration)) -> Duration| {
            median(rounds.iter().map(|round| times(round).as_secs_f64() * 1e9 / CALLS as f64).collect())
        };
        let (ours, moka) = (nanoseconds(&|round| round.0), nanoseconds(&|round| round.1));
        let ratio =
            median(rounds.iter().map(|(ours, moka)| ours.as_secs_f64() / moka.as_secs_f64()).collect());
        println!("{count:>8} {tasks:>6} {ours:>7.0} ns {moka:>7.0} ns {ratio:>8.2} {allocations:>12}");
    }
}

/// A call of the cache as a task makes it: a future that is ready when it is polled first.
fn ours(cache: &TicketCache) -> impl Fn(&Tenant) + Clone + Send + use<> {
    let cache = cache.clone();
    move |tenant| {
        let call = std::pin::pin!(cache.ticket(black_box(tenant)));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(matches!(black_box(call.poll(&mut context)), std::task::Poll::Ready(Ok(_))));
    }
}

fn theirs(moka: &Moka) -> impl Fn(&Tenant) + Clone + Send + use<> {
    let moka = moka.clone();
    move |tenant| assert!(black_box(moka.get(black_box(tenant.context().as_str()))).is_some())
}

/// The time of all calls by as many threads as tasks, from the first to the last, times the cores that they had: what a
/// call takes of a core.
fn time(
    tasks: usize,
    tenants: &Arc<Vec<Tenant>>,
    call: impl Fn(&Tenant) + Clone + Send + 'static,
) -> Duration {
    let barrier = Arc::new(Barrier::new(tasks + 1));
    let threads: Vec<_> = (0..tasks)
        .map(|task| {
            let (barrier, tenants, call) = (Arc::clone(&barrier), Arc::clone(tenants), call.clone());
            std::thread::spawn(move || {
                barrier.wait();
                let mut next = task * 7919;
                for _ in 0..CALLS / tasks {
                    next = (next + 7919) % tenants.len();
                    call(&tenants[next]);
                }
            })
        })
        .collect();
    let start = Instant::now();
    barrier.wait();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    start.elapsed() * u32::try_from(cores.min(tasks)).unwrap()
}

async fn memory(client: &SystemUserClient, record: &Record, count: usize) {
    let region = Region::new(ALLOCATOR);
    let in_use = |region: &Region<_>| {
        let change = region.change();
        change.bytes_allocated.saturating_sub(change.bytes_deallocated)
    };
    let Primed { cache, tenants, tickets } = Primed::new(client, record, count).await;
    let with_cache = in_use(&region);
    drop(cache);
    let without_cache = in_use(&region);
    drop(tickets);
    let without_tickets = in_use(&region);
    drop(tenants);
    let (of_cache, of_ticket) = (with_cache - without_cache, without_cache - without_tickets);
    println!(
        "{count:>8} tenants: {} bytes each; the ticket with its claims {} bytes",
        of_cache / count,
        of_ticket / count
    );
}
