//! A store whose commits fail when a test says so.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use fermata_core::id::ReleaseId;
use fermata_core::release::event::Turn;
use fermata_core::time::Timestamp;

use crate::{Batch, Error, Record, Scan, Store, Table};

/// What a failing commit leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it failed before it reached the disk.
    Before,
    /// All of it: it reached the disk, but the answer was an error.
    After,
}

/// Passes everything on to another store, but for the commits that are to fail. After one has,
/// every further commit is refused until [`Faulty::reopen`], as the disk-backed store does it.
#[derive(Debug)]
pub struct Faulty<S> {
    inner: S,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    commits: u64,
    faults: BTreeMap<u64, Fault>,
    failed: bool,
}

impl<S> Faulty<S> {
    /// Fails nothing until it is told to.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            plan: Mutex::default(),
        }
    }

    /// Makes commit number `commit` fail; [`Faulty::commits`] is the number of the next one.
    pub fn fail(&self, commit: u64, fault: Fault) {
        self.plan().faults.insert(commit, fault);
    }

    /// How many commits have been asked for since the beginning, those refused or failed included.
    pub fn commits(&self) -> u64 {
        self.plan().commits
    }

    /// Whether a fault has happened since it was opened.
    pub fn failed(&self) -> bool {
        self.plan().failed
    }

    /// Takes commits again, as a store does that was opened again.
    pub fn reopen(&self) {
        self.plan().failed = false;
    }

    /// The store behind.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

impl Plan {
    /// Counts one commit; its fault, if it is to have one.
    fn next(&mut self) -> Option<Fault> {
        let number = self.commits;
        self.commits += 1;
        if self.failed {
            return Some(Fault::Before);
        }
        let fault = self.faults.remove(&number);
        self.failed = fault.is_some();
        fault
    }
}

impl<S: Store> Store for Faulty<S> {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        let fault = self.plan().next();
        match fault {
            None => return self.inner.commit(batch),
            Some(Fault::Before) => {}
            Some(Fault::After) => {
                let applied = self.inner.commit(batch);
                // What is refused never reaches the disk, so nothing can fail there.
                applied.inspect_err(|_| self.reopen())?;
            }
        }
        Err(Error::Unavailable {
            reason: "a fault was injected".to_owned(),
        })
    }

    fn turns(&self, release: ReleaseId, from: u64, limit: usize) -> Result<Vec<Turn>, Error> {
        self.inner.turns(release, from, limit)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.inner.get(table, key)
    }

    fn scan(&self, table: Table, scan: &Scan) -> Result<Vec<Record>, Error> {
        self.inner.scan(table, scan)
    }

    fn backup(&self, directory: &Path, at: Timestamp) -> Result<(), Error> {
        self.inner.backup(directory, at)
    }
}
