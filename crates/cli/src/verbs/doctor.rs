//! `soticket doctor`: every link of the chain, in order; what depends on a broken link is skipped.

mod finding;
#[cfg(feature = "pkcs11")]
mod token;

use std::path::Path;
use std::sync::Arc;

use soticket::signer::prove_possession;
use soticket::{ErrorKind, SystemUserClient, Tenant, TokenSigner, TrustRule};

use crate::args::{DoctorArgs, Format};
use crate::failure::{Exit, Failure};
use crate::output::{print_json, print_line};
use crate::settings::Settings;
use finding::{Finding, Findings, Outcome};

const CONFIGURATION: &str = "configuration";
const SIGNER: &str = "signer";
const CLOCK: &str = "clock";
const NETWORK: &str = "network";
const KEYS: &str = "JWT keys";
const EXCHANGE: &str = "exchange";

pub(crate) async fn run(args: DoctorArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let format = args.format;
    let exchange = if args.exchange { Exchange::Wanted } else { Exchange::NotWanted };
    let mut findings = Findings::default();
    examine(args, config, exchange, &mut findings).await;
    match format {
        Format::Text => findings.iter().try_for_each(|finding| print_line(&finding.to_string()))?,
        Format::Json => print_json(&findings.as_json())?,
    }
    Ok(findings.exit())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exchange {
    Wanted,
    NotWanted,
}

async fn examine(args: DoctorArgs, config: Option<&Path>, exchange: Exchange, findings: &mut Findings) {
    let settings = match Settings::new(args.connection, config) {
        Ok(settings) => settings,
        Err(failure) => {
            findings.failed(CONFIGURATION, failure, "correct the settings as the message says");
            return findings.skip(&[SIGNER, CLOCK, NETWORK, KEYS, EXCHANGE], "the settings cannot be read");
        }
    };
    let tenant = configuration(&settings, findings);
    let signer = match token_links(&settings, findings).await {
        Chain::Whole => signer(&settings, findings).await,
        Chain::Broken => {
            findings.skip(&[SIGNER], "a link to the token is broken");
            None
        }
    };
    let (Some(tenant), Some(signer)) = (tenant, signer) else {
        return findings.skip(&[CLOCK, NETWORK, KEYS, EXCHANGE], "something before it is missing");
    };
    match settings.client(signer) {
        Ok(client) => service(&client, &tenant, exchange, findings).await,
        Err(failure) => {
            findings.failed(CONFIGURATION, failure, "correct the settings as the message says");
            findings.skip(&[CLOCK, NETWORK, KEYS, EXCHANGE], "there is no client without it");
        }
    }
}

/// Whether everything is set that a ticket needs.
fn configuration(settings: &Settings, findings: &mut Findings) -> Option<Tenant> {
    let everything = || {
        let environment = settings.environment()?;
        let signer = settings.signer_uri()?;
        let tenant = settings.tenant()?;
        settings.client_secret()?;
        settings.pinned_keys()?;
        settings.extra_roots()?;
        let told = format!("environment {environment}, tenant {}, signer {signer}", tenant.context());
        Ok((tenant, told))
    };
    match everything() {
        Ok((tenant, told)) => {
            findings.ok(CONFIGURATION, told);
            Some(tenant)
        }
        Err(failure) => {
            findings.failed(
                CONFIGURATION,
                failure,
                "set what is missing by a flag, the environment or soticket.toml",
            );
            None
        }
    }
}

/// Whether there is a way from the URI to a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    Whole,
    #[cfg_attr(not(feature = "pkcs11"), expect(dead_code, reason = "key files have no links"))]
    Broken,
}

/// The links between the URI and the token, if the key is in one.
#[cfg(feature = "pkcs11")]
async fn token_links(settings: &Settings, findings: &mut Findings) -> Chain {
    match settings.signer_uri() {
        Ok(uri) if uri.as_pkcs11().is_some() => token::examine(settings, &uri, findings).await,
        _ => Chain::Whole,
    }
}

#[cfg(not(feature = "pkcs11"))]
#[expect(clippy::unused_async, reason = "with the backend, it waits for the token")]
async fn token_links(_: &Settings, _: &mut Findings) -> Chain {
    Chain::Whole
}

/// Whether the key is found, signs, and its signature verifies.
async fn signer(settings: &Settings, findings: &mut Findings) -> Option<Arc<dyn TokenSigner>> {
    let proven = async {
        let signer = settings.signer().await?;
        prove_possession(&*signer).await?;
        Ok::<_, Failure>(signer)
    };
    match proven.await {
        Ok(signer) => {
            let info = signer.key_info();
            findings.ok(SIGNER, format!("{info} signs, and its signature verifies"));
            info.warnings().iter().for_each(|warning| findings.warning(SIGNER, warning));
            Some(signer)
        }
        Err(failure) => {
            findings.failed(
                SIGNER,
                failure,
                "name the right key by --signer, or repair it as the message says",
            );
            None
        }
    }
}

/// What can be learned of the service: its clock, the way to it, its keys, and whether it gives a ticket.
async fn service(client: &SystemUserClient, tenant: &Tenant, exchange: Exchange, findings: &mut Findings) {
    let reached = client.clock_skew().await;
    let url = client.environment().base_url();
    match reached {
        Ok(skew) => {
            match skew {
                Some(skew) if skew.exceeds(soticket::ClockSkew::DEFAULT_LIMIT) => {
                    findings.push(Finding::new(
                        CLOCK,
                        Outcome::Failed(Exit::Untrusted),
                        vec![skew.to_string()],
                        "set this machine's clock, by NTP best",
                    ))
                }
                Some(skew) => {
                    findings.ok(CLOCK, format!("within {} s of the service's", skew.seconds().abs() + 1))
                }
                None => findings.skip(&[CLOCK], "the service does not tell the time"),
            }
            findings.ok(NETWORK, format!("{url} answers"));
        }
        Err(error) => {
            findings.skip(&[CLOCK], "the service was not reached");
            let cure = network_cure(error.kind());
            findings.failed(NETWORK, error.into(), cure);
            findings.skip(&[KEYS, EXCHANGE], "the service was not reached");
            return;
        }
    }
    keys(client, findings).await;
    match exchange {
        Exchange::Wanted => try_exchange(client, tenant, findings).await,
        Exchange::NotWanted => {
            findings.skip(&[EXCHANGE], "it costs the tenant a database record; add --exchange")
        }
    }
}

fn network_cure(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Untrusted(TrustRule::Tls) => {
            "if a proxy of your company or an emulator is between, name its authority by --ca-file"
        }
        ErrorKind::Transport => "let this machine reach the host by name and port, or set HTTPS_PROXY",
        _ => "check --environment, and what is between this machine and SuperOffice",
    }
}

async fn keys(client: &SystemUserClient, findings: &mut Findings) {
    match client.load_keys().await {
        Ok(count) => findings.ok(KEYS, format!("{count} to verify JWTs with")),
        Err(error) => {
            let cure =
                "pin the environment's certificate by --pinned-certificate, or repair the way to the service";
            findings.failed(KEYS, error.into(), cure);
        }
    }
}

async fn try_exchange(client: &SystemUserClient, tenant: &Tenant, findings: &mut Findings) {
    match client.ticket(tenant).await {
        Ok(ticket) => findings.ok(EXCHANGE, format!("a ticket that is good until {}", ticket.expires_at())),
        Err(error) => {
            let cure = match error.kind() {
                ErrorKind::Refused(refusal) => refusal.reason().cure(),
                kind => network_cure(kind),
            };
            findings.failed(EXCHANGE, error.into(), cure);
        }
    }
}
