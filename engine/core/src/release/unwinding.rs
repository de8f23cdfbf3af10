//! The graph of needs, walked backwards: whose effect may be taken back now.
//!
//! An activity is due once everything that depends on it is dealt with: the activities that need
//! it, and all activities of the phases that need its phase. What has no effect to take back is
//! dealt with as soon as it is due. The turn of a fan-out is that of its batches, the last first, and
//! each batch comes after the gate behind it. Everything counts, so that one answer costs what it
//! changes.

use std::collections::BTreeMap;

use crate::process::{self, ActivityIx, Group, PhaseIx, Process, Role};
use crate::release::Release;
use crate::release::event::{PlannedUndo, UndoWay};

/// How far the way back is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unwinding {
    activities: Box<[Activity]>,
    phases: Box<[Phase]>,
    groups: BTreeMap<Group, Batches>,
    /// Effects that are not dealt with.
    left: u32,
}

#[derive(Clone, Debug, PartialEq)]
struct Activity {
    /// What must be dealt with before: activities that need it, and its own run, if that goes on; for
    /// an instance or a gate, its turn in the fan-out.
    open: u32,
    way: Option<UndoWay>,
    /// Whether its turn has come: it comes once, whether its phase or what needs it was last.
    due: bool,
    done: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Phase {
    /// Phases that need it and are not dealt with; for an instance, its turn in the fan-out.
    open: u32,
    /// Its activities that are not dealt with.
    left: u32,
    done: bool,
}

/// What is left of a fan-out.
#[derive(Clone, Debug, Default, PartialEq)]
struct Batches {
    /// Batches and gates whose turn has not come, the first first.
    waiting: Vec<Vec<Node>>,
    /// Of the batch or gate whose turn it is, what is not dealt with.
    left: u32,
}

/// Whose turn has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Node {
    Activity(ActivityIx),
    Phase(PhaseIx),
    Group(Group),
}

