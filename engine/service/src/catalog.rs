//! Processes and components as the engine knows them: the registry in memory, documents read on demand.
//!
//! The registry changes only after a commit, and only by the loop; everybody may read it.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use fermata_core::actor::Actor;
use fermata_core::component::{Descriptor, Grants, Pin, Uses, Version, World};
use fermata_core::defect::Defect;
use fermata_core::id::{Digest, Name};
use fermata_core::process::validate::{reread, validate};
use fermata_core::process::{Process, ProcessRef};
use fermata_core::release::event::Pinned;
use fermata_core::time::Timestamp;
use fermata_store::{Scan, Store, Table};

use crate::error::Error;
use crate::keys;
use crate::process_cache::ProcessCache;
use crate::records::{self, ComponentRecord, DeprecationRecord, PolicyRecord, ProcessRecord};
use crate::request::Use;

mod definitions;
mod policies;
mod script_grants;
mod standing;

use policies::Points;

pub use definitions::DefinitionEntry;
use definitions::Lookup;
pub use script_grants::ScriptGrants;
pub(crate) use script_grants::record as script_grants_record;
use standing::Quarantines;
pub use standing::{Notice, NoticeKind};

/// One version of a component.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentEntry {
    /// What it says about itself.
    pub descriptor: Descriptor,
    /// Of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// What it may do.
    pub grants: Arc<Grants>,
    /// Counts how often the grants were set.
    pub revision: u64,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// By whom.
    pub registered_by: Actor,
    /// Why it should not be used any more, if so.
    pub deprecated: Option<Arc<DeprecationRecord>>,
}

impl ComponentEntry {
    /// Its name, version and digest.
    pub fn pin(&self) -> Pin {
        Pin {
            name: self.descriptor.name.clone(),
            version: self.descriptor.version,
            digest: self.digest,
        }
    }
}

/// All versions of one component.
pub(crate) type Versions = BTreeMap<Version, Arc<ComponentEntry>>;

#[derive(Debug, Default)]
struct Registry {
    components: BTreeMap<Name, Versions>,
    components_count: usize,
    definitions: BTreeMap<Name, BTreeMap<Version, Arc<DefinitionEntry>>>,
    newest: BTreeMap<Name, Arc<ProcessRecord>>,
    quarantines: Quarantines,
    script_grants: BTreeMap<Name, Arc<ScriptGrants>>,
    policies: BTreeMap<Name, Arc<PolicyRecord>>,
}

/// The registry and the processes behind it.
#[derive(Debug)]
pub(crate) struct Catalog {
    store: Arc<dyn Store>,
    registry: RwLock<Registry>,
    points: Points,
    cache: ProcessCache,
}

/// Records read at a time while the registry is loaded.
const LOAD_BATCH: usize = 256;

impl Catalog {
    /// Reads the registry.
    pub(crate) fn load(store: Arc<dyn Store>) -> Result<Self, Error> {
        let mut registry = Registry::default();
        each(&*store, Table::Processes, keys::PROCESS_HEADS, |value| {
            let record: ProcessRecord = records::read(value, "a process version")?;
            registry
                .newest
                .insert(record.name.clone(), Arc::new(record));
            Ok(())
        })?;
        each(&*store, Table::Components, &[], |value| {
            registry.insert(Arc::new(entry(records::read(
                value,
                "a component version",
            )?)?));
            Ok(())
        })?;
        registry.load_standing(&*store)?;
        registry.load_definitions(&*store)?;
        registry.load_script_grants(&*store)?;
        registry.load_policies(&*store)?;
        let points = Points::default();
        points.learn(&registry.policies);
        Ok(Self {
            store,
            registry: RwLock::new(registry),
            points,
            cache: ProcessCache::default(),
        })
    }

    fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().expect(UNPOISONED)
    }

    fn registry_mut(&self) -> RwLockWriteGuard<'_, Registry> {
        self.registry.write().expect(UNPOISONED)
    }

    /// Makes a committed process version the newest.
    pub(crate) fn published(&self, record: Arc<ProcessRecord>, process: Arc<Process>) {
        self.cache.insert(&record.name, record.version, process);
        self.registry_mut()
            .newest
            .insert(record.name.clone(), record);
    }

    /// Takes a committed component version in, or its committed grants.
    pub(crate) fn registered(&self, entry: Arc<ComponentEntry>) {
        self.registry_mut().insert(entry);
    }

    /// Forgets a component version.
    pub(crate) fn removed(&self, name: &Name, version: Version) {
        self.registry_mut().remove(name, version);
    }

    /// The process versions that were checked with a component, or with one version of it. Reads all
    /// of them.
    pub(crate) fn checked_with(
        &self,
        name: &Name,
        version: Option<Version>,
    ) -> Result<Vec<Use>, Error> {
        let mut uses = Vec::new();
        each(
            &*self.store,
            Table::Processes,
            keys::PROCESS_VERSIONS,
            |value| {
                let record: ProcessRecord = records::read(value, "a process version")?;
                uses.extend(Use::in_process(&record, name, version));
                Ok(())
            },
        )?;
        Ok(uses)
    }

    /// The newest version of a process.
    pub(crate) fn newest(&self, name: &Name) -> Option<Arc<ProcessRecord>> {
        self.registry().newest.get(name).cloned()
    }

    /// The newest version of every process behind `after`, by name.
    pub(crate) fn processes(&self, after: Option<&str>, limit: usize) -> Vec<Arc<ProcessRecord>> {
        let registry = self.registry();
        let behind = registry
            .newest
            .iter()
            .filter(|(name, _)| after.is_none_or(|a| name.as_str() > a));
        behind
            .take(limit)
            .map(|(_, record)| Arc::clone(record))
            .collect()
    }

    /// Every version of every component behind `after`, by name; at most `limit` components.
    pub(crate) fn components(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Vec<Arc<ComponentEntry>>> {
        let registry = self.registry();
        let behind = registry
            .components
            .iter()
            .filter(|(name, _)| after.is_none_or(|a| name.as_str() > a));
        behind
            .take(limit)
            .map(|(_, versions)| versions.values().cloned().collect())
            .collect()
    }

    /// Every version of one component, oldest first.
    pub(crate) fn component(&self, name: &Name) -> Vec<Arc<ComponentEntry>> {
        let registry = self.registry();
        registry
            .components
            .get(name)
            .map(|versions| versions.values().cloned().collect())
            .unwrap_or_default()
    }

    /// One version of a component.
    pub(crate) fn version(&self, name: &Name, version: Version) -> Option<Arc<ComponentEntry>> {
        self.registry().components.get(name)?.get(&version).cloned()
    }

    /// A version of the same component that is of another world than this one.
    pub(crate) fn of_other_world(&self, descriptor: &Descriptor) -> Option<(Version, World)> {
        let registry = self.registry();
        let versions = registry.components.get(&descriptor.name)?;
        let mut worlds = versions
            .iter()
            .map(|(version, entry)| (*version, entry.descriptor.world));
        worlds.find(|(_, world)| *world != descriptor.world)
    }

    /// How many component versions there are.
    pub(crate) fn components_count(&self) -> usize {
        self.registry().components_count
    }

    /// The newest component that fits.
    pub(crate) fn resolve(&self, uses: &Uses) -> Option<Arc<ComponentEntry>> {
        let registry = self.registry();
        let versions = registry.components.get(&uses.name)?;
        let fitting = versions
            .iter()
            .rev()
            .find(|(version, _)| uses.accepts(**version));
        fitting.map(|(_, entry)| Arc::clone(entry))
    }

    /// The newest fitting component for everything that `process` uses, or what has none.
    pub(crate) fn pins(&self, process: &Process) -> Result<Vec<Pinned>, Vec<Uses>> {
        let mut pins = Vec::new();
        let mut missing = Vec::new();
        for uses in process.uses() {
            match self.resolve(uses) {
                Some(entry) => pins.push(Pinned {
                    uses: uses.clone(),
                    pin: entry.pin(),
                }),
                None => missing.push(uses.clone()),
            }
        }
        if missing.is_empty() {
            Ok(pins)
        } else {
            Err(missing)
        }
    }

    /// Positions of pinned components that are known to export no `undo`.
    pub(crate) fn irreversible(&self, pins: &[Pinned]) -> Vec<u32> {
        let is_irreversible = |pinned: &Pinned| {
            let entry = self.version(&pinned.pin.name, pinned.pin.version);
            entry.is_some_and(|entry| entry.descriptor.reversible == Some(false))
        };
        let numbered = (0..).zip(pins);
        let found = numbered.filter(|(_, pinned)| is_irreversible(pinned));
        found.map(|(position, _)| position).collect()
    }

    /// Checks a document against the components there are now; also gives what it was checked with.
    pub(crate) fn validate(&self, source: &[u8]) -> Result<(Process, Vec<Pinned>), Vec<Defect>> {
        let lookup = Lookup::new(self);
        let process = validate(source, Some(&|uses: &Uses| lookup.find(uses)))?;
        Ok((process, lookup.into_pins()))
    }

    /// The record of a version of a process; the newest if there is no `version`.
    pub(crate) fn record(
        &self,
        name: &Name,
        version: Option<u32>,
    ) -> Result<Option<Arc<ProcessRecord>>, Error> {
        let Some(newest) = self.newest(name) else {
            return Ok(None);
        };
        match version {
            None => Ok(Some(newest)),
            Some(version) if version == newest.version => Ok(Some(newest)),
            Some(version) => {
                let stored = self
                    .store
                    .get(Table::Processes, &keys::process_version(name, version))?;
                let read = stored.map(|bytes| records::read(&bytes, "a process version"));
                Ok(read.transpose()?.map(Arc::new))
            }
        }
    }

    /// All versions of a process, newest first, at most `limit`.
    pub(crate) fn versions(&self, name: &Name, limit: usize) -> Result<Vec<ProcessRecord>, Error> {
        let scan = Scan {
            prefix: keys::process_versions(name),
            reverse: true,
            limit,
            ..Scan::default()
        };
        let found = self.store.scan(Table::Processes, &scan)?;
        found
            .iter()
            .map(|(_, value)| Ok(records::read(value, "a process version")?))
            .collect()
    }

    /// The process if it is in memory.
    pub(crate) fn cached(&self, record: &ProcessRecord) -> Option<Arc<Process>> {
        self.cache.get(&record.name, record.version)
    }

    /// The process, read and checked again if it is not in memory.
    pub(crate) fn process(&self, record: &ProcessRecord) -> Result<Arc<Process>, Error> {
        if let Some(process) = self.cached(record) {
            return Ok(process);
        }
        let source = self.document(record)?;
        let corrupt = |reason| Error::Corrupt {
            what: format!("version {} of process {}", record.version, record.name),
            reason,
        };
        // With the descriptors of then, so that the process means the same for ever.
        let resolve = |uses: &Uses| {
            let at = record
                .checked_with
                .iter()
                .find(|pinned| pinned.uses == *uses)?;
            self.registered_as(&at.pin)
        };
        let process = reread(&source, Some(&resolve)).map_err(|defects| {
            let first = defects.first().map(|defect| defect.message.clone());
            corrupt(format!("it has defects: {}", first.unwrap_or_default()))
        })?;
        let process = Arc::new(process);
        self.cache
            .insert(&record.name, record.version, Arc::clone(&process));
        Ok(process)
    }

    /// The process that a release runs.
    pub(crate) fn process_of(&self, reference: &ProcessRef) -> Result<Arc<Process>, Error> {
        if let Some(process) = self.cache.get(&reference.name, reference.version) {
            return Ok(process);
        }
        let record = self.record(&reference.name, Some(reference.version))?;
        let record = record.ok_or_else(|| Error::Corrupt {
            what: format!(
                "a release of {} version {}",
                reference.name, reference.version
            ),
            reason: "its process is not stored".to_owned(),
        })?;
        self.process(&record)
    }

    /// The document, byte for byte.
    pub(crate) fn document(&self, record: &ProcessRecord) -> Result<Vec<u8>, Error> {
        let source = self.store.get(Table::Blobs, &keys::blob(&record.digest))?;
        source.ok_or_else(|| Error::Corrupt {
            what: format!("version {} of process {}", record.version, record.name),
            reason: "its document is not stored".to_owned(),
        })
    }
}

