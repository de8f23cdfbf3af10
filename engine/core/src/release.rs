//! A release: the state of one run of a process, and the verbs over it.
//!
//! The state is the fold of the release's events and nothing else. [`decide()`] says what an input
//! makes true, [`Release::apply`] folds that in, [`advance()`] says what follows from it for the
//! graph, and [`turn`] joins the three until the graph is quiet. What should be going on
//! afterwards is read off the state: [`Release::current_run`], [`Release::wake_at`], and
//! [`work()`] for the whole of it.
//!
//! The cost of a turn depends on what it changes. Each phase and activity counts how its own needs
//! have ended, so nothing scans the graph, and a release is never copied.
//!
//! What pausing means: attempts that run go on, count, and may time out; questions to people stay
//! open and still expire; skips follow from what ended. Nothing starts: activities that could
//! start become `ready`, retries and resumptions wait. The time for which a pause kept a suspended
//! attempt from resuming does not count against its timeout.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use crate::actor::Actor;
use crate::attempt::{AttemptKey, Call, Invocation};
use crate::id::{Digest, ReleaseId};
use crate::json::Json;
use crate::process::{ActivityIx, Group, PhaseIx, Process, ProcessRef, Undo};
use crate::release::event::{OutputSource, Pinned, UndoPart};
use crate::release::index::{Index, Node};
use crate::release::needs::Tally;
use crate::release::state::{ActivityState, PhaseState, Received, Record, ReleaseState};
use crate::release::wave::Wave;
use crate::time::Timestamp;

pub mod event;
pub mod input;
pub mod refusal;
pub mod state;
pub mod task;
pub mod wave;

mod advance;
mod apply;
mod backoff;
mod begin;
mod bounds;
mod check;
mod child;
mod content;
mod create;
mod decide;
mod expand;
mod failing;
mod index;
mod locks;
mod needs;
mod plan;
mod policy;
mod question;
mod replay;
mod rollback;
mod scope;
mod undoing;
mod unwinding;
mod wait;
mod wanted;
mod why;
mod why_undo;
mod work;

pub use advance::{advance, turn};
pub use check::{Violation, check};
pub use child::{ChildOrder, Parent};
pub use create::{Draft, create};
pub use decide::decide;
pub use locks::{Claim, Holder};
pub use plan::{rollback_plan, wave_rollback_plan};
pub use policy::Warned;
pub use replay::ReplayError;
pub use rollback::{Rollback, RootCause, UndoResult};
pub use wait::{Awaited, Reach};
pub use wanted::{Wanted, WantedWhat, wanted};
pub use why::{BeforeBatch, OpenRule, Waiting, WaitsOn, why, why_activity, why_release, why_wave};
pub use work::{PeopleWanted, Work, work};

/// The group whose members may skip approvals in an emergency.
pub const BREAK_GLASS: &str = "break-glass";

/// One run of one process version. Made by [`Release::new`] or [`Release::replay`], changed by
/// [`Release::apply`] alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    id: ReleaseId,
    process: Definition,
    process_ref: ProcessRef,
    title: Box<str>,
    inputs: Json,
    created_by: Actor,
    created_at: Timestamp,
    started: Option<(Actor, Timestamp)>,
    pins: Box<[Pinned]>,
    /// Positions of pins that are known to export no `undo`.
    irreversible: Box<[u32]>,
    rollback: Option<Box<Rollback>>,
    /// Digest of what every approval is given for, besides its own instructions.
    gated: Digest,
    state: ReleaseState,
    outputs: Option<Json>,
    emergency: Option<Box<str>>,
    parent: Option<Box<Parent>>,
    claims: BTreeMap<Holder, Claim>,
    version: u64,
    phases: Vec<PhaseNode>,
    activities: Vec<ActivityNode>,
    waves: BTreeMap<Group, Wave>,
    phases_unsettled: u32,
    phase_failed: bool,
    index: Index,
    frontier: BTreeSet<Node>,
    /// Activities whose approvals were skipped, and nobody has looked at that yet.
    reviews: BTreeSet<ActivityIx>,
    /// What policies warned of.
    warnings: Vec<Warned>,
}

