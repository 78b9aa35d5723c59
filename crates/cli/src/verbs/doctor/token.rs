//! The links between a PKCS#11 URI and a signature, each a check of its own.

use soticket::SignerUri;
use soticket::pkcs11::{Finding, Link};

use super::Chain;
use super::finding::Findings;
use crate::settings::Settings;
use crate::verbs::key::token::access;

pub(super) async fn examine(settings: &Settings, uri: &SignerUri, findings: &mut Findings) -> Chain {
    let access = match access(uri, settings.pin(), settings.token_args()) {
        Ok(access) => access,
        Err(failure) => {
            findings.failed(Link::Module.name(), failure, CURE);
            return Chain::Broken;
        }
    };
    for finding in access.diagnose().await {
        match finding {
            Finding::Ok(link, found) => findings.ok(link.name(), found),
            Finding::Warning(link, found) => findings.warning(link.name(), &found),
            Finding::Broken(link, error) => {
                findings.failed(link.name(), error.into(), CURE);
                let after: Vec<_> = Link::ALL
                    .into_iter()
                    .skip_while(|other| *other != link)
                    .skip(1)
                    .map(Link::name)
                    .collect();
                findings.skip(&after, "something before it is broken");
                return Chain::Broken;
            }
            _ => {}
        }
    }
    Chain::Whole
}

const CURE: &str = "do as the message says, and run doctor again";
