//! Inputs: what is asked of a release. Each may be refused.

use crate::actor::{Actor, Caller};
use crate::attempt::{AttemptKey, Report};
use crate::failure::Failure;
use crate::id::{Digest, ReleaseId};
use crate::json::Json;
use crate::process::{ActivityIx, Group, PhaseIx};
use crate::release::child::ChildOrder;
use crate::release::event::{Membership, Pinned, PolicyWarning};
use crate::release::locks::Holder;
use crate::release::task::{File, TaskState};

/// Something that happened or that somebody wants, and who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Who.
    pub by: Caller,
    /// What.
    pub what: What,
}

/// The closed list of what a release reacts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Begin, with the component behind each `uses`.
    Start {
        /// Sorted by `uses`, one for each `uses` of the process.
        components: Vec<Pinned>,
        /// Positions among them of components that are known to export no `undo`.
        irreversible: Vec<u32>,
    },
    /// The current instant may have passed a deadline, a retry or a resumption.
    TimePassed,
    /// A run ended.
    AttemptFinished {
        /// Which run.
        key: AttemptKey,
        /// How.
        report: Report,
    },
    /// An attempt may not begin, and nothing of it has run: whoever says so knows that no run of it can
    /// have begun, not even before a crash.
    AttemptTurnedAway {
        /// Its first run.
        key: AttemptKey,
        /// Why.
        failure: Failure,
    },
    /// Others kept an attempt from beginning: its time counts from now.
    AttemptLetIn {
        /// Its first run.
        key: AttemptKey,
    },
    /// Approve a manual activity (or complete one that has no rules).
    Approve {
        /// Which.
        activity: ActivityIx,
        /// Said with it.
        comment: Option<String>,
        /// Answers to the form.
        form: Option<Json>,
        /// What they were shown; whatever it is now if they do not say.
        content: Option<Digest>,
        /// In whose place, if they are somebody's backup, which whoever asks has made sure of.
        backup_of: Option<Caller>,
    },
    /// Reject a manual activity.
    Reject {
        /// Which.
        activity: ActivityIx,
        /// Why; not empty.
        comment: String,
        /// In whose place, if they are somebody's backup, which whoever asks has made sure of.
        backup_of: Option<Caller>,
    },
    /// Take one's own approval back, or one that one's backup gave.
    Withdraw {
        /// Which activity.
        activity: ActivityIx,
        /// Why.
        comment: Option<String>,
    },
    /// Take the question back, as who started or created the release.
    WithdrawQuestion {
        /// Which activity.
        activity: ActivityIx,
        /// Why; not empty.
        reason: String,
    },
    /// Do something about a task of a manual activity, or beside its tasks.
    Work {
        /// Which activity.
        activity: ActivityIx,
        /// The name of the task; `None` is what is said and attached besides the tasks.
        task: Option<String>,
        /// What.
        what: TaskWork,
    },
    /// Skip the approvals of a manual activity in an emergency.
    BreakGlass {
        /// Which.
        activity: ActivityIx,
        /// Why; not empty.
        reason: String,
        /// Answers to the form.
        form: Option<Json>,
    },
    /// Say that one has looked at approvals that were skipped.
    CloseReview {
        /// Of which activity.
        activity: ActivityIx,
        /// What one found; not empty.
        comment: String,
    },
    /// Tell a question who is who; see [`crate::release::Release::people_wanted`].
    PeopleFound {
        /// Which activity.
        activity: ActivityIx,
        /// Who published the process version.
        authors: Vec<Actor>,
        /// Who is in the groups that it asked for.
        groups: Vec<Membership>,
    },
    /// Record what policies said to a start, or to an attempt of one activity, that they let happen.
    PoliciesWarned {
        /// Which activity; nothing for the start.
        activity: Option<ActivityIx>,
        /// What they said.
        warnings: Vec<PolicyWarning>,
    },
    /// Try an activity again that is on hold, or that waits for its retry; ask people again.
    Retry {
        /// Which.
        activity: ActivityIx,
        /// Other inputs than the rendered ones, for this and later attempts.
        with: Option<Json>,
    },
    /// Give the outputs of an activity that is on hold, and go on as if it had succeeded.
    SupplyOutputs {
        /// Which.
        activity: ActivityIx,
        /// In place of what the component would have returned.
        outputs: Json,
    },
    /// Do without an activity that has not ended.
    Skip {
        /// Which.
        activity: ActivityIx,
        /// Why; not empty.
        reason: String,
    },
    /// Do without a phase, or an instance of one, that has not ended: each of its activities that has
    /// not ended is skipped.
    SkipPhase {
        /// Which.
        phase: PhaseIx,
        /// Why; not empty.
        reason: String,
    },
    /// Open no further batch of a fan-out; what runs goes on.
    HaltWave {
        /// Of which phase or activity.
        group: Group,
        /// Why; not empty.
        reason: String,
    },
    /// Let a halted fan-out go on.
    ResumeWave {
        /// Of which phase or activity.
        group: Group,
        /// Why.
        reason: Option<String>,
    },
    /// Take back what the last open batch of a fan-out did.
    RollbackWave {
        /// Of which phase or activity.
        group: Group,
        /// Why; not empty.
        reason: String,
    },
    /// Open no further batch of a fan-out, ever: what was not released is skipped.
    EndWave {
        /// Of which phase or activity.
        group: Group,
        /// Why; not empty.
        reason: String,
    },
    /// Let an activity that is on hold fail for good.
    Fail {
        /// Which.
        activity: ActivityIx,
        /// Why; not empty.
        reason: String,
    },
    /// A signal came for an activity that waits for one.
    Signal {
        /// Which.
        activity: ActivityIx,
        /// The same for the same delivery.
        delivery: Digest,
        /// Becomes the outputs.
        payload: Json,
    },
    /// The release that an activity waits for is where it has to be, or never will be.
    ReleaseReached {
        /// Which activity.
        activity: ActivityIx,
        /// The other release.
        release: ReleaseId,
        /// What is known of it, which becomes the outputs, or why it will not get there.
        found: Result<Json, Box<Failure>>,
    },
    /// Start a release of another process: in place of an attempt of an activity on hold, or beside a
    /// question to people.
    Launch {
        /// Which.
        activity: ActivityIx,
        /// What.
        order: ChildOrder,
    },
    /// A child that was asked to go back has done so, or as much as it could.
    ChildUndone {
        /// Which activity.
        activity: ActivityIx,
        /// Which release.
        child: ReleaseId,
        /// Why it is not all gone, if it is not.
        end: Result<(), Box<Failure>>,
    },
    /// The child that an activity waits for has ended, or could not be started.
    ChildEnded {
        /// Which activity.
        activity: ActivityIx,
        /// The child.
        child: ReleaseId,
        /// Its outputs, or how it failed.
        end: Result<Json, Box<Failure>>,
    },
    /// A part of the release gets the locks that it wants.
    LockGranted {
        /// Which part.
        holder: Holder,
    },
    /// An activity would wait for its locks for ever.
    LockRefused {
        /// Which part.
        holder: Holder,
        /// Why.
        failure: Box<Failure>,
    },
    /// Start nothing new.
    Pause {
        /// Why.
        reason: Option<String>,
    },
    /// Go on.
    Resume,
    /// Give the release up.
    Abort {
        /// Why; not empty.
        reason: String,
    },
    /// Replace inputs of the release for what has not begun.
    AmendInputs {
        /// The inputs to replace; an object.
        inputs: Json,
        /// Why; not empty.
        reason: String,
    },
    /// Replace the outputs of an activity that has succeeded, for what has not begun.
    AmendOutputs {
        /// Which.
        activity: ActivityIx,
        /// In place of what it gave.
        outputs: Json,
        /// Why; not empty.
        reason: String,
    },
    /// Let an activity that has not ended be tried more often.
    AmendRetry {
        /// Which.
        activity: ActivityIx,
        /// How many more attempts.
        attempts: u32,
        /// Why; not empty.
        reason: String,
    },
    /// Go back: take back every effect, whether the release goes on or has ended.
    Rollback {
        /// Why; not empty.
        reason: String,
    },
    /// Try again to take back an effect that could not be taken back.
    RetryUndo {
        /// Which.
        activity: ActivityIx,
    },
    /// Say that an effect was taken back by hand.
    MarkUndone {
        /// Which.
        activity: ActivityIx,
        /// How; not empty.
        reason: String,
    },
    /// Accept that an effect that could not be taken back stays.
    AcceptNotUndone {
        /// Which.
        activity: ActivityIx,
        /// Why; not empty.
        reason: String,
    },
    /// Say why the release had to go back.
    CloseRootCause {
        /// What it was; not empty.
        text: String,
    },
}

/// What people do about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskWork {
    /// Bring it into another state.
    Move {
        /// Which.
        state: TaskState,
        /// What they say with it.
        comment: Option<String>,
    },
    /// Say something.
    Comment {
        /// What; not empty.
        text: String,
    },
    /// Change what they said.
    Edit {
        /// Position of the comment.
        comment: u32,
        /// What it shall read; not empty.
        text: String,
    },
    /// Attach a file.
    Attach {
        /// The file.
        file: File,
    },
}
