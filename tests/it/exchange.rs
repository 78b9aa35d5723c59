//! The exchange against a service that works, refuses, fails and lies about the time: the same over each transport.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use soticket::jiff::{SignedDuration, Timestamp};
use soticket::{
    Clock, Error, ErrorKind, ManualClock, RefusalReason, RetryPolicy, SystemUserClientBuilder,
    SystemUserTicket, Tenant, Timeouts, TrustRule,
};
use soticket_emulator::{Approval, Fault, FaultyBody, Refusal, RetryAfter, Sample, Scope, Times};

use crate::support::{Service, over_each, tenant};

/// Patient enough for a few failures, and quick.
fn retrying(builder: SystemUserClientBuilder) -> SystemUserClientBuilder {
    let pause = Duration::from_millis(1);
    builder.with_retry_policy(RetryPolicy::new().with_pauses(pause, pause))
}

fn kind(outcome: Result<SystemUserTicket, Error>) -> ErrorKind {
    outcome.unwrap_err().kind().clone()
}

fn reason(outcome: Result<SystemUserTicket, Error>) -> RefusalReason {
    match kind(outcome) {
        ErrorKind::Refused(refusal) => refusal.reason(),
        other => panic!("a refusal was expected and not {other:?}"),
    }
}

#[tokio::test]
async fn a_ticket_opens_the_tenants_api() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let ticket = service.client().ticket(&tenant()).await.unwrap();
        assert_eq!(ticket.claims().context_identifier(), Some(Sample::CONTEXT));
        assert_eq!(ticket.claims().serial(), Some(Sample::SERIAL));
        assert_eq!(ticket.clock_skew(), None);

        let api = ticket.claims().webapi_url().unwrap();
        let url = format!("{}/v1/User/currentPrincipal", api.as_str().trim_end_matches('/'));
        let http = soticket::reqwest::Client::new();
        let answer = http.get(&url).headers(ticket.headers()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut headers = ticket.headers();
        headers.remove("so-apptoken");
        assert_eq!(http.get(&url).headers(headers).send().await.unwrap().status(), 401);
    })
    .await;
}

/// A clock of which each reading is a second later than the one before.
#[derive(Debug)]
struct Hasty(AtomicI64);

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}

#[tokio::test]
async fn a_ticket_counts_from_when_it_was_asked_for_and_not_from_when_its_answer_came() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let start = service.emulator.clock().now();
        let clock = Hasty(AtomicI64::new(start.as_second()));
        let ticket =
            service.client_builder().with_clock(clock).build().unwrap().ticket(&tenant()).await.unwrap();
        assert_eq!(ticket.issued_at().as_second(), start.as_second());
    })
    .await;
}

#[tokio::test]
async fn a_jwt_can_be_had_now_and_validated_later() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let client = service.client();
        let jwt = client.jwt(&tenant()).await.unwrap();
        assert!(client.validate(&jwt, &tenant()).await.is_ok());
        let other = Tenant::new("Cust54321".parse().unwrap(), Sample::SYSTEM_USER_TOKEN.parse().unwrap());
        assert_eq!(kind(client.validate(&jwt, &other).await), ErrorKind::Untrusted(TrustRule::Tenant));
    })
    .await;
}

#[tokio::test]
async fn every_refusal_keeps_its_reason_and_names_a_cure() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        for (refusal, expected) in [
            (Refusal::Revoked, RefusalReason::Revoked),
            (Refusal::InvalidRedirectUrl, RefusalReason::InvalidRedirectUrl),
            (Refusal::Expired, RefusalReason::Expired),
            (Refusal::Denied, RefusalReason::Denied),
            (Refusal::NeedsReapproval, RefusalReason::NeedsReapproval),
            (Refusal::InvalidSignature, RefusalReason::InvalidSignature),
        ] {
            service.spoil_next_exchange(Fault::Refusal { code: refusal, text: None });
            let error = service.client().ticket(&tenant()).await.unwrap_err();
            assert!(error.to_string().contains(expected.cure()), "{error}");
            assert_eq!(reason(Err(error)), expected);
        }
    })
    .await;
}

