//! Processes and components.

use std::sync::Arc;

use fermata_core::actor::Caller;
use fermata_core::component::{Descriptor, Grants, Version};
use fermata_core::defect::Defect;
use fermata_core::id::{Digest, Name};
use fermata_core::process::Process;
use fermata_core::release::event::Pinned;
use fermata_store::{Batch, Expect, Table, Write};

use crate::catalog::ComponentEntry;
use crate::config::PAGE_MAX;
use crate::error::{Error, GrantsError, PublishError, RegisterError};
use crate::keys;
use crate::policies::Ruling;
use crate::records::ProcessRecord;
use crate::request::{Page, Paged, Published, PublishedProcess, Registered};
use crate::service::Service;
use crate::service::lists::page_limit;
use crate::wake::{Grant, Publish, Register, Request};
use crate::watch::blocking;

/// A document that has no defects.
struct Checked {
    process: Process,
    with: Vec<Pinned>,
    document: Vec<u8>,
}

impl Service {
    /// Checks a document against the components there are now, which it gives too. Nothing is stored.
    pub async fn validate(
        &self,
        document: Vec<u8>,
    ) -> Result<Result<(Process, Vec<Pinned>), Vec<Defect>>, Error> {
        let checked = self.checked(document).await?;
        Ok(checked.map(|checked| (checked.process, checked.with)))
    }

    /// A document that is right, down to its scripts, and with what that was found.
    async fn checked(&self, document: Vec<u8>) -> Result<Result<Checked, Vec<Defect>>, Error> {
        let shared = Arc::clone(&self.shared);
        let check = move || {
            let (process, with) = shared.catalog.validate(&document)?;
            Ok(Checked {
                process,
                with,
                document,
            })
        };
        let checked: Checked = match blocking(check).await? {
            Ok(checked) => checked,
            Err(defects) => return Ok(Err(defects)),
        };
        let Checked {
            process,
            with,
            document,
        } = &checked;
        let defects = self.script_defects(process, with, document).await;
        Ok(if defects.is_empty() {
            Ok(checked)
        } else {
            Err(defects)
        })
    }

    /// Publishes a document as the next version of its process; the same one as the newest version
    /// again is that version.
    pub async fn publish(
        &self,
        caller: Caller,
        document: Vec<u8>,
    ) -> Result<Published, PublishError> {
        let checked = self.checked(document).await?;
        let checked = checked.map_err(PublishError::Defects)?;
        let document = (checked.document.as_slice(), checked.with.as_slice());
        let ruling = self
            .judge_document(&caller, &checked.process, document, &self.judgements)
            .await?;
        if let Some(denial) = ruling.denial {
            return Err(PublishError::PolicyDenied(Box::new(denial)));
        }
        let publish = Publish {
            by: caller,
            process: Arc::new(checked.process),
            checked_with: checked.with,
            document: checked.document,
        };
        let published = self
            .ask(|answer| Request::Publish(Box::new(publish), answer))
            .await??;
        Ok(Published {
            warnings: ruling.warnings,
            ..published
        })
    }

    /// What policies would say to the publication of a document that has no defects. Previews have few
    /// places of their own, so that what is really to happen does not wait for them.
    pub async fn preview_publish(
        &self,
        caller: &Caller,
        process: &Process,
        document: (&[u8], &[Pinned]),
    ) -> Result<Ruling, Error> {
        self.judge_document(caller, process, document, &self.policy_trials)
            .await
    }

    /// The newest version of every process, by name.
    pub fn processes(&self, page: &Page) -> Paged<Arc<ProcessRecord>> {
        let limit = page_limit(page);
        let items = self.shared.catalog.processes(page.cursor.as_deref(), limit);
        let last = items.last().filter(|_| items.len() == limit);
        let next = last.map(|record| record.name.to_string());
        Paged { items, next }
    }

    /// A version of a process, the newest if there is no `version`.
    pub async fn process(
        &self,
        name: &Name,
        version: Option<u32>,
    ) -> Result<Option<PublishedProcess>, Error> {
        let (shared, name) = (Arc::clone(&self.shared), name.clone());
        let read = move || {
            let Some(record) = shared.catalog.record(&name, version)? else {
                return Ok(None);
            };
            Ok(Some(PublishedProcess {
                process: shared.catalog.process(&record)?,
                document: shared.catalog.document(&record)?,
                record: ProcessRecord::clone(&record),
            }))
        };
        blocking(read).await?
    }

