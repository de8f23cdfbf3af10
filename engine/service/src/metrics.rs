//! What the engine has done since it was opened, and what it is at now.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use fermata_core::attempt::{Outcome, Report};

use crate::policies::Answer;

/// Counters that only grow, and gauges.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) turns: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) runs_started: AtomicU64,
    pub(crate) runs_cancelled: AtomicU64,
    pub(crate) results_stale: AtomicU64,
    pub(crate) refusals: AtomicU64,
    pub(crate) releases_created: AtomicU64,
    pub(crate) releases_open: AtomicU64,
    pub(crate) runs_waiting: AtomicU64,
    pub(crate) runs_running: AtomicU64,
    pub(crate) notifications_told: AtomicU64,
    pub(crate) notifications_delivered: AtomicU64,
    pub(crate) notification_tries_failed: AtomicU64,
    pub(crate) notifications_given_up: AtomicU64,
    pub(crate) notifications_dropped: AtomicU64,
    pub(crate) notifications_pending: AtomicU64,
    policies_asked: Mutex<BTreeMap<&'static str, u64>>,
    runs_finished: Mutex<BTreeMap<&'static str, u64>>,
    releases_ended: Mutex<BTreeMap<&'static str, u64>>,
}

/// The metrics at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsNow {
    /// Turns committed.
    pub turns: u64,
    /// Events committed.
    pub events: u64,
    /// Commits; turns divided by these is how many share one sync of the disk.
    pub commits: u64,
    /// Runs begun.
    pub runs_started: u64,
    /// Runs cancelled.
    pub runs_cancelled: u64,
    /// Runs ended, by `succeeded`, `pending` or the class of their failure.
    pub runs_finished: BTreeMap<&'static str, u64>,
    /// Answers of policies, by `allow`, `warn`, `deny` or `failed`.
    pub policies_asked: BTreeMap<&'static str, u64>,
    /// Results that came too late to count.
    pub results_stale: u64,
    /// Inputs refused.
    pub refusals: u64,
    /// Releases created.
    pub releases_created: u64,
    /// Releases ended, by how.
    pub releases_ended: BTreeMap<&'static str, u64>,
    /// Releases that have not ended.
    pub releases_open: u64,
    /// Runs that wait for a slot.
    pub runs_waiting: u64,
    /// Runs that have one.
    pub runs_running: u64,
    /// Requests that wait for the loop.
    pub requests_waiting: u64,
    /// Notifications that some notifier had to deliver, counted once for each.
    pub notifications_told: u64,
    /// Those that were delivered.
    pub notifications_delivered: u64,
    /// Tries that failed.
    pub notification_tries_failed: u64,
    /// Notifications that were given up, those that were dropped included.
    pub notifications_given_up: u64,
    /// Notifications that were given up since too many newer ones waited.
    pub notifications_dropped: u64,
    /// Notifications that are to be tried.
    pub notifications_pending: u64,
}

impl Metrics {
    /// Adds to a counter.
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Sets a gauge.
    pub(crate) fn set(gauge: &AtomicU64, count: usize) {
        gauge.store(count as u64, Ordering::Relaxed);
    }

    /// Counts a run that ended.
    pub(crate) fn finished(&self, report: &Report) {
        let class = match &report.outcome {
            Outcome::Succeeded(_) => "succeeded",
            Outcome::Pending { .. } => "pending",
            Outcome::Failed { failure, .. } => failure.class.code(),
        };
        *self
            .runs_finished
            .lock()
            .expect(UNPOISONED)
            .entry(class)
            .or_default() += 1;
    }

    /// Counts what policies said.
    pub(crate) fn judged(&self, answers: &[Answer]) {
        let mut asked = self.policies_asked.lock().expect(UNPOISONED);
        for answer in answers {
            *asked.entry(answer.word()).or_default() += 1;
        }
    }

    /// Counts a release that ended.
    pub(crate) fn ended(&self, outcome: &'static str) {
        *self
            .releases_ended
            .lock()
            .expect(UNPOISONED)
            .entry(outcome)
            .or_default() += 1;
    }

    /// All of them now.
    pub(crate) fn now(&self) -> MetricsNow {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MetricsNow {
            turns: read(&self.turns),
            events: read(&self.events),
            commits: read(&self.commits),
            runs_started: read(&self.runs_started),
            runs_cancelled: read(&self.runs_cancelled),
            runs_finished: self.runs_finished.lock().expect(UNPOISONED).clone(),
            policies_asked: self.policies_asked.lock().expect(UNPOISONED).clone(),
            results_stale: read(&self.results_stale),
            refusals: read(&self.refusals),
            releases_created: read(&self.releases_created),
            releases_ended: self.releases_ended.lock().expect(UNPOISONED).clone(),
            releases_open: read(&self.releases_open),
            runs_waiting: read(&self.runs_waiting),
            runs_running: read(&self.runs_running),
            requests_waiting: 0,
            notifications_told: read(&self.notifications_told),
            notifications_delivered: read(&self.notifications_delivered),
            notification_tries_failed: read(&self.notification_tries_failed),
            notifications_given_up: read(&self.notifications_given_up),
            notifications_dropped: read(&self.notifications_dropped),
            notifications_pending: read(&self.notifications_pending),
        }
    }
}

const UNPOISONED: &str = "nothing panics while it holds the lock";
