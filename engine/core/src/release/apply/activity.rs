//! The fold of what happens to one activity.

use crate::actor::Actor;
use crate::failure::Failure;
use crate::json::Json;
use crate::process::ActivityIx;
use crate::release::Release;
use crate::release::event::{Event, OutputSource};
use crate::release::state::{ActivityState, Attempt, Await, Child, Received, Resumes};
use crate::release::task::Task;
use crate::time::Timestamp;

impl Release {
    pub(super) fn apply_to_activity(&mut self, at: Timestamp, by: &Actor, event: &Event) {
        let Some(ix) = event.activity() else { return };
        if ix.0 as usize >= self.activities.len() {
            return;
        }
        match event {
            Event::EvidenceRecorded { evidence, .. } => return self.note_evidence(ix, evidence),
            Event::OutputsAmended { outputs, .. } => return self.amend_outputs(ix, outputs),
            Event::RetryAmended { attempts_max, .. } => {
                if let Some(record) = self.record_mut(ix) {
                    record.attempts_max = Some(*attempts_max);
                }
                return;
            }
            Event::AttemptTurnedAway(_) => {
                if let Some(record) = self.record_mut(ix) {
                    record.turned_away = record.turned_away.saturating_add(1);
                }
                return;
            }
            _ => {}
        }
        if let Event::ChildLaunched { child, .. } = event {
            let child = *child;
            if let Some(record) = self.record_mut(ix) {
                record.children.push(child);
            }
            return;
        }
        if let Event::SignalReceived {
            delivery, payload, ..
        } = event
        {
            let delivery = *delivery;
            if let Some(record) = self.record_mut(ix) {
                record.signals.push(Received { delivery, at });
            }
            return self.signalled(ix, at, payload.as_ref());
        }
        if self.apply_to_undo(at, by, event) {
            return;
        }

        if self.worked(ix, (at, by), event) {
            return;
        }
        let next = match event {
            Event::PeopleAsked { .. } => self.asked(ix, at, event),
            _ => self
                .answered(ix, (at, by), event)
                .or_else(|| next_state(self.activity_state(ix), at, by, event)),
        };
        if let Some(next) = next {
            self.put(ix, next);
            self.note(ix, at, event);
        }
    }

    /// A guest that waits for a signal has it, and is run again as soon as that may be.
    fn signalled(&mut self, ix: ActivityIx, at: Timestamp, payload: Option<&Json>) {
        let before = self.activity_state(ix).clone();
        let mut state = before.clone();
        let ActivityState::Suspended {
            attempt, resumes, ..
        } = state.going_mut()
        else {
            return;
        };
        if matches!(resumes, Resumes::Signal(_)) {
            *resumes = Resumes::At(at);
            attempt.signal = payload.cloned();
            self.index.remove(ix, &before);
            self.index.insert(ix, &state);
            self.activities[ix.0 as usize].state = state;
        }
    }

    /// Replaces what others may read of an activity that has succeeded; nothing moves by that.
    fn amend_outputs(&mut self, ix: ActivityIx, amended: &Json) {
        if let ActivityState::Succeeded { outputs, .. } = &mut self.activities[ix.0 as usize].state
        {
            *outputs = amended.clone();
            if let Some(record) = self.record_mut(ix) {
                record.source = Some(OutputSource::Amended);
            }
            self.content_amended(amended.as_str());
        }
    }

    /// Keeps what is still wanted when the state has moved on.
    fn note(&mut self, ix: ActivityIx, at: Timestamp, event: &Event) {
        match event {
            Event::AttemptStarted { attempt, with, .. } => {
                let Some(record) = self.record_mut(ix) else {
                    return;
                };
                record.attempts = *attempt;
                record.started_at.get_or_insert(at);
                if let Some(with) = with {
                    record.with = Some(with.clone());
                }
            }
            Event::WaitBegan { .. } => {
                if let Some(record) = self.record_mut(ix) {
                    record.started_at.get_or_insert(at);
                }
            }
            Event::PeopleAsked { .. } => {
                let tasks = self.task_count(ix);
                if let Some(record) = self.record_mut(ix) {
                    record.started_at.get_or_insert(at);
                    record.tasks.resize_with(tasks, Task::default);
                    // A question that is asked again begins anew.
                    record.approvals.clear();
                }
            }
            Event::ChildStarted { attempt, child, .. } => {
                if let Some(record) = self.record_mut(ix) {
                    record.attempts = *attempt;
                    record.started_at.get_or_insert(at);
                    record.children.push(*child);
                }
            }
            Event::ActivitySucceeded { source, .. } => {
                if let Some(record) = self.record_mut(ix) {
                    record.source = Some(*source);
                }
            }
            _ => {}
        }
    }
}

