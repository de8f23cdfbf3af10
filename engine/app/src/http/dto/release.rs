//! Releases as JSON.

use super::task::{BrokenGlassBody, NotesBody, TaskBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::dto::component::NoticeBody;
use crate::http::dto::policy::PolicyWarningBody;
use crate::http::dto::rollback::RollbackBody;
use crate::http::dto::wave::{InstanceBody, WaveBody};

/// A release that somebody wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReleaseOrder)]
pub(crate) struct ReleaseOrderBody {
    /// The process to run.
    #[schema(example = "bank-release")]
    pub(crate) process: String,
    /// Which version of it; the newest if left out.
    #[serde(default)]
    pub(crate) version: Option<u32>,
    /// For people; the title of the process if left out.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// The inputs; defaults are filled in.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) inputs: Option<Value>,
    /// An input set of the process; `inputs` go before it.
    #[serde(default)]
    pub(crate) input_set: Option<String>,
    /// Whether it starts at once, or stays a draft until somebody starts it.
    #[serde(default = "yes")]
    pub(crate) start: bool,
    /// Whether it goes ahead of others for locks.
    #[serde(default)]
    pub(crate) priority: PriorityBody,
    /// Why it is an emergency.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// How urgent a release is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Priority)]
pub(crate) enum PriorityBody {
    /// Like any other.
    #[default]
    Normal,
    /// It goes ahead of others for locks; needs a `reason`.
    Emergency,
}

fn yes() -> bool {
    true
}

/// A process version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProcessRef)]
pub(crate) struct ProcessRefBody {
    /// The process.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: u32,
    /// The digest of its document.
    pub(crate) digest: String,
}

/// A release in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleaseSummary)]
pub(crate) struct ReleaseSummaryBody {
    /// Names it.
    pub(crate) id: String,
    /// What it runs.
    pub(crate) process: ProcessRefBody,
    /// For people.
    pub(crate) title: String,
    /// `draft`, `running`, `paused`, `rolling-back`, `succeeded`, `failed`, `aborted` or `rolled-back`.
    pub(crate) state: String,
    /// Who started it; while it is a draft, who created it.
    pub(crate) initiator: String,
    /// When it was created.
    pub(crate) created_at: String,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
}

/// A release with its whole tree.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Release)]
pub(crate) struct ReleaseBody {
    /// What a list shows of it.
    #[serde(flatten)]
    pub(crate) summary: ReleaseSummaryBody,
    /// Why it is paused or was aborted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Who paused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paused_by: Option<String>,
    /// The activity that started it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<ParentBody>,
    /// The releases above it, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ancestors: Vec<String>,
    /// How urgent it is.
    pub(crate) priority: PriorityBody,
    /// Why it is an emergency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) emergency: Option<String>,
    /// All inputs, defaults filled in.
    #[schema(value_type = Object)]
    pub(crate) inputs: Value,
    /// The number of its events; also its `ETag`.
    pub(crate) version: u64,
    /// The component behind each `uses`; empty while it is a draft.
    pub(crate) components: Vec<PinBody>,
    /// In the order of the document.
    pub(crate) phases: Vec<PhaseBody>,
    /// What it gave back, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outputs: Option<Value>,
    /// Its last rollback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rollback: Option<RollbackBody>,
    /// Activities whose approvals were skipped, and nobody has looked at that yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) open_reviews: Vec<String>,
    /// What people should know about its components by now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notices: Vec<NoticeBody>,
    /// What policies warned of, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<PolicyWarningBody>,
}

/// The activity that started a release.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Parent)]
pub(crate) struct ParentBody {
    /// Its release.
    pub(crate) release: String,
    /// `phase/activity`.
    pub(crate) activity: String,
}

/// The exact component behind a `uses`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pin)]
pub(crate) struct PinBody {
    /// As written in the process.
    pub(crate) uses: String,
    /// The version that runs.
    pub(crate) version: String,
    /// The digest of its bytes.
    pub(crate) digest: String,
}

/// A phase of a release.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleasePhase)]
pub(crate) struct PhaseBody {
    /// Unique in the process.
    pub(crate) name: String,
    /// For people.
    pub(crate) title: String,
    /// `waiting`, `blocked`, `open`, `succeeded`, `failed`, `aborted` or `skipped`.
    pub(crate) state: String,
    /// Since when it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
    /// Why it was skipped: `condition`, `upstream` or what a person said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// Why its condition could not be evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<String>,
    /// Who answers for it.
    pub(crate) owners: Vec<String>,
    /// Phases that come first, in joins or not.
    pub(crate) needs: Vec<String>,
    /// Needs of which not all must be satisfied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) joins: Vec<JoinBody>,
    /// How far its batches are, if it is fanned out and its items are known. Its instances follow it as
    /// phases of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wave: Option<WaveBody>,
    /// What it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<InstanceBody>,
    /// In the order of the document. Of a phase that is fanned out: its gates.
    pub(crate) activities: Vec<ActivityBody>,
}

/// What an activity does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ActivityKind)]
pub(crate) enum KindBody {
    /// Runs a component.
    #[default]
    Component,
    /// Asks people.
    Manual,
    /// Waits, and does nothing else.
    Wait,
    /// Runs another process, as a release of its own.
    Process,
}

/// An activity of a release. What does not apply to its state is absent.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ReleaseActivity)]
pub(crate) struct ActivityBody {
    /// Unique in its phase.
    pub(crate) name: String,
    /// For people.
    pub(crate) title: String,
    /// `phase/activity`: how actions name it.
    #[schema(example = "staging/payment")]
    pub(crate) path: String,
    /// What it does.
    pub(crate) kind: KindBody,
    /// The component or process it runs, as the process writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uses: Option<String>,
    /// One word: `waiting`, `ready`, `running`, `suspended`, `retrying`, `needs-people`, `blocked`,
    /// `on-hold`, `succeeded`, `failed`, `rejected`, `expired`, `withdrawn`, `skipped`, `aborted`,
    /// `undoing`, `undone` or `undo-failed`.
    pub(crate) state: String,
    /// Since when it is in that state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    /// When it first started, or people were first asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
    /// The current or last attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempt: Option<u32>,
    /// The current run of that attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<u32>,
    /// The child release that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) child: Option<String>,
    /// Every release that was started for it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) children: Vec<String>,
    /// When a wait is over, or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// The signal that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<String>,
    /// The release that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) awaits: Option<String>,
    /// How far the run says it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<ProgressBody>,
    /// What a suspended guest says it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// When a suspended attempt is run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resume_at: Option<String>,
    /// When the next attempt begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_at: Option<String>,
    /// When a question to people lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<String>,
    /// When the attempt is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deadline: Option<String>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<FailureBody>,
    /// Whether a failed activity counts as satisfied for what needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) continued: Option<bool>,
    /// Why it was skipped: `condition`, `upstream`, `person` or `not-needed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// What the person said who rejected, withdrew or skipped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Who rejected or withdrew it; the engine if nobody decided in time and that counts as a no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// In whose place, if they were somebody's backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup_of: Option<String>,
    /// The rendered inputs of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) with: Option<Value>,
    /// What others may read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outputs: Option<Value>,
    /// Who gave the outputs: `component`, `form`, `supplied`, `wait`, `signal`, `child` or `broken-glass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// What people are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<String>,
    /// Digest of what an approval is given for: process, components, inputs and instructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    /// When people are reminded next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reminds_at: Option<String>,
    /// How often they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reminders: Option<u32>,
    /// When further parties may decide as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) escalates_at: Option<String>,
    /// Whether they may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) escalated: Option<bool>,
    /// The JSON Schema of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Value>,
    /// Who must approve, and how many did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rules: Vec<RuleBody>,
    /// Approvals, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) approvals: Vec<ApprovalBody>,
    /// What there is to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tasks: Vec<TaskBody>,
    /// What was said and attached besides the tasks.
    #[serde(flatten)]
    pub(crate) notes: NotesBody,
    /// How its approvals were skipped in an emergency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broken_glass: Option<BrokenGlassBody>,
    /// Facts it recorded, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) evidence: Vec<EvidenceBody>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) owners: Vec<String>,
    /// Activities that come first, as `phase/activity`, in joins or not.
    pub(crate) needs: Vec<String>,
    /// How far its batches are, if it is fanned out and its items are known. Its instances follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wave: Option<WaveBody>,
    /// What it is an instance of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<InstanceBody>,
    /// Needs of which not all must be satisfied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) joins: Vec<JoinBody>,
    /// Attempts in all, where somebody allowed more than the process does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts_max: Option<u32>,
}

/// Needs of which so many must be satisfied.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Join)]
pub(crate) struct JoinBody {
    /// How many.
    pub(crate) at_least: u32,
    /// Of which.
    pub(crate) of: Vec<String>,
}

/// How far a run says it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Progress)]
pub(crate) struct ProgressBody {
    /// 0 to 100, if the guest knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) percent: Option<u8>,
    /// What it is doing.
    pub(crate) message: String,
}

/// How an attempt failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct FailureBody {
    /// A word (`retryable`, `permanent`, `trap`, `contract`, `expression`, `engine`), or an object
    /// that names the limit (`{"limit": "memory"}`) or the grant to add (`{"denied": "…"}`).
    pub(crate) class: Value,
    /// What happened, in a sentence.
    pub(crate) message: String,
    /// A short code that the guest gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// What the guest added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<Value>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    /// The frames of a trap, innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) backtrace: Vec<String>,
    /// The last lines that the attempt logged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) last_log: Vec<String>,
    /// The last HTTP call that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_call: Option<String>,
}

/// An approval rule of a manual activity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rule)]
pub(crate) struct RuleBody {
    /// `user:NAME` or `group:NAME`, each.
    pub(crate) from: Vec<String>,
    /// How many different people of them; of a `quorum` that is not counted yet, 1.
    pub(crate) count: u32,
    /// `majority` or `all`, where the rule asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quorum: Option<String>,
    /// How many of them have approved.
    pub(crate) met: u32,
}

/// An approval.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Approval)]
pub(crate) struct ApprovalBody {
    /// Who.
    pub(crate) by: String,
    /// In whose place, if they were somebody's backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup_of: Option<String>,
    /// When.
    pub(crate) at: String,
    /// What they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    /// Positions of the rules that it counts for.
    pub(crate) rules: Vec<u32>,
}

/// A fact that an activity recorded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Evidence)]
pub(crate) struct EvidenceBody {
    /// `commit`, `artifact`, `deployment`, …
    pub(crate) kind: String,
    /// The fact.
    pub(crate) fact: Value,
}
