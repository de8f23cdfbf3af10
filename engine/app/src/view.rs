//! A release as the API shows it: the whole tree, and why something of it is not moving.

use fermata_core::actor::Party;
use fermata_core::attempt::{AttemptKey, Progress};
use fermata_core::failure::Failure;
use fermata_core::id::Name;
use fermata_core::json::Json;
use fermata_core::process::{
    Activity, ActivityIx, ApprovalRule, ChildProcess, Group, Join, Kind, PhaseIx,
};
use fermata_core::release::event::{Awaits, OutputSource, SkipReason};
use fermata_core::release::state::{
    ActivityState, Approval, PhaseState, Question, ReleaseState, Resumes,
};
use fermata_core::release::{self, Release};
use fermata_core::time::Timestamp;
use fermata_service::locks::LockView;

use crate::access::signals::Signals;
use crate::http::dto::policy::PolicyWarningBody;
use crate::http::dto::release::{
    ActivityBody, ApprovalBody, EvidenceBody, FailureBody, JoinBody, KindBody, ParentBody,
    PhaseBody, PinBody, PriorityBody, ProcessRefBody, ProgressBody, ReleaseBody,
    ReleaseSummaryBody, RuleBody,
};
use crate::http::dto::why::WhyBody;

pub(crate) mod component;
pub(crate) mod rollback;
mod task;
mod waiting;
mod wave;

/// Tells how far a run is, if it said so.
pub(crate) type Progresses<'a> = &'a dyn Fn(AttemptKey) -> Option<Progress>;

/// The whole tree of `release`.
pub(crate) fn tree(release: &Release, progress: Progresses<'_>) -> ReleaseBody {
    let (reason, paused_by) = match release.state() {
        ReleaseState::Paused { by, reason, .. } => (reason.clone(), Some(by.to_string())),
        ReleaseState::Ended { reason, .. } => (reason.clone(), None),
        ReleaseState::Draft | ReleaseState::Running | ReleaseState::RollingBack => (None, None),
    };
    let pins = release.pins().iter();
    ReleaseBody {
        summary: summary(release),
        reason,
        paused_by,
        parent: release.parent().map(|parent| ParentBody {
            release: parent.release.to_string(),
            activity: parent.path.clone(),
        }),
        ancestors: Vec::new(),
        priority: match release.emergency() {
            Some(_) => PriorityBody::Emergency,
            None => PriorityBody::Normal,
        },
        emergency: release.emergency().map(ToOwned::to_owned),
        inputs: release.inputs().value(),
        version: release.version(),
        components: pins
            .map(|pinned| PinBody {
                uses: pinned.uses.to_string(),
                version: pinned.pin.version.to_string(),
                digest: pinned.pin.digest.to_string(),
            })
            .collect(),
        phases: wave::shown_phases(release)
            .map(|ix| phase(release, ix, progress))
            .collect(),
        outputs: release.outputs().map(Json::value),
        rollback: rollback::record(release),
        open_reviews: release
            .open_reviews()
            .map(|ix| release.process().path(ix))
            .collect(),
        notices: Vec::new(),
        warnings: release
            .warnings()
            .iter()
            .map(|warned| PolicyWarningBody::kept(release.process(), warned))
            .collect(),
    }
}

/// Joins of needs, each need by its name.
pub(crate) fn joins<Ix: Copy>(joins: &[Join<Ix>], name: impl Fn(Ix) -> String) -> Vec<JoinBody> {
    let joins = joins.iter().map(|join| JoinBody {
        at_least: join.at_least,
        of: join.of.iter().map(|need| name(*need)).collect(),
    });
    joins.collect()
}

/// Everything of `release` that is not moving; with the secrets of signals, for who may know them, and with
/// the policies that attempts wait for.
pub(crate) fn why(
    release: &Release,
    signals: Option<&Signals>,
    locks: &[LockView],
    asked: &[(AttemptKey, Vec<Name>)],
) -> WhyBody {
    let asked = asked
        .iter()
        .map(|(key, policies)| waiting::on_policies(release, *key, policies));
    let items = release::why(release).into_iter();
    let secret = |path: &str| Some(signals?.secret(release.id(), path));
    WhyBody {
        release: release.id().to_string(),
        state: release.state().word().into(),
        items: items
            .map(|waiting| waiting::body((release.id(), locks), waiting, &secret))
            .chain(asked)
            .collect(),
    }
}

