//! Runs: what a turn wants to begin and to drop, and what comes of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::{error, warn};

use fermata_core::actor::Caller;
use fermata_core::attempt::{AttemptKey, Invocation, Outcome, Ran, Report};
use fermata_core::component::Grants;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, Turn};
use fermata_core::release::input::What;
use fermata_core::time::Span;

use crate::driver::Driver;
use crate::driver::policies::must_ask;
use crate::driver::quarantine::is_quarantined;
use crate::driver::turns::TurnError;
use crate::metrics::Metrics;
use crate::wake::{Action, Run};

/// How much earlier than its deadline a run is to end by itself: then it can still say what it did,
/// while the release's own timer only knows that it was too late.
const WALL_LEAD_MAX: Span = Span(100);
/// The same as a part of short walls.
const WALL_LEAD_PART: u64 = 20;

impl Driver {
    /// Wants and drops the difference that an applied turn made.
    pub(super) fn follow_runs(&mut self, id: ReleaseId, turn: &Turn) {
        let live = self
            .live
            .get_mut(&id)
            .expect("a turn is of a release that is open");
        let mut touched: BTreeSet<ActivityIx> =
            turn.events.iter().filter_map(Event::activity).collect();
        let sweeping = |event: &Event| live.release.is_sweeping(event);
        if turn.events.iter().any(sweeping) {
            touched.extend(live.runs.keys().copied());
        }
        for activity in touched {
            let wanted = live.release.current_run(activity);
            let before = live.runs.get(&activity).copied();
            if wanted == before {
                continue;
            }
            if let Some(before) = before {
                live.runs.remove(&activity);
                live.begun.remove(&before);
                self.pending.cancels.push(before);
            }
            if let Some(key) = wanted {
                live.runs.insert(activity, key);
                if is_quarantined(&self.shared, &live.release, activity) {
                    self.barred.push(key);
                } else if !must_ask(&self.shared, &mut self.questions, &live.release, key) {
                    self.dispatch.want(key);
                }
            }
        }
    }

    /// Cancels those of `keys` that have a slot, or that policies are asked about.
    pub(super) fn cancel(&self, keys: &[AttemptKey]) -> Vec<Action> {
        let running = keys.iter().filter(|key| self.dispatch.is_running(**key));
        let mut actions: Vec<Action> = running.map(|key| Action::Cancel(*key)).collect();
        Metrics::add(&self.shared.metrics.runs_cancelled, actions.len());
        let asked = keys.iter().filter(|key| self.questions.is_asked(**key));
        actions.extend(asked.map(|key| Action::Cancel(*key)));
        actions
    }

    /// Begins what is in line, as far as there are slots.
    pub(super) fn begin_runs(&mut self, actions: &mut Vec<Action>) {
        while let Some(key) = self.dispatch.take_next() {
            let Some(live) = self.live.get_mut(&key.release) else {
                continue;
            };
            if live.runs.get(&key.activity) != Some(&key) {
                continue;
            }
            let Some(mut invocation) = live.release.invocation(key, self.now) else {
                self.quarantine(key.release, format!("{key:?} is wanted and cannot be run"));
                continue;
            };
            let lead = (invocation.wall.0 / WALL_LEAD_PART).min(WALL_LEAD_MAX.0);
            invocation.wall = Span(invocation.wall.0 - lead);
            let scripted = live.release.runs_script(key.activity);
            live.begun.insert(key);
            let grants = self.granted(&invocation, scripted);
            self.dispatch.started(key);
            self.shared.running.began(key);
            Metrics::add(&self.shared.metrics.runs_started, 1);
            actions.push(Action::Start(Box::new(Run { invocation, grants })));
        }
    }

    /// What a run may do: what was granted to the component, or if that interprets a script, to the process.
    fn granted(&self, invocation: &Invocation, scripted: bool) -> Arc<Grants> {
        let catalog = &self.shared.catalog;
        if scripted {
            return Arc::clone(&catalog.script_grants(&invocation.process).grants);
        }
        let pin = &invocation.component;
        let entry = catalog.version(&pin.name, pin.version);
        entry.map_or_else(Arc::default, |entry| Arc::clone(&entry.grants))
    }

    /// A run has ended by itself.
    pub(super) fn finished(&mut self, key: AttemptKey, ran: Ran) {
        self.gone(key);
        self.shared.metrics.finished(&ran.report);
        let succeeded = matches!(ran.report.outcome, Outcome::Succeeded(_));
        let what = What::AttemptFinished {
            key,
            report: ran.report,
        };
        match self.turn(key.release, Caller::engine(), what) {
            Ok(_) => {
                self.keep_log(key, ran.log);
                match ran.recording {
                    Some(recording) => self.keep_recording(key, &recording),
                    // Of its first run, nothing can have been kept.
                    None if succeeded && key.run > 1 => self.drop_recording(key),
                    None => {}
                }
            }
            Err(TurnError::Refused(refusal)) if self.is_current(key) => {
                // The result of the current run must count somehow, or the activity would never end.
                error!(?key, %refusal, "the result of a current run was refused");
                self.failed(key, &refusal.to_string());
            }
            Err(TurnError::Refused(_) | TurnError::NotOpen | TurnError::Quarantined(_)) => {
                Metrics::add(&self.shared.metrics.results_stale, 1);
            }
        }
    }

    /// Lets a wanted run fail instead of beginning, or in its midst.
    pub(super) fn refuse_run(&mut self, key: AttemptKey, failure: Failure) {
        let live = self.live.get(&key.release);
        let what = if live.is_some_and(|live| live.begun.contains(&key)) {
            let outcome = Outcome::Failed {
                failure,
                retry_after: None,
            };
            let report = Report {
                outcome,
                evidence: Vec::new(),
            };
            What::AttemptFinished { key, report }
        } else {
            What::AttemptTurnedAway { key, failure }
        };
        if let Err(TurnError::Refused(refusal)) = self.turn(key.release, Caller::engine(), what) {
            self.quarantine(key.release, format!("{key:?} cannot fail: {refusal}"));
        }
    }

    fn is_current(&self, key: AttemptKey) -> bool {
        let live = self.live.get(&key.release);
        live.is_some_and(|live| live.release.current_run(key.activity) == Some(key))
    }

    fn failed(&mut self, key: AttemptKey, why: &str) {
        let outcome = Outcome::Failed {
            failure: Failure::new(
                FailureClass::Engine,
                format!("the result could not be taken: {why}"),
            ),
            retry_after: None,
        };
        let report = Report {
            outcome,
            evidence: Vec::new(),
        };
        let what = What::AttemptFinished { key, report };
        if let Err(TurnError::Refused(refusal)) = self.turn(key.release, Caller::engine(), what) {
            self.quarantine(key.release, format!("{key:?} cannot fail: {refusal}"));
        }
    }

    /// A cancelled run is gone.
    pub(super) fn dropped(&mut self, key: AttemptKey) {
        if self.questions.is_asked(key) {
            return self.unasked(key);
        }
        self.gone(key);
        if self.is_current(key) && self.mode == super::Mode::Accepting {
            // Nobody but the driver cancels; should a run vanish all the same, it begins again.
            warn!(?key, "a run that is wanted was dropped");
            self.dispatch.want(key);
        }
    }

    fn gone(&mut self, key: AttemptKey) {
        if self.dispatch.ended(key) {
            self.shared.running.ended(key);
        }
    }
}
