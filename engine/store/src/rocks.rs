//! The store on RocksDB: one column family for turns and one for each table, each commit one
//! synced write.
//!
//! A turn is kept under the 16 bytes of its release and the 8 bytes of its first event's number, both
//! big-endian, so that a release's turns lie side by side in their order.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use fermata_core::id::ReleaseId;
use fermata_core::release::event::Turn;
use fermata_core::time::Timestamp;
use rocksdb::{ColumnFamily, DB, DBRawIterator, ErrorKind, ReadOptions, WriteBatch};

use crate::{Batch, Error, Record, Scan, Store, Table, backup, batch, codec, files};
use heads::Heads;

pub use examine::Examination;

mod examine;
mod heads;
mod options;

/// Name of the column family of turns; part of the format.
const TURNS: &str = "turns";

/// Bytes of a turn's key.
const TURN_KEY_BYTES: usize = 24;

/// The durable store of one machine.
pub struct Rocks {
    db: DB,
    path: PathBuf,
    writer: Mutex<Writer>,
}

/// What only the one that commits may touch.
#[derive(Debug, Default)]
struct Writer {
    heads: Heads,
    /// Why no commit is taken any more. After a failed write nobody can say what is on disk, and a
    /// later write that succeeds would hide the gap; only opening the store again finds out.
    poison: Option<String>,
}

impl Rocks {
    /// Opens the database in `path`; makes an empty one if there is none.
    pub fn open(path: &Path) -> Result<Self, Error> {
        files::create_private(path).map_err(|error| {
            Error::Directory(format!("{} cannot be created: {error}", path.display()))
        })?;
        let db = DB::open_cf_descriptors(&options::database(), path, options::families())
            .map_err(|error| open_error(path, &error))?;
        Ok(Self {
            db,
            path: path.to_owned(),
            writer: Mutex::default(),
        })
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer
            .lock()
            .expect("a panic amid a commit leaves nothing to go on with")
    }

    fn family(&self, name: &str) -> &ColumnFamily {
        self.db
            .cf_handle(name)
            .expect("opening has made every column family")
    }

    /// Writes what has been checked, and waits until it is on disk.
    fn write(&self, batch: &Batch) -> Result<(), Error> {
        let mut write = WriteBatch::default();
        let turns = self.family(TURNS);
        for append in &batch.appends {
            let key = turn_key(append.release, append.turn.first);
            write.put_cf(turns, key, codec::encode(&append.turn));
        }
        for record in &batch.writes {
            let table = self.family(record.table.name());
            match &record.value {
                Some(value) => write.put_cf(table, &record.key, value),
                None => write.delete_cf(table, &record.key),
            }
        }
        self.db
            .write_opt(write, &options::synced())
            .map_err(|error| Error::Unavailable {
                reason: reason(&error),
            })
    }

    /// Lets RocksDB write what it gathered in memory to its files, in the background. It would keep
    /// large values in memory, and read them all again at the next start, until further writes come.
    fn unload(&self) -> Result<(), String> {
        let families: Vec<&ColumnFamily> = options::names().map(|name| self.family(name)).collect();
        let families: Vec<&&ColumnFamily> = families.iter().collect();
        let flushed = self
            .db
            .flush_cfs_opt(&families, &options::in_the_background());
        flushed.map_err(|error| reason(&error))
    }

    /// Number of events of a release, from its last turn.
    fn head(&self, release: ReleaseId) -> Result<u64, Error> {
        let mut turns = self.turns_of(release);
        turns.seek_to_last();
        Ok(current_turn(&turns)?.map_or(0, |turn| turn.next()))
    }

    /// Over the turns of one release.
    fn turns_of(&self, release: ReleaseId) -> DBRawIterator<'_> {
        let mut read = ReadOptions::default();
        read.set_iterate_lower_bound(turn_key(release, 0));
        // The end itself is excluded, and no turn begins at the last number there is.
        read.set_iterate_upper_bound(turn_key(release, u64::MAX));
        self.db.raw_iterator_cf_opt(self.family(TURNS), read)
    }
}

impl Store for Rocks {
    fn commit(&self, batch: Batch) -> Result<(), Error> {
        let mut writer = self.writer();
        if let Some(reason) = &writer.poison {
            return Err(Error::Unavailable {
                reason: reason.clone(),
            });
        }
        let heads = &mut writer.heads;
        let committed = batch::check(&batch, &mut Now { rocks: self, heads })
            .and_then(|versions| self.write(&batch).map(|()| versions));
        match committed {
            Ok(versions) => {
                for (release, version) in versions {
                    writer.heads.put(release, version);
                }
                if holds_large_values(&batch) {
                    // The batch is on disk; only the next one has to do with a disk that fails here.
                    writer.poison = self.unload().err();
                }
                Ok(())
            }
            Err(
                error @ (Error::Conflict { .. } | Error::Exists { .. } | Error::Malformed { .. }),
            ) => Err(error),
            Err(error) => {
                writer.poison = Some(match &error {
                    Error::Unavailable { reason } => reason.clone(),
                    other => other.to_string(),
                });
                Err(error)
            }
        }
    }

    fn turns(&self, release: ReleaseId, from: u64, limit: usize) -> Result<Vec<Turn>, Error> {
        let mut turns = self.turns_of(release);
        turns.seek_for_prev(turn_key(release, from));
        let mut found = Vec::new();
        while found.len() < limit {
            let Some(turn) = current_turn(&turns)? else {
                break;
            };
            if turn.next() > from {
                found.push(turn);
            }
            turns.next();
        }
        Ok(found)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let found = self.db.get_cf(self.family(table.name()), key);
        found.map_err(|error| read_error(table.name(), &error))
    }

