//! What there is to say about one activity on its own line.

use std::fmt::Write as _;

use fermata_core::time::Timestamp;

use crate::cli::text::{self, distance};
use crate::client::view::{Activity, Phase, Release, Wave};

/// The note for an activity.
pub(in crate::cli) fn note(
    release: &Release,
    phase: &Phase,
    activity: &Activity,
    now: Timestamp,
) -> String {
    match activity.state.as_str() {
        "waiting" => waiting(release, phase, activity),
        "running" if activity.wave.is_some() => {
            activity.wave.as_ref().map(Wave::note).unwrap_or_default()
        }
        "running" if activity.child.is_some() => activity.child.clone().unwrap_or_default(),
        "running" | "undoing" => running(activity),
        "failed" | "on-hold" | "succeeded" if !activity.children.is_empty() => {
            let children = activity.children.join(", ");
            match failure(activity) {
                failed if failed.is_empty() => children,
                failed => format!("{failed} ({children})"),
            }
        }
        "suspended" if activity.kind == "wait" => {
            let other = activity.awaits.as_ref();
            let note = other.map_or_else(String::new, |other| format!("waits for {other}"));
            timed(note, "until", activity.until, now)
                .trim_start_matches("; ")
                .to_owned()
        }
        "suspended" => {
            let signal = activity.signal.as_ref();
            let waits = signal.map_or("waits".to_owned(), |name| {
                format!("waits for the signal {name}")
            });
            let status = activity.status.clone().unwrap_or(waits);
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
        "undo-failed" if activity.by.is_none() => failure(activity),
        "undo-failed" => format!("accepted {}", reason(activity)),
        "undone" if activity.by.is_some() => reason(activity),
        "on-hold" | "failed" => failure(activity),
        "skipped" | "rejected" | "withdrawn" | "aborted" | "expired" | "blocked" => {
            reason(activity)
        }
        "succeeded" if activity.attempt.unwrap_or(1) > 1 => attempt(activity),
        _ => String::new(),
    }
}

fn attempt(activity: &Activity) -> String {
    format!("attempt {}", activity.attempt.unwrap_or(1))
}

fn timed(mut note: String, what: &str, at: Option<Timestamp>, now: Timestamp) -> String {
    if let Some(at) = at {
        write!(note, "; {what} {}", distance(at, now)).expect("strings take all text");
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
    let short = |path: &str| path.strip_prefix(&within).unwrap_or(path).to_owned();
    let joined = |path: &&String| activity.joins.iter().any(|join| join.of.contains(path));
    let alone = activity.needs.iter().filter(|path| !joined(path));
    let alone = alone.filter(open).map(|path| short(path));
    let joins = activity.joins.iter().map(|join| join.text(short));
    let needs: Vec<String> = alone.chain(joins).collect();
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
    if let Some(progress) = &activity.progress {
        let percent = progress
            .percent
            .map(|percent| format!("{} {percent}%", bar(percent)));
        parts.extend(percent);
        let said = text::tidy(&progress.message);
        parts.extend(Some(said).filter(|said| !said.is_empty()));
    }
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
        .map(|rule| format!("{} ({} more)", rule.from.join(" or "), rule.missing()))
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

/// Who or what ended it, as far as that is recorded.
fn reason(activity: &Activity) -> String {
    let why = match (activity.why.as_deref(), &activity.by) {
        (Some("condition"), _) => Some("its condition does not hold".into()),
        (Some("upstream"), _) => Some("what it needs did not succeed".into()),
        (Some("person"), _) => Some("by a person".into()),
        (Some(other), _) => Some(other.to_owned()),
        (None, Some(by)) => Some(format!("by {by}")),
        (None, None) => None,
    };
    let parts: Vec<String> = why.into_iter().chain(activity.reason.clone()).collect();
    parts.join(": ")
}
