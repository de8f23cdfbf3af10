//! What is counted of the needs of one phase or activity, so that the end of one of them costs no
//! look at the others.

use crate::process::Join;
use crate::release::state::Settled;

/// The counters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tally {
    /// Needs that have not ended.
    open: u32,
    /// Whether one of them ended in a way that breaks what needs it.
    failed: bool,
    /// Joins, and needs outside of joins, that are not satisfied.
    unmet: u32,
    /// Whether one of those cannot be satisfied any more.
    broken: bool,
    /// Whether the condition stands in the place of the rule of needs.
    replaced: bool,
    /// For each join how many of its needs ended in each way.
    joins: Box<[Ended]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Ended {
    satisfied: u32,
    broken: u32,
}

impl Tally {
    /// The count while none of `needs` has ended. `replaced` says that the condition stands in the
    /// place of the rule.
    pub(super) fn new<Ix: Copy + Ord>(needs: &[Ix], joins: &[Join<Ix>], replaced: bool) -> Self {
        let joined: usize = joins.iter().map(|join| join.of.len()).sum();
        Self {
            open: count(needs.len()),
            failed: false,
            unmet: count(needs.len() - joined + joins.len()),
            broken: false,
            replaced,
            joins: vec![Ended::default(); joins.len()].into(),
        }
    }

    /// The count over needs of which some have ended.
    pub(super) fn recounted<Ix: Copy + Ord>(
        needs: &[Ix],
        joins: &[Join<Ix>],
        replaced: bool,
        ended: impl Fn(Ix) -> Option<Settled>,
    ) -> Self {
        let mut tally = Self::new(needs, joins, replaced);
        for need in needs {
            if let Some(how) = ended(*need) {
                tally.end(joins, *need, how);
            }
        }
        tally
    }

    /// Counts that `need`, which had not ended before, has ended.
    pub(super) fn end<Ix: Copy + Ord>(&mut self, joins: &[Join<Ix>], need: Ix, how: Settled) {
        self.open = self.open.saturating_sub(1);
        self.failed |= how == Settled::Broken;
        let mut numbered = joins.iter().zip(&mut self.joins);
        let (met, lost) = match numbered.find(|(join, _)| join.of.binary_search(&need).is_ok()) {
            Some((join, ended)) => ended.count(join.at_least, count(join.of.len()), how),
            None => (how == Settled::Satisfied, how == Settled::Broken),
        };
        self.unmet = self.unmet.saturating_sub(u32::from(met));
        self.broken |= lost;
    }

    /// Whether what the needs decide is decided.
    pub(super) fn is_decided(&self) -> bool {
        if self.replaced {
            self.open == 0
        } else {
            self.unmet == 0 || self.broken
        }
    }

    /// Whether what has these needs is skipped.
    pub(super) fn is_broken(&self) -> bool {
        self.broken && !self.replaced
    }

    /// Whether what has these needs may begin, as far as they are concerned.
    pub(super) fn is_satisfied(&self) -> bool {
        self.is_decided() && !self.is_broken()
    }

    /// What `failed()` gives: whether a need failed.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// What `succeeded()` gives: whether the rule of needs is satisfied.
    pub(super) fn succeeded(&self) -> bool {
        self.unmet == 0
    }

    /// How many more needs of the join at `position` must be satisfied.
    pub(super) fn missing(&self, position: usize, at_least: u32) -> u32 {
        let ended = self.joins.get(position);
        at_least.saturating_sub(ended.map_or(0, |ended| ended.satisfied))
    }
}

impl Ended {
    /// Counts one more of `all`; says whether with it the join became satisfied, or became one that
    /// cannot be. Either comes true once, and what ends later changes neither.
    fn count(&mut self, at_least: u32, all: u32, how: Settled) -> (bool, bool) {
        match how {
            Settled::Satisfied => {
                self.satisfied = self.satisfied.saturating_add(1);
                (self.satisfied == at_least, false)
            }
            Settled::Broken => {
                self.broken = self.broken.saturating_add(1);
                (false, all.saturating_sub(self.broken) < at_least)
            }
        }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("a process has at most ACTIVITIES_MAX nodes")
}

#[cfg(test)]
mod tests {
    use super::Settled::{Broken, Satisfied};
    use super::*;

    #[test]
    fn joins_are_decided_as_soon_as_they_can_be() {
        let two_of_three = [Join {
            at_least: 2,
            of: Box::from([1, 2, 3]),
        }];
        // What ends, in order; after how many ends it is decided; whether it is satisfied.
        for (ends, decided, satisfied) in [
            (
                vec![(1, Satisfied), (2, Satisfied), (3, Broken)],
                Some(2),
                true,
            ),
            (
                vec![(3, Broken), (1, Satisfied), (2, Satisfied)],
                Some(3),
                true,
            ),
            (
                vec![(3, Broken), (1, Broken), (2, Satisfied)],
                Some(2),
                false,
            ),
            (vec![(3, Broken), (1, Satisfied)], None, false),
        ] {
            let mut tally = Tally::new(&[1, 2, 3], &two_of_three, false);
            let mut after = None;
            for (number, (need, how)) in (1..).zip(&ends) {
                tally.end(&two_of_three, *need, *how);
                if tally.is_decided() {
                    after.get_or_insert(number);
                }
            }
            assert_eq!(after, decided, "{ends:?}");
            assert_eq!(tally.is_satisfied(), satisfied, "{ends:?}");
        }
    }

    #[test]
    fn a_condition_in_the_place_of_the_rule_waits_for_every_need() {
        let mut tally = Tally::new(&[1, 2], &[], true);
        tally.end(&[], 1, Broken);
        assert!(!tally.is_decided() && tally.failed());
        tally.end(&[], 2, Satisfied);
        assert!(tally.is_satisfied() && !tally.is_broken() && !tally.succeeded());
    }
}
