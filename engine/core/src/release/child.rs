//! Releases that activities start: what is asked for, and what has become of it.

use crate::actor::Actor;
use crate::failure::{Failure, FailureClass};
use crate::id::{Digest, Name, ReleaseId};
use crate::json::Json;
use crate::limits::CHILD_DEPTH_MAX;
use crate::process::{ActivityIx, ChildProcess};
use crate::release::Release;
use crate::release::event::Event;
use crate::release::state::{ActivityState, Child};
use crate::time::Timestamp;

/// The release and the activity that started a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The release.
    pub release: ReleaseId,
    /// Its activity.
    pub activity: ActivityIx,
    /// The same as `phase/activity`.
    pub path: String,
    /// How many releases stand above the child; 1 for the child of a release that has no parent.
    pub depth: u32,
}

/// A process to run as a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildOrder {
    /// The process.
    pub process: Name,
    /// Which version; the newest when it starts if there is none.
    pub version: Option<u32>,
    /// The inputs: an object.
    pub inputs: Json,
}

impl Release {
    /// What started it, if an activity did.
    pub fn parent(&self) -> Option<&Parent> {
        self.parent.as_deref()
    }

    /// The child that an activity waits for now.
    pub fn child(&self, ix: ActivityIx) -> Option<&Child> {
        match &self.activities.get(ix.0 as usize)?.state {
            ActivityState::Child(child) => Some(child),
            _ => None,
        }
    }

    /// Every child that is waited for now.
    pub fn children(&self) -> impl Iterator<Item = (ActivityIx, &Child)> {
        let with = self.index.parents.iter();
        with.filter_map(|ix| self.child(*ix).map(|child| (*ix, child)))
    }

    /// What a child started by `activity` has as its parent.
    pub fn as_parent(&self, activity: ActivityIx) -> Parent {
        Parent {
            release: self.id,
            activity,
            path: self.process.path(activity),
            depth: self.parent().map_or(0, |parent| parent.depth) + 1,
        }
    }

    /// The event with which `activity` starts a child, or why it cannot.
    pub(super) fn start_child(
        &self,
        activity: ActivityIx,
        process: &ChildProcess,
        now: Timestamp,
    ) -> Result<Event, String> {
        let inputs = self
            .render(&process.inputs, Some(activity))
            .map_err(|fault| format!("`inputs` could not be rendered: {fault}"))?;
        let order = ChildOrder {
            process: process.name.clone(),
            version: process.version,
            inputs,
        };
        Ok(self.child_started(activity, order, now))
    }

    /// The event with which `activity` starts the child that `order` asks for.
    pub(super) fn child_started(
        &self,
        activity: ActivityIx,
        order: ChildOrder,
        now: Timestamp,
    ) -> Event {
        if let Some(failure) = self.too_deep() {
            return self.fails(activity, failure);
        }
        let attempts = self.record(activity).map_or(0, |record| record.attempts);
        let attempt = attempts.saturating_add(1);
        Event::ChildStarted {
            activity,
            attempt,
            child: self.child_id(activity, (b'a', attempt), now),
            process: order.process,
            version: order.version,
            inputs: order.inputs,
        }
    }

    pub(super) fn too_deep(&self) -> Option<Failure> {
        let depth = self.parent().map_or(0, |parent| parent.depth);
        if depth < CHILD_DEPTH_MAX {
            return None;
        }
        let message = format!("there are {depth} releases above this one already");
        let mut failure = Failure::new(FailureClass::Limit("child-depth".to_owned()), message)
            .remedy("start the process as a release of its own, and supply its outputs");
        failure.code = Some("too-deep".to_owned());
        Some(failure)
    }

    /// The id of a child: the same for the same attempt, whoever makes it and however often.
    pub(super) fn child_id(
        &self,
        activity: ActivityIx,
        (kind, number): (u8, u32),
        now: Timestamp,
    ) -> ReleaseId {
        let mut bytes = vec![kind];
        bytes.extend(self.id.to_bytes());
        bytes.extend(activity.0.to_be_bytes());
        bytes.extend(number.to_be_bytes());
        let drawn = Digest::of(&bytes).0;
        let low = drawn[..10]
            .iter()
            .fold(0_u128, |low, byte| low << 8 | u128::from(*byte));
        // Ids sort by age: 48 bits of milliseconds come first.
        let age = u128::from(u64::try_from(now.0).unwrap_or(0)) & 0xffff_ffff_ffff;
        ReleaseId(age << 80 | low)
    }

    pub(super) fn apply_child_of(&mut self, parent: Parent) {
        self.parent.get_or_insert_with(|| Box::new(parent));
    }

    /// Who stands behind a child: whoever stands behind this release.
    pub fn behind_children(&self) -> Actor {
        self.initiator().clone()
    }
}
