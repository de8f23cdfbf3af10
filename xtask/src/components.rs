//! Guests in other languages than Rust: built as `component.toml` says, in a copy that has the SDK beside the sources, as
//! a project has that `fermata component new` wrote. What was built from the same files before is taken from the cache.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::languages::Languages;
use crate::{place, run};

/// Where the guests are: one folder each below these.
const FOLDERS: [&str; 6] = ["js", "python", "go", "c", "zig", "conformance"];

/// What runs scripts is a component like any other, and part of the engine.
const INTERPRETER: &str = "engine/interpreter";

/// What a project says about its build; the command line reads the same file.
#[derive(Deserialize)]
struct Recipe {
    name: String,
    language: String,
    build: Vec<Vec<String>>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// Builds every guest whose files have changed, and puts `NAME.wasm` into `folder`.
pub(crate) fn build(languages: &Languages, folder: &Path) -> Result<()> {
    for source in sources()? {
        let text = fs::read_to_string(source.join("component.toml"))?;
        let recipe: Recipe = toml::from_str(&text)
            .with_context(|| format!("{}/component.toml", source.display()))?;
        let built = built(languages, &source, &recipe)?;
        let copy = folder.join(format!("{}.wasm", recipe.name));
        fs::copy(&built, &copy).with_context(|| format!("cannot copy {}", built.display()))?;
    }
    Ok(())
}

/// The folders that have a `component.toml`.
fn sources() -> Result<Vec<PathBuf>> {
    let mut found = vec![place::root().join(INTERPRETER)];
    for folder in FOLDERS.map(|name| place::root().join("guest-examples").join(name)) {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let path = entry?.path();
            if path.join("component.toml").exists() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Where the built component is: in the cache, under everything that it was made of.
fn built(languages: &Languages, source: &Path, recipe: &Recipe) -> Result<PathBuf> {
    let stage = stage(source, recipe)?;
    let key = key(&stage)?;
    let kept = place::folder(place::cache()?.join("components"))?
        .join(format!("{}-{key:016x}.wasm", recipe.name));
    if kept.exists() {
        return Ok(kept);
    }
    for words in &recipe.build {
        let [program, args @ ..] = words.as_slice() else {
            bail!("{}: an empty command", recipe.name);
        };
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(&stage)
            .envs(&recipe.env)
            .env("PATH", languages.path()?);
        run::quietly(
            &format!("building {}", recipe.name),
            &mut command,
            &place::logs()?.join(format!("{}.log", recipe.name)),
        )?;
    }
    let made = stage.join(format!("{}.wasm", recipe.name));
    // Under another name first: what is in the cache is whole.
    let partial = kept.with_extension("partial");
    fs::copy(&made, &partial).with_context(|| format!("cannot copy {}", made.display()))?;
    fs::rename(&partial, &kept)?;
    Ok(kept)
}

/// Where the copy of a project is.
pub(crate) fn stage_of(name: &str) -> PathBuf {
    place::root()
        .join("guest-examples/target/components")
        .join(name)
}

/// A fresh copy of the project, with the SDK and the contract where a project has them.
fn stage(source: &Path, recipe: &Recipe) -> Result<PathBuf> {
    let stage = stage_of(&recipe.name);
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    copy(source, &stage)?;
    let sdk = match recipe.language.as_str() {
        "python" => "sdk/python/fermata".to_owned(),
        "typescript" => "sdk/js".to_owned(),
        other => format!("sdk/{other}"),
    };
    copy(&place::root().join(sdk), &stage.join("fermata"))?;
    copy(&place::root().join("wit"), &stage.join("wit"))?;
    Ok(stage)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied)?;
        } else {
            fs::copy(&path, &copied).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

/// A number that differs if a file of the project or a tool does.
pub(crate) fn key(stage: &Path) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    Languages::versions().hash(&mut hasher);
    let mut folders = vec![stage.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()?;
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else {
                path.strip_prefix(stage)?.hash(&mut hasher);
                fs::read(&path)?.hash(&mut hasher);
            }
        }
    }
    Ok(hasher.finish())
}
