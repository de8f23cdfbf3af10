//! The durable store: events of releases, and small records beside them.
//!
//! Two implementations keep one contract: `Memory`, which is the readable specification, and
//! `Rocks`, the default. The meaning of what is stored stays in core and service.

use std::fmt;
use std::path::Path;

use fermata_core::id::ReleaseId;
use fermata_core::release::event::Turn;

pub use error::Error;

mod error;

/// A durable store. All methods block; a commit returns when the batch is on disk.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Applies the batch whole, or nothing of it. On `Conflict` and `Exists` nothing has changed; after
    /// any other error the store refuses all further commits until it is opened again.
    fn commit(&self, batch: Batch) -> Result<(), Error>;

    /// Turns of a release, from the one that holds event number `from`, at most `limit`.
    fn turns(&self, release: ReleaseId, from: u64, limit: usize) -> Result<Vec<Turn>, Error>;

    /// The record under `key`.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Records in the order of their keys.
    fn scan(&self, table: Table, scan: &Scan) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Error>;

    /// Writes a consistent copy into `directory`, which must not exist, while commits go on.
    fn backup(&self, directory: &Path) -> Result<(), Error>;
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
    /// Under which key; not empty.
    pub key: Vec<u8>,
    /// What; `None` deletes.
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
    /// Principals and tokens.
    Access,
    /// What attempts logged.
    Logs,
    /// What is deployed where.
    Ledger,
    /// Answers kept for repeated requests.
    Idempotency,
    /// Single values of the installation.
    Meta,
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