/// The process behind a release, compared by its digest and its size. It is shared by all its
/// releases, until a fan-out puts instances in: from then on the release has its own.
#[derive(Clone, Debug)]
struct Definition(Arc<Process>);

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        let size = |process: &Process| (process.phases.len(), process.activities.len());
        self.0.digest == other.0.digest && size(&self.0) == size(&other.0)
    }
}

impl Deref for Definition {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.0
    }
}

/// A phase and what is counted for it.
#[derive(Clone, Debug, PartialEq)]
struct PhaseNode {
    state: PhaseState,
    /// How the phases that it needs have ended.
    needs: Tally,
    /// Whether it is an instance whose batch is not open.
    held: bool,
    /// Its activities that have not ended; of a phase that is fanned out, its instances.
    unsettled: u32,
    /// Whether one of its activities ended in a way that breaks what needs it.
    failed: bool,
    /// Why its condition could not be evaluated.
    fault: Option<Box<str>>,
}

/// An activity and what is counted for it.
#[derive(Clone, Debug, PartialEq)]
struct ActivityNode {
    state: ActivityState,
    /// How the activities that it needs have ended.
    needs: Tally,
    /// Whether it is an instance whose batch is not open, or a gate that is not asked.
    held: bool,
    /// What it has left behind, once there is something.
    record: Option<Box<Record>>,
}

impl Release {
    /// The release.
    pub fn id(&self) -> ReleaseId {
        self.id
    }

    /// What it runs: the published process, with the instances of its fan-outs put in.
    pub fn process(&self) -> &Arc<Process> {
        &self.process.0
    }

    /// Name, version and digest of what it runs.
    pub fn process_ref(&self) -> &ProcessRef {
        &self.process_ref
    }

    /// For people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// All inputs, defaults filled in.
    pub fn inputs(&self) -> &Json {
        &self.inputs
    }

    /// Who started it; while it is a draft, who created it.
    pub fn initiator(&self) -> &Actor {
        self.started.as_ref().map_or(&self.created_by, |(by, _)| by)
    }

    /// Who created it.
    pub fn created_by(&self) -> &Actor {
        &self.created_by
    }

