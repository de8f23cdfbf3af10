//! The guests: WebAssembly modules, built once and copied to where tests and demo look for them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::wasm::{TARGET, Toolchain};
use crate::{place, run};

/// Builds every Rust guest in release mode, and collects `NAME.wasm` in one folder.
pub(crate) fn build(toolchain: Toolchain) -> Result<()> {
    let source = place::root().join("guest-examples");
    // In the cache, so that the standard library is built once per machine and not once per clone.
    let target = place::cache()?.join("guests-target");
    let mut command = toolchain.cargo("build", &source, &target);
    command.args(["--release", "--workspace", "--locked"]);
    run::quietly(
        "building the guests",
        &mut command,
        &place::logs()?.join("guests.log"),
    )?;
    collect(&target.join(TARGET).join("release"), &source)
}

/// Copies the modules of this workspace's guests; a cached target may hold those of other times.
fn collect(built: &Path, source: &Path) -> Result<()> {
    let folder = place::folder(place::guests())?;
    for name in names(source)? {
        let module = built.join(format!("{}.wasm", name.replace('-', "_")));
        let copy = folder.join(format!("{name}.wasm"));
        fs::copy(&module, &copy).with_context(|| format!("cannot copy {}", module.display()))?;
    }
    Ok(())
}

/// The names of all guest crates, as their manifests give them.
fn names(source: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in ["", "conformance", "hostile"].map(|name| source.join(name)) {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let manifest = entry?.path().join("Cargo.toml");
            let Ok(text) = fs::read_to_string(&manifest) else {
                continue;
            };
            names.extend(guest_name(&text).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

/// The package name, if the manifest is that of a guest: a `cdylib`.
fn guest_name(manifest: &str) -> Option<&str> {
    let name = manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = \""))?;
    manifest
        .contains("cdylib")
        .then(|| name.trim_end_matches('"'))
}
