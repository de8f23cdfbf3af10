//! Cargo, with the prebuilt RocksDB.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::rocksdb::Prebuilt;
use crate::{place, run};

/// Which build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For demo, tests and chaos: dependencies optimised, our code quick to compile.
    Dev,
    /// For figures.
    Release,
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// `cargo VERB …` in the root workspace.
pub(crate) fn cargo(prebuilt: &Prebuilt, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(place::root())
        .args(args)
        .envs(prebuilt.variables());
    command
}

/// Builds the server, the fleet and the programs of the tests; cargo shows its own progress.
pub(crate) fn build(prebuilt: &Prebuilt, profile: Profile) -> Result<()> {
    let mut command = cargo(
        prebuilt,
        &[
            "build",
            "--locked",
            "--package",
            "fermata",
            "--package",
            "fermata-tests",
        ],
    );
    command.arg("--bins");
    if profile == Profile::Release {
        command.arg("--release");
    }
    run::shown(&mut command)
}

/// A program that [`build`] made.
pub(crate) fn program(name: &str, profile: Profile) -> PathBuf {
    place::target().join(profile.folder()).join(name)
}
