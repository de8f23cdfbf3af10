//! Events: what became true. Stored for ever, so variants are only ever appended, and fields never
//! change (the stored form has no room for a field that old bytes lack: what needs one is a further
//! variant); `engine/store` keeps golden bytes of each.

use serde::{Deserialize, Serialize};

mod subject;
mod undo;

pub use undo::{PlannedUndo, UndoPart, UndoWay};

use crate::actor::Actor;
use crate::attempt::Evidence;
use crate::component::{Pin, Uses};
use crate::failure::Failure;
use crate::id::{Digest, Name, ReleaseId};
use crate::json::Json;
use crate::process::{ActivityIx, Group, PhaseIx, ProcessRef};
use crate::release::locks::Holder;
use crate::time::Timestamp;

/// What one turn made true: stored as one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Number of the first event; the release's first event is 0.
    pub first: u64,
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub by: Actor,
    /// In order; never empty.
    pub events: Vec<Event>,
}

/// One fact about a release. The order of variants and fields is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Event {
    /// The release exists, as a draft.
    Created {
        /// The process version it runs.
        process: ProcessRef,
        /// For people.
        title: String,
        /// All inputs, defaults filled in.
        inputs: Json,
    },
    /// It began; what it runs is pinned.
    Started {
        /// The component behind each `uses`, sorted by `uses`.
        components: Vec<Pinned>,
    },
    /// The phase's needs and condition hold: its activities may become ready.
    PhaseOpened {
        /// Which.
        phase: PhaseIx,
        /// Why its condition could not be evaluated, if so: then each activity that needs nothing
        /// inside the phase fails before its first attempt, and a person can still run it.
        fault: Option<String>,
    },
    /// The phase will not run: each of its activities is skipped for the same reason.
    PhaseSkipped {
        /// Which.
        phase: PhaseIx,
        /// Why.
        why: SkipReason,
    },
    /// Every activity of the phase has ended.
    PhaseEnded {
        /// Which.
        phase: PhaseIx,
        /// Whether none failed.
        outcome: PhaseOutcome,
    },
    /// The activity could start, but the release is paused.
    ActivityReadied {
        /// Which.
        activity: ActivityIx,
    },
    /// A first or further attempt began.
    AttemptStarted {
        /// Which activity.
        activity: ActivityIx,
        /// 1 for the first.
        attempt: u32,
        /// The rendered `with`; recorded once and used by all attempts until it is replaced.
        with: Option<Json>,
        /// When the attempt is given up.
        deadline: Timestamp,
    },
    /// The guest waits for something outside and is run again later.
    AttemptSuspended {
        /// Which activity.
        activity: ActivityIx,
        /// Handed back to the guest.
        checkpoint: Vec<u8>,
        /// When it is run again.
        resume_at: Timestamp,
        /// For people.
        status: Option<String>,
    },
    /// A suspended attempt is run again.
    AttemptResumed {
        /// Which activity.
        activity: ActivityIx,
        /// Counts the runs of this attempt; the first resumption is 2.
        run: u32,
    },
    /// The attempt failed.
    AttemptFailed {
        /// Which activity.
        activity: ActivityIx,
        /// How.
        failure: Failure,
        /// When the next attempt begins, if there is one.
        retry_at: Option<Timestamp>,
    },
    /// A guest recorded a fact.
    EvidenceRecorded {
        /// Which activity.
        activity: ActivityIx,
        /// The fact.
        evidence: Evidence,
    },
    /// People are asked.
    PeopleAsked {
        /// Which activity.
        activity: ActivityIx,
        /// The rendered instructions.
        instructions: String,
        /// When the question lapses.
        expires_at: Option<Timestamp>,
    },
    /// Somebody approved.
    Approved {
        /// Which activity.
        activity: ActivityIx,
        /// Positions of the rules that the approval counts for.
        rules: Vec<u32>,
        /// What they said.
        comment: Option<String>,
        /// The answers to the form, if they gave them.
        form: Option<Json>,
    },
    /// Somebody rejected; the activity has ended.
    Rejected {
        /// Which activity.
        activity: ActivityIx,
        /// Why.
        comment: String,
    },
    /// Nobody decided in time; the activity has ended.
    Expired {
        /// Which activity.
        activity: ActivityIx,
    },
    /// The activity succeeded.
    ActivitySucceeded {
        /// Which.
        activity: ActivityIx,
        /// What others may read.
        outputs: Json,
        /// Who or what gave them.
        source: OutputSource,
    },
    /// No retry is left (or an expression failed) and a person must decide.
    ActivityHeld {
        /// Which.
        activity: ActivityIx,
        /// Why, where no failed attempt said it.
        failure: Option<Failure>,
    },
    /// The activity failed for good.
    ActivityFailed {
        /// Which.
        activity: ActivityIx,
        /// Why, where no failed attempt said it.
        failure: Option<Failure>,
        /// Whether it counts as satisfied for what needs it.
        continued: bool,
    },
    /// The activity will not run.
    ActivitySkipped {
        /// Which.
        activity: ActivityIx,
        /// Why.
        why: SkipReason,
    },
    /// Nothing new starts until it is resumed.
    Paused {
        /// Why.
        reason: Option<String>,
    },
    /// It goes on.
    Resumed,
    /// Somebody gave the release up: every activity and phase that has not ended is aborted.
    Aborted {
        /// Why.
        reason: String,
    },
    /// Every phase has ended.
    Ended {
        /// How.
        outcome: ReleaseOutcome,
        /// What the process says a release gives back; absent if it says nothing or cannot be evaluated.
        outputs: Option<Json>,
    },
    /// Somebody replaced inputs of the release, for what has not begun.
    InputsAmended {
        /// All inputs from now on.
        inputs: Json,
        /// The names of those that differ from before.
        changed: Vec<String>,
        /// Why.
        reason: String,
    },
    /// Somebody replaced the outputs of an activity that had succeeded, for what has not begun.
    OutputsAmended {
        /// Which.
        activity: ActivityIx,
        /// What others may read from now on.
        outputs: Json,
        /// Why.
        reason: String,
    },
    /// Somebody let an activity be tried more often.
    RetryAmended {
        /// Which.
        activity: ActivityIx,
        /// Attempts in all from now on.
        attempts_max: u32,
        /// Why.
        reason: String,
    },
    /// The items of a fan-out are known: there is one instance for each from now on.
    Expanded {
        /// Which phase or activity.
        group: Group,
        /// What the instances run for, in order.
        items: Vec<Json>,
        /// How many instances are released once each batch is open; the last is all of them.
        batches: Vec<u32>,
    },
    /// The instances of a batch are released.
    BatchOpened {
        /// Of which phase or activity.
        group: Group,
        /// Which; 1 for the first.
        batch: u32,
    },
    /// Every released instance has ended: the next batch waits.
    BatchBaking {
        /// Of which phase or activity.
        group: Group,
        /// Until when.
        until: Timestamp,
    },
    /// The wait is over.
    BatchBaked {
        /// Of which phase or activity.
        group: Group,
    },
    /// What stands between two batches begins.
    GateOpened {
        /// Of which phase or activity.
        group: Group,
        /// The activity that it is.
        gate: ActivityIx,
    },
    /// No further batch opens until a person lets it.
    WaveHalted {
        /// Of which phase or activity.
        group: Group,
        /// Why.
        reason: HaltReason,
    },
    /// Further batches may open again.
    WaveResumed {
        /// Of which phase or activity.
        group: Group,
        /// Why.
        reason: Option<String>,
    },
    /// A person has decided that no further batch opens: what was not released is skipped.
    WaveEnded {
        /// Of which phase or activity.
        group: Group,
        /// Why.
        reason: String,
    },
    /// Every instance of the activity has ended.
    InstancesEnded {
        /// Which activity.
        activity: ActivityIx,
        /// Whether few enough failed.
        outcome: PhaseOutcome,
    },
    /// The activity waits for something.
    WaitBegan {
        /// Which.
        activity: ActivityIx,
        /// For what.
        on: Awaits,
        /// When it is over, or given up.
        until: Option<Timestamp>,
    },
    /// A signal came for the activity.
    SignalReceived {
        /// Which.
        activity: ActivityIx,
        /// Tells deliveries apart: the same one may come again.
        delivery: Digest,
        /// What came with it; absent where the next event has it as outputs.
        payload: Option<Json>,
    },
    /// A part of the release wants locks before it begins.
    LocksWanted {
        /// Which part.
        holder: Holder,
        /// Their names, sorted, each once; it gets all of them at once.
        locks: Vec<String>,
        /// The inputs that a person gave for the attempt that waits for them.
        with: Option<Json>,
    },
    /// It has all of them, until it has ended.
    LocksGranted {
        /// Which part.
        holder: Holder,
    },
    /// The release goes ahead of others that are not as urgent.
    EmergencyDeclared {
        /// Why.
        reason: String,
    },
    /// An activity of another release started this one.
    ChildOf {
        /// The other release.
        parent: ReleaseId,
        /// Its activity.
        activity: ActivityIx,
        /// The same as `phase/activity`.
        path: String,
        /// How many releases stand above this one.
        depth: u32,
    },
    /// The activity started a release of another process and waits for its end.
    ChildStarted {
        /// Which activity.
        activity: ActivityIx,
        /// Counts like attempts of a component.
        attempt: u32,
        /// The child.
        child: ReleaseId,
        /// What it runs.
        process: Name,
        /// Which version; the newest if there is none.
        version: Option<u32>,
        /// Its inputs.
        inputs: Json,
    },
    /// A person started a release of another process while people decide the activity.
    ChildLaunched {
        /// Which activity.
        activity: ActivityIx,
        /// The child.
        child: ReleaseId,
        /// What it runs.
        process: Name,
        /// Which version; the newest if there is none.
        version: Option<u32>,
        /// Its inputs.
        inputs: Json,
    },

    /// Some pinned components export no `undo`.
    IrreversiblePinned {
        /// Their positions among the pins.
        pins: Vec<u32>,
    },
    /// The release goes back: what has not ended is aborted, except runs that are going on, and
    /// effects are taken back in the order of the plan.
    RollbackStarted {
        /// The activity whose failure asked for it; nothing if a person did.
        trigger: Option<ActivityIx>,
        /// Why, in a person's words.
        reason: Option<String>,
        /// Everything that had or may have had an effect, what depends on others first.
        plan: Vec<PlannedUndo>,
    },
    /// The activity was still going on when the release went back, and goes on no further.
    ActivityAborted {
        /// Which.
        activity: ActivityIx,
    },
    /// An attempt to take an effect back began. It counts among the attempts of the activity.
    UndoStarted {
        /// Which activity.
        activity: ActivityIx,
        /// What is called.
        part: UndoPart,
        /// Counts on from the last attempt.
        attempt: u32,
        /// The rendered `with`; absent if the call gets the inputs of the attempt before it, or
        /// `undo` those of `run`.
        with: Option<Json>,
        /// When the attempt is given up.
        deadline: Timestamp,
    },
    /// The undo returned; whether the effect is gone is looked at next.
    UndoReturned {
        /// Which activity.
        activity: ActivityIx,
    },
    /// The effect is taken back.
    Undone {
        /// Which activity.
        activity: ActivityIx,
        /// What a person said who took it back by hand; nothing if the engine did.
        by_hand: Option<String>,
    },
    /// The effect could not be taken back, and a person must decide.
    UndoHeld {
        /// Which activity.
        activity: ActivityIx,
        /// Why, where no failed attempt said it.
        failure: Option<Failure>,
    },
    /// A person accepts that the effect stays.
    UndoAccepted {
        /// Which activity.
        activity: ActivityIx,
        /// Why.
        reason: String,
    },
    /// Somebody found out why the release had to go back.
    RootCauseClosed {
        /// What it was.
        text: String,
    },
    /// A release that the activity started is asked to go back.
    ChildRecalled {
        /// Which activity.
        activity: ActivityIx,
        /// Which release.
        child: ReleaseId,
    },
    /// A release that the activity started has gone back; more is to be taken back after it.
    ChildUndone {
        /// Which activity.
        activity: ActivityIx,
        /// Which release.
        child: ReleaseId,
    },
}

