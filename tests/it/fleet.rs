//! Several processes that share tickets through a real Redis: how many exchanges they make between them when all goes
//! well, and at the most when it does not.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use soticket::ExchangeLimits;
use soticket_tests::{LoginService, Wire, soticket};
use tokio::time::sleep;

use crate::redis_process::RedisServer;

const MEMBERS: u64 = 4;
const TENANTS: u32 = 1_000;
const SIX_HOURS: Duration = Duration::from_secs(6 * 60 * 60);
/// So many exchanges into a cold start something happens.
const HALF_WAY: u64 = 300;
/// Longer than a member's lease, which is two seconds long.
const PAST_A_LEASE: Duration = Duration::from_secs(4);
/// What a member has under way at the most.
const UNDER_WAY: u64 = ExchangeLimits::DEFAULT_CONCURRENT as u64;

const STORE_KEY: &str = "9f8b1c0de2a4567788990011223344556677889900aabbccddeeff0011223344";

/// A login service, a Redis, and processes.
struct Fleet {
    service: LoginService,
    redis: RedisServer,
    tenants: u32,
    lifetime: Duration,
    /// One at a time: each keeps both cores busy.
    _turn: MutexGuard<'static, ()>,
}

/// One process of it, which is killed when it is dropped.
struct Member(Child);

/// When a member stops to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Once,
    UntilTold,
}

