//! What can be wrong with a manual activity.

use super::{activity, expect};

#[test]
fn what_people_are_asked_is_checked() {
    for (fields, code) in [
        ("manual: { instructions: x }, §timeout: 5m", "misplaced-key"),
        ("manual: §{}", "missing-key"),
        ("manual: §x", "wrong-type"),
        ("manual: { instructions: §[x] }", "wrong-type"),
        (
            "manual: { instructions: '${{ §version }}' }",
            "unknown-name",
        ),
        (
            "manual: { instructions: x, form: { type: §array } }",
            "bad-schema",
        ),
        (
            "manual: { instructions: x, form: §{ properties: {} } }",
            "bad-schema",
        ),
        ("manual: { instructions: x, form: §text }", "wrong-type"),
    ] {
        expect(&activity(fields), &[code]);
    }
}

#[test]
fn rules_and_exclusions_are_checked() {
    for (fields, code) in [
        (
            "manual: { instructions: x, approvals: [{ from: §qa }] }",
            "bad-value",
        ),
        (
            "manual: { instructions: x, approvals: [§{ count: 1 }] }",
            "missing-key",
        ),
        (
            "manual: { instructions: x, approvals: [{ from: group:qa, count: §most }] }",
            "wrong-type",
        ),
        (
            "manual: { instructions: x, approvals: [{ from: §[] }] }",
            "missing-value",
        ),
        (
            "manual: { instructions: x, approvals: [{ from: group:qa, count: §0 }] }",
            "bad-value",
        ),
        (
            "manual: { instructions: x, exclude: [authors, §author] }",
            "bad-value",
        ),
        ("manual: { instructions: x, order: §random }", "bad-value"),
        (
            "manual: { instructions: x, same-person: §true }",
            "wrong-type",
        ),
        (
            "manual: { instructions: x, delegation: §never }",
            "bad-value",
        ),
    ] {
        expect(&activity(fields), &[code]);
    }
}

#[test]
fn deadlines_are_checked() {
    for (fields, code) in [
        (
            "manual: { instructions: x, expires: §{ then: hold } }",
            "missing-key",
        ),
        (
            "manual: { instructions: x, expires: { after: 1h, then: §forget } }",
            "bad-value",
        ),
        (
            "manual: { instructions: x, §expires: { after: 1h, then: escalate } }",
            "missing-key",
        ),
        (
            "manual: { instructions: x, remind: [1h, §0s] }",
            "bad-value",
        ),
        (
            "manual: { instructions: x, escalate: §{ after: 1h, to: group:a } }",
            "misplaced-key",
        ),
        (
            "manual: { instructions: x, approvals: [{ from: group:qa }], escalate: §{ to: group:a } }",
            "missing-key",
        ),
        (
            "manual: { instructions: x, approvals: [{ from: group:qa }], escalate: §{ after: 1h } }",
            "missing-key",
        ),
        (
            "manual: { instructions: x, approvals: [{ from: group:qa }], expires: 1h, escalate: §{ after: 1h, to: group:a } }",
            "bad-value",
        ),
        (
            "manual: { instructions: x, approvals: [{ from: group:qa }], expires: { after: 2h, then: escalate }, escalate: §{ after: 1h, to: group:a } }",
            "misplaced-key",
        ),
    ] {
        expect(&activity(fields), &[code]);
    }
}

#[test]
fn tasks_are_checked() {
    for (fields, code) in [
        ("manual: { instructions: x, tasks: [§{}] }", "missing-key"),
        (
            "manual: { instructions: x, tasks: [{ name: §'' }] }",
            "bad-name",
        ),
        (
            "manual: { instructions: x, tasks: [{ name: a }, §{ name: a }] }",
            "duplicate-task",
        ),
        (
            "manual: { instructions: x, tasks: [{ name: a, assign: §qa }] }",
            "bad-value",
        ),
        (
            "manual: { instructions: x, tasks: [{ name: a, required: §1 }] }",
            "wrong-type",
        ),
        (
            "manual: { instructions: x, tasks: [{ name: a, §due: 1h }] }",
            "unknown-key",
        ),
    ] {
        expect(&activity(fields), &[code]);
    }
}
