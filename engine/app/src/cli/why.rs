//! `fermata release why`: what does not move, since when, and who or what can move it.

use std::fmt::Write as _;

use fermata_core::time::Timestamp;
use serde_json::Value;

use super::error::Error;
use super::text::{self, Paint, Tone, ago, cell, distance};
use super::{Context, items};
use crate::client::Call;
use crate::wire;

/// Runs the command.
pub(super) async fn run(context: &mut Context, release: &str) -> Result<(), Error> {
    let client = context.client()?;
    let answer = client
        .json(Call::get(&["releases", release, "why"]))
        .await?;
    if context.out.is_json() {
        return context.out.json(&answer);
    }
    let (paint, now) = (context.out.paint(), wire::now());
    let mut any = false;
    for item in items(&answer) {
        any = true;
        context.out.raw(&entry(release, item, paint, now))?;
    }
    if any {
        Ok(())
    } else {
        context
            .out
            .line("nothing waits: everything goes on by itself, or has ended")
    }
}

/// One thing that does not move, as lines.
fn entry(release: &str, item: &Value, paint: Paint, now: Timestamp) -> String {
    let path = cell(item.get("path"));
    let state = cell(item.get("state"));
    let mut lines = format!(
        "{}  {}  since {}\n",
        paint.tone(Tone::Strong, &path),
        paint.tone(text::tone_of(&state), &state),
        ago(item.get("since"), now)
    );
    let on = item.get("on").unwrap_or(&Value::Null);
    lines.push_str(&text::indent(&waits_on(on, now), "  "));
    let actions = item.get("actions").and_then(Value::as_array);
    for action in actions.into_iter().flatten().filter_map(Value::as_str) {
        let command = command(release, &path, action);
        writeln!(lines, "  {}", paint.tone(Tone::Live, &command)).expect("strings take all text");
    }
    lines
}

/// What it waits on, as lines.
fn waits_on(about: &Value, now: Timestamp) -> String {
    let kind = about
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match kind {
        "start" => "waits for somebody to start it".into(),
        "resume" => {
            let by = cell(about.get("by"));
            let reason = about.get("reason").filter(|reason| !reason.is_null());
            let because = reason.map(|reason| format!(": {}", cell(Some(reason))));
            format!("paused by {by}{}", because.unwrap_or_default())
        }
        "time" => time(about, now),
        "people" => people(about, now),
        "signal" => signal(about, now),
        "locks" => locks(about),
        "release" => {
            let (release, reaches) = (cell(about.get("release")), cell(about.get("reaches")));
            format!(
                "waits for {release} to reach {reaches}{}",
                given_up(about, now)
            )
        }
        "decision" => {
            let owners = cell(about.get("owners"));
            let mut lines = failure(about.get("failure"));
            if owners != "-" {
                write!(lines, "\nowned by {owners}").expect("strings take all text");
            }
            lines
        }
        "batch" => {
            let (batch, of) = (cell(about.get("batch")), cell(about.get("batches")));
            let before = cell(about.get("status"));
            format!("waits for batch {batch} of {of}: {}", text::tidy(&before))
        }
        "needs" => {
            let needs = about.get("needs");
            format!("comes after {}", cell(needs))
        }
        "policies" => format!("waits for the policy {}", cell(about.get("policies"))),
        "undos" => format!("undone after {}", cell(about.get("needs"))),
        "root-cause" => {
            let owners = about.get("owners").filter(|owners| !owners.is_null());
            let who = owners.map_or_else(|| "somebody".to_owned(), |owners| cell(Some(owners)));
            format!("waits for {who} to say why the release had to go back")
        }
        _ => cell(Some(about)),
    }
}

fn time(about: &Value, now: Timestamp) -> String {
    let mut lines = format!("goes on by itself {}", moment(about.get("until"), now));
    if let Some(status) = about.get("status").and_then(Value::as_str) {
        write!(lines, "\nit says: {}", text::tidy(status)).expect("strings take all text");
    }
    if about
        .get("failure")
        .is_some_and(|failure| !failure.is_null())
    {
        lines.push('\n');
        lines.push_str(&failure(about.get("failure")));
    }
    lines
}

