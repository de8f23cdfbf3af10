//! Samples of the way back.

use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::ReleaseId;
use fermata_core::process::{ActivityIx, Group, PhaseIx};
use fermata_core::release::event::{Event, PlannedUndo, UndoPart, UndoWay};
use fermata_core::time::Timestamp;

use super::{ACTIVITY, json};

pub(super) fn of_the_way_back() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let reason = || "customers cannot pay".to_owned();
    let way = |way| PlannedUndo { activity, way };
    let (point, child) = (ActivityIx(7), ReleaseId(5));
    let started = |trigger, reason, plan| Event::RollbackStarted {
        trigger,
        reason,
        plan,
    };
    let plan = undo_ways(point).into_iter().map(way).collect();
    let undo = |part, with| Event::UndoStarted {
        activity,
        part,
        attempt: 3,
        with,
        deadline: Timestamp(1_700_000_900_000),
    };
    let held = |failure| Event::UndoHeld { activity, failure };
    vec![
        ("", Event::IrreversiblePinned { pins: vec![0, 2] }),
        ("by-hand", started(None, Some(reason()), plan)),
        ("triggered", started(Some(activity), None, Vec::new())),
        ("", Event::ActivityAborted { activity }),
        ("undo", undo(UndoPart::Undo, None)),
        ("validate", undo(UndoPart::Validate, Some(json("{}")))),
        ("", Event::UndoReturned { activity }),
        (
            "bare",
            Event::Undone {
                activity,
                by_hand: None,
            },
        ),
        (
            "by-hand",
            Event::Undone {
                activity,
                by_hand: Some(reason()),
            },
        ),
        ("bare", held(None)),
        (
            "failure",
            held(Some(Failure::new(FailureClass::Permanent, "no"))),
        ),
        (
            "",
            Event::UndoAccepted {
                activity,
                reason: reason(),
            },
        ),
        ("", Event::RootCauseClosed { text: reason() }),
        ("", Event::ChildRecalled { activity, child }),
        ("", Event::ChildUndone { activity, child }),
    ]
}

pub(in super::super) fn undo_parts() -> Vec<UndoPart> {
    vec![
        UndoPart::Undo,
        UndoPart::Validate,
        UndoPart::Child(ReleaseId(5)),
    ]
}

pub(in super::super) fn undo_ways(point: ActivityIx) -> Vec<UndoWay> {
    vec![
        UndoWay::Component,
        UndoWay::Uses,
        UndoWay::Person,
        UndoWay::Nothing,
        UndoWay::Supplied,
        UndoWay::Kept { point },
        UndoWay::Children,
    ]
}

pub(super) fn of_wave_rollbacks_and_signals() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let way = |way| PlannedUndo { activity, way };
    vec![
        (
            "",
            Event::WaveRollbackStarted {
                group: Group::Phase(PhaseIx(3)),
                batch: 2,
                reason: "customers cannot pay".to_owned(),
                plan: vec![way(UndoWay::Component)],
            },
        ),
        (
            "",
            Event::WaveRolledBack {
                group: Group::Activity(activity),
                batch: 2,
            },
        ),
        (
            "",
            Event::AttemptAwaitsSignal {
                activity,
                checkpoint: vec![0, 1, 0xff],
                signal: "approved".parse().expect("a name"),
                status: Some("asked the bank".to_owned()),
            },
        ),
    ]
}
