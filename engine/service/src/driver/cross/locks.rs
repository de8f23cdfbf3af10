//! Named locks over all open releases: who holds them, who waits, who is next.
//!
//! Whoever asks gets all of its locks at once or none: emergencies first, then by age. Nobody who
//! waits is overtaken by who comes later, except by parts of what holds locks already: those are what
//! others wait for, and take whatever is free.

use std::collections::{BTreeMap, BTreeSet};

use fermata_core::id::ReleaseId;
use fermata_core::release::Holder;
use fermata_core::release::event::{Event, Turn};
use fermata_core::release::input::What;
use fermata_core::time::Timestamp;

use crate::driver::cross::{Crossing, failure};
use crate::driver::{Driver, Live};
use crate::locks::{LockClaim, LockView};

/// A part of a release that wants or holds locks.
type Claimant = (ReleaseId, Holder);

/// Every lock that somebody wants or holds, and the capacities that people set.
#[derive(Debug, Default)]
pub(in crate::driver) struct Locks {
    table: BTreeMap<String, Lock>,
    capacities: BTreeMap<String, u32>,
    /// Locks on which somebody may be next.
    dirty: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Lock {
    held: BTreeSet<Claimant>,
    line: BTreeSet<Place>,
    /// Those inside of something that holds locks.
    inside: BTreeSet<Place>,
}

/// A place in line; the smallest is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    ordinary: bool,
    since: Timestamp,
    claimant: Claimant,
    inside: bool,
}

/// What the driver knows of a claim, so that it can be taken back.
#[derive(Clone, Debug)]
pub(in crate::driver) struct Known {
    /// The locks that nothing around it holds.
    locks: Vec<String>,
    place: Place,
    granted: bool,
}

impl Driver {
    pub(super) fn follow_locks(&mut self, id: ReleaseId, turn: &Turn) {
        let live = self
            .live
            .get(&id)
            .expect("a turn is of a release that is open");
        let all = || -> Vec<Holder> {
            let known = live.claims.keys().chain(live.release.claims().keys());
            known.copied().collect()
        };
        let mut touched: BTreeSet<Holder> = BTreeSet::new();
        for event in &turn.events {
            match event {
                Event::LocksWanted { holder, .. } | Event::LocksGranted { holder } => {
                    touched.insert(*holder);
                }
                Event::Paused { .. } => self.cross.locks.stir(live),
                Event::Resumed => {
                    self.cross.locks.stir(live);
                    let held = live
                        .claims
                        .iter()
                        .filter(|(_, known)| known.locks.is_empty());
                    let held = held.map(|(holder, _)| Crossing::Held(id, *holder));
                    self.cross.line.extend(held);
                }
                // What a skipped phase holds is its own: nothing in it has begun.
                Event::PhaseSkipped { phase, .. } => {
                    touched.insert(Holder::Phase(*phase));
                }
                sweeping if live.release.is_sweeping(sweeping) => touched.extend(all()),
                other => {
                    touched.extend(other.activity().map(Holder::Activity));
                    touched.extend(other.phase().map(Holder::Phase));
                }
            }
        }
        // What is outermost comes first: what is inside need not take it again.
        for holder in touched {
            self.follow_claim(id, holder);
        }
        self.call_locks();
    }

