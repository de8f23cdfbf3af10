//! Fan-outs as JSON: how far their batches are, and which of many instances are worth showing.

use std::ops::Range;

use fermata_core::json::Json;
use fermata_core::process::{ActivityIx, Group, Instance, PhaseIx, Role};
use fermata_core::release::Release;
use fermata_core::release::state::{ActivityState, PhaseState, Settled};
use fermata_core::release::wave::{Stage, Wave};

use crate::http::dto::wave::{InstanceBody, WaveBody};

/// Instances of one fan-out that are shown whatever state they are in.
const ALL_SHOWN_MAX: usize = 50;
/// Most instances of one fan-out that are shown where there are more: those in which something goes on
/// or went wrong.
const SOME_SHOWN_MAX: usize = 100;

/// The phases of a release, each followed by its instances that are worth showing.
pub(super) fn shown_phases(release: &Release) -> impl Iterator<Item = PhaseIx> {
    let phases = (0..).map(PhaseIx).zip(&release.process().phases);
    let authored = phases.filter(|(_, phase)| phase.instance.is_none());
    authored.flat_map(move |(ix, _)| {
        let instances = shown(release, Group::Phase(ix)).into_iter().map(PhaseIx);
        std::iter::once(ix).chain(instances)
    })
}

/// The activities of a phase, each followed by its instances that are worth showing; of a phase that is
/// fanned out, its gates.
pub(super) fn shown_activities(
    release: &Release,
    phase: PhaseIx,
) -> impl Iterator<Item = ActivityIx> {
    let process = release.process();
    let members = process.phase(phase).activities.clone().map(ActivityIx);
    let members = members.filter(move |ix| process.activity(*ix).role != Role::Template);
    let members = members.flat_map(move |ix| {
        let group = Group::Activity(ix);
        let instances = shown(release, group).into_iter().map(ActivityIx);
        std::iter::once(ix)
            .chain(instances)
            .chain(gates(release, group))
    });
    members.chain(gates(release, Group::Phase(phase)))
}

/// The gates of a fan-out that it has come to.
fn gates(release: &Release, group: Group) -> impl Iterator<Item = ActivityIx> {
    let instances = release.process().instances(group);
    let gates = instances.map_or(0..0, |instances| instances.gates.clone());
    gates.map(ActivityIx).filter(move |ix| {
        let state = release.activity_state(*ix);
        *state != ActivityState::Waiting && !is_not_needed(state)
    })
}

fn is_not_needed(state: &ActivityState) -> bool {
    use fermata_core::release::event::SkipReason::NotNeeded;
    matches!(state, ActivityState::Skipped { why: NotNeeded, .. })
}

fn nodes(release: &Release, group: Group) -> Range<u32> {
    let instances = release.process().instances(group);
    instances.map_or(0..0, |instances| instances.nodes.clone())
}

/// The positions of the instances that are worth showing.
fn shown(release: &Release, group: Group) -> Vec<u32> {
    let nodes = nodes(release, group);
    if nodes.len() <= ALL_SHOWN_MAX {
        return nodes.collect();
    }
    nodes
        .filter(|ix| is_remarkable(release, group, *ix))
        .take(SOME_SHOWN_MAX)
        .collect()
}

/// Whether something goes on in an instance, or went wrong.
fn is_remarkable(release: &Release, group: Group, ix: u32) -> bool {
    match group {
        Group::Phase(_) => {
            let state = release.phase_state(PhaseIx(ix));
            let goes_on = matches!(state, PhaseState::Open { .. });
            goes_on || state.settled() == Some(Settled::Broken)
        }
        Group::Activity(_) => {
            let state = release.activity_state(ActivityIx(ix));
            let waits = *state == ActivityState::Waiting;
            !waits && state.settled() != Some(Settled::Satisfied)
        }
    }
}

/// How far a fan-out is, if its items are known.
pub(super) fn body(release: &Release, group: Group) -> Option<WaveBody> {
    let wave = release.wave(group)?;
    let fan_out = release.process().fan_out(group)?;
    let (state, until, gate) = match wave.stage {
        _ if release.has_ended() || wave.is_over() => ("over", None, None),
        _ if wave.goes_back().is_some() => ("rolling-back", None, None),
        _ if wave.halt.is_some() => ("halted", None, None),
        Stage::Baking { until } => ("baking", Some(until.to_string()), None),
        Stage::Gated(gate) => ("gated", None, Some(release.process().path(gate))),
        Stage::Going | Stage::Baked | Stage::Passed => ("going", None, None),
    };
    let halt = wave.halt.as_ref().filter(|_| state == "halted");
    let halted = halt.map(|halt| halt.reason.text(&halt.by));
    let stands = match (&until, &gate, &halted) {
        _ if state == "rolling-back" => ", rolling back".to_owned(),
        (_, _, Some(why)) => format!(", halted {why}"),
        (Some(until), ..) => format!(", bakes until {until}"),
        (_, Some(gate), _) => format!(", waits for {gate}"),
        _ => String::new(),
    };
    let text = format!("{}{stands}", counts(wave));
    Some(WaveBody {
        count: wave.count(),
        ended: wave.ended,
        failed: wave.failed,
        failures_max: fan_out.failures_max,
        batches: wave.ends.to_vec(),
        open: wave.open,
        state: state.into(),
        until,
        gate,
        halted,
        rolled_back: wave.gone_back.iter().copied().collect(),
        left_out: nodes(release, group).len() - shown(release, group).len(),
        text,
    })
}

/// `3 of 40 done, 1 failed, batch 1 of 3`.
fn counts(wave: &Wave) -> String {
    let failed = match wave.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let batch = match wave.batches() {
        0 | 1 => String::new(),
        batches => format!(", batch {} of {batches}", wave.open),
    };
    format!("{} of {} done{failed}{batch}", wave.ended, wave.count())
}

/// Which instance something is.
pub(super) fn instance(release: &Release, instance: &Instance) -> InstanceBody {
    let wave = release.wave(instance.of);
    InstanceBody {
        of: release.process().group_path(instance.of),
        index: instance.index,
        batch: wave.map_or(1, |wave| wave.batch_of(instance.index)),
        item: Json::value(&instance.item),
    }
}
