//! A toolchain that builds for `wasm32-unknown-unknown`: rustup's where its server can be reached, else Debian's.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{place, run, say, system};

/// What guests and the check of the core are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// Long enough to download one target on a slow line; a server that cannot be reached answers sooner.
const RUSTUP_PATIENCE: Duration = Duration::from_mins(3);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Where the wasm target comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The toolchain that runs this, with the target installed.
    Rustup,
    /// Debian's compiler, which builds the standard library from source.
    Debian,
}

/// The toolchain that is there already, if there is one.
pub(crate) fn find() -> Option<Toolchain> {
    if has_target() {
        Some(Toolchain::Rustup)
    } else if system::WASM.iter().all(|need| (need.present)()) {
        Some(Toolchain::Debian)
    } else {
        None
    }
}

/// Finds a toolchain, or installs one.
pub(crate) fn provide() -> Result<Toolchain> {
    if let Some(toolchain) = find() {
        return Ok(toolchain);
    }
    say::line(&format!(
        "   missing: the Rust target {TARGET}, for guests and for the check of the core"
    ));
    if run::exists("rustup") && rustup_add()? && has_target() {
        return Ok(Toolchain::Rustup);
    }
    say::line("   rustup cannot provide it here: Debian's toolchain can");
    system::provide(&system::WASM)?;
    Ok(Toolchain::Debian)
}

fn has_target() -> bool {
    run::output("rustc", &["--print", "target-libdir", "--target", TARGET])
        .is_some_and(|dir| Path::new(&dir).exists())
}

fn rustup_add() -> Result<bool> {
    let log = std::fs::File::create(place::logs()?.join("rustup.log"))?;
    let mut command = Command::new("rustup");
    command
        .args(["target", "add", TARGET])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let mut child = command.spawn()?;
    let began = Instant::now();
    let mut progress = say::Progress::begin(&format!("rustup target add {TARGET}"));
    let added = loop {
        if let Some(status) = child.try_wait()? {
            break status.success();
        }
        if began.elapsed() > RUSTUP_PATIENCE {
            child.kill()?;
            child.wait()?;
            break false;
        }
        progress.tick("");
        std::thread::sleep(LOOK_AGAIN);
    };
    progress.end();
    Ok(added)
}

impl Toolchain {
    /// `cargo VERB` for the wasm target, run in `folder`, built into `target`.
    pub(crate) fn cargo(self, verb: &str, folder: &Path, target: &Path) -> Command {
        let mut command = match self {
            Self::Rustup => Command::new(env!("CARGO")),
            Self::Debian => Command::new("/usr/bin/cargo"),
        };
        command
            .current_dir(folder)
            .arg(verb)
            .args(["--target", TARGET])
            .arg("--target-dir")
            .arg(target);
        if self == Self::Debian {
            // The variables of the rustup shim that runs this would lead Debian's cargo back to rustup's compiler.
            for variable in ["RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTFLAGS"] {
                command.env_remove(variable);
            }
            command
                .env("CARGO", "/usr/bin/cargo")
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19")
                .arg("-Zbuild-std=std,panic_abort");
        }
        command
    }

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rustup => "rustup's toolchain",
            Self::Debian => "Debian's toolchain (standard library built from source)",
        }
    }
}
