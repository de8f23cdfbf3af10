//! What is there and what is missing, without changing anything.

use std::process::ExitCode;

use anyhow::Result;

use crate::engine::Profile;
use crate::{engine, languages, place, rocksdb, run, say, system, wasm};

/// One prerequisite.
struct Row {
    what: &'static str,
    /// What was found; absent if it is missing.
    found: Option<String>,
    remedy: String,
}

fn row(what: &'static str, found: Option<String>, remedy: impl Into<String>) -> Row {
    Row {
        what,
        found,
        remedy: remedy.into(),
    }
}

/// Lists every prerequisite; succeeds if demo and tests would have nothing to install or build.
pub(crate) fn run() -> Result<ExitCode> {
    let mut rows = tools();
    rows.extend(built()?);
    for row in &rows {
        let mark = if row.found.is_some() {
            "ok     "
        } else {
            "missing"
        };
        say::result(&format!(
            "{mark}  {:<20} {}",
            row.what,
            row.found.as_ref().unwrap_or(&row.remedy)
        ));
    }
    let nextest = run::output("cargo", &["nextest", "--version"]);
    let nextest = nextest.as_deref().and_then(|text| text.lines().next());
    say::result(&format!(
        "option   cargo-nextest        {}",
        nextest.unwrap_or("not there: `cargo test` is used")
    ));
    let complete = rows.iter().all(|row| row.found.is_some());
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tools() -> Vec<Row> {
    let mut rows = vec![
        row(
            "rustc",
            run::output("rustc", &["--version"]),
            "install rustup",
        ),
        row(
            "git",
            run::output("git", &["--version"]),
            "apt-get install git",
        ),
    ];
    for need in system::NATIVE.iter().chain(&system::TESTS) {
        let packages = need.packages.join(" ");
        let remedy = format!("{}: apt-get install {packages}", need.why);
        rows.push(row(
            need.packages[0],
            (need.present)().then_some(packages),
            remedy,
        ));
    }
    let toolchain = wasm::find().map(|toolchain| toolchain.name().to_owned());
    rows.push(row(
        "wasm toolchain",
        toolchain,
        "`cargo xtask setup` provides it by rustup or by Debian's packages",
    ));
    rows
}

fn built() -> Result<Vec<Row>> {
    let library = rocksdb::find()?.map(|prebuilt| prebuilt.variables()[0].1.clone());
    let guests = std::fs::read_dir(place::guests()).map_or(0, Iterator::count);
    let guests = (guests > 0).then(|| format!("{guests} modules"));
    let mut rows = vec![
        row(
            "RocksDB (prebuilt)",
            library,
            "`cargo xtask setup` builds it into the cache",
        ),
        row("guests", guests, "`cargo xtask setup` builds them"),
    ];
    rows.push(row(
        "languages",
        languages::find()?.map(|_| languages::Languages::versions()),
        "`cargo xtask guests` installs their toolchains into the cache; only tests need them",
    ));
    for program in ["fermata", "fermata-fleet"] {
        let path = engine::program(program, Profile::Dev);
        let found = path.exists().then(|| path.display().to_string());
        rows.push(row(program, found, "`cargo xtask setup` builds it"));
    }
    Ok(rows)
}

/// Prints `export NAME='VALUE'` lines for a shell.
pub(crate) fn print_env() -> Result<ExitCode> {
    let Some(prebuilt) = rocksdb::find()? else {
        anyhow::bail!(
            "RocksDB has not been prebuilt yet: run `cargo xtask setup`, then this again"
        );
    };
    for (name, value) in prebuilt.variables() {
        say::result(&format!("export {name}='{value}'"));
    }
    Ok(ExitCode::SUCCESS)
}
