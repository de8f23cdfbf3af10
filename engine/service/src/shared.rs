//! What the loop and its readers share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use fermata_core::id::{Name, ReleaseId};
use fermata_store::Store;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::error::Error;
use crate::feed::Feed;
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::outbox::NotifierNow;
use crate::policies::{Places, Waiting};
use crate::progress::Running;
use crate::recent::Recent;

/// Written by the loop, read by everybody.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) catalog: Catalog,
    pub(crate) feed: Arc<Feed>,
    pub(crate) recent: Recent,
    pub(crate) running: Running,
    pub(crate) inbox: Inbox,
    pub(crate) metrics: Metrics,
    notifiers: RwLock<BTreeMap<Name, NotifierNow>>,
    pub(crate) policies: Waiting,
    /// Where they run.
    pub(crate) places: Places,
    health: Mutex<Health>,
}

/// Whether the engine works, and what does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it takes requests.
    pub condition: Condition,
    /// Releases that broke an invariant or could not be read, and how. They take no inputs.
    pub quarantined: BTreeMap<ReleaseId, String>,
}

/// Whether the engine takes requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// It does.
    #[default]
    Accepting,
    /// No more: it is shutting down, or has.
    Stopping,
    /// No more: a commit failed, or the loop broke, for this reason. To be started again.
    Failed(String),
}

impl Shared {
    /// Reads the registry; everything else begins empty.
    pub(crate) fn load(store: Arc<dyn Store>, config: &Config) -> Result<Self, Error> {
        Ok(Self {
            catalog: Catalog::load(Arc::clone(&store))?,
            store,
            feed: Arc::new(Feed::new(config.watchers_max)),
            recent: Recent::default(),
            running: Running::default(),
            inbox: Inbox::default(),
            metrics: Metrics::default(),
            notifiers: RwLock::default(),
            policies: Waiting::default(),
            places: Places::default(),
            health: Mutex::default(),
        })
    }

    /// Shows how the notifiers are doing.
    pub(crate) fn show_notifiers(&self, shown: BTreeMap<Name, NotifierNow>) {
        *self
            .notifiers
            .write()
            .unwrap_or_else(PoisonError::into_inner) = shown;
    }

    /// Every notifier, by name.
    pub(crate) fn notifiers(&self) -> Vec<NotifierNow> {
        let notifiers = self
            .notifiers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        notifiers.values().cloned().collect()
    }

    /// One notifier.
    pub(crate) fn notifier(&self, name: &Name) -> Option<NotifierNow> {
        let notifiers = self
            .notifiers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        notifiers.get(name).cloned()
    }

    /// How the engine is.
    pub(crate) fn health(&self) -> Health {
        self.health.lock().expect(UNPOISONED).clone()
    }

    /// Why a release is quarantined, if it is.
    pub(crate) fn quarantined(&self, release: ReleaseId) -> Option<String> {
        self.health
            .lock()
            .expect(UNPOISONED)
            .quarantined
            .get(&release)
            .cloned()
    }

    /// Takes a release out of service.
    pub(crate) fn quarantine(&self, release: ReleaseId, reason: String) {
        self.health
            .lock()
            .expect(UNPOISONED)
            .quarantined
            .insert(release, reason);
    }

    /// Says that the engine is stopping or broken; what is broken stays so.
    pub(crate) fn turn_to(&self, condition: Condition) {
        let mut health = self.health.lock().expect(UNPOISONED);
        if !matches!(health.condition, Condition::Failed(_)) {
            health.condition = condition;
        }
    }

    /// The error for a request that cannot be answered any more.
    pub(crate) fn closed(&self) -> Error {
        match self.health().condition {
            Condition::Failed(reason) => Error::Unavailable(reason),
            Condition::Accepting | Condition::Stopping => Error::Stopping,
        }
    }
}

const UNPOISONED: &str = "nothing panics while it holds the lock";
