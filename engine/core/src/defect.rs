//! Defects: what is wrong with a document. All of them at once, each with its place and a hint.

use std::fmt;

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

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[{}]: {}", self.code, self.message)?;
        write!(f, "  --> {}:{}", self.line, self.column)?;
        for line in self.snippet.lines() {
            write!(f, "\n{line}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n   = help: {hint}"),
            None => Ok(()),
        }
    }
}

/// A stretch of a text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The first byte.
    pub(crate) start: usize,
    /// The byte after the last; the same as `start` for a single point.
    pub(crate) end: usize,
}

impl Place {
    /// The stretch from `start` to `end`.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// A defect whose place is not yet a line and a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// See [`Defect::code`].
    pub(crate) code: &'static str,
    /// Where, in the text at hand.
    pub(crate) place: Place,
    /// See [`Defect::message`].
    pub(crate) message: String,
    /// See [`Defect::hint`].
    pub(crate) hint: Option<String>,
}

impl Fault {
    /// A fault without a hint.
    pub(crate) fn new(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            place,
            message: message.into(),
            hint: None,
        }
    }

    /// The same fault with what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same fault with the nearest of the names that would be right, if one is near.
    pub(crate) fn near(mut self, nearest: Option<&str>) -> Self {
        self.hint = nearest.map(|name| format!("did you mean `{name}`?"));
        self
    }
}
