//! What runs, what was asked for, and how the one becomes the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Result;
use fermata_core::id::Name;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Config;
use super::process::{Exit, Process};
use super::version::is_version;

/// Most services in all environments together: each is a process.
pub(super) const SERVICES_MAX: usize = 64;
/// Wait between two looks at a process that is starting.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Longest time for a health check.
const HEALTH_CHECK_MAX: Duration = Duration::from_secs(1);
/// How long the children may take to end when the fleet does.
const GOODBYE_MAX: Duration = Duration::from_secs(3);

/// Environment and service.
pub(super) type Key = (Name, Name);

/// Everything that runs.
#[derive(Debug)]
pub struct Platform {
    config: Config,
    client: reqwest::Client,
    slots: Mutex<BTreeMap<Key, Slot>>,
    /// Counts changes, for those who wait for one.
    changes: watch::Sender<u64>,
}

/// One service in one environment.
#[derive(Debug)]
struct Slot {
    wanted: String,
    deployment: u64,
    state: State,
    reason: Option<String>,
    running: Option<Running>,
    previous: Option<String>,
    /// Brings `wanted` up.
    rollout: Option<Task>,
}

/// The process that answers for a service.
#[derive(Debug)]
struct Running {
    version: String,
    process: Process,
    /// The deployment that brought it.
    deployment: u64,
    /// Notices when it ends by itself.
    _watch: Task,
}

/// A task that ends when this is dropped.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How the deployment that was asked for last is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The new process is starting; the old one, if there is one, still serves.
    Deploying,
    /// The version that was asked for serves.
    Running,
    /// It ended. If it never served, the old one still does.
    Crashed,
    /// It did not become healthy in time. The old one, if there is one, still serves.
    Unhealthy,
}

/// How a service is doing.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The service.
    pub service: Name,
    /// The environment.
    pub environment: Name,
    /// The version that serves, if one does.
    pub version: Option<String>,
    /// The version that served before it.
    pub previous: Option<String>,
    /// The version that was asked for last.
    pub wanted: String,
    /// The name of that deployment.
    pub deployment: String,
    /// How that is going.
    pub state: State,
    /// Whether the version that serves is healthy now.
    pub healthy: bool,
    /// Why the wanted version does not serve.
    pub reason: Option<String>,
    /// Where the version that serves can be reached.
    pub url: Option<String>,
}

/// The answer to a request for a version.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Accepted {
    deployment: String,
    service: Name,
    environment: Name,
    version: String,
    /// The version that this one replaces.
    previous: Option<String>,
}

/// Why a request cannot be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    UnknownEnvironment,
    UnknownService,
    BadVersion,
    TooManyServices,
}

