//! How a run ends, if it does not fail.

use std::time::Duration;

use serde::Serialize;

use crate::Failure;

/// How a run ends, if it does not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome<T> {
    /// Finished, with outputs.
    Done(T),
    /// Not finished: to be run again later, in the same attempt. [`pending`] makes one.
    Pending(Pending),
}

/// A suspension: the instance is dropped, and nothing but this is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Handed back on the next run, for [`Attempt::checkpoint`](crate::Attempt::checkpoint). JSON, but the engine does not care.
    pub checkpoint: Vec<u8>,
    /// What the next run waits for.
    pub resume: Resume,
    /// Shown to people meanwhile.
    pub status: Option<String>,
}

/// What ends a suspension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// So much time.
    After(Duration),
    /// A signal from outside, with this name.
    Signal(String),
}

/// Suspends the activity for `after`, then runs it again with `checkpoint`.
///
/// ```
/// # use fermata_sdk::prelude::*;
/// # fn sketch() -> Result<Outcome<()>, Failure> {
/// # let polls = 3;
/// Ok(pending(&json!({ "polls": polls }), Duration::from_millis(500))?.status("two of five pods are up"))
/// # }
/// # assert!(matches!(sketch(), Ok(Outcome::Pending(p)) if p.checkpoint == br#"{"polls":3}"#));
/// ```
pub fn pending<T>(checkpoint: &impl Serialize, after: Duration) -> Result<Outcome<T>, Failure> {
    suspended(checkpoint, Resume::After(after))
}

/// Suspends the activity until the signal `name` comes, then runs it again with `checkpoint` and the payload, which
/// [`Attempt::signal`](crate::Attempt::signal) reads. The name is for people: lower-case letters, digits and hyphens.
/// The timeout of the activity says how long to wait at most.
pub fn pending_signal<T>(
    checkpoint: &impl Serialize,
    name: impl Into<String>,
) -> Result<Outcome<T>, Failure> {
    suspended(checkpoint, Resume::Signal(name.into()))
}

fn suspended<T>(checkpoint: &impl Serialize, resume: Resume) -> Result<Outcome<T>, Failure> {
    let checkpoint = serde_json::to_vec(checkpoint)
        .map_err(|error| Failure::permanent(format!("the checkpoint is no JSON: {error}")))?;
    Ok(Outcome::Pending(Pending {
        checkpoint,
        resume,
        status: None,
    }))
}

impl<T> Outcome<T> {
    /// The same suspension with a text for people. Outputs speak for themselves and stay as they are.
    pub fn status(mut self, status: impl Into<String>) -> Self {
        if let Self::Pending(pending) = &mut self {
            pending.status = Some(status.into());
        }
        self
    }
}
