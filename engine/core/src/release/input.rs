//! Inputs: what is asked of a release. Each may be refused.

use crate::actor::Caller;
use crate::attempt::{AttemptKey, Report};
use crate::failure::Failure;
use crate::id::{Digest, ReleaseId};
use crate::json::Json;
use crate::process::{ActivityIx, Group, PhaseIx};
use crate::release::child::ChildOrder;
use crate::release::event::Pinned;
use crate::release::locks::Holder;

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
#[expect(
    clippy::large_enum_variant,
    reason = "an input lives for one turn, and the large one is the common one"
)]
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
    /// Approve a manual activity (or complete one that has no rules).
    Approve {
        /// Which.
        activity: ActivityIx,
        /// Said with it.
        comment: Option<String>,
        /// Answers to the form.
        form: Option<Json>,
    },
    /// Reject a manual activity.
    Reject {
        /// Which.
        activity: ActivityIx,
        /// Why; not empty.
        comment: String,
    },
    /// Try an activity again that is on hold, or that waits for its retry.
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
