//! The templates, as a user meets them: a new project in every language is built, and passes its tests in a sandbox.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::engine::{self, Profile};
use crate::languages::{self, Languages};
use crate::setup::Ready;
use crate::wasm::Toolchain;
use crate::{components, place, run, say};

/// Every language that `fermata component new` knows.
const LANGUAGES: [&str; 7] = ["rust", "js", "ts", "python", "go", "c", "zig"];
/// Those that take half a minute or more: left out if nothing in the project has changed since it passed.
const SLOW: [&str; 2] = ["rust", "python"];
/// The name of the project.
const NAME: &str = "check-page";

/// Makes, builds and tests a project in every language.
pub(crate) fn check(ready: &Ready) -> Result<()> {
    let languages = languages::provide()?;
    let folder = place::folder(place::target().join("templates"))?;
    let with = Surroundings::prepare(ready.toolchain, &languages, &folder)?;
    for language in LANGUAGES {
        let project = fresh(&folder, language)?;
        with.fermata(&["new", "--lang", language], &project)?;
        let passed = place::folder(place::cache()?.join("templates"))?
            .join(format!("{language}-{:016x}", components::key(&project)?));
        if SLOW.contains(&language) && passed.exists() {
            say::line(&format!("   {language}: unchanged since it passed"));
            continue;
        }
        restore(&folder, language, &project)?;
        with.fermata(&["build"], &project)?;
        with.fermata(&["test"], &project)?;
        fs::write(&passed, "")?;
    }
    Ok(())
}

/// What the command line is run in.
struct Surroundings {
    toolchain: Toolchain,
    path: OsString,
}

impl Surroundings {
    /// Debian's Rust has to be told what rustup's knows.
    fn prepare(toolchain: Toolchain, languages: &Languages, folder: &Path) -> Result<Self> {
        let path = languages.path()?;
        let config = place::folder(folder.join(".cargo"))?.join("config.toml");
        let (text, path) = match toolchain {
            Toolchain::Rustup => ("", path),
            Toolchain::Debian => {
                let text = "[unstable]\nbuild-std = [\"std\", \"panic_abort\"]\n\
                    [target.wasm32-unknown-unknown]\nlinker = \"wasm-ld-19\"\n";
                let folders = std::iter::once(PathBuf::from("/usr/bin"));
                let folders = folders.chain(std::env::split_paths(&path));
                (text, std::env::join_paths(folders)?)
            }
        };
        fs::write(config, text)?;
        Ok(Self { toolchain, path })
    }

    fn fermata(&self, words: &[&str], project: &Path) -> Result<()> {
        let program = engine::program("fermata", Profile::Dev);
        let mut command = Command::new(&program);
        command
            .arg("component")
            .args(words)
            .arg(project)
            .env("PATH", &self.path);
        if self.toolchain == Toolchain::Debian {
            // The variables of the rustup shim that runs this would lead back to rustup's compiler.
            for variable in ["RUSTC", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTFLAGS"] {
                command.env_remove(variable);
            }
            // Lets it build the standard library.
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        run::shown(&mut command).with_context(|| format!("in {}", project.display()))
    }
}

/// A place for a new project. What cargo built for the last one is kept aside.
fn fresh(folder: &Path, language: &str) -> Result<PathBuf> {
    let project = place::folder(folder.join(language))?.join(NAME);
    let (target, kept) = (project.join("target"), folder.join(language).join("target"));
    if target.exists() {
        if kept.exists() {
            fs::remove_dir_all(&kept)?;
        }
        fs::rename(&target, &kept)?;
    }
    if project.exists() {
        fs::remove_dir_all(&project)?;
    }
    Ok(project)
}

fn restore(folder: &Path, language: &str, project: &Path) -> Result<()> {
    let kept = folder.join(language).join("target");
    if kept.exists() {
        fs::rename(kept, project.join("target"))?;
    }
    Ok(())
}