fn summary(release: &Release) -> ReleaseSummaryBody {
    let process = release.process_ref();
    ReleaseSummaryBody {
        id: release.id().to_string(),
        process: ProcessRefBody {
            name: process.name.to_string(),
            version: process.version,
            digest: process.digest.to_string(),
        },
        title: release.title().into(),
        state: release.state().word().into(),
        initiator: release.initiator().to_string(),
        created_at: release.created_at().to_string(),
        started_at: text(release.started_at()),
        ended_at: text(release.ended_at()),
    }
}

fn phase(release: &Release, ix: PhaseIx, progress: Progresses<'_>) -> PhaseBody {
    let process = release.process();
    let phase = process.phase(ix);
    let state = release.phase_state(ix);
    let (since, ended_at, why) = match state {
        PhaseState::Waiting => (None, None, None),
        PhaseState::Open { since } | PhaseState::Blocked { since } => (Some(*since), None, None),
        PhaseState::Ended { at, .. } => (None, Some(*at), None),
        PhaseState::Skipped { why } => (None, None, Some(skipped(why).0.into())),
    };
    let needs = phase.needs.iter();
    PhaseBody {
        name: process.phase_path(ix),
        title: phase.title.clone(),
        state: state.word().into(),
        since: text(since),
        ended_at: text(ended_at),
        why,
        fault: release.phase_fault(ix).map(ToOwned::to_owned),
        owners: parties(&phase.owners),
        needs: needs.map(|need| process.phase_path(*need)).collect(),
        joins: joins(&phase.joins, |need| process.phase_path(need)),
        wave: wave::body(release, Group::Phase(ix)),
        instance: phase
            .instance
            .as_deref()
            .map(|of| wave::instance(release, of)),
        activities: wave::shown_activities(release, ix)
            .map(|ix| activity(release, ix, progress))
            .collect(),
    }
}

fn activity(release: &Release, ix: ActivityIx, progress: Progresses<'_>) -> ActivityBody {
    let process = release.process();
    let activity = process.activity(ix);
    let state = release.activity_state(ix);
    let mut body = ActivityBody {
        name: process.local_path(ix),
        title: activity.title.clone(),
        path: process.path(ix),
        wave: wave::body(release, Group::Activity(ix)),
        instance: activity.instance().map(|of| wave::instance(release, of)),
        state: state.word().into(),
        owners: parties(&activity.owners),
        needs: activity
            .needs
            .iter()
            .map(|need| process.path(*need))
            .collect(),
        joins: joins(&activity.joins, |need| process.path(need)),
        attempts_max: release.record(ix).and_then(|record| record.attempts_max),
        ..ActivityBody::default()
    };
    recorded(release, ix, &mut body);
    current(state.forward(), &mut body);
    rollback::current(state, &mut body);
    defined(activity, state, &mut body);
    if let Some(key) = release.current_run(ix) {
        body.progress = progress(key).map(|progress| ProgressBody {
            percent: progress.percent,
            message: progress.message,
        });
    }
    body
}

/// Fills in what the activity has left behind, whatever state it is in.
fn recorded(release: &Release, ix: ActivityIx, body: &mut ActivityBody) {
    let Some(record) = release.record(ix) else {
        return;
    };
    body.started_at = text(record.started_at);
    body.attempt = Some(record.attempts).filter(|attempts| *attempts > 0);
    body.with = record.with.as_ref().map(Json::value);
    body.instructions.clone_from(&record.instructions);
    let children = record.children.iter();
    body.children = children.map(ToString::to_string).collect();
    body.approvals = record.approvals.iter().map(approval).collect();
    body.source = record.source.map(|source| {
        let word = match source {
            OutputSource::Component => "component",
            OutputSource::Form => "form",
            OutputSource::Supplied => "supplied",
            OutputSource::Amended => "amended",
            OutputSource::Wait => "wait",
            OutputSource::Signal => "signal",
            OutputSource::Child => "child",
            OutputSource::BrokenGlass => "broken-glass",
        };
        word.into()
    });
    body.tasks = task::tasks(release, ix, record);
    body.notes = task::notes(&record.notes);
    body.broken_glass = task::glass(release, ix, record);
    let facts = record.evidence.iter();
    body.evidence = facts
        .map(|evidence| EvidenceBody {
            kind: evidence.kind.clone(),
            fact: evidence.fact.value(),
        })
        .collect();
}

