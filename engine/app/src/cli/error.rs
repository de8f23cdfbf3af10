//! What can go wrong in a command, in three parts: what, where, and what to do next.

use std::io;
use std::path::{Path, PathBuf};

use crate::client;
use crate::exit::Exit;
use crate::oci;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The server could not be asked, or said no.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// An OCI registry could not be asked, or said no.
    #[error(transparent)]
    Oci(#[from] oci::Error),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than expected.
    #[error("{}: {what}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The command line makes no sense.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What to do instead.
        next: String,
    },
    /// It was tried and failed.
    #[error("{what}")]
    Failed {
        /// What failed.
        what: String,
        /// What to do next, where that is known.
        next: Option<String>,
    },
    /// It was understood, and the state or the values forbid it.
    #[error("{what} ({code})")]
    Refused {
        /// What is wrong.
        what: String,
        /// A stable code, as the server gives it.
        code: &'static str,
    },
    /// A document has defects; they have been shown already.
    #[error("{}: {count} {}", path.display(), if *count == 1 { "defect" } else { "defects" })]
    Defects {
        /// The document.
        path: PathBuf,
        /// How many.
        count: usize,
    },
    /// Standard output or the terminal cannot be written.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// A file that holds something else than expected.
    pub(crate) fn in_file(path: &Path, what: impl Into<String>) -> Self {
        Self::Content {
            path: path.into(),
            what: what.into(),
        }
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Usage {
            what: what.into(),
            next: next.into(),
        }
    }

    /// The exit code for it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Client(error) => error.exit(),
            Self::Oci(error) => error.exit(),
            Self::File { .. } | Self::Content { .. } | Self::Usage { .. } => Exit::Usage,
            Self::Failed { .. } | Self::Output(_) => Exit::Failure,
            Self::Refused { .. } | Self::Defects { .. } => Exit::Refused,
        }
    }

    /// What to do next, where that is known.
    pub(crate) fn next(&self) -> Option<String> {
        match self {
            Self::Client(error) => error.next(),
            Self::Oci(error) => error.next(),
            Self::Usage { next, .. } => Some(next.clone()),
            Self::Failed { next, .. } => next.clone(),
            Self::File { .. }
            | Self::Content { .. }
            | Self::Refused { .. }
            | Self::Defects { .. }
            | Self::Output(_) => None,
        }
    }

    /// Whether the reader of standard output has gone, as `fermata … | head` does.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