    /// When it was created.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it was started.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.started.as_ref().map(|(_, at)| *at)
    }

    /// When it ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self.state {
            ReleaseState::Ended { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Whether nothing can change it any more.
    pub fn has_ended(&self) -> bool {
        self.ended_at().is_some()
    }

    /// Whether it has ended and nothing is left for people to do: no review, no cause of a rollback to
    /// be told.
    pub fn is_settled(&self) -> bool {
        self.has_ended() && self.reviews.is_empty() && self.root_cause_since().is_none()
    }

    /// Activities whose approvals were skipped, and nobody has looked at that yet.
    pub fn open_reviews(&self) -> impl Iterator<Item = ActivityIx> + '_ {
        self.reviews.iter().copied()
    }

    /// What it runs for each `uses`, sorted by `uses`; empty while it is a draft.
    pub fn pins(&self) -> &[Pinned] {
        &self.pins
    }

    /// Why it goes ahead of others, if it does.
    pub fn emergency(&self) -> Option<&str> {
        self.emergency.as_deref()
    }

    /// Where it is.
    pub fn state(&self) -> &ReleaseState {
        &self.state
    }

    /// What it gave back, once it has ended.
    pub fn outputs(&self) -> Option<&Json> {
        self.outputs.as_ref()
    }

    /// The number of its events, which is the number of its next one.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Where a phase is.
    pub fn phase_state(&self, ix: PhaseIx) -> &PhaseState {
        &self.phases[ix.0 as usize].state
    }

    /// Why the condition of an open phase could not be evaluated.
    pub fn phase_fault(&self, ix: PhaseIx) -> Option<&str> {
        self.phases[ix.0 as usize].fault.as_deref()
    }

    /// Where an activity is.
    pub fn activity_state(&self, ix: ActivityIx) -> &ActivityState {
        &self.activities[ix.0 as usize].state
    }

    /// What an activity has left behind so far, whatever state it is in.
    pub fn record(&self, ix: ActivityIx) -> Option<&Record> {
        self.activities[ix.0 as usize].record.as_deref()
    }

    /// The signals that came for an activity, oldest first.
    pub fn signals(&self, ix: ActivityIx) -> &[Received] {
        let record = self.record(ix);
        record.map_or(&[], |record| &record.signals)
    }

    /// The run of an activity that should be going on now. A result counts only for this one.
    pub fn current_run(&self, ix: ActivityIx) -> Option<AttemptKey> {
        match self.activities.get(ix.0 as usize)?.state.going() {
            ActivityState::Running(attempt) => Some(AttemptKey {
                release: self.id,
                activity: ix,
                attempt: attempt.number,
                run: attempt.run,
            }),
            _ => None,
        }
    }

    /// When `TimePassed` will next find something to do.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self.state {
            ReleaseState::Running | ReleaseState::RollingBack => self.index.wake_at(true),
            ReleaseState::Paused { .. } => self.index.wake_at(false),
            ReleaseState::Draft | ReleaseState::Ended { .. } => None,
        }
    }

    /// Everything a runner needs for the run `key`, if it is still the current one.
    pub fn invocation(&self, key: AttemptKey, now: Timestamp) -> Option<Invocation> {
        if self.current_run(key.activity) != Some(key) {
            return None;
        }
        let activity = self.process.activity(key.activity);
        let ActivityState::Running(attempt) = self.activity_state(key.activity).going() else {
            return None;
        };
        let component = self.called(key.activity)?;
        Some(Invocation {
            key,
            component: self.pin(&component.uses)?.clone(),
            process: self.process.name.clone(),
            phase: self.process.phase(activity.phase).name.clone(),
            activity: activity.name.clone(),
            call: self.call(key.activity),
            number: self.call_number(key),
            idempotency_key: self.idempotency_key(key.activity),
            inputs: match &component.script {
                Some(script) => script.handed_over(&self.call_path(key.activity), &attempt.with),
                None => attempt.with.clone(),
            },
            checkpoint: attempt.checkpoint.as_deref().map(<[u8]>::to_vec),
            signal: attempt.signal.clone(),
            wall: attempt.deadline.since(now),
            now,
        })
    }

    /// The component that an activity calls now, or would call if it were tried again.
    pub fn calls(&self, ix: ActivityIx) -> Option<&crate::component::Pin> {
        self.pin(&self.called(ix)?.uses)
    }

    fn pin(&self, uses: &crate::component::Uses) -> Option<&crate::component::Pin> {
        let at = self.pins.binary_search_by(|pinned| pinned.uses.cmp(uses));
        at.ok().map(|at| &self.pins[at].pin)
    }

    /// What the activity calls now.
    fn call(&self, ix: ActivityIx) -> Call {
        let exported = matches!(self.process.activity(ix).undo, Undo::Exported);
        match self.activity_state(ix) {
            ActivityState::Undoing(undoing) if undoing.part == UndoPart::Undo && exported => {
                let record = self.record(ix);
                let returned =
                    record.is_some_and(|record| record.source == Some(OutputSource::Component));
                let outputs = match &undoing.past {
                    ActivityState::Succeeded { outputs, .. } if returned => Some(outputs.clone()),
                    _ => None,
                };
                Call::Undo { outputs }
            }
            _ => Call::Run,
        }
    }

    /// The same for every attempt at what the activity calls now.
    fn idempotency_key(&self, ix: ActivityIx) -> String {
        format!("{}/{}", self.id, self.call_path(ix))
    }

    /// What the activity calls now, as people call it: `phase/activity`, with the part behind it on the way
    /// back.
    fn call_path(&self, ix: ActivityIx) -> String {
        let path = self.process.path(ix);
        match self.activity_state(ix) {
            ActivityState::Undoing(undoing) => format!("{path}/{}", undoing.part.word()),
            _ => path,
        }
    }

    fn is_paused(&self) -> bool {
        matches!(self.state, ReleaseState::Paused { .. })
    }

    /// Whether it goes back, paused or not.
    pub fn is_going_back(&self) -> bool {
        let rollback = self.rollback.as_ref();
        rollback.is_some_and(|rollback| rollback.ended_at.is_none())
    }

    /// Every activity with its position.
    fn activity_ixs(&self) -> impl Iterator<Item = (ActivityIx, &ActivityNode)> {
        (0..).map(ActivityIx).zip(self.activities.iter())
    }

    /// Every phase with its position.
    fn phase_ixs(&self) -> impl Iterator<Item = (PhaseIx, &PhaseNode)> {
        (0..).map(PhaseIx).zip(self.phases.iter())
    }
}
