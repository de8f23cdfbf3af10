//! `fermata release logs`: what the attempts of activities logged.

use serde_json::{Value, json};

use super::args::LogsArgs;
use super::error::Error;
use super::text::{self, Paint, Tone, cell};
use super::{Context, items};
use crate::client::view::Release;
use crate::client::{Call, Client};

/// Runs the command.
pub(super) async fn run(context: &mut Context, args: &LogsArgs) -> Result<(), Error> {
    let client = context.client()?;
    let paths = match &args.activity {
        Some(path) => vec![path.clone()],
        None => with_attempts(&client, &args.release).await?,
    };
    let mut all = Vec::new();
    for path in paths {
        let (phase, activity) = path.split_once('/').ok_or_else(|| {
            Error::usage(format!("`{path}` is no activity"), "write PHASE/ACTIVITY")
        })?;
        for attempt in attempts(&client, &args.release, (phase, activity), args.attempt).await? {
            let place = ["releases", &args.release, "activities", phase, activity];
            let log = [&place[..], &["attempts", &attempt, "logs"]].concat();
            let answer = client.json(Call::get(&log)).await?;
            if context.out.is_json() {
                all.push(json!({ "activity": path, "attempt": attempt, "log": answer }));
            } else {
                show(context, &path, &attempt, &answer)?;
            }
        }
    }
    if context.out.is_json() {
        context.out.json(&Value::Array(all))?;
    }
    Ok(())
}

/// The activities that have run at all.
async fn with_attempts(client: &Client, release: &str) -> Result<Vec<String>, Error> {
    let body = client.json(Call::get(&["releases", release])).await?;
    let release = Release::parse(&body).unwrap_or_default();
    let ran = release
        .activities()
        .filter(|activity| activity.kind != "manual" && activity.state != "waiting")
        .map(|activity| activity.path.clone());
    Ok(ran.collect())
}

/// The numbers of the attempts to show.
async fn attempts(
    client: &Client,
    release: &str,
    (phase, activity): (&str, &str),
    only: Option<u32>,
) -> Result<Vec<String>, Error> {
    if let Some(only) = only {
        return Ok(vec![only.to_string()]);
    }
    let path = [
        "releases",
        release,
        "activities",
        phase,
        activity,
        "attempts",
    ];
    let answer = client.json(Call::get(&path)).await?;
    Ok(items(&answer)
        .map(|attempt| cell(attempt.get("number")))
        .collect())
}

fn show(context: &mut Context, path: &str, attempt: &str, answer: &Value) -> Result<(), Error> {
    let paint = context.out.paint();
    let head = format!("{path}, attempt {attempt}");
    context.out.line(&paint.tone(Tone::Strong, &head))?;
    let mut any = false;
    for line in items(answer) {
        any = true;
        context.out.line(&format!("  {}", log_line(line, paint)))?;
    }
    if any {
        Ok(())
    } else {
        context.out.line("  (nothing logged)")
    }
}

/// One line of a log: time, level, text.
fn log_line(line: &Value, paint: Paint) -> String {
    let Value::Object(_) = line else {
        return cell(Some(line));
    };
    let at = cell(line.get("at"));
    // The day is in the head of the release; here the time of day is what matters.
    let clock = at
        .split_once('T')
        .map_or(at.as_str(), |(_, clock)| clock)
        .trim_end_matches('Z');
    let level = cell(line.get("level"));
    let tone = match level.as_str() {
        "error" => Tone::Bad,
        "warn" => Tone::Ask,
        "debug" | "trace" => Tone::Faint,
        _ => Tone::Plain,
    };
    let message = text::tidy(
        line.get("message")
            .and_then(Value::as_str)
            .unwrap_or_default(),
    );
    format!(
        "{}  {}  {message}",
        paint.tone(Tone::Faint, clock),
        paint.tone(tone, &format!("{level:<5}"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_cannot_draw_on_the_terminal() {
        let line =
            json!({"at": "2026-01-31T09:00:01.250Z", "level": "warn", "message": "a\u{1b}[2Jb"});
        assert_eq!(log_line(&line, Paint(false)), "09:00:01.250  warn   a [2Jb");
        assert_eq!(log_line(&json!("bare"), Paint(false)), "bare");
    }
}
