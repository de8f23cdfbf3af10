//! Which run begins next: so many at a time, every release gets its turn, and none gets all the slots.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fermata_core::attempt::AttemptKey;
use fermata_core::id::ReleaseId;

/// Of the slots, one part in so many is out of reach for any single release: runs that wait for what never comes
/// hold their slots until they time out, and the runs of others must not wait for that.
const KEPT_FROM_ONE_PART: usize = 4;

/// Runs that wait for a slot, and those that have one.
///
/// Releases take turns, and the runs of one release begin in the order in which they were wanted.
/// What is no longer wanted stays in line until its turn comes; the driver then passes it over.
#[derive(Debug)]
pub struct Dispatch {
    slots: usize,
    lines: BTreeMap<ReleaseId, VecDeque<AttemptKey>>,
    order: VecDeque<ReleaseId>,
    waiting: usize,
    running: BTreeSet<AttemptKey>,
    /// How many slots each release has.
    held: BTreeMap<ReleaseId, usize>,
}

impl Dispatch {
    /// With so many slots.
    pub fn new(slots: usize) -> Self {
        Self {
            slots,
            lines: BTreeMap::new(),
            order: VecDeque::new(),
            waiting: 0,
            running: BTreeSet::new(),
            held: BTreeMap::new(),
        }
    }

    /// Puts a run in line.
    pub fn want(&mut self, key: AttemptKey) {
        let line = self.lines.entry(key.release).or_insert_with(|| {
            self.order.push_back(key.release);
            VecDeque::new()
        });
        line.push_back(key);
        self.waiting += 1;
    }

    /// Takes everything of `release` out of line.
    pub fn forget(&mut self, release: ReleaseId) {
        if let Some(line) = self.lines.remove(&release) {
            self.waiting -= line.len();
            self.order.retain(|other| *other != release);
        }
    }

    /// The next in line if there is a slot for its release. It has no slot yet: see [`Self::started`].
    pub fn take_next(&mut self) -> Option<AttemptKey> {
        if self.running.len() >= self.slots {
            return None;
        }
        let most = self.slots - self.slots / KEPT_FROM_ONE_PART;
        let may = |release: &ReleaseId| self.held.get(release).is_none_or(|held| *held < most);
        let next = self.order.iter().position(may)?;
        let release = self.order.remove(next)?;
        let line = self.lines.get_mut(&release)?;
        let key = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(&release);
        } else {
            self.order.push_back(release);
        }
        self.waiting -= 1;
        Some(key)
    }

    /// Gives the run a slot.
    pub fn started(&mut self, key: AttemptKey) {
        if self.running.insert(key) {
            *self.held.entry(key.release).or_default() += 1;
        }
    }

    /// Takes the slot back; whether the run had one.
    pub fn ended(&mut self, key: AttemptKey) -> bool {
        let had = self.running.remove(&key);
        if had && let Some(held) = self.held.get_mut(&key.release) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&key.release);
            }
        }
        had
    }

    /// Whether the run has a slot.
    pub fn is_running(&self, key: AttemptKey) -> bool {
        self.running.contains(&key)
    }

    /// Runs that have a slot.
    pub fn running(&self) -> impl Iterator<Item = AttemptKey> + '_ {
        self.running.iter().copied()
    }

    /// How many runs have a slot.
    pub fn running_count(&self) -> usize {
        self.running.len()
    }

    /// How many runs wait in line.
    pub fn waiting_count(&self) -> usize {
        self.waiting
    }

    /// Forgets what waits; what runs keeps its slot.
    pub fn clear_waiting(&mut self) {
        self.lines.clear();
        self.order.clear();
        self.waiting = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_core::process::ActivityIx;

    fn key(release: u128, activity: u32) -> AttemptKey {
        AttemptKey {
            release: ReleaseId(release),
            activity: ActivityIx(activity),
            attempt: 1,
            run: 1,
        }
    }

    fn drain(dispatch: &mut Dispatch) -> Vec<(u128, u32)> {
        let mut taken = Vec::new();
        while let Some(key) = dispatch.take_next() {
            dispatch.started(key);
            taken.push((key.release.0, key.activity.0));
        }
        taken
    }

    #[test]
    fn releases_take_turns_within_the_slots() {
        let mut dispatch = Dispatch::new(4);
        for activity in 0..4 {
            dispatch.want(key(1, activity));
        }
        dispatch.want(key(2, 0));
        dispatch.want(key(3, 0));
        assert_eq!(drain(&mut dispatch), [(1, 0), (2, 0), (3, 0), (1, 1)]);
        assert_eq!((dispatch.running_count(), dispatch.waiting_count()), (4, 2));
        assert!(dispatch.ended(key(1, 0)) && !dispatch.ended(key(1, 0)));
        assert_eq!(drain(&mut dispatch), [(1, 2)]);
    }

    #[test]
    fn no_release_gets_all_the_slots() {
        let mut dispatch = Dispatch::new(8);
        for activity in 0..20 {
            dispatch.want(key(1, activity));
        }
        assert_eq!(drain(&mut dispatch).len(), 6);
        dispatch.want(key(2, 0));
        assert_eq!(drain(&mut dispatch), [(2, 0)]);
        assert!(dispatch.ended(key(1, 3)));
        assert_eq!(drain(&mut dispatch), [(1, 6)]);
    }

    #[test]
    fn what_is_forgotten_does_not_come() {
        let mut dispatch = Dispatch::new(9);
        dispatch.want(key(1, 0));
        dispatch.want(key(2, 0));
        dispatch.forget(ReleaseId(1));
        dispatch.want(key(1, 7));
        assert_eq!(dispatch.waiting_count(), 2);
        assert_eq!(drain(&mut dispatch), [(2, 0), (1, 7)]);
    }
}
