//! Rehearsals as JSON: the same as `fermata rehearse --offline --output json` prints.

use std::collections::BTreeMap;

use fermata_core::rehearsal::{
    Approval, Assumed, Basis, Effect, Entry, Link, OutputsFrom, Rehearsal, Standing,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What is to be rehearsed, and what is assumed. Activities are named `phase/activity`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RehearsalOrder)]
pub(crate) struct RehearsalOrderBody {
    /// A published process.
    #[serde(default)]
    #[schema(example = "bank-release")]
    pub(crate) process: Option<String>,
    /// Which version of it; the newest if left out.
    #[serde(default)]
    pub(crate) version: Option<u32>,
    /// In place of `process`: a document, YAML or JSON.
    #[serde(default)]
    pub(crate) document: Option<String>,
    /// The inputs; defaults are filled in.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) inputs: Option<Value>,
    /// When it would start; now if left out.
    #[serde(default)]
    pub(crate) starts_at: Option<String>,
    /// How long runs of activities take, such as `5m`.
    #[serde(default)]
    pub(crate) durations: BTreeMap<String, String>,
    /// How long everything else takes.
    #[serde(default)]
    pub(crate) duration_default: Option<String>,
    /// How long people take to decide.
    #[serde(default)]
    pub(crate) approve_after: Option<String>,
    /// Whether past releases tell how long activities take.
    #[serde(default = "yes")]
    pub(crate) history: bool,
    /// What activities give back; for manual ones, the answers to the form.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Object>)]
    pub(crate) outputs: BTreeMap<String, Value>,
    /// Activities of which every attempt fails, or that people reject.
    #[serde(default)]
    pub(crate) fail: Vec<String>,
}

fn yes() -> bool {
    true
}

/// How a release would go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rehearsal)]
pub(crate) struct RehearsalBody {
    /// The process.
    process: String,
    /// For people.
    title: String,
    /// The same for the same plan, whatever the time of day.
    plan_hash: String,
    /// How it ends, or `stands-still`.
    outcome: String,
    /// When it would start.
    starts_at: String,
    /// When it would end, or stand still.
    ends_at: String,
    /// Milliseconds between the two.
    takes_ms: u64,
    /// All inputs, defaults filled in.
    #[schema(value_type = Object)]
    inputs: Value,
    /// What happens, in the order in which it begins.
    entries: Vec<EntryBody>,
    /// What determines the end, first to last.
    critical_path: Vec<LinkBody>,
    /// What does not move at the end.
    standing: Vec<StandingBody>,
    /// Activities to which nothing happens.
    not_reached: Vec<String>,
    /// What a rollback would take back at the end, what goes back first first.
    rollback: Vec<EffectBody>,
    /// What the release gives back.
    #[schema(value_type = Option<Object>)]
    outputs: Option<Value>,
}

/// What happens to one activity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RehearsalEntry)]
pub(crate) struct EntryBody {
    /// `phase/activity`.
    activity: String,
    /// For people.
    title: String,
    /// `component` or `manual`.
    kind: String,
    /// The component it runs.
    uses: Option<String>,
    /// The component version that would be pinned.
    component: Option<String>,
    /// The activity whose end lets it begin.
    after: Option<String>,
    /// When it begins, or is skipped.
    starts_at: String,
    /// When it ends.
    ends_at: Option<String>,
    /// When its effect has been taken back.
    undone_at: Option<String>,
    /// Where it is at the end.
    state: String,
    /// Why it did not succeed.
    why: Option<String>,
    /// The rendered inputs.
    #[schema(value_type = Option<Object>)]
    with: Option<Value>,
    /// The rendered instructions.
    instructions: Option<String>,
    /// Attempts that are made.
    attempts: u32,
    /// How long a run or a decision takes.
    takes: Option<AssumedBody>,
    /// What it gives back.
    #[schema(value_type = Option<Object>)]
    outputs: Option<Value>,
    /// How that is known.
    outputs_from: Option<OutputsFromBody>,
    /// Who must approve.
    approvals: Vec<ApprovalBody>,
    /// Whether who starts the release may not decide.
    excludes_initiator: bool,
    /// When the question would lapse.
    expires_at: Option<String>,
    /// Activities whose made-up outputs it reads.
    reads_placeholders: Vec<String>,
    /// What stood in the way of playing it.
    remarks: Vec<String>,
    /// Whether it is on the critical path.
    is_critical: bool,
}

/// A length of time, and how it is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RehearsalDuration)]
pub(crate) struct AssumedBody {
    /// Milliseconds.
    ms: u64,
    /// How it is known.
    from: BasisBody,
}

/// How a length of time is known.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = RehearsalBasis)]
pub(crate) enum BasisBody {
    /// It was given.
    Given,
    /// Past releases took as long.
    History,
    /// It is what is assumed of anything.
    Default,
}

/// How outputs are known.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = RehearsalOutputsFrom)]
pub(crate) enum OutputsFromBody {
    /// They were given.
    Given,
    /// The schema names them.
    Schema,
    /// At least some are of the right type only.
    Placeholder,
}

