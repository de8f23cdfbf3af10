//! What uses a component, definition or secret, and the removal of what nothing uses.

use std::sync::Arc;

use fermata_core::component::Version;
use fermata_core::id::Name;

use crate::driver::notifiers_of;
use crate::error::{Error, RemoveError};
use crate::request::{ComponentUsage, SecretUse, SecretUser};
use crate::service::Service;
use crate::wake::{Remove, Request};
use crate::watch::blocking;

impl Service {
    /// What uses a component or definition, or one version of it: process versions that were checked with it, and
    /// open releases that pinned it.
    pub async fn component_usage(
        &self,
        name: &Name,
        version: Option<Version>,
    ) -> Result<ComponentUsage, Error> {
        let (shared, component) = (Arc::clone(&self.shared), name.clone());
        let stored = move || shared.catalog.checked_with(&component, version);
        let processes = blocking(stored).await??;
        let definitions = self.shared.catalog.defined_with(name, version);
        let notifiers = self.notifiers().into_iter().map(|now| now.record);
        let notifiers: Vec<_> = notifiers.collect();
        let notifiers = notifiers_of(notifiers.iter(), name, version);
        let (component, name) = (name, name.clone());
        let releases = self
            .ask(|answer| Request::Pinning(name, version, answer))
            .await??;
        Ok(ComponentUsage {
            processes,
            definitions,
            releases,
            notifiers,
            policies: self.shared.catalog.policies_with(component, version),
        })
    }

    /// Everything that secrets are granted to: component versions by name, then the scripts of processes.
    pub fn secret_uses(&self) -> Vec<SecretUse> {
        let components = self.shared.catalog.components(None, usize::MAX);
        let components = components.iter().flatten().map(|entry| {
            let pin = entry.pin();
            let user = SecretUser::Component(pin.name, pin.version);
            (user, Arc::clone(&entry.grants))
        });
        let scripts = self.shared.catalog.all_script_grants().into_iter();
        let scripts = scripts
            .map(|(process, granted)| (SecretUser::Scripts(process), Arc::clone(&granted.grants)));
        let mut uses = Vec::new();
        for (user, grants) in components.chain(scripts) {
            uses.extend(grants.secrets.iter().map(|grant| SecretUse {
                name: grant.name.clone(),
                user: user.clone(),
                hosts: grant.hosts.clone(),
            }));
        }
        uses
    }

    /// Takes a version of a component or definition out of the registry, if nothing uses it. Its bytes
    /// stay, as what releases ran that have ended.
    pub async fn remove_registered(&self, name: Name, version: Version) -> Result<(), RemoveError> {
        let remove = Remove { name, version };
        self.ask(|answer| Request::Remove(remove, answer)).await?
    }
}
