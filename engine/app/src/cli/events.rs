//! `fermata release events`: the record of a release, event by event.

use serde_json::Value;
use tokio::time::timeout;

use super::args::EventsArgs;
use super::error::Error;
use super::text::{self, Paint, Tone, cell};
use super::{Context, items};
use crate::client::sse::Next;
use crate::client::view::Release;
use crate::client::{Call, Client};

/// Events that are asked for at a time.
const PAGE: u32 = 500;
/// How long a stream may be silent before it is opened again.
const SILENCE: std::time::Duration = std::time::Duration::from_mins(1);

/// Runs the command.
pub(super) async fn run(context: &mut Context, args: &EventsArgs) -> Result<(), Error> {
    let client = context.client()?;
    let mut after = args.after;
    loop {
        let page = page(&client, &args.release, after).await?;
        let count = items(&page).count();
        for event in items(&page) {
            after = number(event).or(after);
            print(context, event)?;
        }
        if count < PAGE as usize {
            break;
        }
    }
    while args.follow && !ended(&client, &args.release).await? {
        after = follow(context, &client, &args.release, after).await?;
    }
    Ok(())
}

async fn page(client: &Client, release: &str, after: Option<u64>) -> Result<Value, Error> {
    let call = Call::get(&["releases", release, "events"])
        .header("accept", Some("application/json"))
        .query("after", after)
        .query("limit", Some(PAGE));
    Ok(client.json(call).await?)
}

/// Prints what happens until the stream ends or the release has; gives the last number.
async fn follow(
    context: &mut Context,
    client: &Client,
    release: &str,
    mut after: Option<u64>,
) -> Result<Option<u64>, Error> {
    let last = after.map(|after| after.to_string());
    let path = ["releases", release, "events"];
    let mut events = client.follow(&path, last.as_deref()).await?;
    loop {
        let Ok(Some(heard)) = timeout(SILENCE, events.next()).await else {
            return Ok(after);
        };
        let Next::Event(event) = heard? else { continue };
        // What has no id is news about the stream or about progress, not part of the record.
        let Some(id) = event.id.as_deref().and_then(|id| id.parse().ok()) else {
            continue;
        };
        if after.is_some_and(|after| id <= after) {
            continue;
        }
        after = Some(id);
        let value: Value = serde_json::from_str(&event.data).unwrap_or_default();
        print(context, &value)?;
        if is_end(&value) {
            return Ok(after);
        }
    }
}

async fn ended(client: &Client, release: &str) -> Result<bool, Error> {
    let body = client.json(Call::get(&["releases", release])).await?;
    Ok(Release::parse(&body).is_ok_and(|release| release.has_ended()))
}

fn number(event: &Value) -> Option<u64> {
    event.get("number").and_then(Value::as_u64)
}

fn kind(event: &Value) -> String {
    cell(event.get("type"))
}

fn is_end(event: &Value) -> bool {
    matches!(kind(event).as_str(), "ended" | "aborted")
}

fn print(context: &mut Context, event: &Value) -> Result<(), Error> {
    if context.out.is_json() {
        context.out.json_line(event)
    } else {
        let line = line(event, context.out.paint());
        context.out.line(&line)
    }
}

/// One event on one line: number, time, who, what, and the rest as it is.
fn line(event: &Value, paint: Paint) -> String {
    let number = number(event).map_or_else(|| "-".into(), |number| number.to_string());
    let known = ["number", "at", "by", "type"];
    let rest: Vec<String> = event
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| !known.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| format!("{name}={}", cell(Some(value))))
        .collect();
    format!(
        "{number:>5}  {}  {}  {}  {}",
        paint.tone(Tone::Faint, &cell(event.get("at"))),
        cell(event.get("by")),
        paint.tone(Tone::Strong, &kind(event)),
        text::tidy(&rest.join(" "))
    )
    .trim_end()
    .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = json!({"number": 3, "at": "2026-01-31T09:00:00.000Z", "by": "engine",
            "type": "attempt-started", "activity": "staging/payment", "attempt": 1, "with": null});
        assert_eq!(
            line(&event, Paint(false)),
            "    3  2026-01-31T09:00:00.000Z  engine  attempt-started  activity=staging/payment attempt=1"
        );
        assert!(!is_end(&event));
        assert!(is_end(&json!({"type": "ended"})));
    }
}
