//! A run has ended: its result counts if the run is still the current one.
//!
//! A result that arrives after the deadline but before the deadline was noticed counts too: what
//! the guest did has happened.

use crate::attempt::{AttemptKey, Evidence, Outcome, Report, Resume};
use crate::failure::{Failure, FailureClass};
use crate::json::Json;
use crate::limits::{CHECKPOINT_BYTES_MAX, EVIDENCE_PER_RUN_MAX, RESUME_AFTER_MIN};
use crate::release::event::{Event, LetIn, OutputSource, TurnedAway, UndoPart};
use crate::release::refusal::Refusal;
use crate::release::state::ActivityState;
use crate::release::{Release, bounds};
use crate::time::Timestamp;

pub(super) fn finished(
    release: &Release,
    key: AttemptKey,
    report: &Report,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    if release.current_run(key.activity) != Some(key) {
        return Err(Refusal::StaleAttempt);
    }
    let (mut events, fault) = evidence(key, &report.evidence);
    let ended = match (&report.outcome, fault) {
        (
            Outcome::Failed {
                failure,
                retry_after,
            },
            fault,
        ) => {
            let failure = also(failure.clone(), fault);
            events.extend(release.attempt_failed(key, failure, *retry_after, now));
            return Ok(events);
        }
        (_, Some(fault)) => Err(fault),
        (Outcome::Succeeded(outputs), None) => succeeded(release, key, outputs),
        (
            Outcome::Pending {
                checkpoint,
                resume,
                status,
            },
            None,
        ) => suspended(key, checkpoint, (resume, now), status.clone()),
    };
    match ended {
        Ok(event) => {
            events.push(event);
            events.extend(stopped(release, key, &report.outcome));
        }
        Err(fault) => events.extend(release.attempt_failed(key, contract(fault), None, now)),
    }
    Ok(events)
}

/// Nothing of the attempt has run: it fails, and had no effect.
pub(super) fn kept_out(
    release: &Release,
    key: AttemptKey,
    failure: &Failure,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    if release.current_run(key.activity) != Some(key) {
        return Err(Refusal::StaleAttempt);
    }
    let activity = key.activity;
    // An undo is counted by what it is to take back, and a later run follows one that has begun.
    let never_began = key.run == 1 && !release.is_undoing(activity);
    let turned_away = Event::AttemptTurnedAway(TurnedAway { activity });
    let mut events = Vec::from_iter(never_began.then_some(turned_away));
    events.extend(release.attempt_failed(key, failure.clone(), None, now));
    Ok(events)
}

/// Nothing is true anew if no time was lost.
pub(super) fn let_in(
    release: &Release,
    key: AttemptKey,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let activity = key.activity;
    if release.current_run(activity) != Some(key) {
        return Err(Refusal::StaleAttempt);
    }
    let begins = release.attempt_deadline(activity);
    let (Some(before), Some(component)) = (begins, release.called(activity)) else {
        return Err(Refusal::StaleAttempt);
    };
    let deadline = now.after(component.timeout);
    let moved = Event::AttemptLetIn(LetIn { activity, deadline });
    Ok(Vec::from_iter((deadline > before).then_some(moved)))
}

/// The facts that may be stored, and what is wrong with the first that may not.
fn evidence(key: AttemptKey, facts: &[Evidence]) -> (Vec<Event>, Option<String>) {
    let fault = |(at, fact): (usize, &Evidence)| {
        if at >= EVIDENCE_PER_RUN_MAX {
            return Some(format!(
                "recorded more than {EVIDENCE_PER_RUN_MAX} facts in one run"
            ));
        }
        let kind = bounds::text("kind", &fact.kind).err();
        let fact = bounds::json("evidence", &fact.fact).err();
        kind.map(|refusal| refusal.to_string()).or(fact)
    };
    let mut found = None;
    let fits = facts.iter().enumerate().take_while(|(at, fact)| {
        found = fault((*at, fact));
        found.is_none()
    });
    let recorded = fits.map(|(_, fact)| Event::EvidenceRecorded {
        activity: key.activity,
        evidence: fact.clone(),
    });
    (recorded.collect(), found)
}

/// A run that is still going on when its release goes back is let end, but not resumed.
fn stopped(release: &Release, key: AttemptKey, outcome: &Outcome) -> Option<Event> {
    let activity = key.activity;
    let forward = matches!(release.activity_state(activity), ActivityState::Running(_));
    let pending = matches!(outcome, Outcome::Pending { .. });
    (forward && pending && release.is_going_back()).then_some(Event::ActivityAborted { activity })
}

fn succeeded(release: &Release, key: AttemptKey, outputs: &Json) -> Result<Event, String> {
    let activity = key.activity;
    if let ActivityState::Undoing(undoing) = release.activity_state(activity) {
        let validated = release.process.activity(activity).validate.is_some();
        return Ok(match undoing.part {
            UndoPart::Undo if validated => Event::UndoReturned { activity },
            UndoPart::Undo | UndoPart::Validate | UndoPart::Child(_) => Event::Undone {
                activity,
                by_hand: None,
            },
        });
    }
    bounds::json("outputs", outputs)?;
    Ok(Event::ActivitySucceeded {
        activity,
        outputs: outputs.clone(),
        source: OutputSource::Component,
    })
}

fn suspended(
    key: AttemptKey,
    checkpoint: &[u8],
    (resume, now): (&Resume, Timestamp),
    mut status: Option<String>,
) -> Result<Event, String> {
    let bytes = checkpoint.len();
    if bytes > CHECKPOINT_BYTES_MAX {
        return Err(format!(
            "checkpoint: {bytes} bytes, more than {CHECKPOINT_BYTES_MAX}"
        ));
    }
    if let Some(status) = &mut status {
        bounds::cut(status);
    }
    let (activity, checkpoint) = (key.activity, checkpoint.to_vec());
    Ok(match resume {
        Resume::After(span) => Event::AttemptSuspended {
            activity,
            checkpoint,
            resume_at: now.after((*span).max(RESUME_AFTER_MIN)),
            status,
        },
        Resume::Signal(signal) => Event::AttemptAwaitsSignal {
            activity,
            checkpoint,
            signal: signal.clone(),
            status,
        },
    })
}

fn contract(fault: String) -> Failure {
    Failure::new(FailureClass::Contract, fault)
        .remedy("return less: keep large data elsewhere and return a reference to it")
}

/// The failure, which says as well that some of what the run recorded was left out.
fn also(mut failure: Failure, fault: Option<String>) -> Failure {
    if let Some(fault) = fault {
        failure.message = format!("{}; moreover, {fault}", failure.message);
    }
    failure
}
