//! What the server says about itself, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Version)]
pub(crate) struct VersionBody {
    /// The program.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The version of the API, as in its paths.
    pub(crate) api: String,
}

/// One bound.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Limit)]
pub(crate) struct LimitBody {
    /// The name, as failures and problems give it.
    pub(crate) name: String,
    /// The bound.
    pub(crate) value: u64,
    /// What the value counts.
    pub(crate) unit: String,
    /// What happens beyond.
    pub(crate) beyond: String,
    /// What to do who reaches it.
    pub(crate) remedy: String,
}

/// Every bound.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Limits)]
pub(crate) struct LimitsBody {
    /// In the order in which a person reads them.
    pub(crate) items: Vec<LimitBody>,
}

/// Where to write a backup.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BackupOrder)]
pub(crate) struct BackupOrderBody {
    /// An absolute path on the server's machine where nothing is yet.
    #[schema(example = "/var/backups/fermata/2026-11-24")]
    pub(crate) directory: String,
}

/// A backup.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backup)]
pub(crate) struct BackupBody {
    /// Where it is.
    pub(crate) directory: String,
    /// When it was made.
    pub(crate) created_at: String,
}
