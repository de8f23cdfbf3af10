//! Recordings of runs: kept beside their logs, as many as there is room for in a release.

use tracing::error;

use fermata_core::attempt::AttemptKey;
use fermata_core::id::ReleaseId;
use fermata_core::recording::Recording;
use fermata_store::Table;
use fermata_store::codec::encode;

use crate::config::{RECORDINGS_BYTES_MAX, RECORDINGS_MAX};
use crate::driver::Driver;
use crate::keys;
use crate::records::{self, RecordedPart};

impl Driver {
    /// Keeps the recording of a run, and makes room for it.
    pub(super) fn keep_recording(&mut self, key: AttemptKey, recording: &Recording) {
        let run = encode(&recording.run);
        if run.len() as u64 > RECORDINGS_BYTES_MAX {
            error!(release = %key.release, bytes = run.len(), "a recording is too large to be kept");
            return;
        }
        let Some(mut parts) = self.recorded(key.release) else {
            return;
        };
        let first = AttemptKey { run: 0, ..key };
        if !parts.iter().any(|part| part.is(first)) {
            self.put_part(first, encode(&recording.attempt), &mut parts);
        }
        self.put_part(key, run, &mut parts);
        while let Some(least) = needless(&parts, key) {
            parts.retain(|part| !least.contains(part));
            for part in least {
                let of = part.of(key.release);
                self.pending.delete(Table::Logs, keys::recording(of));
            }
        }
        self.put_parts(key.release, parts);
    }

    /// Drops what was recorded of an attempt.
    pub(super) fn drop_recording(&mut self, key: AttemptKey) {
        let Some(mut parts) = self.recorded(key.release) else {
            return;
        };
        let before = parts.len();
        parts.retain(|part| {
            let stays = !part.is_of(key);
            if !stays {
                let of = part.of(key.release);
                self.pending.delete(Table::Logs, keys::recording(of));
            }
            stays
        });
        if parts.len() < before {
            self.put_parts(key.release, parts);
        }
    }

    /// What is recorded of a release; nothing if that cannot be read, since the commit will fail of itself if the disk
    /// is broken.
    fn recorded(&self, release: ReleaseId) -> Option<Vec<RecordedPart>> {
        if let Some(parts) = self.pending.recorded.get(&release) {
            return Some(parts.clone());
        }
        let read = || {
            let stored = self
                .shared
                .store
                .get(Table::Logs, &keys::recorded(release))?;
            stored.map_or(Ok(Vec::new()), |stored| {
                records::read(&stored, "the list of recordings")
            })
        };
        read()
            .inspect_err(|why| error!(%release, %why, "a run is not recorded"))
            .ok()
    }

    fn put_part(&mut self, key: AttemptKey, value: Vec<u8>, parts: &mut Vec<RecordedPart>) {
        parts.retain(|part| !part.is(key));
        parts.push(RecordedPart {
            activity: key.activity,
            attempt: key.attempt,
            run: key.run,
            bytes: value.len() as u64,
        });
        self.pending.put(Table::Logs, keys::recording(key), value);
    }

    fn put_parts(&mut self, release: ReleaseId, parts: Vec<RecordedPart>) {
        self.pending
            .put(Table::Logs, keys::recorded(release), encode(&parts));
        self.pending.recorded.insert(release, parts);
    }
}

/// What goes first if there is more than a release may keep: the oldest other attempt, and if there is none, the oldest
/// runs of this one, since a replay can begin at any run.
fn needless(parts: &[RecordedPart], newest: AttemptKey) -> Option<Vec<RecordedPart>> {
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    if bytes <= RECORDINGS_BYTES_MAX && parts.len() <= RECORDINGS_MAX {
        return None;
    }
    if let Some(oldest) = parts.iter().find(|part| !part.is_of(newest)) {
        let with = oldest.of(newest.release);
        let whole = parts.iter().filter(|part| part.is_of(with));
        return Some(whole.copied().collect());
    }
    let oldest = parts.iter().find(|part| !matches!(part.run, 0));
    let oldest = oldest.filter(|part| !part.is(newest));
    oldest.map(|part| vec![*part])
}

impl RecordedPart {
    fn of(&self, release: ReleaseId) -> AttemptKey {
        AttemptKey {
            release,
            activity: self.activity,
            attempt: self.attempt,
            run: self.run,
        }
    }

    fn is_of(&self, key: AttemptKey) -> bool {
        (self.activity, self.attempt) == (key.activity, key.attempt)
    }

    fn is(&self, key: AttemptKey) -> bool {
        self.is_of(key) && self.run == key.run
    }
}

#[cfg(test)]
mod tests {
    use fermata_core::process::ActivityIx;

    use super::*;

    fn part(attempt: u32, run: u32, bytes: u64) -> RecordedPart {
        RecordedPart {
            activity: ActivityIx(0),
            attempt,
            run,
            bytes,
        }
    }

    fn left(mut parts: Vec<RecordedPart>) -> Vec<(u32, u32)> {
        let newest = parts.last().unwrap().of(ReleaseId(1));
        while let Some(least) = needless(&parts, newest) {
            parts.retain(|part| !least.contains(part));
        }
        parts.iter().map(|part| (part.attempt, part.run)).collect()
    }

    #[test]
    fn older_attempts_go_whole_and_then_older_runs() {
        let most = RECORDINGS_BYTES_MAX;
        let few = vec![part(1, 0, 1), part(1, 1, 1)];
        assert_eq!(left(few), [(1, 0), (1, 1)]);
        let other = vec![
            part(1, 0, 1),
            part(1, 1, 1),
            part(2, 0, 1),
            part(2, 1, most - 1),
        ];
        assert_eq!(left(other), [(2, 0), (2, 1)]);
        let same = vec![part(1, 0, 1), part(1, 1, 8), part(1, 2, most - 1)];
        assert_eq!(left(same), [(1, 0), (1, 2)]);
        // One alone stays, however large it is: it is bounded by itself.
        assert_eq!(
            left(vec![part(1, 0, most), part(1, 1, 9)]),
            [(1, 0), (1, 1)]
        );
        let many: Vec<_> = (0..=RECORDINGS_MAX)
            .map(|run| part(1, u32::try_from(run).unwrap(), 1))
            .collect();
        assert_eq!(left(many).len(), RECORDINGS_MAX);
    }
}
