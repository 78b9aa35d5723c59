//! Random schedules against a simple model: never an ended ticket, never two exchanges at once for a tenant, never an
//! exchange that the model does not allow.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, timeout};

use super::support::*;
use crate::cache::{TicketCache, TicketCacheBuilder};
use crate::clock::Clock as _;
use crate::tenant::Tenant;
use crate::ticket::SystemUserTicket;

const TENANTS: usize = 3;
const ERROR_MEMORY: Duration = TicketCacheBuilder::DEFAULT_ERROR_MEMORY;
/// Half of the first pause after a failure, the shortest that jitter leaves.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
enum Step {
    Wait(Duration),
    /// So many callers at once.
    Ask {
        tenant: usize,
        callers: usize,
    },
    /// A caller that gives up.
    AskBriefly {
        tenant: usize,
    },
    Touch {
        tenant: usize,
        oldest: bool,
    },
    Invalidate {
        tenant: usize,
        oldest: bool,
    },
    Mood {
        tenant: usize,
        mood: Mood,
    },
    Latency {
        tenant: usize,
        latency: Duration,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let tenant = 0..TENANTS;
    let seconds = |range: std::ops::Range<u64>| range.prop_map(Duration::from_secs);
    let mood = prop_oneof![
        4 => Just(Mood::Kind),
        1 => Just(Mood::Revoked),
        2 => Just(Mood::Away),
        1 => Just(Mood::Panicking)
    ];
    prop_oneof![
        3 => seconds(0_u64..90).prop_map(Step::Wait),
        3 => seconds(0_u64..7 * 3600).prop_map(Step::Wait),
        6 => (tenant.clone(), 1..6_usize).prop_map(|(tenant, callers)| Step::Ask { tenant, callers }),
        1 => tenant.clone().prop_map(|tenant| Step::AskBriefly { tenant }),
        3 => (tenant.clone(), any::<bool>()).prop_map(|(tenant, oldest)| Step::Touch { tenant, oldest }),
        2 => (tenant.clone(), any::<bool>()).prop_map(|(tenant, oldest)| Step::Invalidate { tenant, oldest }),
        2 => (tenant.clone(), mood).prop_map(|(tenant, mood)| Step::Mood { tenant, mood }),
        1 => (tenant, seconds(0_u64..20)).prop_map(|(tenant, latency)| Step::Latency { tenant, latency }),
    ]
}

/// What the cache should know of a tenant.
#[derive(Default)]
struct Known {
    /// Every ticket that was issued.
    issued: Vec<SystemUserTicket>,
    /// The last of them and when it was last used, unless it was refused by the API or forgotten for a refusal.
    held: Option<(SystemUserTicket, Timestamp)>,
    /// When the last exchange failed, and how; none after a success.
    failure: Option<(Instant, Mood)>,
}

struct Model {
    clock: Arc<TokioClock>,
    known: HashMap<String, Known>,
    violations: Vec<String>,
}

impl Model {
    fn of(&mut self, tenant: &Tenant) -> &mut Known {
        self.known.entry(tenant.context().to_string()).or_default()
    }

    fn see(&mut self, tenant: &Tenant, event: &Event<'_>) {
        let now = self.clock.now();
        let known = self.of(tenant);
        match event {
            Event::Begins => {
                let violations = known.objections_to_exchange(now);
                self.violations.extend(violations.map(|what| format!("{}: {what}", tenant.context())));
            }
            Event::Issued(ticket) => {
                known.issued.push((*ticket).clone());
                known.held = Some(((*ticket).clone(), ticket.issued_at()));
                known.failure = None;
            }
            Event::Failed(mood) => {
                known.failure = Some((Instant::now(), *mood));
                if *mood == Mood::Revoked {
                    known.held = None;
                }
            }
        }
    }

    fn handed_out(&mut self, tenant: &Tenant, ticket: &SystemUserTicket) {
        let now = self.clock.now();
        let objection = match &self.of(tenant).held {
            None => Some("a ticket was handed out that should be forgotten"),
            Some((held, _)) if !held.is_same_as(ticket) => Some("an old ticket was handed out"),
            Some((_, used))
                if now.duration_since(*used).unsigned_abs() + TicketCacheBuilder::RESERVE > LIFETIME =>
            {
                Some("an ended ticket was handed out")
            }
            _ => None,
        };
        self.violations.extend(objection.map(|what| format!("{}: {what}", tenant.context())));
    }

