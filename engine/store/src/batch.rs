//! What every implementation requires of a batch, so that all of them refuse the same ones.

use std::collections::BTreeMap;

use fermata_core::id::ReleaseId;

use crate::{Batch, Error, Expect, Table};

/// Longest key, in bytes: two names, a version and an id fit several times over.
pub const KEY_BYTES_MAX: usize = 1024;

/// Largest value, in bytes: the largest component (64 MiB) and what is wrapped around it.
pub const VALUE_BYTES_MAX: usize = 64 * 1024 * 1024 + 64 * 1024;

/// What the store holds before the batch.
pub(crate) trait Before {
    /// Number of events of the release; 0 if there is none.
    fn version(&mut self, release: ReleaseId) -> Result<u64, Error>;

    /// Whether there is such a record.
    fn holds(&mut self, table: Table, key: &[u8]) -> Result<bool, Error>;
}

/// Checks the batch against what the store holds; gives the number of events that each release in
/// it has afterwards.
pub(crate) fn check(
    batch: &Batch,
    before: &mut impl Before,
) -> Result<BTreeMap<ReleaseId, u64>, Error> {
    well_formed(batch)?;
    let mut versions = BTreeMap::new();
    for append in &batch.appends {
        let found = match versions.get(&append.release) {
            Some(version) => *version,
            None => before.version(append.release)?,
        };
        if found != append.turn.first {
            return Err(Error::Conflict {
                release: append.release,
                expected: append.turn.first,
                found,
            });
        }
        versions.insert(append.release, append.turn.next());
    }
    absences(batch, before)?;
    Ok(versions)
}

/// Checks what writes require to be absent, as earlier writes of the same batch leave it.
fn absences(batch: &Batch, before: &mut impl Before) -> Result<(), Error> {
    if batch.writes.iter().all(|w| w.expect == Expect::Anything) {
        return Ok(());
    }
    let mut written = BTreeMap::new();
    for write in &batch.writes {
        let key = write.key.as_slice();
        if write.expect == Expect::Absent {
            let holds = match written.get(&(write.table, key)) {
                Some(holds) => *holds,
                None => before.holds(write.table, key)?,
            };
            if holds {
                return Err(Error::Exists {
                    table: write.table,
                    key: write.key.clone(),
                });
            }
        }
        written.insert((write.table, key), write.value.is_some());
    }
    Ok(())
}

fn well_formed(batch: &Batch) -> Result<(), Error> {
    let malformed = |reason: String| Err(Error::Malformed { reason });
    for append in &batch.appends {
        if append.turn.events.is_empty() {
            return malformed(format!("a turn of {} has no events", append.release));
        }
        if append
            .turn
            .first
            .checked_add(append.turn.events.len() as u64)
            .is_none()
        {
            return malformed(format!("a turn of {} has no number", append.release));
        }
    }
    for write in &batch.writes {
        let table = write.table.name();
        if !(1..=KEY_BYTES_MAX).contains(&write.key.len()) {
            return malformed(format!(
                "a key in {table} has {} bytes where 1 to {KEY_BYTES_MAX} may be",
                write.key.len()
            ));
        }
        let size = write.value.as_ref().map_or(0, Vec::len);
        if size > VALUE_BYTES_MAX {
            return malformed(format!(
                "a value in {table} has {size} bytes where at most {VALUE_BYTES_MAX} may be"
            ));
        }
    }
    Ok(())
}