    /// The latest versions of a process, newest first, at most [`PAGE_MAX`].
    pub async fn process_versions(&self, name: &Name) -> Result<Vec<ProcessRecord>, Error> {
        let (shared, name) = (Arc::clone(&self.shared), name.clone());
        blocking(move || shared.catalog.versions(&name, PAGE_MAX)).await?
    }

    /// Registers a component version. Its bytes, with `digest`, have been admitted by the sandbox.
    /// The same bytes again change nothing.
    pub async fn register_component(
        &self,
        caller: Caller,
        descriptor: Descriptor,
        digest: Digest,
        bytes: Vec<u8>,
    ) -> Result<Registered, RegisterError> {
        let register = Register {
            by: caller,
            descriptor,
            digest,
            size: bytes.len() as u64,
        };
        if let Some(known) = self.known(&register)? {
            return Ok(known);
        }
        // Outside the loop, since megabytes would keep all releases waiting. Found by their digest
        // alone, bytes that then are not registered do no harm.
        let shared = Arc::clone(&self.shared);
        let store = move || {
            shared.store.commit(Batch {
                writes: vec![Write {
                    table: Table::Blobs,
                    key: keys::blob(&digest),
                    value: Some(bytes),
                    expect: Expect::Anything,
                }],
                ..Batch::default()
            })
        };
        blocking(store).await?.map_err(Error::from)?;
        self.ask(|answer| Request::Register(Box::new(register), answer))
            .await?
    }

    /// Why a component version could not be registered now, if so; and whether it is registered already.
    pub fn could_register(
        &self,
        caller: Caller,
        descriptor: &Descriptor,
        digest: Digest,
    ) -> Result<bool, RegisterError> {
        let register = Register {
            by: caller,
            descriptor: descriptor.clone(),
            digest,
            size: 0,
        };
        self.known(&register).map(|known| known.is_some())
    }

    /// What the registry says already about a version: the loop has the last word.
    fn known(&self, register: &Register) -> Result<Option<Registered>, RegisterError> {
        if let Some(record) = self.quarantine_of(&register.digest) {
            return Err(RegisterError::Quarantined(Box::new(record)));
        }
        let descriptor = &register.descriptor;
        match self
            .shared
            .catalog
            .version(&descriptor.name, descriptor.version)
        {
            None if !self.definition(&descriptor.name).is_empty() => Err(RegisterError::NameTaken),
            None => match self.shared.catalog.of_other_world(descriptor) {
                Some((version, other)) => Err(RegisterError::OtherWorld {
                    name: descriptor.name.clone(),
                    version,
                    world: descriptor.world,
                    other,
                }),
                None => Ok(None),
            },
            Some(entry) if entry.digest == register.digest => Ok(Some(Registered {
                entry,
                repeated: true,
            })),
            Some(entry) => Err(RegisterError::VersionExists {
                found: entry.digest,
            }),
        }
    }

    /// Every version of every component, by name; a page counts components.
    pub fn components(&self, page: &Page) -> Paged<Vec<Arc<ComponentEntry>>> {
        let limit = page_limit(page);
        let items = self
            .shared
            .catalog
            .components(page.cursor.as_deref(), limit);
        let last = items.last().filter(|_| items.len() == limit);
        let next = last.and_then(|versions| Some(versions.first()?.descriptor.name.to_string()));
        Paged { items, next }
    }

    /// Every version of one component, oldest first; empty if there is none.
    pub fn component(&self, name: &Name) -> Vec<Arc<ComponentEntry>> {
        self.shared.catalog.component(name)
    }

    /// One version of a component.
    pub fn component_version(&self, name: &Name, version: Version) -> Option<Arc<ComponentEntry>> {
        self.shared.catalog.version(name, version)
    }

    /// Sets what a component version may do, if its grants still have revision `expected`.
    pub async fn set_grants(
        &self,
        caller: Caller,
        (name, version): (Name, Version),
        grants: Grants,
        expected: Option<u64>,
    ) -> Result<Arc<ComponentEntry>, GrantsError> {
        let grant = Grant {
            by: caller,
            name,
            version,
            grants,
            expected,
        };
        self.ask(|answer| Request::Grant(Box::new(grant), answer))
            .await?
    }
}
