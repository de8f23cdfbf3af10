//! Refusals: valid requests that the state forbids.

use std::fmt;

/// Why the core said no. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The release has not started yet.
    NotStarted,
    /// The release has started already.
    AlreadyStarted,
    /// The release has ended; the field says how.
    Ended(&'static str),
    /// It is paused already.
    AlreadyPaused,
    /// It is not paused.
    NotPaused,
    /// It is paused, and this would start something.
    Paused,
    /// The process has no such activity.
    UnknownActivity,
    /// The process has no such phase.
    UnknownPhase,
    /// It runs once for each item: one of them must be named.
    FannedOut,
    /// It is not fanned out, or its items are not known yet.
    NotFannedOut,
    /// Every batch is open already, or everything in it has ended.
    WaveOver,
    /// No further batch opens already.
    AlreadyHalted,
    /// Nothing keeps the next batch from opening in its time.
    NotHalted,
    /// The result belongs to a run that is not the current one.
    StaleAttempt,
    /// The activity's state does not allow this.
    WrongState {
        /// The state it is in.
        state: &'static str,
        /// What it would have to be.
        expected: &'static str,
    },
    /// The activity waits for no signal.
    NotSignal,
    /// Another delivery has come before.
    AlreadySignalled,
    /// The activity does not wait for this release.
    NotAwaited,
    /// It does not wait for locks.
    NotBlocked,
    /// The activity is not one that people decide.
    NotManual,
    /// The activity has no component.
    NotComponent,
    /// None of the rules is for this person.
    NotAnApprover,
    /// This person may not decide; the field says why.
    Excluded(&'static str),
    /// This person has approved already.
    AlreadyApproved,
    /// A rule before theirs is not met yet.
    NotYourTurn,
    /// What they were shown is not what it is now.
    ContentChanged,
    /// Who is who is not known to the question yet.
    PeopleUnknown,
    /// Nobody's backup may decide this.
    NoDelegation,
    /// They have given no approval that could be taken back.
    NothingToWithdraw,
    /// They neither started nor created the release.
    NotInitiator,
    /// The activity has no such task.
    UnknownTask,
    /// The task is somebody else's.
    NotAssigned,
    /// The task must be done: it cannot be left out.
    TaskRequired,
    /// These tasks must be done first.
    TasksOpen(Vec<String>),
    /// There is no such comment.
    UnknownComment,
    /// Somebody else said that.
    NotAuthor,
    /// There are too many of these already.
    TooMany(&'static str),
    /// It takes somebody of this group.
    NotPermitted(&'static str),
    /// Nothing is to be reviewed here.
    NoReview,
    /// Somebody has reviewed it already.
    AlreadyReviewed,
    /// It is for others to review.
    NotAReviewer,
    /// The answers or inputs or outputs do not fit; one line for each fault.
    Invalid(Vec<String>),
    /// The form must be filled in to complete the activity.
    FormRequired,
    /// A reason or comment must be given.
    ReasonRequired,
    /// The pins given at start do not match what the process uses; the field names the first difference.
    WrongPins(String),
    /// What is asked for is so already.
    NothingToAmend,
    /// It is rolling back already.
    AlreadyRollingBack,
    /// Nothing in the release had or may have had an effect that could be taken back.
    NothingToUndo,
    /// All that could be taken back lies before this point of no return.
    PointOfNoReturn(String),
    /// Nothing is known that takes this effect back.
    NotReversible,
    /// The release has no open root-cause task.
    NoRootCause,
    /// Instances of the batch have not ended.
    BatchGoing,
}

impl Refusal {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotStarted => "not-started",
            Self::AlreadyStarted => "already-started",
            Self::Ended(_) => "release-ended",
            Self::AlreadyPaused => "already-paused",
            Self::NotPaused => "not-paused",
            Self::Paused => "paused",
            Self::UnknownActivity => "unknown-activity",
            Self::UnknownPhase => "unknown-phase",
            Self::FannedOut => "fanned-out",
            Self::NotFannedOut => "not-fanned-out",
            Self::WaveOver => "wave-over",
            Self::AlreadyHalted => "already-halted",
            Self::NotHalted => "not-halted",
            Self::StaleAttempt => "stale-attempt",
            Self::WrongState { .. } => "wrong-state",
            Self::NotSignal => "not-signal",
            Self::AlreadySignalled => "already-signalled",
            Self::NotAwaited => "not-awaited",
            Self::NotBlocked => "not-blocked",
            Self::NotManual => "not-manual",
            Self::NotComponent => "not-component",
            Self::NotAnApprover => "not-an-approver",
            Self::Excluded(_) => "excluded",
            Self::AlreadyApproved => "already-approved",
            Self::NotYourTurn => "not-your-turn",
            Self::ContentChanged => "content-changed",
            Self::PeopleUnknown => "people-unknown",
            Self::NoDelegation => "no-delegation",
            Self::NothingToWithdraw => "nothing-to-withdraw",
            Self::NotInitiator => "not-initiator",
            Self::UnknownTask => "unknown-task",
            Self::NotAssigned => "not-assigned",
            Self::TaskRequired => "task-required",
            Self::TasksOpen(_) => "tasks-open",
            Self::UnknownComment => "unknown-comment",
            Self::NotAuthor => "not-author",
            Self::TooMany(_) => "too-many",
            Self::NotPermitted(_) => "not-permitted",
            Self::NoReview => "no-review",
            Self::AlreadyReviewed => "already-reviewed",
            Self::NotAReviewer => "not-a-reviewer",
            Self::Invalid(_) => "invalid-values",
            Self::FormRequired => "form-required",
            Self::ReasonRequired => "reason-required",
            Self::WrongPins(_) => "wrong-pins",
            Self::NothingToAmend => "nothing-to-amend",
            Self::AlreadyRollingBack => "already-rolling-back",
            Self::NothingToUndo => "nothing-to-undo",
            Self::PointOfNoReturn(_) => "point-of-no-return",
            Self::NotReversible => "not-reversible",
            Self::NoRootCause => "no-root-cause",
            Self::BatchGoing => "batch-going",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted => f.write_str("the release is a draft: start it first"),
            Self::AlreadyStarted => f.write_str("the release has started already"),
            Self::Ended(how) => write!(f, "the release has ended ({how})"),
            Self::AlreadyPaused => f.write_str("the release is paused already"),
            Self::NotPaused => f.write_str("the release is not paused"),
            Self::Paused => {
                f.write_str("the release is paused and nothing new may start: resume it first")
            }
            Self::UnknownActivity => f.write_str("the process has no such activity"),
            Self::UnknownPhase => f.write_str("the process has no such phase"),
            Self::FannedOut => f.write_str(
                "it runs once for each item or batch: name the one that is meant, as in `production[eu]/payment`",
            ),
            Self::NotFannedOut => f.write_str(
                "it has no batches: only what has `each` has, from the moment its items are known",
            ),
            Self::WaveOver => f.write_str("all its batches are open or over already"),
            Self::AlreadyHalted => f.write_str("it is halted already"),
            Self::NotHalted => f.write_str("it is not halted"),
            Self::StaleAttempt => {
                f.write_str("this run is not the current one: its result does not count")
            }
            Self::WrongState { state, expected } => {
                write!(
                    f,
                    "the activity is {state}; this needs one that is {expected}"
                )
            }
            Self::NotSignal => f.write_str("the activity waits for no signal"),
            Self::AlreadySignalled => {
                f.write_str("another delivery of this signal has come before")
            }
            Self::NotBlocked => f.write_str("it does not wait for locks"),
            Self::NotAwaited => f.write_str("the activity does not wait for this release"),
            Self::NotManual => f.write_str(
                "people do not decide this activity: there is nothing to approve or reject",
            ),
            Self::NotComponent => f.write_str("the activity runs no component: it has no attempts"),
            Self::NotAnApprover => f.write_str("no open approval rule of this activity is for you"),
            Self::Excluded(why) => write!(f, "you may not decide this: {why}"),
            Self::AlreadyApproved => f.write_str("you have approved this already"),
            Self::Invalid(faults) => write!(f, "the values do not fit: {}", faults.join("; ")),
            Self::FormRequired => f.write_str("this decision needs the form to be filled in"),
            Self::ReasonRequired => f.write_str("say why: the reason may not be empty"),
            Self::WrongPins(which) => {
                write!(f, "the pinned components do not match the process: {which}")
            }
            Self::NothingToAmend => f.write_str("the values are these already"),
            Self::AlreadyRollingBack
            | Self::NothingToUndo
            | Self::PointOfNoReturn(_)
            | Self::NotReversible
            | Self::NoRootCause
            | Self::BatchGoing => write_of_rollback(f, self),
            other => other.of_people(f),
        }
    }
}

impl Refusal {
    /// Why people may not decide or do what they want to.
    fn of_people(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYourTurn => {
                f.write_str("others come first: the rule that is for you opens once theirs are met")
            }
            Self::ContentChanged => f.write_str(
                "what you were shown has changed since: look again before you approve it",
            ),
            Self::PeopleUnknown => {
                f.write_str("who may decide is still being looked up: ask again in a moment")
            }
            Self::NoDelegation => f.write_str("nobody's backup may decide this"),
            Self::NothingToWithdraw => {
                f.write_str("you have given no approval here that could be taken back")
            }
            Self::NotInitiator => {
                f.write_str("only who started or created the release may take the question back")
            }
            Self::UnknownTask => f.write_str("the activity has no such task"),
            Self::NotAssigned => f.write_str("the task is not assigned to you"),
            Self::TaskRequired => {
                f.write_str("the task is required: it can be done or blocked, but not left out")
            }
            Self::TasksOpen(tasks) => {
                write!(f, "required tasks are not done: {}", tasks.join(", "))
            }
            Self::UnknownComment => f.write_str("there is no such comment"),
            Self::NotAuthor => f.write_str("only who said it may change it"),
            Self::TooMany(what) => write!(f, "there are too many {what} already"),
            Self::NotPermitted(group) => write!(f, "this takes somebody of group:{group}"),
            Self::NoReview => {
                f.write_str("no approvals were skipped here: nothing is to be reviewed")
            }
            Self::AlreadyReviewed => f.write_str("somebody has reviewed this already"),
            Self::NotAReviewer => f.write_str("this is for others to review"),
            _ => f.write_str(self.code()),
        }
    }
}

fn write_of_rollback(f: &mut fmt::Formatter<'_>, refusal: &Refusal) -> fmt::Result {
    match refusal {
        Refusal::AlreadyRollingBack => f.write_str("the release is rolling back already"),
        Refusal::NothingToUndo => f.write_str(
            "nothing in this release had an effect that could be taken back: abort it instead",
        ),
        Refusal::PointOfNoReturn(path) => write!(
            f,
            "{path} is a point of no return and has begun: what lies before it stays"
        ),
        Refusal::NotReversible => f.write_str(
            "its component exports no `undo`: undo it by hand and say so, or accept that it stays",
        ),
        Refusal::BatchGoing => f.write_str(
            "instances of the batch have not ended: skip them, let them fail, or wait for them first",
        ),
        _ => f.write_str("the release has no open root-cause task"),
    }
}

impl std::error::Error for Refusal {}
