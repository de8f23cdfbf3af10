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
    let names: String = (0..count)
        .map(|n| format!("b{n}: {{ uses: a@1 }}, "))
        .collect();
    let joins: Vec<String> = (0..count)
        .map(|n| format!("{}{{ any: b{n} }}", if n == JOINS_MAX { "§" } else { "" }))
        .collect();
    let joins = joins.join(", ");
    expect(
        &format!(
            "process: x\nphases: {{ p: {{ activities: {{ {names}a: {{ uses: a@1, needs: [{joins}] }} }} }} }}"
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

#[test]
fn what_may_be_skipped_is_read_with_a_default() {
    let p = "phases.p.activities";
    for (reader, code) in [
        (
            format!("needs: [p/maybe], with: {{ v: '${{{{ {p}.maybe.outputs.§x }}}}' }}"),
            "may-be-skipped",
        ),
        (
            format!("needs: [p/maybe], with: {{ v: 'to ${{{{ 1 + {p}.maybe.outputs.§x }}}}' }}"),
            "may-be-skipped",
        ),
        (
            format!("needs: [p/after], with: {{ v: '${{{{ {p}.maybe.outputs.§x }}}}' }}"),
            "may-be-skipped",
        ),
        (
            format!("needs: [p/goes-on], with: {{ v: '${{{{ {p}[\"goes-on\"].outputs.§x }}}}' }}"),
            "may-be-skipped",
        ),
        (
            "needs: [side/second], with: { v: '${{ phases.side.activities.inner.outputs.§x }}' }"
                .to_owned(),
            "may-be-skipped",
        ),
        (
            "needs: [side/second], with: { v: '${{ phases.side.activities.second.outputs.§x }}' }"
                .to_owned(),
            "may-be-skipped",
        ),
        (
            format!(
                "needs: {{ any: [p/plain, p/after] }}, with: {{ v: '${{{{ {p}.plain.outputs.§x }}}}' }}"
            ),
            "may-be-skipped",
        ),
        (
            format!(
                "needs: [p/plain], if: always(), with: {{ v: '${{{{ {p}.plain.outputs.§x }}}}' }}"
            ),
            "may-be-skipped",
        ),
        (
            format!("needs: [p/plain], if: 'failed() && {p}.plain.outputs.§x'"),
            "may-be-skipped",
        ),
        (
            format!(
                "needs: [p/maybe], with: {{ v: '${{{{ has({p}.maybe.outputs.y) && {p}.maybe.outputs.§x }}}}' }}"
            ),
            "may-be-skipped",
        ),
        (
            format!(
                "needs: [p/maybe], with: {{ v: '${{{{ has({p}.maybe.outputs.x) || {p}.maybe.outputs.§x }}}}' }}"
            ),
            "may-be-skipped",
        ),
        (
            format!("needs: [p/maybe], with: {{ v: '${{{{ has({p}.maybe.outputs.§x.y) }}}}' }}"),
            "may-be-skipped",
        ),
        (
            format!(
                "needs: [p/maybe], with: {{ v: '${{{{ has({p}.maybe.outputs.x) ? 1 : {p}.maybe.outputs.§x }}}}' }}"
            ),
            "may-be-skipped",
        ),
    ] {
        expect(&doubtful(&reader), &[code]);
    }
    let outputs = format!(
        "{}outputs: {{ v: '${{{{ phases.p.outputs.maybe.§x }}}}' }}\n",
        doubtful("title: r")
    );
    expect(&outputs, &["may-be-skipped"]);
}

#[test]
fn what_is_certain_or_asked_for_needs_no_default() {
    let p = "phases.p.activities";
    for reader in [
        format!("needs: [p/plain], with: {{ v: '${{{{ {p}.plain.outputs.x }}}}' }}"),
        format!("needs: [p/after], with: {{ v: '${{{{ {p}.after.outputs.x }}}}' }}"),
        format!("needs: [p/maybe], with: {{ v: '${{{{ {p}.maybe.outputs }}}}' }}"),
        format!("needs: [p/maybe], with: {{ v: '${{{{ {p}.maybe.status }}}}' }}"),
        format!("needs: [p/maybe], with: {{ v: '${{{{ {p}.maybe.outputs.?x.orValue(1) }}}}' }}"),
        format!(
            "needs: [p/goes-on], with: {{ v: '${{{{ {p}[\"goes-on\"].outputs[?\"x-y\"].orValue(1) }}}}' }}"
        ),
        format!(
            "needs: [p/maybe], with: {{ v: '${{{{ has({p}.maybe.outputs.x) && {p}.maybe.outputs.x.y }}}}' }}"
        ),
        format!(
            "needs: [p/maybe], with: {{ v: '${{{{ has({p}.maybe.outputs.x) ? {p}.maybe.outputs.x : 1 }}}}' }}"
        ),
        format!(
            "needs: [p/maybe], with: {{ v: '${{{{ !has({p}.maybe.outputs.x) || {p}.maybe.outputs.x == 1 }}}}' }}"
        ),
        format!(
            "needs: [p/maybe], if: 'has({p}.maybe.outputs.x)', with: {{ v: '${{{{ {p}.maybe.outputs.x }}}}' }}"
        ),
        format!(
            "needs: [p/plain], if: \"failed() && {p}.plain.status == 'succeeded'\", with: {{ v: '${{{{ {p}.plain.outputs.x }}}}' }}"
        ),
        format!(
            "needs: [{{ any: [p/maybe, p/after] }}, p/plain], with: {{ v: '${{{{ {p}.plain.outputs.x }}}}' }}"
        ),
    ] {
        expect(&doubtful(&reader), &[]);
    }
}
