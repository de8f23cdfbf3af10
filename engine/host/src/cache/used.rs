//! Which compiled code there is, how big it is, and in which order it was last used.
//!
//! The order is a record of its own, since access times of files are coarse and often switched off. Losing it
//! costs nothing but the order: what is not in it counts as used longest ago.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use fermata_core::id::Digest;
use tracing::warn;

/// Longest record that is read: some ten thousand uses.
const RECORD_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Lines beyond those of the code there is, after which the record is written anew.
const LINES_EXTRA_MAX: usize = 1_000;

/// The files of compiled code, as the last look or change left them.
#[derive(Debug)]
pub(super) struct Used {
    record: PathBuf,
    files: BTreeMap<Digest, Kept>,
    uses: u64,
    lines: usize,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    bytes: u64,
    used: u64,
}

impl Used {
    /// The `files` that are there, in the order that the record at `record` gives them.
    pub(super) fn load(record: PathBuf, files: BTreeMap<Digest, u64>) -> Self {
        let mut used = Self {
            files: files
                .into_iter()
                .map(|(digest, bytes)| (digest, Kept { bytes, used: 0 }))
                .collect(),
            uses: 0,
            lines: 0,
            record,
        };
        for digest in read(&used.record) {
            used.uses += 1;
            if let Some(kept) = used.files.get_mut(&digest) {
                kept.used = used.uses;
            }
        }
        used.rewrite();
        used
    }

    /// How many files there are, and their bytes.
    pub(super) fn size(&self) -> (usize, u64) {
        let bytes = self.files.values().map(|kept| kept.bytes).sum();
        (self.files.len(), bytes)
    }

    /// Notes that the code of a component with so many bytes was used or put there.
    pub(super) fn note(&mut self, digest: Digest, bytes: u64) {
        self.uses += 1;
        let used = self.uses;
        self.files.insert(digest, Kept { bytes, used });
        self.lines += 1;
        if self.lines > self.files.len() + LINES_EXTRA_MAX {
            return self.rewrite();
        }
        let appended = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.record)
            .and_then(|mut file| writeln!(file, "{}", digest.hex()));
        self.complain(appended);
    }

    /// Notes that there is no code of a component any more.
    pub(super) fn forget(&mut self, digest: &Digest) {
        self.files.remove(digest);
    }

    /// What was used longest ago, but for what `is_held`.
    pub(super) fn oldest(&self, is_held: impl Fn(&Digest) -> bool) -> Option<Digest> {
        let free = self.files.iter().filter(|(digest, _)| !is_held(digest));
        let oldest = free.min_by_key(|(_, kept)| kept.used);
        oldest.map(|(digest, _)| *digest)
    }

    /// Writes the record with one line for each file, beside the old one and then in its place.
    fn rewrite(&mut self) {
        let mut order: Vec<(u64, &Digest)> = self
            .files
            .iter()
            .map(|(digest, kept)| (kept.used, digest))
            .collect();
        order.sort_unstable();
        let lines: Vec<String> = order
            .iter()
            .map(|(_, digest)| digest.hex() + "\n")
            .collect();
        let draft = self.record.with_extension("tmp");
        let written =
            fs::write(&draft, lines.concat()).and_then(|()| fs::rename(&draft, &self.record));
        self.lines = self.files.len();
        self.complain(written);
    }

    fn complain(&self, written: std::io::Result<()>) {
        if let Err(error) = written {
            let path = self.record.display();
            warn!(%path, %error, "the order in which compiled code was used could not be kept");
        }
    }
}

/// The digests in a record, in the order of their use. What is no digest is passed over.
fn read(record: &Path) -> Vec<Digest> {
    let mut text = Vec::new();
    let read = File::open(record).and_then(|file| {
        let length = file.metadata()?.len();
        let read = file.take(RECORD_BYTES_MAX).read_to_end(&mut text);
        read.map(|_| length)
    });
    match read {
        // A record that long was not written by this program.
        Ok(length) if length > RECORD_BYTES_MAX => Vec::new(),
        Ok(_) => String::from_utf8_lossy(&text)
            .lines()
            .filter_map(digest)
            .collect(),
        Err(_) => Vec::new(),
    }
}

/// The digest that these hexadecimal digits are.
pub(super) fn digest(hex: &str) -> Option<Digest> {
    Digest::from_str(&format!("sha256:{hex}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(count: u8) -> Vec<Digest> {
        (0..count).map(|number| Digest::of(&[number])).collect()
    }

    fn order(used: &mut Used) -> Vec<Digest> {
        std::iter::from_fn(|| {
            let oldest = used.oldest(|_| false)?;
            used.forget(&oldest);
            Some(oldest)
        })
        .collect()
    }

    #[test]
    fn the_order_of_use_outlives_a_restart_and_damage() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("used");
        let all = digests(3);
        let files: BTreeMap<Digest, u64> = all.iter().map(|digest| (*digest, 10)).collect();
        let mut used = Used::load(record.clone(), files.clone());
        for at in [2, 0, 1, 0] {
            used.note(all[at], 10);
        }
        assert_eq!(used.size(), (3, 30));
        let mut again = Used::load(record.clone(), files.clone());
        assert_eq!(order(&mut again), [all[2], all[1], all[0]]);

        let kept = fs::read_to_string(&record).unwrap();
        fs::write(&record, format!("nonsense\n\n{kept}{}", "0".repeat(7))).unwrap();
        let mut damaged = Used::load(record.clone(), files.clone());
        assert_eq!(order(&mut damaged), [all[2], all[1], all[0]]);
        fs::write(&record, [0xff; 64]).unwrap();
        assert_eq!(order(&mut Used::load(record, files)).len(), 3);
    }

    #[test]
    fn the_record_stays_short() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("used");
        let mut used = Used::load(record.clone(), BTreeMap::new());
        let all = digests(2);
        for _ in 0..LINES_EXTRA_MAX {
            used.note(all[0], 1);
            used.note(all[1], 1);
        }
        let lines = fs::read_to_string(&record).unwrap().lines().count();
        assert!(lines <= LINES_EXTRA_MAX + 2, "{lines}");
    }

    #[test]
    fn what_is_held_is_never_the_oldest() {
        let folder = tempfile::tempdir().unwrap();
        let all = digests(2);
        let files = all.iter().map(|digest| (*digest, 1)).collect();
        let mut used = Used::load(folder.path().join("used"), files);
        used.note(all[1], 1);
        assert_eq!(used.oldest(|digest| *digest == all[0]), Some(all[1]));
        assert_eq!(used.oldest(|_| true), None);
    }
}
