//! What can go wrong with the machine, as opposed to with a guest.

use std::path::PathBuf;

use crate::rejection::Rejection;

/// The machine failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{what} {path}: {source}", path = path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The compiling process could not be used.
    #[error("the compiling process could not be used: {0}")]
    Compiler(String),
    /// The WebAssembly engine refused something that this crate asked for.
    #[error("the WebAssembly engine failed: {0}")]
    Engine(String),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {0}")]
    Http(String),
    /// The bytes of a component are gone.
    #[error("the bytes of component {0} are not in the store")]
    Missing(fermata_core::id::Digest),
}

/// Why a component was not admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The upload is at fault.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The machine is at fault.
    #[error(transparent)]
    Failed(#[from] Error),
}
