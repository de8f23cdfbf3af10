//! What the engine has promised, kept apart from the engine.

use std::collections::BTreeMap;

use fermata_core::id::ReleaseId;
use fermata_core::process::ActivityIx;
use fermata_core::release::event::{Event, Turn};
use fermata_store::Store;

/// Most turns of a release of a story.
const TURNS_MAX: usize = 100_000;

/// The releases that were acknowledged, and how many events of each.
#[derive(Debug, Default)]
pub(super) struct Promises(BTreeMap<ReleaseId, u64>);

impl Promises {
    /// The engine said that the release has so many events.
    pub(super) fn acknowledged(&mut self, id: ReleaseId, version: u64) {
        let known = self.0.entry(id).or_default();
        *known = version.max(*known);
    }

    /// Every release that was acknowledged.
    pub(super) fn releases(&self) -> impl Iterator<Item = ReleaseId> {
        self.0.keys().copied()
    }

    /// Checks that the disk has all of it, and that nothing completed twice.
    pub(super) fn kept(&self, disk: &dyn Store) -> Result<(), String> {
        for (id, version) in &self.0 {
            let turns = disk
                .turns(*id, 0, TURNS_MAX)
                .map_err(|error| error.to_string())?;
            let found = turns.last().map_or(0, Turn::next);
            if found < *version {
                return Err(format!(
                    "{id} has {found} events on disk where {version} were acknowledged"
                ));
            }
            once(*id, &turns)?;
        }
        Ok(())
    }
}

fn once(id: ReleaseId, turns: &[Turn]) -> Result<(), String> {
    let mut completions: BTreeMap<ActivityIx, u32> = BTreeMap::new();
    for event in turns.iter().flat_map(|turn| &turn.events) {
        if let Event::ActivitySucceeded { activity, .. } = event {
            *completions.entry(*activity).or_default() += 1;
        }
    }
    match completions.iter().find(|(_, times)| **times > 1) {
        Some((activity, times)) => Err(format!("{activity:?} of {id} completed {times} times")),
        None => Ok(()),
    }
}
