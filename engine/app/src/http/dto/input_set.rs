//! Named input sets as JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Inputs to be kept under a name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InputSetOrder)]
pub(crate) struct InputSetOrderBody {
    /// The inputs; they need not be complete.
    #[schema(value_type = Object)]
    pub(crate) inputs: Map<String, Value>,
}

/// Inputs that are kept under a name, as they stand to the newest version of their process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InputSet)]
pub(crate) struct InputSetBody {
    /// The process.
    pub(crate) process: String,
    /// Unique in the process.
    pub(crate) name: String,
    /// The inputs.
    #[schema(value_type = Object)]
    pub(crate) inputs: Value,
    /// Whether a release can be started with them alone.
    pub(crate) complete: bool,
    /// Inputs that a release must be given beside them.
    pub(crate) missing: Vec<String>,
    /// What does not fit, one line for each fault.
    pub(crate) faults: Vec<String>,
    /// When they were last changed.
    pub(crate) updated_at: String,
    /// By whom.
    pub(crate) updated_by: String,
}

/// The input sets of a process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InputSets)]
pub(crate) struct InputSetsBody {
    /// By name.
    pub(crate) items: Vec<InputSetBody>,
}
