//! What is to be told to people outside: a projection of the stored notifiers and deliveries, which a
//! start builds anew. Only the loop changes it.
//!
//! Each notifier has a line of its own, the oldest delivery first, and at most one try going on. What
//! failed is tried again after a wait, and until then the next ones go ahead of it; but first the
//! notifier rests, for a minute at most. So a receiver that is down is asked seldom and finds
//! everything in order when it is back, and one notification that never gets through holds up the
//! others for moments.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use fermata_core::id::Name;
use fermata_core::notification::Kind;
use fermata_core::pattern::Pattern;
use fermata_core::time::Timestamp;
use fermata_store::Store;

use crate::config::TRIES_GOING_MAX;
use crate::error::Error;
use crate::records::{DeliveryRecord, NotifierRecord, Standing};

mod line;
mod load;

pub(crate) use line::Line;
pub(crate) use load::load;

/// Every notifier with its line.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    lines: BTreeMap<Name, Line>,
    /// Number of the newest delivery there ever was, of any notifier.
    last: u64,
    /// The deliveries that are being tried, and whose they are.
    going: BTreeMap<u64, Name>,
    /// Whether it differs from what readers were shown.
    changed: bool,
}

/// A notifier and how it is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifierNow {
    /// As it was set.
    pub record: Arc<NotifierRecord>,
    /// Deliveries that are to be tried.
    pub pending: usize,
    /// How many tries have failed since the last that did not.
    pub failures: u32,
    /// What the last of them said.
    pub failure: Option<Arc<str>>,
    /// Deliveries that were given up since too many newer ones waited, since the engine was started.
    pub dropped: u64,
}

impl Outbox {
    /// Whether there is nobody to tell anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many notifiers there are.
    pub(crate) fn count(&self) -> usize {
        self.lines.len()
    }

    /// The notifier, as it was set.
    pub(crate) fn record(&self, name: &Name) -> Option<&Arc<NotifierRecord>> {
        self.lines.get(name).map(Line::record)
    }

