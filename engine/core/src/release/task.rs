//! Tasks of a manual activity, and what people say and attach while they work on it.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::id::Digest;
use crate::time::Timestamp;

/// A task of a manual activity: where it is, and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Where it is.
    pub state: TaskState,
    /// Who brought it there, and when; nothing while nobody has touched it.
    pub moved: Option<(Actor, Timestamp)>,
    /// What was said and attached.
    pub notes: Notes,
}

/// Where a task is. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Nobody has begun.
    #[default]
    Open,
    /// Somebody works on it.
    InProgress,
    /// It is done.
    Done,
    /// It cannot be done as things are, or it was tried and failed.
    Blocked,
    /// It need not be done this time; only a task that is not required can be that.
    NotApplicable,
}

impl TaskState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::InProgress,
        Self::Done,
        Self::Blocked,
        Self::NotApplicable,
    ];

    /// The state as one stable word of the glossary.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in-progress",
            Self::Done => "done",
            Self::Blocked => "blocked",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// Whether there is nothing left to do about it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::NotApplicable)
    }
}

/// What was said and attached, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// What people said.
    pub comments: Vec<Comment>,
    /// Evidence that people attached.
    pub files: Vec<Attached>,
}

/// Something that somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What, as it reads now; the history has what it was.
    pub text: String,
    /// When it was last changed.
    pub edited_at: Option<Timestamp>,
}

/// A file that somebody attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The file.
    pub file: File,
}

/// A file: its name, and where its content is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// As people know it; at most [`crate::limits::LABEL_BYTES_MAX`].
    pub name: String,
    /// Where its content is.
    pub content: Content,
}

/// Where the content of a file is. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Here, as a blob.
    Stored {
        /// Of its bytes.
        digest: Digest,
        /// How many.
        bytes: u64,
        /// What kind of content it is, as an IANA media type.
        media_type: String,
    },
    /// Elsewhere.
    Url(String),
}
