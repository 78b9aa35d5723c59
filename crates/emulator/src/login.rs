//! The login service's decisions, whatever the codec that a request came by.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use rsa::pkcs1v15::Signature;
use rsa::signature::Verifier as _;
use serde_json::json;

use crate::config::{Application, ApprovalConfig, TenantConfig};
use crate::jwt::defect::JwtDefect;
use crate::jwt::{CLAIM, Claims, Draft, encode};
use crate::keys::KeyError;
use crate::refusal::Refusal;
use crate::shared::{Shared, lock};
use crate::tenant::Approval;
use crate::tickets::Issued;

/// The digits of a time stamp.
const STAMP: &str = "%Y%m%d%H%M";
const STAMP_DIGITS: usize = 12;
/// The size of a ticket's random part, in bytes; its Base64 ends in `==`.
const TICKET_BYTES: usize = 64;

/// An exchange, as any codec reads it.
pub(crate) struct Request {
    pub(crate) signed_system_token: String,
    pub(crate) application_token: String,
    pub(crate) context: String,
    pub(crate) host: String,
}

/// Why there is no token.
pub(crate) enum Failure {
    Refused(Refusal),
    Internal,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<KeyError> for Failure {
    fn from(_: KeyError) -> Self {
        Self::Internal
    }
}

/// Checks the request and issues a JWT. Blocks for milliseconds.
pub(crate) fn authenticate(
    shared: &Shared,
    request: &Request,
    defect: Option<JwtDefect>,
) -> Result<String, Failure> {
    let mut applications = shared.config.applications.iter();
    let application = applications
        .find(|application| application.client_secret.is(&request.application_token))
        .ok_or(Refusal::Denied)?;
    let (tenant, port) = shared
        .tenant(&request.context, |tenant| (tenant.config.clone(), tenant.port))
        .ok_or(Refusal::Denied)?;
    let approval = approved(application, &tenant)?;
    check(shared, application, approval, &request.signed_system_token)?;
    let ticket = issue_ticket(shared, application, &tenant)?;
    let webapi = format!("{}/{}/api/", shared.origin(&request.host, port), tenant.context);
    let draft =
        Draft { claims: claims(shared, &tenant, approval, &ticket, &webapi), now: shared.clock.now() };
    let key = shared.signing_key().ok_or(Failure::Internal)?;
    let token = encode(draft, &key, defect)?;
    shared.exchanges.fetch_add(1, Ordering::Relaxed);
    shared.tenant(&request.context, |tenant| tenant.exchanges += 1);
    Ok(token)
}

fn approved<'a>(application: &Application, tenant: &'a TenantConfig) -> Result<&'a ApprovalConfig, Refusal> {
    let mut approvals = tenant.approvals.iter();
    let approval =
        approvals.find(|approval| approval.application == application.name).ok_or(Refusal::Denied)?;
    match approval.approval {
        Approval::Approved => Ok(approval),
        Approval::Revoked => Err(Refusal::Revoked),
        Approval::Expired => Err(Refusal::Expired),
        Approval::Denied => Err(Refusal::Denied),
        Approval::NeedsReapproval => Err(Refusal::NeedsReapproval),
    }
}

fn check(
    shared: &Shared,
    application: &Application,
    approval: &ApprovalConfig,
    signed: &str,
) -> Result<(), Refusal> {
    let (message, signature) = signed.rsplit_once('.').ok_or(Refusal::InvalidSignature)?;
    let (token, stamp) = message.rsplit_once('.').ok_or(Refusal::InvalidTimestamp)?;
    if !approval.system_user_token.is(token) {
        return Err(Refusal::Denied);
    }
    check_stamp(shared, stamp)?;
    check_signature(application, message, signature)
}

fn check_stamp(shared: &Shared, stamp: &str) -> Result<(), Refusal> {
    let well_formed = stamp.len() == STAMP_DIGITS && stamp.bytes().all(|byte| byte.is_ascii_digit());
    let at = parse_stamp(stamp).filter(|_| well_formed).ok_or(Refusal::InvalidTimestamp)?;
    let off = shared.clock.now().duration_since(at).unsigned_abs();
    if off > shared.config.lifetimes.timestamp_window { Err(Refusal::InvalidTimestamp) } else { Ok(()) }
}

fn parse_stamp(stamp: &str) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(DateTime::strptime(STAMP, stamp).ok()?).ok()
}

fn check_signature(application: &Application, message: &str, signature: &str) -> Result<(), Refusal> {
    let bytes = BASE64_STANDARD.decode(signature).map_err(|_| Refusal::InvalidSignature)?;
    let signature = Signature::try_from(bytes.as_slice()).map_err(|_| Refusal::InvalidSignature)?;
    let key = &application.verifying_key;
    key.verify(message.as_bytes(), &signature).map_err(|_| Refusal::InvalidSignature)
}

fn issue_ticket(
    shared: &Shared,
    application: &Application,
    tenant: &TenantConfig,
) -> Result<String, Failure> {
    let mut random = [0_u8; TICKET_BYTES];
    getrandom::fill(&mut random).map_err(|_| Failure::Internal)?;
    let ticket = format!("7T:{}", BASE64_STANDARD.encode(random));
    let issued = Issued {
        context: tenant.context.clone(),
        application: application.name.clone(),
        ends: shared.ends(shared.config.lifetimes.ticket),
    };
    lock(&shared.tickets).insert(ticket.clone(), issued, shared.clock.now());
    Ok(ticket)
}

/// Claims of a system user that no configuration needs to change.
const FIXED_CLAIMS: [(&str, &str); 15] = [
    ("associateid", "2"),
    ("identityprovider", "superid"),
    ("secondaryidentityprovider", ""),
    ("email", "system@sample.example"),
    ("upn", "system@sample.example"),
    ("superid-upn", "system@sample.example"),
    ("so_primary_email_address", "system@sample.example"),
    ("is_administrator", "True"),
    ("company_name", "Sample Company"),
    ("company_id", "1"),
    ("firstname", "System"),
    ("lastname", "User"),
    ("initials", "SYS"),
    ("personid", "1"),
    ("tenantId", "1"),
];

fn claims(
    shared: &Shared,
    tenant: &TenantConfig,
    approval: &ApprovalConfig,
    ticket: &str,
    webapi: &str,
) -> Claims {
    let now = shared.clock.now().as_second();
    let netserver = webapi.replace("/api/", "/Remote/Services88/");
    let ends = shared.ends(shared.config.lifetimes.jwt).as_second();
    let mut identity: BTreeMap<&str, &str> = FIXED_CLAIMS.into();
    identity.extend([
        ("ticket", ticket),
        ("ctx", &tenant.context),
        ("serial", &tenant.serial),
        ("netserver_url", &netserver),
        ("webapi_url", webapi),
        ("system_token", approval.system_user_token.expose()),
    ]);
    identity.extend(tenant.claims.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let registered = [
        ("iss", json!("SuperOffice AS")),
        ("aud", json!(format!("spn:{}", tenant.serial))),
        ("exp", json!(ends)),
        ("nbf", json!(now)),
        ("iat", json!(now.to_string())),
    ];
    let registered = registered.into_iter().map(|(name, value)| (name.to_owned(), value));
    let identity = identity.into_iter().map(|(name, value)| (format!("{CLAIM}{name}"), json!(value)));
    registered.chain(identity).collect()
}
