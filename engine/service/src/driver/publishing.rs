//! Requests about processes, components and small records.

use std::sync::Arc;

use fermata_core::component::{Descriptor, Grants, Pin, Version, World};
use fermata_core::limits::LOCK_CAPACITY_MAX;
use fermata_core::process::lock_name_fault;
use fermata_store::codec::encode;
use fermata_store::{Expect, Table, Write};

use crate::catalog::{ComponentEntry, DefinitionEntry};
use crate::driver::Driver;
use crate::error::{
    CapacityError, DefineError, Error, GrantsError, PublishError, RecordError, RegisterError,
};
use crate::keys;
use crate::records::{ComponentRecord, DefinitionRecord, ProcessRecord};
use crate::request::{Defined, Published, Registered};
use crate::wake::{Define, Grant, Publish, Register, SetCapacity};

impl Driver {
    /// Sets how many may hold a lock at a time.
    pub(super) fn capacity_set(&mut self, set: SetCapacity) -> Result<(), CapacityError> {
        let SetCapacity { lock, capacity } = set;
        if let Some(fault) = lock_name_fault(&lock) {
            return Err(CapacityError::Invalid(fault));
        }
        if !(1..=LOCK_CAPACITY_MAX).contains(&capacity) {
            let fault = format!("the capacity of a lock is from 1 to {LOCK_CAPACITY_MAX}");
            return Err(CapacityError::Invalid(fault));
        }
        let key = keys::lock(&lock);
        if capacity == 1 {
            self.pending.delete(Table::Meta, key);
        } else {
            self.pending.put(Table::Meta, key, encode(&capacity));
        }
        self.set_capacity(&lock, capacity);
        Ok(())
    }

    /// Makes a document the next version of its process, unless it is the newest already.
    pub(super) fn publish(&mut self, publish: Publish) -> Result<Published, PublishError> {
        let Publish {
            by,
            process,
            checked_with,
            document,
        } = publish;
        let name = &process.name;
        let pending = self
            .pending
            .processes
            .get(name)
            .map(|(record, _)| Arc::clone(record));
        let newest = pending.or_else(|| self.shared.catalog.newest(name));
        if let Some(record) = newest
            .clone()
            .filter(|record| record.digest == process.digest)
        {
            return Ok(Published {
                record,
                repeated: true,
                warnings: Vec::new(),
            });
        }
        // Somebody may have removed a component after the document was checked with it.
        if let Some(gone) = checked_with
            .iter()
            .find(|pinned| !self.is_registered(&pinned.pin))
        {
            return Err(PublishError::ComponentGone(gone.uses.clone()));
        }
        let count = |len| u32::try_from(len).expect("a process has at most ACTIVITIES_MAX nodes");
        let record = Arc::new(ProcessRecord {
            name: name.clone(),
            version: newest.map_or(0, |newest| newest.version) + 1,
            digest: process.digest,
            title: process.title.clone(),
            phases: count(process.phases.len()),
            activities: count(process.activities.len()),
            published_at: self.now,
            published_by: by.actor,
            checked_with,
        });
        let stored = encode(&*record);
        self.pending
            .put(Table::Blobs, keys::blob(&record.digest), document);
        self.pending
            .put(Table::Processes, keys::process_head(name), stored.clone());
        self.pending.put(
            Table::Processes,
            keys::process_version(name, record.version),
            stored,
        );
        self.pending
            .processes
            .insert(record.name.clone(), (Arc::clone(&record), process));
        Ok(Published {
            record,
            repeated: false,
            warnings: Vec::new(),
        })
    }

    fn is_registered(&self, pin: &Pin) -> bool {
        let key = (pin.name.clone(), pin.version);
        self.pending.components.contains_key(&key)
            || self.pending.definitions.contains_key(&key)
            || self.shared.catalog.registered_as(pin).is_some()
    }

    /// Takes a version of a definition into the registry.
    pub(super) fn define(&mut self, define: Define) -> Result<Defined, DefineError> {
        let Define {
            by,
            definition,
            checked_with,
            document,
        } = define;
        let key = (definition.name.clone(), definition.version);
        let pending = self.pending.definitions.get(&key).cloned();
        let known = pending.or_else(|| self.shared.catalog.definition(&key.0, key.1));
        if let Some(entry) = known {
            if entry.record.digest != definition.digest {
                let found = entry.record.digest;
                return Err(DefineError::VersionExists { found });
            }
            return Ok(Defined {
                entry,
                repeated: true,
            });
        }
        let mut pending = self.pending.components.keys();
        if pending.any(|(name, _)| *name == key.0)
            || !self.shared.catalog.component(&key.0).is_empty()
        {
            return Err(DefineError::NameTaken);
        }
        if let Some(gone) = checked_with
            .iter()
            .find(|pinned| !self.is_registered(&pinned.pin))
        {
            return Err(DefineError::ComponentGone(gone.uses.clone()));
        }
        let record = DefinitionRecord {
            name: definition.name.clone(),
            version: definition.version,
            digest: definition.digest,
            title: definition.title.clone(),
            published_at: self.now,
            published_by: by.actor,
            checked_with,
        };
        self.pending
            .put(Table::Blobs, keys::blob(&record.digest), document);
        let place = keys::definition(&record.name, record.version);
        self.pending.put(Table::Processes, place, encode(&record));
        let entry = Arc::new(DefinitionEntry { record, definition });
        self.pending.definitions.insert(key, Arc::clone(&entry));
        Ok(Defined {
            entry,
            repeated: false,
        })
    }

