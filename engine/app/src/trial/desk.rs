//! Where the answers of a trial lie: prepared ones of a case, or those of a recorded run.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use fermata_core::attempt::Outcome;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::recording::{Body, Exchange, HttpAnswer, HttpExchange, RecordedRun};
use fermata_core::time::{Span, Timestamp};
use fermata_host::{Answered, Answers, Asked, Given, Unanswered};

use super::Prepared;
use crate::wire;

/// Answers in the place of the network, and of time and chance where a run is run again.
#[derive(Debug, Default)]
pub(super) struct Desk(Mutex<On>);

/// What lies on the desk.
#[derive(Debug)]
enum On {
    /// Answers in the order in which they are asked for.
    Prepared {
        left: VecDeque<Prepared>,
        answered: usize,
    },
    /// Answers by what is asked.
    Recorded(Box<Again>),
}

impl Default for On {
    fn default() -> Self {
        Self::Prepared {
            left: VecDeque::new(),
            answered: 0,
        }
    }
}

/// A run that is run again.
#[derive(Debug)]
struct Again {
    given: Given,
    left: Vec<HttpExchange>,
    /// Exchanges that the recording has not.
    missed: u64,
    /// Whether the run ended because its time was over.
    ran_out: bool,
    now: Timestamp,
}

impl Desk {
    fn on(&self) -> MutexGuard<'_, On> {
        self.0
            .lock()
            .expect("nobody panics with the answers in hand")
    }

    /// Lays out the answers of a case.
    pub(super) fn prepare(&self, answers: Vec<Prepared>) {
        *self.on() = On::Prepared {
            left: answers.into(),
            answered: 0,
        };
    }

    /// Lays out what a run was told.
    pub(super) fn again(&self, run: &RecordedRun) {
        let secrets = run.exchanges.iter().filter_map(|exchange| match exchange {
            Exchange::Secret { name, answer } => Some((name.clone(), answer.clone())),
            _ => None,
        });
        let calls = run.exchanges.iter().filter_map(|exchange| match exchange {
            // Such a call did not get as far as here, and will not this time.
            Exchange::Http(call) if matches!(call.answer, HttpAnswer::Invalid(_)) => None,
            Exchange::Http(call) => Some(call.clone()),
            _ => None,
        });
        let seed = run.seed.as_ref();
        *self.on() = On::Recorded(Box::new(Again {
            given: Given {
                secrets: secrets.collect(),
                seed: seed.and_then(|seed| seed.0.as_slice().try_into().ok()),
                wall_clock_ns: run.wall_clock_ns.clone(),
                monotonic_clock_ns: run.monotonic_clock_ns.clone(),
            },
            left: calls.collect(),
            missed: run.missed,
            ran_out: ran_out(&run.outcome),
            now: run.began,
        }));
    }

    /// Calls that were answered, and answers that are left.
    pub(super) fn count(&self) -> (usize, usize) {
        match &*self.on() {
            On::Prepared { left, answered } => (*answered, left.len()),
            On::Recorded(again) => (0, again.left.len()),
        }
    }

    /// The time: in a run that is run again, as it was then.
    pub(super) fn now(&self) -> Timestamp {
        match &*self.on() {
            On::Prepared { .. } => wire::now(),
            On::Recorded(again) => again.now,
        }
    }
}

impl Answers for Desk {
    fn answer(&self, asked: &Asked<'_>) -> Result<Answered, Unanswered> {
        match &mut *self.on() {
            On::Prepared { left, answered } => {
                let next = prepared(left, asked).map_err(Unanswered::Unreachable)?;
                *answered += 1;
                Ok(next)
            }
            On::Recorded(again) => again.answer(asked),
        }
    }

    fn given(&self) -> Option<Given> {
        match &*self.on() {
            On::Prepared { .. } => None,
            On::Recorded(again) => Some(again.given.clone()),
        }
    }
}

fn prepared(left: &mut VecDeque<Prepared>, asked: &Asked<'_>) -> Result<Answered, String> {
    let call = format!("{} {}", asked.method, asked.url);
    match left.front() {
        Some(next) if next.call == call => {}
        Some(next) => return Err(format!("the test expects {} and not {call}", next.call)),
        None => return Err(format!("the test has no answer for {call}")),
    }
    let next = left
        .pop_front()
        .expect("it is the front that was looked at");
    Ok(Answered {
        status: next.status,
        headers: next.headers,
        body: next.body,
    })
}

impl Again {
    /// The answer to the first recorded call that asks the same. Most denials are made before anybody is asked, so one is
    /// given only if there is nothing else.
    fn answer(&mut self, asked: &Asked<'_>) -> Result<Answered, Unanswered> {
        let is_to = |call: &HttpExchange| call.method == asked.method && call.url == asked.url;
        let same = |call: &HttpExchange| is_to(call) && is_body(call.body.as_ref(), asked.body);
        let is_denied = |call: &HttpExchange| matches!(call.answer, HttpAnswer::Denied { .. });
        let mut calls = self.left.iter();
        let granted = calls.position(|call| same(call) && !is_denied(call));
        let Some(at) = granted.or_else(|| self.left.iter().position(same)) else {
            let call = format!("{} {}", asked.method, asked.url);
            return Err(Unanswered::Unreachable(if self.left.iter().any(is_to) {
                format!("the recording has {call} with another body")
            } else if self.missed > 0 {
                format!(
                    "the recording has no answer for {call}: it was full, and {} exchanges are missing",
                    self.missed
                )
            } else {
                format!("the recording has no answer for {call}")
            }));
        };
        let call = self.left.remove(at);
        self.now = self.now.after(Span(call.ms));
        match call.answer {
            HttpAnswer::Response { body, .. } if !body.is_whole() => {
                Err(Unanswered::Unreachable(format!(
                    "the recording has only {} of the {} bytes of this answer",
                    body.content.0.len(),
                    body.bytes
                )))
            }
            HttpAnswer::Response {
                status,
                headers,
                body,
            } => Ok(Answered {
                status,
                headers,
                body: body.content.0,
            }),
            HttpAnswer::Nothing if self.ran_out => Err(Unanswered::Never),
            HttpAnswer::Nothing => Err(Unanswered::Nothing),
            HttpAnswer::Denied { what, grant } => Err(Unanswered::Denied { what, grant }),
            HttpAnswer::Invalid(text) => Err(Unanswered::Invalid(text)),
            HttpAnswer::Timeout => Err(Unanswered::Timeout),
            HttpAnswer::Unreachable(text) => Err(Unanswered::Unreachable(text)),
            HttpAnswer::TooLarge(bytes) => Err(Unanswered::TooLarge(bytes)),
            HttpAnswer::HeadTooLarge(bytes) => Err(Unanswered::HeadTooLarge(bytes)),
        }
    }
}

fn ran_out(outcome: &Outcome) -> bool {
    let wall =
        |failure: &Failure| matches!(&failure.class, FailureClass::Limit(name) if name == "wall");
    matches!(outcome, Outcome::Failed { failure, .. } if wall(failure))
}

/// Whether a recorded body is what is sent now, as far as it is recorded.
fn is_body(recorded: Option<&Body>, sent: Option<&[u8]>) -> bool {
    match (recorded, sent) {
        (None, None) => true,
        (Some(recorded), Some(sent)) => {
            recorded.bytes == sent.len() as u64 && sent.starts_with(&recorded.content.0)
        }
        _ => false,
    }
}
