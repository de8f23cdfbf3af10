//! `fermata release signal`: tells a release that what it waits for has happened.

use serde_json::{Value, json};

use super::args::SignalArgs;
use super::error::Error;
use super::text::cell;
use super::{Context, items, values};
use crate::client::{Call, Client};
use crate::wire;

/// Runs the command.
pub(super) async fn run(context: &mut Context, args: &SignalArgs) -> Result<(), Error> {
    let client = context.client()?;
    let secret = match &args.secret {
        Some(secret) => secret.clone(),
        None => secret(&client, args).await?,
    };
    let payload = values::object(args.payload_file.as_deref(), &args.payload)?;
    let (phase, activity) = split(&args.activity)?;
    // Each call of the command is a delivery of its own, unless it is said to be an earlier one.
    let fresh = || format!("{}-{}", wire::now(), std::process::id());
    let key = args.idempotency_key.clone().unwrap_or_else(fresh);
    let call = Call::post(&["signals", &args.release, phase, activity])
        .header("fermata-signal-secret", Some(&secret))
        .header("idempotency-key", Some(&key))
        .json(&payload.unwrap_or_else(|| json!({})));
    let answer = client.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    context
        .out
        .line(&format!("{}: signal received", args.activity))
}

fn split(path: &str) -> Result<(&str, &str), Error> {
    path.split_once('/').ok_or_else(|| {
        let message = format!("`{path}` is no activity");
        Error::usage(message, "activities are named PHASE/ACTIVITY")
    })
}

/// The secret, for whoever may see it.
async fn secret(client: &Client, args: &SignalArgs) -> Result<String, Error> {
    let why = client
        .json(Call::get(&["releases", &args.release, "why"]))
        .await?;
    let waiting = items(&why).find(|item| cell(item.get("path")) == args.activity);
    let secret = waiting.and_then(|item| item.pointer("/on/secret"));
    if let Some(secret) = secret.and_then(Value::as_str) {
        return Ok(secret.to_owned());
    }
    let message = format!("{} shows no secret of a signal", args.activity);
    let hint = "it waits for no signal at the moment, or the token may only read: pass --secret";
    Err(Error::usage(message, hint))
}