/// People who must approve.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RehearsalApproval)]
pub(crate) struct ApprovalBody {
    /// `user:NAME` or `group:NAME`.
    from: String,
    /// How many of them.
    count: u32,
}

/// A part of the critical path.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RehearsalLink)]
pub(crate) struct LinkBody {
    /// `phase/activity`.
    activity: String,
    /// When it begins.
    starts_at: String,
    /// When it ends.
    ends_at: Option<String>,
}

/// Something that does not move.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RehearsalStanding)]
pub(crate) struct StandingBody {
    /// `phase/activity`, or `release`.
    activity: String,
    /// Where it is.
    state: String,
    /// What it waits for.
    waits_on: String,
    /// What a person can do about it.
    actions: Vec<String>,
}

/// An effect, and how a rollback would take it back. A rollback at some instant takes back what has
/// `from` passed by then, without what is kept since `kept_from`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RehearsalEffect)]
pub(crate) struct EffectBody {
    /// Its place in the order; what has the same is taken back together.
    stage: u32,
    /// `phase/activity`.
    activity: String,
    /// `component`, `uses`, `person`, `nothing`, `supplied`, `kept` or `children`.
    way: String,
    /// The component that is called for it instead of its own.
    uses: Option<String>,
    /// The component that looks whether it is gone.
    validate: Option<String>,
    /// From when on there is something to take back.
    from: String,
    /// The point of no return that keeps it.
    point: Option<String>,
    /// From when on that keeps it.
    kept_from: Option<String>,
}

impl From<Effect> for EffectBody {
    fn from(effect: Effect) -> Self {
        Self {
            stage: effect.stage,
            activity: effect.activity,
            way: effect.way,
            uses: effect.uses,
            validate: effect.validate,
            from: effect.from.to_string(),
            point: effect.point,
            kept_from: effect.kept_from.map(|at| at.to_string()),
        }
    }
}

impl From<Rehearsal> for RehearsalBody {
    fn from(plan: Rehearsal) -> Self {
        Self {
            process: plan.process.to_string(),
            title: plan.title,
            plan_hash: plan.plan_hash.to_string(),
            outcome: plan.outcome,
            starts_at: plan.starts_at.to_string(),
            ends_at: plan.ends_at.to_string(),
            takes_ms: plan.takes_ms,
            inputs: plan.inputs.value(),
            entries: plan.entries.into_iter().map(Into::into).collect(),
            critical_path: plan.critical_path.into_iter().map(Into::into).collect(),
            standing: plan.standing.into_iter().map(Into::into).collect(),
            not_reached: plan.not_reached,
            rollback: plan.rollback.into_iter().map(Into::into).collect(),
            outputs: plan.outputs.map(|outputs| outputs.value()),
        }
    }
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            activity: entry.activity,
            title: entry.title,
            kind: entry.kind,
            uses: entry.uses,
            component: entry.component,
            after: entry.after,
            starts_at: entry.starts_at.to_string(),
            ends_at: entry.ends_at.map(|at| at.to_string()),
            undone_at: entry.undone_at.map(|at| at.to_string()),
            state: entry.state,
            why: entry.why,
            with: entry.with.map(|with| with.value()),
            instructions: entry.instructions,
            attempts: entry.attempts,
            takes: entry.takes.map(Into::into),
            outputs: entry.outputs.map(|outputs| outputs.value()),
            outputs_from: entry.outputs_from.map(Into::into),
            approvals: entry.approvals.into_iter().map(Into::into).collect(),
            excludes_initiator: entry.excludes_initiator,
            expires_at: entry.expires_at.map(|at| at.to_string()),
            reads_placeholders: entry.reads_placeholders,
            remarks: entry.remarks,
            is_critical: entry.is_critical,
        }
    }
}

impl From<Assumed> for AssumedBody {
    fn from(assumed: Assumed) -> Self {
        let from = match assumed.from {
            Basis::Given => BasisBody::Given,
            Basis::History => BasisBody::History,
            Basis::Default => BasisBody::Default,
        };
        let ms = assumed.ms;
        Self { ms, from }
    }
}

impl From<OutputsFrom> for OutputsFromBody {
    fn from(from: OutputsFrom) -> Self {
        match from {
            OutputsFrom::Given => Self::Given,
            OutputsFrom::Schema => Self::Schema,
            OutputsFrom::Placeholder => Self::Placeholder,
        }
    }
}

impl From<Approval> for ApprovalBody {
    fn from(approval: Approval) -> Self {
        let Approval { from, count } = approval;
        Self { from, count }
    }
}

impl From<Link> for LinkBody {
    fn from(link: Link) -> Self {
        Self {
            activity: link.activity,
            starts_at: link.starts_at.to_string(),
            ends_at: link.ends_at.map(|at| at.to_string()),
        }
    }
}

impl From<Standing> for StandingBody {
    fn from(standing: Standing) -> Self {
        let Standing {
            activity,
            state,
            waits_on,
            actions,
        } = standing;
        Self {
            activity,
            state,
            waits_on,
            actions,
        }
    }
}
