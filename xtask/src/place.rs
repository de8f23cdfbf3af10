//! Where things are: the repository, the target directory, the cache that outlives both.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the repository")
        .to_owned()
}

/// Where cargo builds the root workspace.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// `$XDG_CACHE_HOME/fermata`: what is slow to make and does not depend on our sources.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) if !cache.is_empty() => PathBuf::from(cache),
        (_, Some(home)) => PathBuf::from(home).join(".cache"),
        _ => {
            anyhow::bail!("neither XDG_CACHE_HOME nor HOME is set: there is no place for the cache")
        }
    };
    folder(base.join("fermata"))
}

/// The finished guests, one `NAME.wasm` each.
pub(crate) fn guests() -> PathBuf {
    root().join("guest-examples/target/guests")
}

/// Logs of set-up and demo.
pub(crate) fn logs() -> Result<PathBuf> {
    folder(target().join("logs"))
}

/// `path`, made if it was missing.
pub(crate) fn folder(path: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(path)
}
