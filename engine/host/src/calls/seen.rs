//! What the host saw of the calls of a run. Several may end at the same time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::calls::Calls;
use crate::egress::Denial;

/// What the host saw of the calls of a run.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    calls: u64,
    last: Option<String>,
    /// The last denial, and the number of the call that it is about.
    denial: Option<(u64, Denial)>,
    response_bytes: u64,
    unread: u64,
    notes: Vec<String>,
}

impl Seen {
    /// Counts a call, and gives its number.
    pub(super) fn begin(&self) -> u64 {
        let mut state = self.state();
        state.calls += 1;
        state.calls
    }

    pub(super) fn answered(&self, number: u64, bytes: usize, told: String) {
        let mut state = self.state();
        state.last = Some(told);
        state.response_bytes = state.response_bytes.max(bytes as u64);
        // A later call that got through shows that the guest found another way.
        if state.denial.as_ref().is_some_and(|(of, _)| *of < number) {
            state.denial = None;
        }
    }

    pub(super) fn unanswered(&self, told: String) {
        self.state().last = Some(told);
    }

    pub(super) fn denied(&self, number: u64, denial: Denial) {
        self.state().denial = Some((number, denial));
    }

    /// Calls so far.
    pub(crate) fn count(&self) -> u64 {
        self.state().calls
    }

    /// The last call that ended, and how.
    pub(crate) fn last(&self) -> Option<String> {
        self.state().last.clone()
    }

    /// A denial after which no call got through.
    pub(crate) fn denial(&self) -> Option<Denial> {
        self.state()
            .denial
            .as_ref()
            .map(|(_, denial)| denial.clone())
    }

    /// Bytes of the largest answer.
    pub(crate) fn response_bytes(&self) -> u64 {
        self.state().response_bytes
    }

    /// Keeps a line for the log, which is where only the run itself can write.
    pub(crate) fn note(&self, line: String) {
        self.state().notes.push(line);
    }

    /// The lines that were kept.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().notes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of an answer that the host keeps until the guest has read them.
#[derive(Debug)]
pub(crate) struct Unread {
    calls: Arc<Calls>,
    bytes: u64,
}

impl Unread {
    /// Room for so many bytes, if there would be no more than `most` then.
    pub(crate) fn of(calls: &Arc<Calls>, bytes: usize, most: u64) -> Option<Self> {
        let bytes = bytes as u64;
        let mut state = calls.seen().state();
        let unread = state.unread.saturating_add(bytes);
        if unread > most {
            return None;
        }
        state.unread = unread;
        drop(state);
        Some(Self {
            calls: Arc::clone(calls),
            bytes,
        })
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.calls.seen().state().unread -= self.bytes;
    }
}
