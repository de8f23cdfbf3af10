//! What is said about component versions: deprecated, or in quarantine.

use fermata_core::id::Digest;
use serde_json::{Value, json};

use crate::cli::args::QuarantineArgs;
use crate::cli::error::Error;
use crate::cli::table::Table;
use crate::cli::text::{Tone, ago, cell, short_digest};
use crate::cli::{Context, items, list as entries, pages, values};
use crate::client::{Call, Client};
use crate::wire;

/// Says that a version should not be used any more, with a notice, or that it may.
pub(super) async fn deprecate(
    context: &mut Context,
    component: &str,
    notice: Option<&str>,
) -> Result<(), Error> {
    let (name, Some(version)) = values::versioned(component) else {
        return Err(Error::usage(
            format!("`{component}` names no version"),
            "versions are deprecated one by one: NAME@VERSION",
        ));
    };
    let client = context.client()?;
    let path = ["components", name, "versions", version, "deprecation"];
    let call = match notice {
        Some(notice) => Call::put(&path).json(&json!({ "notice": notice })),
        None => Call::delete(&path),
    };
    let answer = client.json(call).await?;
    match (context.out.is_json(), notice) {
        (true, Some(_)) => context.out.json(&answer),
        (true, None) => Ok(()),
        (false, Some(_)) => context.out.line(&format!("{component}: deprecated")),
        (false, None) => context.out.line(&format!("{component}: may be used again")),
    }
}

/// Puts a component into quarantine.
pub(super) async fn quarantine(context: &mut Context, args: &QuarantineArgs) -> Result<(), Error> {
    let client = context.client()?;
    let digest = digest(&client, &args.component).await?;
    let call = Call::put(&["quarantine", &digest]).json(&json!({ "reason": args.reason }));
    let answer = client.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let shown = short_digest(&digest);
    context
        .out
        .line(&format!("{} is in quarantine  {shown}", args.component))?;
    context.out.remark(
        "nothing runs it any more; `fermata component used-by` shows the releases that pinned it",
    )
}

/// Lifts the quarantine of a component.
pub(super) async fn lift(context: &mut Context, args: &QuarantineArgs) -> Result<(), Error> {
    let client = context.client()?;
    let digest = digest(&client, &args.component).await?;
    let path = ["quarantine", digest.as_str(), "lift"];
    let answer = client
        .json(Call::post(&path).json(&json!({ "reason": args.reason })))
        .await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    context
        .out
        .line(&format!("{}: the quarantine is lifted", args.component))?;
    context
        .out
        .remark("what it held is on hold: fermata release retry RELEASE ACTIVITY")
}

/// The digest that `component` is or has.
async fn digest(client: &Client, component: &str) -> Result<String, Error> {
    if component.parse::<Digest>().is_ok() {
        return Ok(component.to_owned());
    }
    let (name, Some(version)) = values::versioned(component) else {
        return Err(Error::usage(
            format!("`{component}` is neither a version nor a digest"),
            "write NAME@VERSION or sha256:…",
        ));
    };
    let path = ["components", name, "versions", version];
    let answer = client.json(Call::get(&path)).await?;
    Ok(cell(answer.get("digest")))
}

/// Lists every quarantine there ever was.
pub(super) async fn list(context: &mut Context) -> Result<(), Error> {
    let client = context.client()?;
    let answer = pages::read(&client, &["quarantine"], &[], pages::ALL).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let now = wire::now();
    let mut table = Table::new(&["DIGEST", "COMPONENT", "STATE", "REASON", "BY", "SINCE"]);
    for item in items(&answer) {
        let (tone, state) = match item.get("lifted") {
            None => (Tone::Bad, "in force".to_owned()),
            Some(lifted) => (
                Tone::Faint,
                format!("lifted: {}", cell(lifted.get("reason"))),
            ),
        };
        table.toned([
            (Tone::Plain, short_digest(&cell(item.get("digest")))),
            (Tone::Strong, cell(item.get("component"))),
            (tone, state),
            (Tone::Plain, cell(item.get("reason"))),
            (Tone::Faint, cell(item.get("by"))),
            (Tone::Faint, ago(item.get("since"), now)),
        ]);
    }
    context.out.table(&table, "nothing was ever in quarantine")
}

/// One word about a version in a list; empty if there is nothing to say.
pub(super) fn word(item: &Value) -> &'static str {
    if item.get("quarantine").is_some() {
        "in quarantine"
    } else if item.get("deprecated").is_some() {
        "deprecated"
    } else {
        ""
    }
}

/// Shows what is said about a version.
pub(super) fn show(context: &mut Context, body: &Value) -> Result<(), Error> {
    let paint = context.out.paint();
    for (what, key, text) in [
        ("in quarantine", "quarantine", "reason"),
        ("deprecated", "deprecated", "notice"),
    ] {
        if let Some(said) = body.get(key) {
            let by = cell(said.get("by"));
            let line = format!("  {what} by {by}: {}", cell(said.get(text)));
            context.out.line(&paint.tone(Tone::Bad, &line))?;
        }
    }
    Ok(())
}

/// Tells what people should know about the components behind an answer.
pub(in crate::cli) fn notices(context: &mut Context, answer: &Value) -> Result<(), Error> {
    for notice in entries(answer, "notices") {
        let component = cell(notice.get("component"));
        let what = match cell(notice.get("kind")).as_str() {
            "quarantined" => "is in quarantine",
            _ => "is deprecated",
        };
        let told = cell(notice.get("notice"));
        context
            .out
            .remark(&format!("note: {component} {what}: {told}"))?;
    }
    Ok(())
}