/// The state that `event` leads to from `state`; nothing if it cannot come from there.
pub(super) fn next_state(
    state: &ActivityState,
    at: Timestamp,
    by: &Actor,
    event: &Event,
) -> Option<ActivityState> {
    match event {
        Event::ActivityReadied { .. } => Some(ActivityState::Ready { since: at }),
        Event::AttemptStarted {
            attempt,
            with,
            deadline,
            ..
        } => started(state, *attempt, with.as_ref(), (at, *deadline)),
        Event::AttemptSuspended { .. } | Event::AttemptAwaitsSignal { .. } => {
            suspended(state, at, event)
        }
        Event::AttemptLetIn(moved) => let_in(state, moved.deadline),
        Event::AttemptResumed { run, .. } => resumed(state, *run),
        Event::AttemptFailed {
            failure, retry_at, ..
        } => attempt_failed(state, failure, *retry_at, at),
        Event::Rejected { comment, .. } => Some(ActivityState::Rejected {
            by: by.clone(),
            backup_of: None,
            comment: comment.clone(),
            at,
        }),
        Event::RejectedAsBackup {
            backup_of, comment, ..
        } => Some(ActivityState::Rejected {
            by: by.clone(),
            backup_of: Some(backup_of.clone()),
            comment: comment.clone(),
            at,
        }),
        Event::Expired { .. } => Some(ActivityState::Expired { at }),
        Event::QuestionWithdrawn { reason, .. } => Some(ActivityState::Withdrawn {
            by: by.clone(),
            reason: reason.clone(),
            at,
        }),
        Event::ActivitySucceeded { outputs, .. } => Some(ActivityState::Succeeded {
            outputs: outputs.clone(),
            at,
        }),
        Event::ActivityHeld { failure, .. } => held(state, failure.as_ref(), at),
        Event::ActivityFailed {
            failure, continued, ..
        } => Some(ActivityState::Failed {
            failure: Box::new(told(state, failure.as_ref())?),
            continued: *continued,
            at,
        }),
        Event::ActivityAborted { .. } => Some(ActivityState::Aborted { at }),
        Event::ActivitySkipped { why, .. } => Some(ActivityState::Skipped {
            why: why.clone(),
            at,
        }),
        other => outside(other, at),
    }
}

/// The state of an activity that waits for something outside of its release.
fn outside(event: &Event, at: Timestamp) -> Option<ActivityState> {
    match event {
        Event::ChildStarted {
            attempt,
            child,
            process,
            version,
            inputs,
            ..
        } => Some(ActivityState::Child(Box::new(Child {
            attempt: *attempt,
            release: *child,
            process: process.clone(),
            version: *version,
            inputs: inputs.clone(),
            since: at,
        }))),
        Event::WaitBegan { on, until, .. } => Some(ActivityState::Awaiting(Box::new(Await {
            on: *on,
            since: at,
            until: *until,
        }))),
        _ => None,
    }
}

fn started(
    state: &ActivityState,
    number: u32,
    with: Option<&Json>,
    (since, deadline): (Timestamp, Timestamp),
) -> Option<ActivityState> {
    let before = match state {
        ActivityState::Retrying { with, .. } => Some(with),
        ActivityState::OnHold { with, .. } => with.as_ref(),
        _ => None,
    };
    Some(ActivityState::Running(Attempt {
        number,
        run: 1,
        with: with.or(before)?.clone(),
        checkpoint: None,
        signal: None,
        since,
        deadline,
    }))
}

fn let_in(state: &ActivityState, deadline: Timestamp) -> Option<ActivityState> {
    let ActivityState::Running(attempt) = state else {
        return None;
    };
    Some(ActivityState::Running(Attempt {
        deadline,
        ..attempt.clone()
    }))
}

fn suspended(state: &ActivityState, since: Timestamp, event: &Event) -> Option<ActivityState> {
    let ActivityState::Running(attempt) = state else {
        return None;
    };
    let (checkpoint, status, resumes) = match event {
        Event::AttemptSuspended {
            checkpoint,
            resume_at,
            status,
            ..
        } => (checkpoint, status, Resumes::At(*resume_at)),
        Event::AttemptAwaitsSignal {
            checkpoint,
            signal,
            status,
            ..
        } => (checkpoint, status, Resumes::Signal(signal.clone())),
        _ => return None,
    };
    let mut attempt = attempt.clone();
    attempt.checkpoint = Some(checkpoint.as_slice().into());
    attempt.signal = None;
    Some(ActivityState::Suspended {
        attempt,
        since,
        resumes,
        status: status.clone(),
    })
}

fn resumed(state: &ActivityState, run: u32) -> Option<ActivityState> {
    let ActivityState::Suspended { attempt, .. } = state else {
        return None;
    };
    let mut attempt = attempt.clone();
    attempt.run = run;
    Some(ActivityState::Running(attempt))
}

fn attempt_failed(
    state: &ActivityState,
    failure: &Failure,
    retry_at: Option<Timestamp>,
    at: Timestamp,
) -> Option<ActivityState> {
    let (ActivityState::Running(attempt) | ActivityState::Suspended { attempt, .. }) = state else {
        return None;
    };
    let failure = Box::new(failure.clone());
    let with = attempt.with.clone();
    Some(match retry_at {
        Some(retry_at) => ActivityState::Retrying {
            attempt: attempt.number,
            with,
            failure,
            retry_at,
            since: at,
        },
        // The next event says whether it stays there.
        None => ActivityState::OnHold {
            attempts: attempt.number,
            with: Some(with),
            failure,
            since: at,
        },
    })
}

fn held(state: &ActivityState, failure: Option<&Failure>, at: Timestamp) -> Option<ActivityState> {
    let (attempts, with) = match state {
        ActivityState::OnHold { .. } => return None,
        ActivityState::Child(child) => (child.attempt, Some(child.inputs.clone())),
        ActivityState::Blocked(blocked) => (blocked.attempts, blocked.with.clone()),
        _ => (0, None),
    };
    Some(ActivityState::OnHold {
        attempts,
        with,
        failure: Box::new(failure?.clone()),
        since: at,
    })
}

/// The failure as the event tells it, or else as the failed attempt before it did.
fn told(state: &ActivityState, failure: Option<&Failure>) -> Option<Failure> {
    match (failure, state) {
        (Some(failure), _) => Some(failure.clone()),
        (None, ActivityState::OnHold { failure, .. }) => Some(failure.as_ref().clone()),
        (None, _) => None,
    }
}
