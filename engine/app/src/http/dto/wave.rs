//! Fan-outs as JSON.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How far a fan-out is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Wave)]
pub(crate) struct WaveBody {
    /// All instances.
    pub(crate) count: u32,
    /// Those that have ended, skipped ones included.
    pub(crate) ended: u32,
    /// Those of them that failed.
    pub(crate) failed: u32,
    /// How many may fail before it halts.
    pub(crate) failures_max: u32,
    /// How many are released once each batch is open.
    pub(crate) batches: Vec<u32>,
    /// Batches that are open.
    pub(crate) open: u32,
    /// `going`, `baking`, `gated`, `halted`, `rolling-back` or `over`.
    pub(crate) state: String,
    /// Until when it bakes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// The gate that is asked, as `phase/activity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gate: Option<String>,
    /// Why it is halted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) halted: Option<String>,
    /// Batches that were rolled back: their instances count as failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rolled_back: Vec<u32>,
    /// Instances that are not shown, since there are many and nothing is remarkable about them.
    #[serde(skip_serializing_if = "is_none")]
    pub(crate) left_out: usize,
    /// The whole in a sentence.
    pub(crate) text: String,
}

/// An instance of something that is fanned out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Instance)]
pub(crate) struct InstanceBody {
    /// The phase or activity.
    pub(crate) of: String,
    /// Its place in the list; 0 for the first.
    pub(crate) index: u32,
    /// The batch that releases it; 1 for the first.
    pub(crate) batch: u32,
    /// What it runs for.
    pub(crate) item: Value,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_none(count: &usize) -> bool {
    *count == 0
}
