//! Releases that activities of other releases start.
//!
//! A child is made in the commit that asks for it. Its id follows from who asks, so that making it
//! once more would make the same one: whoever loads a parent whose child is missing makes it then.

use std::sync::Arc;

use serde_json::json;

use fermata_core::actor::Caller;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::ReleaseId;
use fermata_core::json::Json;
use fermata_core::process::{ActivityIx, Process};
use fermata_core::release::event::{Event, PolicyWarning, ReleaseOutcome, Turn};
use fermata_core::release::input::What;
use fermata_core::release::refusal::Refusal;
use fermata_core::release::state::ReleaseState;
use fermata_core::release::{ChildOrder, Draft, Release};

use crate::driver::cross::{Crossing, failure, touched};
use crate::driver::turns::{TurnError, guarded};
use crate::driver::{Driver, Live};
use crate::error::CreateError;
use crate::policies::Ruling;
use crate::records::ProcessRecord;

impl Driver {
    pub(super) fn follow_children(&mut self, id: ReleaseId, turn: &Turn) {
        let live = self
            .live
            .get_mut(&id)
            .expect("a turn is of a release that is open");
        for activity in touched(&live.release, turn, live.children.keys().copied()) {
            let wanted = live.release.child(activity).map(|child| child.release);
            let before = live.children.get(&activity).copied();
            if wanted == before {
                continue;
            }
            if let Some(before) = before {
                live.children.remove(&activity);
                if live.release.recalled(activity) != Some(before) {
                    self.cross.line.push_back(Crossing::Abandon(before, id));
                }
            }
            if let Some(child) = wanted {
                live.children.insert(activity, child);
                self.cross.line.push_back(Crossing::Child(id, activity));
            }
        }
        let parent = live.release.parent().map(|parent| parent.release);
        for event in &turn.events {
            self.follow_child((id, parent), event);
        }
    }

    fn follow_child(&mut self, (id, parent): (ReleaseId, Option<ReleaseId>), event: &Event) {
        match event {
            Event::ChildOf { parent, .. } => {
                self.cross.children.entry(*parent).or_default().insert(id);
            }
            Event::ChildLaunched {
                activity,
                child,
                process,
                version,
                inputs,
            } => {
                let order = ChildOrder {
                    process: process.clone(),
                    version: *version,
                    inputs: inputs.clone(),
                };
                self.cross.launched.insert(*child, order);
                let launch = Crossing::Launch(id, *activity, *child);
                self.cross.line.push_back(launch);
            }
            Event::Aborted { .. } => self.stop_children(id),
            Event::RollbackStarted { .. } => {
                self.stop_children(id);
                // It may have ended before.
                if let Some(parent) = parent {
                    self.cross.children.entry(parent).or_default().insert(id);
                }
            }
            Event::Ended { .. } => {
                if let Some(parent) = parent {
                    self.cross.forget_child(parent, id);
                    self.cross.line.push_back(Crossing::ChildEnded(id));
                }
            }
            _ => {}
        }
    }

    /// Gives up the children of a release, except those that it waits for to go back: they stop by
    /// themselves.
    fn stop_children(&mut self, id: ReleaseId) {
        let live = self.live.get(&id);
        let recalled: Vec<ReleaseId> = live
            .into_iter()
            .flat_map(|live| live.awaits.values().copied())
            .collect();
        let children = self.cross.children.get(&id).into_iter().flatten();
        let stopped = children.filter(|child| !recalled.contains(child));
        let abandon = stopped.map(|child| Crossing::Abandon(*child, id));
        self.cross.line.extend(abandon);
    }

