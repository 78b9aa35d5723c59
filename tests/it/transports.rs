//! Both transports side by side: one table of scenarios, and each comes out the same.

use std::time::Duration;

use soticket::jiff::SignedDuration;
use soticket::{
    ErrorKind, ManualClock, RetryPolicy, SystemUserClient, Tenant, Timeouts, Transport, TrustRule,
};
use soticket_emulator::{
    Approval, Config, Emulator, Fault, FaultyBody, JwtDefect, Refusal, RetryAfter, Sample, Scope, Times, Tls,
};

use crate::support::{Service, over_each, partner_key_xml, signer, tenant};

/// The service's clock, which stands still: what is said of times is compared too.
const NOW: &str = "2026-11-23T15:59:30Z";
/// How long is waited for a service that hangs, and how long it does; none else may come near that on a busy machine.
const SHORT_TIMEOUT: Duration = Duration::from_secs(2);
const HANGS_FOR: Duration = Duration::from_secs(20);

/// Something that happens to an exchange.
struct Scenario {
    name: String,
    /// Each strikes one request, in this order.
    faults: Vec<Fault>,
    /// Where they do.
    scope: Scope,
    timeout: Duration,
    approval: Approval,
    tenant: Tenant,
    /// How far this machine's clock is ahead of the service's, in seconds.
    clock_ahead: i64,
}

impl Scenario {
    fn new(name: impl Into<String>) -> Self {
        let (faults, approval) = (Vec::new(), Approval::Approved);
        let (scope, timeout) = (Scope::Exchange, Timeouts::DEFAULT_REQUEST);
        Self { name: name.into(), faults, scope, timeout, approval, tenant: tenant(), clock_ahead: 0 }
    }

    fn with(fault: Fault) -> Self {
        Self { name: format!("{fault:?}"), faults: vec![fault], ..Self::new("") }
    }

    async fn run_over(&self, transport: Transport) -> Outcome {
        let service = Service::over(transport).await;
        service.emulator.set_approval(Sample::CONTEXT, self.approval).unwrap();
        for fault in &self.faults {
            service.emulator.faults().queue(self.scope, Times::ONCE, fault.clone());
        }
        let ahead = SignedDuration::from_secs(self.clock_ahead);
        service.emulator.clock().set(NOW.parse().unwrap());
        let now = service.emulator.clock().now().checked_add(ahead).unwrap();
        let pause = Duration::from_millis(1);
        let client = service
            .client_builder()
            .with_clock(ManualClock::new(now))
            .with_retry_policy(RetryPolicy::new().with_pauses(pause, pause).with_max_attempts(3))
            .with_timeouts(Timeouts { request: self.timeout, ..Timeouts::default() })
            .build()
            .unwrap();
        let outcome = client.ticket(&self.tenant).await;
        let requests = service.emulator.log().into_iter().filter(|entry| entry.method == "POST");
        let paths: Vec<_> = requests.map(|entry| entry.path.rsplit('/').next().unwrap().to_owned()).collect();
        let own = if transport == Transport::Rest { "Authenticate" } else { "PartnerSystemUserService.svc" };
        assert!(paths.iter().all(|path| path == own), "{transport} was asked for, and {paths:?} used");
        Outcome {
            requests: paths.len(),
            skew_is_told: outcome.as_ref().is_ok_and(|ticket| ticket.clock_skew().is_some()),
            failure: outcome
                .err()
                .map(|error| (error.kind().clone(), error.is_retryable(), error.to_string())),
        }
    }
}

/// What came of it, as a caller sees it.
#[derive(Debug, PartialEq)]
struct Outcome {
    requests: usize,
    skew_is_told: bool,
    failure: Option<(ErrorKind, bool, String)>,
}

impl Outcome {
    /// With the words that tell the transports apart taken out: addresses, and what is said of a form that is not known.
    fn without_form(mut self) -> Self {
        if let Some((kind, _, message)) = &mut self.failure {
            let words = message.split(' ').map(|word| if word.starts_with("http") { "URL" } else { word });
            *message = if *kind == ErrorKind::Protocol {
                String::new()
            } else {
                words.collect::<Vec<_>>().join(" ")
            };
        }
        self
    }
}

