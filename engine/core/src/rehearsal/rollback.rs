//! The way back of a plan: what a rollback would take back, from when on, and in which order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::process::{ActivityIx, Undo};
use crate::rehearsal::stage::Stage;
use crate::release::event::{PlannedUndo, UndoWay};
use crate::release::rollback_plan;
use crate::time::Timestamp;

/// An effect, and how a rollback would take it back.
///
/// A rollback at some instant takes back what has begun by then: the effects whose `from` has passed,
/// the first stage first, without those before a point of no return that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its place in the order, 1 for what is taken back first. What has the same is taken back together.
    pub stage: u32,
    /// `phase/activity`.
    pub activity: String,
    /// How, as a word: `component`, `uses`, `person`, `nothing`, `supplied`, `kept` or `children`.
    pub way: String,
    /// The component that is called for it instead of its own.
    pub uses: Option<String>,
    /// The component that looks whether it is gone.
    pub validate: Option<String>,
    /// From when on there is something to take back.
    pub from: Timestamp,
    /// The point of no return that keeps it.
    pub point: Option<String>,
    /// From when on that keeps it.
    pub kept_from: Option<Timestamp>,
}

/// Everything that a rollback after the last instant of the rehearsal would take back: nothing, if the
/// release has gone back already.
pub(super) fn effects(stage: &Stage<'_>) -> Vec<Effect> {
    if stage.release.rollback().is_some() {
        return Vec::new();
    }
    let marks = stage.timeline.marks.iter();
    let began: BTreeMap<ActivityIx, Timestamp> =
        marks.map(|mark| (mark.activity, mark.starts_at)).collect();
    let stages = rollback_plan(&stage.release);
    let effects = (1..).zip(stages).flat_map(|(number, planned)| {
        let told = planned.into_iter().map(move |planned| (number, planned));
        told.collect::<Vec<_>>()
    });
    effects
        .map(|(number, planned)| effect(stage, number, &planned, &began))
        .collect()
}

fn effect(
    stage: &Stage<'_>,
    number: u32,
    planned: &PlannedUndo,
    began: &BTreeMap<ActivityIx, Timestamp>,
) -> Effect {
    let process = stage.release.process();
    let activity = process.activity(planned.activity);
    let point = match planned.way {
        UndoWay::Kept { point } => Some(point),
        _ => None,
    };
    let uses = match (&activity.undo, planned.way) {
        (Undo::Uses(component), UndoWay::Uses) => Some(component.uses.to_string()),
        _ => None,
    };
    let validate = activity.validate.as_ref();
    Effect {
        stage: number,
        activity: process.path(planned.activity),
        way: planned.way.word().to_owned(),
        uses,
        validate: validate.map(|component| component.uses.to_string()),
        from: began.get(&planned.activity).copied().unwrap_or(stage.now),
        point: point.map(|point| process.path(point)),
        kept_from: point.and_then(|point| began.get(&point).copied()),
    }
}
