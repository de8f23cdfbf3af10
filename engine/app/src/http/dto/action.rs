//! What people do about a release, as JSON.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What somebody does about a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ActionName)]
pub(crate) enum ActionName {
    /// Begin a draft.
    Start,
    /// Approve a manual activity; takes `comment`, `form` and `content`.
    Approve,
    /// Reject a manual activity; needs `comment`.
    Reject,
    /// Take one's own approval back; takes `comment`.
    Withdraw,
    /// Bring a task into another state; needs `task` and `state`, takes `comment`.
    MoveTask,
    /// Say something about an activity or one of its tasks; needs `comment`, takes `task`.
    Comment,
    /// Change what one said; needs `number` and `comment`, takes `task`.
    EditComment,
    /// Attach what is elsewhere as evidence; needs `name` and `url`, takes `task`.
    AttachUrl,
    /// Skip the approvals of an activity in an emergency; needs `reason`, takes `form`. Takes somebody
    /// of the group `break-glass`, and opens a review.
    BreakGlass,
    /// Say that one has looked at approvals that were skipped; needs `comment`.
    CloseReview,
    /// Take the question back, as who started or created the release; needs `reason`.
    WithdrawQuestion,
    /// Try an activity again, or ask people again; takes `with`.
    Retry,
    /// Give the outputs of an activity on hold; needs `outputs`.
    SupplyOutputs,
    /// Do without an activity, or a phase or an instance of one, named as `activity`; needs `reason`.
    Skip,
    /// Open no further batch of a fan-out, named as `wave`; needs `reason`.
    HaltWave,
    /// Let a halted fan-out go on; takes `reason`.
    ResumeWave,
    /// Take back what the last open batch of a fan-out did, once its instances have ended; needs `reason`.
    RollbackWave,
    /// Open no further batch of a fan-out, ever: what was not released is skipped; needs `reason`.
    EndWave,
    /// Let an activity on hold fail for good; needs `reason`.
    Fail,
    /// Start another process as a child: in place of an attempt of an activity on hold, or while
    /// people decide one; needs `process`, takes `version` and `inputs`.
    Launch,
    /// Start nothing new; takes `reason`.
    Pause,
    /// Go on.
    Resume,
    /// Give the release up; needs `reason`.
    Abort,
    /// Replace inputs of the release for what has not begun; needs `inputs` and `reason`.
    AmendInputs,
    /// Replace the outputs of an activity that has succeeded, for what has not begun; needs `outputs`
    /// and `reason`.
    AmendOutputs,
    /// Let an activity that has not ended be tried more often; needs `attempts` and `reason`.
    AmendRetry,
    /// Take everything back, also after the release has ended; needs `reason`.
    Rollback,
    /// Try again to undo an activity.
    RetryUndo,
    /// Say that an activity was undone by hand; needs `reason`.
    MarkUndone,
    /// Accept that the effect of an activity stays; needs `reason`.
    AcceptNotUndone,
    /// Say why the release had to go back; needs `comment`.
    CloseRootCause,
}

/// What somebody does about a release, and with what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Action)]
pub(crate) struct ActionBody {
    /// What.
    pub(crate) action: ActionName,
    /// `phase/activity`, for what is about an activity; `production[eu]/payment` for that of one item.
    #[serde(default)]
    #[schema(example = "uat/sign-off")]
    pub(crate) activity: Option<String>,
    /// The phase or activity that is fanned out, for what is about its batches.
    #[serde(default)]
    #[schema(example = "production")]
    pub(crate) wave: Option<String>,
    /// Said with an approval or a rejection.
    #[serde(default)]
    pub(crate) comment: Option<String>,
    /// Why.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// Answers to the form.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) form: Option<Value>,
    /// In whose place one decides, whose backup one is.
    #[serde(default, rename = "for")]
    #[schema(example = "ana")]
    pub(crate) absent: Option<String>,
    /// The name of a task.
    #[serde(default)]
    pub(crate) task: Option<String>,
    /// `open`, `in-progress`, `done`, `blocked` or `not-applicable`.
    #[serde(default)]
    pub(crate) state: Option<String>,
    /// The position of a comment, from 0.
    #[serde(default)]
    pub(crate) number: Option<u32>,
    /// The name of what is attached.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Where it is.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// What was shown: the `content` of the activity. If it is another by now, nothing is approved.
    #[serde(default)]
    pub(crate) content: Option<String>,
    /// The whole inputs of the activity, in place of the rendered ones.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) with: Option<Value>,
    /// The outputs of the activity.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) outputs: Option<Value>,
    /// Inputs of the release to replace, those that are not named stay; or those of what is launched.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) inputs: Option<Value>,
    /// How many more attempts.
    #[serde(default)]
    pub(crate) attempts: Option<u32>,
    /// The process to launch.
    #[serde(default)]
    pub(crate) process: Option<String>,
    /// Which version of it; the newest if left out.
    #[serde(default)]
    pub(crate) version: Option<u32>,
}
