//! What the scripts of a process may do: granted to the process, since a script is part of it and has no
//! version of its own.

use std::sync::Arc;

use fermata_core::actor::Actor;
use fermata_core::component::Grants;
use fermata_core::id::Name;
use fermata_core::json::Json;
use fermata_core::time::Timestamp;
use fermata_store::{Store, Table};

use super::{Catalog, Registry, each};
use crate::error::Error;
use crate::keys;
use crate::records::{self, ScriptGrantsRecord};

/// What the scripts of a process may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptGrants {
    /// What is granted.
    pub grants: Arc<Grants>,
    /// Counts how often the grants were set; 0 if they never were.
    pub revision: u64,
    /// By whom, the last time, and when.
    pub set: Option<(Actor, Timestamp)>,
}

impl Catalog {
    /// What the scripts of a process may do; nothing if nobody granted anything.
    pub(crate) fn script_grants(&self, process: &Name) -> Arc<ScriptGrants> {
        let registry = self.registry();
        registry
            .script_grants
            .get(process)
            .cloned()
            .unwrap_or_default()
    }

    /// Those of all processes, by name.
    pub(crate) fn all_script_grants(&self) -> Vec<(Name, Arc<ScriptGrants>)> {
        let registry = self.registry();
        let all = registry.script_grants.iter();
        all.map(|(process, granted)| (process.clone(), Arc::clone(granted)))
            .collect()
    }

    /// Takes committed grants in.
    pub(crate) fn scripts_granted(&self, process: Name, grants: Arc<ScriptGrants>) {
        self.registry_mut().script_grants.insert(process, grants);
    }
}

impl Registry {
    pub(super) fn load_script_grants(&mut self, store: &dyn Store) -> Result<(), Error> {
        each(store, Table::Processes, keys::SCRIPT_GRANTS, |value| {
            let record: ScriptGrantsRecord = records::read(value, "the grants of scripts")?;
            let (process, grants) = read(record)?;
            self.script_grants.insert(process, Arc::new(grants));
            Ok(())
        })
    }
}

fn read(record: ScriptGrantsRecord) -> Result<(Name, ScriptGrants), Error> {
    let grants = serde_json::from_str(record.grants.as_str());
    let grants = grants.map_err(|error| Error::Corrupt {
        what: format!("the grants of the scripts of {}", record.process),
        reason: error.to_string(),
    })?;
    let granted = ScriptGrants {
        grants: Arc::new(grants),
        revision: record.revision,
        set: Some((record.set_by, record.set_at)),
    };
    Ok((record.process, granted))
}

/// The record that keeps grants which somebody has just set.
pub(crate) fn record(process: &Name, granted: &ScriptGrants) -> Option<ScriptGrantsRecord> {
    let (set_by, set_at) = granted.set.clone()?;
    let grants = serde_json::to_value(&*granted.grants).expect("grants have only text keys");
    Some(ScriptGrantsRecord {
        process: process.clone(),
        grants: Json::of(&grants),
        revision: granted.revision,
        set_at,
        set_by,
    })
}
