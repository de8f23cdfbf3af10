//! Problems (RFC 9457) and defects as JSON.

use fermata_core::defect::Defect;
use serde::Serialize;
use utoipa::ToSchema;

/// What the server said no with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Names the kind of problem: `urn:fermata:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:fermata:problem:unknown-release")]
    pub(crate) kind: String,
    /// The kind of problem, in words.
    pub(crate) title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What is wrong with this request.
    pub(crate) detail: String,
    /// A stable word for programs.
    #[schema(example = "unknown-release")]
    pub(crate) code: String,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// What to look for in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// What is wrong with a document, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) defects: Vec<DefectBody>,
}

/// One fault of a document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Defect)]
pub(crate) struct DefectBody {
    /// A stable word for programs, such as `unknown-key`.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) message: String,
    /// Where in the document, counted from 1.
    pub(crate) line: u32,
    /// Where in the line, in characters, counted from 1.
    pub(crate) column: u32,
    /// The lines around the place, with a marker under it.
    pub(crate) snippet: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl From<Defect> for DefectBody {
    fn from(defect: Defect) -> Self {
        Self {
            code: defect.code.into(),
            message: defect.message,
            line: defect.line,
            column: defect.column,
            snippet: defect.snippet,
            hint: defect.hint,
        }
    }
}
