//! An activity that only waits.

use crate::expression::Template;
use crate::id::Name;
use crate::schema::Schema;
use crate::time::Span;

/// What an activity waits for.
#[derive(Clone, Debug)]
pub enum Wait {
    /// A length of time.
    For(Span),
    /// An instant, as RFC 3339 writes it.
    Until(Template),
    /// Somebody outside who says that something has happened.
    Signal(SignalWait),
    /// Another release to get somewhere.
    Release(ReleaseWait),
}

/// A wait for a signal, which comes through a URL with its own secret.
#[derive(Clone, Debug)]
pub struct SignalWait {
    /// What it is called.
    pub name: Name,
    /// What the payload must be; it becomes the outputs.
    pub schema: Option<Schema>,
    /// How long.
    pub timeout: Option<Span>,
}

/// A wait for another release.
#[derive(Clone, Debug)]
pub struct ReleaseWait {
    /// Gives its id.
    pub release: Template,
    /// The process that it must run, if that matters.
    pub process: Option<Name>,
    /// Where it has to get.
    pub reaches: Reaches,
    /// How long.
    pub timeout: Option<Span>,
}

/// Where another release has to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaches {
    /// It has started.
    Running,
    /// It has ended, in whatever way.
    Ended,
    /// It has ended in the way that the word says.
    Outcome(&'static str),
    /// All of the phase is done: it has succeeded, or was skipped by its own condition.
    Phase(Name),
}

/// The words for how a release ends.
const OUTCOMES: [&str; 4] = ["succeeded", "failed", "aborted", "rolled-back"];

impl Reaches {
    /// What `text` means: the word of a state, or else the name of a phase.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "running" => Some(Self::Running),
            "ended" => Some(Self::Ended),
            other => match OUTCOMES.iter().find(|word| **word == other) {
                Some(word) => Some(Self::Outcome(word)),
                None => other.parse().ok().map(Self::Phase),
            },
        }
    }

    /// As a document writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Outcome(word) => word,
            Self::Phase(name) => name.as_str(),
        }
    }
}
