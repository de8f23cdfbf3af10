//! What happens when, as it is seen from outside, and what it came after.

use std::collections::BTreeMap;

use crate::expression::{Condition, Read};
use crate::process::{ActivityIx, Exclusion, Kind, PhaseIx, Wait};
use crate::rehearsal::plan::{Approval, Assumed, OutputsFrom};
use crate::release::event::{Event, SkipReason, Turn};
use crate::release::state::ActivityState;
use crate::release::{Release, WaitsOn, why_activity};
use crate::time::Timestamp;

/// Every activity that something happened to, in the order in which it first did.
#[derive(Default)]
pub(super) struct Timeline {
    pub(super) marks: Vec<Mark>,
    /// Text that was rendered so far.
    pub(super) bytes: usize,
    of: BTreeMap<ActivityIx, usize>,
    /// The activity of each phase that ended last.
    last_of_phase: BTreeMap<PhaseIx, usize>,
    settled: usize,
    /// What ended last.
    last: Option<usize>,
}

/// What is noted of one activity.
pub(super) struct Mark {
    pub(super) activity: ActivityIx,
    pub(super) starts_at: Timestamp,
    pub(super) changed_at: Timestamp,
    pub(super) ended: Option<Ended>,
    pub(super) undone_at: Option<Timestamp>,
    /// The mark whose end let it start.
    pub(super) after: Option<usize>,
    pub(super) takes: Option<Assumed>,
    pub(super) outputs: Option<OutputsFrom>,
    pub(super) approvals: Vec<Approval>,
    pub(super) is_excluded: bool,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) remarks: Vec<String>,
}

/// When something ended, and after how many others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ended {
    pub(super) at: Timestamp,
    nth: usize,
}

impl Timeline {
    /// Notes what `turn` changed; gives the activities it was about, as often as it was.
    pub(super) fn observe(&mut self, release: &Release, turn: &Turn) -> Vec<ActivityIx> {
        let mut touched = Vec::new();
        for event in &turn.events {
            self.bytes += rendered_bytes(event);
            match event {
                Event::PhaseSkipped { phase, .. } => {
                    let activities = release.process().phase(*phase).activities.clone();
                    touched.extend(activities.map(ActivityIx));
                }
                _ => touched.extend(event.activity()),
            }
        }
        for ix in &touched {
            self.note(release, *ix, turn.at);
        }
        touched
    }

    fn note(&mut self, release: &Release, ix: ActivityIx, at: Timestamp) {
        let state = release.activity_state(ix);
        // What instances are made of does not run itself.
        let why = SkipReason::NotNeeded;
        match state {
            ActivityState::Waiting => return,
            ActivityState::Skipped { why: found, .. } if *found == why => return,
            _ => {}
        }
        let position = match self.of.get(&ix) {
            Some(position) => *position,
            None => self.begin(release, ix, at),
        };
        let mark = &mut self.marks[position];
        mark.changed_at = at;
        if matches!(state, ActivityState::NeedsPeople(_)) && mark.approvals.is_empty() {
            mark.asked(release, ix);
        }
        if matches!(state, ActivityState::Undone(_)) {
            mark.undone_at = Some(at);
        }
        if state.settled().is_some() && mark.ended.is_none() {
            self.settled += 1;
            let nth = self.settled;
            mark.ended = Some(Ended { at, nth });
            self.last = Some(position);
            let phase = release.process().activity(ix).phase;
            self.last_of_phase.insert(phase, position);
        }
    }

    fn begin(&mut self, release: &Release, ix: ActivityIx, at: Timestamp) -> usize {
        let position = self.marks.len();
        self.marks.push(Mark {
            activity: ix,
            starts_at: at,
            changed_at: at,
            ended: None,
            undone_at: None,
            after: self.after(release, ix, at),
            takes: None,
            outputs: None,
            approvals: Vec::new(),
            is_excluded: false,
            expires_at: None,
            remarks: Vec::new(),
        });
        self.of.insert(ix, position);
        position
    }

