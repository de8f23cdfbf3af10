//! Named input sets: inputs of a process that are kept for the releases to come.

use std::sync::Arc;

use fermata_core::actor::Caller;
use fermata_core::id::Name;
use fermata_core::json::Json;
use fermata_core::limits::VALUE_BYTES_MAX;
use fermata_store::codec::encode;
use fermata_store::{Expect, Scan, Table, Write};
use serde_json::{Map, Value};

use crate::config::{INPUT_SETS_MAX, PAGE_MAX};
use crate::error::{Error, InputSetError};
use crate::keys;
use crate::records::{self, InputSetRecord};
use crate::request::InputSet;
use crate::service::Service;
use crate::shared::Shared;
use crate::wake::Request;
use crate::watch::blocking;

impl Service {
    /// Keeps `inputs` under a name, in place of what was there. Inputs may be missing; those that are
    /// given must fit the newest version of the process.
    pub async fn put_input_set(
        &self,
        caller: Caller,
        (process, name): (Name, Name),
        inputs: Map<String, Value>,
    ) -> Result<InputSet, InputSetError> {
        let given = Json::of(&Value::Object(inputs));
        if given.as_str().len() > VALUE_BYTES_MAX {
            return Err(Error::TooLong("input set").into());
        }
        let record = InputSetRecord {
            process,
            name,
            inputs: given,
            updated_at: self.clock.now(),
            updated_by: caller.actor,
        };
        let shared = Arc::clone(&self.shared);
        let judged = move || {
            let set = judge(&shared, record)?;
            let prefix = keys::input_sets(&set.record.process);
            let key = keys::input_set(&set.record.process, &set.record.name);
            let known = shared
                .store
                .get(Table::Processes, &key)
                .map_err(Error::from)?;
            if known.is_none() && count(&shared, prefix)? >= INPUT_SETS_MAX {
                return Err(Error::Busy("input sets of this process").into());
            }
            Ok::<_, InputSetError>(set)
        };
        let set = blocking(judged).await??;
        if !set.faults.is_empty() {
            return Err(InputSetError::Invalid(set.faults));
        }
        let key = keys::input_set(&set.record.process, &set.record.name);
        self.write_input_set(key, Some(encode(&set.record))).await?;
        Ok(set)
    }

    /// An input set as it stands to the newest version of its process.
    pub async fn input_set(&self, process: &Name, name: &Name) -> Result<InputSet, InputSetError> {
        let (shared, key) = (Arc::clone(&self.shared), keys::input_set(process, name));
        let read = move || {
            let stored = shared
                .store
                .get(Table::Processes, &key)
                .map_err(Error::from)?;
            let stored = stored.ok_or(InputSetError::Unknown)?;
            let record = records::read(&stored, "an input set").map_err(Error::from)?;
            judge(&shared, record)
        };
        blocking(read).await?
    }

    /// All input sets of a process, by name, at most [`INPUT_SETS_MAX`].
    pub async fn input_sets(&self, process: &Name) -> Result<Vec<InputSet>, InputSetError> {
        let (shared, prefix) = (Arc::clone(&self.shared), keys::input_sets(process));
        let read = move || {
            let scan = Scan {
                prefix,
                limit: INPUT_SETS_MAX.min(PAGE_MAX),
                ..Scan::default()
            };
            let found = shared
                .store
                .scan(Table::Processes, &scan)
                .map_err(Error::from)?;
            let sets = found.iter().map(|(_, stored)| {
                let record = records::read(stored, "an input set").map_err(Error::from)?;
                judge(&shared, record)
            });
            sets.collect()
        };
        blocking(read).await?
    }

    /// Forgets an input set. Releases that were started with it keep their inputs.
    pub async fn delete_input_set(&self, process: &Name, name: &Name) -> Result<(), InputSetError> {
        let (shared, key) = (Arc::clone(&self.shared), keys::input_set(process, name));
        let known = {
            let key = key.clone();
            blocking(move || shared.store.get(Table::Processes, &key)).await?
        };
        if known.map_err(Error::from)?.is_none() {
            return Err(InputSetError::Unknown);
        }
        self.write_input_set(key, None).await
    }

    async fn write_input_set(
        &self,
        key: Vec<u8>,
        value: Option<Vec<u8>>,
    ) -> Result<(), InputSetError> {
        let write = Write {
            table: Table::Processes,
            key,
            value,
            expect: Expect::Anything,
        };
        let written = self.ask(|answer| Request::Write(vec![write], answer));
        written.await?.map_err(|error| match error {
            crate::error::RecordError::Error(error) => error.into(),
            crate::error::RecordError::Exists => unreachable!("nothing had to be absent"),
        })
    }
}

/// What is missing in a set and what does not fit, for the newest version of its process.
fn judge(shared: &Shared, record: InputSetRecord) -> Result<InputSet, InputSetError> {
    let newest = shared.catalog.newest(&record.process);
    let newest = newest.ok_or(InputSetError::UnknownProcess)?;
    let process = shared.catalog.process(&newest)?;
    let inputs = match record.inputs.value() {
        Value::Object(inputs) => inputs,
        _ => Map::new(),
    };
    Ok(InputSet {
        missing: process.inputs.missing(&inputs),
        faults: process.inputs.faults_of(&inputs),
        record,
    })
}

fn count(shared: &Shared, prefix: Vec<u8>) -> Result<usize, Error> {
    let scan = Scan {
        prefix,
        limit: INPUT_SETS_MAX,
        ..Scan::default()
    };
    Ok(shared.store.scan(Table::Processes, &scan)?.len())
}
