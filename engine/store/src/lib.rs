//! The durable store: events of releases, and small records beside them.
//!
//! Two implementations keep one contract: `Memory`, which is the readable specification, and
//! `Rocks`, the default. The meaning of what is stored stays in core and service.

use std::fmt;
use std::path::Path;

use fermata_core::id::ReleaseId;
use fermata_core::release::event::Turn;
use fermata_core::time::Timestamp;

pub use backup::{Backup, BackupFile, restore, verify_backup};
pub use batch::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
pub use directory::{DataDirectory, FORMAT};
pub use error::Error;
pub use faulty::{Fault, Faulty};
pub use memory::Memory;
pub use rocks::{Examination, Rocks};

mod backup;
mod batch;
pub mod codec;
mod directory;
mod error;
mod faulty;
mod files;
mod memory;
mod rocks;

/// A key and the value under it.
pub type Record = (Vec<u8>, Vec<u8>);

/// A durable store. All methods block; a commit returns when the batch is on disk.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Applies the batch whole, or nothing of it. Appends are looked at before writes, both in their
    /// order, and each sees those before it; the first that is refused decides the error. On `Conflict`,
    /// `Exists` and `Malformed` nothing has changed; after any other error it is open whether the batch
    /// is on disk, and the store refuses all further commits until it is opened again.
    fn commit(&self, batch: Batch) -> Result<(), Error>;

    /// Turns of a release, from the one that holds event number `from`, at most `limit`; none if there
    /// is no such release or event.
    fn turns(&self, release: ReleaseId, from: u64, limit: usize) -> Result<Vec<Turn>, Error>;

    /// The record under `key`.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Records in the order of their keys.
    fn scan(&self, table: Table, scan: &Scan) -> Result<Vec<Record>, Error>;

    /// Writes a consistent copy into `directory`, which must not exist, while commits go on. The copy
    /// says that it was made `at`.
    fn backup(&self, directory: &Path, at: Timestamp) -> Result<(), Error>;
}

/// What is committed together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Turns of any number of releases.
    pub appends: Vec<Append>,
    /// Records.
    pub writes: Vec<Write>,
}

/// One turn, and the number of events that the release must have before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// Which release.
    pub release: ReleaseId,
    /// Its turn; `turn.first` is the expected version.
    pub turn: Turn,
}

/// One record to put or delete.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Where.
    pub table: Table,
    /// Under which key; not empty and at most [`KEY_BYTES_MAX`].
    pub key: Vec<u8>,
    /// What, at most [`VALUE_BYTES_MAX`]; `None` deletes.
    pub value: Option<Vec<u8>>,
    /// What must be there before.
    pub expect: Expect,
}

/// What a [`Write`] requires of the record that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: the last write wins.
    Anything,
    /// That there is none.
    Absent,
}

/// A part of the store with keys of its own. The names are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Process documents by name and version.
    Processes,
    /// Registry entries by name and version.
    Components,
    /// Bytes by digest.
    Blobs,
    /// A summary of each release.
    Releases,
    /// The releases that have not ended: what a start must load.
    Open,
    /// Principals, tokens and sealed secrets.
    Access,
    /// What attempts logged, and what was recorded of them.
    Logs,
    /// What is deployed where.
    Ledger,
    /// Answers kept for repeated requests.
    Idempotency,
    /// Single values of the installation.
    Meta,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 10] = [
        Self::Processes,
        Self::Components,
        Self::Blobs,
        Self::Releases,
        Self::Open,
        Self::Access,
        Self::Logs,
        Self::Ledger,
        Self::Idempotency,
        Self::Meta,
    ];

    /// The name, as the stored format has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Components => "components",
            Self::Blobs => "blobs",
            Self::Releases => "releases",
            Self::Open => "open",
            Self::Access => "access",
            Self::Logs => "logs",
            Self::Ledger => "ledger",
            Self::Idempotency => "idempotency",
            Self::Meta => "meta",
        }
    }
}

/// Which records a scan gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Only keys that begin with this.
    pub prefix: Vec<u8>,
    /// Only keys behind this one, in the direction of the scan.
    pub after: Option<Vec<u8>>,
    /// From the last key to the first.
    pub reverse: bool,
    /// At most this many.
    pub limit: usize,
}
