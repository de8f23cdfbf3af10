//! Locks: what parts of a release want before they begin, and hold until they have ended.
//!
//! Who gets one is decided outside, where all releases are known; here stands what is wanted and held.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::expression::Template;
use crate::json::Json;
use crate::process::locks::{CONCURRENCY_PREFIX, fault};
use crate::process::{ActivityIx, PhaseIx};
use crate::release::Release;
use crate::release::event::Event;
use crate::release::index::Node;
use crate::release::state::{ActivityState, Blocked, PhaseState, ReleaseState};
use crate::time::Timestamp;

/// The part of a release that wants or holds locks. The order of variants is the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// The release as a whole.
    Release,
    /// A phase.
    Phase(PhaseIx),
    /// An activity.
    Activity(ActivityIx),
}

/// Locks that a part of a release wants, all at once, or holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Their names, sorted, each once.
    pub locks: Vec<String>,
    /// Since when it wants them.
    pub since: Timestamp,
    /// Since when it holds them.
    pub granted: Option<Timestamp>,
}

impl Release {
    /// What `holder` wants or holds, if it does.
    pub fn claim(&self, holder: Holder) -> Option<&Claim> {
        self.claims.get(&holder)
    }

    /// Everything that is wanted or held.
    pub fn claims(&self) -> &BTreeMap<Holder, Claim> {
        &self.claims
    }

    /// Most releases of its process that may run at a time.
    pub fn concurrency(&self) -> Option<u32> {
        self.process.concurrency
    }

    /// The part that `holder` is, as people call it: `release`, a phase, or `phase/activity`.
    pub fn holder_path(&self, holder: Holder) -> String {
        match holder {
            Holder::Release => "release".to_owned(),
            Holder::Phase(ix) => self.process.phase(ix).name.to_string(),
            Holder::Activity(ix) => self.process.path(ix),
        }
    }

    /// The parts around `holder`, whose locks it need not take again.
    pub fn around(&self, holder: Holder) -> Vec<Holder> {
        match holder {
            Holder::Release => Vec::new(),
            Holder::Phase(_) => vec![Holder::Release],
            Holder::Activity(ix) => {
                let phase = self.process.activity(ix).phase;
                vec![Holder::Release, Holder::Phase(phase)]
            }
        }
    }

    /// Whether nothing may begin before the release as a whole holds its locks.
    pub(super) fn is_gated(&self) -> bool {
        let claim = self.claims.get(&Holder::Release);
        claim.is_some_and(|claim| claim.granted.is_none())
    }

    /// What `holder` has to ask for before it may begin, with the inputs that a person gave for it;
    /// nothing if it holds it already or needs none.
    pub(super) fn wants(
        &self,
        holder: Holder,
        with: Option<&Json>,
    ) -> Result<Option<Event>, String> {
        if self.claims.contains_key(&holder) {
            return Ok(None);
        }
        let (templates, concurrency) = match holder {
            Holder::Release => (&self.process.locks, self.process.concurrency),
            Holder::Phase(ix) => (&self.process.phase(ix).locks, None),
            Holder::Activity(ix) => (&self.process.activity(ix).locks, None),
        };
        // A phase sees what its activities see.
        let reader = match holder {
            Holder::Release => None,
            Holder::Phase(ix) => self
                .process
                .phase(ix)
                .activities
                .clone()
                .next()
                .map(ActivityIx),
            Holder::Activity(ix) => Some(ix),
        };
        let mut locks = self.lock_names(templates, reader)?;
        if concurrency.is_some() {
            locks.insert(format!("{CONCURRENCY_PREFIX}{}", self.process.name));
        }
        let with = with.cloned();
        let locks: Vec<String> = locks.into_iter().collect();
        Ok((!locks.is_empty()).then_some(Event::LocksWanted {
            holder,
            locks,
            with,
        }))
    }

    fn lock_names(
        &self,
        templates: &[Template],
        reader: Option<ActivityIx>,
    ) -> Result<BTreeSet<String>, String> {
        let mut names = BTreeSet::new();
        for template in templates {
            let name = self.rendered_text("locks", template, reader)?;
            match fault(&name) {
                Some(fault) => return Err(format!("`locks`: {fault}")),
                None => names.insert(name),
            };
        }
        Ok(names)
    }

    pub(super) fn apply_locks_wanted(
        &mut self,
        at: Timestamp,
        holder: Holder,
        locks: &[String],
        with: Option<&Json>,
    ) {
        if !self.may_claim(holder) {
            return;
        }
        let claim = Claim {
            locks: locks.to_vec(),
            since: at,
            granted: None,
        };
        self.claims.insert(holder, claim);
        match holder {
            Holder::Release => self.frontier.clear(),
            Holder::Phase(ix) => self.put_phase_state(ix, PhaseState::Blocked { since: at }),
            Holder::Activity(ix) => {
                let attempts = self.record(ix).map_or(0, |record| record.attempts);
                let blocked = Blocked {
                    since: at,
                    attempts,
                    with: with.cloned(),
                };
                self.put(ix, ActivityState::Blocked(Box::new(blocked)));
            }
        }
    }

    /// Whether `holder` is a part of this release that has not ended and wants nothing yet.
    fn may_claim(&self, holder: Holder) -> bool {
        let open = match holder {
            Holder::Release => !self.has_ended(),
            Holder::Phase(ix) => {
                let node = self.phases.get(ix.0 as usize);
                node.is_some_and(|node| node.state == PhaseState::Waiting)
            }
            Holder::Activity(ix) => {
                let node = self.activities.get(ix.0 as usize);
                node.is_some_and(|node| node.state.settled().is_none())
            }
        };
        open && !self.claims.contains_key(&holder)
    }

    pub(super) fn apply_locks_granted(&mut self, at: Timestamp, holder: Holder) {
        let Some(claim) = self.claims.get_mut(&holder) else {
            return;
        };
        claim.granted.get_or_insert(at);
        match holder {
            Holder::Release => {
                let due = self.phase_ixs().filter(|(_, phase)| phase.is_due());
                let due: Vec<Node> = due.map(|(ix, _)| Node::Phase(ix)).collect();
                self.frontier.extend(due);
            }
            Holder::Phase(ix) => {
                if matches!(self.phase_state(ix), PhaseState::Blocked { .. }) {
                    self.frontier.insert(Node::Phase(ix));
                }
            }
            Holder::Activity(ix) => {
                if matches!(self.activity_state(ix), ActivityState::Blocked(_)) {
                    self.frontier.insert(Node::Activity(ix));
                }
            }
        }
    }

    /// Lets go of what `holder` wanted or held. What the release holds when it goes back it holds until
    /// it has gone back: nobody else gets between what was done and its undo.
    pub(super) fn let_go(&mut self, holder: Holder) {
        let goes_back = self.is_going_back() || self.wants_to_go_back();
        let claim = self.claims.get(&holder);
        if goes_back && claim.is_some_and(|claim| claim.granted.is_some()) {
            return;
        }
        self.claims.remove(&holder);
    }

    /// Whether the release can be given locks now: it runs, and nothing keeps it from beginning.
    pub fn takes_locks(&self) -> bool {
        self.state == ReleaseState::Running && !self.wants_to_go_back()
    }
}
