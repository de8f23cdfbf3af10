//! What changed between two looks at a release, one line each: for logs and pipes.

use std::collections::BTreeMap;

use super::{Look, detail, elapsed, note};
use crate::cli::text::{self, Tone};
use crate::client::view::{Activity, Release};

/// Lines for what is different in `after`; everything that is not `waiting` if there is no before.
pub(in crate::cli) fn changes(
    before: Option<&Release>,
    after: &Release,
    look: &Look,
) -> Vec<String> {
    let mut lines = Vec::new();
    if before.is_none() {
        let process = format!("{}@{}", after.process.name, after.process.version);
        lines.push(format!("{process} {} {}", after.id, after.state));
    }
    let old: BTreeMap<&str, &Activity> = before
        .into_iter()
        .flat_map(Release::activities)
        .map(|activity| (activity.path.as_str(), activity))
        .collect();
    for phase in &after.phases {
        for activity in &phase.activities {
            let changed = match old.get(activity.path.as_str()) {
                Some(old) => differs(old, activity),
                None => activity.state != "waiting",
            };
            if changed {
                let note = note::note(after, phase, activity, look.now);
                activity_lines(&mut lines, after, activity, (&note, look));
            }
        }
    }
    if before.is_some_and(|before| before.state != after.state) {
        lines.push(ended(after, look));
    }
    lines
}

/// Whether a person would want to hear of it. Progress is left out: it would flood a log.
fn differs(old: &Activity, new: &Activity) -> bool {
    let missing = |activity: &Activity| -> u64 {
        activity
            .rules
            .iter()
            .map(crate::client::view::Rule::missing)
            .sum()
    };
    (&old.state, old.attempt, &old.status) != (&new.state, new.attempt, &new.status)
        || missing(old) != missing(new)
        || old.approvals.len() != new.approvals.len()
}

fn activity_lines(
    lines: &mut Vec<String>,
    release: &Release,
    activity: &Activity,
    (note, look): (&str, &Look),
) {
    let state = look
        .paint
        .tone(text::tone_of(&activity.state), &activity.state);
    let gap = if note.is_empty() { "" } else { "  " };
    lines.push(format!(
        "{}  {state}{gap}{}",
        activity.path,
        text::tidy(note)
    ));
    for (tone, line) in detail::lines(release, activity) {
        lines.push(look.paint.tone(tone, &format!("    {}", text::tidy(&line))));
    }
}

fn ended(release: &Release, look: &Look) -> String {
    let state = look
        .paint
        .tone(text::tone_of(&release.state), &release.state);
    let after = match elapsed(release, look.now) {
        Some(span) if release.has_ended() => format!(" after {}", text::span(span)),
        _ => String::new(),
    };
    let reason = match release.reason.as_deref() {
        Some(reason) if !reason.is_empty() => format!(": {}", text::tidy(reason)),
        _ => String::new(),
    };
    let id = look.paint.tone(Tone::Strong, &release.id);
    format!("{id} {state}{after}{reason}")
}

#[cfg(test)]
mod tests {
    use fermata_core::time::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::text::Paint;

    fn look() -> Look {
        Look {
            width: 80,
            paint: Paint(false),
            now: Timestamp(60_000),
            compact: false,
        }
    }

    fn release(state: &str, payment: Value, gateway: Value) -> Release {
        let mut activities = [payment, gateway];
        for (activity, name) in activities.iter_mut().zip(["payment", "gateway"]) {
            activity["path"] = json!(format!("staging/{name}"));
            activity["name"] = json!(name);
        }
        Release::parse(&json!({
            "id": "rel-1", "state": state, "process": {"name": "bank", "version": 2},
            "started_at": "1970-01-01T00:00:00Z",
            "ended_at": (state == "failed").then_some("1970-01-01T00:00:30Z"),
            "phases": [{"name": "staging", "state": "open", "activities": activities}],
        }))
        .expect("a release")
    }

    #[test]
    fn the_first_look_says_where_things_are() {
        let view = release(
            "running",
            json!({"state": "running"}),
            json!({"state": "waiting"}),
        );
        let lines = changes(None, &view, &look());
        assert_eq!(lines, ["bank@2 rel-1 running", "staging/payment  running"]);
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = release(
            "running",
            json!({"state": "running"}),
            json!({"state": "waiting"}),
        );
        let same = release(
            "running",
            json!({"state": "running", "progress": {"percent": 50, "message": "half"}}),
            json!({"state": "waiting"}),
        );
        assert_eq!(changes(Some(&before), &same, &look()), Vec::<String>::new());

        let after = release(
            "failed",
            json!({"state": "failed", "failure": {"class": "permanent", "message": "no\nway", "last_log": ["tried"]}}),
            json!({"state": "skipped", "why": "upstream"}),
        );
        assert_eq!(
            changes(Some(&before), &after, &look()),
            [
                "staging/payment  failed  permanent: no way",
                "    log: tried",
                "staging/gateway  skipped  what it needs did not succeed",
                "rel-1 failed after 30.0s",
            ]
        );
    }

    #[test]
    fn an_approval_is_a_change() {
        let asked = |met: u64| json!({"state": "needs-people", "rules": [{"from": ["group:qa"], "count": 2, "met": met}]});
        let before = release("running", asked(0), json!({"state": "waiting"}));
        let after = release("running", asked(1), json!({"state": "waiting"}));
        let lines = changes(Some(&before), &after, &look());
        assert_eq!(
            lines[0],
            "staging/payment  needs-people  waits for group:qa (1 more)"
        );
    }
}
