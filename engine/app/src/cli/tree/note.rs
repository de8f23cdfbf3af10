//! What there is to say about one activity on its own line.

use fermata_core::time::Timestamp;
use serde_json::Value;

use crate::cli::text::{self, distance};
use crate::client::view::{Activity, Phase, Release};

/// The note for an activity.
pub(in crate::cli) fn note(
    release: &Release,
    phase: &Phase,
    activity: &Activity,
    now: Timestamp,
) -> String {
    match activity.state.as_str() {
        "waiting" => waiting(release, phase, activity),
        "running" | "undoing" => running(activity),
        "suspended" => {
            let status = activity.status.clone().unwrap_or_else(|| "waits".into());
            timed(status, "asks again", activity.resume_at, now)
        }
        "retrying" => {
            let failed = format!("{} failed: {}", attempt(activity), failure(activity));
            timed(failed, "next attempt", activity.retry_at, now)
        }
        "needs-people" => timed(
            format!("waits for {}", people(activity)),
            "expires",
            activity.expires_at,
            now,
        ),
        "ready" if release.state == "paused" => "the release is paused".into(),
        "on-hold" | "failed" => failure(activity),
        "skipped" | "rejected" | "aborted" | "expired" | "blocked" => reason(activity),
        "succeeded" if activity.attempt.unwrap_or(1) > 1 => attempt(activity),
        _ => String::new(),
    }
}

fn attempt(activity: &Activity) -> String {
    format!("attempt {}", activity.attempt.unwrap_or(1))
}

fn timed(mut note: String, what: &str, at: Option<Timestamp>, now: Timestamp) -> String {
    if let Some(at) = at {
        note.push_str(&format!("; {what} {}", distance(at, now)));
    }
    note
}

/// What an activity comes after, as far as that has not ended.
fn waiting(release: &Release, phase: &Phase, activity: &Activity) -> String {
    let open = |path: &&String| {
        let known = release.activities().find(|other| other.path == **path);
        known.is_none_or(|other| !other.has_ended())
    };
    let within = format!("{}/", phase.name);
    let needs: Vec<&str> = activity
        .needs
        .iter()
        .filter(open)
        .map(|path| path.strip_prefix(&within).unwrap_or(path))
        .collect();
    if needs.is_empty() {
        String::new()
    } else {
        format!("after {}", needs.join(", "))
    }
}

fn running(activity: &Activity) -> String {
    let mut parts = Vec::new();
    if activity.attempt.unwrap_or(1) > 1 {
        parts.push(attempt(activity));
    }
    let progress = activity.progress.as_ref();
    let percent = match progress {
        Some(Value::Object(fields)) => fields.get("percent"),
        other => other.filter(|value| value.is_number()),
    };
    if let Some(percent) = percent.and_then(Value::as_u64) {
        parts.push(format!("{} {percent}%", bar(percent)));
    }
    let message = match progress {
        Some(Value::Object(fields)) => fields.get("message"),
        other => other.filter(|value| value.is_string()),
    };
    let said = message
        .and_then(Value::as_str)
        .or(activity.status.as_deref());
    parts.extend(said.map(text::tidy).filter(|said| !said.is_empty()));
    parts.join("  ")
}

/// Ten characters that fill up.
fn bar(percent: u64) -> String {
    let full = usize::try_from(percent.min(100) / 10).unwrap_or(10);
    format!("{}{}", "█".repeat(full), "░".repeat(10 - full))
}

/// Who is asked: the rules that are not met, and how many are missing.
fn people(activity: &Activity) -> String {
    let open: Vec<String> = activity
        .rules
        .iter()
        .filter(|rule| rule.missing() > 0)
        .map(|rule| format!("{} ({} more)", rule.from, rule.missing()))
        .collect();
    if !open.is_empty() {
        open.join(", ")
    } else if activity.rules.is_empty() {
        "anybody to complete it".into()
    } else {
        "the form to be filled in".into()
    }
}

fn failure(activity: &Activity) -> String {
    match &activity.failure {
        Some(failure) => format!("{}: {}", failure.class(), text::tidy(&failure.message)),
        None => reason(activity),
    }
}

fn reason(activity: &Activity) -> String {
    activity
        .reason
        .clone()
        .or_else(|| activity.why.as_ref().map(|why| text::cell(Some(why))))
        .or_else(|| activity.status.clone())
        .unwrap_or_default()
}
