//! Who may decide a manual activity, and what is still open on it.

use crate::actor::{Actor, Caller};
use crate::process::{ActivityIx, Kind, Manual};
use crate::release::Release;
use crate::release::decide::{known, wrong_state};
use crate::release::refusal::Refusal;
use crate::release::state::{ActivityState, Question};
use crate::time::Timestamp;

/// The open question of a manual activity, which `by` may decide.
///
/// A question lapses at its instant of expiry, whether or not that was noticed yet: who decides
/// at that very instant is too late, in whatever order the two arrive.
pub(super) fn question<'a>(
    release: &'a Release,
    by: &Caller,
    ix: ActivityIx,
    now: Timestamp,
) -> Result<(&'a Manual, &'a Question), Refusal> {
    let state = known(release, ix)?;
    let Kind::Manual(manual) = &release.process.activity(ix).kind else {
        return Err(Refusal::NotManual);
    };
    let ActivityState::NeedsPeople(question) = state else {
        return Err(wrong_state(state, "needs-people"));
    };
    if question.expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::WrongState {
            state: "expired",
            expected: "needs-people",
        });
    }
    may_decide(release, manual, by)?;
    Ok((manual, question))
}

/// Refuses who is excluded or belongs to none of the rules.
fn may_decide(release: &Release, manual: &Manual, by: &Caller) -> Result<(), Refusal> {
    if by.actor == Actor::Engine {
        return Err(Refusal::NotAnApprover);
    }
    if manual.exclude_initiator {
        if release
            .started
            .as_ref()
            .is_some_and(|(who, _)| *who == by.actor)
        {
            return Err(Refusal::Excluded("you started this release"));
        }
        // Whoever drafts a release and lets somebody else press the button has a stake as well.
        if release.created_by == by.actor {
            return Err(Refusal::Excluded("you created this release"));
        }
    }
    let rules = &manual.approvals;
    if rules.is_empty() || rules.iter().any(|rule| by.is(&rule.from)) {
        Ok(())
    } else {
        Err(Refusal::NotAnApprover)
    }
}

/// How many approvals each rule still wants.
pub(in crate::release) fn still_open(manual: &Manual, question: &Question) -> Vec<u32> {
    let mut open: Vec<u32> = manual.approvals.iter().map(|rule| rule.count).collect();
    for rule in question.approvals.iter().flat_map(|given| &given.rules) {
        if let Some(open) = open.get_mut(*rule as usize) {
            *open = open.saturating_sub(1);
        }
    }
    open
}