#[tokio::test]
async fn natural_causes_are_refused_with_their_reasons() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        for (approval, expected) in [
            (Approval::Revoked, RefusalReason::Revoked),
            (Approval::Expired, RefusalReason::Expired),
            (Approval::Denied, RefusalReason::Denied),
            (Approval::NeedsReapproval, RefusalReason::NeedsReapproval),
        ] {
            service.emulator.set_approval(Sample::CONTEXT, approval).unwrap();
            assert_eq!(reason(service.client().ticket(&tenant()).await), expected);
        }
        service.emulator.set_approval(Sample::CONTEXT, Approval::Approved).unwrap();
        let wrong_token = Tenant::new(Sample::CONTEXT.parse().unwrap(), "Another App-x".parse().unwrap());
        assert_eq!(reason(service.client().ticket(&wrong_token).await), RefusalReason::Denied);
        let unknown = Tenant::new("Cust54321".parse().unwrap(), Sample::SYSTEM_USER_TOKEN.parse().unwrap());
        assert_eq!(reason(service.client().ticket(&unknown).await), RefusalReason::Denied);
        assert!(service.client().ticket(&tenant()).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_never_tried_again() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        service.spoil_next_exchange(Fault::Refusal { code: Refusal::Denied, text: None });
        let client = retrying(service.client_builder()).build().unwrap();
        assert_eq!(reason(client.ticket(&tenant()).await), RefusalReason::Denied);
        assert_eq!(exchanges_seen(&service), 1);
    })
    .await;
}

fn exchanges_seen(service: &Service) -> usize {
    service.emulator.log().iter().filter(|entry| entry.method == "POST").count()
}