impl Unwinding {
    /// The way back through `plan`, and whose turn it is first. `going` are activities whose runs go on.
    pub(super) fn new(
        release: &Release,
        plan: &[PlannedUndo],
        going: impl Fn(ActivityIx) -> bool,
    ) -> (Self, Vec<ActivityIx>) {
        let process = &release.process;
        let activities = process.activities.iter().zip(0..);
        let activities = activities.map(|(activity, ix)| Activity {
            open: count(activity.dependents.len())
                + u32::from(going(ActivityIx(ix)))
                + u32::from(matches!(activity.role, Role::Instance(_) | Role::Gate(..))),
            way: None,
            due: false,
            done: false,
        });
        let phases = process.phases.iter().map(|phase| Phase {
            open: count(phase.dependents.len()) + u32::from(phase.instance.is_some()),
            left: count(members(process, phase).count()),
            done: false,
        });
        let mut unwinding = Self {
            activities: activities.collect(),
            phases: phases.collect(),
            groups: batches(release),
            left: 0,
        };
        for planned in plan.iter().filter(|planned| planned.way.is_target()) {
            let node = unwinding.activities.get_mut(planned.activity.0 as usize);
            if let Some(node) = node.filter(|node| node.way.is_none()) {
                node.way = Some(planned.way);
                unwinding.left += 1;
            }
        }
        let all = (0..count(unwinding.phases.len())).map(PhaseIx);
        let first = all.filter(|ix| unwinding.phases[ix.0 as usize].open == 0);
        let first = first.map(Node::Phase).collect();
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

    /// The run of an activity has ended; whose turn it is now.
    pub(super) fn run_ended(&mut self, process: &Process, ix: ActivityIx) -> Vec<ActivityIx> {
        let mut due = Vec::new();
        self.less_open(process, ix, &mut due);
        self.pass(process, due)
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
        let mut due = Vec::new();
        self.close(process, ix, &mut due);
        self.pass(process, due)
    }

    /// Of what is due, deals with what has no effect, and so on; gives what has one.
    fn pass(&mut self, process: &Process, mut due: Vec<Node>) -> Vec<ActivityIx> {
        let mut effects = Vec::new();
        while let Some(node) = due.pop() {
            match node {
                Node::Activity(ix) if self.activities[ix.0 as usize].way.is_some() => {
                    effects.push(ix);
                }
                Node::Activity(ix) if self.groups.contains_key(&Group::Activity(ix)) => {
                    due.push(Node::Group(Group::Activity(ix)));
                }
                Node::Activity(ix) => self.close(process, ix, &mut due),
                Node::Phase(ix) if self.groups.contains_key(&Group::Phase(ix)) => {
                    due.push(Node::Group(Group::Phase(ix)));
                }
                Node::Phase(ix) if self.phases[ix.0 as usize].left == 0 => {
                    self.close_phase(process, ix, &mut due);
                }
                Node::Phase(ix) => {
                    for member in members(process, process.phase(ix)) {
                        self.may_be_due(process, member, &mut due);
                    }
                }
                Node::Group(group) => self.next_batch(process, group, &mut due),
            }
        }
        effects.sort_unstable();
        effects.dedup();
        effects
    }

    /// The next batch or gate of a fan-out has its turn; if there is none, the fan-out is left behind.
    fn next_batch(&mut self, process: &Process, group: Group, due: &mut Vec<Node>) {
        let batches = self.groups.entry(group).or_default();
        let Some(batch) = batches.waiting.pop() else {
            match group {
                Group::Phase(ix) => self.close_phase(process, ix, due),
                Group::Activity(ix) => self.close(process, ix, due),
            }
            return;
        };
        batches.left = count(batch.len());
        for node in batch {
            match node {
                Node::Activity(ix) => self.less_open(process, ix, due),
                Node::Phase(ix) => self.phase_less_open(ix, due),
                Node::Group(_) => {}
            }
        }
    }

    fn less_open(&mut self, process: &Process, ix: ActivityIx, due: &mut Vec<Node>) {
        let node = &mut self.activities[ix.0 as usize];
        node.open = node.open.saturating_sub(1);
        self.may_be_due(process, ix, due);
    }

    fn may_be_due(&mut self, process: &Process, ix: ActivityIx, due: &mut Vec<Node>) {
        let phase = process.activity(ix).phase;
        let node = &mut self.activities[ix.0 as usize];
        if !node.due && node.open == 0 && self.phases[phase.0 as usize].open == 0 {
            node.due = true;
            due.push(Node::Activity(ix));
        }
    }

    fn phase_less_open(&mut self, ix: PhaseIx, due: &mut Vec<Node>) {
        let phase = &mut self.phases[ix.0 as usize];
        phase.open = phase.open.saturating_sub(1);
        if phase.open == 0 {
            due.push(Node::Phase(ix));
        }
    }

    /// Leaves an activity behind.
    fn close(&mut self, process: &Process, ix: ActivityIx, due: &mut Vec<Node>) {
        let activity = process.activity(ix);
        self.activities[ix.0 as usize].done = true;
        for need in &activity.needs {
            self.less_open(process, *need, due);
        }
        match &activity.role {
            Role::Member => {
                let phase = &mut self.phases[activity.phase.0 as usize];
                phase.left = phase.left.saturating_sub(1);
                if phase.left == 0 {
                    self.close_phase(process, activity.phase, due);
                }
            }
            Role::Instance(instance) => self.less_left(instance.of, due),
            Role::Gate(group, _) => self.less_left(*group, due),
            Role::Template => {}
        }
    }

    /// Leaves a phase behind: once, whether its turn or the last of its activities came last.
    fn close_phase(&mut self, process: &Process, ix: PhaseIx, due: &mut Vec<Node>) {
        if std::mem::replace(&mut self.phases[ix.0 as usize].done, true) {
            return;
        }
        let phase = process.phase(ix);
        if let Some(instance) = phase.instance.as_deref() {
            self.less_left(instance.of, due);
        }
        for need in &phase.needs {
            self.phase_less_open(*need, due);
        }
    }

    /// One less of the batch or gate whose turn it is.
    fn less_left(&mut self, group: Group, due: &mut Vec<Node>) {
        let batches = self.groups.entry(group).or_default();
        batches.left = batches.left.saturating_sub(1);
        if batches.left == 0 {
            due.push(Node::Group(group));
        }
    }
}

/// The activities that a phase waits for; what stands for nothing is none.
fn members<'p>(
    process: &'p Process,
    phase: &'p process::Phase,
) -> impl Iterator<Item = ActivityIx> + use<'p> {
    let activities = phase.activities.clone().map(ActivityIx);
    activities.filter(|ix| process.activity(*ix).role == Role::Member)
}

/// The batches of every fan-out, with the gate before each but the first.
fn batches(release: &Release) -> BTreeMap<Group, Batches> {
    let groups = release.waves().map(|(group, wave)| {
        let mut waiting = Vec::new();
        for batch in 1..=wave.batches() {
            let gates = release.process.instances(group);
            let gates = gates.map_or(0..0, |instances| instances.gates.clone());
            // The first gate stands before the second batch.
            let gate = batch
                .checked_sub(2)
                .and_then(|at| gates.clone().nth(at as usize));
            waiting.extend(gate.map(|ix| vec![Node::Activity(ActivityIx(ix))]));
            let instances = release.batch_nodes(group, batch);
            let instances = instances.map(|ix| match group {
                Group::Phase(_) => Node::Phase(PhaseIx(ix)),
                Group::Activity(_) => Node::Activity(ActivityIx(ix)),
            });
            waiting.push(instances.collect());
        }
        (group, Batches { waiting, left: 0 })
    });
    groups.collect()
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("a release has at most EXPANDED_ACTIVITIES_MAX nodes")
}
