//! What is there and what is missing, without changing anything.

use std::process::ExitCode;

use anyhow::Result;

use crate::engine::Profile;
use crate::{engine, place, rocksdb, run, say, system, wasm};

/// Lists every prerequisite; succeeds if demo and tests would have nothing to install or build.
pub(crate) fn run() -> Result<ExitCode> {
    let mut missing = 0;
    let mut row = |what: &str, found: Option<String>, remedy: &str| {
        let mark = if found.is_some() {
            "ok     "
        } else {
            "missing"
        };
        missing += u32::from(found.is_none());
        say::result(&format!(
            "{mark}  {what:<24} {}",
            found.unwrap_or_else(|| remedy.to_owned())
        ));
    };
    row(
        "rustc",
        run::output("rustc", &["--version"]),
        "install rustup",
    );
    row(
        "git",
        run::output("git", &["--version"]),
        "apt-get install git",
    );
    for need in &system::NATIVE {
        let found = (need.present)().then(|| need.packages.join(" "));
        row(
            need.packages[0],
            found,
            &format!("{}: apt-get install {}", need.why, need.packages.join(" ")),
        );
    }
    let toolchain = wasm::find().map(|toolchain| toolchain.name().to_owned());
    row(
        "wasm toolchain",
        toolchain,
        "`cargo xtask setup` provides it by rustup or by Debian's packages",
    );
    let library = rocksdb::find()?.map(|prebuilt| prebuilt.variables()[0].1.clone());
    row(
        "RocksDB (prebuilt)",
        library,
        "`cargo xtask setup` builds it into the cache",
    );
    let guests = std::fs::read_dir(place::guests()).map_or(0, Iterator::count);
    row(
        "guests",
        (guests > 0).then(|| format!("{guests} built")),
        "`cargo xtask setup` builds them",
    );
    for program in ["fermata", "fermata-fleet"] {
        let path = engine::program(program, Profile::Dev);
        row(
            program,
            path.exists().then(|| path.display().to_string()),
            "`cargo xtask setup` builds it",
        );
    }
    let nextest = run::output("cargo", &["nextest", "--version"]);
    let first_line = nextest.map(|text| text.lines().next().unwrap_or_default().to_owned());
    say::result(&format!(
        "option   cargo-nextest            {}",
        first_line
            .as_deref()
            .unwrap_or("not there: `cargo test` is used")
    ));
    Ok(if missing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints `export NAME='VALUE'` lines for a shell.
pub(crate) fn print_env() -> Result<ExitCode> {
    match rocksdb::find()? {
        Some(prebuilt) => {
            for (name, value) in prebuilt.variables() {
                say::result(&format!("export {name}='{value}'"));
            }
            Ok(ExitCode::SUCCESS)
        }
        None => anyhow::bail!(
            "RocksDB has not been prebuilt yet: run `cargo xtask setup`, then this again"
        ),
    }
}
