//! The graph of needs, walked backwards: whose effect may be taken back now.
//!
//! An activity is due once everything that depends on it is dealt with: the activities that need
//! it, and all activities of the phases that need its phase. What has no effect to take back is
//! dealt with as soon as it is due. Everything counts, so that one answer costs what it changes.

use crate::process::{ActivityIx, PhaseIx, Process};
use crate::release::event::{PlannedUndo, UndoWay};

/// How far the way back is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unwinding {
    activities: Box<[Activity]>,
    phases: Box<[Phase]>,
    /// Effects that are not dealt with.
    left: u32,
}

#[derive(Clone, Debug, PartialEq)]
struct Activity {
    /// Activities that need it and are not dealt with; its own run, if that goes on, is one more.
    open: u32,
    way: Option<UndoWay>,
    done: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Phase {
    /// Phases that need it and are not dealt with.
    open: u32,
    /// Its activities that are not dealt with.
    left: u32,
}

impl Unwinding {
    /// The way back through `plan`, and whose turn it is first. `going` are activities whose runs go on.
    pub(super) fn new(
        process: &Process,
        plan: &[PlannedUndo],
        going: impl Fn(ActivityIx) -> bool,
    ) -> (Self, Vec<ActivityIx>) {
        let activities = process.activities.iter().zip(0..);
        let activities = activities.map(|(activity, ix)| Activity {
            open: count(activity.dependents.len()) + u32::from(going(ActivityIx(ix))),
            way: None,
            done: false,
        });
        let phases = process.phases.iter().map(|phase| Phase {
            open: count(phase.dependents.len()),
            left: phase.activities.end - phase.activities.start,
        });
        let mut unwinding = Self {
            activities: activities.collect(),
            phases: phases.collect(),
            left: 0,
        };
        for planned in plan.iter().filter(|planned| planned.way.is_target()) {
            let node = unwinding.activities.get_mut(planned.activity.0 as usize);
            if let Some(node) = node.filter(|node| node.way.is_none()) {
                node.way = Some(planned.way);
                unwinding.left += 1;
            }
        }
        let all = (0..count(unwinding.activities.len())).map(ActivityIx);
        let first = all.filter(|ix| unwinding.is_due(process, *ix)).collect();
        let due = unwinding.pass(process, first);
        (unwinding, due)
    }

    pub(super) fn way(&self, ix: ActivityIx) -> Option<UndoWay> {
        self.activities.get(ix.0 as usize)?.way
    }

    /// Effects that are not dealt with.
    pub(super) fn left(&self) -> u32 {
        self.left
    }

    pub(super) fn is_done(&self, ix: ActivityIx) -> bool {
        self.activities[ix.0 as usize].done
    }

    /// Whether the turn of an activity has come.
    pub(super) fn is_due(&self, process: &Process, ix: ActivityIx) -> bool {
        let node = &self.activities[ix.0 as usize];
        let phase = process.activity(ix).phase;
        !node.done && node.open == 0 && self.phases[phase.0 as usize].open == 0
    }

    /// The run of an activity has ended; whose turn it is now.
    pub(super) fn run_ended(&mut self, process: &Process, ix: ActivityIx) -> Vec<ActivityIx> {
        let node = &mut self.activities[ix.0 as usize];
        node.open = node.open.saturating_sub(1);
        let due = self.is_due(process, ix).then_some(ix);
        self.pass(process, due.into_iter().collect())
    }

    /// The effect of an activity is dealt with; whose turn it is now.
    pub(super) fn dealt_with(&mut self, process: &Process, ix: ActivityIx) -> Vec<ActivityIx> {
        let Some(node) = self.activities.get(ix.0 as usize) else {
            return Vec::new();
        };
        if node.done || node.way.is_none() {
            return Vec::new();
        }
        self.left = self.left.saturating_sub(1);
        let next = self.close(process, ix);
        self.pass(process, next)
    }

    /// Of what is due, deals with what has no effect, and so on; gives what has one.
    fn pass(&mut self, process: &Process, mut due: Vec<ActivityIx>) -> Vec<ActivityIx> {
        let mut effects = Vec::new();
        while let Some(ix) = due.pop() {
            if self.activities[ix.0 as usize].way.is_some() {
                effects.push(ix);
            } else {
                due.extend(self.close(process, ix));
            }
        }
        effects.sort_unstable();
        effects
    }

    /// Leaves an activity behind; whose turn it is now.
    fn close(&mut self, process: &Process, ix: ActivityIx) -> Vec<ActivityIx> {
        let activity = process.activity(ix);
        self.activities[ix.0 as usize].done = true;
        let mut due = Vec::new();
        for need in &activity.needs {
            let node = &mut self.activities[need.0 as usize];
            node.open = node.open.saturating_sub(1);
            if self.is_due(process, *need) {
                due.push(*need);
            }
        }
        let phase = &mut self.phases[activity.phase.0 as usize];
        phase.left = phase.left.saturating_sub(1);
        if phase.left == 0 {
            self.close_phase(process, activity.phase, &mut due);
        }
        due
    }

    fn close_phase(&mut self, process: &Process, ix: PhaseIx, due: &mut Vec<ActivityIx>) {
        for need in &process.phase(ix).needs {
            let phase = &mut self.phases[need.0 as usize];
            phase.open = phase.open.saturating_sub(1);
            if phase.open > 0 {
                continue;
            }
            let members = process.phase(*need).activities.clone().map(ActivityIx);
            due.extend(members.filter(|member| self.is_due(process, *member)));
        }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("a process has at most ACTIVITIES_MAX nodes")
}