    pub(super) fn adopt_children(&mut self, id: ReleaseId) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        let children = live.release.children();
        live.children = children.map(|(ix, child)| (ix, child.release)).collect();
        let look = live.children.keys();
        let look = look.map(|activity| Crossing::Child(id, *activity));
        self.cross.line.extend(look);
        if let Some(parent) = live.release.parent() {
            let children = self.cross.children.entry(parent.release).or_default();
            children.insert(id);
        }
    }

    /// Makes the child that an activity waits for, unless it is there: then it may have ended.
    pub(super) fn make_child(&mut self, id: ReleaseId, activity: ActivityIx) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let Some(wanted) = live.release.child(activity).cloned() else {
            return;
        };
        if self.live.contains_key(&wanted.release)
            || self.shared.quarantined(wanted.release).is_some()
        {
            return;
        }
        let end = match self.other(wanted.release) {
            Ok(Some(child)) => Some(end(&child)),
            Err(unreadable) => Some(Err(unreadable)),
            Ok(None) => {
                let order = ChildOrder {
                    process: wanted.process,
                    version: wanted.version,
                    inputs: wanted.inputs,
                };
                if self.must_ask_about_child((id, activity), &order) {
                    return;
                }
                self.start_child((id, activity), (wanted.release, &[]), &order)
                    .err()
                    .map(Err)
            }
        };
        if let Some(end) = end {
            self.tell_child_ended((id, activity), wanted.release, end);
        }
    }

    /// Makes the child that a person launched; that it can be made was looked at before.
    pub(super) fn launch_child(&mut self, id: ReleaseId, activity: ActivityIx, child: ReleaseId) {
        let order = self.cross.launched.remove(&child);
        if let Some(order) = order
            && let Err(failure) = self.start_child((id, activity), (child, &[]), &order)
        {
            tracing::error!(release = %id, %failure, "a child that could be made just now cannot be made");
        }
    }

    /// Tells the parent of a release that has ended.
    pub(super) fn child_ended(&mut self, child: ReleaseId) {
        let Some(live) = self.live.get(&child) else {
            return;
        };
        let Some(parent) = live.release.parent() else {
            return;
        };
        let place = (parent.release, parent.activity);
        let end = end(&live.release);
        self.tell_child_ended(place, child, end);
    }

    fn tell_child_ended(
        &mut self,
        (id, activity): (ReleaseId, ActivityIx),
        child: ReleaseId,
        end: Result<Json, Box<Failure>>,
    ) {
        let awaited = |live: &Live| live.release.child(activity).map(|child| child.release);
        // A child that a person launched is waited for by nobody.
        if self.live.get(&id).and_then(awaited) == Some(child) {
            let what = What::ChildEnded {
                activity,
                child,
                end,
            };
            self.tell(id, what);
        }
    }

    /// Sends a child back whose parent goes back, and tells the parent once it has.
    pub(super) fn recall(&mut self, (id, activity): (ReleaseId, ActivityIx), child: ReleaseId) {
        let end = match self.other(child) {
            Err(unreadable) => Some(Err(unreadable)),
            // It could not even be made.
            Ok(None) => Some(Ok(())),
            Ok(Some(release)) if release.rollback().is_some() => {
                release.has_ended().then(|| gone_back(&release))
            }
            Ok(Some(release)) => {
                drop(release);
                self.send_back(child, id)
            }
        };
        if let Some(end) = end {
            let what = What::ChildUndone {
                activity,
                child,
                end,
            };
            self.tell(id, what);
        }
    }

    /// Asks a child to go back; gives what came of it, if that is known at once.
    fn send_back(
        &mut self,
        child: ReleaseId,
        parent: ReleaseId,
    ) -> Option<Result<(), Box<Failure>>> {
        if !self.live.contains_key(&child)
            && let Err(error) = self.reopen(child)
        {
            let message = format!("{child} cannot be rolled back: {error}");
            return Some(Err(failure("child-not-rolled-back", message, BACK)));
        }
        let reason = format!("its parent {parent} goes back");
        let asked = self.turn(child, Caller::engine(), What::Rollback { reason });
        self.close_again(child);
        match asked {
            Ok(_) => None,
            Err(TurnError::Refused(Refusal::NothingToUndo)) => Some(Ok(())),
            Err(TurnError::Refused(refusal)) => {
                let message = format!("{child} cannot be rolled back: {refusal}");
                Some(Err(failure("child-not-rolled-back", message, BACK)))
            }
            Err(TurnError::NotOpen | TurnError::Quarantined(_)) => {
                let message = format!("{child} is out of service");
                Some(Err(failure("child-not-rolled-back", message, BACK)))
            }
        }
    }

    /// Gives up a child that its parent does not wait for any more.
    pub(super) fn abandon(&mut self, child: ReleaseId, parent: ReleaseId) {
        let live = self.live.get(&child);
        if live.is_some_and(|live| !live.release.has_ended()) {
            let reason = format!("its parent {parent} does not wait for it any more");
            self.tell(child, What::Abort { reason });
        }
    }

    fn start_child(
        &mut self,
        place: (ReleaseId, ActivityIx),
        (child, warnings): (ReleaseId, &[PolicyWarning]),
        order: &ChildOrder,
    ) -> Result<(), Box<Failure>> {
        let (release, turn) = self.draw_child_warned(place, (child, warnings), order)?;
        let record = release.process_ref().clone();
        self.admit(release, turn).map_err(|error| {
            let message = format!("a release of {} cannot be made: {error}", record.name);
            Box::new(Failure::new(FailureClass::Engine, message))
        })
    }

    /// What policies said about a child: it is made, or its parent is told why it is not.
    pub(in crate::driver) fn ruled_on_child(
        &mut self,
        place: (ReleaseId, ActivityIx),
        ruling: Ruling,
    ) {
        let live = self.live.get(&place.0);
        let Some(wanted) = live.and_then(|live| live.release.child(place.1)).cloned() else {
            return;
        };
        let child = wanted.release;
        let failed = match ruling.denial {
            Some(denial) => Some(Box::new(Failure {
                // Like any child that cannot start.
                class: FailureClass::Permanent,
                ..denial.failure()
            })),
            // It may be there already, if the policies were asked once more after a start.
            None if self.live.contains_key(&child) => None,
            None => {
                let order = ChildOrder {
                    process: wanted.process,
                    version: wanted.version,
                    inputs: wanted.inputs,
                };
                self.start_child(place, (child, &ruling.warnings), &order)
                    .err()
            }
        };
        if let Some(failure) = failed {
            self.tell_child_ended(place, child, Err(failure));
        }
    }

    /// The child as it would be made, or why it cannot be.
    pub(in crate::driver) fn draw_child(
        &self,
        place: (ReleaseId, ActivityIx),
        child: ReleaseId,
        order: &ChildOrder,
    ) -> Result<(Release, Turn), Box<Failure>> {
        self.draw_child_warned(place, (child, &[]), order)
    }

    fn draw_child_warned(
        &self,
        (id, activity): (ReleaseId, ActivityIx),
        (child, warnings): (ReleaseId, &[PolicyWarning]),
        order: &ChildOrder,
    ) -> Result<(Release, Turn), Box<Failure>> {
        let parent = &self.live.get(&id).ok_or_else(gone)?.release;
        if self.live.len() >= self.config.open_max {
            let message = "too many releases are open";
            return Err(failure("busy", message.to_owned(), AGAIN));
        }
        let (record, process) = self.process_for(order)?;
        let draft = Draft {
            process: record.reference(),
            title: None,
            inputs: order.inputs.value(),
            emergency: parent.emergency().map(ToOwned::to_owned),
            parent: Some(parent.as_parent(activity)),
        };
        let by = Caller {
            actor: parent.initiator().clone(),
            groups: Vec::new(),
        };
        let made = guarded(|| self.make(child, &process, (draft, true), (&by, warnings)));
        let name = format!("{} version {}", record.name, record.version);
        match made {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(error)) => {
                let code = match error {
                    CreateError::Invalid(_) => "invalid-inputs",
                    CreateError::MissingComponents(_) => "missing-components",
                    CreateError::ComponentQuarantined(_) => "component-quarantined",
                    _ => "cannot-start",
                };
                Err(failure(code, format!("{name}: {error}"), OTHER))
            }
            Err(panic) => Err(Box::new(Failure::new(FailureClass::Engine, panic))),
        }
    }

    fn process_for(
        &self,
        order: &ChildOrder,
    ) -> Result<(Arc<ProcessRecord>, Arc<Process>), Box<Failure>> {
        let broken = |error: crate::error::Error| {
            let message = format!("the process {} cannot be read: {error}", order.process);
            Box::new(Failure::new(FailureClass::Engine, message).remedy(AGAIN))
        };
        let catalog = &self.shared.catalog;
        let record = catalog
            .record(&order.process, order.version)
            .map_err(broken)?;
        let Some(record) = record else {
            let version = order
                .version
                .map(|version| format!("version {version} of "));
            let version = version.unwrap_or_default();
            let message = format!("there is no {version}process {}", order.process);
            return Err(failure("unknown-process", message, OTHER));
        };
        let process = catalog.process(&record).map_err(broken)?;
        Ok((record, process))
    }
}

