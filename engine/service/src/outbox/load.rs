//! From the store to memory.

use std::sync::Arc;

use fermata_store::{Store, Table};

use super::Outbox;
use crate::catalog::each;
use crate::error::Error;
use crate::keys;
use crate::records::{self, DeliveryRecord, NotifierRecord};

/// Every notifier and every delivery that is stored.
pub(crate) fn load(store: &dyn Store) -> Result<Outbox, Error> {
    let mut outbox = Outbox::default();
    each(store, Table::Meta, keys::NOTIFIERS, |value| {
        let record: NotifierRecord = records::read(value, "a notifier")?;
        outbox.set(Arc::new(record));
        Ok(())
    })?;
    if outbox.is_empty() {
        return Ok(outbox);
    }
    each(store, Table::Meta, keys::DELIVERIES, |value| {
        let record: DeliveryRecord = records::read(value, "a delivery")?;
        // What is too much was taken out in the commit that made it so.
        outbox.put(&record);
        Ok(())
    })?;
    Ok(outbox)
}
