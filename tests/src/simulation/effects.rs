//! The world outside, as far as runs change it: what was done, and what was taken back.

use std::collections::{BTreeMap, BTreeSet};

use fermata_core::attempt::{AttemptKey, Call, Invocation, Outcome};
use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, PlannedUndo, ReleaseOutcome, Turn, UndoWay};
use fermata_store::Store;

/// Most turns of a release of a story.
const TURNS_MAX: usize = 100_000;

/// What runs have done, and not taken back.
#[derive(Debug, Default)]
pub(super) struct Effects {
    left: BTreeSet<(ReleaseId, ActivityIx)>,
    releases: BTreeSet<ReleaseId>,
    undos: BTreeSet<AttemptKey>,
}

impl Effects {
    /// A run began: whatever comes of it, it may have had its effect.
    pub(super) fn began(&mut self, invocation: &Invocation) {
        let key = invocation.key;
        self.releases.insert(key.release);
        match invocation.call {
            Call::Undo { .. } => {
                self.undos.insert(key);
            }
            Call::Run if invocation.idempotency_key.ends_with("/validate") => {}
            Call::Run => {
                self.left.insert((key.release, key.activity));
            }
        }
    }

    /// A run ended, whether or not the engine will ever hear of it.
    pub(super) fn ended(&mut self, key: AttemptKey, outcome: &Outcome) {
        if self.undos.contains(&key) && matches!(outcome, Outcome::Succeeded(_)) {
            self.left.remove(&(key.release, key.activity));
        }
    }

    /// Checks every release on disk: what is rolled back has no effect left but what people took
    /// back or has none, and each effect was taken back once.
    pub(super) fn kept(&self, disk: &dyn Store) -> Result<(), String> {
        for id in &self.releases {
            let turns = disk
                .turns(*id, 0, TURNS_MAX)
                .map_err(|error| error.to_string())?;
            self.of(*id, &turns)?;
        }
        Ok(())
    }

    fn of(&self, id: ReleaseId, turns: &[Turn]) -> Result<(), String> {
        let mut ways: BTreeMap<ActivityIx, UndoWay> = BTreeMap::new();
        let mut dealt_with: BTreeSet<ActivityIx> = BTreeSet::new();
        for event in turns.iter().flat_map(|turn| &turn.events) {
            match event {
                Event::RollbackStarted { plan, .. } => {
                    let way = |planned: &PlannedUndo| (planned.activity, planned.way);
                    ways.extend(plan.iter().map(way));
                    dealt_with.clear();
                }
                Event::Undone { activity, by_hand } => {
                    if by_hand.is_some() {
                        ways.insert(*activity, UndoWay::Person);
                    }
                    if !dealt_with.insert(*activity) {
                        return Err(format!("{activity:?} of {id} was undone twice"));
                    }
                }
                Event::Ended {
                    outcome: ReleaseOutcome::RolledBack,
                    ..
                } => return self.nothing_left(id, &ways),
                _ => {}
            }
        }
        Ok(())
    }

    fn nothing_left(
        &self,
        id: ReleaseId,
        ways: &BTreeMap<ActivityIx, UndoWay>,
    ) -> Result<(), String> {
        let of_release = self.left.iter().filter(|(release, _)| *release == id);
        for (_, activity) in of_release {
            if !matches!(ways.get(activity), Some(UndoWay::Nothing | UndoWay::Person)) {
                return Err(format!(
                    "{id} is rolled back, but the effect of {activity:?} is left"
                ));
            }
        }
        Ok(())
    }
}
