//! What a rollback would take back, in which order and how: shown before it starts, and recorded
//! when it does.

use std::collections::BTreeMap;

use crate::process::{ActivityIx, Group, Kind, PhaseIx, Undo};
use crate::release::Release;
use crate::release::event::{OutputSource, PlannedUndo, UndoWay};
use crate::release::state::ActivityState;
use crate::release::unwinding::Unwinding;
use crate::release::wave::Wave;

/// Everything in `release` that had or may have had an effect, what depends on others first.
///
/// What is between two stages of the order does not depend on each other and is taken back at the
/// same time.
pub fn rollback_plan(release: &Release) -> Vec<Vec<PlannedUndo>> {
    let kept = release.kept();
    let effects: Vec<PlannedUndo> = release
        .activity_ixs()
        .filter_map(|(activity, _)| {
            let way = match kept.get(&activity) {
                Some(point) => release
                    .effect(activity)
                    .map(|_| UndoWay::Kept { point: *point }),
                None => release.effect(activity),
            };
            way.map(|way| PlannedUndo { activity, way })
        })
        .collect();
    release.in_stages(&effects)
}

/// The same for a rollback of the last open batch of a fan-out that has not gone back.
pub fn wave_rollback_plan(release: &Release, group: Group) -> Vec<Vec<PlannedUndo>> {
    let batch = release.wave(group).and_then(Wave::last_batch);
    batch.map_or_else(Vec::new, |batch| batch_plan(release, group, batch))
}

/// What of it a batch of a fan-out did. A point of no return keeps what lies before it here as well.
pub(super) fn batch_plan(release: &Release, group: Group, batch: u32) -> Vec<Vec<PlannedUndo>> {
    let nodes = release.batch_nodes(group, batch);
    let is_of_it = |planned: &PlannedUndo| {
        let activity = release.process.activity(planned.activity);
        match group {
            Group::Activity(_) => nodes.contains(&planned.activity.0),
            Group::Phase(_) => nodes.contains(&activity.phase.0),
        }
    };
    let stages = rollback_plan(release).into_iter().map(|stage| {
        let of_it = stage.into_iter().filter(is_of_it);
        of_it.collect::<Vec<_>>()
    });
    stages.filter(|stage| !stage.is_empty()).collect()
}

impl Release {
    /// How the effect of an activity is taken back; nothing if it has none.
    fn effect(&self, ix: ActivityIx) -> Option<UndoWay> {
        let activity = self.process.activity(ix);
        let state = self.activity_state(ix);
        if matches!(state, ActivityState::Undone(_)) {
            return None;
        }
        let record = self.record(ix);
        let has_children = record.is_some_and(|record| !record.children.is_empty());
        let begun = self.calls_begun(ix) > 0;
        let supplied = record.is_some_and(|record| record.source == Some(OutputSource::Supplied));
        let decided = matches!(activity.kind, Kind::Manual(_))
            && matches!(state.forward(), ActivityState::Succeeded { .. });
        match (&activity.undo, &activity.kind) {
            (_, Kind::Component(_) | Kind::Process(_)) if !begun && !has_children => {
                supplied.then_some(UndoWay::Supplied)
            }
            (Undo::None, Kind::Component(_) | Kind::Process(_)) => Some(UndoWay::Nothing),
            (Undo::Uses(_), Kind::Component(_) | Kind::Process(_)) => Some(UndoWay::Uses),
            (Undo::Exported, _) if has_children && !begun => Some(UndoWay::Children),
            (Undo::Exported, Kind::Component(component)) => {
                Some(if self.is_irreversible(&component.uses) {
                    UndoWay::Person
                } else {
                    UndoWay::Component
                })
            }
            (Undo::Uses(_), Kind::Manual(_)) if decided => Some(UndoWay::Uses),
            (_, Kind::Manual(_) | Kind::Wait(_) | Kind::Process(_)) => None,
        }
    }

