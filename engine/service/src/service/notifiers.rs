//! Notifiers: who is told what outside, and how it went.

use std::sync::Arc;
use std::time::Duration;

use fermata_core::actor::Caller;
use fermata_core::component::{Uses, World};
use fermata_core::extension::{Notification, Notified};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::Name;
use fermata_core::json::Json;
use fermata_core::notification::{Kind, test};
use fermata_core::pattern::Pattern;
use fermata_core::schema::Schema;
use fermata_core::time::{Span, Timestamp};
use fermata_store::{Scan, Table};
use serde_json::Value;

use crate::catalog::ComponentEntry;
use crate::config::{
    NOTIFIER_PATTERNS_MAX, NOTIFIER_SETTINGS_BYTES_MAX, TEST_MAX_MS, TEST_WALL_MS,
};
use crate::error::NotifierError;
use crate::keys;
use crate::outbox::NotifierNow;
use crate::records::{DeliveryRecord, NotifierRecord};
use crate::request::{NewNotifier, Page, Paged};
use crate::service::Service;
use crate::service::lists::{List, hex, of_hex, page_limit};
use crate::wake::{Request, SetNotifier};
use crate::watch::blocking;

impl Service {
    /// Every notifier and how it is doing, by name.
    pub fn notifiers(&self) -> Vec<NotifierNow> {
        self.shared.notifiers()
    }

    /// One notifier.
    pub fn notifier(&self, name: &Name) -> Result<NotifierNow, NotifierError> {
        self.shared.notifier(name).ok_or(NotifierError::Unknown)
    }

    /// Sets a notifier in place of what was there under its name, if that has revision `expected`. The
    /// newest fitting version of its component is pinned.
    pub async fn set_notifier(
        &self,
        caller: Caller,
        new: NewNotifier,
        expected: Option<u64>,
    ) -> Result<NotifierNow, NotifierError> {
        let entry = self.notifier_component(&new.component)?;
        let settings = Json::of(&Value::Object(new.settings.clone()));
        let faults = blocking(move || (faults(&new, &entry), new, entry)).await?;
        let (faults, new, entry) = faults;
        if !faults.is_empty() {
            return Err(NotifierError::Invalid(faults));
        }
        let record = NotifierRecord {
            name: new.name,
            component: entry.pin(),
            settings,
            on: new.on,
            processes: new.processes,
            enabled: new.enabled,
            revision: 0,
            set_at: Timestamp(0),
            set_by: caller.actor,
        };
        let set = Box::new(SetNotifier { record, expected });
        let asked = self.ask(|answer| Request::SetNotifier(set, answer));
        let record = asked.await??;
        self.notifier(&record.name)
    }

    /// Forgets a notifier, and everything that it was to deliver, if it has revision `expected`.
    pub async fn remove_notifier(
        &self,
        name: Name,
        expected: Option<u64>,
    ) -> Result<(), NotifierError> {
        self.ask(|answer| Request::RemoveNotifier(name, expected, answer))
            .await?
    }

    /// Lets a notifier deliver a notification of kind `test` now, once, past its line; also one that is
    /// not enabled.
    pub async fn test_notifier(
        &self,
        caller: &Caller,
        name: &Name,
    ) -> Result<Notified, NotifierError> {
        let record = self.notifier(name)?.record;
        let pin = &record.component;
        if let Some(record) = self.quarantine_of(&pin.digest) {
            let told = format!("{}@{} is {record}", pin.name, pin.version);
            return Err(NotifierError::ComponentQuarantined(told));
        }
        let entry = self.shared.catalog.version(&pin.name, pin.version);
        let entry = entry.filter(|entry| entry.digest == pin.digest);
        let entry = entry.ok_or(NotifierError::ComponentGone)?;
        let now = self.clock.now();
        let told = test(name, &caller.actor, now);
        let notification = Notification {
            component: pin.clone(),
            id: format!("{name}/{}", told.about),
            number: 1,
            settings: record.settings.clone(),
            kind: told.kind.to_string(),
            at: told.at,
            text: told.text,
            data: told.data,
            wall: Span(TEST_WALL_MS),
            now,
        };
        let _place = self
            .notifier_tests
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let tried = self.runner.notify(notification, Arc::clone(&entry.grants));
        let longest = Duration::from_millis(TEST_MAX_MS);
        Ok(tokio::time::timeout(longest, tried)
            .await
            .unwrap_or_else(|_| {
                let message = "no place to run in came free in time";
                Failure::new(FailureClass::Engine, message).into()
            }))
    }