#[tokio::test]
async fn passing_failures_are_tried_again() {
    over_each(async |transport| {
        let status = |status| Fault::Status { status, body: FaultyBody::Html };
        for fault in [
            status(502),
            status(503),
            status(504),
            Fault::TooManyRequests { retry_after: RetryAfter::Seconds(0) },
            Fault::Drop,
            Fault::DropMidBody,
        ] {
            let service = Service::over(transport).await;
            service.emulator.faults().queue(Scope::Exchange, Times::Count(2), fault.clone());
            let client = retrying(service.client_builder()).build().unwrap();
            assert!(client.ticket(&tenant()).await.is_ok(), "{fault:?}");
            assert_eq!(exchanges_seen(&service), 3, "{fault:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn failures_that_last_are_told_as_such_after_the_last_attempt() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let fault = Fault::Status { status: 503, body: FaultyBody::Empty };
        service.emulator.faults().queue(Scope::Exchange, Times::UntilCleared, fault);
        let client = retrying(service.client_builder()).build().unwrap();
        assert_eq!(kind(client.ticket(&tenant()).await), ErrorKind::Transport);
        assert_eq!(exchanges_seen(&service), RetryPolicy::DEFAULT_MAX_ATTEMPTS);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_asks_for_more_time_than_there_is_is_believed_at_once() {
    over_each(async |transport| {
        for retry_after in [RetryAfter::Seconds(3600), RetryAfter::Date(3600)] {
            let service = Service::over(transport).await;
            service.spoil_next_exchange(Fault::TooManyRequests { retry_after });
            let client = retrying(service.client_builder()).build().unwrap();
            let error = client.ticket(&tenant()).await.unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Transport);
            assert_eq!(exchanges_seen(&service), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn other_answers_are_not_tried_again_and_show_nothing_of_themselves() {
    over_each(async |transport| {
        let status = |status, body| Fault::Status { status, body };
        let redirect = |status| Fault::Redirect { status, location: "http://127.0.0.1:9/".into() };
        for (fault, expected) in [
            (status(500, FaultyBody::Html), ErrorKind::Protocol),
            (status(500, FaultyBody::Empty), ErrorKind::Protocol),
            (status(400, FaultyBody::Empty), ErrorKind::Protocol),
            (Fault::InternalError, ErrorKind::Protocol),
            (status(404, FaultyBody::Empty), ErrorKind::Protocol),
            (status(200, FaultyBody::Html), ErrorKind::Protocol),
            (status(200, FaultyBody::Empty), ErrorKind::Protocol),
            (status(200, FaultyBody::Garbage), ErrorKind::Protocol),
            (status(200, FaultyBody::Huge(1 << 30)), ErrorKind::Untrusted(TrustRule::TooLarge)),
            (redirect(302), ErrorKind::Untrusted(TrustRule::Redirected)),
            (redirect(307), ErrorKind::Untrusted(TrustRule::Redirected)),
        ] {
            let service = Service::over(transport).await;
            service.spoil_next_exchange(fault.clone());
            let client = retrying(service.client_builder()).build().unwrap();
            let error = client.ticket(&tenant()).await.unwrap_err();
            assert_eq!(error.kind(), &expected, "{fault:?}: {error}");
            assert!(!error.to_string().contains('<'), "{error}");
            assert_eq!(exchanges_seen(&service), 1, "{fault:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_that_hangs_is_left_after_the_timeout() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        service.spoil_next_exchange(Fault::latency(Duration::from_secs(60)));
        let timeouts = Timeouts { request: Duration::from_millis(200), ..Timeouts::default() };
        let client = service.client_builder().with_timeouts(timeouts).build().unwrap();
        let error = client.ticket(&tenant()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Transport);
        assert!(error.to_string().contains("did not answer in time"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_not_there_is_a_transport_error() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let client = service.client();
        service.emulator.shutdown().await;
        let error = client.ticket(&tenant()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Transport);
        assert!(error.to_string().contains("cannot be reached"), "{error}");
    })
    .await;
}

/// A client whose clock is ahead of the service's by `ahead`.
fn with_wrong_clock(service: &Service, ahead: SignedDuration) -> SystemUserClientBuilder {
    let now = service.emulator.clock().now();
    service.client_builder().with_clock(ManualClock::new(now.checked_add(ahead).unwrap()))
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_once_and_told() {
    over_each(async |transport| {
        for hours in [-5, 5] {
            let service = Service::over(transport).await;
            let ahead = SignedDuration::from_hours(hours);
            let client = with_wrong_clock(&service, ahead).build().unwrap();
            let ticket = client.ticket(&tenant()).await.unwrap();
            let told = ticket.clock_skew().unwrap().seconds();
            assert!((told + ahead.as_secs()).abs() <= 2, "{told} s were told for {ahead:?}");
            assert_eq!(exchanges_seen(&service), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_within_the_services_window_costs_no_second_exchange() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let client = with_wrong_clock(&service, SignedDuration::from_secs(-150)).build().unwrap();
        let ticket = client.ticket(&tenant()).await.unwrap();
        assert!(ticket.clock_skew().is_some());
        assert_eq!(exchanges_seen(&service), 1);
    })
    .await;
}

#[tokio::test]
async fn a_clock_within_the_limit_is_not_mentioned() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let client = with_wrong_clock(&service, SignedDuration::from_secs(20)).build().unwrap();
        assert_eq!(client.ticket(&tenant()).await.unwrap().clock_skew(), None);
    })
    .await;
}

#[tokio::test]
async fn a_time_stamp_that_is_refused_twice_is_a_refusal() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let refusal = Fault::Refusal { code: Refusal::InvalidTimestamp, text: None };
        service.emulator.faults().queue(Scope::Exchange, Times::UntilCleared, refusal);
        assert_eq!(reason(service.client().ticket(&tenant()).await), RefusalReason::InvalidTimestamp);
        assert_eq!(exchanges_seen(&service), 2);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_shows_a_wrong_time_does_not_spoil_a_good_jwt() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        service.spoil_next_exchange(Fault::WrongDate { seconds: 7200 });
        let ticket = service.client().ticket(&tenant()).await.unwrap();
        let told = ticket.clock_skew().unwrap().seconds();
        assert!((told - 7200).abs() <= 2, "it is told all the same: {told} s");
    })
    .await;
}

#[tokio::test]
async fn a_jwt_that_is_late_by_both_clocks_is_refused_and_the_skew_is_told() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        service.spoil_next_exchange(Fault::WrongDate { seconds: 600 });
        service.break_next_jwt(soticket_emulator::JwtDefect::Expired);
        let error = service.client().ticket(&tenant()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::NotExpired));
        assert!(error.to_string().contains("this machine's clock is"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_refusal_that_echoes_the_secret_is_cleaned() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let text = format!("no application has the secret {}", Sample::CLIENT_SECRET);
        service.spoil_next_exchange(Fault::Refusal { code: Refusal::Denied, text: Some(text) });
        let error = service.client().ticket(&tenant()).await.unwrap_err();
        assert!(!error.to_string().contains(Sample::CLIENT_SECRET), "{error}");
    })
    .await;
}
