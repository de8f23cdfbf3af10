//! Rehearsals: a document or a published process, played with what the engine knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use fermata_core::component::Uses;
use fermata_core::id::Name;
use fermata_core::process::{ActivityIx, Process, ProcessRef};
use fermata_core::rehearsal::{Described, Rehearsal, rehearse};
use fermata_core::release::Release;
use fermata_core::release::state::ActivityState;
use fermata_core::time::Span;

use crate::catalog::Catalog;
use crate::config::{HISTORY_EVENTS_MAX, HISTORY_RELEASES_MAX};
use crate::error::{Error, RehearseError};
use crate::recover;
use crate::request::{NewRehearsal, Page, ReleaseFilter, Subject};
use crate::service::Service;
use crate::watch::blocking;

impl Service {
    /// Plays a release through. Nothing is stored, and nothing is called.
    pub async fn rehearse(&self, new: NewRehearsal) -> Result<Rehearsal, RehearseError> {
        let busy = |_| Error::Busy("rehearsals");
        let turn = Arc::clone(&self.rehearsals).try_acquire_owned();
        let turn = turn.map_err(busy)?;
        let shared = Arc::clone(&self.shared);
        let subject = new.subject;
        let (process, reference) = blocking(move || read(&shared.catalog, &subject)).await??;
        let mut assumptions = new.assumptions;
        if new.learn {
            assumptions.history = self.typical_durations(&process.name).await?;
        }
        let shared = Arc::clone(&self.shared);
        let play = move || {
            assumptions.components = components(&shared.catalog, &process);
            let played = rehearse(&process, reference, &assumptions);
            drop(turn);
            played
        };
        Ok(blocking(play).await??)
    }

    /// How long activities of a process took in its last releases: for each `phase/activity` the
    /// median from its start to its success. Reads a bounded number of releases and events.
    pub async fn typical_durations(&self, process: &Name) -> Result<BTreeMap<String, Span>, Error> {
        let filter = ReleaseFilter {
            process: Some(process.clone()),
            state: None,
        };
        let page = Page {
            limit: HISTORY_RELEASES_MAX,
            cursor: None,
        };
        let recent = self.releases(filter, page).await?.items;
        let shared = Arc::clone(&self.shared);
        let read = move || {
            let mut taken = Taken::default();
            let ended = recent.iter().filter(|release| release.ended_at.is_some());
            for summary in ended {
                if taken.events > HISTORY_EVENTS_MAX {
                    break;
                }
                taken.read(recover::load(&shared, summary.id)?);
            }
            Ok(taken.medians())
        };
        blocking(read).await?
    }
}

/// The process to rehearse, and what a release of it would say that it runs.
fn read(catalog: &Catalog, subject: &Subject) -> Result<(Arc<Process>, ProcessRef), RehearseError> {
    match subject {
        Subject::Published { name, version } => {
            let record = catalog.record(name, *version)?;
            let record = record.ok_or(RehearseError::UnknownProcess)?;
            Ok((catalog.process(&record)?, record.reference()))
        }
        Subject::Document(document) => {
            let (process, _) = catalog.validate(document).map_err(RehearseError::Defects)?;
            let reference = published(catalog, &process);
            Ok((Arc::new(process), reference))
        }
    }
}

/// The version that the document is, or would be if it were published now.
fn published(catalog: &Catalog, process: &Process) -> ProcessRef {
    let newest = catalog.newest(&process.name);
    let version = newest.map_or(1, |newest| {
        newest.version + u32::from(newest.digest != process.digest)
    });
    ProcessRef {
        name: process.name.clone(),
        version,
        digest: process.digest,
    }
}

/// The components that a release would pin now.
fn components(catalog: &Catalog, process: &Process) -> BTreeMap<Uses, Described> {
    let known = |uses: &Uses| {
        let entry = catalog.resolve(uses)?;
        let described = Described {
            pin: entry.pin(),
            outputs: entry.descriptor.outputs.clone(),
            is_reversible: entry.descriptor.reversible != Some(false),
        };
        Some((uses.clone(), described))
    };
    process.uses().into_iter().filter_map(known).collect()
}

/// How long activities took, release by release.
#[derive(Default)]
struct Taken {
    spans: BTreeMap<String, Vec<Span>>,
    events: u64,
}

impl Taken {
    fn read(&mut self, release: Option<Release>) {
        let Some(release) = release else { return };
        self.events += release.version();
        let process = release.process();
        for (ix, _) in (0..).zip(&process.activities) {
            let ix = ActivityIx(ix);
            let ActivityState::Succeeded { at, .. } = release.activity_state(ix) else {
                continue;
            };
            let started = release.record(ix).and_then(|record| record.started_at);
            if let Some(started) = started {
                let spans = self.spans.entry(process.path(ix)).or_default();
                spans.push(at.since(started));
            }
        }
    }

    fn medians(self) -> BTreeMap<String, Span> {
        let median = |(path, mut spans): (String, Vec<Span>)| {
            spans.sort_unstable();
            let middle = spans.get(spans.len() / 2).copied();
            middle.map(|middle| (path, middle))
        };
        self.spans.into_iter().filter_map(median).collect()
    }
}
