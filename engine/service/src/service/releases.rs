//! Reading one release.

use std::sync::Arc;
use std::time::Duration;

use fermata_core::actor::Caller;
use fermata_core::attempt::{AttemptKey, Progress};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::process::ActivityIx;
use fermata_core::release::Release;
use fermata_core::release::event::Turn;
use fermata_core::release::refusal::Refusal;
use fermata_store::{Scan, Table};

use crate::config::{PAGE_MAX, RECORDINGS_MAX, TURNS_PER_READ};
use crate::error::{Error, InputError};
use crate::history::{AttemptRecord, Attempts};
use crate::keys;
use crate::records::{self, AttemptRecording, RunLog};
use crate::recover;
use crate::request::{Ask, Command};
use crate::service::Service;
use crate::wake::Request;
use crate::watch::{Watch, blocking};

impl Service {
    /// A release as it is on disk.
    pub async fn release(&self, id: ReleaseId) -> Result<Option<Arc<Release>>, Error> {
        if let Some(release) = self.shared.recent.get(id) {
            return Ok(Some(release));
        }
        let open = match self.ask(|answer| Request::Read(id, answer)).await.flatten() {
            Ok(open) => open,
            // What is on disk can be read for as long as there is a disk.
            Err(Error::Unavailable(_) | Error::Stopping) => None,
            Err(error) => return Err(error),
        };
        if open.is_some() {
            return Ok(open);
        }
        if let Some(release) = self.shared.recent.get(id) {
            return Ok(Some(release));
        }
        let shared = Arc::clone(&self.shared);
        let loaded = blocking(move || recover::load(&shared, id))
            .await??
            .map(Arc::new);
        if let Some(release) = loaded.as_ref().filter(|release| release.is_settled()) {
            self.shared.recent.insert_read(Arc::clone(release));
        }
        Ok(loaded)
    }

    /// Hands a signal to the activity that waits for it. The same delivery may come again, and gets
    /// the same answer, even once the release has ended.
    pub async fn signal(
        &self,
        id: ReleaseId,
        activity: String,
        delivery: Digest,
        payload: Json,
    ) -> Result<Arc<Release>, InputError> {
        let ask = Ask {
            release: id,
            command: Command::Signal {
                activity: activity.clone(),
                delivery,
                payload,
            },
            expected: None,
            once: None,
        };
        let ended = match self.input(Caller::engine(), ask).await {
            Err(InputError::Refused(ended @ Refusal::Ended(_))) => ended,
            answer => return answer,
        };
        let release = self.release(id).await?;
        let release = release.ok_or(InputError::UnknownRelease)?;
        let activity = release.process().find(&activity);
        let received = activity.map_or(&[][..], |activity| release.signals(activity));
        let known = received.iter().any(|one| one.delivery == delivery);
        match received.is_empty() {
            _ if known => Ok(release),
            true => Err(InputError::Refused(ended)),
            false => Err(InputError::Refused(Refusal::AlreadySignalled)),
        }
    }

    /// The release once it has ended; as it is then if that takes longer than `within`.
    pub async fn wait_ended(
        &self,
        id: ReleaseId,
        within: Duration,
    ) -> Result<Option<Arc<Release>>, Error> {
        let mut subscription = self.shared.feed.subscribe(id)?;
        match self.release(id).await? {
            Some(release) if !release.has_ended() => {}
            settled => return Ok(settled),
        }
        let ended = subscription.marks.wait_for(|mark| mark.ended);
        drop(tokio::time::timeout(within, ended).await);
        self.release(id).await
    }

    /// Turns of a release, from the one that holds event number `from`.
    pub async fn turns(&self, id: ReleaseId, from: u64, limit: usize) -> Result<Vec<Turn>, Error> {
        let shared = Arc::clone(&self.shared);
        let limit = limit.clamp(1, PAGE_MAX);
        Ok(blocking(move || shared.store.turns(id, from, limit)).await??)
    }

    /// Follows a release from event number `from` on.
    pub fn watch(&self, id: ReleaseId, from: u64) -> Result<Watch, Error> {
        let subscription = self.shared.feed.subscribe(id)?;
        Ok(Watch::new(Arc::clone(&self.shared), subscription, id, from))
    }

    /// What the running attempts of a release said last.
    pub fn progress(&self, id: ReleaseId) -> Vec<(AttemptKey, Progress)> {
        self.shared.running.of(id)
    }

    /// The attempts of an activity, oldest first.
    pub async fn attempts(
        &self,
        id: ReleaseId,
        activity: ActivityIx,
    ) -> Result<Vec<AttemptRecord>, Error> {
        let shared = Arc::clone(&self.shared);
        let read = move || {
            let mut attempts = Attempts::new(activity);
            let mut next = 0;
            loop {
                let turns = shared.store.turns(id, next, TURNS_PER_READ)?;
                for turn in &turns {
                    attempts.read(turn);
                }
                match turns.last() {
                    Some(last) if turns.len() == TURNS_PER_READ => next = last.next(),
                    _ => return Ok(attempts.into_records()),
                }
            }
        };
        blocking(read).await?
    }

    /// What is recorded of an attempt; nothing if no run of it is.
    pub async fn recording(
        &self,
        id: ReleaseId,
        activity: ActivityIx,
        attempt: u32,
    ) -> Result<Option<AttemptRecording>, Error> {
        let scan = Scan {
            prefix: keys::attempt_recording(id, activity, attempt),
            limit: RECORDINGS_MAX + 1,
            ..Scan::default()
        };
        let shared = Arc::clone(&self.shared);
        let found = blocking(move || shared.store.scan(Table::Logs, &scan)).await??;
        // The first is what all runs have in common.
        let Some(((_, first), rest)) = found.split_first() else {
            return Ok(None);
        };
        let runs: Result<_, fermata_store::Error> = rest
            .iter()
            .map(|(_, run)| records::read(run, "the recording of a run"))
            .collect();
        Ok(Some(AttemptRecording {
            attempt: records::read(first, "the recording of an attempt")?,
            runs: runs?,
        }))
    }

    /// What an attempt logged, run by run.
    pub async fn logs(
        &self,
        id: ReleaseId,
        activity: ActivityIx,
        attempt: u32,
    ) -> Result<Vec<RunLog>, Error> {
        let scan = Scan {
            prefix: keys::attempt_logs(id, activity, attempt),
            limit: PAGE_MAX,
            ..Scan::default()
        };
        let shared = Arc::clone(&self.shared);
        let found = blocking(move || shared.store.scan(Table::Logs, &scan)).await??;
        found
            .iter()
            .map(|(_, value)| Ok(records::read(value, "a log")?))
            .collect()
    }
}