/// Where the signal goes, and what is to be sent.
fn signal(about: &Value, now: Timestamp) -> String {
    let name = cell(about.get("signal"));
    let mut lines = format!("waits for the signal {name}{}", given_up(about, now));
    write!(lines, "\nPOST {}", cell(about.get("url"))).expect("strings take all text");
    if let Some(secret) = about.get("secret").and_then(Value::as_str) {
        write!(lines, "\nFermata-Signal-Secret: {secret}").expect("strings take all text");
    }
    lines
}

/// The locks, each with who holds it.
fn locks(about: &Value) -> String {
    let lines = super::list(about, "locks").map(|lock| {
        let holders = super::list(lock, "holders");
        let holders = holders
            .map(|held| format!("{} ({})", cell(held.get("release")), cell(held.get("path"))));
        let holders: Vec<String> = holders.collect();
        let name = cell(lock.get("name"));
        if holders.is_empty() {
            format!("waits for the lock {name}")
        } else {
            format!("waits for the lock {name}, held by {}", holders.join(", "))
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn given_up(about: &Value, now: Timestamp) -> String {
    match about.get("until") {
        Some(until) if until.is_string() => format!("; gives up {}", moment(Some(until), now)),
        _ => String::new(),
    }
}

fn moment(value: Option<&Value>, now: Timestamp) -> String {
    let at: Option<Timestamp> = value
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok());
    at.map_or_else(|| "later".into(), |at| distance(at, now))
}

fn people(about: &Value, now: Timestamp) -> String {
    let rules = about.get("rules").and_then(Value::as_array);
    let open: Vec<String> = rules
        .into_iter()
        .flatten()
        .map(|rule| {
            let more = cell(rule.get("more"));
            let missing = rule.get("missing").map(|missing| cell(Some(missing)));
            let missing = missing.map(|missing| format!(" of {missing}"));
            let then = match rule.get("later") {
                Some(Value::Bool(true)) => "then ",
                _ => "",
            };
            let from = cell(rule.get("from"));
            format!("{then}{from} ({more} more{})", missing.unwrap_or_default())
        })
        .collect();
    let mut line = if open.is_empty() {
        "waits for anybody to complete it".to_owned()
    } else {
        format!("waits for {}", open.join(", "))
    };
    if about.get("form") == Some(&Value::Bool(true)) {
        line.push_str("; the form is still to be filled in");
    }
    if about.get("exclude").is_some_and(Value::is_array) {
        write!(line, "; excluded: {}", cell(about.get("exclude"))).expect("strings take all text");
    }
    if about.get("further").is_some_and(Value::is_array) {
        let further = cell(about.get("further"));
        let when = match about.get("escalates_at") {
            Some(Value::String(_)) => format!(" {}", moment(about.get("escalates_at"), now)),
            _ => String::new(),
        };
        write!(line, "; also by {further}{when}").expect("strings take all text");
    }
    if about.get("expires_at").is_some_and(Value::is_string) {
        write!(line, "; expires {}", moment(about.get("expires_at"), now))
            .expect("strings take all text");
    }
    line
}

fn failure(failure: Option<&Value>) -> String {
    let Some(failure) = failure else {
        return "failed".into();
    };
    let parsed: crate::client::view::Failure =
        serde_json::from_value(failure.clone()).unwrap_or_default();
    let mut lines = format!("{}: {}", parsed.class(), text::tidy(&parsed.message));
    if let Some(call) = parsed.last_call {
        write!(lines, "\nlast call: {}", text::tidy(&call)).expect("strings take all text");
    }
    if let Some(remedy) = parsed.remedy {
        write!(lines, "\nremedy: {}", text::tidy(&remedy)).expect("strings take all text");
    }
    lines
}

/// The command for an action.
fn command(release: &str, path: &str, action: &str) -> String {
    let (verb, rest) = match action {
        "supply-outputs" => ("supply", " --outputs KEY=VALUE"),
        "reject" => ("reject", " --comment WHY"),
        "close-root-cause" => ("root-cause", " --comment WHY"),
        "withdraw-question" => ("withdraw", " --question --reason WHY"),
        "skip" | "fail" | "abort" | "mark-undone" | "accept-not-undone" | "halt-wave"
        | "end-wave" | "rollback-wave" => (action, " --reason WHY"),
        _ => (action, ""),
    };
    match action {
        "start" | "pause" | "resume" | "abort" | "close-root-cause" => {
            format!("fermata release {verb} {release}{rest}")
        }
        _ => format!("fermata release {verb} {release} {path}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_waits_says_on_what() {
        let now = Timestamp(0);
        for (on, expected) in [
            (json!({"kind": "start"}), "waits for somebody to start it"),
            (
                json!({"kind": "resume", "by": "user:ana", "reason": "lunch"}),
                "paused by user:ana: lunch",
            ),
            (
                json!({"kind": "time", "until": "1970-01-01T00:00:30Z", "status": "deploying"}),
                "goes on by itself in 30s\nit says: deploying",
            ),
            (
                json!({"kind": "people", "rules": [{"from": ["group:qa"], "more": 2}], "form": true,
                       "exclude": ["initiator"], "expires_at": "1970-01-01T00:05:00Z"}),
                "waits for group:qa (2 more); the form is still to be filled in; excluded: initiator; expires in 5m 00s",
            ),
            (
                json!({"kind": "people", "further": ["group:ops"], "escalates_at": "1970-01-01T00:05:00Z",
                       "rules": [{"from": ["group:qa", "user:ana"], "more": 1, "missing": ["user:ben"], "later": true}]}),
                "waits for then group:qa, user:ana (1 more of user:ben); also by group:ops in 5m 00s",
            ),
            (
                json!({"kind": "people", "rules": []}),
                "waits for anybody to complete it",
            ),
            (
                json!({"kind": "decision", "owners": ["group:ops"],
                       "failure": {"class": "permanent", "message": "no", "remedy": "fix it"}}),
                "permanent: no\nremedy: fix it\nowned by group:ops",
            ),
            (
                json!({"kind": "signal", "signal": "go", "url": "/api/v1/signals/rel-1/a/b",
                       "secret": "5ec", "until": "1970-01-01T00:05:00Z"}),
                "waits for the signal go; gives up in 5m 00s\nPOST /api/v1/signals/rel-1/a/b\nFermata-Signal-Secret: 5ec",
            ),
            (
                json!({"kind": "locks", "locks": [{"name": "env/live", "holders":
                       [{"release": "rel-2", "path": "production"}]}]}),
                "waits for the lock env/live, held by rel-2 (production)",
            ),
            (
                json!({"kind": "release", "release": "rel-2", "reaches": "production"}),
                "waits for rel-2 to reach production",
            ),
            (
                json!({"kind": "needs", "needs": ["a/b", "c"]}),
                "comes after a/b, c",
            ),
            (
                json!({"kind": "undos", "needs": ["a/b", "a/c"]}),
                "undone after a/b, a/c",
            ),
            (
                json!({"kind": "root-cause", "owners": ["group:ops"]}),
                "waits for group:ops to say why the release had to go back",
            ),
        ] {
            assert_eq!(waits_on(&on, now), expected);
        }
    }

    #[test]
    fn actions_become_commands() {
        let item = json!({"path": "a/b", "state": "on-hold", "since": "1970-01-01T00:00:00Z",
            "on": {"kind": "needs", "needs": []}, "actions": ["retry", "supply-outputs", "abort"]});
        let expected = "a/b  on-hold  since 5s ago
  comes after -
  fermata release retry rel-1 a/b
  fermata release supply rel-1 a/b --outputs KEY=VALUE
  fermata release abort rel-1 --reason WHY
";
        assert_eq!(
            entry("rel-1", &item, Paint(false), Timestamp(5_000)),
            expected
        );
    }
}
