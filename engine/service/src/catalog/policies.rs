//! The policies that are set.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use fermata_core::component::Version;
use fermata_core::extension::Point;
use fermata_core::id::Name;
use fermata_store::{Store, Table};

use super::{Catalog, Registry, each};
use crate::driver::is_of;
use crate::error::Error;
use crate::keys;
use crate::records::{self, PolicyRecord};

/// At which points a policy is in force: what is asked on the way of every run costs one look at this.
#[derive(Debug, Default)]
pub(super) struct Points(AtomicU8);

fn bit(point: Point) -> u8 {
    match point {
        Point::Publish => 1,
        Point::Start => 2,
        Point::Activity => 4,
    }
}

impl Points {
    pub(super) fn learn(&self, policies: &BTreeMap<Name, Arc<PolicyRecord>>) {
        let enabled = policies.values().filter(|policy| policy.enabled);
        let points = enabled.flat_map(|policy| &policy.at);
        let bits = points.fold(0, |bits, point| bits | bit(*point));
        self.0.store(bits, Ordering::Relaxed);
    }
}

impl Catalog {
    /// Every policy, by name.
    pub(crate) fn policies(&self) -> Vec<Arc<PolicyRecord>> {
        self.registry().policies.values().cloned().collect()
    }

    /// One policy.
    pub(crate) fn policy(&self, name: &Name) -> Option<Arc<PolicyRecord>> {
        self.registry().policies.get(name).cloned()
    }

    /// How many there are.
    pub(crate) fn policies_count(&self) -> usize {
        self.registry().policies.len()
    }

    /// The policies that are in force for `process` at `point`, by name.
    pub(crate) fn policies_at(&self, point: Point, process: &Name) -> Vec<Arc<PolicyRecord>> {
        if self.points.0.load(Ordering::Relaxed) & bit(point) == 0 {
            return Vec::new();
        }
        let registry = self.registry();
        let all = registry.policies.values();
        let wanted = all.filter(|policy| policy.is_in_force(point, process));
        wanted.cloned().collect()
    }

    /// The policies that judge with a component, or with one version of it.
    pub(crate) fn policies_with(&self, name: &Name, version: Option<Version>) -> Vec<Name> {
        let registry = self.registry();
        let all = registry.policies.values();
        all.filter(|policy| is_of(&policy.component, name, version))
            .map(|policy| policy.name.clone())
            .collect()
    }

    /// Takes a committed policy in.
    pub(crate) fn policy_set(&self, record: Arc<PolicyRecord>) {
        let mut registry = self.registry_mut();
        registry.policies.insert(record.name.clone(), record);
        self.points.learn(&registry.policies);
    }

    /// Forgets a policy.
    pub(crate) fn policy_removed(&self, name: &Name) {
        let mut registry = self.registry_mut();
        registry.policies.remove(name);
        self.points.learn(&registry.policies);
    }
}

impl Registry {
    pub(super) fn load_policies(&mut self, store: &dyn Store) -> Result<(), Error> {
        each(store, Table::Meta, keys::POLICIES, |value| {
            let record: PolicyRecord = records::read(value, "a policy")?;
            self.policies.insert(record.name.clone(), Arc::new(record));
            Ok(())
        })
    }
}
