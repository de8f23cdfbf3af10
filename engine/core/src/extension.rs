//! Calls of components that are no activities: what the sandbox is asked, and what it answers.

use serde::{Deserialize, Serialize};

use crate::attempt::LogLine;
use crate::component::Pin;
use crate::failure::Failure;
use crate::json::Json;
use crate::time::{Span, Timestamp};

/// Before what a policy is asked. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// A version of a process is published.
    Publish,
    /// A release starts.
    Start,
    /// An attempt of an activity begins.
    Activity,
}

impl Point {
    /// As it is written in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Start => "start",
            Self::Activity => "activity",
        }
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Everything a policy is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The policy's component.
    pub component: Pin,
    /// Before what it is asked.
    pub point: Point,
    /// What an administrator set.
    pub settings: Json,
    /// What is about to happen.
    pub subject: Json,
    /// Longest wall time.
    pub wall: Span,
    /// The instant of the question.
    pub now: Timestamp,
}

/// What a policy says. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may happen.
    Allow,
    /// It may happen, and people are told this.
    Warn(String),
    /// It may not happen, for this reason.
    Deny(String),
}

/// A question that was answered, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What the policy says, or how it failed.
    pub verdict: Result<Verdict, Failure>,
    /// What it logged, oldest first, within the limits.
    pub log: Vec<LogLine>,
}

/// Everything a notifier is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The notifier's component.
    pub component: Pin,
    /// The same for every try of the same thing.
    pub id: String,
    /// 1 for the first try.
    pub number: u32,
    /// What an administrator set.
    pub settings: Json,
    /// What kind of thing happened, such as `release-failed`.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// One sentence for people.
    pub text: String,
    /// What the sentence speaks of.
    pub data: Json,
    /// Longest wall time.
    pub wall: Span,
    /// The instant of the try.
    pub now: Timestamp,
}

/// One try to tell something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// Whether it was told.
    pub told: Result<(), Untold>,
    /// What the notifier logged, oldest first, within the limits.
    pub log: Vec<LogLine>,
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// How.
    pub failure: Failure,
    /// Not before this, if it is tried again.
    pub retry_after: Option<Span>,
}

impl From<Failure> for Notified {
    /// A try that failed before a guest was there.
    fn from(failure: Failure) -> Self {
        let retry_after = None;
        Self {
            told: Err(Untold {
                failure,
                retry_after,
            }),
            log: Vec::new(),
        }
    }
}
