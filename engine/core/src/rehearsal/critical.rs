//! The critical path: what determined the end, back to the start.

use crate::rehearsal::timeline::{Mark, Timeline};
use crate::release::Release;
use crate::release::state::ActivityState;

/// The marks along the path, first to last. What was skipped at the end determined nothing.
pub(super) fn path(timeline: &Timeline, release: &Release) -> Vec<usize> {
    let marks = &timeline.marks;
    // What is taken back afterwards is not on it: it is the path of the way forward.
    let moment = |mark: &Mark| {
        let at = mark.ended.map_or(mark.changed_at, |ended| ended.at);
        (at, mark.ended)
    };
    let last = (0..marks.len()).max_by_key(|position| moment(&marks[*position]));
    let is_skipped = |position: &usize| {
        let state = release.activity_state(marks[*position].activity);
        matches!(state, ActivityState::Skipped { .. })
    };
    // Ends: what came first was noted first.
    let back = std::iter::successors(last, |position| marks[*position].after);
    let mut path: Vec<usize> = back.skip_while(is_skipped).collect();
    path.reverse();
    path
}