    /// Attempts of its own that have run; those in its place that were children are not.
    fn calls_begun(&self, ix: ActivityIx) -> usize {
        let children = self.record(ix).map_or(0, |record| record.children.len());
        (self.attempts_run(ix) as usize).saturating_sub(children)
    }

    /// Attempts that were not turned away before anything ran.
    fn attempts_run(&self, ix: ActivityIx) -> u32 {
        self.record(ix).map_or(0, |record| {
            record.attempts.saturating_sub(record.turned_away)
        })
    }

    /// Whether the activity is a point of no return that has begun.
    fn is_passed_point(&self, ix: ActivityIx) -> bool {
        let activity = self.process.activity(ix);
        activity.point_of_no_return
            && match activity.kind {
                Kind::Component(_) | Kind::Process(_) => self.attempts_run(ix) > 0,
                Kind::Manual(_) | Kind::Wait(_) => matches!(
                    self.activity_state(ix).forward(),
                    ActivityState::Succeeded { .. }
                ),
            }
    }

    /// What lies before a point of no return that has begun, and the point itself.
    fn kept(&self) -> BTreeMap<ActivityIx, ActivityIx> {
        let mut kept = BTreeMap::new();
        let mut phases = vec![false; self.phases.len()];
        let points = self.activity_ixs().map(|(ix, _)| ix);
        for point in points.filter(|ix| self.is_passed_point(*ix)) {
            let mut before = vec![point];
            while let Some(ix) = before.pop() {
                if kept.contains_key(&ix) {
                    continue;
                }
                kept.insert(ix, point);
                let activity = self.process.activity(ix);
                before.extend(&activity.needs);
                let phase = self.process.phase(activity.phase).instance.as_deref();
                for group in [activity.instance(), phase].into_iter().flatten() {
                    match group.of {
                        Group::Activity(ix) => before.push(ix),
                        Group::Phase(ix) => self.before_phase(ix, &mut phases, &mut before),
                    }
                }
                self.before_phase(activity.phase, &mut phases, &mut before);
            }
        }
        kept
    }

    /// Adds the activities of every phase that `ix` needs, however indirectly.
    fn before_phase(&self, ix: PhaseIx, seen: &mut [bool], before: &mut Vec<ActivityIx>) {
        let mut open = vec![ix];
        while let Some(ix) = open.pop() {
            for need in &self.process.phase(ix).needs {
                if !std::mem::replace(&mut seen[need.0 as usize], true) {
                    before.extend(self.process.phase(*need).activities.clone().map(ActivityIx));
                    open.push(*need);
                }
            }
        }
    }

    /// `effects` in stages, each after everything that depends on it.
    fn in_stages(&self, effects: &[PlannedUndo]) -> Vec<Vec<PlannedUndo>> {
        // What is not taken back stands in the order as well: people read it with the rest.
        let ways: BTreeMap<ActivityIx, UndoWay> = effects
            .iter()
            .map(|planned| (planned.activity, planned.way))
            .collect();
        let listed: Vec<PlannedUndo> = effects
            .iter()
            .map(|planned| PlannedUndo {
                activity: planned.activity,
                way: UndoWay::Component,
            })
            .collect();
        let (mut unwinding, mut due) = Unwinding::new(self, &listed, |_| false);
        let mut stages = Vec::new();
        while !due.is_empty() {
            let mut next = Vec::new();
            for ix in &due {
                next.extend(unwinding.dealt_with(&self.process, *ix));
            }
            next.sort_unstable();
            let stage = due.iter().map(|activity| PlannedUndo {
                activity: *activity,
                way: ways[activity],
            });
            stages.push(stage.collect());
            due = next;
        }
        stages
    }

    fn is_irreversible(&self, uses: &crate::component::Uses) -> bool {
        let at = self.pins.binary_search_by(|pinned| pinned.uses.cmp(uses));
        at.is_ok_and(|at| u32::try_from(at).is_ok_and(|at| self.irreversible.contains(&at)))
    }
}
