//! `fermata backup` and `fermata restore`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::Context;
use super::args::{BackupArgs, RestoreArgs};
use super::error::Error;
use crate::client::{self, Call};
use crate::offline::{self, Restored};
use crate::wire::OpenError;

/// How much longer than other calls a backup may take.
const LONGER: Duration = Duration::from_hours(1);

/// Asks the server for a backup; reads the data directory directly if no server answers and one
/// was named.
pub(super) async fn backup(context: &mut Context, args: &BackupArgs) -> Result<(), Error> {
    // The server works elsewhere than we do: relative paths are ours.
    let directory = absolute(&args.directory)?;
    let client = context.client()?;
    let call = Call::post(&["backups"])
        .json(&json!({ "directory": directory }))
        .longer(LONGER);
    match (client.json(call).await, &args.data_dir) {
        (Ok(answer), _) if context.out.is_json() => context.out.json(&answer),
        (Ok(_), _) => written(context, &directory),
        (Err(client::Error::Unreachable { .. }), Some(data)) => {
            offline::backup(data, &directory).map_err(|error| failed(&error))?;
            written(context, &directory)
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// Puts a backup into a new data directory.
pub(super) fn restore(context: &mut Context, args: &RestoreArgs) -> Result<(), Error> {
    let Restored {
        backup,
        examination,
        secrets,
    } = offline::restore(&args.backup, &args.data_dir).map_err(|error| failed(&error))?;
    let data = args.data_dir.display();
    if context.out.is_json() {
        return context.out.json(&json!({
            "data_dir": args.data_dir,
            "created_at": backup.created_at,
            "files": backup.files.len(),
            "bytes": backup.size(),
            "releases": examination.releases,
            "secrets": secrets,
        }));
    }
    context.out.line(&format!(
        "restored {} releases as of {} into {data}",
        examination.releases, backup.created_at
    ))?;
    if secrets > 0 {
        context.out.remark(&format!(
            "its {secrets} secrets open with their key only: put the secrets.key of its server into {data}, or give the same --secrets-key-file"
        ))?;
    }
    context.out.remark(&format!(
        "next: fermata serve --data-dir {data}; an administrator's token is in {data}/bootstrap-token"
    ))
}

/// What went wrong with a data directory or a backup: the text says what to do.
fn failed(error: &OpenError) -> Error {
    Error::Failed {
        what: error.to_string(),
        next: None,
    }
}

/// Says where a backup is.
fn written(context: &mut Context, directory: &Path) -> Result<(), Error> {
    let place = directory.display();
    context.out.line(&format!("backup written to {place}"))
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|source| Error::File {
        path: path.into(),
        source,
    })
}
