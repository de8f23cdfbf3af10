//! What scenarios print: events, states and reasons, one line each.

use fermata_core::attempt::{Call, Invocation};
use fermata_core::failure::Failure;
use fermata_core::json::Json;
use fermata_core::process::{ActivityIx, Group, PhaseIx, Process, Role};
use fermata_core::release::event::{Awaits, Event, SkipReason, Turn};
use fermata_core::release::state::{ActivityState, PhaseState, Question, ReleaseState, Resumes};
use fermata_core::release::wave::Stage;
use fermata_core::release::{Release, why_activity};
use fermata_core::time::Timestamp;

use crate::story::{elapsed, name};
use crate::{show_people, way_back};

/// Most items of a fan-out that are printed.
const ITEMS_SHOWN: usize = 8;
/// Most instances of a fan-out that are printed.
const INSTANCES_SHOWN: u32 = 8;
/// Longest text that is printed whole.
const SHOWN_CHARS: usize = 120;

/// The events of one turn.
pub(crate) fn events(release: &Release, turn: &Turn) -> Vec<String> {
    let at = elapsed(turn.at);
    let lines = turn.events.iter();
    lines
        .map(|event| format!("+{at} {}", line(release.process(), event)))
        .collect()
}

/// Everything that has happened, with who caused it.
pub(crate) fn history(release: &Release, turns: &[Turn]) -> Vec<String> {
    let mut lines = Vec::new();
    for turn in turns {
        for (number, event) in (turn.first..).zip(&turn.events) {
            let (at, by) = (elapsed(turn.at), name(&turn.by));
            lines.push(format!(
                "{number} +{at} {by}: {}",
                line(release.process(), event)
            ));
        }
    }
    lines
}

fn line(process: &Process, event: &Event) -> String {
    let subject = match (event.activity(), event.phase()) {
        (Some(activity), _) => process.path(activity),
        (None, Some(phase)) => process.phase_path(phase),
        (None, None) => "release".to_owned(),
    };
    let fact = match event {
        Event::RollbackStarted {
            trigger,
            reason,
            plan,
        } => {
            let asked = match (trigger, reason) {
                (Some(ix), _) => format!(" for {}", process.path(*ix)),
                (None, reason) => said(reason.as_ref()),
            };
            format!("goes back{asked}: {}", way_back::planned(process, plan))
        }
        Event::IrreversiblePinned { pins } => format!("knows pins {pins:?} as irreversible"),
        Event::PoliciesWarned(warned) => {
            let said = warned
                .warnings
                .iter()
                .map(|warning| format!("{}: {}", warning.policy, short(&warning.message)));
            format!("policies warned: {}", said.collect::<Vec<_>>().join("; "))
        }
        Event::RootCauseClosed { text } => format!("root cause closed: {}", short(text)),
        event => fact(event),
    };
    format!("{subject} {fact}")
}

fn fact(event: &Event) -> String {
    match event {
        Event::Created { title, inputs, .. } => {
            format!("created \"{}\" with {inputs}", short(title))
        }
        Event::Started { components } => {
            let pins = components.iter();
            let pins = pins.map(|pin| format!(" {}={}", pin.uses, pin.pin.version));
            format!("started{}", pins.collect::<String>())
        }
        Event::PhaseOpened { fault, .. } => match fault {
            None => "opened".to_owned(),
            Some(fault) => format!("opened, but {fault}"),
        },
        Event::PhaseSkipped { why, .. } | Event::ActivitySkipped { why, .. } => skipped(why),
        Event::PhaseEnded { outcome, .. } | Event::InstancesEnded { outcome, .. } => {
            format!("ended {}", outcome.word())
        }
        Event::Paused { reason } => format!("paused{}", said(reason.as_ref())),
        Event::Resumed => "resumed".to_owned(),
        Event::Aborted { reason } => format!("aborted: {}", short(reason)),
        Event::Ended { outcome, outputs } => {
            format!(
                "ended {}{}",
                outcome.word(),
                labelled("outputs", outputs.as_ref())
            )
        }
        Event::InputsAmended {
            inputs,
            changed,
            reason,
        } => {
            let changed = changed.join(", ");
            format!("has other {changed}: {inputs}{}", said(Some(reason)))
        }
        other if other.group().is_some() => wave_fact(other),
        other => activity_fact(other),
    }
}

