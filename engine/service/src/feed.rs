//! Tells watchers that a release has moved on. What has become true they read from the store, so a slow
//! watcher costs no memory and misses nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use fermata_core::id::ReleaseId;
use tokio::sync::watch;

use crate::error::Error;

/// How far a release is, as far as its watchers were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The number of its committed events; 0 if nothing was committed since the watcher came.
    pub(crate) version: u64,
    /// Whether it has ended since the watcher came.
    pub(crate) ended: bool,
    /// Counts the progress that running attempts report.
    pub(crate) beats: u64,
}

/// The watched releases.
#[derive(Debug)]
pub(crate) struct Feed {
    watched: Mutex<BTreeMap<ReleaseId, watch::Sender<Mark>>>,
    watchers: AtomicUsize,
    watchers_max: usize,
}

/// A place among the watchers of a release.
#[derive(Debug)]
pub(crate) struct Subscription {
    feed: Arc<Feed>,
    release: ReleaseId,
    /// Sees the latest mark.
    pub(crate) marks: watch::Receiver<Mark>,
}

impl Feed {
    pub(crate) fn new(watchers_max: usize) -> Self {
        Self {
            watched: Mutex::default(),
            watchers: AtomicUsize::new(0),
            watchers_max,
        }
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<ReleaseId, watch::Sender<Mark>>> {
        self.watched
            .lock()
            .expect("nothing panics while it holds the lock")
    }

    /// Watches from now on: whoever then reads the store misses nothing.
    pub(crate) fn subscribe(self: &Arc<Self>, release: ReleaseId) -> Result<Subscription, Error> {
        let mut watched = self.watched();
        if self.watchers.load(Ordering::Relaxed) >= self.watchers_max {
            return Err(Error::Busy("watchers"));
        }
        self.watchers.fetch_add(1, Ordering::Relaxed);
        let marks = watched.entry(release).or_default().subscribe();
        Ok(Subscription {
            feed: Arc::clone(self),
            release,
            marks,
        })
    }

    /// Tells of committed turns.
    pub(crate) fn publish(&self, committed: &[Committed]) {
        if self.watchers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let watched = self.watched();
        for moved in committed {
            if let Some(marks) = watched.get(&moved.release) {
                marks.send_modify(|mark| {
                    mark.version = moved.version;
                    // A release that had ended may go back.
                    mark.ended = moved.ended;
                });
            }
        }
    }

    /// Tells of progress inside a run.
    pub(crate) fn beat(&self, release: ReleaseId) {
        if self.watchers.load(Ordering::Relaxed) > 0
            && let Some(marks) = self.watched().get(&release)
        {
            marks.send_modify(|mark| mark.beats = mark.beats.wrapping_add(1));
        }
    }
}

/// That a release has moved on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Committed {
    pub(crate) release: ReleaseId,
    pub(crate) version: u64,
    pub(crate) ended: bool,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut watched = self.feed.watched();
        self.feed.watchers.fetch_sub(1, Ordering::Relaxed);
        // The receiver that goes with this is still counted.
        if watched
            .get(&self.release)
            .is_some_and(|marks| marks.receiver_count() <= 1)
        {
            watched.remove(&self.release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_together_and_nothing_stays_behind() {
        let feed = Arc::new(Feed::new(2));
        let id = ReleaseId(1);
        let mut first = feed.subscribe(id).unwrap();
        let second = feed.subscribe(id).unwrap();
        assert!(matches!(feed.subscribe(id), Err(Error::Busy(_))));
        for version in [3, 5] {
            feed.publish(&[Committed {
                release: id,
                version,
                ended: version == 5,
            }]);
        }
        feed.beat(id);
        let mark = *first.marks.borrow_and_update();
        assert_eq!(
            mark,
            Mark {
                version: 5,
                ended: true,
                beats: 1
            }
        );
        assert!(!first.marks.has_changed().unwrap());
        drop((first, second));
        assert!(feed.watched().is_empty());
        assert!(feed.subscribe(id).is_ok());
    }
}
