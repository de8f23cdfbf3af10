//! Events: what became true. Stored for ever, so variants are only ever appended, and fields never
//! change (the stored form has no room for a field that old bytes lack: what needs one is a further
//! variant); `engine/store` keeps golden bytes of each.

use serde::{Deserialize, Serialize};

mod ends;
mod facts;
mod subject;
mod turn;
mod undo;

pub use ends::{OutputSource, PhaseOutcome, ReleaseOutcome, SkipReason, TurnedAway};
pub use facts::{Awaits, HaltReason, LetIn, Membership, Pinned, PolicyWarning, PolicyWarnings};
pub use turn::Turn;
pub use undo::{PlannedUndo, UndoPart, UndoWay};

use crate::actor::Actor;
use crate::attempt::Evidence;
use crate::failure::Failure;
use crate::id::{Digest, Name, ReleaseId};
use crate::json::Json;
use crate::process::{ActivityIx, Group, PhaseIx, ProcessRef};
use crate::release::locks::Holder;
use crate::release::task::{File, TaskState};
use crate::time::Timestamp;

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
        /// Why its condition could not be evaluated, if so: what it begins with fails before it runs.
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
    /// The release goes back: what does not run is aborted, and the plan is followed in its order.
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
        /// The rendered `with`; absent if the call gets that of the attempt before, or of `run`.
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
    /// A question was told who is who.
    PeopleFound {
        /// Which activity.
        activity: ActivityIx,
        /// Who published the process version, where the question excludes them.
        authors: Vec<Actor>,
        /// Who was in the groups that it has to know, sorted by group.
        groups: Vec<Membership>,
    },
    /// Somebody approved what they were shown. Written in place of `Approved`, which says less.
    ApprovalGiven {
        /// Which activity.
        activity: ActivityIx,
        /// In whose place, if they were somebody's backup.
        backup_of: Option<Actor>,
        /// Positions of the rules that the approval counts for.
        rules: Vec<u32>,
        /// What they said.
        comment: Option<String>,
        /// The answers to the form, if they gave them.
        form: Option<Json>,
        /// What they approved.
        content: Digest,
    },
    /// Somebody's backup rejected in their place; the activity has ended.
    RejectedAsBackup {
        /// Which activity.
        activity: ActivityIx,
        /// In whose place.
        backup_of: Actor,
        /// Why.
        comment: String,
    },
    /// An approval was taken back.
    ApprovalWithdrawn {
        /// Which activity.
        activity: ActivityIx,
        /// Whose approval.
        of: Actor,
        /// Why.
        comment: Option<String>,
    },
    /// What people were asked to approve has changed: the approvals so far count no more.
    ApprovalsLapsed {
        /// Which activity.
        activity: ActivityIx,
        /// What they are asked to approve from now on.
        content: Digest,
    },
    /// Who started the release took the question back; the activity has ended.
    QuestionWithdrawn {
        /// Which activity.
        activity: ActivityIx,
        /// Why.
        reason: String,
    },
    /// Those who have not decided yet were reminded.
    Reminded {
        /// Which activity.
        activity: ActivityIx,
        /// 1 for the first time.
        number: u32,
    },
    /// It took too long: further parties may decide.
    Escalated {
        /// Which activity.
        activity: ActivityIx,
    },
    /// Somebody brought a task into another state.
    TaskMoved {
        /// Which activity.
        activity: ActivityIx,
        /// Position of the task.
        task: u32,
        /// Where it is now.
        state: TaskState,
        /// What they said.
        comment: Option<String>,
    },
    /// Somebody said something.
    Commented {
        /// About which activity.
        activity: ActivityIx,
        /// About which of its tasks, if about one.
        task: Option<u32>,
        /// What.
        text: String,
    },
    /// Somebody changed what they had said.
    CommentEdited {
        /// About which activity.
        activity: ActivityIx,
        /// About which of its tasks, if about one.
        task: Option<u32>,
        /// Position of the comment.
        comment: u32,
        /// What it reads now.
        text: String,
    },
    /// Somebody attached a file as evidence.
    FileAttached {
        /// To which activity.
        activity: ActivityIx,
        /// To which of its tasks, if to one.
        task: Option<u32>,
        /// The file.
        file: File,
    },
    /// Somebody skipped the approvals in an emergency. Somebody else must look at that afterwards.
    GlassBroken {
        /// Which activity.
        activity: ActivityIx,
        /// Why.
        reason: String,
    },
    /// Somebody looked at the skipped approvals.
    ReviewClosed {
        /// Which activity.
        activity: ActivityIx,
        /// What they found.
        comment: String,
    },
    /// The last open batch of a fan-out, which has ended, goes back; none opens by itself any more.
    WaveRollbackStarted {
        /// Which fan-out.
        group: Group,
        /// Which batch; 1 for the first.
        batch: u32,
        /// Why, in a person's words.
        reason: String,
        /// Everything in it that had or may have had an effect, what depends on others first.
        plan: Vec<PlannedUndo>,
    },
    /// All effects of the batch are dealt with: its instances count as failed.
    WaveRolledBack {
        /// Which fan-out.
        group: Group,
        /// Which batch.
        batch: u32,
    },
    /// The guest waits for a signal and is run again when it comes.
    AttemptAwaitsSignal {
        /// Which activity.
        activity: ActivityIx,
        /// Handed back to the guest.
        checkpoint: Vec<u8>,
        /// What the guest calls the signal.
        signal: Name,
        /// For people.
        status: Option<String>,
    },
    /// Policies let something happen, and said something to it.
    PoliciesWarned(PolicyWarnings),
    /// The attempt was turned away before anything of it ran: that it failed comes next.
    AttemptTurnedAway(TurnedAway),
    /// The attempt had to wait before it could begin, and its time counts anew.
    AttemptLetIn(LetIn),
}
