//! Defects: what is wrong with a document. All of them at once, each with its place and a hint.

use serde::Serialize;

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// A stable code such as `unknown-key` or `cycle`.
    pub code: &'static str,
    /// One sentence: what is wrong.
    pub message: String,
    /// Where in the document, counted from 1; columns count characters.
    pub line: u32,
    /// See `line`.
    pub column: u32,
    /// The lines around the place, with a marker under it.
    pub snippet: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}
