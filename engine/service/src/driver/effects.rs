//! Records that follow from a turn and are committed with it: the list of releases, the ledger, logs.

use serde_json::Value;
use tracing::warn;

use fermata_core::attempt::{AttemptKey, Evidence, LogLine};
use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, Turn};
use fermata_store::Table;
use fermata_store::codec::encode;

use crate::driver::Driver;
use crate::keys;
use crate::records::{self, LedgerEntry, ReleaseSummary, RunLog};

/// The kind of evidence that the ledger is made of.
const DEPLOYMENT: &str = "deployment";

impl Driver {
    /// Writes what lists and ledger show differently after the turn.
    pub(super) fn follow_records(&mut self, id: ReleaseId, turn: &Turn) {
        for (number, event) in (turn.first..).zip(&turn.events) {
            if let Event::EvidenceRecorded { activity, evidence } = event
                && evidence.kind == DEPLOYMENT
            {
                self.deployed(id, number, *activity, evidence);
            }
        }
        if turn.events.iter().any(is_listed) {
            let release = &self
                .live
                .get(&id)
                .expect("a turn is of a release that is open")
                .release;
            let summary = ReleaseSummary::of(release);
            self.pending
                .put(Table::Releases, keys::release(id), encode(&summary));
        }
        self.follow_end(id, turn);
    }

    /// A release that has ended stays in memory while something of it is left to do.
    fn follow_end(&mut self, id: ReleaseId, turn: &Turn) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let (has_ended, is_settled) = (live.release.has_ended(), live.release.is_settled());
        if turn.events.iter().any(goes_back) && !has_ended {
            // It may have ended before: from now on a start finds it again.
            self.pending
                .put(Table::Open, keys::release(id), encode(&()));
        }
        let ended = turn.events.iter().any(|e| matches!(e, Event::Ended { .. }));
        if ended {
            self.pending.ended.push(id);
            self.timers.arm(id, None);
        }
        if is_settled && (ended || turn.events.iter().any(settles)) {
            self.pending.delete(Table::Open, keys::release(id));
            self.pending.settled.push(id);
        }
    }

    fn deployed(&mut self, id: ReleaseId, number: u64, activity: ActivityIx, evidence: &Evidence) {
        let fact = evidence.fact.value();
        let (Some(environment), Some(service), Some(version)) = (
            name(&fact, "environment"),
            name(&fact, "service"),
            name(&fact, "version"),
        ) else {
            let release = id;
            warn!(%release, "a deployment without environment, service and version is not in the ledger");
            return;
        };
        let key = keys::ledger_entry(environment, service);
        let release = &self
            .live
            .get(&id)
            .expect("a turn is of a release that is open")
            .release;
        let entry = encode(&LedgerEntry {
            environment: environment.to_owned(),
            service: service.to_owned(),
            version: version.to_owned(),
            replaced: self.deployed_now(&key),
            release: id,
            process: release.process_ref().clone(),
            activity: release.process().path(activity),
            at: self.now,
            fact: evidence.fact.clone(),
        });
        let history = keys::ledger_history(environment, service);
        let event = keys::ledger_event(&history, self.now, id, number);
        self.pending.put(Table::Ledger, event, entry.clone());
        self.pending.put(Table::Ledger, key.clone(), entry);
        self.pending.ledger.insert(key, version.to_owned());
    }

    fn deployed_now(&self, key: &[u8]) -> Option<String> {
        if let Some(version) = self.pending.ledger.get(key) {
            return Some(version.clone());
        }
        // A ledger that cannot be read says less; the commit will fail of itself if the disk is broken.
        let stored = self.shared.store.get(Table::Ledger, key).ok()??;
        let entry: LedgerEntry = records::read(&stored, "a ledger entry").ok()?;
        Some(entry.version)
    }

    /// Keeps what a run logged.
    pub(super) fn keep_log(&mut self, key: AttemptKey, lines: Vec<LogLine>) {
        if lines.is_empty() {
            return;
        }
        let log = RunLog {
            run: key.run,
            ended_at: self.now,
            lines,
        };
        self.pending.put(Table::Logs, keys::log(key), encode(&log));
    }
}

fn goes_back(event: &Event) -> bool {
    matches!(event, Event::RollbackStarted { .. })
}

/// Whether something that was left to do after the end may be done.
fn settles(event: &Event) -> bool {
    matches!(
        event,
        Event::ReviewClosed { .. } | Event::RootCauseClosed { .. }
    )
}

/// Whether lists show a release differently after the event.
fn is_listed(event: &Event) -> bool {
    matches!(
        event,
        Event::Created { .. }
            | Event::Started { .. }
            | Event::Paused { .. }
            | Event::Resumed
            | Event::Aborted { .. }
            | Event::Ended { .. }
            | Event::RollbackStarted { .. }
    )
}

/// A field that can be part of a ledger key.
fn name<'a>(fact: &'a Value, field: &str) -> Option<&'a str> {
    let text = fact.get(field)?.as_str()?;
    let fits = (1..=keys::LEDGER_NAME_BYTES_MAX).contains(&text.len()) && !text.contains('\0');
    fits.then_some(text)
}
