//! Requests with an idempotency key: the second gets what the first made.

use fermata_core::actor::Caller;
use fermata_core::id::ReleaseId;
use fermata_core::time::Span;
use fermata_store::codec::encode;
use fermata_store::{Scan, Table};

use crate::config::{ONCE_KEPT_MS, ONCE_KEY_BYTES_MAX};
use crate::driver::Driver;
use crate::error::{CreateError, Error, InputError};
use crate::keys;
use crate::records::{self, OnceRecord};
use crate::request::Once;

/// Outdated keys that each new one takes away: more than one, so that their number shrinks.
const FORGOTTEN_PER_NEW: usize = 2;

/// Why a key is no answer.
pub(super) enum OnceError {
    Reused,
    Error(Error),
}

impl From<fermata_store::Error> for OnceError {
    fn from(error: fermata_store::Error) -> Self {
        Self::Error(error.into())
    }
}

impl From<OnceError> for CreateError {
    fn from(error: OnceError) -> Self {
        match error {
            OnceError::Reused => Self::KeyReused,
            OnceError::Error(error) => Self::Error(error),
        }
    }
}

impl From<OnceError> for InputError {
    fn from(error: OnceError) -> Self {
        match error {
            OnceError::Reused => Self::KeyReused,
            OnceError::Error(error) => Self::Error(error),
        }
    }
}

impl Driver {
    /// The release that an earlier request with the same key was about.
    pub(super) fn repeated(
        &self,
        by: &Caller,
        once: Option<&Once>,
    ) -> Result<Option<ReleaseId>, OnceError> {
        let Some(once) = once else {
            return Ok(None);
        };
        let key = keys::once(&by.actor, &once.key);
        let known = match self.pending.once.get(&key) {
            Some(record) => Some(record.clone()),
            None => match self.shared.store.get(Table::Idempotency, &key)? {
                Some(bytes) => Some(records::read(&bytes, "an idempotency key")?),
                None => None,
            },
        };
        match known {
            Some(record) if record.fingerprint == once.fingerprint => Ok(Some(record.release)),
            Some(_) => Err(OnceError::Reused),
            None => Ok(None),
        }
    }

    /// Remembers what a request with a key was about, and forgets what is too old.
    pub(super) fn remember(&mut self, by: &Caller, once: Option<&Once>, release: ReleaseId) {
        let Some(once) = once else {
            return;
        };
        debug_assert!(once.key.len() <= ONCE_KEY_BYTES_MAX, "the caller bounds it");
        let key = keys::once(&by.actor, &once.key);
        let record = OnceRecord {
            fingerprint: once.fingerprint,
            release,
        };
        self.pending
            .put(Table::Idempotency, key.clone(), encode(&record));
        self.pending.put(
            Table::Idempotency,
            keys::once_age(self.now, &key),
            encode(&()),
        );
        self.pending.once.insert(key, record);
        self.forget_outdated();
    }

    fn forget_outdated(&mut self) {
        let scan = Scan {
            prefix: keys::ONCE_AGES.to_vec(),
            limit: FORGOTTEN_PER_NEW,
            ..Scan::default()
        };
        // Keys that stay a little longer do no harm.
        let oldest = self
            .shared
            .store
            .scan(Table::Idempotency, &scan)
            .unwrap_or_default();
        for (age, _) in oldest {
            let outdated = keys::of_once_age(&age)
                .filter(|(at, _)| at.after(Span(ONCE_KEPT_MS)) < self.now)
                .map(|(_, key)| key.to_vec());
            if let Some(key) = outdated {
                self.pending.delete(Table::Idempotency, key);
                self.pending.delete(Table::Idempotency, age);
            }
        }
    }
}
