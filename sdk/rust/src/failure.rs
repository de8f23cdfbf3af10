//! How a run fails: data for people and for the process, and the ways to make it from errors.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

/// Why a run failed, and whether another attempt may help.
///
/// `?` makes a failure of every error in this crate; [`OrFail`] of any other error, or of something missing.
///
/// ```
/// # use fermata_sdk::prelude::*;
/// let failure = Failure::retryable("payment has no healthy pod")
///     .code("unhealthy")
///     .details(&json!({ "pods": 3, "healthy": 0 }))
///     .after(Duration::from_secs(30));
/// assert!(failure.is_retryable());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Failure {
    message: String,
    code: Option<String>,
    details: Option<Box<Value>>,
    retry: Retryable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retryable {
    No,
    Yes { after: Option<Duration> },
}

impl Failure {
    /// Another attempt may help. `message` is one sentence: what happened, and to what.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::new(message, Retryable::Yes { after: None })
    }

    /// No further attempt with the same inputs will help. `message` is one sentence: what happened, and to what.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(message, Retryable::No)
    }

    fn new(message: impl Into<String>, retry: Retryable) -> Self {
        Self {
            message: message.into(),
            code: None,
            details: None,
            retry,
        }
    }

    /// A short stable code that a process can branch on.
    pub fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    /// Anything else that helps to find the cause. What is no JSON is left out.
    pub fn details(mut self, details: &impl Serialize) -> Self {
        self.details = serde_json::to_value(details).ok().map(Box::new);
        self
    }

    /// Not before this, if there is another attempt.
    pub fn after(mut self, delay: Duration) -> Self {
        if let Retryable::Yes { after } = &mut self.retry {
            *after = Some(delay);
        }
        self
    }

    /// Whether another attempt may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self.retry, Retryable::Yes { .. })
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The code, if one was given.
    pub fn code_given(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The details, if some were given.
    pub fn details_given(&self) -> Option<&Value> {
        self.details.as_deref()
    }

    /// How long to wait before another attempt, if that was said.
    pub fn delay(&self) -> Option<Duration> {
        match self.retry {
            Retryable::Yes { after } => after,
            Retryable::No => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Anything that displays itself as the reason is no failure by itself: whether to try again is the author's decision.
pub trait OrFail<T>: Sized {
    /// What to make of it: [`Failure::retryable`] or [`Failure::permanent`], with the reason appended to the message.
    ///
    /// ```
    /// # use fermata_sdk::prelude::*;
    /// let port = "http".parse::<u16>().or_fail(|| Failure::permanent("`port` must be a number"));
    /// assert_eq!(port.unwrap_err().message(), "`port` must be a number: invalid digit found in string");
    ///
    /// let first = Vec::<u16>::new().first().copied().or_fail(|| Failure::retryable("no port is free"));
    /// assert_eq!(first.unwrap_err().message(), "no port is free");
    /// ```
    fn or_fail(self, failure: impl FnOnce() -> Failure) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> OrFail<T> for Result<T, E> {
    fn or_fail(self, failure: impl FnOnce() -> Failure) -> Result<T, Failure> {
        self.map_err(|error| {
            let mut failure = failure();
            failure.message = format!("{}: {error}", failure.message);
            failure
        })
    }
}

impl<T> OrFail<T> for Option<T> {
    fn or_fail(self, failure: impl FnOnce() -> Failure) -> Result<T, Failure> {
        self.ok_or_else(failure)
    }
}
