//! The one thread that interrupts guests: it counts epochs while a guest runs, and sleeps otherwise.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use fermata_core::time::Span;
use wasmtime::{Engine, EngineWeak};

use crate::error::Error;

/// The length of an epoch: how long a guest may keep a thread before others get their turn.
const TICK: Duration = Duration::from_millis(2);
/// Epochs to go on after the last guest, so that a stream of short runs does not wake the thread for each.
const LINGER: u32 = 50;

/// How many epochs `span` has; at least one.
pub(crate) fn ticks(span: Span) -> u64 {
    let tick = u64::try_from(TICK.as_millis()).expect("a tick is short");
    (span.0 / tick).max(1)
}

/// The time that so many epochs take.
pub(crate) fn span(ticks: u64) -> Span {
    let tick = u64::try_from(TICK.as_millis()).expect("a tick is short");
    Span(ticks.saturating_mul(tick))
}

/// Counts the guests that run, and the epochs while there are any.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    running: AtomicUsize,
    asleep: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    sleeping: bool,
    ended: bool,
}

/// A guest that runs. Epochs are counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Running(Arc<Shared>);

impl Ticker {
    /// Starts the thread. It ends with the engine or with this value.
    pub(crate) fn start(engine: &Engine) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let (thread, engine) = (Arc::clone(&shared), engine.weak());
        std::thread::Builder::new()
            .name("epochs".into())
            .spawn(move || tick(&thread, &engine))
            .map_err(|error| {
                Error::Engine(format!(
                    "the thread that counts epochs did not start: {error}"
                ))
            })?;
        Ok(Self { shared })
    }

    /// Counts epochs from now on.
    pub(crate) fn run(&self) -> Running {
        let shared = &self.shared;
        if shared.running.fetch_add(1, Ordering::SeqCst) == 0 {
            let state = shared.asleep.lock().unwrap_or_else(PoisonError::into_inner);
            if state.sleeping {
                shared.wake.notify_one();
            }
        }
        Running(Arc::clone(shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared
            .asleep
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended = true;
        self.shared.wake.notify_one();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(shared: &Shared, engine: &EngineWeak) {
    let mut idle = 0;
    let mut state = shared.asleep.lock().unwrap_or_else(PoisonError::into_inner);
    while !state.ended {
        idle = if shared.running.load(Ordering::SeqCst) == 0 {
            idle + 1
        } else {
            0
        };
        if idle > LINGER {
            state.sleeping = true;
            state = shared
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.sleeping = false;
            idle = 0;
            continue;
        }
        (state, _) = shared
            .wake
            .wait_timeout(state, TICK)
            .unwrap_or_else(PoisonError::into_inner);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_at_least_one_tick() {
        assert_eq!(ticks(Span(10_000)), 5_000);
        assert_eq!(ticks(Span(0)), 1);
        assert_eq!(span(ticks(Span(10_000))), Span(10_000));
    }
}
