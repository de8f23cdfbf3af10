//! What the engine has promised, kept apart from the engine.

use std::collections::{BTreeMap, BTreeSet};

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
            children(*id, &turns, disk)?;
        }
        Ok(())
    }
}

/// Each child was asked for once, and is the child of who asked for it.
fn children(id: ReleaseId, turns: &[Turn], disk: &dyn Store) -> Result<(), String> {
    let mut asked: BTreeSet<ReleaseId> = BTreeSet::new();
    for event in turns.iter().flat_map(|turn| &turn.events) {
        let (Event::ChildStarted { child, .. } | Event::ChildLaunched { child, .. }) = event else {
            continue;
        };
        if !asked.insert(*child) {
            return Err(format!("{id} asked for {child} twice"));
        }
        let first = disk
            .turns(*child, 0, 1)
            .map_err(|error| error.to_string())?;
        let mut first = first.iter().flat_map(|turn| &turn.events);
        // One that could not be made failed its activity.
        let of = first.find_map(|event| match event {
            Event::ChildOf { parent, .. } => Some(*parent),
            _ => None,
        });
        if of.is_some_and(|parent| parent != id) {
            return Err(format!(
                "{child} was asked for by {id} and belongs to {of:?}"
            ));
        }
    }
    Ok(())
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
