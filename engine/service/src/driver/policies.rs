//! Policies that are set, and what they are asked about by the loop itself: attempts and children.
//!
//! What is wanted and has to be asked about stands in a line of its own. It is derived like the line of
//! runs, so a start asks again; no answer is ever stored but in what follows from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use fermata_core::actor::Caller;
use fermata_core::attempt::AttemptKey;
use fermata_core::component::{Pin, Uses, World};
use fermata_core::extension::Point;
use fermata_core::id::{Name, ReleaseId};
use fermata_core::process::ActivityIx;
use fermata_core::release::input::What;
use fermata_core::release::{ChildOrder, Release};
use fermata_store::Table;
use fermata_store::codec::encode;
use tracing::{info, warn};

use crate::config::{POLICIES_MAX, POLICY_PATTERNS_MAX, POLICY_TIMEOUT_MAX, QUESTIONS_MAX};
use crate::dispatch::Dispatch;
use crate::driver::turns::TurnError;
use crate::driver::{Driver, Mode, guarded};
use crate::error::{Error, PolicyError};
use crate::keys;
use crate::policies::{self, Answer, Asked, Ruling};
use crate::records::PolicyRecord;
use crate::request::PolicyOrder;
use crate::shared::Shared;
use crate::wake::{Consult, SetPolicy};

/// Attempts that policies are asked about before they begin.
#[derive(Debug)]
pub(super) struct Questions {
    line: Dispatch,
    /// In line, or asked about.
    waiting: BTreeSet<AttemptKey>,
}

impl Default for Questions {
    fn default() -> Self {
        Self {
            line: Dispatch::new(QUESTIONS_MAX),
            waiting: BTreeSet::new(),
        }
    }
}

impl Questions {
    /// Puts an attempt in line, unless it is there already.
    fn want(&mut self, key: AttemptKey) {
        if self.waiting.insert(key) {
            self.line.want(key);
        }
    }

    /// Puts an attempt that was not asked about back in line.
    fn again(&mut self, key: AttemptKey) {
        self.line.ended(key);
        self.line.want(key);
    }

    /// Whether policies are being asked about an attempt.
    pub(super) fn is_asked(&self, key: AttemptKey) -> bool {
        self.line.is_running(key)
    }

    /// What of a release is in line, or asked about.
    fn of(&self, release: ReleaseId) -> impl Iterator<Item = AttemptKey> + '_ {
        let first = AttemptKey {
            release,
            activity: ActivityIx(0),
            attempt: 0,
            run: 0,
        };
        let from = self.waiting.range(first..).copied();
        from.take_while(move |key| key.release == release)
    }

    /// Takes everything of `release` out of line.
    pub(super) fn forget(&mut self, release: ReleaseId) {
        self.line.forget(release);
        let line = &self.line;
        let gone = |key: &AttemptKey| key.release == release && !line.is_running(*key);
        self.waiting.retain(|key| !gone(key));
    }

    /// Forgets what waits; what is asked goes on.
    pub(super) fn clear_waiting(&mut self) {
        self.line.clear_waiting();
        let line = &self.line;
        self.waiting.retain(|key| line.is_running(*key));
    }

    /// Everything that policies are being asked about.
    pub(super) fn running(&self) -> impl Iterator<Item = AttemptKey> + '_ {
        self.line.running()
    }
}

/// Puts a wanted run into the line of questions if policies are to be asked about it; whether that is so.
/// The way back is never asked about, nor what goes on after a suspension.
pub(super) fn must_ask(
    shared: &Shared,
    questions: &mut Questions,
    release: &Release,
    key: AttemptKey,
) -> bool {
    if key.run != 1 {
        return false;
    }
    let policies = shared
        .catalog
        .policies_at(Point::Activity, &release.process_ref().name);
    if policies.is_empty() || release.is_undoing(key.activity) {
        return false;
    }
    shared.policies.begins(key, &policies);
    questions.want(key);
    true
}

/// What is wrong with a policy, whatever its component is.
fn fault(order: &PolicyOrder) -> Option<String> {
    if order.timeout.0 == 0 || order.timeout > POLICY_TIMEOUT_MAX {
        return Some(format!("timeout: from 1 ms to {POLICY_TIMEOUT_MAX}"));
    }
    if order.at.is_empty() {
        return Some("at: name at least one of publish, start and activity".to_owned());
    }
    let many = order.processes.len() > POLICY_PATTERNS_MAX;
    many.then(|| format!("processes: at most {POLICY_PATTERNS_MAX}"))
}