fn scenarios() -> Vec<Scenario> {
    let status = |status, body: &FaultyBody| Fault::Status { status, body: body.clone() };
    let mut all = vec![Scenario::new("nothing")];
    for approval in [Approval::Revoked, Approval::Expired, Approval::Denied, Approval::NeedsReapproval] {
        all.push(Scenario { approval, ..Scenario::new(format!("{approval:?}")) });
    }
    for (context, token) in
        [("Cust54321", Sample::SYSTEM_USER_TOKEN), (Sample::CONTEXT, "Another App-<x> & \"y\"")]
    {
        let tenant = Tenant::new(context.parse().unwrap(), token.parse().unwrap());
        all.push(Scenario { tenant, ..Scenario::new(format!("a tenant that is not known: {context}")) });
    }
    for seconds in [-18_000, -150, -20, 20, 150, 18_000] {
        all.push(Scenario { clock_ahead: seconds, ..Scenario::new(format!("a clock {seconds} s ahead")) });
    }
    let texts = [None, Some(String::new()), Some(format!("<&> {} for \"it\"", Sample::CLIENT_SECRET))];
    for (code, text) in Refusal::ALL.iter().flat_map(|code| texts.iter().map(|text| (*code, text.clone()))) {
        all.push(Scenario::with(Fault::Refusal { code, text }));
    }
    all.extend(JwtDefect::ALL.iter().map(|defect| Scenario::with(Fault::jwt(*defect))));
    for body in [FaultyBody::Empty, FaultyBody::Html, FaultyBody::Garbage, FaultyBody::Huge(1 << 22)] {
        all.extend(
            [200, 204, 400, 401, 403, 404, 415, 429, 500, 502, 503, 504]
                .map(|code| Scenario::with(status(code, &body))),
        );
    }
    for code in [301, 302, 307, 308] {
        all.push(Scenario::with(Fault::Redirect { status: code, location: "http://127.0.0.1:9/".into() }));
    }
    all.extend(
        [0, 3600].map(|seconds| {
            Scenario::with(Fault::TooManyRequests { retry_after: RetryAfter::Seconds(seconds) })
        }),
    );
    all.extend(
        [Fault::WithoutToken, Fault::SamlToken, Fault::InternalError, Fault::Drop, Fault::DropMidBody]
            .map(Scenario::with),
    );
    all.extend([-7200, 7200].map(|seconds| Scenario::with(Fault::WrongDate { seconds })));
    all.push(Scenario { timeout: SHORT_TIMEOUT, ..Scenario::with(Fault::latency(HANGS_FOR)) });
    for fault in [Fault::EmptyKeySet, Fault::GarbageKeys, status(500, &FaultyBody::Html)] {
        let name = format!("{fault:?} for the key set");
        all.push(Scenario { name, scope: Scope::Jwks, ..Scenario::with(fault) });
    }
    let lasting = status(503, &FaultyBody::Empty);
    all.push(Scenario { faults: vec![lasting; 3], ..Scenario::new("a failure that lasts") });
    all
}

#[tokio::test]
async fn every_scenario_comes_out_the_same_over_both() {
    for scenario in scenarios() {
        let [rest, soap] = [Transport::Rest, Transport::Soap].map(|transport| scenario.run_over(transport));
        let (rest, soap) = tokio::join!(rest, soap);
        assert_eq!(rest.without_form(), soap.without_form(), "{}", scenario.name);
    }
}

/// The one rule that needs a service of another kind.
#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_over_both() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("partner.xml");
    std::fs::write(&key_file, partner_key_xml()).unwrap();
    let config = Config::sample(&key_file).unwrap();
    let emulator = Emulator::builder().with_config(config).with_tls(Tls::ThrowAway).start().await.unwrap();
    over_each(async |transport| {
        let secret = Sample::CLIENT_SECRET.parse().unwrap();
        let builder = SystemUserClient::builder(emulator.url().parse().unwrap(), secret, signer());
        let client = builder.with_transport(transport).build().unwrap();
        let error = client.ticket(&tenant()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::Tls));
        assert!(emulator.log().is_empty(), "no secret was sent");
    })
    .await;
}
