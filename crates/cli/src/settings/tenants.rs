//! The tenants: the one that was asked for, and those that the settings file lists.

use soticket::Tenant;

use super::file::ListedTenant;
use super::{Said, Settings, parse, parse_secret};
use crate::failure::Failure;
use crate::secret_input::{Prompt, SecretInput};

/// A tenant of a list, which may turn out to be none; its failure then says where it stands.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The line of the file that lists it, where it has one.
    pub(crate) line: Option<usize>,
    pub(crate) tenant: Result<Tenant, Failure>,
}

impl Settings {
    /// The one tenant that was asked for: also one of the file's list, by its name.
    pub(crate) fn tenant(&self) -> Result<Tenant, Failure> {
        let context = self.context()?;
        match self.file.tenants.iter().find(|tenant| tenant.context == context.as_str()) {
            Some(listed) if !self.says_token() => self.listed_tenant(listed),
            _ => Ok(Tenant::new(context, self.system_user_token()?)),
        }
    }

    fn says_token(&self) -> bool {
        self.args.system_user_token_file.is_some() || std::env::var_os("SOTICKET_SYSTEM_USER_TOKEN").is_some()
    }

    /// The tenants that the settings file lists.
    pub(crate) fn listed_tenants(&self) -> Result<Vec<Listed>, Failure> {
        if self.file.tenants.is_empty() {
            return Err(Failure::configuration(format!(
                "--all needs tenants, and {} lists none; name a list by --tenants, or add `[[tenants]]` with \
                 `context` and `system-user-token-file`",
                self.file.name()
            )));
        }
        let listed = |tenant: &ListedTenant| Listed {
            line: None,
            tenant: self.listed_tenant(tenant).map_err(|failure| failure.about(&tenant.context)),
        };
        Ok(self.file.tenants.iter().map(listed).collect())
    }

    fn listed_tenant(&self, tenant: &ListedTenant) -> Result<Tenant, Failure> {
        let context = parse(&Said {
            text: tenant.context.clone(),
            origin: format!("`context` in {}", self.file.name()),
        })?;
        let token = parse_secret(&SecretInput {
            what: "system user token",
            variable: None,
            flag: None,
            file_of_flag: None,
            file_of_settings: Some(tenant.system_user_token_file.clone()),
            prompt: Prompt::Once,
        })?;
        Ok(Tenant::new(context, token))
    }
}
