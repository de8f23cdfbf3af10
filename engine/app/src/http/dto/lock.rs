//! Locks as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many may hold a lock.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Capacity)]
pub(crate) struct CapacityBody {
    /// At least 1.
    pub(crate) capacity: u32,
}

/// A lock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lock)]
pub(crate) struct LockBody {
    /// Its name.
    #[schema(example = "env/production")]
    pub(crate) name: String,
    /// How many may hold it at a time.
    pub(crate) capacity: u32,
    /// Who holds it.
    pub(crate) holders: Vec<LockClaimBody>,
    /// Who waits for it; the first is next.
    pub(crate) waiting: Vec<LockClaimBody>,
}

/// A part of a release that holds a lock or waits for it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LockClaim)]
pub(crate) struct LockClaimBody {
    /// The release.
    pub(crate) release: String,
    /// The process that it runs.
    pub(crate) process: String,
    /// For people.
    pub(crate) title: String,
    /// Which part: `release`, a phase, or `phase/activity`.
    pub(crate) path: String,
    /// Since when.
    pub(crate) since: String,
    /// `normal` or `emergency`.
    pub(crate) priority: String,
    /// Why it is an emergency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// A lock that something waits for, and who holds it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AwaitedLock)]
pub(crate) struct AwaitedLockBody {
    /// Its name.
    pub(crate) name: String,
    /// Who holds it.
    pub(crate) holders: Vec<LockClaimBody>,
}
