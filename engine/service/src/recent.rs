//! Releases that ended lately, for readers: bounded by their activities.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use fermata_core::id::ReleaseId;
use fermata_core::release::Release;

use crate::config::RECENT_ACTIVITIES_MAX;

/// Ended releases, which never change any more.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    releases: BTreeMap<ReleaseId, Arc<Release>>,
    order: VecDeque<ReleaseId>,
    activities: usize,
}

impl Recent {
    /// Takes an ended release in, and lets the oldest go that are too many.
    pub(crate) fn insert(&self, release: Arc<Release>) {
        let mut held = self.held.lock().expect(UNPOISONED);
        let held = &mut *held;
        let id = release.id();
        held.activities += release.process().activities.len();
        if let Some(before) = held.releases.insert(id, release) {
            held.activities -= before.process().activities.len();
        } else {
            held.order.push_back(id);
        }
        while held.activities > RECENT_ACTIVITIES_MAX && held.order.len() > 1 {
            let gone = held
                .order
                .pop_front()
                .and_then(|oldest| held.releases.remove(&oldest));
            held.activities -= gone.map_or(0, |release| release.process().activities.len());
        }
    }

    /// The release, if it ended lately.
    pub(crate) fn get(&self, id: ReleaseId) -> Option<Arc<Release>> {
        self.held
            .lock()
            .expect(UNPOISONED)
            .releases
            .get(&id)
            .cloned()
    }
}

const UNPOISONED: &str = "nothing panics while it holds the lock";
