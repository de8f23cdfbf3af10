//! Lists: of releases, and of what is deployed.

use std::fmt::Write as _;
use std::sync::Arc;

use fermata_core::id::ReleaseId;
use fermata_store::{Record, Scan, Store, Table};

use crate::config::{PAGE_MAX, PAGE_SCANNED_MAX};
use crate::error::{CapacityError, Error};
use crate::keys;
use crate::locks::LockView;
use crate::records::{self, LedgerEntry, ReleaseSummary};
use crate::request::{Page, Paged, ReleaseFilter};
use crate::service::Service;
use crate::wake::{Request, SetCapacity};
use crate::watch::blocking;

/// Records that a filtered list reads at a time.
const RECORDS_PER_READ: usize = 512;

impl Service {
    /// Every lock that somebody wants or holds, or whose capacity was set, by name.
    pub async fn locks(&self) -> Result<Vec<LockView>, Error> {
        self.ask(Request::Locks).await?
    }

    /// Sets how many may hold a lock at a time.
    pub async fn set_capacity(
        &self,
        lock: String,
        capacity: u32,
    ) -> Result<LockView, CapacityError> {
        let set = Box::new(SetCapacity { lock, capacity });
        self.ask(|answer| Request::SetCapacity(set, answer)).await?
    }

    /// Releases, newest first.
    pub async fn releases(
        &self,
        filter: ReleaseFilter,
        page: Page,
    ) -> Result<Paged<ReleaseSummary>, Error> {
        let after = page.cursor.as_deref().map(|text| {
            let id = text
                .parse::<ReleaseId>()
                .map_err(|_| Error::Malformed("cursor"))?;
            Ok::<_, Error>(keys::release(id))
        });
        let list = List {
            table: Table::Releases,
            scan: Scan {
                after: after.transpose()?,
                reverse: true,
                ..Scan::default()
            },
            limit: page_limit(&page),
        };
        let shared = Arc::clone(&self.shared);
        let fits = move |summary: &ReleaseSummary| {
            filter
                .process
                .as_ref()
                .is_none_or(|name| summary.process.name == *name)
                && filter
                    .state
                    .as_ref()
                    .is_none_or(|state| summary.state == *state)
        };
        let read = move || {
            list.read(&*shared.store, fits, |key| {
                let id = <[u8; 16]>::try_from(key).map(ReleaseId::from_bytes);
                id.map_or_else(|_| String::new(), |id| id.to_string())
            })
        };
        blocking(read).await?
    }

    /// What is deployed now, by environment and service.
    pub async fn ledger(
        &self,
        environment: Option<String>,
        service: Option<String>,
        page: Page,
    ) -> Result<Paged<LedgerEntry>, Error> {
        let prefix = keys::ledger_now(environment.as_deref());
        let list = List {
            table: Table::Ledger,
            scan: Scan {
                after: page.cursor.as_deref().map(of_hex).transpose()?,
                prefix,
                ..Scan::default()
            },
            limit: page_limit(&page),
        };
        let shared = Arc::clone(&self.shared);
        let fits =
            move |entry: &LedgerEntry| service.as_ref().is_none_or(|name| entry.service == *name);
        blocking(move || list.read(&*shared.store, fits, hex)).await?
    }

    /// What was ever deployed of a service in an environment, newest first.
    pub async fn ledger_history(
        &self,
        environment: &str,
        service: &str,
        page: Page,
    ) -> Result<Paged<LedgerEntry>, Error> {
        let list = List {
            table: Table::Ledger,
            scan: Scan {
                prefix: keys::ledger_history(environment, service),
                after: page.cursor.as_deref().map(of_hex).transpose()?,
                reverse: true,
                ..Scan::default()
            },
            limit: page_limit(&page),
        };
        let shared = Arc::clone(&self.shared);
        blocking(move || list.read(&*shared.store, |_: &LedgerEntry| true, hex)).await?
    }
}

/// How many entries a page may have.
pub(crate) fn page_limit(page: &Page) -> usize {
    match page.limit {
        0 => PAGE_MAX,
        limit => limit.min(PAGE_MAX),
    }
}

/// A list to be read.
pub(super) struct List {
    pub(super) table: Table,
    pub(super) scan: Scan,
    pub(super) limit: usize,
}

impl List {
    /// Reads until the page is full, the list is over, or too much was looked at.
    pub(super) fn read<T: serde::de::DeserializeOwned>(
        mut self,
        store: &dyn Store,
        fits: impl Fn(&T) -> bool,
        cursor: impl Fn(&[u8]) -> String,
    ) -> Result<Paged<T>, Error> {
        let mut items = Vec::new();
        let mut looked_at = 0;
        self.scan.limit = RECORDS_PER_READ.min(self.limit + 1);
        loop {
            let found: Vec<Record> = store.scan(self.table, &self.scan)?;
            let is_over = found.len() < self.scan.limit;
            for (key, value) in found {
                let is_full = items.len() == self.limit || looked_at == PAGE_SCANNED_MAX;
                if let Some(last) = self.scan.after.as_deref().filter(|_| is_full) {
                    return Ok(Paged {
                        items,
                        next: Some(cursor(last)),
                    });
                }
                looked_at += 1;
                let item = records::read(&value, "an entry of a list")?;
                if fits(&item) {
                    items.push(item);
                }
                self.scan.after = Some(key);
            }
            if is_over {
                return Ok(Paged { items, next: None });
            }
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

pub(crate) fn of_hex(text: &str) -> Result<Vec<u8>, Error> {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let whole = text.len().is_multiple_of(2);
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks_exact(2).map(digits).collect();
    bytes.filter(|_| whole).ok_or(Error::Malformed("cursor"))
}
