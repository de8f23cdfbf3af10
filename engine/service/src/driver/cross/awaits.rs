//! Activities that wait for another release.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::ReleaseId;
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, Turn};
use fermata_core::release::input::What;
use fermata_core::release::{Awaited, Reach, Release};

use crate::driver::cross::{Crossing, failure, touched};
use crate::driver::turns::guarded;
use crate::driver::{Driver, Live};
use crate::recover;

impl Driver {
    pub(super) fn follow_awaits(&mut self, id: ReleaseId, turn: &Turn) {
        let live = self
            .live
            .get_mut(&id)
            .expect("a turn is of a release that is open");
        for activity in touched(&live.release, turn, live.awaits.keys().copied()) {
            let wanted = live.release.other(activity);
            if let Some(before) = live.awaits.remove(&activity)
                && let Some(watchers) = self.cross.watchers.get_mut(&before)
            {
                watchers.remove(&(id, activity));
                if watchers.is_empty() {
                    self.cross.watchers.remove(&before);
                }
                // A child whose rollback nobody waits for any more.
                let is_child = live.release.record(activity);
                if wanted != Some(before)
                    && is_child.is_some_and(|record| record.children.contains(&before))
                {
                    self.cross.line.push_back(Crossing::Abandon(before, id));
                }
            }
            if let Some(other) = wanted {
                live.awaits.insert(activity, other);
                let watchers = self.cross.watchers.entry(other).or_default();
                watchers.insert((id, activity));
                self.cross.line.push_back(Crossing::Awaits(id, activity));
            }
        }
        if turn.events.iter().any(moves_others) {
            let watchers = self.cross.watchers.get(&id).into_iter().flatten();
            let look = watchers.map(|(id, activity)| Crossing::Awaits(*id, *activity));
            self.cross.line.extend(look);
        }
    }

    pub(super) fn adopt_awaits(&mut self, id: ReleaseId) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        live.awaits = live.release.awaiting().collect();
        for (activity, other) in &live.awaits {
            let watchers = self.cross.watchers.entry(*other).or_default();
            watchers.insert((id, *activity));
            self.cross.line.push_back(Crossing::Awaits(id, *activity));
        }
    }

    /// Looks for the release that an activity waits for, and tells it what it found.
    pub(super) fn look(&mut self, id: ReleaseId, activity: ActivityIx) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let waiter = Arc::clone(&live.release);
        if let Some(child) = waiter.recalled(activity) {
            drop(waiter);
            return self.recall((id, activity), child);
        }
        let Some(awaited) = waiter.awaited(activity) else {
            return;
        };
        let other = awaited.release;
        let found = match self.cycle(id, other) {
            Some(cycle) => Some(Err(cycle)),
            None => self.find(awaited),
        };
        // Whoever holds the state while its next turn comes makes it be copied.
        drop(waiter);
        if let Some(found) = found {
            let what = What::ReleaseReached {
                activity,
                release: other,
                found,
            };
            self.tell(id, what);
        }
    }

    /// What is known of an awaited release; nothing while it may still get there.
    fn find(&self, awaited: Awaited<'_>) -> Option<Result<Json, Box<Failure>>> {
        let id = awaited.release;
        let release = match self.other(id) {
            Ok(Some(release)) => release,
            Ok(None) => {
                let message = format!("there is no release {id}");
                return Some(Err(failure("unknown-release", message, CORRECT)));
            }
            Err(failure) => return Some(Err(failure)),
        };
        let name = &release.process_ref().name;
        if awaited.process.is_some_and(|wanted| wanted != name) {
            let message = format!("{id} runs the process {name}");
            return Some(Err(failure("other-process", message, CORRECT)));
        }
        let place = awaited.reaches.as_str();
        let state = release.state().word();
        match release.reach(awaited.reaches) {
            Reach::NotYet => None,
            Reach::Reached => Some(Ok(Json::of(&json!({
                "release": id.to_string(),
                "state": state,
                "outputs": release.outputs().map(Json::value),
            })))),
            Reach::Never => {
                let message = format!("{id} is {state} and will not reach `{place}` any more");
                Some(Err(failure("never-reached", message, DECIDE)))
            }
            Reach::NoPhase => {
                let message = format!("{id} has no phase `{place}`");
                Some(Err(failure("unknown-phase", message, CORRECT)))
            }
        }
    }

    /// A release, whether it is open or not.
    pub(super) fn other(&self, id: ReleaseId) -> Result<Option<Arc<Release>>, Box<Failure>> {
        if let Some(live) = self.live.get(&id) {
            return Ok(Some(Arc::clone(&live.release)));
        }
        if let Some(release) = self.shared.recent.get(id) {
            return Ok(Some(release));
        }
        let unreadable = |reason: String| {
            let message = format!("{id} cannot be read: {reason}");
            Box::new(Failure::new(FailureClass::Engine, message).remedy(DECIDE))
        };
        match guarded(|| recover::load(&self.shared, id)) {
            Ok(Ok(found)) => Ok(found.map(Arc::new)),
            Ok(Err(error)) => Err(unreadable(error.to_string())),
            Err(panic) => Err(unreadable(panic)),
        }
    }

    /// The circle that would close if `id` waited for `other`, as a failure.
    fn cycle(&self, id: ReleaseId, other: ReleaseId) -> Option<Box<Failure>> {
        let mut before: BTreeMap<ReleaseId, ReleaseId> = BTreeMap::from([(other, id)]);
        let mut line = vec![other];
        while let Some(at) = line.pop() {
            if at == id {
                return Some(told(id, &before));
            }
            for next in self.live.get(&at).into_iter().flat_map(waits_for) {
                before.entry(next).or_insert_with(|| {
                    line.push(next);
                    at
                });
            }
        }
        None
    }
}

/// The releases that one waits for.
fn waits_for(live: &Live) -> impl Iterator<Item = ReleaseId> {
    live.awaits.values().chain(live.children.values()).copied()
}

fn told(id: ReleaseId, before: &BTreeMap<ReleaseId, ReleaseId>) -> Box<Failure> {
    let mut circle = vec![id.to_string()];
    let mut at = before.get(&id).copied().unwrap_or(id);
    while at != id && circle.len() <= before.len() {
        circle.push(at.to_string());
        at = before.get(&at).copied().unwrap_or(id);
    }
    circle.push(id.to_string());
    circle.reverse();
    let message = format!("releases would wait in a circle: {}", circle.join(" → "));
    failure("release-cycle", message, DECIDE)
}

/// Whether others may look at a release differently after the event.
fn moves_others(event: &Event) -> bool {
    matches!(
        event,
        Event::Created { .. }
            | Event::Started { .. }
            | Event::PhaseEnded { .. }
            | Event::PhaseSkipped { .. }
            | Event::Aborted { .. }
            | Event::Ended { .. }
    )
}

const CORRECT: &str = "supply its outputs, skip it, or correct the process and start a new release";
const DECIDE: &str = "supply its outputs to go on without waiting, skip it, or fail it";
