//! The bounds of a running engine. Each has a default and a reason.

use fermata_core::time::Span;

/// What an operator may tune.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Most runs at a time; the others wait in line. The sandbox has as many slots.
    pub runs_max: usize,
    /// Most requests that wait for the loop; more are answered `Busy`.
    pub requests_max: usize,
    /// Most wakes in one commit: bounds how long the first of them waits for its answer.
    pub batch_max: usize,
    /// Most releases that have not ended: they are kept in memory.
    pub open_max: usize,
    /// Every how many turns of a release its invariants are checked.
    pub check_every: u64,
    /// Most streams of a release's events that are open at a time.
    pub watchers_max: usize,
    /// Most component versions in the registry: their descriptors are kept in memory.
    pub components_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            runs_max: 64,
            requests_max: 4_096,
            batch_max: 1_024,
            open_max: 100_000,
            check_every: if cfg!(debug_assertions) { 1 } else { 256 },
            watchers_max: 1_000,
            components_max: 10_000,
        }
    }
}

/// Longest `Idempotency-Key`, in bytes.
pub const ONCE_KEY_BYTES_MAX: usize = 255;
/// How long the answer to a request with an idempotency key is known: a day, as other services have it.
pub const ONCE_KEPT_MS: u64 = 24 * 60 * 60 * 1_000;
/// Most entries of one page of a list.
pub const PAGE_MAX: usize = 1_000;
/// Most quarantines there can ever have been: all of them are kept in memory.
pub const QUARANTINES_MAX: usize = 10_000;
/// Most input sets of one process: a list of them is one page.
pub const INPUT_SETS_MAX: usize = 1_000;
/// Most records that one page of a filtered list looks at; the page may be short and still have a next.
pub const PAGE_SCANNED_MAX: usize = 20_000;
/// Most activities of ended releases that stay in memory for readers.
pub const RECENT_ACTIVITIES_MAX: usize = 50_000;
/// Most activities of processes that stay in memory beyond those that open releases hold.
pub const PROCESS_CACHE_ACTIVITIES_MAX: usize = 100_000;
/// Turns that are read from the store at a time.
pub const TURNS_PER_READ: usize = 4_096;
/// Most processes whose scripts are read at a time: each takes a slot of the runs of releases.
pub const SCRIPT_CHECKS_MAX: usize = 4;
/// Most bytes that the recordings of one release take: a dozen attempts that said a lot, or hundreds that did not.
pub const RECORDINGS_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Most recorded runs of one release: the list of them is written with each.
pub const RECORDINGS_MAX: usize = 500;
/// Most policies: all of them are kept in memory, and each that is in force is asked.
pub const POLICIES_MAX: usize = 100;
/// Most patterns of processes that one policy is in force for.
pub const POLICY_PATTERNS_MAX: usize = 100;
/// How long a policy may take, unless its setting says otherwise.
pub const POLICY_TIMEOUT_DEFAULT: Span = Span(2_000);
/// Longest time that a policy may take: everything that it is asked about waits for it.
pub const POLICY_TIMEOUT_MAX: Span = Span(30_000);
/// Most policies that run at a time: as many as the sandbox has slots for them.
pub const POLICY_RUNS_MAX: usize = 8;
/// Most of them that are the same policy: a slow one leaves the others their part.
pub const POLICY_RUNS_EACH_MAX: usize = 4;
/// Longest wait for a place to run in. An attempt then goes back to the end of the line, and who asked
/// for something is told to come again.
pub const POLICY_WAIT_MAX: Span = Span(30_000);
/// Most attempts that policies are asked about at a time; the others wait in line.
pub const QUESTIONS_MAX: usize = 32;
/// Most requests of people that policies are asked about at a time.
pub const REQUESTS_JUDGED_MAX: usize = 32;
/// Most previews and trials of policies at a time: beside the requests that wait for an answer to go on.
pub const POLICY_TRIALS_MAX: usize = 2;
/// Most rehearsals at a time: each may keep a processor busy for a while.
pub const REHEARSALS_MAX: usize = 4;
/// Most releases of a process whose ends tell how long its activities take.
pub const HISTORY_RELEASES_MAX: usize = 20;
/// Most events that are read for that; the newest releases come first.
pub const HISTORY_EVENTS_MAX: u64 = 100_000;
/// Most notifiers: each has its own line of deliveries, and every event is compared with all of them.
pub const NOTIFIERS_MAX: usize = 50;
/// Most patterns that a notifier chooses kinds by, and most that it chooses processes by.
pub const NOTIFIER_PATTERNS_MAX: usize = 50;
/// Largest settings of a notifier, as JSON text, in bytes: every try carries them.
pub const NOTIFIER_SETTINGS_BYTES_MAX: usize = 64 * 1024;
/// Most deliveries of one notifier that are to be tried; of more, the oldest are given up: who reads
/// them late wants the newest.
pub const DELIVERIES_PENDING_MAX: usize = 1_000;
/// Most deliveries of one notifier that are over and kept for people to look at.
pub const DELIVERIES_KEPT_MAX: usize = 200;
/// Most tries that go on at a time, each of another notifier: the sandbox has as many places for them.
pub const TRIES_GOING_MAX: usize = 8;
/// Longest wall time of one try, in milliseconds.
pub const TRY_WALL_MS: u64 = 30_000;
/// The same with the wait for a place to run in.
pub const TRY_MAX_MS: u64 = 2 * TRY_WALL_MS;
/// Longest wall time when a person tries a notifier out, and waits for the answer.
pub const TEST_WALL_MS: u64 = 15_000;
/// The same with the wait for a place to run in.
pub const TEST_MAX_MS: u64 = 20_000;
/// Most notifiers that are tried out by people at a time.
pub const NOTIFIER_TESTS_MAX: usize = 2;