/// Fills in what the process says about the activity.
fn defined(activity: &Activity, state: &ActivityState, body: &mut ActivityBody) {
    match &activity.kind {
        Kind::Component(component) => {
            body.kind = KindBody::Component;
            body.uses = Some(component.uses.to_string());
        }
        Kind::Wait(_) => body.kind = KindBody::Wait,
        Kind::Process(process) => {
            body.kind = KindBody::Process;
            body.uses = Some(uses(process));
        }
        Kind::Manual(manual) => {
            body.kind = KindBody::Manual;
            body.form = manual.form.as_ref().map(|form| form.source().clone());
            let approvals: &[ApprovalBody] = &body.approvals;
            let question = match state {
                ActivityState::NeedsPeople(question) => Some(question.as_ref()),
                _ => None,
            };
            let rules = (0..).zip(&manual.approvals);
            body.rules = rules
                .map(|(ix, of)| rule((ix, of), question, approvals))
                .collect();
            if matches!(state, ActivityState::Waiting | ActivityState::Ready { .. }) {
                body.instructions = None;
            }
        }
    }
}

/// A process as `NAME` or `NAME@VERSION`.
pub(crate) fn uses(process: &ChildProcess) -> String {
    match process.version {
        Some(version) => format!("{}@{version}", process.name),
        None => process.name.to_string(),
    }
}

fn rule(
    (ix, rule): (u32, &ApprovalRule),
    question: Option<&Question>,
    approvals: &[ApprovalBody],
) -> RuleBody {
    let met = approvals
        .iter()
        .filter(|approval| approval.rules.contains(&ix));
    RuleBody {
        from: parties(&rule.from),
        count: question.map_or_else(
            || rule.count.of(0),
            |question| question.wanted(ix as usize, rule.count),
        ),
        quorum: rule.count.needs_roster().then(|| rule.count.to_string()),
        met: u32::try_from(met.count()).unwrap_or(u32::MAX),
    }
}

/// The signal that a suspended attempt waits for.
pub(crate) fn signal(resumes: &Resumes) -> Option<String> {
    match resumes {
        Resumes::At(_) => None,
        Resumes::Signal(name) => Some(name.to_string()),
    }
}

/// Fills in what the state says.
fn current(state: &ActivityState, body: &mut ActivityBody) {
    match state {
        ActivityState::Waiting => {}
        ActivityState::Ready { since } | ActivityState::FannedOut { since } => {
            body.since = Some(since.to_string());
        }
        ActivityState::Running(attempt) | ActivityState::Suspended { attempt, .. } => {
            body.since = Some(attempt.since.to_string());
            body.attempt = Some(attempt.number);
            body.run = Some(attempt.run);
            body.with = Some(attempt.with.value());
            body.deadline = Some(attempt.deadline.to_string());
            if let ActivityState::Suspended {
                resumes, status, ..
            } = state
            {
                body.resume_at = resumes.at().map(|at| at.to_string());
                body.signal = signal(resumes);
                body.status.clone_from(status);
            }
        }
        ActivityState::Retrying {
            attempt,
            with,
            failure,
            retry_at,
            since,
        } => {
            body.since = Some(since.to_string());
            body.attempt = Some(*attempt);
            body.with = Some(with.value());
            body.failure = Some(self::failure(failure));
            body.retry_at = Some(retry_at.to_string());
        }
        ActivityState::NeedsPeople(question) => {
            body.since = Some(question.since.to_string());
            body.instructions = Some(question.instructions.clone());
            body.content = Some(question.content.to_string());
            body.expires_at = text(question.expires_at);
            body.reminds_at = text(question.reminds_at);
            body.reminders = Some(question.reminders).filter(|reminders| *reminders > 0);
            body.escalates_at = text(question.escalates_at);
            body.escalated = Some(question.escalated).filter(|escalated| *escalated);
            body.approvals = question.approvals.iter().map(approval).collect();
        }
        ActivityState::OnHold {
            attempts,
            with,
            failure,
            since,
        } => {
            body.since = Some(since.to_string());
            body.attempt = Some(*attempts).filter(|attempts| *attempts > 0);
            body.with = with.as_ref().map(Json::value);
            body.failure = Some(self::failure(failure));
        }
        state => outside(state, body),
    }
}

