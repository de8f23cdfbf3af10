//! What is tested, and the shortest words for what the tests do to it.

use std::path::PathBuf;

use fermata_core::actor::Actor;
use fermata_core::id::ReleaseId;
use fermata_core::release::event::{Event, Turn};
use fermata_core::time::Timestamp;
use fermata_store::{
    Append, Batch, Error, Expect, Memory, Record, Rocks, Scan, Store, Table, Write,
};
use tempfile::TempDir;

/// One store, which can be closed and opened again.
pub(crate) enum Subject {
    Memory(Memory),
    Rocks { home: TempDir, store: Option<Rocks> },
}

impl Subject {
    pub(crate) fn memory() -> Self {
        Self::Memory(Memory::default())
    }

    pub(crate) fn rocks() -> Self {
        let home = temporary();
        let store = Some(open(&home.path().join("db")));
        Self::Rocks { home, store }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => store,
            Self::Rocks { store, .. } => store.as_ref().expect("open between two calls"),
        }
    }

    /// Closes the store and opens it again, where there is anything to close.
    pub(crate) fn reopen(&mut self) {
        if let Self::Rocks { home, store } = self {
            drop(store.take());
            *store = Some(open(&home.path().join("db")));
        }
    }

    /// Closes the store for good; where it was, and what keeps the directory.
    pub(crate) fn close(self) -> (PathBuf, TempDir) {
        match self {
            Self::Memory(_) => panic!("a store in memory is nowhere"),
            Self::Rocks { home, store } => {
                drop(store);
                (home.path().join("db"), home)
            }
        }
    }

    pub(crate) fn commit(&self, batch: Batch) {
        self.store().commit(batch).expect("the batch is valid");
    }

    pub(crate) fn refused(&self, batch: Batch) -> Error {
        self.store()
            .commit(batch)
            .expect_err("the batch must be refused")
    }

    pub(crate) fn turns(&self, release: ReleaseId, from: u64, limit: usize) -> Vec<Turn> {
        self.store()
            .turns(release, from, limit)
            .expect("turns can be read")
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.store().get(table, key).expect("records can be read")
    }

    pub(crate) fn scan(&self, table: Table, scan: &Scan) -> Vec<Record> {
        self.store().scan(table, scan).expect("records can be read")
    }
}

pub(crate) fn temporary() -> TempDir {
    tempfile::tempdir().expect("there is a place for temporary files")
}

pub(crate) fn open(path: &std::path::Path) -> Rocks {
    Rocks::open(path).expect("the database opens")
}

/// A release.
pub(crate) fn release(number: u128) -> ReleaseId {
    ReleaseId(number << 64)
}

/// A turn of `count` events that can be told apart.
pub(crate) fn turn(first: u64, count: u64) -> Turn {
    let event = |number: u64| Event::Paused {
        reason: Some(format!("event {number}")),
    };
    Turn {
        first,
        at: Timestamp(1_000 + i64::try_from(first).expect("tests have few events")),
        by: Actor::Engine,
        events: (first..first + count).map(event).collect(),
    }
}

/// Only appends.
pub(crate) fn appends<const N: usize>(appends: [(ReleaseId, Turn); N]) -> Batch {
    let append = |(release, turn)| Append { release, turn };
    Batch {
        appends: appends.into_iter().map(append).collect(),
        writes: Vec::new(),
    }
}

/// Only writes.
pub(crate) fn writes<const N: usize>(writes: [Write; N]) -> Batch {
    Batch {
        appends: Vec::new(),
        writes: writes.into(),
    }
}

pub(crate) fn put(table: Table, key: &[u8], value: &[u8]) -> Write {
    Write {
        table,
        key: key.to_owned(),
        value: Some(value.to_owned()),
        expect: Expect::Anything,
    }
}

pub(crate) fn delete(table: Table, key: &[u8]) -> Write {
    Write {
        value: None,
        ..put(table, key, b"")
    }
}

/// The same write, if there is no record.
pub(crate) fn if_absent(write: Write) -> Write {
    Write {
        expect: Expect::Absent,
        ..write
    }
}

/// All that a store holds in its tables.
pub(crate) fn records(store: &dyn Store) -> Vec<(Table, Record)> {
    let everything = Scan {
        limit: usize::MAX,
        ..Scan::default()
    };
    Table::ALL
        .into_iter()
        .flat_map(|table| {
            let records = store.scan(table, &everything).expect("records can be read");
            records.into_iter().map(move |record| (table, record))
        })
        .collect()
}
