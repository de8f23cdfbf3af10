//! Rollbacks as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::dto::release::FailureBody;

/// What a rollback would take back, in which order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RollbackPlan)]
pub(crate) struct RollbackPlanBody {
    /// The release.
    pub(crate) release: String,
    /// Its state.
    pub(crate) state: String,
    /// Its version: the plan is that of this version.
    pub(crate) version: u64,
    /// Why a rollback would be refused now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<RollbackRefusalBody>,
    /// What is in one stage is taken back at the same time, each stage after the one before it.
    pub(crate) stages: Vec<Vec<PlannedUndoBody>>,
}

/// Why a rollback would be refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RollbackRefusal)]
pub(crate) struct RollbackRefusalBody {
    /// The code of the refusal.
    pub(crate) code: String,
    /// In a sentence.
    pub(crate) detail: String,
}

/// An effect, how it is taken back, and what has come of that.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = PlannedUndo)]
pub(crate) struct PlannedUndoBody {
    /// `phase/activity`.
    pub(crate) activity: String,
    /// `component`: by the `undo` of its component; `uses`: by another component; `person`: nothing
    /// is known that undoes it; `nothing`: there is nothing to undo; `supplied`: a person gave its
    /// outputs in place of a first attempt; `kept`: it lies before a point of no return.
    pub(crate) way: String,
    /// The component that undoes it, if that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uses: Option<String>,
    /// The component that looks whether it is undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validate: Option<String>,
    /// The point of no return before which it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) point: Option<String>,
    /// `waiting`, `undoing`, `undone`, `undone-by-hand`, `undo-failed`, `accepted`, `not-undone`,
    /// `kept` or `nothing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<String>,
    /// Who undid it by hand, or accepted that it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// What they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Why it could not be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<FailureBody>,
}

/// The last rollback of a release.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rollback)]
pub(crate) struct RollbackBody {
    /// Who asked for it.
    pub(crate) by: String,
    /// The activity whose failure asked for it, if no person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<String>,
    /// Why, in a person's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Since when.
    pub(crate) since: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
    /// Every effect, in the order in which they are taken back.
    pub(crate) activities: Vec<PlannedUndoBody>,
    /// What is asked of people afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) root_cause: Option<RootCauseBody>,
}

/// The task to find out why a release had to go back.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = RootCause)]
pub(crate) struct RootCauseBody {
    /// `open` or `closed`.
    pub(crate) state: String,
    /// Who answers for it.
    pub(crate) owners: Vec<String>,
    /// Since when it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    /// Who closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}
