//! `soticket demo`: the whole flow on this machine, with everything that it needs made on the spot.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use soticket::{
    OpenSignerOptions, SignedSystemToken, SignerUri, SystemClock, SystemUserClient, SystemUserTicket, Tenant,
    TokenSigner, reqwest,
};
use soticket_emulator::{Config, Emulator, Sample, Tls};

use crate::failure::{Exit, Failure};
use crate::output::print_line;

pub(crate) async fn run() -> Result<Exit, Failure> {
    let folder = tempfile::tempdir().map_err(|error| unexpected("no temporary folder can be made", error))?;
    let key_file = folder.path().join("partner.xml");

    step(1, "SuperOffice registers an application and hands out its private key, as RSAKeyValue XML")?;
    let config = Config::sample(&key_file).map_err(|error| unexpected("the sample cannot be made", error))?;
    told("key file", &key_file.display().to_string())?;

    step(
        2,
        "its login service runs on this machine, over TLS, with a certificate authority made for this run",
    )?;
    let emulator = Emulator::builder().with_config(config).with_tls(Tls::ThrowAway).start().await;
    let emulator = emulator.map_err(|error| unexpected("the emulator cannot be started", error))?;
    told("environment", &emulator.url())?;

    let outcome = flow(&emulator, &key_file).await;
    emulator.shutdown().await;
    outcome?;
    print_line(
        "\nDone. Next: `soticket emulator` to try your own program, `soticket doctor` with your own key.",
    )?;
    Ok(Exit::Done)
}

async fn flow(emulator: &Emulator, key_file: &Path) -> Result<(), Failure> {
    step(3, "the signer opens the key, and proves that it signs")?;
    let signer = SignerUri::from(key_file.to_owned()).open(OpenSignerOptions::new()).await?;
    told("key", &signer.key_info().to_string())?;

    step(4, "a tenant's administrator has approved the application; its system user token is signed")?;
    let tenant = sample_tenant()?;
    sign(&tenant, &signer).await?;

    step(5, "the signed token is exchanged for a JWT, which is validated by every trust rule")?;
    let ca = root(emulator)?;
    let client = client(emulator, signer, &ca)?;
    let ticket = client.ticket(&tenant).await?;
    told(
        "ticket",
        &format!("{}…, good until {}", ticket.expose().get(..6).unwrap_or_default(), ticket.expires_at()),
    )?;

    step(6, "the JWT's claims")?;
    for (name, value) in ticket.claims().all() {
        told(name.rsplit('/').next().unwrap_or(name), &shown(value))?;
    }

    step(7, "the ticket and the client secret open the tenant's API: GET v1/User/currentPrincipal")?;
    let (status, body) = current_principal(&ticket, ca).await?;
    told("answer", &format!("{status} {body}"))?;
    if status.is_success() {
        Ok(())
    } else {
        Err(Failure::new(Exit::Unexpected, "the API refused the ticket"))
    }
}

fn sample_tenant() -> Result<Tenant, Failure> {
    let wrong = |error: &dyn std::error::Error| Failure::new(Exit::Unexpected, error.to_string());
    let context =
        Sample::CONTEXT.parse().map_err(|error: soticket::ParseContextIdentifierError| wrong(&error))?;
    let token = Sample::SYSTEM_USER_TOKEN
        .parse()
        .map_err(|error: soticket::ParseSystemUserTokenError| wrong(&error))?;
    Ok(Tenant::new(context, token))
}

async fn sign(tenant: &Tenant, signer: &Arc<dyn TokenSigner>) -> Result<(), Failure> {
    let signed = SignedSystemToken::build(tenant.system_user_token(), &SystemClock, signer).await?;
    let text = signed.to_secret_text();
    let (message, signature) = text.expose().rsplit_once('.').unwrap_or_default();
    // The key and the token are this run's, so that showing a little of them shows nothing of anybody.
    told("signed token", &format!("{message}.{}…", signature.get(..12).unwrap_or_default()))
}

fn root(emulator: &Emulator) -> Result<reqwest::Certificate, Failure> {
    let pem = emulator.ca_pem().unwrap_or_default();
    reqwest::Certificate::from_pem(pem.as_bytes())
        .map_err(|error| unexpected("the emulator's authority cannot be read", error))
}

fn client(
    emulator: &Emulator,
    signer: Arc<dyn TokenSigner>,
    ca: &reqwest::Certificate,
) -> Result<SystemUserClient, Failure> {
    let environment = emulator.url().parse();
    let environment = environment
        .map_err(|error: soticket::ParseEnvironmentError| unexpected("the emulator's address", error))?;
    let secret = Sample::CLIENT_SECRET.parse();
    let secret =
        secret.map_err(|error: soticket::ParseClientSecretError| unexpected("the sample's secret", error))?;
    Ok(SystemUserClient::builder(environment, secret, signer).with_extra_root(ca.clone()).build()?)
}

/// What the tenant's API says of the ticket's owner.
async fn current_principal(
    ticket: &SystemUserTicket,
    ca: reqwest::Certificate,
) -> Result<(reqwest::StatusCode, String), Failure> {
    let api = ticket.claims().webapi_url();
    let api = api.ok_or_else(|| Failure::new(Exit::Untrusted, "the JWT names no API address"))?;
    let url = format!("{}/v1/User/currentPrincipal", api.as_str().trim_end_matches('/'));
    let failed =
        |error: reqwest::Error| Failure::new(Exit::Network, "the API cannot be called").with_cause(error);
    let http = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().map_err(failed)?;
    let answer = http.get(url).headers(ticket.headers()).send().await.map_err(failed)?;
    Ok((answer.status(), answer.text().await.map_err(failed)?))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn step(number: u8, what: &str) -> Result<(), Failure> {
    print_line(&format!("\n{number}. {what}"))
}

fn told(name: &str, value: &str) -> Result<(), Failure> {
    print_line(&format!("   {name:<26}{value}"))
}

fn unexpected(what: &str, error: impl std::error::Error) -> Failure {
    Failure::new(Exit::Unexpected, what).with_cause(error)
}
