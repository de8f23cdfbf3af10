//! The commit, and what is done after it.

use std::mem;
use std::sync::Arc;

use fermata_core::id::ReleaseId;
use tracing::error;

use crate::driver::pending::Pending;
use crate::driver::{Driver, Mode};
use crate::error::Error;
use crate::feed::Committed;
use crate::metrics::Metrics;
use crate::shared::Condition;
use crate::timers::Timers;
use crate::wake::Action;

impl Driver {
    /// Commits everything that was decided since the last flush, then answers, tells watchers, and
    /// says what the world has to do. If the commit fails, all of it is answered `Unavailable` and
    /// nothing is accepted any more: whether the batch is on disk is for the next start to find out.
    pub fn flush(&mut self) -> Vec<Action> {
        self.tell_adopted();
        self.follow_up();
        let mut pending = mem::take(&mut self.pending);
        let batch = mem::take(&mut pending.batch);
        let committed: Vec<Committed> = batch
            .appends
            .iter()
            .map(|append| Committed {
                release: append.release,
                version: append.turn.next(),
                ended: false,
            })
            .collect();
        if !batch.appends.is_empty() || !batch.writes.is_empty() {
            let events = batch
                .appends
                .iter()
                .map(|append| append.turn.events.len())
                .sum();
            if let Err(error) = self.shared.store.commit(batch) {
                return self.fail(pending, &error);
            }
            let metrics = &self.shared.metrics;
            Metrics::add(&metrics.commits, 1);
            Metrics::add(&metrics.turns, committed.len());
            Metrics::add(&metrics.events, events);
        }
        self.settle(pending, committed)
    }

    fn settle(&mut self, pending: Pending, mut committed: Vec<Committed>) -> Vec<Action> {
        for (record, process) in pending.processes.into_values() {
            self.shared.catalog.published(record, process);
        }
        for entry in pending.components.into_values() {
            self.shared.catalog.registered(entry);
        }
        for (process, grants) in pending.script_grants {
            self.shared.catalog.scripts_granted(process, grants);
        }
        for (name, policy) in pending.policies {
            match policy {
                Some(record) => self.shared.catalog.policy_set(record),
                None => self.shared.catalog.policy_removed(&name),
            }
        }
        for entry in pending.definitions.into_values() {
            self.shared.catalog.defined(entry);
        }
        // Who has an answer finds what it changed in the inboxes.
        self.shared.inbox.follow(&pending.touched, |id| {
            let live = self.live.get(&id);
            live.map(|live| Arc::clone(&live.release))
        });
        self.show_notifiers();
        for reply in pending.replies {
            reply.send(self);
        }
        for id in pending.ended {
            let live = self.live.get(&id);
            if let Some(live) = live.filter(|live| live.release.has_ended()) {
                self.shared.metrics.ended(live.release.state().word());
                committed.push(Committed {
                    release: id,
                    version: live.release.version(),
                    ended: true,
                });
            }
        }
        for id in pending.settled.into_iter().chain(pending.closed) {
            self.close(id);
        }
        self.shared.feed.publish(&committed);
        let mut actions = self.cancel(&pending.cancels);
        if self.mode == Mode::Accepting {
            let consults = pending.consults.into_iter();
            actions.extend(consults.map(|consult| Action::Consult(Box::new(consult))));
            self.begin_runs(&mut actions);
            self.begin_tries(&mut actions);
        }
        self.gauge();
        actions
    }

    /// Lets go of a release of which nothing is left to do.
    fn close(&mut self, id: ReleaseId) {
        let live = self.live.get(&id);
        if live.is_some_and(|live| live.release.is_settled())
            && let Some(live) = self.live.remove(&id)
        {
            self.shared.recent.insert(live.release);
        }
    }

    fn fail(&mut self, pending: Pending, error: &fermata_store::Error) -> Vec<Action> {
        error!(%error, "a commit failed; the engine takes nothing more until it is started again");
        let reason = format!("a commit failed: {error}");
        self.mode = Mode::Failed;
        self.shared.turn_to(Condition::Failed(reason.clone()));
        for reply in pending.replies {
            reply.refuse(Error::Unavailable(reason.clone()));
        }
        // What is in memory may be ahead of the disk or not: nobody may see it any more.
        self.live.clear();
        self.timers = Timers::default();
        self.dispatch.clear_waiting();
        self.questions.clear_waiting();
        self.shared.policies.clear();
        let going = self.dispatch.running().chain(self.questions.running());
        let actions = going.map(Action::Cancel).collect();
        self.gauge();
        actions
    }

    pub(super) fn gauge(&self) {
        let metrics = &self.shared.metrics;
        Metrics::set(&metrics.releases_open, self.live.len());
        Metrics::set(&metrics.runs_waiting, self.dispatch.waiting_count());
        Metrics::set(&metrics.runs_running, self.dispatch.running_count());
    }
}