    /// The deliveries of a notifier, the newest first: all that are pending, and the last of those that
    /// are over. `standing` is a word of [`crate::records::Standing`].
    pub async fn deliveries(
        &self,
        name: &Name,
        standing: Option<String>,
        page: Page,
    ) -> Result<Paged<DeliveryRecord>, NotifierError> {
        self.notifier(name)?;
        let list = List {
            table: Table::Meta,
            scan: Scan {
                prefix: keys::deliveries(name),
                after: page.cursor.as_deref().map(of_hex).transpose()?,
                reverse: true,
                ..Scan::default()
            },
            limit: page_limit(&page),
        };
        let shared = Arc::clone(&self.shared);
        let fits = move |delivery: &DeliveryRecord| {
            let is = |word: &String| delivery.standing.word() == word;
            standing.as_ref().is_none_or(is)
        };
        Ok(blocking(move || list.read(&*shared.store, fits, hex)).await??)
    }

    fn notifier_component(&self, uses: &Uses) -> Result<Arc<ComponentEntry>, NotifierError> {
        let versions = self.shared.catalog.component(&uses.name).into_iter();
        let newest = versions
            .rev()
            .find(|entry| uses.accepts(entry.descriptor.version));
        let entry = newest.ok_or_else(|| NotifierError::UnknownComponent(uses.clone()))?;
        if entry.descriptor.world != World::Notifier {
            return Err(NotifierError::OtherWorld(
                entry.pin(),
                entry.descriptor.world,
            ));
        }
        if let Some(record) = self.quarantine_of(&entry.digest) {
            let pin = entry.pin();
            let told = format!("{}@{} is {record}", pin.name, pin.version);
            return Err(NotifierError::ComponentQuarantined(told));
        }
        Ok(entry)
    }
}

/// What is wrong with a notifier, one line for each fault.
fn faults(new: &NewNotifier, entry: &ComponentEntry) -> Vec<String> {
    let mut faults = kind_faults(&new.on);
    if new.on.is_empty() {
        faults.push("on: name at least one kind, or `*` for all".to_owned());
    }
    for (field, count) in [("on", new.on.len()), ("processes", new.processes.len())] {
        if count > NOTIFIER_PATTERNS_MAX {
            faults.push(format!("{field}: at most {NOTIFIER_PATTERNS_MAX} patterns"));
        }
    }
    for text in new.processes.iter().take(NOTIFIER_PATTERNS_MAX) {
        if let Err(error) = text.parse::<Pattern>() {
            faults.push(format!("processes: {}: {error}", shown(text)));
        }
    }
    let settings = Value::Object(new.settings.clone());
    let of_settings = settings_faults(&settings, NOTIFIER_SETTINGS_BYTES_MAX, entry);
    faults.extend(of_settings);
    faults
}

fn kind_faults(on: &[String]) -> Vec<String> {
    let fault = |text: &String| match text.parse::<Pattern>() {
        Err(error) => Some(format!("on: {}: {error}", shown(text))),
        Ok(pattern) if Kind::ALL.iter().any(|kind| pattern.matches(kind.word())) => None,
        Ok(pattern) => Some(format!("on: `{pattern}` fits no kind of notification")),
    };
    on.iter()
        .take(NOTIFIER_PATTERNS_MAX)
        .filter_map(fault)
        .collect()
}

/// What is wrong with the settings of a notifier or policy for its component, one line for each fault.
/// Compiles the schema of the component, so not for the loop.
pub(super) fn settings_faults(
    settings: &Value,
    bytes_max: usize,
    entry: &ComponentEntry,
) -> Vec<String> {
    if !settings.is_object() || settings.to_string().len() > bytes_max {
        return vec![format!("settings: an object of at most {bytes_max} bytes")];
    }
    let found = match Schema::compile(&entry.descriptor.inputs) {
        Ok(schema) => schema.faults(settings),
        Err(fault) => vec![format!(
            "the schema of the component cannot be used: {fault}"
        )],
    };
    found
        .iter()
        .map(|fault| format!("settings: {fault}"))
        .collect()
}

/// A text that may be anything, as a message can hold it.
fn shown(text: &str) -> String {
    let printable = text.chars().filter(|c| !c.is_control());
    format!("`{}`", printable.take(80).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_do_not_exist_are_faults() {
        let faults = |on: &[&str]| {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            kind_faults(&on)
        };
        assert!(faults(&["*", "release-failed", "approval-*"]).is_empty());
        assert_eq!(
            faults(&["relaese-*"]),
            ["on: `relaese-*` fits no kind of notification"]
        );
        assert_eq!(faults(&["a\u{1b}b", ""]).len(), 2);
    }
}
