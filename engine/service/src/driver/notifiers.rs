//! Notifiers: what a turn tells people outside is written in the commit that makes it true, and
//! delivered afterwards.

use std::sync::Arc;

use fermata_core::component::{Grants, Pin};
use fermata_core::extension::{Notification, Notified, Untold};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::{Name, ReleaseId};
use fermata_core::limits::TEXT_BYTES_MAX;
use fermata_core::notification::{Told, again, of_quarantine, of_turn, rest};
use fermata_core::release::event::Turn;
use fermata_core::time::Span;
use fermata_store::Table;
use fermata_store::codec::encode;
use tracing::{error, warn};

use crate::config::{NOTIFIERS_MAX, TRY_WALL_MS};
use crate::driver::{Driver, Mode, guarded};
use crate::error::{Error, NotifierError};
use crate::keys;
use crate::metrics::Metrics;
use crate::outbox::Room;
use crate::records::{self, DeliveryRecord, NotifierRecord, QuarantineRecord, Standing};
use crate::wake::{Action, Notify, SetNotifier};

/// How long a delivery waits that could not be read.
const UNREAD_WAIT: Span = Span(60_000);

impl Driver {
    /// Sets a notifier, in place of what was there under its name.
    pub(super) fn set_notifier(
        &mut self,
        set: SetNotifier,
    ) -> Result<Arc<NotifierRecord>, NotifierError> {
        let SetNotifier {
            mut record,
            expected,
        } = set;
        let known = self.outbox.record(&record.name);
        let found = known.map_or(0, |known| known.revision);
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(NotifierError::Stale { expected, found });
        }
        if known.is_none() && self.outbox.count() >= NOTIFIERS_MAX {
            return Err(Error::Busy("notifiers").into());
        }
        // Somebody may have removed it since the settings were checked with it.
        if self
            .shared
            .catalog
            .registered_as(&record.component)
            .is_none()
        {
            return Err(NotifierError::ComponentGone);
        }
        record.revision = found + 1;
        record.set_at = self.now;
        let record = Arc::new(record);
        let key = keys::notifier(&record.name);
        self.pending.put(Table::Meta, key, encode(&*record));
        self.outbox.set(Arc::clone(&record));
        Ok(record)
    }

    /// Forgets a notifier with everything that it has delivered, and was to deliver.
    pub(super) fn remove_notifier(
        &mut self,
        name: &Name,
        expected: Option<u64>,
    ) -> Result<(), NotifierError> {
        let known = self.outbox.record(name).ok_or(NotifierError::Unknown)?;
        let found = known.revision;
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(NotifierError::Stale { expected, found });
        }
        self.pending.delete(Table::Meta, keys::notifier(name));
        for number in self.outbox.remove(name) {
            let key = keys::delivery(name, number);
            self.pending.delete(Table::Meta, key);
        }
        Ok(())
    }

    /// Writes down what a turn tells people outside.
    pub(super) fn follow_notifiers(&mut self, id: ReleaseId, turn: &Turn) {
        if self.outbox.is_empty() {
            return;
        }
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let process = live.release.process_ref().name.clone();
        let outbox = &self.outbox;
        let wants = |kind| outbox.wants(kind, Some(&process));
        match guarded(|| of_turn(&live.release, turn, wants)) {
            Ok(told) => {
                for told in &told {
                    self.tell_outside(told, Some(&process));
                }
            }
            Err(panic) => error!(release = %id, panic, "a turn could not be told to notifiers"),
        }
    }

    /// Writes down that people outside are told of a component that must not run any more.
    pub(super) fn follow_quarantine(&mut self, record: &QuarantineRecord) {
        if self.outbox.is_empty() {
            return;
        }
        let entry = self.shared.catalog.with_digest(&record.digest);
        let pin = entry.map(|entry| entry.pin());
        let version = pin.as_ref().map(|pin| pin.version.to_string());
        let component = pin.as_ref().zip(version.as_deref());
        let component = component.map(|(pin, version)| (&pin.name, version));
        let begun = (&record.by, record.at);
        let told = of_quarantine(&record.digest, component, begun, &record.reason);
        self.tell_outside(&told, None);
    }

    fn tell_outside(&mut self, told: &Told, process: Option<&Name>) {
        for name in self.outbox.wanting(told.kind, process) {
            let number = self.outbox.next_number();
            let delivery = DeliveryRecord::new(name, number, told);
            let room = self.outbox.put(&delivery);
            Metrics::add(&self.shared.metrics.notifications_told, 1);
            self.keep_delivery(&delivery, room);
        }
    }

    fn keep_delivery(&mut self, delivery: &DeliveryRecord, room: Room) {
        let name = &delivery.notifier;
        let key = keys::delivery(name, delivery.number);
        self.pending.put(Table::Meta, key, encode(delivery));
        if let Some(dropped) = room.dropped {
            self.drop_delivery(name, dropped);
            // Now and then, so that a flood of them is none in the log.
            if room.dropped_count.is_power_of_two() {
                let count = room.dropped_count;
                warn!(notifier = %name, count, "too many notifications wait: the oldest are given up");
            }
        }
        for number in room.forgotten {
            let key = keys::delivery(name, number);
            self.pending.delete(Table::Meta, key);
        }
    }

    /// Gives up the oldest of too many deliveries that wait.
    fn drop_delivery(&mut self, name: &Name, number: u64) {
        let metrics = &self.shared.metrics;
        Metrics::add(&metrics.notifications_dropped, 1);
        Metrics::add(&metrics.notifications_given_up, 1);
        let key = keys::delivery(name, number);
        // One that was told in this very batch leaves nothing but the count.
        let Ok(Some(mut delivery)) = self.delivery(name, number) else {
            return self.pending.delete(Table::Meta, key);
        };
        let message = "too many newer notifications waited for this notifier";
        let failure = Failure::new(FailureClass::Limit("deliveries".to_owned()), message)
            .remedy("repair where it delivers, or let it deliver fewer kinds");
        delivery.standing = Standing::GivenUp {
            tries: delivery.tries(),
            at: self.now,
            failure,
        };
        self.pending.put(Table::Meta, key, encode(&delivery));
    }

    /// A delivery as it is on disk.
    fn delivery(&self, name: &Name, number: u64) -> Result<Option<DeliveryRecord>, Error> {
        let key = keys::delivery(name, number);
        let Some(stored) = self.shared.store.get(Table::Meta, &key)? else {
            return Ok(None);
        };
        Ok(Some(records::read(&stored, "a delivery")?))
    }

    /// Begins the tries that are due, as far as there are places.
    pub(super) fn begin_tries(&mut self, actions: &mut Vec<Action>) {
        for (name, number) in self.outbox.take_due(self.now) {
            let what = self.next_try(&name, number);
            let notify = Notify { number, what };
            actions.push(Action::Notify(Box::new(notify)));
        }
    }

    /// What is tried, and what it may do; or why it cannot begin.
    fn next_try(
        &self,
        name: &Name,
        number: u64,
    ) -> Result<(Notification, Arc<Grants>), Box<Failure>> {
        let broken = |message: String| Box::new(Failure::new(FailureClass::Engine, message));
        let record = self.outbox.record(name);
        let record = record.ok_or_else(|| broken("the notifier is gone".to_owned()))?;
        let delivery = self.delivery(name, number);
        let delivery = delivery.map_err(|error| broken(error.to_string()))?;
        let delivery = delivery.ok_or_else(|| broken("the delivery is gone".to_owned()))?;
        let pin = &record.component;
        let grants = self.runs_as(pin)?;
        let what = Notification {
            component: pin.clone(),
            id: delivery.id(),
            number: delivery.tries() + 1,
            settings: record.settings.clone(),
            kind: delivery.kind,
            at: delivery.at,
            text: delivery.text,
            data: delivery.data,
            wall: Span(TRY_WALL_MS),
            now: self.now,
        };
        Ok((what, grants))
    }

    /// What a notifier's component may do, or why it must not run.
    fn runs_as(&self, pin: &Pin) -> Result<Arc<Grants>, Box<Failure>> {
        if let Some(told) = self.told_quarantine(pin) {
            let failure = Failure::new(FailureClass::Quarantined, told);
            let remedy = "set the notifier to another version of the component";
            return Err(Box::new(failure.remedy(remedy)));
        }
        let entry = self.shared.catalog.version(&pin.name, pin.version);
        let Some(entry) = entry.filter(|entry| entry.digest == pin.digest) else {
            let message = format!("{}@{} is not registered any more", pin.name, pin.version);
            let failure = Failure::new(FailureClass::Denied("component".to_owned()), message);
            let remedy = "set the notifier to a component that is registered";
            return Err(Box::new(failure.remedy(remedy)));
        };
        Ok(Arc::clone(&entry.grants))
    }

    /// A try has ended.
    pub(super) fn tried(&mut self, number: u64, notified: Notified) {
        if self.mode == Mode::Failed {
            return;
        }
        let Some(name) = self.outbox.ended(number) else {
            return;
        };
        let mut delivery = match self.delivery(&name, number) {
            Ok(Some(delivery)) => delivery,
            Ok(None) => return warn!(notifier = %name, number, "a delivery is gone"),
            Err(error) => {
                error!(notifier = %name, number, %error, "a delivery cannot be read");
                let at = self.now.after(UNREAD_WAIT);
                return self.outbox.put_back(&name, number, at);
            }
        };
        let failures = self.outbox.failures(&name) + 1;
        let retry_after = notified.told.as_ref().err().and_then(|it| it.retry_after);
        delivery.standing = self.standing(&delivery, notified.told);
        let rests = !matches!(delivery.standing, Standing::Delivered { .. });
        let rests_until = rests.then(|| self.now.after(rest(failures, retry_after)));
        let room = self.outbox.tried(&delivery, rests_until);
        self.keep_delivery(&delivery, room);
    }

    /// How a delivery stands after a try.
    fn standing(&self, delivery: &DeliveryRecord, told: Result<(), Untold>) -> Standing {
        let metrics = &self.shared.metrics;
        let (tries, at) = (delivery.tries() + 1, self.now);
        let Err(untold) = told else {
            Metrics::add(&metrics.notifications_delivered, 1);
            return Standing::Delivered { tries, at };
        };
        let Untold {
            failure,
            retry_after,
        } = untold;
        let failure = kept(failure);
        Metrics::add(&metrics.notification_tries_failed, 1);
        let id = delivery.id();
        let Some(wait) = again(&id, tries, &failure.class, retry_after) else {
            let class = failure.class.code();
            warn!(
                notification = id,
                tries, class, "a notification is given up"
            );
            Metrics::add(&metrics.notifications_given_up, 1);
            return Standing::GivenUp { tries, at, failure };
        };
        Standing::Pending {
            tries,
            next_at: at.after(wait),
            failure: Some(failure),
        }
    }

    /// Shows readers how notifiers are doing.
    pub(super) fn show_notifiers(&mut self) {
        if let Some(shown) = self.outbox.shown() {
            let pending = self.outbox.pending_count();
            Metrics::set(&self.shared.metrics.notifications_pending, pending);
            self.shared.show_notifiers(shown);
        }
    }
}

/// What is kept of a failure for each of many deliveries: what it says, without what only an author of the
/// component reads.
fn kept(mut failure: Failure) -> Failure {
    failure.details = None;
    failure.backtrace.clear();
    let end = failure.message.floor_char_boundary(TEXT_BYTES_MAX);
    failure.message.truncate(end);
    failure
}
