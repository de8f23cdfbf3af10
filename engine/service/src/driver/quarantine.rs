//! Components that should not be used any more, and components that must not run.
//!
//! A quarantine takes effect in the commit that records it: what is wanted of the component then, or
//! later, fails with the reason instead of running, and its release holds until a person decides.

use std::sync::Arc;

use fermata_core::attempt::AttemptKey;
use fermata_core::component::Pin;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::limits::TEXT_BYTES_MAX;
use fermata_core::process::ActivityIx;
use fermata_core::release::Release;
use fermata_store::Table;
use fermata_store::codec::encode;
use tracing::{info, warn};

use crate::catalog::ComponentEntry;
use crate::config::QUARANTINES_MAX;
use crate::driver::Driver;
use crate::driver::policies::must_ask;
use crate::error::{DeprecateError, Error, QuarantineError};
use crate::keys;
use crate::records::{DeprecationRecord, LiftRecord, QuarantineRecord};
use crate::shared::Shared;
use crate::wake::{Deprecate, Quarantine};

/// What a person can do about an activity whose component is in quarantine.
const REMEDY: &str = "retry it once the quarantine is lifted, supply its outputs or skip it; or start a new release \
     with another version of the component";

/// Whether the component that an activity calls is in quarantine.
pub(super) fn is_quarantined(shared: &Shared, release: &Release, activity: ActivityIx) -> bool {
    let pin = release.calls(activity);
    pin.is_some_and(|pin| shared.catalog.quarantine(&pin.digest).is_some())
}

impl Driver {
    /// Says that a component version should not be used any more, or that it may.
    pub(super) fn deprecate(
        &mut self,
        deprecate: Deprecate,
    ) -> Result<Arc<ComponentEntry>, DeprecateError> {
        let Deprecate {
            by,
            name,
            version,
            notice,
        } = deprecate;
        let fault = notice.as_deref().and_then(text_fault);
        if let Some(fault) = fault {
            return Err(DeprecateError::Invalid(fault));
        }
        let key = (name, version);
        let pending = self.pending.components.get(&key).cloned();
        let known = pending.or_else(|| self.shared.catalog.version(&key.0, version));
        let known = known.ok_or(DeprecateError::Unknown)?;
        let mut entry = ComponentEntry::clone(&known);
        let place = keys::deprecation(&key.0, version);
        entry.deprecated = notice.map(|notice| {
            Arc::new(DeprecationRecord {
                name: key.0.clone(),
                version,
                notice,
                at: self.now,
                by: by.actor,
            })
        });
        match &entry.deprecated {
            Some(record) => self.pending.put(Table::Meta, place, encode(&**record)),
            None => self.pending.delete(Table::Meta, place),
        }
        let entry = Arc::new(entry);
        self.pending.components.insert(key, Arc::clone(&entry));
        Ok(entry)
    }

    /// Puts a digest into quarantine, or lifts it.
    pub(super) fn quarantine_component(
        &mut self,
        quarantine: Quarantine,
    ) -> Result<QuarantineRecord, QuarantineError> {
        if let Some(fault) = text_fault(&quarantine.reason) {
            return Err(QuarantineError::Invalid(fault));
        }
        let known = self.shared.catalog.quarantine(&quarantine.digest);
        let record = match (known, quarantine.begins) {
            (Some(known), true) => return Err(QuarantineError::Already(Box::new(known))),
            (None, false) => return Err(QuarantineError::NotInQuarantine),
            (None, true) => self.begun(quarantine)?,
            (Some(known), false) => self.lifted(known, quarantine),
        };
        let place = keys::quarantine(&record.digest, record.at);
        self.pending.put(Table::Meta, place, encode(&record));
        // Before the commit, so that nothing in the same batch begins to run it. If the commit fails,
        // nothing goes on before the registry was read again.
        self.shared.catalog.quarantined(record.clone());
        if record.is_on() {
            self.follow_quarantine(&record);
            self.bar_runs(&record);
        }
        Ok(record)
    }

    fn begun(&self, quarantine: Quarantine) -> Result<QuarantineRecord, QuarantineError> {
        if self.shared.catalog.quarantines_count() >= QUARANTINES_MAX {
            return Err(Error::Busy("quarantines").into());
        }
        let Quarantine {
            by, digest, reason, ..
        } = quarantine;
        warn!(%digest, by = %by.actor, reason, "a component is put into quarantine");
        Ok(QuarantineRecord {
            digest,
            reason,
            at: self.now,
            by: by.actor,
            lifted: None,
        })
    }

    fn lifted(&self, known: QuarantineRecord, quarantine: Quarantine) -> QuarantineRecord {
        let Quarantine {
            by, digest, reason, ..
        } = quarantine;
        info!(%digest, by = %by.actor, reason, "a quarantine is lifted");
        QuarantineRecord {
            lifted: Some(LiftRecord {
                reason,
                at: self.now,
                by: by.actor,
            }),
            ..known
        }
    }

    /// Puts every wanted run of the component in line to be turned away.
    fn bar_runs(&mut self, record: &QuarantineRecord) {
        for live in self.live.values() {
            for (activity, key) in &live.runs {
                let pin = live.release.calls(*activity);
                if pin.is_some_and(|pin| pin.digest == record.digest) {
                    self.barred.push(*key);
                }
            }
        }
    }

    /// Lets a wanted run of a component in quarantine fail before it begins, or in its midst.
    pub(super) fn turn_away(&mut self, key: AttemptKey) {
        let Some(live) = self.live.get(&key.release) else {
            return;
        };
        if live.release.current_run(key.activity) != Some(key) {
            return;
        }
        let told = live
            .release
            .calls(key.activity)
            .and_then(|pin| self.told_quarantine(pin));
        let Some(told) = told else {
            // It was lifted in the same batch.
            if !must_ask(&self.shared, &mut self.questions, &live.release, key) {
                self.dispatch.want(key);
            }
            return;
        };
        let failure = Failure::new(FailureClass::Quarantined, told).remedy(REMEDY);
        self.refuse_run(key, failure);
    }

    /// That a component is in quarantine and why, if it is.
    pub(super) fn told_quarantine(&self, pin: &Pin) -> Option<String> {
        let record = self.shared.catalog.quarantine(&pin.digest)?;
        Some(format!("{}@{} is {record}", pin.name, pin.version))
    }
}

/// What is wrong with a text that people have to give.
fn text_fault(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("it is empty")
    } else if text.len() > TEXT_BYTES_MAX {
        Some("it is too long")
    } else {
        None
    }
}
