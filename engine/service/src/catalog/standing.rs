//! What is said about component versions: which should not be used any more, and which must not run.

use std::collections::BTreeMap;
use std::sync::Arc;

use fermata_core::component::{Pin, Version};
use fermata_core::id::{Digest, Name};
use fermata_store::{Store, Table};

use super::{Catalog, ComponentEntry, Registry, each};
use crate::error::Error;
use crate::keys;
use crate::records::{self, DeprecationRecord, QuarantineRecord};

/// Every quarantine there ever was, by digest, the oldest first; only the last one of each may go on.
pub(crate) type Quarantines = BTreeMap<Digest, Vec<QuarantineRecord>>;

/// Something that people should know about a component before they use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The component.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// What.
    pub kind: NoticeKind,
}

/// What people should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// It should not be used any more.
    Deprecated(Arc<DeprecationRecord>),
    /// It does not run.
    Quarantined(QuarantineRecord),
}

impl Catalog {
    /// The quarantine of a digest, if one goes on.
    pub(crate) fn quarantine(&self, digest: &Digest) -> Option<QuarantineRecord> {
        let registry = self.registry();
        let last = registry.quarantines.get(digest)?.last()?;
        last.is_on().then(|| last.clone())
    }

    /// Every quarantine there ever was, the newest first.
    pub(crate) fn quarantines(&self) -> Vec<QuarantineRecord> {
        let registry = self.registry();
        let mut all: Vec<_> = registry.quarantines.values().flatten().cloned().collect();
        all.sort_by_key(|record| std::cmp::Reverse((record.at, record.digest)));
        all
    }

    /// How many quarantines there ever were.
    pub(crate) fn quarantines_count(&self) -> usize {
        self.registry().quarantines.values().map(Vec::len).sum()
    }

    /// Takes a quarantine in, or how it ended.
    pub(crate) fn quarantined(&self, record: QuarantineRecord) {
        self.registry_mut().quarantine(record);
    }

    /// The component version with these bytes, if it is registered.
    pub(crate) fn with_digest(&self, digest: &Digest) -> Option<Arc<ComponentEntry>> {
        let registry = self.registry();
        let mut all = registry.components.values().flat_map(BTreeMap::values);
        all.find(|entry| entry.digest == *digest).cloned()
    }

    /// What people should know about pinned components, those behind definitions included.
    pub(crate) fn notices<'a>(&self, pins: impl Iterator<Item = &'a Pin>) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        for pin in pins {
            let behind = match self.definition(&pin.name, pin.version) {
                Some(definition) => {
                    self.of_pins(definition.record.checked_with.iter().map(|it| &it.pin))
                }
                None => self.of_pins(std::iter::once(pin)),
            };
            for notice in behind {
                if !notices.contains(&notice) {
                    notices.push(notice);
                }
            }
        }
        notices
    }

    fn of_pins<'a>(&self, pins: impl Iterator<Item = &'a Pin>) -> Vec<Notice> {
        let of_pin = |pin: &'a Pin| {
            let entry = self.version(&pin.name, pin.version);
            let deprecated = entry.and_then(|entry| entry.deprecated.clone());
            let quarantined = self.quarantine(&pin.digest);
            let kinds = [
                deprecated.map(NoticeKind::Deprecated),
                quarantined.map(NoticeKind::Quarantined),
            ];
            kinds.into_iter().flatten().map(|kind| Notice {
                name: pin.name.clone(),
                version: pin.version,
                kind,
            })
        };
        pins.flat_map(of_pin).collect()
    }
}

impl Registry {
    /// Reads what is said about component versions.
    pub(super) fn load_standing(&mut self, store: &dyn Store) -> Result<(), Error> {
        each(store, Table::Meta, keys::DEPRECATIONS, |value| {
            let record: DeprecationRecord = records::read(value, "a deprecation")?;
            let versions = self.components.get_mut(&record.name);
            if let Some(entry) = versions.and_then(|all| all.get_mut(&record.version)) {
                Arc::make_mut(entry).deprecated = Some(Arc::new(record));
            }
            Ok(())
        })?;
        each(store, Table::Meta, keys::QUARANTINES, |value| {
            self.quarantine(records::read(value, "a quarantine")?);
            Ok(())
        })
    }

    fn quarantine(&mut self, record: QuarantineRecord) {
        let of_digest = self.quarantines.entry(record.digest).or_default();
        of_digest.retain(|known| known.at != record.at);
        of_digest.push(record);
    }
}
