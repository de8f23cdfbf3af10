//! Processes as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::dto::component::NoticeBody;
use crate::http::dto::policy::{PolicyDenialBody, PolicyWarningBody};

/// A document without defects.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckedProcess)]
pub(crate) struct CheckedBody {
    /// The process.
    pub(crate) name: String,
    /// For people.
    pub(crate) title: String,
    /// How many phases it has.
    pub(crate) phases: usize,
    /// How many activities it has.
    pub(crate) activities: usize,
    /// The SHA-256 of the document.
    pub(crate) digest: String,
    /// What people should know about the components that it uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notices: Vec<NoticeBody>,
    /// What policies would say to its publication.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<PolicyWarningBody>,
    /// The policy that would not let it be published, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) denial: Option<PolicyDenialBody>,
}

/// A version that was published just now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublishedProcess)]
pub(crate) struct PublishedBody {
    /// What a list shows of it.
    #[serde(flatten)]
    pub(crate) version: VersionBody,
    /// What people should know about the components that it uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notices: Vec<NoticeBody>,
    /// What policies said to its publication.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<PolicyWarningBody>,
}

/// A published version.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ProcessVersion)]
pub(crate) struct VersionBody {
    /// The process.
    pub(crate) name: String,
    /// 1 for the first.
    pub(crate) version: u32,
    /// For people.
    pub(crate) title: String,
    /// The SHA-256 of the document.
    pub(crate) digest: String,
    /// How many phases it has.
    pub(crate) phases: u32,
    /// How many activities it has.
    pub(crate) activities: u32,
    /// When it was published.
    pub(crate) published_at: String,
    /// By whom.
    pub(crate) published_by: String,
}

/// A process: its newest version, and all versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Process)]
pub(crate) struct ProcessBody {
    /// The newest version.
    #[serde(flatten)]
    pub(crate) newest: VersionBody,
    /// All versions, newest first, at most a thousand.
    pub(crate) versions: Vec<VersionBody>,
}

/// A version with its document and its graph.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProcessDocument)]
pub(crate) struct DocumentBody {
    /// What a list shows of it.
    #[serde(flatten)]
    pub(crate) version: VersionBody,
    /// The document as it was published.
    pub(crate) document: String,
    /// The JSON Schema of the inputs of a release.
    #[schema(value_type = Object)]
    pub(crate) inputs: serde_json::Value,
    /// What comes after what.
    pub(crate) graph: GraphBody,
}

/// Phases and activities, and what comes after what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProcessGraph)]
pub(crate) struct GraphBody {
    /// In the order of the document.
    pub(crate) phases: Vec<GraphPhaseBody>,
}

/// A phase of a process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GraphPhase)]
pub(crate) struct GraphPhaseBody {
    /// Unique in the process.
    pub(crate) name: String,
    /// For people.
    pub(crate) title: String,
    /// Who answers for it.
    pub(crate) owners: Vec<String>,
    /// Phases that come first, in joins or not.
    pub(crate) needs: Vec<String>,
    /// Needs of which not all must be satisfied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) joins: Vec<super::release::JoinBody>,
    /// Whether it runs once for each item of a list.
    pub(crate) each: bool,
    /// In the order of the document.
    pub(crate) activities: Vec<GraphActivityBody>,
}

/// An activity of a process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GraphActivity)]
pub(crate) struct GraphActivityBody {
    /// Unique in its phase.
    pub(crate) name: String,
    /// For people.
    pub(crate) title: String,
    /// `phase/activity`.
    pub(crate) path: String,
    /// `component` or `manual`.
    pub(crate) kind: super::release::KindBody,
    /// The component it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uses: Option<String>,
    /// Whether it runs once for each item of a list of its own.
    pub(crate) each: bool,
    /// Whether it runs between two batches, in place of with the others.
    pub(crate) gate: bool,
    /// Activities that come first, as `phase/activity`, in joins or not.
    pub(crate) needs: Vec<String>,
    /// Needs of which not all must be satisfied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) joins: Vec<super::release::JoinBody>,
}
