//! What should be going on now: derived from the state, never stored.

use crate::attempt::AttemptKey;
use crate::id::Name;
use crate::process::{ActivityIx, Kind};
use crate::release::Release;
use crate::time::Timestamp;

/// What a release wants from the engine as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Runs that should be going on, by activity.
    pub runs: Vec<AttemptKey>,
    /// Questions that must be told who is who, by [`crate::release::input::What::PeopleFound`].
    pub people: Vec<PeopleWanted>,
    /// When to look again.
    pub wake_at: Option<Timestamp>,
}

/// What a question has to know of the people around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleWanted {
    /// Which activity.
    pub activity: ActivityIx,
    /// Whether it has to know who published the process version.
    pub authors: bool,
    /// The groups whose members it has to know, sorted.
    pub groups: Vec<Name>,
}

impl Release {
    /// The questions that must be told who is who.
    pub fn people_wanted(&self) -> Vec<PeopleWanted> {
        let wanting = self.index.wanting.iter();
        let wanted = wanting.filter_map(|ix| match &self.process.activity(*ix).kind {
            Kind::Manual(manual) => Some(PeopleWanted {
                activity: *ix,
                authors: manual.wants_authors(),
                groups: manual.wanted_groups().into_iter().cloned().collect(),
            }),
            _ => None,
        });
        wanted.collect()
    }
}

/// All that `release` wants. For the difference that a turn made, ask
/// [`Release::current_run`] for the activities its events name.
pub fn work(release: &Release) -> Work {
    let running = release.index.running.iter();
    Work {
        runs: running
            .filter_map(|activity| release.current_run(*activity))
            .collect(),
        people: release.people_wanted(),
        wake_at: release.wake_at(),
    }
}
