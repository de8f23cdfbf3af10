//! Reading a whole store to see whether it is sound.

use std::collections::BTreeMap;

use fermata_core::id::ReleaseId;
use rocksdb::ReadOptions;

use super::{Rocks, TURNS, decode_turn, read_error};
use crate::{Error, Table};

/// What a store holds, after every byte of it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// Releases that have events.
    pub releases: u64,
    /// Their turns.
    pub turns: u64,
    /// Their events.
    pub events: u64,
    /// Records by the name of their table; each table is there.
    pub records: BTreeMap<&'static str, u64>,
}

impl Rocks {
    /// Reads everything, checks each checksum, and checks that the turns of each release read back and
    /// follow each other without a gap. The first fault is the error.
    pub fn examine(&self) -> Result<Examination, Error> {
        let mut found = Examination::default();
        self.examine_turns(&mut found)?;
        for table in Table::ALL {
            let mut records = self.whole(table.name());
            let mut count = 0;
            while records.valid() {
                count += 1;
                records.next();
            }
            records
                .status()
                .map_err(|error| read_error(table.name(), &error))?;
            found.records.insert(table.name(), count);
        }
        Ok(found)
    }

    fn examine_turns(&self, found: &mut Examination) -> Result<(), Error> {
        let mut last: Option<(ReleaseId, u64)> = None;
        let mut turns = self.whole(TURNS);
        while let Some((key, value)) = turns.item() {
            let turn = decode_turn(key, value)?;
            let id: [u8; 16] = key[..16].try_into().expect("the key was read as a turn's");
            let id = ReleaseId::from_bytes(id);
            let expected = match last {
                Some((release, next)) if release == id => next,
                _ => 0,
            };
            if turn.first != expected {
                return Err(Error::Corrupt {
                    what: id.to_string(),
                    reason: format!("event {expected} is missing before event {}", turn.first),
                });
            }
            found.releases += u64::from(turn.first == 0);
            found.turns += 1;
            found.events += turn.events.len() as u64;
            last = Some((id, turn.next()));
            turns.next();
        }
        turns.status().map_err(|error| read_error(TURNS, &error))
    }

    /// Over all of a column family, without pushing what others read out of the cache.
    fn whole(&self, family: &str) -> rocksdb::DBRawIterator<'_> {
        let mut read = ReadOptions::default();
        read.fill_cache(false);
        let mut all = self.db.raw_iterator_cf_opt(self.family(family), read);
        all.seek_to_first();
        all
    }
}
