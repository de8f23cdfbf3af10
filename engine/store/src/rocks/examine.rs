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

#[cfg(test)]
mod tests {
    use fermata_core::actor::Actor;
    use fermata_core::release::event::{Event, Turn};
    use fermata_core::time::Timestamp;

    use super::*;
    use crate::rocks::turn_key;
    use crate::{Append, Batch, Store, codec};

    const ID: ReleaseId = ReleaseId(7);

    fn turn(first: u64) -> Turn {
        Turn {
            first,
            at: Timestamp(1),
            by: Actor::Engine,
            events: vec![Event::Resumed; 2],
        }
    }

    fn filled() -> (Rocks, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let rocks = Rocks::open(home.path()).unwrap();
        let append = |(release, first)| Append {
            release: ReleaseId(release),
            turn: turn(first),
        };
        let appends = [(6, 0), (7, 0), (7, 2), (7, 4), (8, 0)].map(append).into();
        rocks
            .commit(Batch {
                appends,
                writes: Vec::new(),
            })
            .unwrap();
        (rocks, home)
    }

    #[test]
    fn everything_is_counted() {
        let (rocks, _home) = filled();
        let found = rocks.examine().unwrap();
        assert_eq!((found.releases, found.turns, found.events), (3, 5, 10));
        assert_eq!(found.records.len(), Table::ALL.len());
    }

    #[test]
    fn gaps_and_foreign_bytes_are_found() {
        for (first, value, expected) in [
            (0, None, "event 0 is missing before event 2"),
            (2, None, "event 2 is missing before event 4"),
            (2, Some(codec::encode(&turn(4))), "it says event 4"),
            (2, Some(b"nonsense".to_vec()), "schema version 110"),
            (2, Some(Vec::new()), "it is empty"),
        ] {
            let (rocks, _home) = filled();
            let (turns, key) = (rocks.family(TURNS), turn_key(ID, first));
            match value {
                Some(value) => rocks.db.put_cf(turns, key, value).unwrap(),
                None => rocks.db.delete_cf(turns, key).unwrap(),
            }
            let text = rocks.examine().unwrap_err().to_string();
            assert!(
                text.contains(expected) && text.contains(&ID.to_string()),
                "{text}"
            );
        }
    }
}
