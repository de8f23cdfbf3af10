//! Why a registry did not give or take an artifact: what happened, where, and what to do next.

use std::time::Duration;

use fermata_core::id::Digest;
use fermata_core::time::Span;

use crate::exit::Exit;

/// Why an artifact was not read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nothing listens there.
    #[error("cannot reach the registry at {registry}: {why}")]
    Unreachable {
        /// Where.
        registry: String,
        /// What the network said.
        why: String,
    },
    /// No answer in time.
    #[error("no answer from the registry at {registry} within {}", Span(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)))]
    Timeout {
        /// Where.
        registry: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The connection ended before the answer did.
    #[error("the connection to the registry at {registry} was lost: {why}")]
    Lost {
        /// Where.
        registry: String,
        /// What the network said.
        why: String,
    },
    /// It lets nobody in, or not this one.
    #[error("the registry at {registry} does not let us {what}: {why}")]
    Unauthorised {
        /// Where.
        registry: String,
        /// What was asked.
        what: String,
        /// What it said.
        why: String,
        /// What to do next.
        next: String,
    },
    /// It has no such thing.
    #[error("there is no {what} ({told})")]
    Missing {
        /// What was asked for.
        what: String,
        /// What the registry said.
        told: String,
    },
    /// It said no.
    #[error("the registry at {registry} refused to {what}: {told} (status {status})")]
    Refused {
        /// Where.
        registry: String,
        /// What was asked.
        what: String,
        /// What it said.
        told: String,
        /// The HTTP status.
        status: u16,
    },
    /// What answers is no registry.
    #[error("{registry} answered (status {status}) with something that is no registry's: {why}")]
    Foreign {
        /// Where.
        registry: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong with the answer.
        why: String,
    },
    /// It sends more than a component or its manifest may have.
    #[error("{what} has more than {bytes_max} bytes")]
    TooLarge {
        /// What, and where.
        what: String,
        /// The most that is read.
        bytes_max: u64,
    },
    /// The bytes are not those that were asked for.
    #[error("{what}: expected {expected}, and the registry sent {found}")]
    OtherBytes {
        /// What, and where.
        what: String,
        /// The digest that was asked for, or how many bytes were announced.
        expected: String,
        /// What came.
        found: String,
    },
    /// The artifact is something else.
    #[error("{reference} is no component: {why}")]
    NoComponent {
        /// What was asked for.
        reference: String,
        /// What it is.
        why: String,
    },
    /// A version is there already, with other content.
    #[error("{reference} is there already with other content: {found} (version-exists)")]
    Taken {
        /// The tag.
        reference: String,
        /// The manifest it stands for.
        found: Digest,
    },
    /// Docker's configuration cannot be read.
    #[error("{path}: {why}")]
    Config {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
}

impl Error {
    /// The exit code for it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Lost { .. } => {
                Exit::Unreachable
            }
            Self::Unauthorised { .. } => Exit::Unauthorised,
            Self::Missing { .. } => Exit::Missing,
            Self::Refused { status: 500.., .. } | Self::Foreign { .. } => Exit::Server,
            Self::Refused { .. } | Self::Taken { .. } => Exit::Refused,
            Self::TooLarge { .. } | Self::OtherBytes { .. } => Exit::Failure,
            Self::NoComponent { .. } | Self::Config { .. } => Exit::Usage,
        }
    }

    /// What to do next.
    pub(crate) fn next(&self) -> Option<String> {
        let next = match self {
            Self::Unreachable { .. } => {
                "check the host and port in the reference; a registry without TLS that is not on this machine needs --plain-http"
            }
            Self::Timeout { .. } => "repeat it, or wait longer with --timeout",
            Self::Lost { .. } => "repeat it: what is there already is not sent again",
            Self::Unauthorised { next, .. } => next,
            Self::Missing { .. } => "check the spelling of repository and tag or digest",
            Self::Refused { status: 429, .. } => "wait a moment, then repeat",
            Self::Refused { status: 500.., .. } => "look at the log of the registry",
            Self::Refused { .. } => return None,
            Self::Foreign { .. } => {
                "check the reference: does it name an OCI registry? Some want a repository to be created first"
            }
            Self::TooLarge { .. } => {
                "it may be no component; do not use this registry before you know why it sends this"
            }
            Self::OtherBytes { .. } => {
                "nothing was kept; do not use this registry before you know why it sends other bytes"
            }
            Self::NoComponent { .. } => {
                "a component has one layer of the media type application/wasm, as `fermata component publish` and `wkg oci push` write it"
            }
            Self::Taken { .. } => {
                "a version stands for one content: raise the version of the component, or replace what is there with --force"
            }
            Self::Config { .. } => "mend the file, or pass --username",
        };
        Some(next.to_owned())
    }
}
