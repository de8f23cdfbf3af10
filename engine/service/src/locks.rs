//! Locks as people see them, and the capacities that they set.

use std::collections::BTreeMap;

use fermata_core::id::{Name, ReleaseId};
use fermata_core::time::Timestamp;
use fermata_store::{Scan, Store, Table};

use crate::error::Error;
use crate::keys;
use crate::records;

/// A lock that somebody wants or holds, or whose capacity was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockView {
    /// Its name.
    pub name: String,
    /// How many may hold it at a time.
    pub capacity: u32,
    /// Who holds it.
    pub holders: Vec<LockClaim>,
    /// Who waits for it; the first is next.
    pub waiting: Vec<LockClaim>,
}

/// A part of a release that holds a lock or waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockClaim {
    /// The release.
    pub release: ReleaseId,
    /// What it runs.
    pub process: Name,
    /// For people.
    pub title: String,
    /// Which part: `release`, a phase, or `phase/activity`.
    pub path: String,
    /// Since when.
    pub since: Timestamp,
    /// Why it goes ahead of others, if it does.
    pub emergency: Option<String>,
}

impl LockView {
    /// Whether the lock is the one that bounds the running releases of a process.
    pub(crate) fn is_concurrency(name: &str) -> bool {
        name.starts_with(fermata_core::process::CONCURRENCY_PREFIX)
    }
}

/// Capacities that are read at a time.
const CAPACITIES_PER_READ: usize = 1_000;

/// The capacities that people set.
pub(crate) fn capacities(store: &dyn Store) -> Result<BTreeMap<String, u32>, Error> {
    let mut capacities = BTreeMap::new();
    let mut scan = Scan {
        prefix: keys::LOCKS.to_vec(),
        limit: CAPACITIES_PER_READ,
        ..Scan::default()
    };
    loop {
        let found = store.scan(Table::Meta, &scan)?;
        for (key, value) in &found {
            let name = key.strip_prefix(keys::LOCKS).unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            capacities.insert(name, records::read(value, "the capacity of a lock")?);
        }
        match found.into_iter().next_back() {
            Some((last, _)) => scan.after = Some(last),
            None => return Ok(capacities),
        }
    }
}
