//! What uses what, and what differs, as JSON.

use fermata_core::process::difference::{Change, Part};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What uses a component.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ComponentUsage)]
pub(crate) struct UsageBody {
    /// Process versions that were checked with it.
    pub(crate) processes: Vec<ProcessUseBody>,
    /// Definitions that were checked with it.
    pub(crate) definitions: Vec<DefinitionUseBody>,
    /// Open releases that pinned it.
    pub(crate) releases: Vec<ReleaseUseBody>,
    /// Notifiers that it delivers for.
    pub(crate) notifiers: Vec<String>,
    /// Policies that judge with it.
    pub(crate) policies: Vec<String>,
}

/// A definition that uses a component.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefinitionUse)]
pub(crate) struct DefinitionUseBody {
    /// The definition.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// As written in the definition.
    pub(crate) uses: String,
    /// The version of the component that it was checked with.
    pub(crate) component: String,
}

/// A process version that uses a component.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProcessUse)]
pub(crate) struct ProcessUseBody {
    /// The process.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: u32,
    /// As written in the process.
    pub(crate) uses: String,
    /// The version of the component that it was checked with.
    pub(crate) component: String,
}

/// An open release that pinned a component.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleaseUse)]
pub(crate) struct ReleaseUseBody {
    /// The release.
    pub(crate) id: String,
    /// As written in the process.
    pub(crate) uses: String,
    /// The version of the component that it runs.
    pub(crate) component: String,
}

/// What differs between two versions of a process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProcessDifference)]
pub(crate) struct DifferenceBody {
    /// The process.
    pub(crate) name: String,
    /// The version before.
    pub(crate) from: u32,
    /// The version after.
    pub(crate) to: u32,
    /// By parts, in the order of the documents.
    pub(crate) changes: Vec<ChangeBody>,
}

/// One difference.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProcessChange)]
pub(crate) struct ChangeBody {
    /// `added`, `removed` or `changed`.
    pub(crate) kind: &'static str,
    /// `process`, `input`, `phase` or `activity`.
    pub(crate) part: &'static str,
    /// The name of an input or a phase, or `phase/activity`; empty for the process.
    pub(crate) path: String,
    /// The key in the part that differs; absent if it is the whole part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Value>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Value>,
}

impl From<Change> for ChangeBody {
    fn from(change: Change) -> Self {
        Self {
            kind: match (&change.before, &change.after) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            },
            part: match change.part {
                Part::Process => "process",
                Part::Input => "input",
                Part::Phase => "phase",
                Part::Activity => "activity",
            },
            path: change.path,
            key: change.key,
            before: change.before,
            after: change.after,
        }
    }
}
