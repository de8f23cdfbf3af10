//! A stream of what becomes true of one release.

use std::collections::VecDeque;
use std::sync::Arc;

use fermata_core::attempt::{AttemptKey, Progress};
use fermata_core::id::ReleaseId;
use fermata_core::release::event::{Event, Turn};

use crate::error::Error;
use crate::feed::Subscription;
use crate::shared::Shared;

/// Turns that a watcher reads at a time.
const TURNS_PER_READ: usize = 256;

/// Follows a release from some event on: first what is on disk, then what is committed. It reads at
/// its own pace and misses nothing.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    release: ReleaseId,
    subscription: Subscription,
    next: u64,
    read: VecDeque<Turn>,
    /// Whether there may be turns on disk of which no mark has told.
    behind: bool,
    ended: bool,
    beats: u64,
}

/// What a [`Watch`] sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A committed turn, without the events that the watcher had already.
    Turn(Turn),
    /// What the running attempts said last.
    Progress(Vec<(AttemptKey, Progress)>),
}

impl Watch {
    pub(crate) fn new(
        shared: Arc<Shared>,
        subscription: Subscription,
        release: ReleaseId,
        from: u64,
    ) -> Self {
        Self {
            shared,
            release,
            subscription,
            next: from,
            read: VecDeque::new(),
            behind: true,
            ended: false,
            beats: 0,
        }
    }

    /// The next thing to see; `None` once the release has ended and all of it was seen. Dropping
    /// the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Seen>, Error> {
        loop {
            if let Some(turn) = self.read.pop_front() {
                self.next = turn.next();
                self.ended = turn.events.iter().fold(self.ended, has_ended);
                return Ok(Some(Seen::Turn(turn)));
            }
            if self.ended && !self.behind {
                return Ok(None);
            }
            let mark = *self.subscription.marks.borrow_and_update();
            if self.behind || mark.version > self.next {
                self.read().await?;
                continue;
            }
            if mark.beats != self.beats {
                self.beats = mark.beats;
                return Ok(Some(Seen::Progress(self.shared.running.of(self.release))));
            }
            // The sender lives as long as the subscription.
            if self.subscription.marks.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        let (shared, release, next) = (Arc::clone(&self.shared), self.release, self.next);
        let read = move || shared.store.turns(release, next, TURNS_PER_READ);
        let mut turns: VecDeque<Turn> = blocking(read).await??.into();
        self.behind = turns.len() == TURNS_PER_READ;
        if let Some(first) = turns.front_mut().filter(|first| first.first < next) {
            let had = usize::try_from(next - first.first).expect("a turn's events fit in memory");
            first.events.drain(..had);
            first.first = next;
        }
        self.read = turns;
        Ok(())
    }
}

/// Whether nothing follows the event.
pub(crate) fn is_last(event: &Event) -> bool {
    matches!(event, Event::Ended { .. } | Event::Aborted { .. })
}

/// Whether the release has ended after the event. One that has ended may go back later.
fn has_ended(ended: bool, event: &Event) -> bool {
    match event {
        Event::RollbackStarted { .. } => false,
        event => ended || is_last(event),
    }
}

/// Runs a blocking read beside the tasks.
pub(crate) async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|_| Error::Unavailable("a read broke: this is a bug".to_owned()))
}
