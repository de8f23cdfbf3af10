//! Activity definitions: published and read.

use std::sync::Arc;

use fermata_core::actor::Caller;
use fermata_core::component::Version;
use fermata_core::id::Name;

use crate::catalog::DefinitionEntry;
use crate::error::DefineError;
use crate::request::{Defined, Page, Paged};
use crate::service::Service;
use crate::service::lists::page_limit;
use crate::wake::{Define, Request};
use crate::watch::blocking;

impl Service {
    /// Publishes a version of a definition; the same document again is that version.
    pub async fn define(&self, caller: Caller, document: Vec<u8>) -> Result<Defined, DefineError> {
        let shared = Arc::clone(&self.shared);
        let checked = move || {
            let (definition, checked_with) = shared.catalog.define(&document)?;
            Ok(Define {
                by: caller,
                definition,
                checked_with,
                document,
            })
        };
        let define = blocking(checked).await?.map_err(DefineError::Defects)?;
        self.ask(|answer| Request::Define(Box::new(define), answer))
            .await?
    }

    /// The newest version of every definition, by name.
    pub fn definitions(&self, page: &Page) -> Paged<Arc<DefinitionEntry>> {
        let limit = page_limit(page);
        let catalog = &self.shared.catalog;
        let items = catalog.definitions(page.cursor.as_deref(), limit);
        let last = items.last().filter(|_| items.len() == limit);
        let next = last.map(|entry| entry.record.name.to_string());
        Paged { items, next }
    }

    /// Every version of one definition, oldest first; empty if there is none.
    pub fn definition(&self, name: &Name) -> Vec<Arc<DefinitionEntry>> {
        self.shared.catalog.definition_versions(name)
    }

    /// One version of a definition.
    pub fn definition_version(
        &self,
        name: &Name,
        version: Version,
    ) -> Option<Arc<DefinitionEntry>> {
        self.shared.catalog.definition(name, version)
    }
}