/// Why no further batch opens. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HaltReason {
    /// So many instances failed, more than `max-failures`.
    Failures(u32),
    /// Its gate did not succeed.
    Gate,
    /// A person wants it, for this reason.
    Person(String),
}

/// What an activity waits for. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaits {
    /// An instant.
    Time,
    /// A signal.
    Signal,
    /// Another release.
    Release(ReleaseId),
}

/// A `uses` and the exact component behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// As written in the process.
    #[serde(with = "uses_text")]
    pub uses: Uses,
    /// What runs.
    pub pin: Pin,
}

/// Serde for [`Uses`] as its text.
mod uses_text {
    use super::{Deserialize, Uses};

    pub(super) fn serialize<S: serde::Serializer>(
        uses: &Uses,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(uses)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Uses, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Why something did not run. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Its own condition was false: counts as satisfied.
    Condition,
    /// A need was broken: breaks what needs this.
    Upstream,
    /// A person skipped it, for this reason: counts as satisfied.
    Person(String),
    /// It is what instances or gates are made of, or a gate that its wave did not come to: counts as
    /// satisfied.
    NotNeeded,
}

/// Who gave an activity's outputs. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputSource {
    /// The component returned them.
    Component,
    /// They are the answers to the form of a manual activity.
    Form,
    /// A person supplied them in place of an attempt that failed.
    Supplied,
    /// A person replaced what was given before.
    Amended,
    /// What it waited for came true, and says so.
    Wait,
    /// They are the payload of a signal.
    Signal,
    /// A child release gave them.
    Child,
}

/// How a phase ended. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseOutcome {
    /// Nothing in it failed.
    Succeeded,
    /// At least one activity failed, was rejected, expired, or was skipped for a broken need.
    Failed,
    /// The release was aborted.
    Aborted,
}

/// How a release ended. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseOutcome {
    /// Every phase succeeded or was skipped by its own condition.
    Succeeded,
    /// A phase failed.
    Failed,
    /// It was aborted.
    Aborted,
    /// It went back, and every effect was taken back.
    RolledBack,
}

impl Turn {
    /// Number of the event after the last one.
    pub fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }
}
