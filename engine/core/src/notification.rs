//! What people outside are told of releases: which events, in which words, and what comes of telling them.
//!
//! [`of_turn`] is a pure function of a release and one of its turns. Who wants to be told, and how they
//! are reached, is for others.

use crate::attempt::LogLine;
use crate::component::Pin;
use crate::failure::Failure;
use crate::json::Json;
use crate::time::{Span, Timestamp};

mod again;
mod kind;
mod pattern;
mod told;

pub use again::{TRIES_MAX, again, rest};
pub use kind::{Kind, UnknownKind};
pub use pattern::{PATTERN_BYTES_MAX, Pattern, PatternError};
pub use told::{Notification, of_quarantine, of_turn, test};

/// One try to deliver a notification: what a notifier is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// The same for every try at this notification by this notifier, and for no other.
    pub id: String,
    /// 1 for the first try.
    pub number: u32,
    /// The component of the notifier.
    pub component: Pin,
    /// What the notifier was set up with: an object that fits the schema of the component.
    pub settings: Json,
    /// What people are told.
    pub notification: Notification,
    /// Longest wall time.
    pub wall: Span,
    /// The instant of this try.
    pub now: Timestamp,
}

/// A try that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// How it failed; nothing if the notification is delivered.
    pub failure: Option<Failure>,
    /// Not before this, if it is tried again.
    pub retry_after: Option<Span>,
    /// What the guest logged, oldest first.
    pub log: Vec<LogLine>,
}

impl Tried {
    /// One that failed before a guest was there.
    pub fn failed(failure: Failure) -> Self {
        Self {
            failure: Some(failure),
            retry_after: None,
            log: Vec::new(),
        }
    }
}