fn wave_fact(event: &Event) -> String {
    match event {
        Event::Expanded { items, batches, .. } => {
            let shown = items.iter().take(ITEMS_SHOWN).map(Json::as_str);
            let shown: Vec<&str> = shown.collect();
            let more = if items.len() > ITEMS_SHOWN {
                ", …"
            } else {
                ""
            };
            format!(
                "expanded to {} [{}{more}] in batches {batches:?}",
                items.len(),
                shown.join(", ")
            )
        }
        Event::BatchOpened { batch, .. } => format!("batch {batch} opened"),
        Event::BatchBaking { until, .. } => format!("bakes until +{}", elapsed(*until)),
        Event::BatchBaked { .. } => "has baked".to_owned(),
        Event::GateOpened { .. } => "asks its gate".to_owned(),
        Event::WaveHalted { reason, .. } => format!("halted: {reason:?}"),
        Event::WaveResumed { reason, .. } => format!("goes on{}", said(reason.as_ref())),
        Event::WaveEnded { reason, .. } => format!("opens no further batch: {}", short(reason)),
        Event::WaveRollbackStarted { batch, reason, .. } => {
            format!("batch {batch} goes back: {}", short(reason))
        }
        Event::WaveRolledBack { batch, .. } => format!("batch {batch} has gone back"),
        other => format!("{other:?}"),
    }
}

fn activity_fact(event: &Event) -> String {
    match event {
        Event::ActivityReadied { .. } => "ready".to_owned(),
        Event::AttemptStarted {
            attempt,
            with,
            deadline,
            ..
        } => {
            let with = labelled("with", with.as_ref());
            format!(
                "attempt {attempt} started{with}, until +{}",
                elapsed(*deadline)
            )
        }
        Event::AttemptSuspended {
            resume_at, status, ..
        } => format!(
            "suspended until +{}{}",
            elapsed(*resume_at),
            said(status.as_ref())
        ),
        Event::AttemptAwaitsSignal { signal, status, .. } => {
            format!("suspended until signal {signal}{}", said(status.as_ref()))
        }
        Event::AttemptResumed { run, .. } => format!("resumed, run {run}"),
        Event::AttemptFailed {
            failure, retry_at, ..
        } => {
            let next = retry_at.map(|at| format!(", again at +{}", elapsed(at)));
            format!(
                "attempt failed ({}){}",
                why_failed(failure),
                next.unwrap_or_default()
            )
        }
        Event::EvidenceRecorded { evidence, .. } => {
            format!("evidence {} {}", evidence.kind, evidence.fact)
        }
        Event::ActivitySucceeded {
            outputs, source, ..
        } => {
            let source = format!("{source:?}").to_lowercase();
            format!("succeeded {} from {source}", short(outputs.as_str()))
        }
        Event::ActivityHeld { failure, .. } => format!("held{}", told(failure.as_ref())),
        Event::ActivityFailed {
            failure, continued, ..
        } => {
            let how = if *continued {
                "failed, continued"
            } else {
                "failed"
            };
            format!("{how}{}", told(failure.as_ref()))
        }
        other => amendment(other).unwrap_or_else(|| show_people::people_fact(other)),
    }
}

fn amendment(event: &Event) -> Option<String> {
    Some(match event {
        Event::OutputsAmended {
            outputs, reason, ..
        } => format!(
            "has other outputs {}{}",
            short(outputs.as_str()),
            said(Some(reason))
        ),
        Event::RetryAmended {
            attempts_max,
            reason,
            ..
        } => format!("may be tried {attempts_max} times{}", said(Some(reason))),
        _ => return None,
    })
}

pub(crate) fn awaits(on: Awaits) -> String {
    match on {
        Awaits::Time => "time".to_owned(),
        Awaits::Signal => "a signal".to_owned(),
        Awaits::Release(release) => release.to_string(),
    }
}

/// The release as a tree of states.
pub(crate) fn state(release: &Release) -> Vec<String> {
    let process = release.process();
    let mut lines = vec![format!("release {}", release_state(release))];
    for ix in (0..).map(PhaseIx).take(process.phases.len()) {
        // Instances stand below what they are instances of.
        if process.phase(ix).instance.is_none() {
            phase(release, ix, &mut lines);
        }
    }
    lines
}