impl Platform {
    /// A platform on which nothing runs yet.
    pub fn new(config: Config) -> Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(HEALTH_CHECK_MAX)
            .build()?;
        Ok(Self {
            config,
            client,
            slots: Mutex::default(),
            changes: watch::Sender::new(0),
        })
    }

    /// The environments, in the order of the configuration.
    pub(super) fn environments(&self) -> &[Name] {
        &self.config.environments
    }

    /// Asks for `version`. Asking for what is on its way or runs already changes nothing.
    pub(super) fn deploy(self: &Arc<Self>, key: &Key, version: &str) -> Result<Accepted, Refused> {
        if !self.config.environments.contains(&key.0) {
            return Err(Refused::UnknownEnvironment);
        }
        if !is_version(version) {
            return Err(Refused::BadVersion);
        }
        let mut slots = self.slots();
        if !slots.contains_key(key) && slots.len() >= SERVICES_MAX {
            return Err(Refused::TooManyServices);
        }
        let slot = slots.entry(key.clone()).or_insert_with(Slot::empty);
        let under_way = matches!(slot.state, State::Deploying | State::Running);
        if slot.wanted != version || !under_way {
            self.begin(key, slot, version);
        }
        let accepted = Accepted {
            deployment: slot.name(),
            service: key.1.clone(),
            environment: key.0.clone(),
            version: version.to_owned(),
            previous: slot.before(version),
        };
        drop(slots);
        self.changed();
        Ok(accepted)
    }

    /// Begins a new deployment. What was being brought up is given up.
    fn begin(self: &Arc<Self>, key: &Key, slot: &mut Slot, version: &str) {
        slot.deployment += 1;
        version.clone_into(&mut slot.wanted);
        slot.reason = None;
        drop(slot.rollout.take());
        let runs_already = slot
            .running
            .as_ref()
            .is_some_and(|running| running.version == version);
        if runs_already {
            slot.state = State::Running;
        } else {
            slot.state = State::Deploying;
            let rollout =
                Arc::clone(self).roll_out(key.clone(), slot.deployment, version.to_owned());
            slot.rollout = Some(Task(tokio::spawn(rollout)));
        }
    }

    async fn roll_out(self: Arc<Self>, key: Key, deployment: u64, version: String) {
        let brought_up = self.bring_up(&key.1, &version).await;
        let mut slots = self.slots();
        let Some(slot) = slots
            .get_mut(&key)
            .filter(|slot| slot.deployment == deployment)
        else {
            return;
        };
        match brought_up {
            Ok(process) => {
                let watch = Arc::clone(&self).notice_end(key.clone(), deployment, process.exit());
                let old = slot.running.replace(Running {
                    version,
                    process,
                    deployment,
                    _watch: Task(tokio::spawn(watch)),
                });
                // Kept if the same version was restarted after a crash: it is still what served before.
                if let Some(old) = old.filter(|old| old.version != slot.wanted) {
                    slot.previous = Some(old.version.clone());
                }
                slot.state = State::Running;
            }
            Err((state, reason)) => {
                slot.state = state;
                slot.reason = Some(reason);
            }
        }
        drop(slots);
        self.changed();
    }

    /// Starts a process and waits until it is healthy.
    async fn bring_up(&self, service: &Name, version: &str) -> Result<Process, (State, String)> {
        let crashed = |reason| (State::Crashed, reason);
        let process = Process::start(&self.config.program, service, version)
            .await
            .map_err(crashed)?;
        let mut last = String::new();
        let healthy = async {
            let mut looks = tokio::time::interval(LOOK_EVERY);
            loop {
                looks.tick().await;
                match self.check(&process.url).await {
                    Ok(()) => return,
                    Err(why) => last = why,
                }
            }
        };
        let in_time = tokio::select! {
            reason = process.exit().reason() => return Err(crashed(reason)),
            in_time = tokio::time::timeout(self.config.patience, healthy) => in_time.is_ok(),
        };
        if in_time {
            return Ok(process);
        }
        let patience = self.config.patience.as_secs_f32();
        let reason = format!("/health was not answered with 200 within {patience} s: {last}");
        Err((State::Unhealthy, reason))
    }

    /// Notes it when a process that serves ends by itself.
    async fn notice_end(self: Arc<Self>, key: Key, deployment: u64, exit: Exit) {
        let reason = exit.reason().await;
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(&key) else {
            return;
        };
        let ended = slot
            .running
            .take_if(|running| running.deployment == deployment);
        if let Some(ended) = ended {
            if slot.wanted == ended.version {
                slot.state = State::Crashed;
                slot.reason = Some(reason);
            }
            drop(slots);
            self.changed();
        }
    }

    /// One health check; the error is for people.
    async fn check(&self, url: &str) -> Result<(), String> {
        let answer = self
            .client
            .get(format!("{url}/health"))
            .send()
            .await
            .map_err(|error| format!("there was no answer ({error})"))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(format!("the answer was {}", answer.status()))
        }
    }

    /// How a service is doing, with a health check made now.
    pub(super) async fn status(&self, key: &Key) -> Result<Status, Refused> {
        let mut status = {
            let slots = self.slots();
            let slot = slots.get(key).ok_or(Refused::UnknownService)?;
            slot.status(key)
        };
        if let Some(url) = &status.url {
            status.healthy = self.check(url).await.is_ok();
        }
        Ok(status)
    }

    /// Waits until nothing is being brought up for a service.
    pub(super) async fn settled(&self, key: &Key) {
        let mut changes = self.changes.subscribe();
        while self.is_deploying(key) {
            // The sender lives in `self`, so this cannot fail.
            drop(changes.changed().await);
        }
    }

    fn is_deploying(&self, key: &Key) -> bool {
        let slots = self.slots();
        let slot = slots.get(key);
        slot.is_some_and(|slot| slot.state == State::Deploying)
    }

    /// The services of an environment.
    pub(super) fn services(&self, environment: &Name) -> Vec<Key> {
        let slots = self.slots();
        let keys = slots.keys().filter(|key| key.0 == *environment);
        keys.cloned().collect()
    }

    /// Stops a service and forgets it.
    pub(super) fn remove(&self, key: &Key) -> Result<(), Refused> {
        let removed = self.slots().remove(key);
        self.changed();
        removed.map(drop).ok_or(Refused::UnknownService)
    }

    /// Stops everything and waits until it has ended.
    pub(super) async fn stop_all(&self) {
        let slots = std::mem::take(&mut *self.slots());
        let running = slots.values().filter_map(|slot| slot.running.as_ref());
        let ends: Vec<_> = running
            .map(|running| running.process.exit().reason())
            .collect();
        drop(slots);
        let ended = tokio::time::timeout(GOODBYE_MAX, futures::future::join_all(ends)).await;
        // Whatever is left is killed together with the runtime.
        drop(ended);
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<Key, Slot>> {
        self.slots
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

impl Slot {
    fn empty() -> Self {
        Self {
            wanted: String::new(),
            deployment: 0,
            state: State::Crashed,
            reason: None,
            running: None,
            previous: None,
            rollout: None,
        }
    }

    fn name(&self) -> String {
        format!("d-{}", self.deployment)
    }

    /// The version that `version` replaces or has replaced.
    fn before(&self, version: &str) -> Option<String> {
        let running = self.running.as_ref().map(|running| &running.version);
        let running = running.filter(|running| *running != version);
        running.or(self.previous.as_ref()).cloned()
    }

    fn status(&self, (environment, service): &Key) -> Status {
        let running = self.running.as_ref();
        Status {
            service: service.clone(),
            environment: environment.clone(),
            version: running.map(|running| running.version.clone()),
            previous: self.previous.clone(),
            wanted: self.wanted.clone(),
            deployment: self.name(),
            state: self.state,
            healthy: false,
            reason: self.reason.clone(),
            url: running.map(|running| running.process.url.clone()),
        }
    }
}
