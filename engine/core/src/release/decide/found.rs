//! A question is told who is who, once.

use crate::actor::Actor;
use crate::limits::MEMBERS_MAX;
use crate::process::ActivityIx;
use crate::release::Release;
use crate::release::decide::{known, wrong_state};
use crate::release::event::{Event, Membership};
use crate::release::refusal::Refusal;

pub(super) fn found(
    release: &Release,
    activity: ActivityIx,
    authors: &[Actor],
    groups: &[Membership],
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    if !release.index.wanting.contains(&activity) {
        return Err(wrong_state(state, "needs-people and not told yet"));
    }
    let large = groups
        .iter()
        .find(|known| known.members.len() > MEMBERS_MAX);
    if let Some(large) = large {
        let fault = format!("group:{}: more than {MEMBERS_MAX} people", large.group);
        return Err(Refusal::Invalid(vec![fault]));
    }
    Ok(vec![Event::PeopleFound {
        activity,
        authors: authors.to_vec(),
        groups: groups.to_vec(),
    }])
}
