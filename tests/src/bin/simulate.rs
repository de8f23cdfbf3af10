//! Plays stories of the driver in a simulated world, on every core; a failing one says how to play it again.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use clap::Parser;
use fermata_tests::simulation::{Broken, Story, play};

/// How many stories lie between two signs of life.
const REPORT_EVERY: u64 = 500;

/// Play the driver in a simulated world.
#[derive(Debug, Parser)]
struct Args {
    /// How many stories.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Play this one alone, and tell every move if it fails.
    #[arg(long, env = "SEED")]
    seed: Option<u64>,
}

/// A failing seed and what it broke.
type Failing = (u64, Box<Broken>);

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let (from, count) = args.seed.map_or((args.from, args.seeds), |seed| (seed, 1));
    match play_all(from, count) {
        Ok(total) => {
            writeln!(
                std::io::stdout(),
                "{count} seeds passed: {} releases, {} acknowledged inputs, {} restarts",
                total.releases,
                total.acknowledged,
                total.restarts
            )?;
            Ok(ExitCode::SUCCESS)
        }
        Err((seed, broken)) => {
            let mut out = std::io::stdout().lock();
            if args.seed.is_some() {
                writeln!(out, "{}", broken.log.join("\n"))?;
            }
            writeln!(
                out,
                "seed {seed} failed after {} moves: {}",
                broken.log.len(),
                broken.what
            )?;
            writeln!(
                out,
                "again, with every move: cargo xtask simulate --seed {seed}"
            )?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Plays `count` stories from `from` on; the first failure ends them all.
fn play_all(from: u64, count: u64) -> Result<Story, Failing> {
    let next = AtomicU64::new(from);
    let end = from.saturating_add(count);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| play_some(&next, end)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .expect("a story that panics is a defect of its own")
            })
            .collect::<Vec<_>>()
    });
    let mut total = Story::default();
    for part in parts {
        let part = part?;
        total.releases += part.releases;
        total.acknowledged += part.acknowledged;
        total.restarts += part.restarts;
    }
    Ok(total)
}

fn play_some(next: &AtomicU64, end: u64) -> Result<Story, Failing> {
    let mut total = Story::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return Ok(total);
        }
        let story = play(seed).map_err(|broken| {
            next.store(end, Ordering::Relaxed);
            (seed, broken)
        })?;
        total.releases += story.releases;
        total.acknowledged += story.acknowledged;
        total.restarts += story.restarts;
        if seed > 0 && seed.is_multiple_of(REPORT_EVERY) {
            drop(writeln!(
                std::io::stderr(),
                "   seed {seed}, {} to go",
                end - seed
            ));
        }
    }
}
