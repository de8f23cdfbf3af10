//! The store as its own specification: ordered maps behind one lock.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use fermata_core::id::ReleaseId;
use fermata_core::release::event::Turn;
use fermata_core::time::Timestamp;

use crate::{Batch, Error, Record, Scan, Store, Table, batch};

/// A store that is gone with its process. For tests and simulation.
#[derive(Debug, Default)]
pub struct Memory {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    turns: BTreeMap<(ReleaseId, u64), Turn>,
    records: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Memory {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

impl Store for Memory {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        let mut held = self.held();
        batch::check(&batch, &mut *held)?;
        for append in batch.appends {
            held.turns
                .insert((append.release, append.turn.first), append.turn);
        }
        for write in batch.writes {
            let table = held.records.entry(write.table).or_default();
            match write.value {
                Some(value) => table.insert(write.key, value),
                None => table.remove(&write.key),
            };
        }
        Ok(())
    }

    fn turns(&self, release: ReleaseId, from: u64, limit: usize) -> Result<Vec<Turn>, Error> {
        let held = self.held();
        let holder = held.turns.range((release, 0)..=(release, from)).next_back();
        let Some((first, _)) = holder.filter(|(_, turn)| from < turn.next()) else {
            return Ok(Vec::new());
        };
        let onward = held.turns.range(*first..=(release, u64::MAX));
        Ok(onward.take(limit).map(|(_, turn)| turn.clone()).collect())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let held = self.held();
        Ok(held
            .records
            .get(&table)
            .and_then(|records| records.get(key))
            .cloned())
    }

    fn scan(&self, table: Table, scan: &Scan) -> Result<Vec<Record>, Error> {
        let held = self.held();
        let Some(records) = held.records.get(&table) else {
            return Ok(Vec::new());
        };
        let mut found: Vec<(&Vec<u8>, &Vec<u8>)> = records
            .range(scan.prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&scan.prefix))
            .filter(|(key, _)| match &scan.after {
                None => true,
                Some(after) if scan.reverse => *key < after,
                Some(after) => *key > after,
            })
            .collect();
        if scan.reverse {
            found.reverse();
        }
        let within = found.into_iter().take(scan.limit);
        Ok(within
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn backup(&self, _directory: &Path, _at: Timestamp) -> Result<(), Error> {
        Err(Error::Directory(
            "a store in memory has no backup".to_owned(),
        ))
    }
}

impl batch::Before for Held {
    fn version(&mut self, release: ReleaseId) -> Result<u64, Error> {
        let last = self
            .turns
            .range((release, 0)..=(release, u64::MAX))
            .next_back();
        Ok(last.map_or(0, |(_, turn)| turn.next()))
    }

    fn holds(&mut self, table: Table, key: &[u8]) -> Result<bool, Error> {
        let records = self.records.get(&table);
        Ok(records.is_some_and(|records| records.contains_key(key)))
    }
}
