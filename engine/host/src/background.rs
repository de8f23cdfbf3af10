//! Guests that compute go behind everything else: to threads of their own, with little priority.
//!
//! A guest that computes gives its thread back once in an epoch. A few of them on the threads that all share would keep
//! the timers and sockets of the whole engine waiting, so a run leaves those threads when it shows that it computes, and
//! the next run of the same component begins where the last one ended. What blocks or computes for an upload is done
//! here as well.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread::available_parallelism;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::error::Error;

/// How far these threads stand back behind the others for processor time.
const NICENESS: i32 = 10;
/// Timers and sockets are looked at after every turn of a guest, since a turn may take a whole epoch.
const TURNS_PER_EVENT: u32 = 1;

/// The threads, as many as there are processors.
#[derive(Debug)]
pub(crate) struct Background(Option<Runtime>);

/// Says of one run that it computes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Computes(Arc<AtomicBool>);

impl Computes {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Background {
    /// Starts the threads. They end with this value.
    pub(crate) fn start() -> Result<Self, Error> {
        let threads = available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("guests")
            .event_interval(TURNS_PER_EVENT)
            .on_thread_start(|| {
                // Where the system refuses, guests that compute share on equal terms.
                let _niceness = rustix::process::nice(NICENESS);
            })
            .enable_all()
            .build()
            .map_err(|error| Error::Engine(format!("threads for guests did not start: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    /// Drives `run` to its end: on the caller's thread unless it begins `behind`, and in the background once it
    /// `computes`. Dropping the future ends the run at its next turn.
    pub(crate) async fn drive<T: Send + 'static>(
        &self,
        behind: bool,
        computes: Computes,
        mut run: BoxFuture<'static, T>,
    ) -> T {
        if behind {
            return self.away(run).await;
        }
        let here = poll_fn(|context| match run.poll_unpin(context) {
            Poll::Ready(ran) => Poll::Ready(Some(ran)),
            Poll::Pending if computes.get() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        match here.await {
            Some(ran) => ran,
            None => self.away(run).await,
        }
    }

    async fn away<T: Send + 'static>(&self, run: BoxFuture<'static, T>) -> T {
        let mut there = AbortOnDrop(self.runtime().spawn(run));
        match (&mut there.0).await {
            Ok(ran) => ran,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Does what takes long or blocks, where it keeps nobody waiting.
    pub(crate) fn blocking<T: Send + 'static>(
        &self,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime().spawn_blocking(what)
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken only when dropped")
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for threads is not allowed where this may be dropped.
            runtime.shutdown_background();
        }
    }
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_computes_changes_its_thread_and_what_waits_does_not() {
        let background = Background::start().unwrap();
        for moves in [true, false] {
            let computes = Computes::default();
            let told = computes.clone();
            let run = async move {
                let before = std::thread::current().id();
                told.0.store(moves, Ordering::Relaxed);
                tokio::task::yield_now().await;
                before == std::thread::current().id()
            };
            assert_eq!(background.drive(false, computes, run.boxed()).await, !moves);
        }
    }

    #[tokio::test]
    async fn a_panic_reaches_whoever_waits() {
        let background = Background::start().unwrap();
        let computes = Computes::default();
        computes.set();
        let run = async {
            tokio::task::yield_now().await;
            panic!("as it happens");
        };
        let driven = background.drive::<()>(false, computes, run.boxed());
        let driven = std::panic::AssertUnwindSafe(driven);
        assert!(driven.catch_unwind().await.is_err());
    }
}
