//! Calls to tenants' APIs: tickets that live as long as they are used, tenants that move and go down.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use soticket::jiff::{SignedDuration, Timestamp};
use soticket::reqwest::{self, Method, Response, StatusCode};
use soticket::{
    ApiClient, ApiError, ApiErrorKind, ErrorKind, RetryPolicy, SystemUserClient, Tenant, TenantState,
    TicketCache, TrustRule,
};
use soticket_emulator::{
    Approval, Config, Emulator, Fault, FaultyBody, ManyTenants, Sample, Scope, TenantState as EmulatedState,
    Times,
};

use crate::support::{partner_key_xml, signer, tenant};

const PATH: &str = "v1/User/currentPrincipal";

/// The emulator's clock, for both sides.
#[derive(Debug)]
struct OneClock(soticket_emulator::Clock);

impl soticket::Clock for OneClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// An emulator whose clock is moved by hand, and a client that goes by the same clock.
struct Bench {
    emulator: Emulator,
    api: ApiClient,
}

fn config() -> Config {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("partner.xml"), partner_key_xml()).unwrap();
        folder
    });
    let config = Config::sample(folder.path().join("partner.xml")).unwrap();
    config.with_many_tenants(&ManyTenants::new(Sample::APPLICATION, 2))
}

fn another_tenant() -> Tenant {
    let token = ManyTenants::system_user_token(Sample::APPLICATION, "Cust10000");
    Tenant::new("Cust10000".parse().unwrap(), token.parse().unwrap())
}

