//! Releases that ended lately, for readers: bounded by their activities.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use fermata_core::id::ReleaseId;
use fermata_core::release::Release;

use crate::config::RECENT_ACTIVITIES_MAX;

/// Ended releases. They change only after they were taken out.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    releases: BTreeMap<ReleaseId, Arc<Release>>,
    order: VecDeque<ReleaseId>,
    activities: usize,
    /// Brought back to be changed: what readers still find on disk is out of date soon.
    reopened: BTreeSet<ReleaseId>,
}

impl Recent {
    /// Takes an ended release in, as the driver let it go.
    pub(crate) fn insert(&self, release: Arc<Release>) {
        let mut held = self.held.lock().expect(UNPOISONED);
        held.reopened.remove(&release.id());
        held.insert(release);
    }

    /// Takes an ended release in that a reader found on disk.
    pub(crate) fn insert_read(&self, release: Arc<Release>) {
        let mut held = self.held.lock().expect(UNPOISONED);
        if !held.reopened.contains(&release.id()) {
            held.insert(release);
        }
    }

    /// Takes a release out that is about to change.
    pub(crate) fn reopen(&self, id: ReleaseId) {
        let mut held = self.held.lock().expect(UNPOISONED);
        let held = &mut *held;
        held.reopened.insert(id);
        if let Some(release) = held.releases.remove(&id) {
            held.activities -= release.process().activities.len();
            held.order.retain(|other| *other != id);
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

impl Held {
    /// Takes a release in, and lets the oldest go that are too many.
    fn insert(&mut self, release: Arc<Release>) {
        let held = self;
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
}

const UNPOISONED: &str = "nothing panics while it holds the lock";
