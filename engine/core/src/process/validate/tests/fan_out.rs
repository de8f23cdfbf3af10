//! `each`: what it may say, and what nothing may say about it.

use super::defects::expect;
use super::*;
use crate::limits::{BATCHES_MAX, INSTANCES_MAX};
use crate::process::{Batch, Role};

/// A document with a fan-out of a phase and one of an activity.
fn document(phase: &str, activities: &str, after: &str) -> String {
    format!(
        "process: x
inputs: {{ regions: {{ type: array, default: [] }} }}
phases:
  first: {{ activities: {{ one: {{ uses: a@1 }} }} }}
  wave:
    needs: [first]
    {phase}
    activities:
      up: {{ uses: a@1 }}
      {activities}
  last:
    needs: [wave]
    activities:
      end: {{ {after} }}
"
    )
}

#[test]
fn what_is_fanned_out_is_read() {
    let text = document(
        "each: ${{ inputs.regions }}
    batches: [1, 50%, 100%]
    bake: 30m
    max-failures: 2
    gate: { instructions: 'Open ${{ each.batch }}?', approvals: [ { from: group:sre, count: 2 } ], expires: 2h }",
        "down: { needs: [up], each: '${{ each.item.hosts }}', gate: check, uses: a@1, with: { host: '${{ each.item }}' } }
      check: { uses: a@1, with: { batch: '${{ each.batch }}' } }",
        "uses: a@1, with: { all: '${{ needs.wave.outputs }}', first: '${{ needs.wave.outputs[0].up }}' }",
    );
    let process = process(&text);
    let wave = process.phase(PhaseIx(1));
    let each = wave.fan_out().expect("it is fanned out");
    let batches = [Batch::Count(1), Batch::Percent(50), Batch::Percent(100)];
    assert_eq!(each.batches, batches);
    assert_eq!((each.bake, each.failures_max), (Span(1_800_000), 2));
    let gate = each.gate.as_ref().expect("a gate");
    assert_eq!((gate.name.as_str(), each.gate_activity), ("gate", None));
    let down = process.activity(process.find("wave/down").expect("there"));
    let inner = down.fan_out().expect("it is fanned out");
    let check = process.find("wave/check");
    assert_eq!(inner.gate_activity, check);
    let gate = inner.gate.as_ref().expect("a gate");
    assert_eq!(gate.name.as_str(), "check");
    let check = process.activity(check.expect("there"));
    assert_eq!(check.role, Role::Template);
}

#[test]
fn one_rule_a_list_of_them_or_a_name_makes_a_gate() {
    for gate in [
        "{ from: group:sre }",
        "[ { from: group:sre }, { from: user:ana } ]",
        "up2",
    ] {
        let phase = format!("each: [1, 2]\n    gate: {gate}");
        process(&document(&phase, "up2: { uses: a@1 }", "uses: a@1"));
    }
}

