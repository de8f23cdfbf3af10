//! What should be going on now: derived from the state, never stored.

use crate::attempt::AttemptKey;
use crate::release::Release;
use crate::time::Timestamp;

/// What a release wants from the engine as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Runs that should be going on, by activity.
    pub runs: Vec<AttemptKey>,
    /// When to look again.
    pub wake_at: Option<Timestamp>,
}

/// All that `release` wants. For the difference that a turn made, ask
/// [`Release::current_run`] for the activities its events name.
pub fn work(release: &Release) -> Work {
    let running = release.index.running.iter();
    Work {
        runs: running
            .filter_map(|activity| release.current_run(*activity))
            .collect(),
        wake_at: release.wake_at(),
    }
}
