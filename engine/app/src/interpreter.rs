//! The interpreter of scripts: a component that the server takes in by itself when it starts, so that a script
//! needs no upload.

use std::path::{Path, PathBuf};

use axum::body::Bytes;
use fermata_core::actor::Caller;
use fermata_core::id::Digest;
use fermata_core::process::script::interpreter;
use fermata_service::error::RegisterError;

use crate::http::{Api, Rejected};

/// What it is called where the server looks by itself: beside its own program.
const FILE: &str = "javascript.wasm";

/// Why the interpreter cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the interpreter of scripts, {}, cannot be used: {reason}", path.display())]
pub(crate) struct InterpreterError {
    path: PathBuf,
    reason: String,
}

/// Where the interpreter is: where the settings say, or else beside the program, if it is there.
pub(crate) fn find(configured: Option<&Path>) -> Option<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join(FILE));
    let found = configured.map(Path::to_owned);
    found.or_else(|| beside().filter(|path| path.is_file()))
}

/// Registers the interpreter, unless it is registered already.
pub(crate) async fn take_in(api: &Api, path: &Path) -> Result<(), InterpreterError> {
    let cannot = |reason: String| InterpreterError {
        path: path.into(),
        reason,
    };
    let bytes = tokio::fs::read(path).await;
    let bytes = bytes.map_err(|error| cannot(error.to_string()))?;
    let digest = Digest::of(&bytes);
    let uses = interpreter();
    let versions = api.service.component(&uses.name);
    if versions.iter().any(|entry| entry.digest == digest) {
        return Ok(());
    }
    if let Some(record) = api.service.quarantine_of(&digest) {
        tracing::warn!(path = %path.display(), "the interpreter of scripts is not taken in: {record}");
        return Ok(());
    }
    tracing::info!(path = %path.display(), "preparing the interpreter of scripts");
    let admitted = api.sandbox.admit(Bytes::from(bytes)).await;
    let admitted = admitted.map_err(|rejected| match rejected {
        Rejected::Faulty { detail, .. } | Rejected::Error(detail) => cannot(detail),
    })?;
    let descriptor = admitted.descriptor;
    if descriptor.name != uses.name || !uses.accepts(descriptor.version) {
        let found = format!(
            "it is {}@{}, not {uses}",
            descriptor.name, descriptor.version
        );
        return Err(cannot(found));
    }
    let version = descriptor.version;
    let registered = api.service.register_component(
        Caller::engine(),
        descriptor,
        admitted.digest,
        admitted.bytes,
    );
    match registered.await {
        Ok(_) => Ok(()),
        // Releases have pinned what is registered: it stays until there is a newer version.
        Err(RegisterError::VersionExists { .. }) => {
            tracing::warn!(path = %path.display(), %version, "another interpreter of the same version is registered, and stays");
            Ok(())
        }
        // All but scripts can go on without it.
        Err(
            error @ (RegisterError::NameTaken
            | RegisterError::OtherWorld { .. }
            | RegisterError::Quarantined(_)),
        ) => {
            tracing::warn!(path = %path.display(), %error, "the interpreter of scripts is not taken in");
            Ok(())
        }
        Err(error) => Err(cannot(error.to_string())),
    }
}
