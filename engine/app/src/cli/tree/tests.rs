//! Releases and the trees they are drawn as.

use serde_json::{Value, json};

use super::*;

/// The drawing of a release with one phase, without its first line.
fn drawn(phase: &Value, now_seconds: i64) -> String {
    let release = release(&json!([phase]));
    let look = Look {
        width: 100,
        paint: Paint(false),
        now: Timestamp(now_seconds * 1000),
        compact: false,
    };
    let text = render(&release, &look);
    text.split_once('\n').expect("a first line").1.to_owned()
}

fn release(phases: &Value) -> Release {
    Release::parse(&json!({
        "id": "rel-1", "title": "May", "state": "running",
        "process": {"name": "bank", "version": 3, "digest": "sha256:00"},
        "started_at": "1970-01-01T00:00:00Z", "phases": phases,
    }))
    .expect("a release")
}

fn time(seconds: i64) -> String {
    Timestamp(seconds * 1000).to_string()
}

fn staging(activities: &Value) -> Value {
    json!({ "name": "staging", "state": "open", "activities": activities })
}

#[test]
fn the_head_names_the_release() {
    let look = Look {
        width: 100,
        paint: Paint(false),
        now: Timestamp(65_000),
        compact: false,
    };
    let text = render(&release(&json!([])), &look);
    assert_eq!(text, "bank@3  “May”  rel-1  running  1m 05s\n");
}

#[test]
fn what_goes_well_shows_how_long_and_how_far() {
    let phase = staging(&json!([
        {"name": "payment", "path": "staging/payment", "state": "succeeded", "started_at": time(0), "ended_at": time(12)},
        {"name": "account", "path": "staging/account", "state": "running", "since": time(20), "attempt": 2,
         "progress": {"percent": 45, "message": "rolling out"}},
        {"name": "audit", "path": "staging/audit", "state": "suspended", "since": time(20), "status": "platform deploys",
         "resume_at": time(35)},
        {"name": "gateway", "path": "staging/gateway", "state": "waiting",
         "needs": ["staging/payment", "staging/account"]},
    ]));
    let expected = "  ● staging    open                   1 of 4 done
    ✓ payment  succeeded       12.0s
    ● account  running         10.0s  attempt 2  ████░░░░░░ 45%  rolling out
    ◌ audit    suspended       10.0s  platform deploys; asks again in 5s
    · gateway  waiting                after account
";
    assert_eq!(drawn(&phase, 30), expected);
}

#[test]
fn people_are_told_what_waits_on_them() {
    let phase = staging(&json!([
        {"name": "sign-off", "path": "staging/sign-off", "state": "needs-people", "since": time(0),
         "instructions": "Check the journey.\nThen decide.", "form": {"type": "object"},
         "approvals": [{"by": "user:ana", "comment": "fine"}], "expires_at": time(7230),
         "rules": [{"from": ["group:qa"], "count": 1, "met": 1}, {"from": ["group:security"], "count": 2, "met": 1}]},
    ]));
    let expected = "  ● staging     open
    ? sign-off  needs-people    30.0s  waits for group:security (1 more); expires in 2h 00m
        Check the journey.
        Then decide.
        user:ana approved: fine
        approve with:
        fermata release approve rel-1 staging/sign-off --form KEY=VALUE
";
    assert_eq!(drawn(&phase, 30), expected);
}

