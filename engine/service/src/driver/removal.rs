//! Requests about what uses a component or definition, and its removal.

use std::sync::Arc;

use fermata_core::component::{Pin, Version};
use fermata_core::id::{Name, ReleaseId};
use fermata_core::release::event::Pinned;
use fermata_store::Table;

use crate::driver::Driver;
use crate::error::RemoveError;
use crate::keys;
use crate::records::NotifierRecord;
use crate::request::{ComponentUsage, DefinitionUse, Use};
use crate::wake::Remove;

impl Driver {
    /// The open releases that pinned a component, or one version of it.
    pub(super) fn pinning(
        &self,
        name: &Name,
        version: Option<Version>,
    ) -> Vec<(ReleaseId, Pinned)> {
        let of_release = |id: ReleaseId, pins: &[Pinned]| {
            let wanted = pins
                .iter()
                .filter(|pinned| is_of(&pinned.pin, name, version));
            wanted
                .map(|pinned| (id, pinned.clone()))
                .collect::<Vec<_>>()
        };
        let live = self.live.iter();
        live.flat_map(|(id, live)| of_release(*id, live.release.pins()))
            .collect()
    }

    /// Takes a version of a component or definition out of the registry. Here and not before the request, since a process
    /// may be published or a release started meanwhile; it is asked rarely enough to look at every
    /// process version for it.
    pub(super) fn remove(&mut self, remove: &Remove) -> Result<(), RemoveError> {
        let Remove { name, version } = remove;
        let key = (name.clone(), *version);
        let (pending, catalog) = (&self.pending, &self.shared.catalog);
        let component =
            pending.components.contains_key(&key) || catalog.version(name, *version).is_some();
        let definition =
            pending.definitions.contains_key(&key) || catalog.definition(name, *version).is_some();
        if !component && !definition {
            return Err(RemoveError::Unknown);
        }
        let mut processes = self.shared.catalog.checked_with(name, Some(*version))?;
        for (record, _) in self.pending.processes.values() {
            processes.extend(Use::in_process(record, name, Some(*version)));
        }
        let mut definitions = self.shared.catalog.defined_with(name, Some(*version));
        for entry in self.pending.definitions.values() {
            let uses = DefinitionUse::in_definition(&entry.record, name, Some(*version));
            definitions.extend(uses);
        }
        let mut policies = self.shared.catalog.policies_with(name, Some(*version));
        for record in self.pending.policies.values().flatten() {
            if is_of(&record.component, name, Some(*version)) {
                policies.push(record.name.clone());
            }
        }
        let usage = ComponentUsage {
            processes,
            definitions,
            releases: self.pinning(name, Some(*version)),
            notifiers: notifiers_of(self.outbox.records(), name, Some(*version)),
            policies,
        };
        if !usage.is_empty() {
            return Err(RemoveError::InUse(Box::new(usage)));
        }
        // Gone before the commit, so that nothing in the same batch can come to use it. If the commit
        // fails, nothing goes on before the registry was read again.
        if component {
            self.pending.components.remove(&key);
            self.pending
                .delete(Table::Components, keys::component(name, *version));
            self.pending
                .delete(Table::Meta, keys::deprecation(name, *version));
            self.shared.catalog.removed(name, *version);
        } else {
            self.pending.definitions.remove(&key);
            self.pending
                .delete(Table::Processes, keys::definition(name, *version));
            self.shared.catalog.undefined(name, *version);
        }
        Ok(())
    }
}

/// The notifiers that a component, or one version of it, delivers for.
pub(crate) fn notifiers_of<'a>(
    notifiers: impl Iterator<Item = &'a Arc<NotifierRecord>>,
    name: &Name,
    version: Option<Version>,
) -> Vec<Name> {
    let of = notifiers.filter(|notifier| is_of(&notifier.component, name, version));
    of.map(|notifier| notifier.name.clone()).collect()
}

/// Whether `pin` is a component, or one version of it.
pub(crate) fn is_of(pin: &Pin, name: &Name, version: Option<Version>) -> bool {
    pin.name == *name && version.is_none_or(|version| pin.version == version)
}
