//! Compiled code on disk: addressed by what it was made from, sealed, never overwritten.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fermata_core::id::Digest;
use tracing::{info, warn};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::{RUNTIME, compatibility, failed};
use crate::error::{AdmitError, Error};
use crate::key::{KEY_BYTES, Key, file};
use crate::rejection::Rejection;

/// Raise it when this crate makes another component of the same core module.
const CODE_VERSION: u32 = 1;

/// The cache of native code.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    key: Key,
    compatibility: u64,
    temporary: AtomicU64,
}

impl Cache {
    /// Opens or makes the cache in `dir`.
    pub(crate) fn open(dir: &Path, key: Key, engine: &Engine) -> Result<Self, Error> {
        let dir = dir.join("native");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(|error| file("making the directory", &dir, error))?;
        Ok(Self {
            dir,
            key,
            compatibility: compatibility(engine),
            temporary: AtomicU64::new(0),
        })
    }

    /// The code made from the component with this digest, if it is there and is what was put there.
    pub(crate) fn get(&self, engine: &Engine, digest: &Digest) -> Option<(Component, u64)> {
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
        let name = self.name(digest);
        if !self.key.opens(seal, &[name.as_bytes(), native]) {
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
        let seal = self.key.seal(&[self.name(digest).as_bytes(), native]);
        if let Err(error) = self.write(&path, &seal, native) {
            // The code is good, only slower to have next time.
            warn!(path = %path.display(), %error, "compiled code could not be kept");
        }
        info!(%digest, bytes = native.len(), "compiled a component");
        Ok((load(engine, native).map_err(too_big)?, native.len() as u64))
    }

    fn write(&self, path: &Path, seal: &[u8], native: &[u8]) -> std::io::Result<()> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
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
        self.dir.join(self.name(digest)).with_extension("cwasm")
    }

    /// The digest of everything that decides on the code.
    fn name(&self, digest: &Digest) -> String {
        let made_from = format!(
            "{digest} {:016x} {CODE_VERSION} {RUNTIME} {}",
            self.compatibility,
            env!("CARGO_PKG_VERSION")
        );
        Digest::of(made_from.as_bytes()).hex()
    }
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