    fn scan(&self, table: Table, scan: &Scan) -> Result<Vec<Record>, Error> {
        let Some((lower, upper)) = bounds(scan) else {
            return Ok(Vec::new());
        };
        let mut read = ReadOptions::default();
        read.set_iterate_lower_bound(lower);
        if let Some(upper) = upper {
            read.set_iterate_upper_bound(upper);
        }
        let mut records = self.db.raw_iterator_cf_opt(self.family(table.name()), read);
        if scan.reverse {
            records.seek_to_last();
        } else {
            records.seek_to_first();
        }
        let mut found = Vec::new();
        while found.len() < scan.limit {
            let Some((key, value)) = records.item() else {
                break;
            };
            found.push((key.to_owned(), value.to_owned()));
            if scan.reverse {
                records.prev();
            } else {
                records.next();
            }
        }
        records
            .status()
            .map_err(|error| read_error(table.name(), &error))?;
        Ok(found)
    }

    fn backup(&self, directory: &Path, at: Timestamp) -> Result<(), Error> {
        backup::write(&self.db, directory, at)
    }
}

impl fmt::Debug for Rocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rocks")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What the database holds as the next commit finds it.
struct Now<'a> {
    rocks: &'a Rocks,
    heads: &'a mut Heads,
}

impl batch::Before for Now<'_> {
    fn version(&mut self, release: ReleaseId) -> Result<u64, Error> {
        if let Some(version) = self.heads.get(release) {
            return Ok(version);
        }
        let version = self.rocks.head(release)?;
        self.heads.put(release, version);
        Ok(version)
    }

    fn holds(&mut self, table: Table, key: &[u8]) -> Result<bool, Error> {
        let found = self
            .rocks
            .db
            .get_pinned_cf(self.rocks.family(table.name()), key);
        found
            .map(|value| value.is_some())
            .map_err(|error| read_error(table.name(), &error))
    }
}

fn holds_large_values(batch: &Batch) -> bool {
    let values = batch.writes.iter().filter_map(|write| write.value.as_ref());
    values.map(Vec::len).sum::<usize>() >= options::LARGE_BYTES
}

fn turn_key(release: ReleaseId, first: u64) -> [u8; TURN_KEY_BYTES] {
    let mut key = [0; TURN_KEY_BYTES];
    key[..16].copy_from_slice(&release.to_bytes());
    key[16..].copy_from_slice(&first.to_be_bytes());
    key
}

/// The turn under the iterator; `None` at the end of what it may see.
fn current_turn(turns: &DBRawIterator<'_>) -> Result<Option<Turn>, Error> {
    let Some((key, value)) = turns.item() else {
        return turns
            .status()
            .map(|()| None)
            .map_err(|error| read_error(TURNS, &error));
    };
    decode_turn(key, value).map(Some)
}

/// The turn that `value` spells, if it is the one that belongs under `key`.
fn decode_turn(key: &[u8], value: &[u8]) -> Result<Turn, Error> {
    let Ok(whole) = <[u8; TURN_KEY_BYTES]>::try_from(key) else {
        return Err(Error::Corrupt {
            what: format!("the turn under {key:02x?}"),
            reason: format!("its key has {} bytes", key.len()),
        });
    };
    let (id, first) = whole.split_at(16);
    let id = ReleaseId::from_bytes(id.try_into().expect("split at 16"));
    let first = u64::from_be_bytes(first.try_into().expect("8 of 24 are left"));
    let what = || format!("the turn of {id} at event {first}");
    let turn: Turn = codec::decode(value).map_err(|error| error.of(what()))?;
    if turn.first == first && !turn.events.is_empty() {
        return Ok(turn);
    }
    Err(Error::Corrupt {
        what: what(),
        reason: format!(
            "it says event {} and has {} events",
            turn.first,
            turn.events.len()
        ),
    })
}

/// The keys that a scan may give: from the first, to before the second; `None` if there can be none.
fn bounds(scan: &Scan) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let mut lower = scan.prefix.clone();
    let mut upper = successor(&scan.prefix);
    match &scan.after {
        Some(after) if scan.reverse => {
            let before = upper.is_none_or(|upper| *after < upper);
            upper = if before {
                Some(after.clone())
            } else {
                successor(&scan.prefix)
            };
        }
        Some(after) => lower = lower.max([after.as_slice(), &[0]].concat()),
        None => {}
    }
    let possible = upper.as_ref().is_none_or(|upper| lower < *upper);
    possible.then_some((lower, upper))
}

/// The least key behind all that begin with `prefix`; `None` if there is no such key.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

fn read_error(what: &str, error: &rocksdb::Error) -> Error {
    Error::Corrupt {
        what: what.to_owned(),
        reason: error.to_string(),
    }
}

fn open_error(path: &Path, error: &rocksdb::Error) -> Error {
    let place = path.display();
    match error.kind() {
        ErrorKind::Corruption => Error::Corrupt {
            what: format!("the database in {place}"),
            reason: error.to_string(),
        },
        _ if disk_is_full(error) => Error::Unavailable {
            reason: reason(error),
        },
        _ => Error::Directory(format!("the database in {place} cannot be opened: {error}")),
    }
}

/// What RocksDB says, with the case that operators can mend named in plain words.
fn reason(error: &rocksdb::Error) -> String {
    if disk_is_full(error) {
        format!("the disk is full: {error}")
    } else {
        error.to_string()
    }
}

/// RocksDB hands on errors as text only; these are the C library's words for `ENOSPC`, `EDQUOT` and
/// `EFBIG`.
fn disk_is_full(error: &rocksdb::Error) -> bool {
    let text: &str = error.as_ref();
    [
        "No space left on device",
        "Disk quota exceeded",
        "File too large",
    ]
    .iter()
    .any(|words| text.contains(words))
}
