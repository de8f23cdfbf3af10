//! Running a recorded attempt again, and telling whether it ends the same way.

use std::sync::Arc;

use fermata_core::attempt::{AttemptKey, Invocation, Outcome, Ran};
use fermata_core::component::Pin;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::process::ActivityIx;
use fermata_core::recording::{Exchange, HttpExchange, RecordedAttempt, RecordedRun};
use serde::Serialize;
use serde_json::Value;

use super::{Trial, ended};
use crate::recording::Document;

/// What came of running an attempt again.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    /// Whether all runs ended the same way.
    pub(crate) same: bool,
    /// The component that was recorded.
    pub(crate) recorded: Pin,
    /// The component that ran now.
    pub(crate) replayed: Pin,
    /// Up to the first that ended differently.
    pub(crate) runs: Vec<Compared>,
    /// Runs behind that one.
    pub(crate) left_out: usize,
}

/// One run, as it was and as it is now.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    /// 1 for the first run of the attempt.
    pub(crate) run: u32,
    /// Whether it ended the same way, byte for byte.
    pub(crate) same: bool,
    /// How it ended then.
    pub(crate) recorded: Value,
    /// How it ends now.
    pub(crate) replayed: Value,
    /// The first exchange with the host that is not as it was.
    pub(crate) exchange: Option<Difference>,
    /// Exchanges that the recording had no room for.
    pub(crate) missed: u64,
    /// Whether it got other inputs than then, since secrets were taken out of them.
    pub(crate) redacted: bool,
    /// What it logged now.
    pub(crate) log: Vec<String>,
}

/// Where two lists of exchanges part.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// 1 for the first exchange.
    pub(crate) number: usize,
    /// What it was then; nothing if there was none.
    pub(crate) recorded: Option<Exchange>,
    /// What it is now.
    pub(crate) replayed: Option<Exchange>,
}

impl Trial {
    /// Runs a recorded attempt again.
    pub(crate) async fn replay(&self, document: &Document) -> Verdict {
        let mut runs = Vec::new();
        for run in &document.runs {
            let ran = self.again(&document.attempt, run).await;
            let compared = compare(run, &ran);
            let same = compared.same;
            runs.push(compared);
            if !same {
                break;
            }
        }
        Verdict {
            same: runs.iter().all(|run| run.same),
            recorded: document.attempt.component.clone(),
            replayed: self.pin(),
            left_out: document.runs.len() - runs.len(),
            runs,
        }
    }

    async fn again(&self, attempt: &RecordedAttempt, run: &RecordedRun) -> Ran {
        self.desk.again(run);
        let invocation = Invocation {
            key: AttemptKey {
                release: attempt.release,
                activity: ActivityIx(0),
                attempt: attempt.attempt,
                run: run.run,
            },
            component: self.pin(),
            process: attempt.process.clone(),
            phase: attempt.phase.clone(),
            activity: attempt.activity.clone(),
            call: attempt.call.clone(),
            number: attempt.number,
            idempotency_key: attempt.idempotency_key.clone(),
            inputs: attempt.inputs.clone(),
            checkpoint: run
                .checkpoint
                .as_ref()
                .map(|checkpoint| checkpoint.0.clone()),
            signal: run.signal.clone(),
            wall: run.wall,
            now: run.now,
        };
        self.sandbox
            .run(invocation, Arc::new(run.grants.clone()))
            .await
    }
}

fn compare(run: &RecordedRun, ran: &Ran) -> Compared {
    let exchanges = ran.recording.as_ref().map(|kept| &kept.run.exchanges);
    let exchanges = exchanges.map_or(&[][..], Vec::as_slice);
    let ended_same = is_same(&run.outcome, &ran.report.outcome);
    Compared {
        run: run.run,
        same: ended_same && run.evidence == ran.report.evidence,
        recorded: ended(run.outcome.clone()),
        replayed: ended(ran.report.outcome.clone()),
        exchange: parting(&run.exchanges, exchanges, run.missed > 0),
        missed: run.missed,
        redacted: run.redacted,
        log: super::lines(&ran.log),
    }
}

/// Whether a run ended the same way. Where its time ran out is chance, so of such a failure only the kind counts.
fn is_same(recorded: &Outcome, replayed: &Outcome) -> bool {
    let timed = |failure: &Failure| matches!(&failure.class, FailureClass::Limit(name) if name == "cpu" || name == "wall");
    match (recorded, replayed) {
        (
            Outcome::Failed { failure, .. },
            Outcome::Failed {
                failure: now_failed,
                ..
            },
        ) if timed(failure) => {
            (&failure.class, &failure.message) == (&now_failed.class, &now_failed.message)
        }
        _ => without_last_call(recorded) == without_last_call(replayed),
    }
}

/// Which of several calls ended last is chance.
fn without_last_call(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    if let Outcome::Failed { failure, .. } = &mut outcome {
        failure.last_call = None;
    }
    outcome
}

/// Whether both are the same exchange, however long it took.
fn are_same(then: &Exchange, now: &Exchange) -> bool {
    match (then, now) {
        (Exchange::Http(then), Exchange::Http(now)) => {
            let now = HttpExchange {
                ms: then.ms,
                ..now.clone()
            };
            *then == now
        }
        _ => then == now,
    }
}

/// Where two lists of exchanges part; not behind the end of a recording that was full.
fn parting(recorded: &[Exchange], replayed: &[Exchange], was_full: bool) -> Option<Difference> {
    let same = recorded.iter().zip(replayed);
    let at = same.take_while(|(then, now)| are_same(then, now)).count();
    let (then, now) = (recorded.get(at), replayed.get(at));
    if then.is_none() && (now.is_none() || was_full) {
        return None;
    }
    Some(Difference {
        number: at + 1,
        recorded: then.cloned(),
        replayed: now.cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(kind: &str) -> Exchange {
        Exchange::Evidence {
            kind: kind.into(),
            bytes: 2,
            refused: None,
        }
    }

    #[test]
    fn lists_part_at_the_first_difference() {
        let [a, b, c] = ["a", "b", "c"].map(fact);
        let number = |then: &[Exchange], now: &[Exchange], full| {
            parting(then, now, full).map(|difference| difference.number)
        };
        let two = [a.clone(), b.clone()];
        assert_eq!(number(&two, &two, false), None);
        assert_eq!(number(&two, &[a.clone(), c], false), Some(2));
        assert_eq!(number(&two, std::slice::from_ref(&a), false), Some(2));
        assert_eq!(number(std::slice::from_ref(&a), &two, false), Some(2));
        assert_eq!(number(&[a], &two, true), None);
        assert_eq!(number(&[], &[b], false), Some(1));
    }

    #[test]
    fn of_a_time_that_ran_out_only_the_kind_counts() {
        let failed = |class, frame: &str| {
            let mut failure = Failure::new(class, "m");
            failure.backtrace = vec![frame.to_owned()];
            Outcome::Failed {
                failure,
                retry_after: None,
            }
        };
        let limit = |name: &str| FailureClass::Limit(name.to_owned());
        for (class, same) in [(limit("cpu"), true), (limit("memory"), false)] {
            let (one, other) = (failed(class.clone(), "a"), failed(class, "b"));
            assert_eq!(is_same(&one, &other), same);
            assert!(is_same(&one, &one));
        }
        assert!(!is_same(
            &failed(limit("cpu"), "a"),
            &failed(limit("wall"), "a")
        ));
    }
}
