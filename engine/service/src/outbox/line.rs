//! The line of one notifier.

use super::patterns;
use super::{
    Arc, BTreeSet, Kind, Name, NotifierNow, NotifierRecord, Pattern, Room, Timestamp, VecDeque,
};
use crate::config::{DELIVERIES_KEPT_MAX, DELIVERIES_PENDING_MAX};
use fermata_core::failure::Failure;

/// A notifier, and its deliveries by number.
#[derive(Debug)]
pub(crate) struct Line {
    record: Arc<NotifierRecord>,
    on: Vec<Pattern>,
    processes: Vec<Pattern>,
    /// To be tried now.
    ready: BTreeSet<u64>,
    /// To be tried at an instant.
    later: BTreeSet<(Timestamp, u64)>,
    /// Being tried.
    going: Option<u64>,
    /// Over, the oldest first.
    over: VecDeque<u64>,
    /// Nothing is tried before this.
    rests_until: Option<Timestamp>,
    /// Tries that failed since the last that did not.
    pub(super) failures: u32,
    failure: Option<Arc<str>>,
    /// Deliveries that had to make room.
    dropped: u64,
}

impl Line {
    pub(super) fn new(record: Arc<NotifierRecord>) -> Self {
        Self {
            on: patterns(&record.on),
            processes: patterns(&record.processes),
            record,
            ready: BTreeSet::new(),
            later: BTreeSet::new(),
            going: None,
            over: VecDeque::new(),
            rests_until: None,
            failures: 0,
            failure: None,
            dropped: 0,
        }
    }

    pub(super) fn record(&self) -> &Arc<NotifierRecord> {
        &self.record
    }

    pub(super) fn set(&mut self, record: Arc<NotifierRecord>) {
        self.on = patterns(&record.on);
        self.processes = patterns(&record.processes);
        self.record = record;
        self.rests_until = None;
        self.failures = 0;
        self.failure = None;
        let later = std::mem::take(&mut self.later);
        self.ready
            .extend(later.into_iter().map(|(_, number)| number));
    }

    pub(super) fn wants(&self, kind: Kind, process: Option<&Name>) -> bool {
        let of_process = || match process {
            _ if self.processes.is_empty() => true,
            Some(name) => self.processes.iter().any(|it| it.matches(name.as_str())),
            // A list of processes chooses among what is about one.
            None => true,
        };
        self.record.enabled && self.on.iter().any(|it| it.matches(kind.word())) && of_process()
    }

    pub(super) fn put_ready(&mut self, number: u64) {
        self.ready.insert(number);
    }

    pub(super) fn put_later(&mut self, number: u64, at: Timestamp) {
        self.later.insert((at, number));
    }

    pub(super) fn put_ended(&mut self, number: u64) {
        self.over.push_back(number);
    }

    pub(super) fn pending_count(&self) -> usize {
        self.ready.len() + self.later.len() + usize::from(self.going.is_some())
    }

    /// Takes out what is too much. What is being tried is not dropped in its midst.
    pub(super) fn make_room(&mut self) -> Room {
        let mut room = Room::default();
        if self.pending_count() > DELIVERIES_PENDING_MAX {
            room.dropped = self.take_oldest();
            self.over.extend(room.dropped);
            self.dropped += 1;
            room.dropped_count = self.dropped;
        }
        while self.over.len() > DELIVERIES_KEPT_MAX {
            room.forgotten.extend(self.over.pop_front());
        }
        room
    }

    fn take_oldest(&mut self) -> Option<u64> {
        let later = self.later.iter().min_by_key(|(_, number)| *number).copied();
        let ready = self.ready.first().copied();
        match (later, ready) {
            (Some((at, later)), ready) if ready.is_none_or(|ready| later < ready) => {
                self.later.remove(&(at, later));
                Some(later)
            }
            _ => self.ready.pop_first(),
        }
    }

    /// Takes down how a try went.
    pub(super) fn went(&mut self, failure: Option<&Failure>, rests_until: Option<Timestamp>) {
        self.rests_until = rests_until;
        self.failure = failure.map(|failure| failure.to_string().into());
        self.failures = match failure {
            Some(_) => self.failures.saturating_add(1),
            None => 0,
        };
    }

    pub(super) fn ended(&mut self, number: u64) -> bool {
        let is_current = self.going == Some(number);
        if is_current {
            self.going = None;
        }
        is_current
    }

    pub(super) fn begin(&mut self, number: u64) {
        self.ready.remove(&number);
        self.going = Some(number);
    }

    /// When the next try can begin.
    pub(super) fn next(&self) -> Option<Timestamp> {
        if self.going.is_some() || !self.record.enabled {
            return None;
        }
        let now = Timestamp(i64::MIN);
        let due = if self.ready.is_empty() {
            self.later.first().map(|(at, _)| *at)
        } else {
            Some(now)
        };
        due.map(|due| due.max(self.rests_until.unwrap_or(now)))
    }

    /// The delivery to be tried at `now`: of those that are due, the oldest.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<u64> {
        while let Some((at, number)) = self.later.first().copied() {
            if at > now {
                break;
            }
            self.later.pop_first();
            self.ready.insert(number);
        }
        self.next().filter(|at| *at <= now)?;
        self.ready.first().copied()
    }

    pub(super) fn numbers(&self) -> Vec<u64> {
        let later = self.later.iter().map(|(_, number)| *number);
        let waiting = self.ready.iter().copied().chain(later);
        waiting
            .chain(self.going)
            .chain(self.over.iter().copied())
            .collect()
    }

    /// Numbers of what waits or is being tried, and of what is over.
    pub(super) fn sets(&self) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let later = self.later.iter().map(|(_, number)| *number);
        let waiting = self.ready.iter().copied().chain(later).chain(self.going);
        (waiting.collect(), self.over.iter().copied().collect())
    }

    pub(super) fn now(&self) -> NotifierNow {
        NotifierNow {
            record: Arc::clone(&self.record),
            pending: self.pending_count(),
            failures: self.failures,
            failure: self.failure.clone(),
            dropped: self.dropped,
        }
    }
}
