//! The way back, as scenarios tell it.

use fermata_core::process::Process;
use fermata_core::release::event::{Event, PlannedUndo, UndoPart, UndoWay};
use fermata_core::release::{Release, RootCause, rollback_plan};

use crate::show::{labelled, short, told};
use crate::story::{elapsed, name};

pub(crate) fn fact(event: &Event) -> String {
    match event {
        Event::ActivityAborted { .. } => "aborted".to_owned(),
        Event::UndoStarted {
            part,
            attempt,
            with,
            deadline,
            ..
        } => {
            let (part, with) = (part_word(*part), labelled("with", with.as_ref()));
            let until = elapsed(*deadline);
            format!("{part} started, attempt {attempt}{with}, until +{until}")
        }
        Event::UndoReturned { .. } => "undo returned".to_owned(),
        Event::ChildRecalled { child, .. } => format!("{child} is asked to go back"),
        Event::ChildUndone { child, .. } => format!("{child} has gone back"),
        Event::Undone { by_hand, .. } => match by_hand {
            None => "undone".to_owned(),
            Some(reason) => format!("undone by hand: {}", short(reason)),
        },
        Event::UndoHeld { failure, .. } => format!("undo held{}", told(failure.as_ref())),
        Event::UndoAccepted { reason, .. } => format!("accepted as not undone: {}", short(reason)),
        other => format!("{other:?}"),
    }
}

pub(crate) fn part_word(part: UndoPart) -> &'static str {
    match part {
        UndoPart::Undo => "undo",
        UndoPart::Validate => "validation",
        UndoPart::Child(_) => "child",
    }
}

/// What a rollback would take back.
pub(crate) fn plan(release: &Release) -> Vec<String> {
    let stages = (1..).zip(rollback_plan(release));
    stages
        .map(|(number, stage)| format!("{number}: {}", planned(release.process(), &stage)))
        .collect()
}

/// What has come of the last rollback.
pub(crate) fn rollback(release: &Release) -> Vec<String> {
    let Some(rollback) = release.rollback() else {
        return vec!["never rolled back".to_owned()];
    };
    let planned = rollback.plan.iter().map(|planned| {
        let path = release.process().path(planned.activity);
        format!("{path} {}", release.undo_result(planned).word())
    });
    let mut lines: Vec<String> = planned.collect();
    lines.extend(rollback.root_cause.as_ref().map(|cause| match cause {
        RootCause::Open { since } => format!("root cause open since +{}", elapsed(*since)),
        RootCause::Closed { by, text, .. } => {
            format!("root cause closed by {}: {}", name(by), short(text))
        }
    }));
    lines
}

pub(crate) fn planned(process: &Process, plan: &[PlannedUndo]) -> String {
    let planned = plan.iter().map(|planned| {
        let path = process.path(planned.activity);
        match planned.way {
            UndoWay::Kept { point } => format!("{path} kept before {}", process.path(point)),
            way => format!("{path} by {}", way.word()),
        }
    });
    planned.collect::<Vec<_>>().join(", ")
}
