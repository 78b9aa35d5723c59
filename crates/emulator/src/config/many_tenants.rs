//! Many tenants alike, which a rule names instead of a list.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ApprovalConfig, Config, Secret, TenantConfig};
use crate::tenant::{Approval, TenantState};

/// Tenants `Cust<first>`, `Cust<first + 1>` and so on, running, which have approved one application.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManyTenants {
    application: String,
    count: u32,
    #[serde(default = "ManyTenants::default_first")]
    first: u32,
}

impl ManyTenants {
    /// The number of the first one, unless set otherwise.
    pub const DEFAULT_FIRST: u32 = 10_000;

    /// `count` tenants from `Cust10000` on that have approved `application`.
    #[must_use]
    pub fn new(application: impl Into<String>, count: u32) -> Self {
        Self { application: application.into(), count, first: Self::DEFAULT_FIRST }
    }

    /// The number of the first one.
    #[must_use]
    pub fn with_first(self, first: u32) -> Self {
        Self { first, ..self }
    }

    /// The context identifier of each, with its system user token.
    pub fn names(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.contexts().map(|context| {
            let token = Self::system_user_token(&self.application, &context);
            (context, token)
        })
    }

    /// `<application>-<context identifier in lower case>`, such as `My App-cust10000`.
    #[must_use]
    pub fn system_user_token(application: &str, context: &str) -> String {
        format!("{application}-{}", context.to_ascii_lowercase())
    }

    fn contexts(&self) -> impl Iterator<Item = String> + use<> {
        let first = u64::from(self.first);
        (first..first + u64::from(self.count)).map(|number| format!("Cust{number}"))
    }

    fn default_first() -> u32 {
        Self::DEFAULT_FIRST
    }

    fn tenant(&self, context: String) -> TenantConfig {
        let token = Self::system_user_token(&self.application, &context);
        let approval = ApprovalConfig {
            application: self.application.clone(),
            system_user_token: Secret::new(token),
            approval: Approval::Approved,
        };
        TenantConfig {
            serial: format!("{:0>10}", context.trim_start_matches("Cust")),
            context,
            state: TenantState::Running,
            approvals: vec![approval],
            claims: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Serves these beside the tenants that there are, of which those of the same names stay as they are.
    #[must_use]
    pub fn with_many_tenants(mut self, many: &ManyTenants) -> Self {
        self.tenants.extend(many.contexts().map(|context| many.tenant(context)));
        self
    }
}
