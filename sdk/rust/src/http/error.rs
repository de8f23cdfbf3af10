//! Why a call did not give what was asked for, and what that means for the attempt.

use std::fmt;
use std::time::Duration;

use super::Call;
use crate::Failure;

/// Longest part of an answer that is repeated in a message, in bytes: enough for the sentence that matters.
const EXCERPT_BYTES_MAX: usize = 300;

/// A call that did not give what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub(super) call: Call,
    pub(super) cause: Cause,
}

/// Why a call did not give what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Not granted; the text says which grant is missing.
    Denied(String),
    /// The request itself is wrong.
    Invalid(String),
    /// No whole answer within the time allowed. The other side may have acted all the same.
    Timeout,
    /// No connection, or one that broke. The other side may have acted all the same.
    Unreachable(String),
    /// The answer is larger than this many bytes.
    TooLarge(u64),
    /// The status is not 2xx.
    Status {
        /// The status code.
        status: u16,
        /// The beginning of the body.
        body: String,
        /// When the other side wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The body is not the JSON that was expected.
    Unreadable(String),
}

impl Error {
    /// Why.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The status code, if there was an answer with one that is not 2xx.
    pub fn status(&self) -> Option<u16> {
        match self.cause {
            Cause::Status { status, .. } => Some(status),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.call, self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(why) => write!(f, "is not granted: {why}"),
            Self::Invalid(why) => write!(f, "is not a valid request: {why}"),
            Self::Timeout => f.write_str("was not answered in time"),
            Self::Unreachable(why) => write!(f, "could not be sent or answered: {why}"),
            Self::TooLarge(bytes) => write!(f, "was answered with more than {bytes} bytes"),
            Self::Status { status, body, .. } if body.is_empty() => {
                write!(f, "was answered with status {status}")
            }
            Self::Status { status, body, .. } => {
                write!(f, "was answered with status {status}: {body}")
            }
            Self::Unreadable(why) => write!(f, "was answered with unexpected content: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error.cause {
            Cause::Denied(_) => Self::permanent(message).code("http-denied"),
            Cause::Invalid(_) => Self::permanent(message).code("http-invalid"),
            Cause::Timeout => Self::retryable(message).code("http-timeout"),
            Cause::Unreachable(_) => Self::retryable(message).code("http-unreachable"),
            Cause::TooLarge(_) => Self::permanent(message).code("http-too-large"),
            Cause::Unreadable(_) => Self::permanent(message).code("http-unreadable"),
            Cause::Status {
                status,
                retry_after,
                ..
            } => of_status(status, message, retry_after).code("http-status"),
        }
    }
}

/// Request timeout, too early, too many requests and every server error may be different next time
/// (<https://www.rfc-editor.org/rfc/rfc9110#name-status-codes>).
fn of_status(status: u16, message: String, retry_after: Option<Duration>) -> Failure {
    if !matches!(status, 408 | 425 | 429 | 500..) {
        return Failure::permanent(message);
    }
    let failure = Failure::retryable(message);
    match retry_after {
        Some(delay) => failure.after(delay),
        None => failure,
    }
}

/// The beginning of `text` on one line.
pub(super) fn excerpt(text: &str) -> String {
    let end = text.floor_char_boundary(EXCERPT_BYTES_MAX);
    text[..end].split_whitespace().collect::<Vec<_>>().join(" ")
}