#[test]
fn what_is_on_hold_says_why_and_how_to_go_on() {
    let phase = staging(&json!([
        {"name": "payment", "path": "staging/payment", "state": "on-hold", "since": time(0), "attempt": 3,
         "failure": {"class": {"limit": "memory"}, "message": "more than 64 MiB", "remedy": "raise the limit",
                     "last_call": "PUT http://x 503 in 12 ms", "last_log": ["1", "2", "3", "4", "5", "6\u{1b}[2J"],
                     "backtrace": ["deploy::run"], "code": "too-big", "details": {"a": 1}}},
    ]));
    let expected = "  ● staging    open
    ! payment  on-hold         30.0s  limit memory: more than 64 MiB
        code: too-big
        last call: PUT http://x 503 in 12 ms
        at deploy::run
        log: 2
        log: 3
        log: 4
        log: 5
        log: 6 [2J
        remedy: raise the limit
        go on with this, or with skip, fail or supply in place of retry:
        fermata release retry rel-1 staging/payment
";
    assert_eq!(drawn(&phase, 30), expected);
}

#[test]
fn a_wave_is_one_line_and_its_instances_follow() {
    let text = "3 of 400 done, batch 2 of 3, bakes until 1970-01-01T00:10:00Z";
    let wave = json!({ "text": text, "state": "baking", "left_out": 396 });
    let release = release(&json!([
        { "name": "shops", "state": "open", "activities": [], "wave": wave },
        { "name": "shops[north]", "state": "succeeded", "activities": [
            { "name": "open", "path": "shops[north]/open", "state": "succeeded" },
        ] },
    ]));
    let look = Look {
        width: 120,
        paint: Paint(false),
        now: Timestamp(0),
        compact: false,
    };
    let drawn = render(&release, &look);
    let lines: Vec<&str> = drawn.lines().skip(1).map(str::trim).collect();
    assert!(lines[0].starts_with("● shops "), "{drawn}");
    assert!(
        lines[0].ends_with(&format!("{text}; 396 not shown")),
        "{drawn}"
    );
    assert!(lines[1].starts_with("✓ shops[north]"), "{drawn}");
}

#[test]
fn every_state_has_its_note() {
    for (activity, expected) in [
        (
            json!({"state": "retrying", "attempt": 1, "retry_at": time(34), "since": time(30),
                   "failure": {"class": "retryable", "message": "busy"}}),
            "↻ a     retrying          0ms  attempt 1 failed: retryable: busy; next attempt in 4s",
        ),
        (
            json!({"state": "skipped", "why": "condition"}),
            "– a     skipped                its condition does not hold",
        ),
        (
            json!({"state": "rejected", "by": "user:ana", "reason": "not now"}),
            "✗ a     rejected               by user:ana: not now",
        ),
        (
            json!({"state": "needs-people"}),
            "? a     needs-people           waits for anybody to complete it",
        ),
        (
            json!({"state": "running", "progress": {"percent": 7}}),
            "● a     running                ░░░░░░░░░░ 7%",
        ),
        (json!({"state": "something-new"}), "· a     something-n…"),
    ] {
        let mut activity = activity;
        activity["name"] = json!("a");
        activity["path"] = json!("p/a");
        let phase = json!({"name": "phase", "state": "open", "activities": [activity]});
        let text = drawn(&phase, 30);
        let line = text.lines().nth(1).expect("an activity");
        assert_eq!(
            line.trim_start(),
            expected.replacen("a     ", "a    ", 1),
            "{text}"
        );
    }
}

#[test]
fn no_line_but_a_command_is_wider_than_the_terminal() {
    let phases = json!([staging(&json!([
        {"name": "a-name-that-is-longer-than-any-column-could-be", "path": "staging/x", "state": "on-hold",
         "failure": {"class": "permanent", "message": "m".repeat(300), "remedy": "r".repeat(300)}},
    ]))]);
    for width in [1, 10, 40, 80] {
        for paint in [Paint(false), Paint(true)] {
            let look = Look {
                width,
                paint,
                now: Timestamp(0),
                compact: false,
            };
            for line in render(&release(&phases), &look).lines() {
                let fits = text::shown_width(line) <= width;
                assert!(fits || line.contains("fermata release"), "{width}: {line}");
            }
        }
    }
}

#[test]
fn a_compact_tree_folds_what_does_not_move() {
    let phases = json!([
        {"name": "done", "state": "succeeded", "activities": [{"name": "a", "path": "done/a", "state": "succeeded"}]},
        {"name": "now", "state": "open", "activities": [{"name": "b", "path": "now/b", "state": "running"}]},
        {"name": "later", "state": "waiting", "needs": ["now"], "activities": [{"name": "c", "path": "later/c", "state": "waiting"}]},
    ]);
    let look = Look {
        width: 80,
        paint: Paint(false),
        now: Timestamp(0),
        compact: true,
    };
    let text = render(&release(&phases), &look);
    let expected = "  ✓ done   succeeded              1 of 1 done
  ● now    open
    ● b    running
  · later  waiting                after now
";
    assert_eq!(text.split_once('\n').expect("a first line").1, expected);
}
