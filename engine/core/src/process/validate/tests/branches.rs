//! Joins of needs, and outputs that may not be there.

use super::defects::{activity, expect};
use crate::limits::JOINS_MAX;

#[test]
fn joins_of_needs_can_be_satisfied() {
    for (needs, code) in [
        ("{ any: §[] }", "empty"),
        ("§{}", "missing-key"),
        ("{ §all: [up] }", "unknown-key"),
        ("{ any: [up], §of: [up] }", "misplaced-key"),
        ("§{ at-least: 1 }", "missing-key"),
        ("§{ of: [up] }", "missing-key"),
        ("§{ at-least: 2, of: [up] }", "bad-value"),
        ("{ at-least: §0, of: [up] }", "bad-value"),
        ("{ at-least: §most, of: [up] }", "wrong-type"),
        ("{ any: [up, §{ any: [b] }] }", "wrong-type"),
        ("{ any: [up, §up] }", "duplicate-need"),
        ("[up, { any: [§second/up] }]", "duplicate-need"),
        ("{ any: [§uq] }", "unknown-need"),
        ("{ any: [§a] }", "self-need"),
    ] {
        expect(&activity(&format!("uses: a@1, needs: {needs}")), &[code]);
    }
    for needs in [
        "{ any: up }",
        "{ at-least: 1, of: [up, first/one] }",
        "[up, { any: [first/one] }]",
    ] {
        expect(&activity(&format!("uses: a@1, needs: {needs}")), &[]);
    }
    let count = JOINS_MAX + 1;
    let names: Vec<String> = (0..count)
        .map(|n| format!("b{n}: {{ uses: a@1 }}"))
        .collect();
    let names = names.join(", ");
    let joins: Vec<String> = (0..count)
        .map(|n| format!("{}{{ any: b{n} }}", if n == JOINS_MAX { "§" } else { "" }))
        .collect();
    let joins = joins.join(", ");
    expect(
        &format!(
            "process: x\nphases: {{ p: {{ activities: {{ {names}, a: {{ uses: a@1, needs: [{joins}] }} }} }} }}"
        ),
        &["too-many"],
    );
    let circle = "process: x\nphases: { p: { activities: {
  a: { uses: a@1, needs: { any: [b, c] } },
  b: { uses: a@1, needs: [§a] },
  c: { uses: a@1 } } } }";
    expect(circle, &["cycle"]);
}

/// A process in which much may be skipped, with an activity `r` in the phase `q`.
fn doubtful(reader: &str) -> String {
    format!(
        "process: x
inputs: {{ go: {{ type: boolean }} }}
phases:
  p:
    activities:
      plain: {{ uses: a@1 }}
      maybe: {{ uses: a@1, if: inputs.go }}
      after: {{ uses: a@1, needs: [maybe] }}
      goes-on: {{ uses: a@1, on-failure: continue }}
  side:
    if: inputs.go
    activities:
      inner: {{ uses: a@1 }}
      second: {{ uses: a@1, needs: [inner], with: {{ v: '${{{{ needs.inner.outputs.x }}}}' }} }}
  q:
    activities:
      r: {{ uses: a@1, {reader} }}
"
    )
}

/// The fields of an activity that reads `value`, in which `@` stands for the activities of `p`.
fn reading(fields: &str, value: &str) -> String {
    let value = value.replace('@', "phases.p.activities");
    let fields = fields.replace('@', "phases.p.activities");
    format!("{fields}, with: {{ v: '${{{{ {value} }}}}' }}")
}

#[test]
fn what_may_be_skipped_is_read_with_a_default() {
    for (fields, value) in [
        ("needs: [p/maybe]", "@.maybe.outputs.§x"),
        ("needs: [p/maybe]", "1 + @.maybe.outputs.§x"),
        ("needs: [p/after]", "@.maybe.outputs.§x"),
        ("needs: [p/goes-on]", "@[\"goes-on\"].outputs.§x"),
        (
            "needs: [side/second]",
            "phases.side.activities.inner.outputs.§x",
        ),
        (
            "needs: [side/second]",
            "phases.side.activities.second.outputs.§x",
        ),
        ("needs: { any: [p/plain, p/after] }", "@.plain.outputs.§x"),
        ("needs: [p/plain], if: always()", "@.plain.outputs.§x"),
        (
            "needs: [p/plain], if: 'failed() && @.plain.outputs.§x'",
            "1",
        ),
        (
            "needs: [p/maybe]",
            "has(@.maybe.outputs.y) && @.maybe.outputs.§x",
        ),
        (
            "needs: [p/maybe]",
            "has(@.maybe.outputs.x) || @.maybe.outputs.§x",
        ),
        ("needs: [p/maybe]", "has(@.maybe.outputs.§x.y)"),
        (
            "needs: [p/maybe]",
            "has(@.maybe.outputs.x) ? 1 : @.maybe.outputs.§x",
        ),
    ] {
        expect(&doubtful(&reading(fields, value)), &["may-be-skipped"]);
    }
    let outputs = "outputs: { v: '${{ phases.p.outputs.maybe.§x }}' }";
    let document = format!("{}{outputs}\n", doubtful("title: r"));
    expect(&document, &["may-be-skipped"]);
}

#[test]
fn what_was_published_before_this_was_asked_is_read_as_it_is() {
    let reader = "needs: [p/maybe], with: { v: '${{ phases.p.activities.maybe.outputs.x }}' }";
    let document = doubtful(reader);
    assert!(crate::process::validate::validate(document.as_bytes(), None).is_err());
    assert!(crate::process::validate::reread(document.as_bytes(), None).is_ok());
}

#[test]
fn what_is_certain_or_asked_for_needs_no_default() {
    for (fields, value) in [
        ("needs: [p/plain]", "@.plain.outputs.x"),
        ("needs: [p/after]", "@.after.outputs.x"),
        ("needs: [p/maybe]", "@.maybe.outputs"),
        ("needs: [p/maybe]", "@.maybe.status"),
        ("needs: [p/maybe]", "@.maybe.outputs.?x.orValue(1)"),
        (
            "needs: [p/goes-on]",
            "@[\"goes-on\"].outputs[?\"x-y\"].orValue(1)",
        ),
        (
            "needs: [p/maybe]",
            "has(@.maybe.outputs.x) && @.maybe.outputs.x.y",
        ),
        (
            "needs: [p/maybe]",
            "has(@.maybe.outputs.x) ? @.maybe.outputs.x : 1",
        ),
        (
            "needs: [p/maybe]",
            "!has(@.maybe.outputs.x) || @.maybe.outputs.x == 1",
        ),
        (
            "needs: [p/maybe], if: 'has(@.maybe.outputs.x)'",
            "@.maybe.outputs.x",
        ),
        (
            "needs: [p/plain], if: \"failed() && @.plain.status == 'succeeded'\"",
            "@.plain.outputs.x",
        ),
        (
            "needs: [{ any: [p/maybe, p/after] }, p/plain]",
            "@.plain.outputs.x",
        ),
    ] {
        expect(&doubtful(&reading(fields, value)), &[]);
    }
}