    pub(super) fn adopt_locks(&mut self, id: ReleaseId) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let holders: Vec<Holder> = live.release.claims().keys().copied().collect();
        for holder in holders {
            self.follow_claim(id, holder);
        }
        self.call_locks();
    }

    pub(super) fn call_locks(&mut self) {
        if !self.cross.locks.dirty.is_empty() && self.cross.line.back() != Some(&Crossing::Locks) {
            self.cross.line.push_back(Crossing::Locks);
        }
    }

    fn follow_claim(&mut self, id: ReleaseId, holder: Holder) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let claim = live.release.claim(holder);
        let now = claim.map(|claim| claim.granted.is_some());
        let before = live.claims.get(&holder).cloned();
        if now == before.as_ref().map(|known| known.granted) {
            return;
        }
        let known = match (claim, &before) {
            (None, _) => None,
            (Some(_), Some(known)) => Some(Known {
                granted: true,
                ..known.clone()
            }),
            (Some(claim), None) => {
                let around = self.held_around(id, holder);
                let locks = claim.locks.iter().filter(|lock| !around.contains(*lock));
                Some(Known {
                    locks: locks.cloned().collect(),
                    place: Place {
                        ordinary: live.release.emergency().is_none(),
                        since: claim.since,
                        claimant: (id, holder),
                        inside: !around.is_empty(),
                    },
                    granted: claim.granted.is_some(),
                })
            }
        };
        if let Some(known) = &before {
            self.cross.locks.take_out(known);
        }
        if let Some(known) = &known {
            self.cross.locks.put_in(known);
            if !known.granted && known.locks.is_empty() {
                self.cross.line.push_back(Crossing::Held(id, holder));
            } else if !known.granted && known.place.inside {
                // After the grant, for which its locks are called next.
                self.call_locks();
                self.cross.line.push_back(Crossing::Circle(id, holder));
            }
        }
        let live = self.live.get_mut(&id).expect("it was there just now");
        match known {
            Some(known) => live.claims.insert(holder, known),
            None => live.claims.remove(&holder),
        };
    }

    /// Names of the locks that the parts around `holder` hold, in its release and those above it.
    fn held_around(&self, id: ReleaseId, holder: Holder) -> BTreeSet<String> {
        let granted = |(id, holder): Claimant| {
            let claim = self.live.get(&id)?.release.claim(holder)?;
            claim.granted.is_some().then_some(&claim.locks)
        };
        let around = self.around((id, holder)).into_iter();
        around.filter_map(granted).flatten().cloned().collect()
    }

    /// The parts around one, in its release and in those above it.
    fn around(&self, (id, holder): Claimant) -> Vec<Claimant> {
        let mut around = Vec::new();
        let mut at = Some((id, holder));
        while let Some((id, holder)) = at {
            let Some(live) = self.live.get(&id) else {
                break;
            };
            let outer = live.release.around(holder).into_iter();
            around.extend(outer.map(|outer| (id, outer)));
            let parent = live.release.parent();
            at = parent.map(|parent| (parent.release, Holder::Activity(parent.activity)));
            around.extend(at);
        }
        around
    }

    /// Gives locks to who is next, as far as there are any.
    pub(super) fn grant_locks(&mut self) {
        let dirty = std::mem::take(&mut self.cross.locks.dirty);
        let mut next: BTreeSet<Place> = BTreeSet::new();
        for name in &dirty {
            next.extend(self.next_in_line(name));
        }
        for place in next {
            if self.is_free_for(place) {
                let (id, holder) = place.claimant;
                self.tell(id, What::LockGranted { holder });
            }
        }
        for name in dirty {
            self.cross.locks.forget_unused(&name);
        }
    }

    /// Tells a part of a release that what is around it holds all it wants.
    pub(super) fn held_already(&mut self, id: ReleaseId, holder: Holder) {
        let wants = |live: &Live| {
            let claim = live.release.claim(holder);
            claim.is_some_and(|claim| claim.granted.is_none()) && live.release.takes_locks()
        };
        if self.live.get(&id).is_some_and(wants) {
            self.tell(id, What::LockGranted { holder });
        }
    }

    /// Those who may get the lock `name` now, if they get their others as well.
    fn next_in_line(&self, name: &str) -> Vec<Place> {
        let Some(lock) = self.cross.locks.table.get(name) else {
            return Vec::new();
        };
        let inside = lock.inside.iter().filter(|place| self.takes_locks(place));
        let mut next: Vec<Place> = inside.copied().collect();
        let line = lock.line.iter().filter(|place| self.takes_locks(place));
        let within =
            |(ahead, place): &(usize, &Place)| lock.held.len() + ahead < self.capacity(name, place);
        let line = line.enumerate().take_while(within);
        next.extend(line.map(|(_, place)| *place));
        next
    }

    /// A release that is paused gets nothing, and keeps nobody behind it waiting.
    fn takes_locks(&self, place: &Place) -> bool {
        let live = self.live.get(&place.claimant.0);
        live.is_some_and(|live| live.release.takes_locks())
    }

    fn is_free_for(&self, place: Place) -> bool {
        let (id, holder) = place.claimant;
        let known = self.live.get(&id).and_then(|live| live.claims.get(&holder));
        let Some(known) = known.filter(|known| !known.granted) else {
            return false;
        };
        known.locks.iter().all(|name| {
            let Some(lock) = self.cross.locks.table.get(name) else {
                return false;
            };
            // Who is inside of something held must not wait for who holds nothing yet.
            let ahead = lock
                .line
                .iter()
                .take_while(|other| !place.inside && **other < place);
            let ahead = ahead.filter(|other| self.takes_locks(other));
            lock.held.len() + ahead.count() < self.capacity(name, &place)
        })
    }

    fn capacity(&self, name: &str, place: &Place) -> usize {
        self.capacity_for(name, Some(place.claimant.0))
    }

    /// How many may hold a lock; `concurrency` is as the process of the release says.
    fn capacity_for(&self, name: &str, id: Option<ReleaseId>) -> usize {
        let live = id.and_then(|id| self.live.get(&id));
        let bound = live.and_then(|live| live.release.concurrency());
        let own = bound.filter(|_| LockView::is_concurrency(name));
        let set = self.cross.locks.capacities.get(name).copied();
        own.or(set).unwrap_or(1) as usize
    }

    /// Every lock that somebody wants or holds, or whose capacity was set.
    pub fn locks(&self) -> Vec<LockView> {
        let locks = &self.cross.locks;
        let names: BTreeSet<&String> = locks.table.keys().chain(locks.capacities.keys()).collect();
        names.into_iter().map(|name| self.lock_view(name)).collect()
    }

    /// One of them.
    pub(in crate::driver) fn lock_view(&self, name: &str) -> LockView {
        let nobody = Lock::default();
        let lock = self.cross.locks.table.get(name).unwrap_or(&nobody);
        let one = |(id, holder): &Claimant| -> Option<LockClaim> {
            let release = &self.live.get(id)?.release;
            let claim = release.claim(*holder)?;
            Some(LockClaim {
                release: *id,
                process: release.process_ref().name.clone(),
                title: release.title().to_owned(),
                path: release.holder_path(*holder),
                since: claim.granted.unwrap_or(claim.since),
                emergency: release.emergency().map(ToOwned::to_owned),
            })
        };
        let line: BTreeSet<Place> = lock.inside.union(&lock.line).copied().collect();
        let waiting = line.iter().map(|place| place.claimant);
        let any = lock.held.iter().copied().chain(waiting).next();
        let capacity = self.capacity_for(name, any.map(|(id, _)| id));
        LockView {
            name: name.to_owned(),
            capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
            holders: lock.held.iter().filter_map(one).collect(),
            waiting: line
                .iter()
                .filter_map(|place| one(&place.claimant))
                .collect(),
        }
    }

    /// Learns the capacity of a lock; who waits may be next.
    pub(in crate::driver) fn set_capacity(&mut self, name: &str, capacity: u32) {
        let locks = &mut self.cross.locks;
        if capacity == 1 {
            locks.capacities.remove(name);
        } else {
            locks.capacities.insert(name.to_owned(), capacity);
        }
        locks.dirty.insert(name.to_owned());
        self.call_locks();
    }

    /// What to tell whom if `start` waits in a circle of holders: an activity in it fails. Where only
    /// phases and releases wait for each other, people have to give one of them up.
    pub(super) fn lock_circle(&self, start: Claimant) -> Option<(ReleaseId, What)> {
        let mut from: BTreeMap<Claimant, Claimant> = BTreeMap::new();
        let mut line = vec![start];
        while let Some(at) = line.pop() {
            for held in self.holders_before(at) {
                if self.encloses(held, start) {
                    let circle = std::iter::successors(Some(at), |at| from.get(at).copied());
                    let circle: Vec<Claimant> = circle.collect();
                    let mut victims = circle.iter().rev();
                    let victim = victims.find(|(_, part)| matches!(part, Holder::Activity(_)));
                    return victim.map(|(id, holder)| (*id, circle_told(*holder, held.0)));
                }
                let mut inside = self.waiting_inside(held);
                inside.retain(|part| *part != start && !from.contains_key(part));
                from.extend(inside.iter().map(|part| (*part, at)));
                line.extend(inside);
            }
        }
        None
    }

    /// Who holds what a part waits for. Where several may hold a lock, any of them may let go.
    fn holders_before(&self, (id, holder): Claimant) -> Vec<Claimant> {
        let known = self.live.get(&id).and_then(|live| live.claims.get(&holder));
        let Some(known) = known.filter(|known| !known.granted) else {
            return Vec::new();
        };
        let locks = known.locks.iter();
        let locks = locks.filter(|name| self.capacity(name, &known.place) == 1);
        let locks = locks.filter_map(|name| self.cross.locks.table.get(name));
        locks.flat_map(|lock| &lock.held).copied().collect()
    }

    fn encloses(&self, outer: Claimant, inner: Claimant) -> bool {
        self.around(inner).contains(&outer)
    }

    /// Parts inside of a holder that wait for locks themselves.
    fn waiting_inside(&self, outer: Claimant) -> Vec<Claimant> {
        let mut inside = Vec::new();
        let mut releases = vec![outer.0];
        while let Some(id) = releases.pop() {
            let live = self.live.get(&id);
            let claims = live.into_iter().flat_map(|live| &live.claims);
            let waiting = claims.filter(|(_, known)| !known.granted);
            inside.extend(waiting.map(|(holder, _)| (id, *holder)));
            releases.extend(self.cross.children.get(&id).into_iter().flatten());
        }
        inside.retain(|inner| self.encloses(outer, *inner));
        inside
    }
}

