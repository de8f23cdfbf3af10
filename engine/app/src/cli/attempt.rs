//! `fermata attempt export`: the recording of an attempt, as the server has it.

use std::fs;

use super::args::{AttemptCommand, ExportArgs};
use super::error::Error;
use super::text::{bytes, cell};
use super::{Context, items};
use crate::client::{Call, Client};

/// Runs the command.
pub(super) async fn run(context: &mut Context, command: &AttemptCommand) -> Result<(), Error> {
    let AttemptCommand::Export(args) = command;
    let client = context.client()?;
    let (phase, activity) = args.activity.split_once('/').ok_or_else(|| {
        let what = format!("`{}` is no activity", args.activity);
        Error::usage(what, "write PHASE/ACTIVITY")
    })?;
    let attempts = [
        "releases",
        &args.release,
        "activities",
        phase,
        activity,
        "attempts",
    ];
    let attempt = match args.attempt {
        Some(attempt) => attempt.to_string(),
        None => last(&client, &attempts).await?,
    };
    let path = [&attempts[..], &[attempt.as_str(), "recording"]].concat();
    let recording = client.json(Call::get(&path)).await?;
    write(context, args, &format!("{recording:#}\n"))
}

/// The number of the last attempt that did not succeed; of the last one, if all did, so that the server says why there
/// is nothing.
async fn last(client: &Client, attempts: &[&str]) -> Result<String, Error> {
    let answer = client.json(Call::get(attempts)).await?;
    let failed = |attempt: &&serde_json::Value| cell(attempt.get("state")) != "succeeded";
    let last = items(&answer).filter(failed).last();
    let last = last.or_else(|| items(&answer).last());
    Ok(last.map_or_else(|| "1".to_owned(), |attempt| cell(attempt.get("number"))))
}

fn write(context: &mut Context, args: &ExportArgs, text: &str) -> Result<(), Error> {
    let Some(path) = &args.to else {
        return context.out.raw(text);
    };
    fs::write(path, text).map_err(|source| Error::File {
        path: path.clone(),
        source,
    })?;
    let path = path.display();
    let size = bytes(text.len() as u64);
    context.out.remark(&format!(
        "{path}: {size}; next: fermata component test --replay {path}"
    ))
}
