//! Every check, in the order in which a fault is cheapest to find.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::engine::Profile;
use crate::setup::Ready;
use crate::{components, engine, languages, place, run, say, setup, system, templates};

/// Options of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only the checks whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// One check: its name and how it is done.
type Check = (&'static str, fn(&Ready) -> Result<()>);

const CHECKS: [Check; 10] = [
    ("format", format),
    ("core on wasm32", core_on_wasm),
    ("clippy", clippy),
    ("documentation", documentation),
    ("build", build),
    ("tests", tests),
    ("documentation tests", documentation_tests),
    ("guest tests", guest_tests),
    ("Python types", python_types),
    ("templates", templates::check),
];

/// Sets up, runs the checks, and tells how long each took.
pub(crate) fn run(args: &TestArgs) -> Result<ExitCode> {
    let ready = setup::tools_and_guests()?;
    setup::languages()?;
    system::provide(&system::TESTS)?;
    let mut passed = Vec::new();
    for (name, check) in CHECKS
        .iter()
        .filter(|(name, _)| args.only.as_ref().is_none_or(|only| name.contains(only)))
    {
        say::part(name);
        let began = Instant::now();
        if let Err(error) = check(&ready) {
            say::failure(&format!("the check \"{name}\" failed: {error:#}"));
            say::line(&format!("   again: cargo xtask test --only \"{name}\""));
            return Ok(ExitCode::FAILURE);
        }
        passed.push(format!("   {name:<22} {}", say::elapsed(began)));
    }
    if passed.is_empty() {
        bail!(
            "no check has a name that contains {:?}",
            args.only.as_deref().unwrap_or_default()
        );
    }
    say::part("All checks passed");
    say::line(&passed.join("\n"));
    Ok(ExitCode::SUCCESS)
}

fn guests_folder() -> PathBuf {
    place::root().join("guest-examples")
}

fn format(_: &Ready) -> Result<()> {
    for folder in [place::root(), guests_folder()] {
        run::shown(
            Command::new(env!("CARGO"))
                .current_dir(folder)
                .args(["fmt", "--all", "--check"]),
        )?;
    }
    Ok(())
}

/// Nothing that waits, calls out or reads a clock can get into the core: it would not compile here.
fn core_on_wasm(ready: &Ready) -> Result<()> {
    let target = place::cache()?.join("core-wasm-target");
    let mut command = ready.toolchain.cargo("check", &place::root(), &target);
    command.args(["--package", "fermata-core", "--locked"]);
    run::shown(&mut command)
}

fn clippy(ready: &Ready) -> Result<()> {
    let args = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ];
    run::shown(&mut engine::cargo(&ready.prebuilt, &args))
}

fn documentation(ready: &Ready) -> Result<()> {
    let args = [
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    run::shown(engine::cargo(&ready.prebuilt, &args).env("RUSTDOCFLAGS", "--deny warnings"))
}

fn build(ready: &Ready) -> Result<()> {
    engine::build(&ready.prebuilt, Profile::Dev)
}

fn tests(ready: &Ready) -> Result<()> {
    let nextest = run::output("cargo", &["nextest", "--version"]).is_some();
    let verb: &[&str] = if nextest {
        &["nextest", "run"]
    } else {
        &["test", "--lib", "--bins", "--tests"]
    };
    let mut command = engine::cargo(&ready.prebuilt, verb);
    command
        .args(["--locked", "--workspace"])
        .env("FERMATA_GUESTS", place::guests());
    run::shown(&mut command)
}

fn documentation_tests(ready: &Ready) -> Result<()> {
    run::shown(&mut engine::cargo(
        &ready.prebuilt,
        &["test", "--locked", "--workspace", "--doc"],
    ))
}

/// The SDK for Python and what is written with it, as a type checker sees them.
fn python_types(_: &Ready) -> Result<()> {
    let path = languages::provide()?.path()?;
    for name in ["sdk-python", "error-budget"] {
        let project = components::stage_of(name);
        let words = "-d wit -w reversible-activity bindings .";
        let mut bindings = Command::new("componentize-py");
        bindings.args(words.split(' '));
        let mut types = Command::new("mypy");
        types.args([
            "--strict",
            "--exclude",
            "wit_world",
            "fermata",
            "activity.py",
        ]);
        for command in [&mut bindings, &mut types] {
            run::shown(command.current_dir(&project).env("PATH", &path))?;
        }
    }
    Ok(())
}

/// The guests' own unit tests, on this machine and without WebAssembly.
fn guest_tests(_: &Ready) -> Result<()> {
    let target = place::cache()?.join("guest-tests-target");
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(guests_folder()).args([
        "test",
        "--locked",
        "--workspace",
        "--quiet",
        "--target-dir",
    ]);
    run::shown(command.arg(target))
}
