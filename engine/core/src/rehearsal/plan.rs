//! What a rehearsal tells.

use serde::{Deserialize, Serialize};

use crate::id::{Digest, Name};
use crate::json::Json;
use crate::process::{ActivityIx, Kind};
use crate::rehearsal::rollback::Effect;
use crate::rehearsal::stage::Stage;
use crate::rehearsal::timeline::Mark;
use crate::rehearsal::{critical, digest, rollback};
use crate::release::event::SkipReason;
use crate::release::state::{ActivityState, ReleaseState};
use crate::release::{OpenRule, Release, why};
use crate::time::{Span, Timestamp};

/// The outcome of a rehearsal in which nothing moves any more before the end.
pub(super) const STANDS_STILL: &str = "stands-still";

/// How a release would go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// The process.
    pub process: Name,
    /// For people.
    pub title: String,
    /// The same for the same plan, whatever the time of day.
    pub plan_hash: Digest,
    /// How it ends, as a word of the glossary, or `stands-still`.
    pub outcome: String,
    /// When it would start.
    pub starts_at: Timestamp,
    /// When it would end, or stand still.
    pub ends_at: Timestamp,
    /// The time between the two.
    pub takes_ms: u64,
    /// All inputs, defaults filled in.
    pub inputs: Json,
    /// What happens, in the order in which it begins.
    pub entries: Vec<Entry>,
    /// What determines the end, first to last.
    pub critical_path: Vec<Link>,
    /// What does not move at the end, and what would move it.
    pub standing: Vec<Standing>,
    /// Activities to which nothing happens, as `phase/activity`.
    pub not_reached: Vec<String>,
    /// What a rollback would take back at the end, what goes back first first.
    pub rollback: Vec<Effect>,
    /// What the release gives back.
    pub outputs: Option<Json>,
}

/// What happens to one activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `phase/activity`.
    pub activity: String,
    /// For people.
    pub title: String,
    /// `component` or `manual`.
    pub kind: String,
    /// The component it runs.
    pub uses: Option<String>,
    /// The component version that would be pinned, if it is known.
    pub component: Option<String>,
    /// The activity whose end lets it begin.
    pub after: Option<String>,
    /// When it begins, or is skipped.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
    /// When its effect has been taken back.
    pub undone_at: Option<Timestamp>,
    /// Where it is at the end, as a word of the glossary.
    pub state: String,
    /// Why it did not succeed.
    pub why: Option<String>,
    /// The rendered inputs.
    pub with: Option<Json>,
    /// The rendered instructions.
    pub instructions: Option<String>,
    /// Attempts that are made.
    pub attempts: u32,
    /// How long a run or a decision takes.
    pub takes: Option<Assumed>,
    /// What it gives back.
    pub outputs: Option<Json>,
    /// How that is known.
    pub outputs_from: Option<OutputsFrom>,
    /// Who must approve.
    pub approvals: Vec<Approval>,
    /// Whether who starts the release may not decide.
    pub excludes_initiator: bool,
    /// When the question would lapse.
    pub expires_at: Option<Timestamp>,
    /// Activities whose made-up outputs it reads: with real ones it may go otherwise.
    pub reads_placeholders: Vec<String>,
    /// What stood in the way of playing it.
    pub remarks: Vec<String>,
    /// Whether it is on the critical path.
    pub is_critical: bool,
}

/// A length of time, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumed {
    /// Milliseconds.
    pub ms: u64,
    /// How it is known.
    pub from: Basis,
}

/// How a length of time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// It was given.
    Given,
    /// Past releases took as long.
    History,
    /// It is what is assumed of anything.
    Default,
}

/// How outputs are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputsFrom {
    /// They were given.
    Given,
    /// The schema names them: by `const`, `default`, `examples` or `enum`.
    Schema,
    /// At least some are of the right type only.
    Placeholder,
}

/// People who must approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// `user:NAME` or `group:NAME`.
    pub from: String,
    /// How many of them.
    pub count: u32,
}

/// A part of the critical path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// `phase/activity`.
    pub activity: String,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends; nothing if it does not.
    pub ends_at: Option<Timestamp>,
}

/// Something that does not move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// `phase/activity`, or `release`.
    pub activity: String,
    /// Where it is, as a word of the glossary.
    pub state: String,
    /// What it waits for.
    pub waits_on: String,
    /// What a person can do about it.
    pub actions: Vec<String>,
}

impl Assumed {
    pub(super) fn new(span: Span, from: Basis) -> Self {
        Self { ms: span.0, from }
    }

    /// The length of time.
    pub fn span(self) -> Span {
        Span(self.ms)
    }
}

impl Approval {
    pub(super) fn of(rule: &OpenRule) -> Self {
        Self {
            from: rule
                .from
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" or "),
            count: rule.more,
        }
    }
}