impl super::Cross {
    fn forget_child(&mut self, parent: ReleaseId, child: ReleaseId) {
        if let Some(children) = self.children.get_mut(&parent) {
            children.remove(&child);
            if children.is_empty() {
                self.children.remove(&parent);
            }
        }
    }
}

/// What a child gives its parent.
fn end(child: &Release) -> Result<Json, Box<Failure>> {
    if let ReleaseState::Ended {
        outcome, reason, ..
    } = child.state()
    {
        if *outcome == ReleaseOutcome::Succeeded {
            return Ok(child.outputs().cloned().unwrap_or_else(Json::empty_object));
        }
        let (id, process) = (child.id(), child.process_ref());
        let why = reason.iter().map(|reason| format!(": {reason}"));
        let message = format!(
            "{id} ({} version {}) is {}{}",
            process.name,
            process.version,
            outcome.word(),
            why.collect::<String>()
        );
        let mut failed = failure("child-failed", message, FAILED);
        let details = json!({ "release": id.to_string(), "state": outcome.word() });
        failed.details = Some(Json::of(&details));
        return Err(failed);
    }
    let message = format!("{} is open and cannot be loaded", child.id());
    Err(Box::new(Failure::new(FailureClass::Engine, message)))
}

/// What has come of the rollback of a child.
fn gone_back(child: &Release) -> Result<(), Box<Failure>> {
    if matches!(
        child.state(),
        ReleaseState::Ended {
            outcome: ReleaseOutcome::RolledBack,
            ..
        }
    ) {
        return Ok(());
    }
    let message = format!("{} went back, but not all it did is undone", child.id());
    Err(failure("child-not-rolled-back", message, BACK))
}

fn gone() -> Box<Failure> {
    let message = "the parent is not open any more";
    Box::new(Failure::new(FailureClass::Engine, message))
}

const AGAIN: &str = "retry it later";
const OTHER: &str = "correct what it says and retry it, with other inputs or another process";
const BACK: &str =
    "look at the child; roll it back by hand and say so, or accept that what it did stays";
const FAILED: &str =
    "look at the child; retry it to start another one, supply its outputs, or skip it";