    /// The notifiers, as they were set.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Arc<NotifierRecord>> {
        self.lines.values().map(Line::record)
    }

    /// Takes a notifier in, or how it was set anew: then everything that waits is tried at once, since
    /// somebody may have repaired it.
    pub(crate) fn set(&mut self, record: Arc<NotifierRecord>) {
        self.changed = true;
        if let Some(line) = self.lines.get_mut(&record.name) {
            line.set(record);
        } else {
            self.lines.insert(record.name.clone(), Line::new(record));
        }
    }

    /// Forgets a notifier; gives the numbers of all its deliveries.
    pub(crate) fn remove(&mut self, name: &Name) -> Vec<u64> {
        self.changed = true;
        let line = self.lines.remove(name);
        line.map(|line| line.numbers()).unwrap_or_default()
    }

    /// Whether anybody wants to be told of this kind; `process` if it is about a release.
    pub(crate) fn wants(&self, kind: Kind, process: Option<&Name>) -> bool {
        self.lines.values().any(|line| line.wants(kind, process))
    }

    /// Who wants to be told of this kind.
    pub(crate) fn wanting(&self, kind: Kind, process: Option<&Name>) -> Vec<Name> {
        let wanting = self.lines.iter();
        let wanting = wanting.filter(|(_, line)| line.wants(kind, process));
        wanting.map(|(name, _)| name.clone()).collect()
    }

    /// A number for a new delivery.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Takes a delivery in; gives what had to make room for it.
    pub(crate) fn put(&mut self, delivery: &DeliveryRecord) -> Room {
        self.changed = true;
        self.last = self.last.max(delivery.number);
        let Some(line) = self.lines.get_mut(&delivery.notifier) else {
            return Room::default();
        };
        match delivery.standing {
            Standing::Pending { tries, next_at, .. } if tries > 0 => {
                line.put_later(delivery.number, next_at);
            }
            Standing::Pending { .. } => line.put_ready(delivery.number),
            Standing::Delivered { .. } | Standing::GivenUp { .. } => {
                line.put_ended(delivery.number);
            }
        }
        line.make_room()
    }

    /// Says how a try ended that was going on, as its delivery stands now. Gives what makes room for it.
    pub(crate) fn tried(
        &mut self,
        delivery: &DeliveryRecord,
        rests_until: Option<Timestamp>,
    ) -> Room {
        let room = self.put(delivery);
        if let Some(line) = self.lines.get_mut(&delivery.notifier) {
            let failure = match &delivery.standing {
                Standing::Pending { failure, .. } => failure.as_ref(),
                Standing::GivenUp { failure, .. } => Some(failure),
                Standing::Delivered { .. } => None,
            };
            line.went(failure, rests_until);
        }
        room
    }

    /// How often tries of a notifier have failed in a row.
    pub(crate) fn failures(&self, name: &Name) -> u32 {
        self.lines.get(name).map_or(0, |line| line.failures)
    }

    /// Takes down that the try of a delivery has ended; whose it was.
    pub(crate) fn ended(&mut self, number: u64) -> Option<Name> {
        let name = self.going.remove(&number)?;
        let line = self.lines.get_mut(&name)?;
        line.ended(number).then_some(name)
    }

    /// Puts a delivery back whose try came to nothing, not even to a failure.
    pub(crate) fn put_back(&mut self, name: &Name, number: u64, at: Timestamp) {
        if let Some(line) = self.lines.get_mut(name) {
            line.put_later(number, at);
        }
    }

    /// How many tries go on.
    pub(crate) fn going_count(&self) -> usize {
        self.going.len()
    }

    /// When something can be tried that cannot be now; `None` if nothing waits, or every place is taken.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        if self.going.len() >= TRIES_GOING_MAX {
            return None;
        }
        self.lines.values().filter_map(Line::next).min()
    }

    /// What is to be tried now, as far as there are places: of each notifier one, the oldest first.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<(Name, u64)> {
        let places = TRIES_GOING_MAX.saturating_sub(self.going.len());
        let due: BTreeSet<(u64, Name)> = self
            .lines
            .iter_mut()
            .filter_map(|(name, line)| Some((line.due(now)?, name.clone())))
            .collect();
        let taken: Vec<(Name, u64)> = due
            .into_iter()
            .take(places)
            .map(|(number, name)| (name, number))
            .collect();
        for (name, number) in &taken {
            self.going.insert(*number, name.clone());
            if let Some(line) = self.lines.get_mut(name) {
                line.begin(*number);
            }
        }
        taken
    }

    /// How many deliveries are to be tried.
    pub(crate) fn pending_count(&self) -> usize {
        self.lines.values().map(Line::pending_count).sum()
    }

    /// How it differs from what is stored, if nothing waits to be committed.
    pub(crate) fn check(&self, store: &dyn Store) -> Result<Option<String>, Error> {
        let rebuilt = load(store)?;
        let numbers = |outbox: &Self| -> BTreeMap<Name, _> {
            let lines = outbox.lines.iter();
            lines
                .map(|(name, line)| (name.clone(), line.sets()))
                .collect()
        };
        let (kept, rebuilt) = (numbers(self), numbers(&rebuilt));
        Ok((kept != rebuilt).then(|| format!("kept {kept:?}; rebuilt {rebuilt:?}")))
    }

    /// What readers are shown, if that has changed.
    pub(crate) fn shown(&mut self) -> Option<BTreeMap<Name, NotifierNow>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let now = |(name, line): (&Name, &Line)| (name.clone(), line.now());
        Some(self.lines.iter().map(now).collect())
    }
}

/// Deliveries that go so that others have room.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// To be given up: too many newer ones wait.
    pub(crate) dropped: Option<u64>,
    /// How many were, since the engine was started.
    pub(crate) dropped_count: u64,
    /// To be forgotten: over, and so are many newer ones.
    pub(crate) forgotten: Vec<u64>,
}

/// The patterns in a record, which were patterns when it was written.
fn patterns(texts: &[String]) -> Vec<Pattern> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
