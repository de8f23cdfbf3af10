//! What releases have to do with each other.
//!
//! All of it follows from the states of the releases in memory. A turn that changes it puts what is
//! to be looked at in line; the line is worked off before the batch is committed, so that one commit
//! holds a turn and what it means for other releases. A start looks at everything once more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tracing::warn;

use fermata_core::actor::Caller;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, Turn};
use fermata_core::release::input::What;
use fermata_core::release::{ChildOrder, Holder, Release};

use crate::driver::turns::TurnError;
use crate::driver::{Driver, Live};

mod awaits;
mod children;
mod locks;

pub(super) use locks::{Known, Locks};

/// Something to look at before the batch is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossing {
    /// Whether the release that an activity waits for is where it has to be.
    Awaits(ReleaseId, ActivityIx),
    /// Whether the child that an activity waits for is there, and has ended.
    Child(ReleaseId, ActivityIx),
    /// A person launched a child.
    Launch(ReleaseId, ActivityIx, ReleaseId),
    /// A child has ended, which its parent may wait for.
    ChildEnded(ReleaseId),
    /// A child is not waited for any more by this parent.
    Abandon(ReleaseId, ReleaseId),
    /// Whether who is next in line can have its locks.
    Locks,
    /// A part of a release wants only what is held around it.
    Held(ReleaseId, Holder),
    /// Whether a part of a release that waits for locks is waited for by who holds them.
    Circle(ReleaseId, Holder),
}

/// How the open releases hang together.
#[derive(Debug, Default)]
pub(super) struct Cross {
    line: VecDeque<Crossing>,
    /// For each release, the activities of others that wait for it.
    watchers: BTreeMap<ReleaseId, BTreeSet<(ReleaseId, ActivityIx)>>,
    locks: Locks,
    /// The open children of each release.
    children: BTreeMap<ReleaseId, BTreeSet<ReleaseId>>,
    /// What people launched in this batch.
    launched: BTreeMap<ReleaseId, ChildOrder>,
}

impl Cross {
    /// Nothing yet, but the capacities that people set.
    pub(super) fn new(capacities: BTreeMap<String, u32>) -> Self {
        Self {
            locks: Locks::with(capacities),
            ..Self::default()
        }
    }
}

impl Driver {
    /// Puts in line what a turn changed between releases.
    pub(super) fn follow_others(&mut self, id: ReleaseId, turn: &Turn) {
        self.follow_awaits(id, turn);
        self.follow_children(id, turn);
        self.follow_locks(id, turn);
    }

    /// Looks at everything that concerns a release which has just been loaded.
    pub(super) fn adopt_others(&mut self, id: ReleaseId) {
        self.adopt_awaits(id);
        self.adopt_children(id);
        self.adopt_locks(id);
    }

    /// Forgets a release that is taken out of service: it holds nothing and waits for nobody.
    pub(super) fn forget_others(&mut self, live: &Live) {
        let id = live.release.id();
        for (activity, other) in &live.awaits {
            if let Some(watchers) = self.cross.watchers.get_mut(other) {
                watchers.remove(&(id, *activity));
            }
        }
        for known in live.claims.values() {
            self.cross.locks.take_out(known);
        }
        self.call_locks();
    }

    /// Works the line off.
    pub(super) fn cross(&mut self) {
        while let Some(crossing) = self.cross.line.pop_front() {
            match crossing {
                Crossing::Awaits(id, activity) => self.look(id, activity),
                Crossing::Child(id, activity) => self.make_child(id, activity),
                Crossing::Launch(id, activity, child) => self.launch_child(id, activity, child),
                Crossing::ChildEnded(child) => self.child_ended(child),
                Crossing::Abandon(child, parent) => self.abandon(child, parent),
                Crossing::Locks => self.grant_locks(),
                Crossing::Held(id, holder) => self.held_already(id, holder),
                Crossing::Circle(id, holder) => {
                    if let Some((id, what)) = self.lock_circle((id, holder)) {
                        self.tell(id, what);
                    }
                }
            }
        }
    }

    /// Tells a release what has become of another one.
    fn tell(&mut self, id: ReleaseId, what: What) {
        if let Err(TurnError::Refused(refusal)) = self.turn(id, Caller::engine(), what) {
            warn!(release = %id, %refusal, "what follows from another release was refused");
        }
    }
}

/// The activities of `release` that `turn` may have moved; `all` are those that matter.
fn touched(
    release: &Release,
    turn: &Turn,
    all: impl Iterator<Item = ActivityIx>,
) -> BTreeSet<ActivityIx> {
    let mut touched: BTreeSet<ActivityIx> =
        turn.events.iter().filter_map(Event::activity).collect();
    if turn.events.iter().any(|event| release.is_sweeping(event)) {
        touched.extend(all);
    }
    touched
}

/// A failure that another release is the cause of.
fn failure(code: &str, message: String, remedy: &str) -> Box<Failure> {
    let mut failure = Failure::new(FailureClass::Permanent, message).remedy(remedy);
    failure.code = Some(code.to_owned());
    Box::new(failure)
}
