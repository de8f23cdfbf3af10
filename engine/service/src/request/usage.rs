//! What uses a component.

use fermata_core::component::Version;
use fermata_core::id::{Name, ReleaseId};
use fermata_core::release::event::Pinned;

use crate::driver::is_of;
use crate::records::{DefinitionRecord, ProcessRecord};

/// What uses a component.
#[derive(Clone, Debug, Default)]
pub struct ComponentUsage {
    /// Process versions that were checked with it.
    pub processes: Vec<Use>,
    /// Definitions that were checked with it.
    pub definitions: Vec<DefinitionUse>,
    /// Open releases that pinned it.
    pub releases: Vec<(ReleaseId, Pinned)>,
    /// Notifiers that it delivers for.
    pub notifiers: Vec<Name>,
    /// Policies that judge with it.
    pub policies: Vec<Name>,
}

/// A definition that uses a component.
#[derive(Clone, Debug)]
pub struct DefinitionUse {
    /// The definition.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// The component it was checked with.
    pub pinned: Pinned,
}

impl DefinitionUse {
    /// How a definition uses a component, or one version of it.
    pub(crate) fn in_definition(
        record: &DefinitionRecord,
        name: &Name,
        version: Option<Version>,
    ) -> Vec<Self> {
        let pins = record.checked_with.iter();
        pins.filter(|pinned| is_of(&pinned.pin, name, version))
            .map(|pinned| Self {
                name: record.name.clone(),
                version: record.version,
                pinned: pinned.clone(),
            })
            .collect()
    }
}

/// A process version that uses a component.
#[derive(Clone, Debug)]
pub struct Use {
    /// The process.
    pub process: Name,
    /// Its version.
    pub version: u32,
    /// The component it was checked with.
    pub pinned: Pinned,
}

impl ComponentUsage {
    /// Whether nothing uses it.
    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
            && self.definitions.is_empty()
            && self.releases.is_empty()
            && self.notifiers.is_empty()
            && self.policies.is_empty()
    }

    /// The first of what uses it, and how many more there are.
    pub fn summary(&self) -> String {
        let processes = self.processes.iter();
        let processes = processes.map(|by| format!("{}@{}", by.process, by.version));
        let definitions = self.definitions.iter();
        let definitions = definitions.map(|by| format!("{}@{}", by.name, by.version));
        let releases = self.releases.iter().map(|(id, _)| id.to_string());
        let notifiers = self.notifiers.iter();
        let notifiers = notifiers.map(|name| format!("notifier {name}"));
        let policies = self.policies.iter();
        let policies = policies.map(|name| format!("the policy `{name}`"));
        let all = processes.chain(definitions).chain(releases);
        let all: Vec<String> = all.chain(notifiers).chain(policies).collect();
        match all.as_slice() {
            [] => "nothing".to_owned(),
            [one] => one.clone(),
            [one, more @ ..] => format!("{one} and {} more", more.len()),
        }
    }
}

impl Use {
    /// How a process version uses a component, or one version of it.
    pub(crate) fn in_process(
        record: &ProcessRecord,
        name: &Name,
        version: Option<Version>,
    ) -> Vec<Self> {
        let pins = record.checked_with.iter();
        pins.filter(|pinned| is_of(&pinned.pin, name, version))
            .map(|pinned| Self {
                process: record.name.clone(),
                version: record.version,
                pinned: pinned.clone(),
            })
            .collect()
    }
}