fn circle_told(holder: Holder, other: ReleaseId) -> What {
    let message = format!("it would wait for {other}, which waits for what is held here");
    let remedy = "take both locks in one place, in all processes that use them; then retry it";
    What::LockRefused {
        holder,
        failure: failure("lock-cycle", message, remedy),
    }
}

impl Lock {
    /// Those among whom `place` waits.
    fn waiting(&mut self, place: Place) -> &mut BTreeSet<Place> {
        if place.inside {
            &mut self.inside
        } else {
            &mut self.line
        }
    }
}

impl Locks {
    /// With the capacities that people set.
    pub(in crate::driver) fn with(capacities: BTreeMap<String, u32>) -> Self {
        Self {
            capacities,
            ..Self::default()
        }
    }

    fn put_in(&mut self, known: &Known) {
        for name in &known.locks {
            let lock = self.table.entry(name.clone()).or_default();
            if known.granted {
                lock.held.insert(known.place.claimant);
            } else {
                lock.waiting(known.place).insert(known.place);
            }
            self.dirty.insert(name.clone());
        }
    }

    pub(super) fn take_out(&mut self, known: &Known) {
        for name in &known.locks {
            if let Some(lock) = self.table.get_mut(name) {
                lock.held.remove(&known.place.claimant);
                lock.waiting(known.place).remove(&known.place);
            }
            self.dirty.insert(name.clone());
        }
    }

    fn forget_unused(&mut self, name: &str) {
        let unused =
            |lock: &Lock| lock.held.is_empty() && lock.line.is_empty() && lock.inside.is_empty();
        if self.table.get(name).is_some_and(unused) {
            self.table.remove(name);
        }
    }

    /// A release began or ceased to be in the way of others.
    fn stir(&mut self, live: &Live) {
        let known = live.claims.values().flat_map(|known| &known.locks);
        self.dirty.extend(known.cloned());
    }
}
