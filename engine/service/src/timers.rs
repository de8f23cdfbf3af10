//! When which release must be looked at: an ordered set with one instant per release.

use std::collections::{BTreeMap, BTreeSet};

use fermata_core::id::ReleaseId;
use fermata_core::time::Timestamp;

/// The armed timers. As many as there are open releases, at most.
#[derive(Debug, Default)]
pub struct Timers {
    due: BTreeSet<(Timestamp, ReleaseId)>,
    armed: BTreeMap<ReleaseId, Timestamp>,
}

impl Timers {
    /// Wakes `release` at `at` and at no other time; `None` disarms.
    pub fn arm(&mut self, release: ReleaseId, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.armed.insert(release, at),
            None => self.armed.remove(&release),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.due.remove(&(before, release));
        }
        if let Some(at) = at {
            self.due.insert((at, release));
        }
    }

    /// When the next timer is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the releases that are due at `now`, earliest first, at most `limit`.
    pub fn take_due(&mut self, now: Timestamp, limit: usize) -> Vec<ReleaseId> {
        let mut taken = Vec::new();
        while taken.len() < limit {
            match self.due.first() {
                Some((at, release)) if *at <= now => {
                    let release = *release;
                    self.arm(release, None);
                    taken.push(release);
                }
                _ => break,
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_in_order_and_once() {
        let mut timers = Timers::default();
        for (release, at) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
            timers.arm(ReleaseId(release), Some(Timestamp(at)));
        }
        timers.arm(ReleaseId(1), Some(Timestamp(5)));
        timers.arm(ReleaseId(3), None);
        assert_eq!(timers.next(), Some(Timestamp(5)));
        assert_eq!(timers.take_due(Timestamp(4), 10), []);
        assert_eq!(
            timers.take_due(Timestamp(10), 2),
            [ReleaseId(1), ReleaseId(2)]
        );
        assert_eq!(timers.take_due(Timestamp(10), 2), [ReleaseId(4)]);
        assert_eq!(timers.next(), None);
    }
}
