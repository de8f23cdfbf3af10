//! Where policies run: so many at a time, and of each only some, so that a slow one does not keep the
//! others from being asked. Who finds no place was not asked: nothing follows from that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fermata_core::id::Name;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::{POLICY_RUNS_EACH_MAX, POLICY_RUNS_MAX, POLICY_WAIT_MAX};
use crate::error::Error;

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    /// Of the policies that run or wait.
    each: Mutex<BTreeMap<Name, Arc<Semaphore>>>,
}

/// A place that is taken until it is dropped: of all, and of its policy.
#[derive(Debug)]
pub(crate) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_each: OwnedSemaphorePermit,
}

/// There was none in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPlace;

impl From<NoPlace> for Error {
    fn from(_: NoPlace) -> Self {
        Self::Busy("questions to policies")
    }
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(POLICY_RUNS_MAX)),
            each: Mutex::default(),
        }
    }
}

impl Places {
    /// A place for a policy to run in.
    pub(crate) async fn take(&self, policy: &Name) -> Result<Place, NoPlace> {
        let each = self.of(policy);
        let taken = async {
            // In this order: what waits for others of the same policy is in nobody's way.
            let of_each = each.acquire_owned().await;
            let of_all = Arc::clone(&self.all).acquire_owned().await;
            Place {
                _of_all: of_all.expect(OPEN),
                _of_each: of_each.expect(OPEN),
            }
        };
        in_time(taken).await
    }

    fn of(&self, policy: &Name) -> Arc<Semaphore> {
        let mut each = self.each.lock().expect("nothing panics while it holds it");
        // Those that nobody waits for or holds are as good as new ones.
        each.retain(|_, places| Arc::strong_count(places) > 1);
        let places = each
            .entry(policy.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(POLICY_RUNS_EACH_MAX)));
        Arc::clone(places)
    }
}

const OPEN: &str = "the semaphore is never closed";

/// What comes of waiting for a place, if it does within the time for that.
pub(crate) async fn in_time<T>(place: impl Future<Output = T>) -> Result<T, NoPlace> {
    let longest = Duration::from_millis(POLICY_WAIT_MAX.0);
    let waited = tokio::time::timeout(longest, place).await;
    waited.map_err(|_| NoPlace)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_policy_leaves_places_for_the_others() {
        let places = Places::default();
        let name = |text: &str| text.parse::<Name>().expect("a name");
        let (slow, quick) = (name("slow"), name("quick"));
        let mut held = Vec::new();
        while let Some(place) = places.take(&slow).now_or_never() {
            held.push(place.expect("in time"));
        }
        assert_eq!(held.len(), POLICY_RUNS_EACH_MAX);
        assert!(places.take(&quick).now_or_never().is_some());
        held.pop();
        assert!(places.take(&slow).now_or_never().is_some());
    }
}