fn phase(release: &Release, ix: PhaseIx, lines: &mut Vec<String>) {
    let process = release.process();
    let path = process.phase_path(ix);
    let state = phase_state(release.phase_state(ix));
    lines.push(format!(
        "  {path} {state}{}",
        wave(release, Group::Phase(ix))
    ));
    for ix in process.phase(ix).activities.clone().map(ActivityIx) {
        activity(release, ix, lines);
    }
    let Some(instances) = process.instances(Group::Phase(ix)) else {
        return;
    };
    for ix in instances.gates.clone().map(ActivityIx) {
        activity(release, ix, lines);
    }
    for ix in instances.nodes.clone().take(INSTANCES_SHOWN as usize) {
        phase(release, PhaseIx(ix), lines);
    }
}

fn activity(release: &Release, ix: ActivityIx, lines: &mut Vec<String>) {
    let process = release.process();
    if process.activity(ix).role == Role::Template {
        return;
    }
    let path = process.local_path(ix);
    let state = activity_state(release.activity_state(ix));
    lines.push(format!(
        "    {path} {state}{}",
        wave(release, Group::Activity(ix))
    ));
    if let Some(instances) = process.instances(Group::Activity(ix)) {
        let nodes = instances.nodes.clone().take(INSTANCES_SHOWN as usize);
        for ix in nodes.chain(instances.gates.clone()).map(ActivityIx) {
            activity(release, ix, lines);
        }
    }
}

/// How far a fan-out is.
fn wave(release: &Release, group: Group) -> String {
    let Some(wave) = release.wave(group) else {
        return String::new();
    };
    let stage = match (&wave.halt, wave.stage) {
        (Some(halt), _) => format!(", halted {}", halt.reason.text(&halt.by)),
        (None, Stage::Baking { until }) => format!(", bakes until +{}", elapsed(until)),
        (None, Stage::Gated(_)) => ", at its gate".to_owned(),
        (None, _) => String::new(),
    };
    format!(
        ": {} of {} ended, {} failed, batch {} of {}{stage}",
        wave.ended,
        wave.count(),
        wave.failed,
        wave.open,
        wave.batches()
    )
}

fn release_state(release: &Release) -> String {
    let outputs = labelled("outputs", release.outputs());
    match release.state() {
        ReleaseState::Paused { by, reason, since } => {
            format!(
                "paused by {} since +{}{}",
                name(by),
                elapsed(*since),
                said(reason.as_ref())
            )
        }
        ReleaseState::Ended { at, reason, .. } => {
            let word = release.state().word();
            format!(
                "{word} at +{}{}{outputs}",
                elapsed(*at),
                said(reason.as_ref())
            )
        }
        state => state.word().to_owned(),
    }
}

fn phase_state(state: &PhaseState) -> String {
    match state {
        PhaseState::Skipped { why } => skipped(why),
        state => state.word().to_owned(),
    }
}

fn activity_state(state: &ActivityState) -> String {
    let word = state.word();
    match state {
        ActivityState::Running(attempt) => {
            let until = elapsed(attempt.deadline);
            format!(
                "{word} attempt {} run {} until +{until}",
                attempt.number, attempt.run
            )
        }
        ActivityState::Suspended {
            attempt, resumes, ..
        } => {
            let resumes = match resumes {
                Resumes::At(at) => format!("resumes +{}", elapsed(*at)),
                Resumes::Signal(name) => format!("for signal {name}"),
            };
            let (number, until) = (attempt.number, elapsed(attempt.deadline));
            format!("{word} attempt {number} {resumes} until +{until}")
        }
        ActivityState::Retrying {
            attempt, retry_at, ..
        } => format!("{word} after attempt {attempt} at +{}", elapsed(*retry_at)),
        ActivityState::NeedsPeople(question) => format!("{word} {}", asked(question)),
        ActivityState::Child(child) => {
            format!("{word} child {} of {}", child.attempt, child.process)
        }
        ActivityState::Awaiting(wait) => {
            format!("{word} for {}{}", awaits(wait.on), until(wait.until))
        }
        ActivityState::OnHold {
            attempts, failure, ..
        } => format!("{word} after {attempts} attempts ({})", why_failed(failure)),
        ActivityState::Succeeded { outputs, .. } => format!("{word} {}", short(outputs.as_str())),
        ActivityState::Failed {
            failure, continued, ..
        } => {
            let on = if *continued { " and continued" } else { "" };
            format!("{word}{on} ({})", why_failed(failure))
        }
        ActivityState::Rejected {
            by,
            backup_of,
            comment,
            ..
        } => {
            let backup = show_people::backup(backup_of.as_ref());
            format!("{word} by {}{backup}: {}", name(by), short(comment))
        }
        ActivityState::Withdrawn { by, reason, .. } => {
            format!("{word} by {}: {}", name(by), short(reason))
        }
        ActivityState::Skipped { why, .. } => skipped(why),
        state => undo_state(state),
    }
}