impl Rehearsal {
    /// What was played on `stage`.
    pub(super) fn of(stage: &Stage<'_>) -> Self {
        let release = &stage.release;
        let path = critical::path(&stage.timeline, release);
        let marks = &stage.timeline.marks;
        let mut entries: Vec<Entry> = marks.iter().map(|mark| entry(stage, mark)).collect();
        for position in &path {
            entries[*position].is_critical = true;
        }
        let link = |position: &usize| {
            let entry = &entries[*position];
            Link {
                activity: entry.activity.clone(),
                starts_at: entry.starts_at,
                ends_at: entry.ends_at,
            }
        };
        let starts_at = stage.script.assumptions.starts_at;
        let mut plan = Self {
            process: release.process().name.clone(),
            title: release.title().to_owned(),
            plan_hash: Digest::of(b""),
            outcome: outcome(release).to_owned(),
            starts_at,
            ends_at: stage.now,
            takes_ms: stage.now.since(starts_at).0,
            inputs: release.inputs().clone(),
            critical_path: path.iter().map(link).collect(),
            standing: standing(release),
            not_reached: not_reached(release),
            rollback: rollback::effects(stage),
            outputs: release.outputs().cloned(),
            entries,
        };
        plan.plan_hash = digest::of(&plan);
        plan
    }
}

fn outcome(release: &Release) -> &'static str {
    match release.state() {
        ReleaseState::Ended { outcome, .. } => outcome.word(),
        _ => STANDS_STILL,
    }
}

fn standing(release: &Release) -> Vec<Standing> {
    let waiting = why(release).into_iter();
    waiting
        .map(|waiting| Standing {
            activity: waiting.path.clone(),
            state: waiting.state.to_owned(),
            waits_on: waiting.on.to_string(),
            actions: waiting.actions.iter().map(ToString::to_string).collect(),
        })
        .collect()
}

fn not_reached(release: &Release) -> Vec<String> {
    let process = release.process();
    (0..)
        .zip(&process.activities)
        .map(|(ix, _)| ActivityIx(ix))
        .filter(|ix| matches!(release.activity_state(*ix), ActivityState::Waiting))
        .map(|ix| process.path(ix))
        .collect()
}

fn entry(stage: &Stage<'_>, mark: &Mark) -> Entry {
    let (release, ix) = (&stage.release, mark.activity);
    let process = release.process();
    let path = |ix: ActivityIx| process.path(ix);
    let (activity, state) = (process.activity(ix), release.activity_state(ix));
    let record = release.record(ix);
    let after = mark.after.map(|position| &stage.timeline.marks[position]);
    let placeholders = stage.timeline.placeholders(release, ix);
    let (kind, uses) = match &activity.kind {
        Kind::Component(component) => ("component", Some(&component.uses)),
        Kind::Manual(_) => ("manual", None),
        Kind::Wait(_) => ("wait", None),
        Kind::Process(_) => ("process", None),
    };
    let known = uses.and_then(|uses| stage.script.assumptions.components.get(uses));
    Entry {
        activity: path(ix),
        title: activity.title.clone(),
        kind: kind.to_owned(),
        uses: uses.map(ToString::to_string),
        component: known.map(|known| format!("{}@{}", known.pin.name, known.pin.version)),
        after: after.map(|mark| path(mark.activity)),
        starts_at: mark.starts_at,
        ends_at: mark.ended.map(|ended| ended.at),
        undone_at: mark.undone_at,
        state: state.word().to_owned(),
        why: reason(state.forward()),
        with: record.and_then(|record| record.with.clone()),
        instructions: instructions(release, ix),
        attempts: record.map_or(0, |record| record.attempts),
        takes: mark.takes,
        outputs: outputs(state.forward()),
        outputs_from: mark.outputs,
        approvals: mark.approvals.clone(),
        excludes_initiator: mark.is_excluded,
        expires_at: mark.expires_at,
        reads_placeholders: placeholders.into_iter().map(path).collect(),
        remarks: mark.remarks.clone(),
        is_critical: false,
    }
}

fn instructions(release: &Release, ix: ActivityIx) -> Option<String> {
    if let ActivityState::NeedsPeople(question) = release.activity_state(ix) {
        return Some(question.instructions.clone());
    }
    release.record(ix)?.instructions.clone()
}

fn outputs(state: &ActivityState) -> Option<Json> {
    match state {
        // What gives back nothing gives back `null`, which a plan leaves out.
        ActivityState::Succeeded { outputs, .. } if outputs.as_str() != "null" => {
            Some(outputs.clone())
        }
        _ => None,
    }
}

/// Why an activity that is in `state` did not succeed.
fn reason(state: &ActivityState) -> Option<String> {
    Some(match state {
        ActivityState::Failed { failure, .. }
        | ActivityState::OnHold { failure, .. }
        | ActivityState::Retrying { failure, .. } => failure.to_string(),
        ActivityState::Rejected { comment, .. } => comment.clone(),
        ActivityState::Expired { .. } => "nobody decided in time".to_owned(),
        ActivityState::Skipped { why, .. } => match why {
            SkipReason::Condition => "its condition is false".to_owned(),
            SkipReason::Upstream => "what it needs did not succeed".to_owned(),
            SkipReason::Person(reason) => reason.clone(),
            SkipReason::NotNeeded => "nothing needs it here".to_owned(),
        },
        _ => return None,
    })
}