impl Fleet {
    fn new(tenants: u32, lifetime: Duration) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let service = LoginService::with_many_tenants(tenants, lifetime, Wire::Plain);
        Self { service, redis: RedisServer::start(), tenants, lifetime, _turn: turn }
    }

    fn member(&self, mode: Mode) -> Member {
        let mode = if mode == Mode::Once { "once" } else { "until-told" };
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleet-member"));
        command.arg(mode).arg(self.service.folder()).args([self.service.url(), &self.redis.url()]);
        command.arg(self.tenants.to_string()).arg(self.lifetime.as_secs().to_string());
        Member(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn members(&self, mode: Mode) -> Vec<Member> {
        (0..MEMBERS).map(|_| self.member(mode)).collect()
    }

    async fn exchanges(&self) -> u64 {
        self.service.statistics().await["exchanges"].as_u64().unwrap()
    }

    async fn until_half_way(&self) {
        while self.exchanges().await < HALF_WAY {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every member asked for each tenant once, and got a ticket that is good.
    fn all_got_everything(&self, members: impl IntoIterator<Item = Member>) {
        for member in members {
            let tally = member.tally();
            assert_eq!(tally["tickets"], self.tenants, "{tally}");
            assert_only_good_tickets(&tally);
        }
    }
}

fn assert_only_good_tickets(tally: &Value) {
    for what in ["failures", "ended", "refused"] {
        assert_eq!(tally[what], 0, "{tally}");
    }
}

impl Member {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Tells it to stop, and what it got.
    fn tally(mut self) -> Value {
        drop(self.0.stdin.take());
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(self.0.wait().unwrap().success());
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It has ended already where its tally was taken.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_make_one_exchange_for_each_of_a_thousand_tenants() {
    let fleet = Fleet::new(TENANTS, SIX_HOURS);
    fleet.all_got_everything(fleet.members(Mode::Once));
    let statistics = fleet.service.statistics().await;
    assert_eq!(statistics["exchanges"], TENANTS, "{statistics}");
    assert_eq!(statistics["most_for_one_tenant"], 1, "{statistics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_command_lines_share_the_tickets_of_a_list_of_tenants() {
    const TENANTS: u32 = 100;
    let fleet = Fleet::new(TENANTS, SIX_HOURS);
    let folder = fleet.service.folder();
    let rows = LoginService::many_tenants(TENANTS)
        .map(|tenant| format!("{},{}\n", tenant.context(), tenant.system_user_token().expose()));
    let list = format!("context,system_user_token\n{}", rows.collect::<String>());
    std::fs::write(folder.join("tenants.csv"), list).unwrap();
    let start = || {
        let mut command = soticket();
        command.args([
            "ticket",
            "--all",
            "--tenants",
            "tenants.csv",
            "--rate",
            "0",
            "--signer",
            "partner.xml",
        ]);
        command.env("SOTICKET_ENVIRONMENT", fleet.service.url()).env("SOTICKET_STORE", fleet.redis.url());
        command
            .env("SOTICKET_CLIENT_SECRET", LoginService::CLIENT_SECRET)
            .env("SOTICKET_STORE_KEY", STORE_KEY);
        command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let lines = |command: Child| {
        let output = command.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut lines: Vec<_> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let (first, second) = (start(), start());
    let (first, second) = (lines(first), lines(second));
    assert_eq!(first.len(), TENANTS as usize);
    assert!(first == second, "both have the same tickets");
    assert_eq!(fleet.exchanges().await, u64::from(TENANTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_costs_no_more_than_what_it_had_under_way() {
    let fleet = Fleet::new(TENANTS, SIX_HOURS);
    let mut members = fleet.members(Mode::Once);
    fleet.until_half_way().await;
    members[0].signal(Signal::KILL);
    fleet.all_got_everything(members.drain(1..));
    let exchanges = fleet.exchanges().await;
    assert!(exchanges <= u64::from(TENANTS) + UNDER_WAY, "{exchanges}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_sleeps_past_its_leases_costs_no_more_than_what_it_had_under_way() {
    let fleet = Fleet::new(TENANTS, SIX_HOURS);
    let mut members = fleet.members(Mode::Once);
    fleet.until_half_way().await;
    let sleeper = members.remove(0);
    sleeper.signal(Signal::STOP);
    fleet.all_got_everything(members);
    sleep(PAST_A_LEASE).await;
    sleeper.signal(Signal::CONT);
    fleet.all_got_everything([sleeper]);
    let exchanges = fleet.exchanges().await;
    assert!(exchanges <= u64::from(TENANTS) + UNDER_WAY, "{exchanges}");
    // What is kept now is good, whoever put it there.
    fleet.all_got_everything(fleet.members(Mode::Once));
    assert_eq!(fleet.exchanges().await, exchanges);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_killed_costs_one_exchange_for_each_tenant_and_process_at_the_most() {
    let mut fleet = Fleet::new(TENANTS, SIX_HOURS);
    let members = fleet.members(Mode::Once);
    fleet.until_half_way().await;
    fleet.redis.kill();
    sleep(PAST_A_LEASE).await;
    fleet.redis.restart();
    fleet.all_got_everything(members);
    let exchanges = fleet.exchanges().await;
    assert!(exchanges <= MEMBERS * u64::from(TENANTS), "{exchanges}");
    // It is used again: what it lacks is exchanged for once, and then shared.
    fleet.all_got_everything(fleet.members(Mode::Once));
    let refilled = fleet.exchanges().await;
    assert!(refilled <= exchanges + u64::from(TENANTS), "{refilled} after {exchanges}");
    fleet.all_got_everything(fleet.members(Mode::Once));
    assert_eq!(fleet.exchanges().await, refilled);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_nobody_is_handed_an_ended_ticket() {
    const TENANTS: u32 = 100;
    const LIFETIME: Duration = Duration::from_secs(8);
    const PAUSE: Duration = Duration::from_secs(3);
    let mut fleet = Fleet::new(TENANTS, LIFETIME);
    let mut members = fleet.members(Mode::UntilTold);
    sleep(PAUSE).await;
    members[0].signal(Signal::KILL);
    members[0] = fleet.member(Mode::UntilTold);
    sleep(PAUSE).await;
    members[1].signal(Signal::STOP);
    sleep(PAST_A_LEASE).await;
    members[1].signal(Signal::CONT);
    fleet.redis.kill();
    sleep(PAUSE).await;
    fleet.redis.restart();
    sleep(PAUSE).await;
    let mut tickets = 0;
    for member in members {
        let tally = member.tally();
        assert_only_good_tickets(&tally);
        tickets += tally["tickets"].as_u64().unwrap();
    }
    let exchanges = fleet.exchanges().await;
    assert!(tickets > exchanges, "they were kept: {tickets} tickets of {exchanges} exchanges");
}
