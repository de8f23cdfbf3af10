//! Which activities are certain to have outputs when an expression is evaluated.
//!
//! What is upstream has ended, but it need not have run: its own `if` or that of its phase may have
//! skipped it, it may have failed and been continued, a join may have been satisfied by another
//! need, and an `if` that replaces the rule of needs is asked after failures as well. For each
//! moment this keeps the activities of which none of that is possible. What people skip by hand is
//! left aside: then an expression fails, and people say how to go on.

use super::needs::{Need, Needs};
use crate::process::graph::Moment;
use crate::process::{ActivityIx, PhaseIx};

/// What puts into doubt that a phase or activity runs, and runs after success alone.
#[derive(Clone, Copy, Default)]
pub(super) struct Traits {
    /// It has an `if`.
    pub(super) conditional: bool,
    /// That `if` replaces the rule of needs.
    pub(super) replaces_needs: bool,
    /// What needs it goes on when it has failed.
    pub(super) continues: bool,
}

/// The traits of every part of a document.
pub(super) struct Conditions {
    pub(super) phases: Vec<Traits>,
    pub(super) activities: Vec<Traits>,
}

/// For each moment the activities that are certain to have succeeded then, as bits.
pub(super) struct Certain {
    conditions: Conditions,
    /// Whether anything was in doubt, so that the bits below were set.
    doubtful: bool,
    phase_of: Vec<PhaseIx>,
    words: usize,
    activities: Vec<u64>,
    begins: Vec<u64>,
    dones: Vec<u64>,
    /// At the end of a release that has succeeded.
    end: Vec<u64>,
}

impl Certain {
    /// Looks at every moment, if anything is in doubt at all.
    pub(super) fn new(conditions: Conditions, needs: &Needs<'_, '_>, doubts: bool) -> Self {
        let parts = needs.parts;
        let order = needs.in_order();
        let doubtful = doubts && (conditions.doubtful() || needs.has_joins());
        let words = if doubtful {
            parts.activities.len().div_ceil(64)
        } else {
            0
        };
        let rows = |count: usize| vec![0; count * words];
        let mut certain = Self {
            conditions,
            doubtful: doubtful && !order.is_empty(),
            phase_of: parts.activities.iter().map(|(phase, _)| *phase).collect(),
            words,
            activities: rows(parts.activities.len()),
            begins: rows(parts.phases.len()),
            dones: rows(parts.phases.len()),
            end: rows(1),
        };
        for moment in order.into_iter().filter(|_| doubtful) {
            match moment {
                Moment::Activity(ix) => certain.activity(ix, &needs.activities[ix as usize]),
                Moment::Begin(ix) => certain.begin(ix, &needs.phases[ix as usize]),
                Moment::Done(ix) => certain.done(ix),
            }
        }
        certain
    }

