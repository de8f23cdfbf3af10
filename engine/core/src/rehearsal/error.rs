//! Why a release could not be rehearsed.

use std::fmt;

use crate::release::refusal::Refusal;

/// What was wrong with a rehearsal that was asked for. Nothing was played, or not to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RehearsalError {
    /// The inputs do not fit the process; one line for each fault.
    Inputs(Vec<String>),
    /// An assumption is about an activity that the process does not have.
    UnknownActivity {
        /// What was written.
        given: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// The release could not be started.
    Refused(Refusal),
    /// It would go on for longer than is played.
    Limit {
        /// The name of the limit.
        which: &'static str,
        /// What it is.
        max: String,
    },
}

impl RehearsalError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Inputs(_) => "invalid-values",
            Self::UnknownActivity { .. } => "unknown-activity",
            Self::Refused(refusal) => refusal.code(),
            Self::Limit { .. } => "rehearsal-limit",
        }
    }
}

impl fmt::Display for RehearsalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inputs(faults) => write!(f, "the inputs do not fit: {}", faults.join("; ")),
            Self::UnknownActivity { given, near } => {
                write!(f, "the process has no activity `{given}`")?;
                near.iter()
                    .try_for_each(|near| write!(f, "; did you mean `{near}`?"))
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Limit { which, max } => {
                write!(f, "the rehearsal goes beyond {which} ({max})")
            }
        }
    }
}

impl std::error::Error for RehearsalError {}
