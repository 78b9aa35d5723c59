//! The states that a tenant can be in, in words, and what to do about each.

use std::fmt;

/// A tenant's state, by SuperOffice's names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TenantState {
    /// 0: SuperOffice knows no such tenant in this environment.
    Unknown,
    /// 1: it is being set up.
    Provisioning,
    /// 2: it runs.
    Running,
    /// 3: it is gone.
    Deleted,
    /// 4: it is locked.
    Suspended,
    /// 5: it is maintained, and its API answers meanwhile.
    OnlineMaintenance,
    /// 6: it is upgraded, which takes minutes.
    OfflineMaintenance,
    /// 8: setting it up failed.
    ProvisioningFailed,
    /// 10: it is being deleted.
    Deleting,
    /// 11: deleting it failed.
    DeleteFailed,
    /// 12: it waits to be moved.
    MigrationPending,
    /// A state that this version does not know, by its name or number; at most
    /// [`MAX_NAME_LENGTH`](Self::MAX_NAME_LENGTH) characters of it, control characters escaped.
    Other(String),
}

impl TenantState {
    /// How many characters of the name of an unknown state are kept.
    pub const MAX_NAME_LENGTH: usize = 40;

    /// Every state that is known, with its number.
    const ALL: [(u64, Self); 11] = [
        (0, Self::Unknown),
        (1, Self::Provisioning),
        (2, Self::Running),
        (3, Self::Deleted),
        (4, Self::Suspended),
        (5, Self::OnlineMaintenance),
        (6, Self::OfflineMaintenance),
        (8, Self::ProvisioningFailed),
        (10, Self::Deleting),
        (11, Self::DeleteFailed),
        (12, Self::MigrationPending),
    ];

    /// The state of this name, whatever its case.
    pub(crate) fn named(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|(_, state)| state.name().eq_ignore_ascii_case(name.trim()));
        known.map_or_else(|| Self::other(name), |(_, state)| state)
    }

    pub(crate) fn numbered(number: u64) -> Self {
        let known = Self::ALL.into_iter().find(|(own, _)| *own == number);
        known.map_or_else(|| Self::other(&number.to_string()), |(_, state)| state)
    }

    fn other(text: &str) -> Self {
        Self::Other(crate::refusal::escape(text, Self::MAX_NAME_LENGTH))
    }

    /// SuperOffice's name of it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Unknown => "Unknown",
            Self::Provisioning => "Provisioning",
            Self::Running => "Running",
            Self::Deleted => "Deleted",
            Self::Suspended => "Suspended",
            Self::OnlineMaintenance => "OnlineMaintenance",
            Self::OfflineMaintenance => "OfflineMaintenance",
            Self::ProvisioningFailed => "ProvisioningFailed",
            Self::Deleting => "Deleting",
            Self::DeleteFailed => "DeleteFailed",
            Self::MigrationPending => "MigrationPending",
            Self::Other(name) => name,
        }
    }

    /// Whether the API answers in it, as far as is documented.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running | Self::OnlineMaintenance)
    }

    /// Whether it passes with nothing done by anybody.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Running
                | Self::OnlineMaintenance
                | Self::OfflineMaintenance
                | Self::Provisioning
                | Self::MigrationPending
        )
    }

    /// What to do when the API does not answer.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unknown => {
                "check the context identifier and the environment, and forget the tenant if both are right"
            }
            Self::Provisioning => "it is being set up; wait, and try again in some minutes",
            Self::Running | Self::OnlineMaintenance => "its API should answer; try again later",
            Self::Deleted | Self::Deleting => "it does not come back; forget the tenant",
            Self::Suspended => {
                "it is locked until its owner and SuperOffice have settled that; stop calling it, or forget the tenant"
            }
            Self::OfflineMaintenance => "it is being upgraded, which takes minutes; wait, and try again",
            Self::ProvisioningFailed | Self::DeleteFailed => {
                "SuperOffice has to repair it; stop calling it, and tell SuperOffice's support if it should run"
            }
            Self::MigrationPending => "it is about to be moved; wait, and try again in some minutes",
            Self::Other(_) => {
                "this state is not known to this version; see SuperOffice's status page, and try again later"
            }
        }
    }
}

/// [`TenantState::name`].
impl fmt::Display for TenantState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_found_by_its_name_in_any_case_and_by_its_number() {
        for (number, state) in TenantState::ALL {
            assert_eq!(TenantState::named(&state.name().to_uppercase()), state);
            assert_eq!(TenantState::numbered(number), state);
            assert_eq!(state.to_string(), format!("{state:?}"));
        }
    }

    #[test]
    fn an_unknown_state_is_kept_short_and_harmless() {
        assert_eq!(TenantState::named("Paused"), TenantState::Other("Paused".into()));
        assert_eq!(TenantState::numbered(99), TenantState::Other("99".into()));
        let TenantState::Other(name) = TenantState::named(&"\u{1b}[31m".repeat(100)) else { panic!() };
        assert!(name.len() < 400 && !name.contains('\u{1b}'), "{name}");
    }

    #[test]
    fn what_passes_is_to_be_waited_for_and_what_does_not_is_not() {
        for (_, state) in TenantState::ALL {
            let says_wait = state.advice().contains("try again");
            assert_eq!(state.is_passing(), says_wait, "{state}: {}", state.advice());
        }
    }
}