    /// Why `activity` need not have outputs at `moment`, or at the end; nothing if it has them.
    pub(super) fn doubt(
        &self,
        activity: ActivityIx,
        moment: Option<Moment>,
    ) -> Option<&'static str> {
        if !self.doubtful {
            return None;
        }
        let (row, within) = match moment {
            Some(Moment::Activity(ix)) => {
                let phase = self.phase_of[ix as usize];
                (row(&self.activities, self.words, ix), Some(phase))
            }
            Some(Moment::Begin(ix)) => (row(&self.begins, self.words, ix), None),
            Some(Moment::Done(ix)) => (row(&self.dones, self.words, ix), None),
            None => (self.end.as_slice(), None),
        };
        if row[activity.0 as usize / 64] >> (activity.0 % 64) & 1 == 1 {
            return None;
        }
        let traits = self.conditions.activities[activity.0 as usize];
        let phase = self.phase_of[activity.0 as usize];
        let elsewhere = within != Some(phase);
        Some(if traits.conditional {
            "it has an `if`"
        } else if elsewhere && self.conditions.phases[phase.0 as usize].conditional {
            "its phase has an `if`"
        } else if traits.continues {
            "it may have failed (`on-failure: continue`)"
        } else {
            "not all that is needed must have succeeded before this"
        })
    }

    fn activity(&mut self, ix: u32, needs: &[Need<ActivityIx>]) {
        let phase = self.phase_of[ix as usize];
        let mut known = row(&self.begins, self.words, phase.0).to_vec();
        if !self.conditions.activities[ix as usize].replaces_needs {
            let joined = join(needs, self.words, |need| self.satisfied(need, phase));
            unite(&mut known, &joined);
        }
        let at = ix as usize * self.words;
        self.activities[at..at + self.words].copy_from_slice(&known);
    }

    fn begin(&mut self, ix: u32, needs: &[Need<PhaseIx>]) {
        if self.conditions.phases[ix as usize].replaces_needs {
            return;
        }
        let joined = join(needs, self.words, |need| {
            row(&self.dones, self.words, need.0).to_vec()
        });
        let at = ix as usize * self.words;
        self.begins[at..at + self.words].copy_from_slice(&joined);
    }

    /// A phase that is satisfied was skipped by its own condition, or all in it is satisfied.
    fn done(&mut self, ix: u32) {
        let mut known = row(&self.begins, self.words, ix).to_vec();
        if !self.conditions.phases[ix as usize].conditional {
            let inner = (0..).map(ActivityIx).zip(&self.phase_of);
            for (activity, _) in inner.filter(|(_, phase)| phase.0 == ix) {
                unite(&mut known, &self.satisfied(activity, PhaseIx(ix)));
            }
        }
        unite(&mut self.end, &known);
        let at = ix as usize * self.words;
        self.dones[at..at + self.words].copy_from_slice(&known);
    }

    /// What is certain once `activity` is satisfied, seen from within the phase `from`.
    fn satisfied(&self, activity: ActivityIx, from: PhaseIx) -> Vec<u64> {
        let phase = self.phase_of[activity.0 as usize];
        if phase != from && self.conditions.phases[phase.0 as usize].conditional {
            return row(&self.begins, self.words, phase.0).to_vec();
        }
        let mut known = row(&self.activities, self.words, activity.0).to_vec();
        let traits = self.conditions.activities[activity.0 as usize];
        if !traits.conditional && !traits.continues {
            known[activity.0 as usize / 64] |= 1 << (activity.0 % 64);
        }
        known
    }
}

impl Certain {
    /// Whether the condition of a phase or activity replaces the rule of needs.
    pub(super) fn replaces_needs(&self, moment: Moment) -> bool {
        match moment {
            Moment::Activity(ix) => self.conditions.activities[ix as usize].replaces_needs,
            Moment::Begin(ix) | Moment::Done(ix) => {
                self.conditions.phases[ix as usize].replaces_needs
            }
        }
    }
}

impl Conditions {
    /// Whether anything can be in doubt that is upstream.
    pub(super) fn doubtful(&self) -> bool {
        let mut traits = self.phases.iter().chain(&self.activities);
        traits.any(|traits| traits.conditional || traits.continues)
    }
}

/// What is certain when `needs` are satisfied: all that any single need makes certain, and of a join
/// what each of its needs makes certain, since it may be any of them.
fn join<Ix: Copy>(
    needs: &[Need<Ix>],
    words: usize,
    satisfied: impl Fn(Ix) -> Vec<u64>,
) -> Vec<u64> {
    let mut known = vec![0; words];
    let mut joins: Vec<(usize, Vec<u64>)> = Vec::new();
    for need in needs {
        let satisfied = satisfied(need.ix);
        match need.join {
            None => unite(&mut known, &satisfied),
            Some(join) => match joins.iter_mut().find(|(found, _)| *found == join) {
                Some((_, common)) => common
                    .iter_mut()
                    .zip(satisfied)
                    .for_each(|(one, other)| *one &= other),
                None => joins.push((join, satisfied)),
            },
        }
    }
    for (_, common) in joins {
        unite(&mut known, &common);
    }
    known
}

fn row(rows: &[u64], words: usize, ix: u32) -> &[u64] {
    let at = ix as usize * words;
    &rows[at..at + words]
}

fn unite(known: &mut [u64], more: &[u64]) {
    for (known, more) in known.iter_mut().zip(more) {
        *known |= more;
    }
}