fn gone_for_good(status: u16) -> Fault {
    Fault::Status { status, body: FaultyBody::Empty }
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

impl Bench {
    async fn start() -> Self {
        let clock = soticket_emulator::Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
        let emulator =
            Emulator::builder().with_config(config()).with_clock(clock.clone()).start().await.unwrap();
        let secret = Sample::CLIENT_SECRET.parse().unwrap();
        let client = SystemUserClient::builder(emulator.url().parse().unwrap(), secret, signer())
            .with_retry_policy(RetryPolicy::never())
            .with_clock(OneClock(clock));
        let api = ApiClient::new(TicketCache::new(client.build().unwrap()));
        Self { emulator, api }
    }

    async fn get(&self) -> Result<Response, ApiError> {
        self.api.get(&tenant(), PATH).await
    }

    async fn status(&self) -> u16 {
        self.get().await.unwrap().status().as_u16()
    }

    async fn error(&self) -> ApiError {
        self.get().await.unwrap_err()
    }

    fn advance(&self, by: SignedDuration) {
        self.emulator.clock().advance(by);
    }

    fn set_state(&self, state: EmulatedState) {
        self.emulator.set_tenant_state(Sample::CONTEXT, state).unwrap();
    }

    fn spoil(&self, scope: Scope, times: Times, fault: Fault) {
        self.emulator.faults().queue_for(Sample::CONTEXT, scope, times, fault);
    }

    fn requests(&self, part: &str) -> usize {
        self.emulator.log().iter().filter(|entry| entry.path.to_lowercase().contains(part)).count()
    }

    fn states_asked(&self) -> usize {
        self.requests("/api/state/")
    }

    fn calls_seen(&self) -> usize {
        self.requests("/currentprincipal")
    }
}

#[tokio::test]
async fn a_ticket_in_use_outlives_many_lifetimes_with_one_exchange() {
    let bench = Bench::start().await;
    for _ in 0..30 {
        assert_eq!(bench.status().await, 200);
        bench.advance(SignedDuration::from_hours(5));
    }
    assert_eq!(bench.emulator.exchanges(), 1);
    bench.advance(SignedDuration::from_hours(2));
    assert_eq!(bench.status().await, 200);
    assert_eq!(bench.emulator.exchanges(), 2, "nobody used it for longer than it lives");
}

#[tokio::test]
async fn answers_that_are_no_success_do_not_keep_a_ticket_alive() {
    let bench = Bench::start().await;
    assert_eq!(bench.status().await, 200);
    bench.spoil(Scope::Api, Times::UntilCleared, gone_for_good(404));
    for _ in 0..3 {
        bench.advance(SignedDuration::from_hours(3));
        assert_eq!(bench.status().await, 404);
    }
    assert_eq!(bench.emulator.exchanges(), 2);
}

#[tokio::test]
async fn a_ticket_that_was_ended_is_replaced_once_and_the_call_succeeds() {
    let bench = Bench::start().await;
    assert_eq!(bench.status().await, 200);
    bench.advance(minutes(5));
    bench.emulator.end_tickets(Sample::CONTEXT);
    let fills = AtomicUsize::new(0);
    let fill = |request| {
        fills.fetch_add(1, Ordering::Relaxed);
        request
    };
    let answer = bench.api.send(&tenant(), Method::GET, PATH, fill).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("SystemUser"));
    assert_eq!(fills.load(Ordering::Relaxed), 2, "what is repeated is made anew");
    assert_eq!((bench.emulator.exchanges(), bench.calls_seen()), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_with_an_ended_ticket_share_one_exchange() {
    let bench = Arc::new(Bench::start().await);
    for round in 1..=3 {
        assert_eq!(bench.status().await, 200);
        bench.advance(minutes(5));
        bench.emulator.end_tickets(Sample::CONTEXT);
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let bench = Arc::clone(&bench);
                tokio::spawn(async move { bench.status().await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), 200);
        }
        assert_eq!(bench.emulator.exchanges(), 1 + round);
    }
}

#[tokio::test]
async fn a_call_that_is_forbidden_for_good_does_not_exchange_each_time() {
    let bench = Bench::start().await;
    bench.spoil(Scope::Api, Times::UntilCleared, gone_for_good(403));
    for _ in 0..40 {
        assert_eq!(bench.status().await, 403);
    }
    assert_eq!(bench.emulator.exchanges(), 2, "one ticket, and one to see that it is not the ticket");
    assert_eq!(bench.calls_seen(), 41, "nor is it repeated");
    for expected in [3, 4] {
        bench.advance(SignedDuration::try_from(2 * ApiClient::FORBIDDEN_MEMORY).unwrap());
        for _ in 0..10 {
            assert_eq!(bench.status().await, 403);
        }
        assert_eq!(bench.emulator.exchanges(), expected);
    }
    assert_eq!(bench.api.get(&another_tenant(), PATH).await.unwrap().status(), 200);
    bench.emulator.faults().clear();
    assert_eq!(bench.status().await, 200);
    assert_eq!(bench.emulator.exchanges_of(Sample::CONTEXT).unwrap(), 4);
}

#[tokio::test]
async fn while_403_is_no_matter_of_tickets_a_401_still_is() {
    let bench = Bench::start().await;
    bench.spoil(Scope::Api, Times::Count(2), gone_for_good(403));
    assert_eq!(bench.status().await, 403);
    bench.advance(minutes(2));
    bench.emulator.end_tickets(Sample::CONTEXT);
    assert_eq!(bench.status().await, 200);
    assert_eq!(bench.emulator.exchanges(), 3);
}

#[tokio::test]
async fn neither_a_401_for_good_nor_one_that_alternates_with_trouble_exchanges_each_time() {
    let bench = Bench::start().await;
    bench.spoil(Scope::Api, Times::UntilCleared, gone_for_good(401));
    for _ in 0..40 {
        assert_eq!(bench.status().await, 401);
    }
    assert_eq!(bench.emulator.exchanges(), 2);

    let bench = Bench::start().await;
    for _ in 0..20 {
        bench.emulator.faults().clear();
        bench.spoil(Scope::Api, Times::ONCE, gone_for_good(401));
        bench.spoil(Scope::Api, Times::ONCE, gone_for_good(500));
        bench.status().await;
    }
    assert_eq!(bench.emulator.exchanges(), 2);
}

#[tokio::test]
async fn a_tenant_that_moved_is_found_at_its_new_address() {
    let bench = Bench::start().await;
    assert_eq!(bench.status().await, 200);
    for moves in 1..=3 {
        bench.emulator.move_tenant(Sample::CONTEXT).await.unwrap();
        assert_eq!(bench.status().await, 200);
        assert_eq!(bench.status().await, 200);
        assert_eq!(bench.states_asked(), 1 + moves);
    }
    assert_eq!(bench.emulator.exchanges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_to_a_tenant_that_moved_ask_once() {
    let bench = Arc::new(Bench::start().await);
    assert_eq!(bench.status().await, 200);
    bench.emulator.move_tenant(Sample::CONTEXT).await.unwrap();
    bench.spoil(Scope::State, Times::UntilCleared, Fault::latency(std::time::Duration::from_millis(50)));
    let calls = (0..20).map(|_| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.status().await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(bench.states_asked(), 2);
}

#[tokio::test]
async fn a_tenant_that_is_nowhere_is_an_error_that_does_not_hammer() {
    let bench = Bench::start().await;
    bench.spoil(Scope::Api, Times::UntilCleared, gone_for_good(421));
    for _ in 0..10 {
        let error = bench.error().await;
        assert_eq!(error.kind(), &ApiErrorKind::Misdirected);
        assert!(error.is_retryable() && error.to_string().contains("421"), "{error}");
    }
    assert_eq!((bench.states_asked(), bench.calls_seen()), (2, 11));
    assert_eq!(bench.emulator.exchanges(), 1);
}

#[tokio::test]
async fn an_address_is_kept_for_as_long_as_it_is_valid() {
    let bench = Bench::start().await;
    for _ in 0..9 {
        assert_eq!(bench.status().await, 200);
        bench.advance(minutes(1));
    }
    assert_eq!(bench.states_asked(), 1);
    bench.advance(minutes(1));
    assert_eq!(bench.status().await, 200);
    assert_eq!(bench.states_asked(), 2);
}

#[tokio::test]
async fn where_the_state_cannot_be_asked_for_an_older_address_stays_in_use() {
    let bench = Bench::start().await;
    assert_eq!(bench.status().await, 200);
    bench.advance(minutes(20));
    bench.spoil(Scope::State, Times::UntilCleared, gone_for_good(503));
    for _ in 0..10 {
        assert_eq!(bench.status().await, 200);
    }
    assert_eq!(bench.states_asked(), 2, "it is left alone for a while");
    bench.emulator.faults().clear();
    bench.advance(minutes(1));
    assert_eq!(bench.status().await, 200);
    assert_eq!(bench.states_asked(), 3);
}

#[tokio::test]
async fn a_state_that_was_never_known_is_an_error_and_costs_no_exchange() {
    let bench = Bench::start().await;
    bench.spoil(Scope::State, Times::UntilCleared, gone_for_good(503));
    for _ in 0..10 {
        let error = bench.error().await;
        assert_eq!(error.kind(), &ApiErrorKind::State(ErrorKind::Transport));
        assert!(error.is_retryable());
    }
    assert_eq!((bench.states_asked(), bench.emulator.exchanges()), (1, 0));
    assert_eq!(bench.api.get(&another_tenant(), PATH).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_tenant_that_is_down_is_named_by_its_state_and_costs_nothing() {
    let bench = Bench::start().await;
    for &state in EmulatedState::ALL.iter().filter(|state| !state.is_running()) {
        bench.set_state(state);
        bench.advance(minutes(1));
        for _ in 0..5 {
            let error = bench.error().await;
            let ApiErrorKind::TenantDown(told) = error.kind() else { panic!("{state:?}: {error}") };
            assert_eq!(told.name(), format!("{state:?}"));
            assert!(error.to_string().contains(told.name()) && error.to_string().contains(told.advice()));
            assert_eq!(error.is_retryable(), told.is_passing());
        }
    }
    assert_eq!((bench.emulator.exchanges(), bench.calls_seen()), (0, 0));
    for &state in EmulatedState::ALL.iter().filter(|state| state.is_running()) {
        bench.set_state(state);
        bench.advance(minutes(1));
        assert_eq!(bench.status().await, 200, "{state:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_goes_down_is_noticed_and_so_is_its_return() {
    let bench = Bench::start().await;
    assert_eq!(bench.status().await, 200);
    bench.set_state(EmulatedState::OfflineMaintenance);
    for _ in 0..10 {
        let error = bench.error().await;
        assert_eq!(error.kind(), &ApiErrorKind::TenantDown(TenantState::OfflineMaintenance));
        assert!(error.to_string().contains("minutes"), "{error}");
    }
    assert_eq!((bench.states_asked(), bench.calls_seen(), bench.emulator.exchanges()), (2, 2, 1));
    bench.set_state(EmulatedState::Running);
    bench.advance(SignedDuration::try_from(ApiClient::DOWN_VALIDITY).unwrap());
    assert_eq!(bench.status().await, 200);
    assert_eq!(bench.emulator.exchanges(), 1);
}

#[tokio::test]
async fn an_api_in_trouble_is_not_asked_twice_and_its_state_only_now_and_then() {
    let bench = Bench::start().await;
    bench.spoil(Scope::Api, Times::UntilCleared, gone_for_good(503));
    for _ in 0..10 {
        assert_eq!(bench.status().await, 503, "the tenant runs, so the answer is the caller's");
    }
    assert_eq!((bench.states_asked(), bench.calls_seen()), (2, 10));
    bench.emulator.faults().clear();
    bench.spoil(Scope::Api, Times::ONCE, Fault::Drop);
    let error = bench.error().await;
    assert_eq!(error.kind(), &ApiErrorKind::Transport);
    assert!(error.is_retryable() && std::error::Error::source(&error).is_some());
    assert_eq!(bench.calls_seen(), 11, "it may have been carried out");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_takes_no_ticket_elsewhere() {
    let bench = Bench::start().await;
    let elsewhere = Emulator::builder().with_config(config()).start().await.unwrap();
    for status in [301, 302, 307, 308] {
        let location = format!("{}/Cust12345/api/{PATH}", elsewhere.url());
        bench.spoil(Scope::Api, Times::ONCE, Fault::Redirect { status, location });
        assert_eq!(bench.status().await, status);
    }
    assert!(elsewhere.log().is_empty());
}

#[tokio::test]
async fn an_address_that_cannot_be_trusted_gets_no_ticket() {
    let bench = Bench::start().await;
    for api in ["http://example.com/Cust12345/api", "https://user@127.0.0.1/api", "ftp://127.0.0.1/api"] {
        bench.emulator.faults().clear();
        bench.spoil(Scope::State, Times::UntilCleared, Fault::OtherAddress { api: api.into() });
        bench.advance(minutes(1));
        let error = bench.error().await;
        let expected = ApiErrorKind::State(ErrorKind::Untrusted(TrustRule::TenantAddress));
        assert_eq!(error.kind(), &expected, "{error}");
        assert!(!error.is_retryable());
    }
    assert_eq!((bench.emulator.exchanges(), bench.calls_seen()), (0, 0));
}

#[tokio::test]
async fn paths_that_lead_elsewhere_are_refused_before_anything_is_sent() {
    let bench = Bench::start().await;
    let elsewhere = Emulator::builder().with_config(config()).start().await.unwrap();
    let absolute = format!("{}/Cust12345/api/{PATH}", elsewhere.url());
    let other_tenant = format!("../../Cust10000/api/{PATH}");
    for path in [&*absolute, absolute.trim_start_matches("http:"), "\\\\127.0.0.1\\", "/v1", &other_tenant] {
        let error = bench.api.get(&tenant(), path).await.unwrap_err();
        assert_eq!(error.kind(), &ApiErrorKind::Configuration, "{path}");
        assert!(!error.is_retryable());
    }
    assert!(bench.emulator.log().is_empty(), "not even the state was asked for");
    let replaced = |_| reqwest::Client::new().get(&absolute);
    let error = bench.api.send(&tenant(), Method::GET, PATH, replaced).await.unwrap_err();
    assert_eq!(error.kind(), &ApiErrorKind::Configuration);
    assert!(elsewhere.log().is_empty());
    assert_eq!((bench.emulator.exchanges(), bench.calls_seen()), (0, 0));
}

#[tokio::test]
async fn what_is_added_to_a_request_is_sent_but_for_what_is_ours() {
    let bench = Bench::start().await;
    let fill = |request: reqwest::RequestBuilder| {
        let request = request.header("Authorization", "Bearer mine").header("SO-AppToken", "mine");
        request.header("Host", "example.com").header("Accept", "application/json")
    };
    let path = format!("{PATH}?$select=FullName");
    let answer = bench.api.send(&tenant(), Method::GET, &path, fill).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.url().query(), Some("$select=FullName"));
    let post = bench.api.send(&tenant(), Method::POST, PATH, |request| request.body("{}")).await.unwrap();
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// The head of the one request that is answered.
fn heard(listener: std::net::TcpListener) -> std::thread::JoinHandle<String> {
    use std::io::{BufRead as _, Write as _};
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<_> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
        head.join("\n")
    })
}

#[tokio::test]
async fn what_goes_over_the_wire_names_the_tenants_host_and_each_credential_once() {
    let bench = Bench::start().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let api = format!("http://{host}/Cust12345/api");
    bench.spoil(Scope::State, Times::ONCE, Fault::OtherAddress { api });
    let wire = heard(listener);
    let fill = |request: reqwest::RequestBuilder| {
        request.header("Host", "example.com").header("Authorization", "Bearer mine").header("X-Mine", "1")
    };
    let answer = bench.api.send(&tenant(), Method::DELETE, "v1/Contact/5?a=b", fill).await.unwrap();
    assert_eq!(answer.status(), 204);
    let wire = wire.join().unwrap().to_lowercase();
    let ticket = bench.api.cache().ticket(&tenant()).await.unwrap();
    assert!(wire.starts_with("delete /cust12345/api/v1/contact/5?a=b http/1.1\n"), "{wire}");
    for (line, times) in [
        (format!("host: {host}"), 1),
        (format!("authorization: soticket {}", ticket.expose().to_lowercase()), 1),
        (format!("so-apptoken: {}", Sample::CLIENT_SECRET), 1),
        ("x-mine: 1".into(), 1),
        ("mine".into(), 1),
        ("example.com".into(), 0),
    ] {
        assert_eq!(wire.matches(&line).count(), times, "{line}");
    }
}

#[tokio::test]
async fn a_network_that_is_away_is_told() {
    let Bench { emulator, api } = Bench::start().await;
    assert_eq!(api.get(&tenant(), PATH).await.unwrap().status(), 200);
    emulator.shutdown().await;
    let error = api.get(&tenant(), PATH).await.unwrap_err();
    assert_eq!(error.kind(), &ApiErrorKind::Transport, "not the state's, which is known");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_ticket_that_is_refused_is_the_error() {
    let bench = Bench::start().await;
    bench.emulator.set_approval(Sample::CONTEXT, Approval::Revoked).unwrap();
    let error = bench.error().await;
    assert!(matches!(error.kind(), ApiErrorKind::Ticket(ErrorKind::Refused(_))), "{error}");
    assert!(!error.is_retryable());
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.downcast_ref::<soticket::Error>().is_some());
}

#[tokio::test]
async fn the_state_of_one_tenant_can_be_asked_for_alone() {
    let bench = Bench::start().await;
    let client = bench.api.cache().client();
    let status = client.tenant_status(tenant().context()).await.unwrap();
    assert_eq!((status.state, status.is_running), (TenantState::Running, true));
    assert_eq!(status.api.unwrap().as_str(), format!("{}/Cust12345/api/", bench.emulator.url()));
    assert_eq!(status.valid_until, bench.emulator.clock().now().checked_add(minutes(10)).unwrap());
    let unknown = client.tenant_status(&"Cust54321".parse().unwrap()).await.unwrap();
    assert_eq!((unknown.state, unknown.is_running, unknown.api), (TenantState::Unknown, false, None));
}