/// Fills in what the state says of an activity that waits for something outside of its release.
fn outside(state: &ActivityState, body: &mut ActivityBody) {
    match state {
        ActivityState::Blocked(blocked) => body.since = Some(blocked.since.to_string()),
        ActivityState::Child(child) => {
            body.since = Some(child.since.to_string());
            body.attempt = Some(child.attempt);
            body.with = Some(child.inputs.value());
            body.child = Some(child.release.to_string());
        }
        ActivityState::Awaiting(wait) => {
            body.since = Some(wait.since.to_string());
            body.until = text(wait.until);
            if let Awaits::Release(release) = wait.on {
                body.awaits = Some(release.to_string());
            }
        }
        state => ended(state, body),
    }
}

/// Fills in what the state of an activity says that has ended.
fn ended(state: &ActivityState, body: &mut ActivityBody) {
    let at = match state {
        ActivityState::Succeeded { outputs, at } => {
            body.outputs = Some(outputs.value());
            at
        }
        ActivityState::Failed {
            failure,
            continued,
            at,
        } => {
            body.failure = Some(self::failure(failure));
            body.continued = Some(*continued);
            at
        }
        ActivityState::Rejected {
            by,
            backup_of,
            comment,
            at,
        } => {
            body.by = Some(by.to_string());
            body.backup_of = backup_of.as_ref().map(ToString::to_string);
            body.reason = Some(comment.clone());
            at
        }
        ActivityState::Withdrawn { by, reason, at } => {
            body.by = Some(by.to_string());
            body.reason = Some(reason.clone());
            at
        }
        ActivityState::Skipped { why, at } => {
            let (word, reason) = skipped(why);
            body.why = Some(word.into());
            body.reason = reason.map(ToOwned::to_owned);
            at
        }
        ActivityState::Expired { at } | ActivityState::Aborted { at } => at,
        _ => return,
    };
    body.since = Some(at.to_string());
    body.ended_at = Some(at.to_string());
}

fn skipped(why: &SkipReason) -> (&'static str, Option<&str>) {
    match why {
        SkipReason::Condition => ("condition", None),
        SkipReason::Upstream => ("upstream", None),
        SkipReason::Person(reason) => ("person", Some(reason)),
        SkipReason::NotNeeded => ("not-needed", None),
    }
}

fn approval(approval: &Approval) -> ApprovalBody {
    ApprovalBody {
        by: approval.by.to_string(),
        backup_of: approval.backup_of.as_ref().map(ToString::to_string),
        at: approval.at.to_string(),
        comment: approval.comment.clone(),
        rules: approval.rules.clone(),
    }
}

/// How something failed, as JSON.
pub(crate) fn failure(failure: &Failure) -> FailureBody {
    FailureBody {
        class: serde_json::to_value(&failure.class)
            .expect("a class is a word or a word and a text"),
        message: failure.message.clone(),
        code: failure.code.clone(),
        details: failure.details.as_ref().map(Json::value),
        remedy: failure.remedy.clone(),
        backtrace: failure.backtrace.clone(),
        last_log: failure.last_log.clone(),
        last_call: failure.last_call.clone(),
    }
}

fn parties(parties: &[Party]) -> Vec<String> {
    parties.iter().map(ToString::to_string).collect()
}

fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}
