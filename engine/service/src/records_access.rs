//! Small records of the application: tokens, principals, settings.

use std::sync::Arc;

use tokio::sync::oneshot;

use fermata_store::{Record, Scan, Table, Write};

use crate::engine::Mailbox;
use crate::error::{Error, RecordError};
use crate::shared::Shared;
use crate::wake::Request;

/// Reads at once, and writes through the loop, so that writes share the sync of the disk with turns.
#[derive(Clone, Debug)]
pub struct Records {
    shared: Arc<Shared>,
    mailbox: Mailbox,
}

impl Records {
    pub(crate) fn new(shared: Arc<Shared>, mailbox: Mailbox) -> Self {
        Self { shared, mailbox }
    }

    /// The record under `key`. Blocks for as long as the disk does, which is rarely.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.shared.store.get(table, key)?)
    }

    /// Records in the order of their keys. Blocks like [`Self::get`].
    pub fn scan(&self, table: Table, scan: &Scan) -> Result<Vec<Record>, Error> {
        Ok(self.shared.store.scan(table, scan)?)
    }

    /// Writes all or nothing. Answered when it is on disk. For the tables that the engine does not
    /// write itself: `Access` and `Meta`.
    pub async fn write(&self, writes: Vec<Write>) -> Result<(), RecordError> {
        if writes
            .iter()
            .any(|write| !matches!(write.table, Table::Access | Table::Meta))
        {
            return Err(Error::Malformed("table of a record").into());
        }
        let (answer, answered) = oneshot::channel();
        self.mailbox.request(Request::Write(writes, answer))?;
        answered.await.map_err(|_| self.shared.closed())?
    }
}