    /// What it needs that ended last; for an instance that was let go later than that, what ended
    /// last before it.
    fn after(&self, release: &Release, ix: ActivityIx, at: Timestamp) -> Option<usize> {
        let process = release.process();
        let activity = process.activity(ix);
        let needs = activity.needs.iter().filter_map(|need| self.of.get(need));
        let phases = process.phase(activity.phase).needs.iter();
        let phases = phases.filter_map(|phase| self.last_of_phase.get(phase));
        let ended = needs.chain(phases).copied();
        let need = ended
            .filter(|position| self.marks[*position].ended.is_some())
            .max_by_key(|position| self.marks[*position].ended);
        let is_let_go_by_it = need.is_some_and(|position| {
            let ended = self.marks[position].ended;
            ended.is_some_and(|ended| ended.at == at)
        });
        let phase = process.phase(activity.phase);
        let is_copy = activity.role.is_copy() || phase.instance.is_some();
        if is_copy && !is_let_go_by_it {
            return self.last.or(need);
        }
        need
    }

    /// Notes how long a run or a decision takes.
    pub(super) fn takes(&mut self, ix: ActivityIx, length: Assumed) {
        if let Some(mark) = self.mark_mut(ix) {
            mark.takes = Some(length);
        }
    }

    /// Notes where outputs come from.
    pub(super) fn gives(&mut self, ix: ActivityIx, from: OutputsFrom) {
        if let Some(mark) = self.mark_mut(ix) {
            mark.outputs = Some(from);
        }
    }

    /// Notes something to be told to people.
    pub(super) fn remark(&mut self, ix: ActivityIx, remark: String) {
        if let Some(mark) = self.mark_mut(ix) {
            mark.remarks.push(remark);
        }
    }

    fn mark_mut(&mut self, ix: ActivityIx) -> Option<&mut Mark> {
        let position = self.of.get(&ix)?;
        self.marks.get_mut(*position)
    }

    /// The activities with placeholders for outputs that the activity at `ix` reads.
    pub(super) fn placeholders(&self, release: &Release, ix: ActivityIx) -> Vec<ActivityIx> {
        let process = release.process();
        let activity = process.activity(ix);
        let rendered = match &activity.kind {
            Kind::Component(component) => component.with.reads(),
            Kind::Manual(manual) => manual.instructions.reads(),
            Kind::Wait(Wait::Until(instant)) => instant.reads(),
            Kind::Wait(Wait::Release(wait)) => wait.release.reads(),
            Kind::Wait(Wait::For(_) | Wait::Signal(_)) => &[],
            Kind::Process(child) => child.inputs.reads(),
        };
        let conditions = [
            &activity.condition,
            &process.phase(activity.phase).condition,
        ];
        let conditions = conditions.into_iter().flatten();
        let reads = conditions.flat_map(Condition::reads).chain(rendered);
        let mut found: Vec<ActivityIx> = reads
            .flat_map(|read| match read {
                Read::Activity(read) => read.0..read.0 + 1,
                Read::Phase(phase) => process.phase(*phase).activities.clone(),
                Read::Inputs | Read::Release | Read::Needs | Read::Each => 0..0,
            })
            .map(ActivityIx)
            .filter(|read| self.is_placeholder(*read))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn is_placeholder(&self, ix: ActivityIx) -> bool {
        let mark = self.of.get(&ix).map(|position| &self.marks[*position]);
        mark.is_some_and(|mark| mark.outputs == Some(OutputsFrom::Placeholder))
    }
}

impl Mark {
    /// Notes whom the question of the activity at `ix` is for.
    fn asked(&mut self, release: &Release, ix: ActivityIx) {
        let waiting = why_activity(release, ix).map(|waiting| waiting.on);
        if let Some(WaitsOn::People {
            rules,
            exclude,
            expires_at,
            ..
        }) = waiting
        {
            self.is_excluded = exclude.contains(&Exclusion::Initiator);
            self.expires_at = expires_at;
            self.approvals = rules.iter().map(Approval::of).collect();
        }
    }
}

fn rendered_bytes(event: &Event) -> usize {
    match event {
        Event::AttemptStarted { with, .. } => with.as_ref().map_or(0, |with| with.as_str().len()),
        Event::PeopleAsked { instructions, .. } => instructions.len(),
        _ => 0,
    }
}
