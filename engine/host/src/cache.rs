//! Compiled code on disk: addressed by what it was made from, sealed, never overwritten, and so much of it.

mod used;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fermata_core::id::Digest;
use tracing::{info, warn};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::{RUNTIME, compatibility, failed};
use crate::error::{AdmitError, Error};
use crate::key::{KEY_BYTES, Key, file};
use crate::rejection::Rejection;
use used::Used;

/// Raise it when this crate makes another component of the same core module.
const CODE_VERSION: u32 = 1;

/// Where the order of use is kept, beside the directory of the code.
const USED_FILE: &str = "native.used";
/// How compiled code is called, behind its last dot.
const EXTENSION: &str = "cwasm";
/// How unfinished files are called, likewise.
const UNFINISHED: &str = "tmp";
/// Digits that tell one generation from another.
const GENERATION_DIGITS: usize = 16;

/// The cache of native code.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    key: Key,
    /// Everything but the component that decides on the code.
    made_by: String,
    bytes_max: u64,
    temporary: AtomicU64,
    used: Mutex<Used>,
    hits: AtomicU64,
    misses: AtomicU64,
    removed: AtomicU64,
}

/// What the cache of native code holds, and what it was good for since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheNow {
    /// Components whose code is there.
    pub files: u64,
    /// Bytes of their code.
    pub bytes: u64,
    /// Most bytes there may be.
    pub bytes_max: u64,
    /// How often code was found.
    pub hits: u64,
    /// How often it was not, and the component was compiled.
    pub misses: u64,
    /// How often code was removed to make room.
    pub removed: u64,
}

impl Cache {
    /// Opens or makes the cache in `dir`, and removes what no start of this version can use.
    pub(crate) fn open(
        dir: &Path,
        key: Key,
        engine: &Engine,
        bytes_max: u64,
    ) -> Result<Self, Error> {
        let record = dir.join(USED_FILE);
        let dir = dir.join("native");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(|error| file("making the directory", &dir, error))?;
        let made_by = made_by(RUNTIME, compatibility(engine));
        let files = sweep(&dir, &generation(&made_by));
        let files = files.map_err(|error| file("reading the directory", &dir, error))?;
        let cache = Self {
            dir,
            key,
            made_by,
            bytes_max,
            temporary: AtomicU64::new(0),
            used: Mutex::new(Used::load(record, files)),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            removed: AtomicU64::new(0),
        };
        cache.make_room(|_| false);
        Ok(cache)
    }

    /// What it holds, and what it was good for.
    pub(crate) fn now(&self) -> CacheNow {
        let (files, bytes) = self.used().size();
        CacheNow {
            files: files as u64,
            bytes,
            bytes_max: self.bytes_max,
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            removed: self.removed.load(Ordering::Relaxed),
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what was used longest ago until the rest fits, but nothing that `is_held`: it would be
    /// compiled again although somebody uses it.
    pub(crate) fn make_room(&self, is_held: impl Fn(&Digest) -> bool) {
        let mut used = self.used();
        while used.size().1 > self.bytes_max {
            let Some(oldest) = used.oldest(&is_held) else {
                return;
            };
            used.forget(&oldest);
            let path = self.path(&oldest);
            self.removed.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != ErrorKind::NotFound
            {
                warn!(path = %path.display(), %error, "compiled code could not be removed");
            }
        }
    }

    /// The code made from the component with this digest, if it is there and is what was put there.
    pub(crate) fn get(&self, engine: &Engine, digest: &Digest) -> Option<(Component, u64)> {
        let found = self.find(engine, digest);
        if let Some((_, bytes)) = &found {
            self.hits.fetch_add(1, Ordering::Relaxed);
            self.used().note(*digest, *bytes);
        } else {
            self.misses.fetch_add(1, Ordering::Relaxed);
            self.used().forget(digest);
        }
        found
    }

    fn find(&self, engine: &Engine, digest: &Digest) -> Option<(Component, u64)> {
        let path = self.path(digest);
        let sealed = match fs::read(&path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                warn!(path = %path.display(), %error, "compiled code cannot be read, compiling again");
                return None;
            }
        };
        match self.unseal(engine, digest, &sealed) {
            Ok(component) => Some((component, sealed.len() as u64)),
            Err(reason) => {
                warn!(path = %path.display(), %reason, "compiled code is not what was put there, compiling again");
                // A file that is left behind would only be refused again.
                drop(fs::remove_file(&path));
                None
            }
        }
    }

    fn unseal(&self, engine: &Engine, digest: &Digest, sealed: &[u8]) -> Result<Component, String> {
        let (seal, native) = sealed.split_at_checked(KEY_BYTES).ok_or("it is cut off")?;
        let made_from = self.made_from(digest);
        if !self.key.opens(seal, &[made_from.as_bytes(), native]) {
            return Err("its seal is broken".into());
        }
        load(engine, native).map_err(|error| error.to_string())
    }

    /// Puts the `native` code made from the component with this digest, and returns it loaded.
    pub(crate) fn put(
        &self,
        engine: &Engine,
        digest: &Digest,
        native: &[u8],
    ) -> Result<(Component, u64), AdmitError> {
        let path = self.path(digest);
        let seal = self.key.seal(&[self.made_from(digest).as_bytes(), native]);
        match self.write(&path, &seal, native) {
            Ok(()) => self.used().note(*digest, (KEY_BYTES + native.len()) as u64),
            // The code is good, only slower to have next time.
            Err(error) => {
                warn!(path = %path.display(), %error, "compiled code could not be kept");
            }
        }
        info!(%digest, bytes = native.len(), "compiled a component");
        loaded(engine, native)
    }

    fn write(&self, path: &Path, seal: &[u8], native: &[u8]) -> std::io::Result<()> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let temporary = path.with_extension(format!("{process}-{number}.{UNFINISHED}"));
        let mut file = File::create_new(&temporary)?;
        let written = file
            .write_all(seal)
            .and_then(|()| file.write_all(native))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // What the write left of the file is of no use.
            drop(fs::remove_file(&temporary));
        }
        written?;
        File::open(&self.dir)?.sync_all()
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let generation = generation(&self.made_by);
        self.dir
            .join(format!("{generation}-{}.{EXTENSION}", digest.hex()))
    }

    /// Everything that decides on the code.
    fn made_from(&self, digest: &Digest) -> String {
        format!("{digest} {}", self.made_by)
    }
}

