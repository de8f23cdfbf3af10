//! A turn: decide and apply in memory, and put what became true into the batch.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tracing::{error, warn};

use fermata_core::actor::Caller;
use fermata_core::id::ReleaseId;
use fermata_core::release::event::Turn;
use fermata_core::release::input::{Input, What};
use fermata_core::release::refusal::Refusal;
use fermata_core::release::{Release, check, turn};
use fermata_core::time::Span;
use fermata_store::Append;

use crate::driver::Driver;
use crate::metrics::Metrics;

/// Activities of a release for which a turn may cost one check of all invariants: a check looks at
/// the whole graph, and a turn must not cost more than it changes.
const ACTIVITIES_PER_CHECK: u64 = 32;
/// How long a timer that changed nothing is left alone: a bug in the core must not become a busy loop.
const IDLE_TIMER: Span = Span(1_000);

/// Why an input made nothing true.
#[derive(Debug)]
pub(super) enum TurnError {
    /// There is no such open release.
    NotOpen,
    /// The state forbids it.
    Refused(Refusal),
    /// The release has been taken out of service, just now or before.
    Quarantined(String),
}

impl Driver {
    /// Decides `what` and applies it; whether anything became true.
    pub(super) fn turn(
        &mut self,
        id: ReleaseId,
        by: Caller,
        what: What,
    ) -> Result<bool, TurnError> {
        let Some(live) = self.live.get_mut(&id) else {
            return Err(match self.shared.quarantined(id) {
                Some(reason) => TurnError::Quarantined(reason),
                None => TurnError::NotOpen,
            });
        };
        let input = Input { by, what };
        let release = Arc::make_mut(&mut live.release);
        let now = self.now;
        match guarded(|| turn(release, &input, now)) {
            Err(panic) => {
                self.quarantine(id, panic.clone());
                Err(TurnError::Quarantined(panic))
            }
            Ok(Err(refusal)) => Err(TurnError::Refused(refusal)),
            Ok(Ok(turn)) if turn.events.is_empty() => Ok(false),
            Ok(Ok(turn)) => self.took(id, turn).map(|()| true),
        }
    }

    /// Puts an applied turn into the batch, with everything that follows from it outside the release.
    pub(super) fn took(&mut self, id: ReleaseId, turn: Turn) -> Result<(), TurnError> {
        let live = self
            .live
            .get_mut(&id)
            .expect("a turn is of a release that is open");
        live.turns += 1;
        if is_check_due(&live.release, live.turns, self.config.check_every)
            && let Some(violations) = violations(&live.release)
        {
            self.quarantine(id, violations.clone());
            return Err(TurnError::Quarantined(violations));
        }
        let wake_at = live.release.wake_at();
        self.timers.arm(id, wake_at);
        self.follow_runs(id, &turn);
        self.follow_others(id, &turn);
        self.follow_records(id, &turn);
        self.follow_notifiers(id, &turn);
        if let Some(live) = self.live.get(&id) {
            self.pending.touched.take(&live.release, &turn);
        }
        self.pending
            .batch
            .appends
            .push(Append { release: id, turn });
        self.tell_people(id)
    }

    /// Takes a release out of service: memory forgets it, the disk keeps what was committed.
    pub(super) fn quarantine(&mut self, id: ReleaseId, reason: String) {
        error!(release = %id, reason, "a release is quarantined: it takes no inputs until the engine is started again");
        self.shared.quarantine(id, reason);
        self.timers.arm(id, None);
        self.dispatch.forget(id);
        self.questions.forget(id);
        self.shared.inbox.forget(id);
        if let Some(live) = self.live.remove(&id) {
            self.forget_others(&live);
            self.pending.cancels.extend(live.runs.into_values());
        }
    }

    /// Lets every release that is due look at the time.
    pub(super) fn time_passed(&mut self) {
        for id in self.timers.take_due(self.now, self.config.batch_max) {
            self.keep_asked(id);
            let moved = match self.turn(id, Caller::engine(), What::TimePassed) {
                Ok(moved) => moved,
                Err(TurnError::Refused(refusal)) => {
                    warn!(release = %id, %refusal, "a timer was refused");
                    false
                }
                Err(TurnError::NotOpen | TurnError::Quarantined(_)) => continue,
            };
            if !moved && let Some(live) = self.live.get(&id) {
                let wake_at = live.release.wake_at();
                let earliest = self.now.after(IDLE_TIMER);
                let due = wake_at.filter(|at| *at <= self.now);
                self.timers.arm(id, due.map(|_| earliest).or(wake_at));
            }
        }
    }

    /// Counts a refusal.
    pub(super) fn refused(&self) {
        Metrics::add(&self.shared.metrics.refusals, 1);
    }
}

/// Whether turn number `turns` of the release is one after which its invariants are looked at.
fn is_check_due(release: &Release, turns: u64, every: u64) -> bool {
    let size = release.process().activities.len() as u64;
    turns.is_multiple_of(every.max(size / ACTIVITIES_PER_CHECK).max(1))
}

/// Everything that is wrong with the release, as one text.
pub(crate) fn violations(release: &Release) -> Option<String> {
    let found: Vec<String> = match guarded(|| check(release)) {
        Ok(found) => found.iter().map(ToString::to_string).collect(),
        Err(panic) => vec![panic],
    };
    (!found.is_empty()).then(|| found.join("; "))
}

/// Runs a function of the core; a panic is a bug there, and costs one release and not the engine.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| format!("a bug: {}", text(&*panic)))
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
