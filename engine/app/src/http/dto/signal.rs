//! Signals as JSON.

use serde::Serialize;
use utoipa::ToSchema;

/// What came of a signal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Signal)]
pub(crate) struct SignalBody {
    /// The release that waited for it.
    pub(crate) release: String,
    /// `phase/activity`.
    pub(crate) activity: String,
    /// When it came first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) received_at: Option<String>,
}