/// Everything but the component that decides on its code: another `runtime` makes other code even where its
/// settings are the same, since a patch may mend the compiler.
fn made_by(runtime: &str, compatibility: u64) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("{compatibility:016x} {CODE_VERSION} {runtime} {version}")
}

/// How the names of all code begin that was made so.
fn generation(made_by: &str) -> String {
    let mut digits = Digest::of(made_by.as_bytes()).hex();
    digits.truncate(GENERATION_DIGITS);
    digits
}

/// The code of this generation, with its bytes. What another generation left there is removed, and what a
/// crash left unfinished; what this program did not write stays.
fn sweep(dir: &Path, generation: &str) -> std::io::Result<BTreeMap<Digest, u64>> {
    let mut files = BTreeMap::new();
    let mut removed = 0_u32;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let path = entry.path();
        let extension = path.extension().and_then(|it| it.to_str());
        if !metadata.is_file() || !matches!(extension, Some(EXTENSION | UNFINISHED)) {
            continue;
        }
        let stem = path
            .file_stem()
            .and_then(|it| it.to_str())
            .unwrap_or_default();
        let digest = stem
            .split_once('-')
            .filter(|(of, _)| extension == Some(EXTENSION) && *of == generation)
            .and_then(|(_, hex)| used::digest(hex));
        if let Some(digest) = digest {
            files.insert(digest, metadata.len());
        } else {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    if removed > 0 {
        info!(
            removed,
            "removed compiled code that this version cannot use"
        );
    }
    Ok(files)
}

/// Native code that is not kept, loaded.
pub(crate) fn loaded(engine: &Engine, native: &[u8]) -> Result<(Component, u64), AdmitError> {
    Ok((load(engine, native).map_err(too_big)?, native.len() as u64))
}

/// A component that no slot of the pool has room for is at fault, not the machine.
fn too_big(error: Error) -> AdmitError {
    let reason = error.to_string();
    if !reason.contains("pooling allocator") {
        return error.into();
    }
    let limit = ["memory", "table"]
        .into_iter()
        .find(|word| reason.contains(&format!("{word} index")));
    let limit = match limit {
        Some("memory") => "memory",
        Some(_) => "tables",
        None => "instances",
    };
    Rejection::CompileLimit { limit, reason }.into()
}

/// Native code as something to instantiate.
fn load(engine: &Engine, native: &[u8]) -> Result<Component, Error> {
    #[expect(
        unsafe_code,
        reason = "the bytes come straight from our own compiler, or carry a seal by a key that only this installation has"
    )]
    // SAFETY: `native` was made by `Engine::precompile_component` in a process that this one started,
    // and was either just received from it or proven unchanged since by its seal.
    unsafe { Component::deserialize(engine, native) }.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_runtime_or_other_settings_are_another_generation() {
        let now = generation(&made_by(RUNTIME, 7));
        assert_eq!(now.len(), GENERATION_DIGITS);
        assert_ne!(now, generation(&made_by("wasmtime 48.0.9", 7)));
        assert_ne!(now, generation(&made_by(RUNTIME, 8)));
    }

    #[test]
    fn a_sweep_removes_what_is_of_no_use_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"a component");
        let (now, before) = ("0".repeat(16), "1".repeat(16));
        let good = format!("{now}-{}.cwasm", digest.hex());
        for name in [
            good.as_str(),
            &format!("{before}-{}.cwasm", digest.hex()),
            &format!("{}.cwasm", digest.hex()),
            &format!("{now}-{}.17-0.tmp", digest.hex()),
            &format!("{now}-not-a-digest.cwasm"),
            "notes.txt",
        ] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        fs::create_dir(folder.path().join("folder.cwasm")).unwrap();
        let found = sweep(folder.path(), &now).unwrap();
        assert_eq!(found, BTreeMap::from([(digest, good.len() as u64)]));
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [good.as_str(), "folder.cwasm", "notes.txt"]);
    }
}
