//! Why the server could not be asked, or what it said no with.

use std::error::Error as StdError;
use std::time::Duration;

use super::problem::Problem;
use crate::exit::Exit;

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nothing listens there.
    #[error("cannot reach the server at {server}: {why}")]
    Unreachable {
        /// Where.
        server: String,
        /// What the network said.
        why: String,
    },
    /// No answer in time.
    #[error("no answer from {server} within {}", fermata_core::time::Span(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)))]
    Timeout {
        /// Where.
        server: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The connection ended before the answer did.
    #[error("the connection to {server} was lost: {why}")]
    Lost {
        /// Where.
        server: String,
        /// What the network said.
        why: String,
    },
    /// The server said no.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// What answers is not Fermata.
    #[error("{server} answered (status {status}) with something that is not Fermata's")]
    Foreign {
        /// Where.
        server: String,
        /// The HTTP status.
        status: u16,
    },
    /// The address of the server makes no sense.
    #[error("`{address}` is no address of a server: {why}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong.
        why: String,
    },
    /// The token cannot be read or sent.
    #[error("the token from {from} cannot be used: {why}")]
    Token {
        /// Where it came from.
        from: String,
        /// What is wrong.
        why: String,
    },
}

impl Error {
    /// An address that makes no sense.
    pub(crate) fn address(address: &str, why: impl Into<String>) -> Self {
        Self::Address {
            address: address.into(),
            why: why.into(),
        }
    }

    /// A token that cannot be read or sent.
    pub(crate) fn token(from: &str, why: impl Into<String>) -> Self {
        Self::Token {
            from: from.into(),
            why: why.into(),
        }
    }

    /// A connection that ended too early.
    pub(crate) fn lost(server: &str, error: &reqwest::Error) -> Self {
        Self::Lost {
            server: server.into(),
            why: root(error),
        }
    }

    /// The exit code for it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Lost { .. } => {
                Exit::Unreachable
            }
            Self::Problem(problem) => problem.exit(),
            Self::Foreign { .. } => Exit::Server,
            Self::Address { .. } => Exit::Usage,
            Self::Token { .. } => Exit::Unauthorised,
        }
    }

    /// What to do next, where that is known.
    pub(crate) fn next(&self) -> Option<String> {
        match self {
            Self::Unreachable { server, .. } => Some(format!(
                "start one with `fermata serve`, or name another with --server or FERMATA_SERVER (now {server})"
            )),
            Self::Timeout { .. } => Some(
                "see whether it is overloaded (`fermata doctor`), or wait longer with --timeout"
                    .into(),
            ),
            Self::Lost { .. } => {
                Some("look at the server's log; what it had acknowledged is not lost".into())
            }
            Self::Problem(problem) => problem.next(),
            Self::Foreign { .. } => Some("check --server: does it name a Fermata server?".into()),
            Self::Address { .. } => Some("write it like http://127.0.0.1:7717".into()),
            Self::Token { .. } => Some("pass --token-file FILE or set FERMATA_TOKEN_FILE".into()),
        }
    }

    /// Whether the same question may be answered later: the server restarts, the network is back.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Lost { .. } => true,
            Self::Problem(problem) => matches!(problem.status, 429 | 502 | 503 | 504),
            Self::Foreign { .. } | Self::Address { .. } | Self::Token { .. } => false,
        }
    }
}

/// The innermost message of an error: the outer ones only say that there is an inner one.
pub(crate) fn root(error: &dyn StdError) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
