//! Time: the one place where the engine asks what time it is.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fermata_core::time::Timestamp;

/// Tells the time; never an earlier one than before.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine. Set back, it runs on from where it was, so that no timer is late.
#[derive(Debug, Default)]
pub struct SystemClock {
    last: Mutex<Option<(Instant, i64)>>,
}

#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
fn read() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: of two readers, the later one must not get the earlier time.
        let (instant, wall) = read();
        let wall = wall
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| millis(since.as_millis()));
        let Some((anchor, shown)) = *last else {
            *last = Some((instant, wall));
            return Timestamp(wall);
        };
        let steady = shown.saturating_add(millis(instant.duration_since(anchor).as_millis()));
        if wall >= shown {
            *last = Some((instant, wall));
            return Timestamp(wall);
        }
        Timestamp(steady)
    }
}

fn millis(count: u128) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let clock = SystemClock::default();
        let shown: Vec<Timestamp> = (0..1_000).map(|_| clock.now()).collect();
        assert!(shown.is_sorted());
    }

    #[test]
    fn a_wall_clock_that_was_set_back_runs_on() {
        let clock = SystemClock::default();
        let ahead = clock.now().0 + 3_600_000;
        *clock.last.lock().unwrap() = Some((read().0, ahead));
        let first = clock.now();
        assert!(first.0 >= ahead && clock.now() >= first);
    }
}
