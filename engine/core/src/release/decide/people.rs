//! Who may decide a manual activity.

use crate::actor::{Actor, Caller};
use crate::process::{ActivityIx, Exclusion, Kind, Manual};
use crate::release::Release;
use crate::release::decide::{known, wrong_state};
use crate::release::refusal::Refusal;
use crate::release::state::{ActivityState, People, Question};
use crate::time::Timestamp;

/// Who speaks, and whose voice it is: their own, or that of the person whose backup they are.
#[derive(Clone, Copy)]
pub(super) struct Voice<'a> {
    pub(super) by: &'a Caller,
    pub(super) backup_of: Option<&'a Caller>,
}

impl<'a> Voice<'a> {
    pub(super) fn new(by: &'a Caller, backup_of: Option<&'a Caller>) -> Self {
        Self { by, backup_of }
    }

    /// Whose voice it is.
    pub(super) fn voter(self) -> &'a Caller {
        self.backup_of.unwrap_or(self.by)
    }

    /// Whose place the speaker takes, for the record.
    pub(super) fn absent(self) -> Option<Actor> {
        self.backup_of.map(|absent| absent.actor.clone())
    }
}

/// The open question of a manual activity.
///
/// A question lapses at its instant of expiry, whether or not that was noticed yet: who decides
/// at that very instant is too late, in whatever order the two arrive.
pub(super) fn question(
    release: &Release,
    ix: ActivityIx,
    now: Timestamp,
) -> Result<(&Manual, &Question), Refusal> {
    let state = known(release, ix)?;
    let Kind::Manual(manual) = &release.process.activity(ix).kind else {
        return Err(Refusal::NotManual);
    };
    let ActivityState::NeedsPeople(question) = state else {
        return Err(wrong_state(state, "needs-people"));
    };
    // What has no end once it is escalated does not lapse.
    let ends_at = question
        .expires_at
        .filter(|at| question.escalates_at != Some(*at));
    if ends_at.is_some_and(|at| at <= now) {
        return Err(Refusal::WrongState {
            state: "expired",
            expected: "needs-people",
        });
    }
    Ok((manual, question))
}

/// Refuses who is excluded or belongs to none of the rules.
pub(super) fn may_decide(
    release: &Release,
    (manual, question): (&Manual, &Question),
    voice: Voice<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let voter = voice.voter();
    if voice.by.actor == Actor::Engine || voter.actor == Actor::Engine {
        return Err(Refusal::NotAnApprover);
    }
    if question.people == People::Wanted {
        return Err(Refusal::PeopleUnknown);
    }
    if voice.backup_of.is_some() && !manual.delegation {
        return Err(Refusal::NoDelegation);
    }
    // Nobody decides through somebody else what they may not decide themselves.
    for who in [Some(voice.by), voice.backup_of].into_iter().flatten() {
        if let Some(why) = excluded(release, (manual, question), who) {
            return Err(Refusal::Excluded(why));
        }
    }
    let rules = 0..manual.approvals.len();
    let named = rules
        .into_iter()
        .any(|ix| question.is_for(manual, ix, (voter, now)));
    if manual.approvals.is_empty() || named {
        Ok(())
    } else {
        Err(Refusal::NotAnApprover)
    }
}

fn excluded(
    release: &Release,
    (manual, question): (&Manual, &Question),
    who: &Caller,
) -> Option<&'static str> {
    manual.exclude.iter().find_map(|exclusion| match exclusion {
        // Whoever drafts a release and lets somebody else press the button has a stake as well.
        Exclusion::Initiator if *release.initiator() == who.actor => {
            Some("you started this release")
        }
        Exclusion::Initiator if release.created_by == who.actor => Some("you created this release"),
        Exclusion::Authors => match &question.people {
            People::Known { authors, .. } if authors.contains(&who.actor) => {
                Some("you published this version of the process")
            }
            _ => None,
        },
        Exclusion::Party(party) if who.is(party) => Some("the process excludes you"),
        Exclusion::Initiator | Exclusion::Party(_) => None,
    })
}
