//! How far runs say they are: kept while they run, never stored.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use fermata_core::attempt::{AttemptKey, Progress};
use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;

/// The runs that are going on, with what they said last.
#[derive(Debug, Default)]
pub(crate) struct Running {
    runs: Mutex<BTreeMap<AttemptKey, Option<Progress>>>,
}

impl Running {
    fn runs(&self) -> MutexGuard<'_, BTreeMap<AttemptKey, Option<Progress>>> {
        self.runs
            .lock()
            .expect("nothing panics while it holds the lock")
    }

    /// A run began.
    pub(crate) fn began(&self, key: AttemptKey) {
        self.runs().insert(key, None);
    }

    /// A run ended.
    pub(crate) fn ended(&self, key: AttemptKey) {
        self.runs().remove(&key);
    }

    /// A run says how far it is; whether anybody may care. What comes after its end is dropped.
    pub(crate) fn said(&self, key: AttemptKey, progress: Progress) -> bool {
        match self.runs().get_mut(&key) {
            Some(last) if last.as_ref() != Some(&progress) => {
                *last = Some(progress);
                true
            }
            _ => false,
        }
    }

    /// What the runs of a release said last.
    pub(crate) fn of(&self, release: ReleaseId) -> Vec<(AttemptKey, Progress)> {
        let edge = |activity| AttemptKey {
            release,
            activity: ActivityIx(activity),
            attempt: activity,
            run: activity,
        };
        let runs = self.runs();
        let of = runs.range(edge(0)..=edge(u32::MAX));
        of.filter_map(|(key, said)| Some((*key, said.clone()?)))
            .collect()
    }
}
