//! Breaking the glass: in an emergency, somebody with the right to do so goes on without the
//! approvals. That is recorded as what it is, and somebody else has to look at it afterwards, which
//! may be long after the release has ended.

use crate::actor::{Actor, Caller, Party};
use crate::json::Json;
use crate::process::{ActivityIx, Kind};
use crate::release::decide::people::question;
use crate::release::decide::{approve, wrong_state};
use crate::release::event::{Event, OutputSource};
use crate::release::refusal::Refusal;
use crate::release::state::ReleaseState;
use crate::release::{BREAK_GLASS, Release, bounds};
use crate::time::Timestamp;

pub(super) fn break_glass(
    release: &Release,
    by: &Caller,
    activity: ActivityIx,
    (reason, form): (&str, Option<&Json>),
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let (manual, question) = question(release, activity, now)?;
    if !by.groups.iter().any(|group| group.as_str() == BREAK_GLASS) {
        return Err(Refusal::NotPermitted(BREAK_GLASS));
    }
    if manual.approvals.is_empty() {
        // Anybody may complete it, the tasks done: there is no glass.
        return Err(wrong_state(
            release.activity_state(activity),
            "held up by approvals",
        ));
    }
    bounds::reason("reason", reason)?;
    if let Some(form) = form {
        approve::fits(manual, form)?;
    }
    let form = form.or_else(|| question.form());
    if manual.form.is_some() && form.is_none() {
        return Err(Refusal::FormRequired);
    }
    Ok(vec![
        Event::GlassBroken {
            activity,
            reason: reason.to_owned(),
        },
        Event::ActivitySucceeded {
            activity,
            outputs: form.cloned().unwrap_or_else(Json::empty_object),
            source: OutputSource::BrokenGlass,
        },
    ])
}

pub(super) fn close_review(
    release: &Release,
    by: &Caller,
    activity: ActivityIx,
    comment: &str,
) -> Result<Vec<Event>, Refusal> {
    if release.state == ReleaseState::Draft {
        return Err(Refusal::NotStarted);
    }
    if activity.0 as usize >= release.activities.len() {
        return Err(Refusal::UnknownActivity);
    }
    let record = release.record(activity);
    let Some(glass) = record.and_then(|record| record.glass.as_ref()) else {
        return Err(Refusal::NoReview);
    };
    if glass.reviewed.is_some() {
        return Err(Refusal::AlreadyReviewed);
    }
    if glass.by == by.actor {
        return Err(Refusal::Excluded("you skipped these approvals yourself"));
    }
    let reviewers = release.reviewers(activity);
    if by.actor == Actor::Engine || !reviewers.iter().any(|party| by.is(party)) {
        return Err(Refusal::NotAReviewer);
    }
    bounds::reason("comment", comment)?;
    Ok(vec![Event::ReviewClosed {
        activity,
        comment: comment.to_owned(),
    }])
}

impl Release {
    /// Who may look at skipped approvals: who would have given them, and who answers for the activity;
    /// if that is only who skipped them, others who could have.
    pub fn reviewers(&self, ix: ActivityIx) -> Vec<Party> {
        let rules = match &self.process.activity(ix).kind {
            Kind::Manual(manual) => manual.approvals.as_slice(),
            Kind::Component(_) | Kind::Wait(_) | Kind::Process(_) => &[],
        };
        let named = rules.iter().flat_map(|rule| &rule.from);
        let mut parties: Vec<Party> = named.chain(self.owners(ix)).cloned().collect();
        parties.sort_unstable();
        parties.dedup();
        let glass = self.record(ix).and_then(|record| record.glass.as_ref());
        if let Some(Actor::User(breaker)) = glass.map(|glass| &glass.by) {
            parties.retain(|party| *party != Party::User(breaker.clone()));
        }
        if parties.is_empty() {
            let others = BREAK_GLASS.parse().expect("the constant is a name");
            parties.push(Party::Group(others));
        }
        parties
    }

    /// Who answers for an activity: its owners, or else those of its phase.
    pub fn owners(&self, ix: ActivityIx) -> &[Party] {
        let activity = self.process.activity(ix);
        if activity.owners.is_empty() {
            &self.process.phase(activity.phase).owners
        } else {
            &activity.owners
        }
    }
}
