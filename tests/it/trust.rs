//! Every way in which the emulator can break a JWT, and the rule that notices it: the emulator's own list, so
//! that a defect without a rule cannot be added. The same over each transport.

use soticket::{ErrorKind, PinnedKeys, TrustRule};
use soticket_emulator::{Fault, JwtDefect};

use crate::support::{Service, over_each, tenant};

/// Asserts that `error` names the rule that `defect` breaks.
fn assert_named(error: &soticket::Error, defect: JwtDefect) {
    let name = defect.name();
    let ErrorKind::Untrusted(named) = error.kind() else { panic!("{name}: {error}") };
    assert_eq!(*named, rule(name), "{name}: {error}");
}

/// The rule that each defect breaks, by the defect's name.
fn rule(defect: &str) -> TrustRule {
    match defect {
        "alg-none" | "hs256-with-public-key" | "rs384" => TrustRule::Algorithm,
        "unknown-kid" => TrustRule::KeyIdKnown,
        "no-kid" => TrustRule::KeyIdPresent,
        "wrong-key" | "truncated" => TrustRule::Signature,
        "wrong-iss" => TrustRule::Issuer,
        "wrong-aud" => TrustRule::Audience,
        "aud-not-serial" => TrustRule::AudienceMatchesSerial,
        "expired" => TrustRule::NotExpired,
        "not-yet-valid" => TrustRule::AlreadyValid,
        "other-tenant" => TrustRule::Tenant,
        "missing-ticket" => TrustRule::TicketPresent,
        "empty-ticket" => TrustRule::TicketNotEmpty,
        "huge" => TrustRule::TooLarge,
        "numbers-as-strings" | "missing-exp" => TrustRule::TimesWellFormed,
        "duplicate-keys" => TrustRule::WellFormed,
        other => panic!("no rule is named for the defect `{other}`"),
    }
}

#[tokio::test]
async fn every_defect_of_a_jwt_is_noticed_by_its_own_rule() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let client = service.client();
        for &defect in JwtDefect::ALL {
            service.break_next_jwt(defect);
            let name = defect.name();
            let error =
                client.ticket(&tenant()).await.err().unwrap_or_else(|| panic!("{name} was not noticed"));
            assert_named(&error, defect);
        }
        assert!(client.ticket(&tenant()).await.is_ok(), "without a defect it is trusted");
    })
    .await;
}

#[tokio::test]
async fn a_pinned_certificate_notices_the_same_but_for_what_names_a_key() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let pinned =
            PinnedKeys::from_pem_or_der(service.emulator.federated_login_certificate_pem().as_bytes())
                .unwrap();
        let client = service.client_builder().with_pinned_keys(pinned).build().unwrap();
        for &defect in JwtDefect::ALL {
            service.break_next_jwt(defect);
            let outcome = client.ticket(&tenant()).await;
            match (defect.name(), outcome) {
                ("unknown-kid" | "no-kid", outcome) => assert!(outcome.is_ok(), "a pinned key needs no name"),
                (name, outcome) => {
                    let error = outcome.err().unwrap_or_else(|| panic!("{name} was not noticed"));
                    assert_named(&error, defect);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_certificate_of_another_environment_trusts_nothing() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        let other = Service::over(transport).await;
        let pinned =
            PinnedKeys::from_pem_or_der(other.emulator.federated_login_certificate_pem().as_bytes()).unwrap();
        let client = service.client_builder().with_pinned_keys(pinned).build().unwrap();
        let error = client.ticket(&tenant()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::Signature));
    })
    .await;
}

#[tokio::test]
async fn saml_is_refused_by_name_and_a_success_without_a_token_is_none() {
    over_each(async |transport| {
        let service = Service::over(transport).await;
        service.spoil_next_exchange(Fault::SamlToken);
        let error = service.client().ticket(&tenant()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Untrusted(TrustRule::NotSaml));
        service.spoil_next_exchange(Fault::WithoutToken);
        let error = service.client().ticket(&tenant()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Protocol);
    })
    .await;
}
