//! Queries: what can be asked for behind the `?`.

use serde::Deserialize;
use utoipa::IntoParams;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageParams {
    /// Most entries, 1 to 1000; 50 if left out.
    pub(crate) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// Which releases.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseParams {
    /// Only of this process.
    pub(crate) process: Option<String>,
    /// Only in this state: `draft`, `running`, `paused`, `succeeded`, `failed` or `aborted`.
    pub(crate) state: Option<String>,
    /// Most entries, 1 to 1000; 50 if left out. A narrowed page may be shorter and still have a next one.
    pub(crate) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// What would go back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RollbackPlanParams {
    /// Only the last open batch of this phase or activity; the whole release if left out.
    pub(crate) wave: Option<String>,
}

/// What of the ledger.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LedgerParams {
    /// Only this environment.
    pub(crate) environment: Option<String>,
    /// Only this service.
    pub(crate) service: Option<String>,
    /// Most entries, 1 to 1000; 50 if left out. A narrowed page may be shorter and still have a next one.
    pub(crate) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// Of which version.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageParams {
    /// Only this version, `MAJOR.MINOR.PATCH`.
    pub(crate) version: Option<String>,
}

/// Between which versions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DifferenceParams {
    /// The version before.
    pub(crate) from: u32,
    /// The version after.
    pub(crate) to: u32,
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventParams {
    /// Only events after this number.
    pub(crate) after: Option<u64>,
    /// `next_cursor` of the page before; the same as `after`.
    pub(crate) cursor: Option<u64>,
    /// Most entries of a page, 1 to 1000; 50 if left out. A stream has no end.
    pub(crate) limit: Option<usize>,
}
