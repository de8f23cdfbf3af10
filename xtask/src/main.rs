//! `cargo xtask`: everything that is needed to build, try, test and measure Fermata, in one command each.
//!
//! Light to compile on purpose: no wasmtime, no RocksDB, no async runtime. What is heavy runs as a child.

mod bench;
mod components;
mod demo;
mod doctor;
mod engine;
mod guests;
mod languages;
mod place;
mod rocksdb;
mod run;
mod say;
mod setup;
mod system;
mod templates;
mod test;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, tries, tests and measures Fermata.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set everything up, start server and fleet, and run a real release of four services.
    Demo(demo::DemoArgs),
    /// Set everything up and run every check: format, lints, docs, tests of all levels.
    Test(test::TestArgs),
    /// Tell what is installed and built, and what is missing.
    Doctor,
    /// Print the variables that let plain cargo and editors use the prebuilt RocksDB.
    Env,
    /// Build what demo and tests need, and nothing else.
    Setup,
    /// Build the guests, in every language.
    Guests,
    /// Kill the server again and again under load, and count what was lost (nothing).
    Chaos(bench::Passed),
    /// Run the driver in a simulated world: `--seeds 10000`, or `--seed N` to replay one.
    Simulate(bench::Passed),
    /// Attack the sandbox: one line for each attack, its answer and what the host and a neighbour noticed.
    Hostile(bench::Passed),
    /// Measure a release build: `--json FILE` also writes the figures.
    Bench(bench::Passed),
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Doctor => doctor::run(),
        Command::Env => doctor::print_env(),
        Command::Guests => setup::guests().map(|()| ExitCode::SUCCESS),
        Command::Setup => setup::everything().map(|_| ExitCode::SUCCESS),
        Command::Chaos(args) => bench::chaos(&args),
        Command::Simulate(args) => bench::simulate(&args),
        Command::Hostile(args) => bench::hostile(&args),
        Command::Bench(args) => bench::bench(&args),
    };
    outcome.unwrap_or_else(|error| {
        say::failure(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
