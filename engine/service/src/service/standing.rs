//! What is said about component versions: which should not be used any more, and which must not run.

use std::sync::Arc;

use fermata_core::actor::Caller;
use fermata_core::component::{Pin, Version};
use fermata_core::id::{Digest, Name};

use crate::catalog::{ComponentEntry, Notice};
use crate::error::{DeprecateError, Error, QuarantineError};
use crate::records::QuarantineRecord;
use crate::request::{Page, Paged};
use crate::service::Service;
use crate::service::lists::page_limit;
use crate::wake::{Deprecate, Quarantine, Request};

impl Service {
    /// Says that a component version should not be used any more, with a `notice`, or that it may.
    pub async fn deprecate(
        &self,
        caller: Caller,
        (name, version): (Name, Version),
        notice: Option<String>,
    ) -> Result<Arc<ComponentEntry>, DeprecateError> {
        let deprecate = Deprecate {
            by: caller,
            name,
            version,
            notice,
        };
        self.ask(|answer| Request::Deprecate(Box::new(deprecate), answer))
            .await?
    }

    /// Puts a digest into quarantine, whether a component with it is registered or not. When this is
    /// answered, nothing runs it any more and every release that wanted to holds.
    pub async fn quarantine(
        &self,
        caller: Caller,
        digest: Digest,
        reason: String,
    ) -> Result<QuarantineRecord, QuarantineError> {
        self.ask_quarantine(Quarantine {
            by: caller,
            digest,
            begins: true,
            reason,
        })
        .await
    }

    /// Lifts the quarantine of a digest. Activities that it held are tried again by people.
    pub async fn lift_quarantine(
        &self,
        caller: Caller,
        digest: Digest,
        reason: String,
    ) -> Result<QuarantineRecord, QuarantineError> {
        self.ask_quarantine(Quarantine {
            by: caller,
            digest,
            begins: false,
            reason,
        })
        .await
    }

    async fn ask_quarantine(
        &self,
        quarantine: Quarantine,
    ) -> Result<QuarantineRecord, QuarantineError> {
        self.ask(|answer| Request::Quarantine(Box::new(quarantine), answer))
            .await?
    }

    /// The quarantine of a digest, if one goes on.
    pub fn quarantine_of(&self, digest: &Digest) -> Option<QuarantineRecord> {
        self.shared.catalog.quarantine(digest)
    }

    /// Every quarantine there ever was, the newest first.
    pub fn quarantines(&self, page: &Page) -> Result<Paged<QuarantineRecord>, Error> {
        let all = self.shared.catalog.quarantines();
        let begin = match &page.cursor {
            None => 0,
            Some(cursor) => {
                let mut places = all.iter().map(place);
                let at = places.position(|place| place == *cursor);
                at.ok_or(Error::Malformed("cursor"))? + 1
            }
        };
        let end = all.len().min(begin + page_limit(page));
        let is_last = end == all.len();
        let items = all[begin..end].to_vec();
        let next = items.last().filter(|_| !is_last).map(place);
        Ok(Paged { items, next })
    }

    /// The component version with these bytes, if it is registered.
    pub fn component_with(&self, digest: &Digest) -> Option<Arc<ComponentEntry>> {
        self.shared.catalog.with_digest(digest)
    }

    /// The highest version of a component below `version`.
    pub fn component_before(&self, name: &Name, version: Version) -> Option<Arc<ComponentEntry>> {
        let versions = self.shared.catalog.component(name).into_iter();
        versions
            .rev()
            .find(|entry| entry.descriptor.version < version)
    }

    /// What people should know about pinned components, those behind definitions included.
    pub fn notices<'a>(&self, pins: impl Iterator<Item = &'a Pin>) -> Vec<Notice> {
        self.shared.catalog.notices(pins)
    }
}

/// Names a quarantine in a cursor.
fn place(record: &QuarantineRecord) -> String {
    format!("{}-{}", record.at.0, record.digest.hex())
}
