//! Tenants as they are now: their state, approval and address.

use serde::Deserialize;

/// The state of a tenant, by SuperOffice's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "SuperOffice's names, explained by SuperOffice")]
pub enum TenantState {
    Unknown,
    Provisioning,
    #[default]
    Running,
    Deleted,
    Suspended,
    OnlineMaintenance,
    OfflineMaintenance,
    ProvisioningFailed,
    Deleting,
    DeleteFailed,
    MigrationPending,
}

impl TenantState {
    /// Every state.
    pub const ALL: &[Self] = &[
        Self::Unknown,
        Self::Provisioning,
        Self::Running,
        Self::Deleted,
        Self::Suspended,
        Self::OnlineMaintenance,
        Self::OfflineMaintenance,
        Self::ProvisioningFailed,
        Self::Deleting,
        Self::DeleteFailed,
        Self::MigrationPending,
    ];

    /// Whether the tenant's API answers.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::OnlineMaintenance)
    }
}

/// What the tenant's administrator decided about an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Approval {
    /// Tickets are given.
    #[default]
    Approved,
    /// Refused as `Revoked`.
    Revoked,
    /// Refused as `Expired`.
    Expired,
    /// Refused as `Denied`.
    Denied,
    /// Refused as `NeedsReapproval`.
    NeedsReapproval,
}
