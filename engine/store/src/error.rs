//! How the store fails.

use fermata_core::id::ReleaseId;

use crate::Table;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another turn came first; nothing was written.
    #[error("{release} has {found} events where {expected} were expected")]
    Conflict {
        /// Which release.
        release: ReleaseId,
        /// Number of events the writer knew.
        expected: u64,
        /// Number of events there are.
        found: u64,
    },
    /// A record is there that must not be; nothing was written.
    #[error("a record in {table:?} exists already")]
    Exists {
        /// Where.
        table: Table,
        /// Under which key.
        key: Vec<u8>,
    },
    /// The batch breaks a rule that holds for every batch: a mistake of the caller. Nothing was written.
    #[error("the batch cannot be stored: {reason}")]
    Malformed {
        /// Which rule.
        reason: String,
    },
    /// Stored bytes cannot be read.
    #[error("{what} cannot be read: {reason}")]
    Corrupt {
        /// Which record.
        what: String,
        /// Why.
        reason: String,
    },
    /// The disk is full or failed; the store takes no more writes until it is opened again.
    #[error("the store cannot write ({reason}); free space or repair the disk, then restart")]
    Unavailable {
        /// What the operating system or RocksDB said.
        reason: String,
    },
    /// The data directory cannot be used.
    #[error("{0}")]
    Directory(String),
}
