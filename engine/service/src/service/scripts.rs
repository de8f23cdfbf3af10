//! Scripts of a process: read by their interpreter before the process is published, and granted what they
//! may do.

use std::sync::Arc;
use std::time::Duration;

use fermata_core::actor::Caller;
use fermata_core::attempt::{AttemptKey, Call, Invocation, Outcome};
use fermata_core::component::{Grants, Pin};
use fermata_core::defect::Defect;
use fermata_core::id::{Name, ReleaseId};
use fermata_core::json::Json;
use fermata_core::limits::DEFECTS_MAX;
use fermata_core::process::script::{checked, interpreter, to_check};
use fermata_core::process::{ActivityIx, Process, Script, ScriptFault};
use fermata_core::release::event::Pinned;
use fermata_core::time::{Span, Timestamp};

use crate::catalog::ScriptGrants;
use crate::error::GrantsError;
use crate::service::Service;
use crate::wake::{GrantScripts, Request};

/// Longest time for reading one batch of scripts.
const CHECK_WALL: Span = Span(30_000);
/// The same with the wait for a place to run in.
const CHECK_MAX: Duration = Duration::from_mins(1);
/// Most text of scripts that are read at a time, in bytes: it fits into the inputs of one run.
const CHECK_BYTES_MAX: usize = 256 * 1024;

impl Service {
    /// What the interpreter finds wrong with the scripts of a checked process.
    pub(super) async fn script_defects(
        &self,
        process: &Process,
        checked_with: &[Pinned],
        document: &[u8],
    ) -> Vec<Defect> {
        let scripts = process.scripts();
        let uses = interpreter();
        let pinned = checked_with.iter().find(|pinned| pinned.uses == uses);
        let Some(pin) = pinned.map(|pinned| &pinned.pin) else {
            return Vec::new();
        };
        let _place = self
            .script_checks
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let mut defects = Vec::new();
        let mut rest = scripts.as_slice();
        while !rest.is_empty() {
            let (batch, left) = rest.split_at(batch(rest));
            let faults = self.faults(process, pin, batch).await;
            let found = faults.iter().filter_map(|(at, fault)| {
                let (_, script) = batch.get(*at)?;
                Some(script.defect(document, fault))
            });
            defects.extend(found);
            // What an interpreter says is bounded as what a document says.
            defects.truncate(DEFECTS_MAX);
            rest = left;
        }
        defects
    }

    /// The faults of a batch of scripts, each with the position of its script.
    async fn faults(
        &self,
        process: &Process,
        pin: &Pin,
        batch: &[(String, &Script)],
    ) -> Vec<(usize, ScriptFault)> {
        let unread = |why: String| {
            let message = format!(
                "{}@{} could not read the scripts: {why}",
                pin.name, pin.version
            );
            vec![(0, ScriptFault::at_start(message))]
        };
        if let Some(record) = self.quarantine_of(&pin.digest) {
            return unread(record.to_string());
        }
        let invocation = check(process, pin, to_check(batch), self.clock.now());
        let grants = Arc::new(Grants::default());
        let run = self.runner.run(invocation, grants, Arc::new(|_| ()));
        let Ok(ran) = tokio::time::timeout(CHECK_MAX, run).await else {
            return unread("no place for a run came free in time".to_owned());
        };
        match ran.report.outcome {
            Outcome::Succeeded(outputs) => checked(&outputs)
                .unwrap_or_else(|| unread("its answer is not what an interpreter says".to_owned())),
            Outcome::Pending { .. } => unread("it wants to wait".to_owned()),
            Outcome::Failed { failure, .. } => unread(failure.message),
        }
    }

    /// What the scripts of a process may do.
    pub fn script_grants(&self, process: &Name) -> Result<Arc<ScriptGrants>, GrantsError> {
        let catalog = &self.shared.catalog;
        catalog.newest(process).ok_or(GrantsError::Unknown)?;
        Ok(catalog.script_grants(process))
    }

    /// Sets what the scripts of a process may do, if the grants still have revision `expected`.
    pub async fn grant_scripts(
        &self,
        caller: Caller,
        process: Name,
        grants: Grants,
        expected: Option<u64>,
    ) -> Result<Arc<ScriptGrants>, GrantsError> {
        let grant = GrantScripts {
            by: caller,
            process,
            grants,
            expected,
        };
        self.ask(|answer| Request::GrantScripts(Box::new(grant), answer))
            .await?
    }
}

/// How many of the scripts are read at a time; one at least.
fn batch(scripts: &[(String, &Script)]) -> usize {
    let mut bytes = 0;
    let fitting = scripts.iter().take_while(|(_, script)| {
        bytes += script.source.len();
        bytes <= CHECK_BYTES_MAX
    });
    fitting.count().max(1)
}

/// A run that belongs to no release.
fn check(process: &Process, pin: &Pin, inputs: Json, now: Timestamp) -> Invocation {
    Invocation {
        key: AttemptKey {
            release: ReleaseId(0),
            activity: ActivityIx(0),
            attempt: 1,
            run: 1,
        },
        component: pin.clone(),
        process: process.name.clone(),
        phase: process.name.clone(),
        activity: pin.name.clone(),
        call: Call::Run,
        number: 1,
        idempotency_key: format!("{}/check", process.name),
        inputs,
        checkpoint: None,
        signal: None,
        wall: CHECK_WALL,
        now,
    }
}
