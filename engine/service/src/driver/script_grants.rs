//! The request that says what the scripts of a process may do.

use std::sync::Arc;

use fermata_store::Table;
use fermata_store::codec::encode;

use crate::catalog::{ScriptGrants, script_grants_record};
use crate::driver::Driver;
use crate::error::GrantsError;
use crate::keys;
use crate::wake::GrantScripts;

impl Driver {
    /// Sets what the scripts of a process may do; runs that have begun keep what they had.
    pub(super) fn grant_scripts(
        &mut self,
        grant: GrantScripts,
    ) -> Result<Arc<ScriptGrants>, GrantsError> {
        let GrantScripts {
            by,
            process,
            grants,
            expected,
        } = grant;
        let catalog = &self.shared.catalog;
        let published =
            self.pending.processes.contains_key(&process) || catalog.newest(&process).is_some();
        if !published {
            return Err(GrantsError::Unknown);
        }
        let pending = self.pending.script_grants.get(&process).cloned();
        let before = pending.unwrap_or_else(|| catalog.script_grants(&process));
        let found = before.revision;
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(GrantsError::Stale { expected, found });
        }
        let granted = Arc::new(ScriptGrants {
            grants: Arc::new(grants),
            revision: found + 1,
            set: Some((by.actor, self.now)),
        });
        let record = script_grants_record(&process, &granted);
        let record = record.expect("it was just said who set them");
        let key = keys::script_grants(&process);
        self.pending.put(Table::Processes, key, encode(&record));
        self.pending
            .script_grants
            .insert(process, Arc::clone(&granted));
        Ok(granted)
    }
}
