//! Activity definitions in the registry.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use fermata_core::component::{Pin, Uses, Version};
use fermata_core::defect::Defect;
use fermata_core::id::Name;
use fermata_core::process::definition::{Definition, define};
use fermata_core::process::validate::Registered;
use fermata_core::release::event::Pinned;
use fermata_store::{Store, Table};

use super::{Catalog, Registry, each};
use crate::error::Error;
use crate::keys;
use crate::records::{self, DefinitionRecord};
use crate::request::DefinitionUse;

/// One version of a definition.
#[derive(Clone, Debug)]
pub struct DefinitionEntry {
    /// What is known about it.
    pub record: DefinitionRecord,
    /// The checked definition.
    pub definition: Definition,
}

/// What documents were checked with: each `uses` is looked up once, since somebody may register a
/// newer version meanwhile.
#[derive(Debug)]
pub(crate) struct Lookup<'c> {
    catalog: &'c Catalog,
    found: RefCell<BTreeMap<Uses, Option<(Registered, Pin)>>>,
}

impl<'c> Lookup<'c> {
    pub(crate) fn new(catalog: &'c Catalog) -> Self {
        Self {
            catalog,
            found: RefCell::default(),
        }
    }

    pub(crate) fn find(&self, uses: &Uses) -> Option<Registered> {
        let mut found = self.found.borrow_mut();
        let entry = found
            .entry(uses.clone())
            .or_insert_with(|| self.catalog.registered_for(uses));
        entry.as_ref().map(|(registered, _)| registered.clone())
    }

    pub(crate) fn into_pins(self) -> Vec<Pinned> {
        let found = self.found.into_inner().into_iter();
        found
            .filter_map(|(uses, found)| {
                let pin = found?.1;
                Some(Pinned { uses, pin })
            })
            .collect()
    }
}

impl Catalog {
    /// Checks a document that defines an activity; also gives what it was checked with.
    pub(crate) fn define(&self, source: &[u8]) -> Result<(Definition, Vec<Pinned>), Vec<Defect>> {
        let lookup = Lookup::new(self);
        let definition = define(source, &|uses: &Uses| lookup.find(uses))?;
        Ok((definition, lookup.into_pins()))
    }

    /// What is registered for `uses` now: the newest component that fits, or else definition.
    fn registered_for(&self, uses: &Uses) -> Option<(Registered, Pin)> {
        if let Some(entry) = self.resolve(uses) {
            let descriptor = entry.descriptor.clone();
            return Some((Registered::Component(descriptor), entry.pin()));
        }
        let registry = self.registry();
        let versions = registry.definitions.get(&uses.name)?;
        let mut newest = versions.iter().rev();
        let (_, entry) = newest.find(|(version, _)| uses.accepts(**version))?;
        let definition = entry.definition.clone();
        Some((Registered::Definition(definition), entry.record.pin()))
    }

    /// What was pinned when a document was checked.
    pub(crate) fn registered_as(&self, pin: &Pin) -> Option<Registered> {
        let component = self.version(&pin.name, pin.version);
        if let Some(entry) = component.filter(|entry| entry.digest == pin.digest) {
            return Some(Registered::Component(entry.descriptor.clone()));
        }
        let entry = self.definition(&pin.name, pin.version)?;
        Some(Registered::Definition(entry.definition.clone()))
    }

    /// One version of a definition.
    pub(crate) fn definition(&self, name: &Name, version: Version) -> Option<Arc<DefinitionEntry>> {
        let registry = self.registry();
        registry.definitions.get(name)?.get(&version).cloned()
    }

    /// Every version of one definition, oldest first.
    pub(crate) fn definition_versions(&self, name: &Name) -> Vec<Arc<DefinitionEntry>> {
        let registry = self.registry();
        let versions = registry.definitions.get(name).into_iter();
        versions.flat_map(|all| all.values().cloned()).collect()
    }

    /// The newest version of every definition behind `after`, by name.
    pub(crate) fn definitions(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Arc<DefinitionEntry>> {
        let registry = self.registry();
        let behind = registry
            .definitions
            .iter()
            .filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
        behind
            .filter_map(|(_, versions)| versions.values().next_back().cloned())
            .take(limit)
            .collect()
    }

    /// Takes a committed definition in.
    pub(crate) fn defined(&self, entry: Arc<DefinitionEntry>) {
        self.registry_mut().define(entry);
    }

    /// Forgets a definition.
    pub(crate) fn undefined(&self, name: &Name, version: Version) {
        let mut registry = self.registry_mut();
        if let Some(versions) = registry.definitions.get_mut(name) {
            versions.remove(&version);
            if versions.is_empty() {
                registry.definitions.remove(name);
            }
        }
    }

    /// The definitions that were checked with a component, or with one version of it.
    pub(crate) fn defined_with(&self, name: &Name, version: Option<Version>) -> Vec<DefinitionUse> {
        let registry = self.registry();
        let all = registry.definitions.values().flat_map(BTreeMap::values);
        all.flat_map(|entry| DefinitionUse::in_definition(&entry.record, name, version))
            .collect()
    }
}

impl Registry {
    /// Reads every definition, with the components of then.
    pub(super) fn load_definitions(&mut self, store: &dyn Store) -> Result<(), Error> {
        let mut found: Vec<DefinitionRecord> = Vec::new();
        each(store, Table::Processes, keys::DEFINITIONS, |value| {
            found.push(records::read(value, "a definition")?);
            Ok(())
        })?;
        for record in found {
            let definition = self.read_definition(store, &record)?;
            self.define(Arc::new(DefinitionEntry { record, definition }));
        }
        Ok(())
    }

    fn read_definition(
        &self,
        store: &dyn Store,
        record: &DefinitionRecord,
    ) -> Result<Definition, Error> {
        let corrupt = |reason: &str| Error::Corrupt {
            what: format!("definition {}@{}", record.name, record.version),
            reason: reason.to_owned(),
        };
        let source = store.get(Table::Blobs, &keys::blob(&record.digest))?;
        let source = source.ok_or_else(|| corrupt("its document is not stored"))?;
        let resolve = |uses: &Uses| {
            let mut pins = record.checked_with.iter();
            let pin = &pins.find(|pinned| pinned.uses == *uses)?.pin;
            let entry = self.components.get(&pin.name)?.get(&pin.version)?;
            Some(Registered::Component(entry.descriptor.clone()))
        };
        define(&source, &resolve).map_err(|_| corrupt("it has defects"))
    }

    fn define(&mut self, entry: Arc<DefinitionEntry>) {
        let versions = self.definitions.entry(entry.record.name.clone());
        versions.or_default().insert(entry.record.version, entry);
    }
}