fn undo_state(state: &ActivityState) -> String {
    let word = state.word();
    match state {
        ActivityState::Undoing(undoing) => format!(
            "{word} ({}; {})",
            way_back::part_word(undoing.part),
            activity_state(&undoing.now)
        ),
        ActivityState::Undone(undone) => match &undone.by_hand {
            Some((by, reason)) => format!("{word} by {}: {}", name(by), short(reason)),
            None => word.to_owned(),
        },
        ActivityState::UndoFailed(failed) => match &failed.accepted {
            Some((by, reason)) => {
                format!("{word}, accepted by {}: {}", name(by), short(reason))
            }
            None => format!("{word} ({})", why_failed(&failed.failure)),
        },
        _ => word.to_owned(),
    }
}

/// Who approved so far, and until when people are asked.
fn asked(question: &Question) -> String {
    let approvals = question.approvals.iter().map(|given| {
        format!(
            "{}{}",
            name(&given.by),
            show_people::backup(given.backup_of.as_ref())
        )
    });
    let approvals: Vec<String> = approvals.collect();
    format!("approved by {approvals:?}{}", until(question.expires_at))
}

/// Why things are not moving: everything, or one activity.
pub(crate) fn why(release: &Release, path: Option<&str>) -> Result<Vec<String>, String> {
    let waiting = match path {
        None => fermata_core::release::why(release),
        Some(path) => {
            let ix = release.process().find(path).ok_or("no such activity")?;
            why_activity(release, ix).into_iter().collect()
        }
    };
    let lines = waiting.iter().map(|waiting| {
        let actions = waiting.actions.join(", ");
        format!("{waiting} [{actions}]")
    });
    Ok(lines.collect())
}

/// What should be going on.
pub(crate) fn work(release: &Release) -> Vec<String> {
    let work = fermata_core::release::work(release);
    let runs = work.runs.iter().map(|key| {
        let path = release.process().path(key.activity);
        format!("run {path} attempt {} run {}", key.attempt, key.run)
    });
    let wake = work.wake_at.map(|at| format!("wake at +{}", elapsed(at)));
    runs.chain(wake).collect()
}

/// What a runner gets.
pub(crate) fn invocation(invocation: Option<&Invocation>) -> Vec<String> {
    let Some(invocation) = invocation else {
        return vec!["no run is wanted".to_owned()];
    };
    let checkpoint = invocation.checkpoint.as_deref().unwrap_or_default();
    let signal = labelled("signal", invocation.signal.as_ref());
    let call = match &invocation.call {
        Call::Run => String::new(),
        Call::Undo { outputs: None } => ", undo without outputs".to_owned(),
        Call::Undo { outputs } => format!(", undo{}", labelled("outputs", outputs.as_ref())),
    };
    vec![
        format!(
            "{} {}{call}",
            invocation.component.name, invocation.component.version
        ),
        format!("key {}", invocation.idempotency_key),
        format!("inputs {}", invocation.inputs),
        format!(
            "checkpoint {:?}{signal}",
            String::from_utf8_lossy(checkpoint)
        ),
        format!("wall {}", invocation.wall),
    ]
}

fn skipped(why: &SkipReason) -> String {
    match why {
        SkipReason::Condition => "skipped by its condition".to_owned(),
        SkipReason::Upstream => "skipped for a broken need".to_owned(),
        SkipReason::Person(reason) => format!("skipped by a person: {}", short(reason)),
        SkipReason::NotNeeded => "skipped as not needed".to_owned(),
    }
}

fn why_failed(failure: &Failure) -> String {
    short(&failure.to_string())
}

pub(crate) fn told(failure: Option<&Failure>) -> String {
    failure.map_or_else(String::new, |failure| format!(" ({})", why_failed(failure)))
}

pub(crate) fn said(text: Option<&String>) -> String {
    text.map_or_else(String::new, |text| format!(", saying \"{}\"", short(text)))
}

pub(crate) fn labelled(label: &str, value: Option<&Json>) -> String {
    value.map_or_else(String::new, |value| {
        format!(" {label} {}", short(value.as_str()))
    })
}

pub(crate) fn until(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!(", until +{}", elapsed(at)))
}

/// `text`, or its beginning and its length.
pub(crate) fn short(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARS {
        return text.to_owned();
    }
    let start: String = text.chars().take(20).collect();
    format!("{start}… ({} bytes)", text.len())
}
