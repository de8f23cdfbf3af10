//! The attempts of an activity, as its events tell them.

use fermata_core::failure::Failure;
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, Turn, UndoPart};
use fermata_core::release::state::Resumes;
use fermata_core::time::Timestamp;

/// One attempt, from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// 1 for the first.
    pub number: u32,
    /// Runs so far: one more than it was suspended and resumed.
    pub runs: u32,
    /// The inputs, where this attempt was given others than the one before, or is the first.
    pub with: Option<Json>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it is given up.
    pub deadline: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended; while it goes on, where it is.
    pub result: AttemptResult,
    /// What it called on the way back; nothing on the way forward.
    pub undo: Option<UndoPart>,
}

/// Where an attempt is, or how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// It runs.
    Running,
    /// It waits to be run again.
    Suspended {
        /// For what.
        resumes: Resumes,
        /// For people.
        status: Option<String>,
    },
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed {
        /// How.
        failure: Failure,
        /// When the next one begins, if there is one.
        retry_at: Option<Timestamp>,
    },
    /// The activity ended without it: skipped by a person, or with its release.
    Dropped,
}

/// The attempts of `activity`, oldest first.
#[derive(Debug)]
pub(crate) struct Attempts {
    activity: ActivityIx,
    found: Vec<AttemptRecord>,
}

impl Attempts {
    pub(crate) fn new(activity: ActivityIx) -> Self {
        Self {
            activity,
            found: Vec::new(),
        }
    }

    pub(crate) fn into_records(self) -> Vec<AttemptRecord> {
        self.found
    }

    /// Reads one more turn.
    pub(crate) fn read(&mut self, turn: &Turn) {
        for event in &turn.events {
            if event.activity() == Some(self.activity) {
                self.event(turn.at, event);
            } else if matches!(event, Event::Aborted { .. }) {
                self.end(turn.at, AttemptResult::Dropped);
            } else if matches!(event, Event::RollbackStarted { .. }) {
                // A run that goes on is let end; what waits is not resumed.
                self.end_suspended(turn.at);
            }
        }
    }

    fn event(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::AttemptStarted {
                attempt,
                with,
                deadline,
                ..
            } => self.begin(at, (*attempt, None), with.as_ref(), *deadline),
            Event::UndoStarted {
                attempt,
                part,
                with,
                deadline,
                ..
            } => self.begin(at, (*attempt, Some(*part)), with.as_ref(), *deadline),
            Event::AttemptSuspended {
                resume_at, status, ..
            } => self.suspend(Resumes::At(*resume_at), status.as_ref()),
            Event::AttemptAwaitsSignal { signal, status, .. } => {
                self.suspend(Resumes::Signal(signal.clone()), status.as_ref());
            }
            Event::AttemptResumed { run, .. } => {
                if let Some(attempt) = self.current() {
                    attempt.runs = *run;
                    attempt.result = AttemptResult::Running;
                }
            }
            Event::AttemptLetIn(moved) => {
                if let Some(attempt) = self.current() {
                    attempt.deadline = moved.deadline;
                }
            }
            Event::AttemptFailed {
                failure, retry_at, ..
            } => {
                let failure = failure.clone();
                self.end(
                    at,
                    AttemptResult::Failed {
                        failure,
                        retry_at: *retry_at,
                    },
                );
            }
            Event::ActivitySucceeded { .. }
            | Event::UndoReturned { .. }
            | Event::Undone { by_hand: None, .. } => self.end(at, AttemptResult::Succeeded),
            Event::ActivitySkipped { .. }
            | Event::ActivityFailed { .. }
            | Event::ActivityAborted { .. }
            | Event::Undone { .. } => {
                self.end(at, AttemptResult::Dropped);
            }
            _ => {}
        }
    }

    fn begin(
        &mut self,
        at: Timestamp,
        (number, undo): (u32, Option<UndoPart>),
        with: Option<&Json>,
        deadline: Timestamp,
    ) {
        self.found.push(AttemptRecord {
            number,
            runs: 1,
            with: with.cloned(),
            started_at: at,
            deadline,
            ended_at: None,
            result: AttemptResult::Running,
            undo,
        });
    }

    /// The last attempt, if it has not ended.
    fn current(&mut self) -> Option<&mut AttemptRecord> {
        self.found
            .last_mut()
            .filter(|attempt| attempt.ended_at.is_none())
    }

    fn suspend(&mut self, resumes: Resumes, status: Option<&String>) {
        if let Some(attempt) = self.current() {
            let status = status.cloned();
            attempt.result = AttemptResult::Suspended { resumes, status };
        }
    }

    fn end_suspended(&mut self, at: Timestamp) {
        let current = self.current();
        if current.is_some_and(|current| matches!(current.result, AttemptResult::Suspended { .. }))
        {
            self.end(at, AttemptResult::Dropped);
        }
    }

    fn end(&mut self, at: Timestamp, result: AttemptResult) {
        if let Some(attempt) = self.current() {
            attempt.ended_at = Some(at);
            attempt.result = result;
        }
    }
}