impl Driver {
    /// Sets a policy, in place of what was set under its name.
    pub(super) fn set_policy(&mut self, set: SetPolicy) -> Result<Arc<PolicyRecord>, PolicyError> {
        let SetPolicy {
            by,
            order,
            checked,
            expected,
        } = set;
        let pending = self.pending.policies.get(&order.name).cloned();
        let before = pending.unwrap_or_else(|| self.shared.catalog.policy(&order.name));
        let found = before.as_ref().map_or(0, |before| before.revision);
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(PolicyError::Stale { expected, found });
        }
        if before.is_none() && self.policies_count() >= POLICIES_MAX {
            return Err(Error::Busy("policies").into());
        }
        if let Some(fault) = fault(&order) {
            return Err(PolicyError::Invalid(vec![fault]));
        }
        let component = self.component_of(&order.component, &checked)?;
        let mut at = order.at;
        at.sort_unstable();
        at.dedup();
        let record = Arc::new(PolicyRecord {
            name: order.name,
            component,
            settings: order.settings,
            at,
            processes: order.processes,
            on_failure: order.on_failure,
            timeout: order.timeout,
            enabled: order.enabled,
            revision: found + 1,
            set_at: self.now,
            set_by: by.actor,
        });
        info!(policy = %record.name, by = %record.set_by, enabled = record.enabled, "a policy is set");
        self.pending
            .put(Table::Meta, keys::policy(&record.name), encode(&*record));
        let name = record.name.clone();
        self.pending
            .policies
            .insert(name, Some(Arc::clone(&record)));
        Ok(record)
    }

    /// The component that a policy shall have, if that is a policy.
    fn component_of(&self, uses: &Uses, checked: &Pin) -> Result<Pin, PolicyError> {
        // Somebody may have removed it since the settings were checked with it.
        let entry = self.shared.catalog.version(&checked.name, checked.version);
        let entry = entry.filter(|entry| entry.digest == checked.digest);
        let entry = entry.ok_or_else(|| PolicyError::UnknownComponent(uses.clone()))?;
        let world = entry.descriptor.world;
        if world != World::Policy {
            let component = uses.clone();
            return Err(PolicyError::NoPolicy { component, world });
        }
        if let Some(told) = self.told_quarantine(&entry.pin()) {
            return Err(PolicyError::ComponentQuarantined(told));
        }
        Ok(entry.pin())
    }

    fn policies_count(&self) -> usize {
        let pending = self.pending.policies.values();
        self.shared.catalog.policies_count() + pending.flatten().count()
    }

    /// Removes a policy.
    pub(super) fn remove_policy(
        &mut self,
        name: &Name,
        expected: Option<u64>,
    ) -> Result<(), PolicyError> {
        let pending = self.pending.policies.get(name).cloned();
        let before = pending.unwrap_or_else(|| self.shared.catalog.policy(name));
        let before = before.ok_or(PolicyError::Unknown)?;
        let found = before.revision;
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(PolicyError::Stale { expected, found });
        }
        self.pending.delete(Table::Meta, keys::policy(name));
        self.pending.policies.insert(name.clone(), None);
        Ok(())
    }

    /// Whether policies are to be asked before a child starts; then its place is in line.
    pub(super) fn must_ask_about_child(
        &mut self,
        place: (ReleaseId, ActivityIx),
        order: &ChildOrder,
    ) -> bool {
        let policies = self
            .shared
            .catalog
            .policies_at(Point::Start, &order.process);
        if policies.is_empty() {
            return false;
        }
        let Some(key) = self.key_of_child(place) else {
            return false;
        };
        self.shared.policies.begins(key, &policies);
        self.questions.want(key);
        true
    }

    /// The attempt that a child stands for: it has no runs, so that none is meant by the same key.
    fn key_of_child(&self, (release, activity): (ReleaseId, ActivityIx)) -> Option<AttemptKey> {
        let child = self.live.get(&release)?.release.child(activity)?;
        Some(AttemptKey {
            release,
            activity,
            attempt: child.attempt,
            run: 1,
        })
    }

    /// Decides whom to ask about what is next in line; whether anything follows from that by itself.
    pub(super) fn ask_next(&mut self) -> bool {
        if self.mode != Mode::Accepting {
            return false;
        }
        let Some(key) = self.questions.line.take_next() else {
            return false;
        };
        let asked = guarded(|| self.asked_about(key));
        match asked {
            Err(panic) => {
                self.forget_question(key);
                self.quarantine(key.release, panic);
            }
            Ok(None) => self.forget_question(key),
            // The last policy may be gone since it was put in line.
            Ok(Some(asked)) if asked.is_empty() => {
                self.forget_question(key);
                self.ruled(key, Ruling::default());
            }
            Ok(Some(asked)) => {
                self.questions.line.started(key);
                self.pending.consults.push(Consult { key, asked });
            }
        }
        true
    }

    /// What policies are asked about an attempt; nothing if it is not wanted any more.
    fn asked_about(&self, key: AttemptKey) -> Option<Vec<Asked>> {
        let live = self.live.get(&key.release)?;
        let catalog = &self.shared.catalog;
        let place = (key.release, key.activity);
        if live.runs.get(&key.activity) == Some(&key) {
            let subject = policies::of_attempt(&live.release, key);
            let about = (Point::Activity, &live.release.process_ref().name);
            return Some(policies::asked(catalog, about, &subject, self.now));
        }
        if self.key_of_child(place) != Some(key) {
            return None;
        }
        let child = live.release.child(key.activity)?.clone();
        let order = ChildOrder {
            process: child.process,
            version: child.version,
            inputs: child.inputs,
        };
        // What cannot be made at all is said when it is to be made.
        let Ok((release, _)) = self.draw_child(place, child.release, &order) else {
            return Some(Vec::new());
        };
        let by = Caller {
            actor: live.release.initiator().clone(),
            groups: Vec::new(),
        };
        let subject = policies::of_start(&release, true, &by);
        let about = (Point::Start, &order.process);
        Some(policies::asked(catalog, about, &subject, self.now))
    }

    fn forget_question(&mut self, key: AttemptKey) {
        self.questions.waiting.remove(&key);
        self.questions.line.ended(key);
        self.shared.policies.ended(key);
    }

    /// Policies have answered.
    pub(super) fn judged(&mut self, key: AttemptKey, answers: &[Answer]) {
        self.forget_question(key);
        self.shared.metrics.judged(answers);
        if self.mode != Mode::Failed {
            self.ruled(key, Ruling::of(answers));
        }
    }

    /// Nobody waits for the answer any more, or no place to ask came free; what is still wanted goes
    /// back to the end of the line.
    pub(super) fn unasked(&mut self, key: AttemptKey) {
        let live = self.live.get(&key.release);
        let wanted = live.is_some_and(|live| live.runs.get(&key.activity) == Some(&key));
        if self.mode == Mode::Accepting
            && (wanted || self.key_of_child((key.release, key.activity)) == Some(key))
        {
            warn!(?key, "policies could not be asked yet");
            self.questions.again(key);
        } else {
            self.forget_question(key);
        }
    }

    /// What follows from the answers of policies for what they were asked about.
    fn ruled(&mut self, key: AttemptKey, ruling: Ruling) {
        let Some(live) = self.live.get(&key.release) else {
            return;
        };
        let place = (key.release, key.activity);
        if live.runs.get(&key.activity) == Some(&key) {
            self.ruled_on_run(key, ruling);
        } else if self.key_of_child(place) == Some(key) {
            self.ruled_on_child(place, ruling);
        }
    }

    fn ruled_on_run(&mut self, key: AttemptKey, ruling: Ruling) {
        if !ruling.warnings.is_empty() {
            let what = What::PoliciesWarned {
                activity: Some(key.activity),
                warnings: ruling.warnings,
            };
            if let Err(TurnError::Refused(refusal)) = self.turn(key.release, Caller::engine(), what)
            {
                warn!(release = %key.release, %refusal, "the warnings of policies were refused");
            }
        }
        let Some(denial) = ruling.denial else {
            self.let_in(key);
            self.dispatch.want(key);
            return;
        };
        self.refuse_run(key, denial.failure());
    }

    /// No attempt runs out of time while policies are asked about it: it starts to count anew.
    pub(super) fn keep_asked(&mut self, id: ReleaseId) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let is_late = |key: &AttemptKey| {
            let deadline = live.release.attempt_deadline(key.activity);
            deadline.is_some_and(|at| at <= self.now)
        };
        let late: Vec<AttemptKey> = self.questions.of(id).filter(is_late).collect();
        for key in late {
            self.let_in(key);
        }
    }

    /// Lets the time of an attempt begin now.
    fn let_in(&mut self, key: AttemptKey) {
        let what = What::AttemptLetIn { key };
        if let Err(TurnError::Refused(refusal)) = self.turn(key.release, Caller::engine(), what) {
            warn!(?key, %refusal, "the deadline of an attempt was not moved");
        }
    }
}
