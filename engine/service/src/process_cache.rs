//! Checked processes in memory: each at most once, and no more of them than the bound.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use fermata_core::id::Name;
use fermata_core::process::Process;

use crate::config::PROCESS_CACHE_ACTIVITIES_MAX;

type Key = (Name, u32);

/// Processes that somebody holds, and the latest few that nobody does.
#[derive(Debug, Default)]
pub(crate) struct ProcessCache {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    known: BTreeMap<Key, Weak<Process>>,
    /// Keeps the latest alive, oldest first.
    kept: VecDeque<Arc<Process>>,
    kept_activities: usize,
    /// Clear `known` of what is gone when it has grown to this.
    sweep_at: usize,
}

/// Fewest known processes at which what is gone is swept out.
const SWEEP_MIN: usize = 64;

impl ProcessCache {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held
            .lock()
            .expect("nothing panics while it holds the lock")
    }

    /// The process, if it is in memory.
    pub(crate) fn get(&self, name: &Name, version: u32) -> Option<Arc<Process>> {
        self.held().known.get(&(name.clone(), version))?.upgrade()
    }

    /// Takes a process in, and lets the oldest go that are too many.
    pub(crate) fn insert(&self, name: &Name, version: u32, process: Arc<Process>) {
        let mut held = self.held();
        held.known
            .insert((name.clone(), version), Arc::downgrade(&process));
        held.kept_activities += process.activities.len();
        held.kept.push_back(process);
        while held.kept_activities > PROCESS_CACHE_ACTIVITIES_MAX && held.kept.len() > 1 {
            let oldest = held.kept.pop_front().expect("there is more than one");
            held.kept_activities -= oldest.activities.len();
        }
        if held.known.len() >= held.sweep_at.max(SWEEP_MIN) {
            held.known.retain(|_, process| process.strong_count() > 0);
            held.sweep_at = held.known.len() * 2;
        }
    }
}