const UNPOISONED: &str = "nothing panics while it holds the registry";

impl Registry {
    fn insert(&mut self, entry: Arc<ComponentEntry>) {
        let versions = self
            .components
            .entry(entry.descriptor.name.clone())
            .or_default();
        if versions.insert(entry.descriptor.version, entry).is_none() {
            self.components_count += 1;
        }
    }

    fn remove(&mut self, name: &Name, version: Version) {
        let Some(versions) = self.components.get_mut(name) else {
            return;
        };
        if versions.remove(&version).is_some() {
            self.components_count -= 1;
        }
        if versions.is_empty() {
            self.components.remove(name);
        }
    }
}

fn entry(record: ComponentRecord) -> Result<ComponentEntry, Error> {
    let corrupt = |error: serde_json::Error| Error::Corrupt {
        what: format!("component {}@{}", record.name, record.version),
        reason: error.to_string(),
    };
    Ok(ComponentEntry {
        descriptor: serde_json::from_str(record.descriptor.as_str()).map_err(corrupt)?,
        digest: record.digest,
        size: record.size,
        grants: Arc::new(serde_json::from_str(record.grants.as_str()).map_err(corrupt)?),
        revision: record.revision,
        registered_at: record.registered_at,
        registered_by: record.registered_by,
        deprecated: None,
    })
}

impl From<&ComponentEntry> for ComponentRecord {
    fn from(entry: &ComponentEntry) -> Self {
        let json = |value: Result<serde_json::Value, serde_json::Error>| {
            fermata_core::json::Json::of(&value.expect("it has only text keys"))
        };
        Self {
            name: entry.descriptor.name.clone(),
            version: entry.descriptor.version,
            digest: entry.digest,
            size: entry.size,
            descriptor: json(serde_json::to_value(&entry.descriptor)),
            grants: json(serde_json::to_value(&*entry.grants)),
            revision: entry.revision,
            registered_at: entry.registered_at,
            registered_by: entry.registered_by.clone(),
        }
    }
}

/// Hands every record under `prefix` to `take`.
pub(crate) fn each(
    store: &dyn Store,
    table: Table,
    prefix: &[u8],
    mut take: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut scan = Scan {
        prefix: prefix.to_vec(),
        limit: LOAD_BATCH,
        ..Scan::default()
    };
    loop {
        let found = store.scan(table, &scan)?;
        for (_, value) in &found {
            take(value)?;
        }
        match found.into_iter().next_back() {
            Some((last, _)) => scan.after = Some(last),
            None => return Ok(()),
        }
    }
}
