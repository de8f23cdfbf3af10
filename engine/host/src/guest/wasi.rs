//! The part of WASI 0.2 that an activity has: clocks, random numbers, and lines that end up in its log.
//!
//! The rest is there, since the runtimes of some languages insist on it, and empty: no file can be opened, no socket
//! made, no name looked up, and there are neither variables nor arguments.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use fermata_core::attempt::LogLevel;
use fermata_core::time::Timestamp;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::clocks::{MonotonicClock, WallClock};
use wasmtime_wasi::p2::add_to_linker_async;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView,
};
use wasmtime_wasi_http::WasiHttpCtxView;

use crate::egress::Given;
use crate::guest::Context;
use crate::imports::Http;
use crate::limits::length;

/// Live streams and pollables of one run, on the host's side.
const RESOURCES_MAX: usize = 10_000;
/// Random bytes in one call: seeds are short.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// Readings of clocks in a recording: 64 KiB of them.
const READINGS_MAX: usize = 8_192;
/// How much later each reading is that a recording has no more of, in nanoseconds.
const READING_STEP_NS: u64 = 1_000;
/// The sequences of random numbers that come from one seed.
const INSECURE: u64 = 1;
const INSECURE_SEED: u64 = 2;

/// What clocks and chance told one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) seed: Option<[u8; 32]>,
    pub(crate) wall_ns: Vec<i64>,
    pub(crate) monotonic_ns: Vec<u64>,
    pub(crate) missed: u64,
}

/// What a run is told, as it goes on.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    told: Told,
    /// What it is told again; nothing if it is told how things are.
    given: Option<Given>,
    wall_read: usize,
    monotonic_read: usize,
}

impl Telling {
    fn has_room(&mut self) -> bool {
        let room = self.told.wall_ns.len() + self.told.monotonic_ns.len() < READINGS_MAX;
        self.told.missed += u64::from(!room);
        room
    }

    /// A reading of the clock on the wall, in nanoseconds since the run began.
    fn wall(&mut self, now: impl FnOnce() -> i64) -> i64 {
        let given = self.given.as_ref().map(|given| &given.wall_clock_ns);
        let ns = match given {
            None => now(),
            Some(given) => again(given, &mut self.wall_read, |last, more| {
                last.saturating_add_unsigned(more)
            }),
        };
        if self.has_room() {
            self.told.wall_ns.push(ns);
        }
        ns
    }

    /// A reading of the monotonic clock.
    fn monotonic(&mut self, now: impl FnOnce() -> u64) -> u64 {
        let given = self.given.as_ref().map(|given| &given.monotonic_clock_ns);
        let ns = match given {
            None => now(),
            Some(given) => again(given, &mut self.monotonic_read, u64::saturating_add),
        };
        if self.has_room() {
            self.told.monotonic_ns.push(ns);
        }
        ns
    }
}

/// The next of the `given` readings; a little more than the last one for each that is missing.
fn again<T: Copy + Default>(given: &[T], read: &mut usize, later: impl Fn(T, u64) -> T) -> T {
    let at = *read;
    *read += 1;
    given.get(at).copied().unwrap_or_else(|| {
        let last = given.last().copied().unwrap_or_default();
        let beyond = (at - given.len()) as u64 + 1;
        later(last, beyond.saturating_mul(READING_STEP_NS))
    })
}

/// The clocks of one run, which say what they tell.
#[derive(Clone)]
struct Clock {
    telling: Arc<Mutex<Telling>>,
    began: Timestamp,
    monotonic: Arc<MonotonicClock>,
}

impl Clock {
    fn telling<T>(&self, tell: impl FnOnce(&mut Telling) -> T) -> T {
        tell(&mut self.telling.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn began(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.began.0).unwrap_or(0))
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        let began = i128::try_from(self.began().as_nanos()).unwrap_or_default();
        let now = || {
            let now = i128::try_from(WallClock.now().as_nanos()).unwrap_or_default();
            i64::try_from(now - began).unwrap_or(0)
        };
        let ns = self.telling(|telling| telling.wall(now));
        let since = u128::try_from(began + i128::from(ns)).unwrap_or(0);
        let (seconds, nanos) = (since / 1_000_000_000, since % 1_000_000_000);
        Duration::new(
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanos).expect("a remainder is less than what it remains of"),
        )
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.telling(|telling| telling.monotonic(|| self.monotonic.now()))
    }
}

/// WASI for one run: made when the guest first asks for it, since most never do.
pub(crate) struct Wasi {
    context: WasiCtx,
    http: Option<Http>,
    table: ResourceTable,
    stdout: MemoryOutputPipe,
    stderr: MemoryOutputPipe,
}

