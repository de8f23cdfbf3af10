//! `fermata process diff`: what differs between two versions of a process.

use std::fmt::Write as _;

use serde_json::Value;

use super::error::Error;
use super::text::{Tone, cell};
use super::{Context, list};
use crate::client::Call;

/// Longest value that is shown on a line, in characters.
const VALUE_CHARS_MAX: usize = 60;

/// Runs the command.
pub(super) async fn run(
    context: &mut Context,
    process: &str,
    (from, to): (u32, u32),
) -> Result<(), Error> {
    let client = context.client()?;
    let call = Call::get(&["processes", process, "diff"])
        .query("from", Some(from))
        .query("to", Some(to));
    let answer = client.json(call).await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let mut none = true;
    for change in list(&answer, "changes") {
        none = false;
        let (tone, line) = line(change);
        let line = context.out.paint().tone(tone, &line);
        context.out.line(&line)?;
    }
    if none {
        context
            .out
            .remark("no difference but notation and comments")?;
    }
    Ok(())
}

/// One difference on one line.
fn line(change: &Value) -> (Tone, String) {
    let (tone, sign) = match cell(change.get("kind")).as_str() {
        "added" => (Tone::Good, '+'),
        "removed" => (Tone::Bad, '-'),
        _ => (Tone::Plain, '~'),
    };
    let path = change
        .get("path")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut line = format!("{sign} {} {path}", cell(change.get("part")));
    if let Some(key) = change.get("key") {
        line = format!("{}: {}", line.trim_end(), cell(Some(key)));
        let shown = |side: &str| change.get(side).map(|value| short(&value.to_string()));
        match (shown("before"), shown("after")) {
            (Some(before), Some(after)) => write!(line, " {before} -> {after}"),
            (Some(value), None) | (None, Some(value)) => write!(line, " {value}"),
            (None, None) => Ok(()),
        }
        .expect("strings take all text");
    }
    (tone, line)
}

fn short(text: &str) -> String {
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(VALUE_CHARS_MAX - 1).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_one_line() {
        for (change, expected) in [
            (
                json!({"kind": "added", "part": "phase", "path": "uat", "after": {}}),
                "+ phase uat",
            ),
            (
                json!({"kind": "changed", "part": "activity", "path": "a/b", "key": "timeout", "before": "5m", "after": "9m"}),
                "~ activity a/b: timeout \"5m\" -> \"9m\"",
            ),
            (
                json!({"kind": "removed", "part": "process", "path": "", "key": "title", "before": "One"}),
                "- process: title \"One\"",
            ),
        ] {
            assert_eq!(line(&change).1, expected);
        }
    }
}
