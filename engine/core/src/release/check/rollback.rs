//! What must hold of the way back.

use crate::process::ActivityIx;
use crate::release::Release;
use crate::release::event::ReleaseOutcome;
use crate::release::state::{ActivityState, ReleaseState};
use crate::release::unwinding::Unwinding;

/// The count of what is dealt with equals a recount from the states, which deals with each effect
/// only when its turn has come.
pub(super) fn effects_are_undone_in_reverse(release: &Release) -> Vec<String> {
    let Some(rollback) = release
        .rollback
        .as_ref()
        .filter(|_| release.is_going_back())
    else {
        return Vec::new();
    };
    let going = |ix| rollback.going.contains(&ix);
    let (mut unwinding, mut due) = Unwinding::new(release, &rollback.plan, going);
    // Runs that have ended since are not counted: what they hold up is nowhere in `going`.
    let mut waiting = Vec::new();
    while let Some(ix) = due.pop() {
        if is_dealt_with(release, ix) {
            due.extend(unwinding.dealt_with(&release.process, ix));
        } else {
            waiting.push(ix);
        }
    }
    let mut found = Vec::new();
    if unwinding != rollback.unwinding {
        found.push(format!(
            "kept {:?}; recounted {unwinding:?}",
            rollback.unwinding
        ));
    }
    let moved = release.activity_ixs().filter(|(ix, node)| {
        let back = matches!(
            node.state,
            ActivityState::Undoing(_) | ActivityState::UndoFailed(_)
        );
        let target = rollback.way(*ix).is_some();
        back && target && !is_dealt_with(release, *ix) && !waiting.contains(ix)
    });
    found.extend(moved.map(|(ix, node)| {
        format!(
            "{} is {} before its turn",
            release.process.path(ix),
            node.state.word()
        )
    }));
    found
}

fn is_dealt_with(release: &Release, ix: ActivityIx) -> bool {
    match release.activity_state(ix) {
        ActivityState::Undone(_) => true,
        ActivityState::UndoFailed(failed) => failed.accepted.is_some(),
        _ => false,
    }
}

/// An effect is being taken back only while the release goes back.
pub(super) fn nothing_is_undone_going_forward(release: &Release) -> Vec<String> {
    let word = matches!(release.state, ReleaseState::RollingBack);
    let mut found = Vec::new();
    if word && !release.is_going_back() {
        found.push("rolling back without a rollback".to_owned());
    }
    let undoing = release
        .activity_ixs()
        .filter(|(_, node)| matches!(node.state, ActivityState::Undoing(_)));
    let stray = undoing.filter(|(ix, _)| release.scope_of(*ix).is_none());
    found.extend(stray.map(|(ix, _)| release.process.path(ix)));
    found
}

/// A release that is rolled back has no effect left.
pub(super) fn rolled_back_is_undone(release: &Release) -> Vec<String> {
    let rolled_back = matches!(
        release.state,
        ReleaseState::Ended {
            outcome: ReleaseOutcome::RolledBack,
            ..
        }
    );
    let planned = release.rollback.iter().flat_map(|back| &back.plan);
    let left = planned.filter(|planned| rolled_back && !release.undo_result(planned).is_gone());
    left.map(|planned| release.process.path(planned.activity))
        .collect()
}