impl Wasi {
    fn new(output_bytes: usize, clock: Option<&Clock>) -> Self {
        let stdout = MemoryOutputPipe::new(output_bytes);
        let stderr = MemoryOutputPipe::new(output_bytes);
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        // Nothing of the host: no files, arguments, variables or sockets.
        let mut builder = WasiCtx::builder();
        if let Some(clock) = clock {
            tell(&mut builder, clock);
        }
        let context = builder
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(RANDOM_BYTES_MAX)
            .build();
        Self {
            context,
            http: None,
            table,
            stdout,
            stderr,
        }
    }

    /// Hands out what was written, line by line.
    pub(crate) fn drain(&mut self, mut line: impl FnMut(LogLevel, String)) {
        for (pipe, level) in [
            (&self.stdout, LogLevel::Info),
            (&self.stderr, LogLevel::Warn),
        ] {
            let contents = pipe.contents();
            String::from_utf8_lossy(&contents)
                .lines()
                .for_each(|text| line(level, text.to_owned()));
        }
    }
}

/// Gives a guest clocks that say what they tell, and random numbers that come from one seed.
fn tell(builder: &mut WasiCtxBuilder, clock: &Clock) {
    let seed = clock.telling(|telling| telling.told.seed.unwrap_or_default());
    let stream = |number| {
        let mut numbers = ChaCha20Rng::from_seed(seed);
        numbers.set_stream(number);
        numbers
    };
    let mut insecure_seed = [0; 16];
    stream(INSECURE_SEED).fill_bytes(&mut insecure_seed);
    builder
        .wall_clock(clock.clone())
        .monotonic_clock(clock.clone())
        .secure_random(ChaCha20Rng::from_seed(seed))
        .insecure_random(stream(INSECURE))
        .insecure_random_seed(u128::from_le_bytes(insecure_seed));
}

impl Context {
    fn wasi(&mut self) -> &mut Wasi {
        if self.wasi.is_none() {
            let output_bytes = length(self.shared.limits.log_bytes);
            let clock = self.clock();
            self.telling = clock.as_ref().map(|clock| Arc::clone(&clock.telling));
            self.wasi = Some(Box::new(Wasi::new(output_bytes, clock.as_ref())));
        }
        self.wasi.as_mut().expect("it was made just now")
    }

    /// What is behind `wasi:http`. Its resources are larger than all others, so there are fewer from then on.
    pub(crate) fn wasi_http(&mut self) -> WasiHttpCtxView<'_> {
        let calls = Arc::clone(&self.calls);
        let resources = length(self.shared.limits.http_resources);
        let wasi = self.wasi();
        wasi.table.set_max_capacity(resources);
        let http = wasi.http.get_or_insert_with(|| Http::new(calls));
        WasiHttpCtxView {
            hooks: &mut http.hooks,
            table: &mut wasi.table,
            ctx: &mut http.context,
        }
    }

    /// Whether the guest used `wasi:http`.
    pub(crate) fn used_wasi_http(&self) -> bool {
        self.wasi.as_ref().is_some_and(|wasi| wasi.http.is_some())
    }

    /// The clocks of a run that is recorded.
    fn clock(&mut self) -> Option<Clock> {
        if !self.calls.recorder().is_on() {
            return None;
        }
        let given = self.given.take();
        let seed = given.as_ref().and_then(|given| given.seed);
        let telling = Telling {
            told: Told {
                seed: Some(seed.unwrap_or_else(|| self.shared.seed())),
                ..Told::default()
            },
            given,
            ..Telling::default()
        };
        Some(Clock {
            telling: Arc::new(Mutex::new(telling)),
            began: self.began,
            monotonic: Arc::default(),
        })
    }

    /// What clocks and chance told the run.
    pub(crate) fn told(&mut self) -> Told {
        let telling = self.telling.take();
        let told = telling.map(|telling| {
            let mut telling = telling.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut telling.told)
        });
        told.unwrap_or_default()
    }
}

impl WasiView for Context {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView {
            ctx: &mut wasi.context,
            table: &mut wasi.table,
        }
    }
}

/// Adds all of it: which interfaces a component may import, the contract says, and what is behind them, [`Wasi::new`].
pub(crate) fn add_to_linker(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    add_to_linker_async(linker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_told_again_and_then_goes_on() {
        let mut telling = Telling {
            given: Some(Given {
                wall_clock_ns: vec![5, 7],
                ..Given::default()
            }),
            ..Telling::default()
        };
        let read: Vec<_> = (0..4).map(|_| telling.wall(|| 0)).collect();
        assert_eq!(read, [5, 7, 1_007, 2_007]);
        assert_eq!(telling.monotonic(|| 0), READING_STEP_NS);
        assert_eq!(telling.told.wall_ns, read);
    }

    #[test]
    fn readings_are_bounded_and_those_that_are_missing_are_counted() {
        let mut telling = Telling::default();
        for _ in 0..READINGS_MAX + 3 {
            telling.monotonic(|| 9);
        }
        assert_eq!(telling.told.monotonic_ns.len(), READINGS_MAX);
        assert_eq!(telling.told.missed, 3);
    }
}
