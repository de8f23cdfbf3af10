//! Skip: a person does without an activity or a phase. What needs it goes on as if it had succeeded.

use std::ops::Range;

use crate::process::{ActivityIx, Group, PhaseIx};
use crate::release::decide::{known, live, wrong_state};
use crate::release::event::{Event, SkipReason};
use crate::release::refusal::Refusal;
use crate::release::state::{ActivityState, PhaseState};
use crate::release::wave::Wave;
use crate::release::{Release, bounds};

pub(super) fn skip(
    release: &Release,
    activity: ActivityIx,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let state = known(release, activity)?;
    if state.settled().is_some() {
        return Err(wrong_state(state, "not over"));
    }
    let instance = release.process.activity(activity).instance();
    still(release, instance.map(|instance| instance.of))?;
    bounds::reason("reason", reason)?;
    Ok(vec![Event::ActivitySkipped {
        activity,
        why: SkipReason::Person(reason.to_owned()),
    }])
}

/// The same for a phase. One that is fanned out is not skipped as a whole: its wave is ended instead.
pub(super) fn phase(
    release: &Release,
    phase: PhaseIx,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    live(release)?;
    let node = release.phases.get(phase.0 as usize);
    let state = &node.ok_or(Refusal::UnknownPhase)?.state;
    let definition = release.process.phase(phase);
    if definition.instances.is_some() {
        return Err(Refusal::FannedOut);
    }
    let around = definition.instance.as_deref().map(|instance| instance.of);
    let within = definition.activities.clone().map(ActivityIx);
    still(release, within.map(Group::Activity).chain(around))?;
    let why = SkipReason::Person(reason.to_owned());
    let events = match state {
        PhaseState::Waiting | PhaseState::Blocked { .. } => {
            vec![Event::PhaseSkipped { phase, why }]
        }
        PhaseState::Open { .. } => {
            let activities = definition.activities.clone().map(ActivityIx);
            // What is fanned out ends with its instances.
            let each = activities.flat_map(|ix| match release.activity_state(ix) {
                ActivityState::FannedOut { .. } => instances(release, ix),
                _ => ix.0..ix.0 + 1,
            });
            let open = each
                .map(ActivityIx)
                .filter(|ix| release.activity_state(*ix).settled().is_none());
            open.map(|activity| Event::ActivitySkipped {
                activity,
                why: why.clone(),
            })
            .collect()
        }
        PhaseState::Ended { .. } | PhaseState::Skipped { .. } => {
            return Err(Refusal::WrongState {
                state: state.word(),
                expected: "not over",
            });
        }
    };
    bounds::reason("reason", reason)?;
    Ok(events)
}

/// Refuses while a batch of one of the `groups` goes back: the fan-out may not come to its end before that.
fn still(release: &Release, groups: impl IntoIterator<Item = Group>) -> Result<(), Refusal> {
    let mut waves = groups.into_iter().filter_map(|group| release.wave(group));
    match waves.find_map(Wave::goes_back) {
        Some(_) => Err(Refusal::AlreadyRollingBack),
        None => Ok(()),
    }
}

fn instances(release: &Release, ix: ActivityIx) -> Range<u32> {
    let instances = release.process.instances(Group::Activity(ix));
    instances.map_or(0..0, |instances| instances.nodes.clone())
}