    fn touched(&mut self, tenant: &Tenant, ticket: &SystemUserTicket) {
        let now = self.clock.now();
        if let Some((held, used)) = &mut self.of(tenant).held
            && held.is_same_as(ticket)
        {
            *used = now;
        }
    }

    fn invalidated(&mut self, tenant: &Tenant, ticket: &SystemUserTicket) {
        let known = self.of(tenant);
        known.held = known.held.take().filter(|(held, _)| !held.is_same_as(ticket));
    }
}

impl Known {
    fn objections_to_exchange(&self, now: Timestamp) -> impl Iterator<Item = &'static str> + use<> {
        let is_fresh = |used: Timestamp| now.duration_since(used).unsigned_abs() < SURELY_FRESH;
        let fresh = self.held.as_ref().is_some_and(|(_, used)| is_fresh(*used));
        let pause = self.failure.map_or(Duration::ZERO, |(at, mood)| match mood {
            Mood::Revoked => ERROR_MEMORY.saturating_sub(at.elapsed()),
            _ => SHORTEST_PAUSE.saturating_sub(at.elapsed()),
        });
        let of_fresh = fresh.then_some("an exchange while there is a fresh ticket");
        let of_pause = (!pause.is_zero()).then_some("an exchange in the pause after a failure");
        of_fresh.into_iter().chain(of_pause)
    }

    fn pick(&self, oldest: bool) -> Option<SystemUserTicket> {
        if oldest { self.issued.first() } else { self.issued.last() }.cloned()
    }
}

async fn run(steps: Vec<Step>) -> Vec<String> {
    let bench = Bench::new();
    let model = Model { clock: Arc::clone(&bench.clock), known: HashMap::new(), violations: Vec::new() };
    let model = Arc::new(Mutex::new(model));
    let watching = Arc::clone(&model);
    *bench.service.watcher.lock() = Some(Box::new(move |tenant, event| watching.lock().see(tenant, &event)));
    let cache = bench.cache();
    for step in steps {
        take(&bench, &cache, &model, step).await;
    }
    let mut violations = std::mem::take(&mut model.lock().violations);
    if bench.service.accounts.lock().values().any(|account| account.most_at_once > 1) {
        violations.push("two exchanges at once for a tenant".into());
    }
    violations
}

async fn take(bench: &Bench, cache: &TicketCache, model: &Arc<Mutex<Model>>, step: Step) {
    match step {
        Step::Wait(time) => {
            advance(time).await;
            settle().await;
        }
        Step::Ask { tenant: number, callers } => ask(cache, model, &tenant(number), callers).await,
        Step::AskBriefly { tenant: number } => {
            let _ = timeout(Duration::from_millis(10), cache.ticket(&tenant(number))).await;
        }
        Step::Touch { tenant: number, oldest } => {
            let ticket = model.lock().of(&tenant(number)).pick(oldest);
            if let Some(ticket) = ticket {
                cache.touch(&tenant(number), &ticket);
                model.lock().touched(&tenant(number), &ticket);
            }
        }
        Step::Invalidate { tenant: number, oldest } => {
            let ticket = model.lock().of(&tenant(number)).pick(oldest);
            if let Some(ticket) = ticket {
                cache.invalidate(&tenant(number), &ticket);
                model.lock().invalidated(&tenant(number), &ticket);
            }
        }
        Step::Mood { tenant: number, mood } => bench.service.set(&tenant(number), mood),
        Step::Latency { tenant: number, latency } => bench.service.set_latency(&tenant(number), latency),
    }
}

async fn ask(cache: &TicketCache, model: &Arc<Mutex<Model>>, tenant: &Tenant, callers: usize) {
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (cache, model, tenant) = (cache.clone(), Arc::clone(model), tenant.clone());
        tasks.spawn(async move {
            if let Ok(ticket) = cache.ticket(&tenant).await {
                model.lock().handed_out(&tenant, &ticket);
            }
        });
    }
    tasks.join_all().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_cache_does_what_the_model_allows(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let violations = runtime.block_on(run(steps));
        prop_assert!(violations.is_empty(), "{violations:?}");
    }
}