    /// Takes a component version into the registry.
    pub(super) fn register(&mut self, register: Register) -> Result<Registered, RegisterError> {
        let Register {
            by,
            descriptor,
            digest,
            size,
        } = register;
        if let Some(record) = self.shared.catalog.quarantine(&digest) {
            return Err(RegisterError::Quarantined(Box::new(record)));
        }
        let key = (descriptor.name.clone(), descriptor.version);
        let pending = self.pending.components.get(&key).cloned();
        let known = pending.or_else(|| self.shared.catalog.version(&key.0, key.1));
        match known {
            Some(entry) if entry.digest == digest => {
                return Ok(Registered {
                    entry,
                    repeated: true,
                });
            }
            Some(entry) => {
                return Err(RegisterError::VersionExists {
                    found: entry.digest,
                });
            }
            None => {}
        }
        let mut defined = self.pending.definitions.keys();
        if defined.any(|(name, _)| *name == key.0)
            || !self.shared.catalog.definition_versions(&key.0).is_empty()
        {
            return Err(RegisterError::NameTaken);
        }
        if let Some((version, other)) = self.of_other_world(&descriptor) {
            return Err(RegisterError::OtherWorld {
                name: descriptor.name,
                version,
                world: descriptor.world,
                other,
            });
        }
        let count = self.shared.catalog.components_count() + self.pending.components.len();
        if count >= self.config.components_max {
            return Err(Error::Busy("component versions").into());
        }
        let entry = Arc::new(ComponentEntry {
            descriptor,
            digest,
            size,
            grants: Arc::new(Grants::default()),
            revision: 0,
            registered_at: self.now,
            registered_by: by.actor,
            deprecated: None,
        });
        self.keep(&entry);
        Ok(Registered {
            entry,
            repeated: false,
        })
    }

    /// A version of the same component that is of another world than this one.
    fn of_other_world(&self, descriptor: &Descriptor) -> Option<(Version, World)> {
        let mut pending = self.pending.components.values();
        let pending = pending.find_map(|entry| {
            let other = &entry.descriptor;
            let differs = other.name == descriptor.name && other.world != descriptor.world;
            differs.then_some((other.version, other.world))
        });
        pending.or_else(|| self.shared.catalog.of_other_world(descriptor))
    }

    /// Sets what a component version may do; runs that have begun keep what they had.
    pub(super) fn grant(&mut self, grant: Grant) -> Result<Arc<ComponentEntry>, GrantsError> {
        let key = (grant.name, grant.version);
        let pending = self.pending.components.get(&key).cloned();
        let known = pending.or_else(|| self.shared.catalog.version(&key.0, key.1));
        let known = known.ok_or(GrantsError::Unknown)?;
        let found = known.revision;
        if let Some(expected) = grant.expected.filter(|expected| *expected != found) {
            return Err(GrantsError::Stale { expected, found });
        }
        let mut entry = ComponentEntry::clone(&known);
        entry.grants = Arc::new(grant.grants);
        entry.revision += 1;
        let entry = Arc::new(entry);
        self.keep(&entry);
        Ok(entry)
    }

    fn keep(&mut self, entry: &Arc<ComponentEntry>) {
        let descriptor = &entry.descriptor;
        let key = keys::component(&descriptor.name, descriptor.version);
        self.pending.put(
            Table::Components,
            key,
            encode(&ComponentRecord::from(&**entry)),
        );
        let key = (descriptor.name.clone(), descriptor.version);
        self.pending.components.insert(key, Arc::clone(entry));
    }

    /// Writes small records, all or none.
    pub(super) fn write(&mut self, writes: Vec<Write>) -> Result<(), RecordError> {
        for write in writes.iter().filter(|write| write.expect == Expect::Absent) {
            // A batch that the store refuses would take everybody else's turns with it: so look first.
            let key = (write.table, write.key.clone());
            let present = if let Some(present) = self.pending.records.get(&key) {
                *present
            } else {
                let found = self.shared.store.get(write.table, &write.key);
                found.map_err(Error::from)?.is_some()
            };
            if present {
                return Err(RecordError::Exists);
            }
        }
        for write in &writes {
            let key = (write.table, write.key.clone());
            self.pending.records.insert(key, write.value.is_some());
        }
        self.pending.batch.writes.extend(writes);
        Ok(())
    }
}