#[test]
fn what_is_wrong_with_a_fan_out_is_said() {
    let many = format!("each: [{}]", vec!["1"; INSTANCES_MAX + 1].join(", "));
    let at = many.rfind('1').expect("a one");
    let many = format!("{}§{}", &many[..at], &many[at..]);
    let batches: Vec<String> = (0..=BATCHES_MAX).map(|n| (n + 1).to_string()).collect();
    let (last, rest) = batches.split_last().expect("some");
    let batches = format!("each: [1]\n    batches: [{}, §{last}]", rest.join(", "));
    for (phase, code) in [
        ("§batches: [1]", "misplaced-key"),
        ("§bake: 5m", "misplaced-key"),
        ("§gate: up", "misplaced-key"),
        ("§max-failures: 1", "misplaced-key"),
        ("each: §5", "wrong-type"),
        ("each: §eu", "wrong-type"),
        ("each: §{ a: 1 }", "wrong-type"),
        ("each: §'x ${{ inputs.regions }}'", "wrong-type"),
        ("each: ${{ §each.item }}", "unknown-name"),
        ("each: ${{ inputs.§region }}", "unknown-name"),
        ("each: [1]\n    if: ${{ §each.item == 1 }}", "unknown-name"),
        (&many, "too-many"),
        ("each: [1]\n    batches: §[]", "empty"),
        ("each: [1]\n    batches: [§0]", "bad-value"),
        ("each: [1]\n    batches: [§0%]", "bad-value"),
        ("each: [1]\n    batches: [§101%]", "bad-value"),
        ("each: [1]\n    batches: [§half]", "bad-value"),
        ("each: [1]\n    batches: [§[1]]", "bad-value"),
        ("each: [1]\n    batches: [§1.5]", "bad-value"),
        ("each: [1]\n    batches: [2, §2]", "bad-batches"),
        ("each: [1]\n    batches: [50%, 3, §20%]", "bad-batches"),
        (&batches, "too-many"),
        ("each: [1]\n    bake: §0s", "bad-value"),
        ("each: [1]\n    bake: §30", "wrong-type"),
        ("each: [1]\n    max-failures: §-1", "bad-value"),
        ("each: [1]\n    max-failures: §many", "wrong-type"),
        ("each: [1]\n    gate: §5", "wrong-type"),
        ("each: [1]\n    gate: §nowhere", "unknown-gate"),
        ("each: [1]\n    gate: [ { from: §qa } ]", "bad-value"),
        (
            "each: [1]\n    gate: { instructions: '${{ each.§item }}' }",
            "unknown-name",
        ),
    ] {
        expect(&document(phase, "", "uses: a@1"), &[code]);
    }
}

#[test]
fn gates_stand_apart_from_the_rest_of_their_phase() {
    let phase = "each: [1]\n    gate: check";
    for (activities, code) in [
        ("check: { needs: [§up], uses: a@1 }", "bad-gate"),
        ("check: { each: §[1], uses: a@1 }", "bad-gate"),
        (
            "check: { uses: a@1 }\n      down: { needs: [§check], uses: a@1 }",
            "bad-gate",
        ),
        (
            "check: { uses: a@1, with: { v: '${{ each.§item }}' } }",
            "unknown-name",
        ),
        (
            "check: { uses: a@1, with: { v: '${{ needs.§up.outputs.v }}' } }",
            "not-upstream",
        ),
        (
            "check: { uses: a@1 }\n      down: { each: [1], gate: §check, uses: a@1 }",
            "bad-gate",
        ),
    ] {
        expect(&document(phase, activities, "uses: a@1"), &[code]);
    }
    let alone =
        "process: x\nphases: { §p: { each: [1], gate: a, activities: { a: { uses: a@1 } } } }";
    expect(alone, &["empty"]);
}

#[test]
fn nothing_outside_relies_on_a_part_of_an_instance() {
    let phase = "each: [1]";
    let down = "down: { needs: [up], each: [1], uses: a@1 }";
    for (after, code) in [
        ("uses: a@1, needs: [§wave/up]", "fanned-out"),
        (
            "uses: a@1, with: { v: '${{ phases.wave.activities.§up.outputs.v }}' }",
            "fanned-out",
        ),
        (
            "uses: a@1, with: { v: '${{ needs.wave.outputs.§up }}' }",
            "fanned-out",
        ),
        (
            "uses: a@1, with: { v: '${{ §each.item }}' }",
            "unknown-name",
        ),
    ] {
        expect(&document(phase, down, after), &[code]);
    }
    let inside = "down: { needs: [up], each: [1], uses: a@1 }
      after: { needs: [down], uses: a@1, with: { v: '${{ needs.down.outputs.§v }}' } }";
    expect(&document(phase, inside, "uses: a@1"), &["fanned-out"]);
    let good =
        "after: { needs: [up], uses: a@1, with: { v: '${{ needs.up.outputs.v + each.item }}' } }";
    let after = "uses: a@1, with: { v: '${{ phases.wave.outputs.map(o, o.up) }}', s: '${{ phases.wave.status }}' }";
    expect(&document(phase, good, after), &[]);
}
