//! The programs that need the engine, run as children: chaos, simulation, attacks, benchmark.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::engine::Profile;
use crate::{engine, place, say, setup};

/// What is passed on to the program.
#[derive(Debug, Args)]
pub(crate) struct Passed {
    /// See `--help` of the program: `cargo xtask chaos -- --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Kills the server under load.
pub(crate) fn chaos(passed: &Passed) -> Result<ExitCode> {
    setup::everything()?;
    say::part("Chaos");
    program("chaos", Profile::Dev, passed)
}

/// Runs the simulated world, in a release build: the more seeds the better.
pub(crate) fn simulate(passed: &Passed) -> Result<ExitCode> {
    released("Simulation", "simulate", passed)
}

/// Attacks the sandbox of a release build.
pub(crate) fn hostile(passed: &Passed) -> Result<ExitCode> {
    released("Hostile", "hostile", passed)
}

/// Measures a release build, with guests in every language.
pub(crate) fn bench(passed: &Passed) -> Result<ExitCode> {
    setup::languages()?;
    released("Benchmark", "bench", passed)
}

fn released(title: &str, name: &str, passed: &Passed) -> Result<ExitCode> {
    let ready = setup::tools_and_guests()?;
    say::part("Engine, release build (the first one takes some minutes)");
    engine::build(&ready.prebuilt, Profile::Release)?;
    say::part(title);
    program(name, Profile::Release, passed)
}

fn program(name: &str, profile: Profile, passed: &Passed) -> Result<ExitCode> {
    let path = engine::program(name, profile);
    let status = Command::new(&path)
        .args(&passed.args)
        .env("FERMATA_BIN", engine::program("fermata", profile))
        .env(
            "FERMATA_FLEET_BIN",
            engine::program("fermata-fleet", profile),
        )
        .env("FERMATA_GUESTS", place::guests())
        .status()
        .with_context(|| format!("cannot run {}", path.display()))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
