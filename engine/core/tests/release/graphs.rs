//! Random process documents: every one is valid, and few are tidy.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;

/// One activity: what it is and what it needs, as numbers to choose by.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    kind: u8,
    needs: Vec<u8>,
    join: u8,
    condition: u8,
    on_failure: u8,
    each: u8,
    back: u8,
}

/// A phase: what it needs, its condition, its activities.
#[derive(Clone, Debug)]
pub(crate) struct PhaseSeed {
    needs: Vec<u8>,
    join: u8,
    condition: u8,
    each: u8,
    activities: Vec<Seed>,
}

/// Documents of up to five phases with up to five activities each.
pub(crate) fn documents() -> impl Strategy<Value = String> {
    let needs = |most| vec(any::<u8>(), 0..most);
    let seeds = (
        0..10_u8,
        needs(4),
        0..6_u8,
        0..12_u8,
        0..8_u8,
        0..24_u8,
        0..12_u8,
    );
    let activity = seeds.prop_map(
        |(kind, needs, join, condition, on_failure, each, back)| Seed {
            kind,
            needs,
            join,
            condition,
            on_failure,
            each,
            back,
        },
    );
    let seeds = (needs(3), 0..6_u8, 0..12_u8, 0..10_u8, vec(activity, 1..5));
    let phase = seeds.prop_map(|(needs, join, condition, each, activities)| PhaseSeed {
        needs,
        join,
        condition,
        each,
        activities,
    });
    vec(phase, 1..5).prop_map(|phases| document(&phases))
}

const HEAD: &str = "process: random
inputs:
  yes: { type: boolean, default: true }
  no: { type: boolean, default: false }
  many: { type: array, default: [] }
outputs:
  first: ${{ dyn(phases.p0.activities.a0.outputs).go }}
phases:
";

fn document(phases: &[PhaseSeed]) -> String {
    let mut text = HEAD.to_owned();
    let mut earlier: Vec<String> = Vec::new();
    for (number, phase) in phases.iter().enumerate() {
        let mut needs: Vec<usize> = Vec::new();
        if number > 0 {
            needs.extend(phase.needs.iter().map(|need| usize::from(*need) % number));
        }
        needs.sort_unstable();
        needs.dedup();
        let needed: Vec<String> = needs.iter().map(|need| format!("p{need}")).collect();
        writeln!(text, "  p{number}:").expect("text");
        writeln!(text, "    needs: {}", joined(&needed, phase.join)).expect("text");
        // What is fanned out has no activity of that name, and a fanned out one no such output.
        let plain = |need: &&usize| {
            let phase = &phases[**need];
            phase_each(**need, phase).is_none() && each(phase.activities[0].each).is_none()
        };
        let read = needs.iter().find(plain).map(|need| format!("p{need}"));
        if let Some(condition) = condition(phase.condition, read.as_ref(), "activities.a0.") {
            writeln!(text, "    if: {condition}").expect("text");
        }
        if let Some(each) = phase_each(number, phase) {
            writeln!(
                text,
                "    {}",
                each.replace(", ", "\n    ").replace(';', ",")
            )
            .expect("text");
        }
        writeln!(text, "    activities:").expect("text");
        let before = earlier.len();
        for (position, activity) in phase.activities.iter().enumerate() {
            write_activity(&mut text, (number, position), activity, &earlier);
            let fanned = each(activity.each).is_some() && (number, position) != (0, 0);
            let list = if fanned { "*" } else { "" };
            earlier.push(format!("p{number}/a{position}{list}"));
        }
        if phase_each(number, phase).is_some() {
            earlier.truncate(before);
        }
    }
    text
}

/// How the phase is fanned out. The first is not: the outputs of the process read it.
fn phase_each(number: usize, phase: &PhaseSeed) -> Option<&'static str> {
    each(phase.each).filter(|_| number > 0)
}

/// How something is fanned out; its keys are separated by commas, and lists by semicolons.
fn each(choice: u8) -> Option<&'static str> {
    match choice {
        0 => Some("each: [x; y; z], batches: [1; 100%], bake: 1m"),
        1 => Some("each: ${{ inputs.many }}"),
        2 => Some("each: ${{ inputs.yes }}"),
        3 => Some(
            "each: [{ name: u }; { name: v }; { name: v }], batches: [1; 2], gate: [{ from: group:qa }], max-failures: 1",
        ),
        4 => Some("each: [1; 2], batches: [1]"),
        _ => None,
    }
}

/// What an activity does.
fn what(kind: u8, reads: &str) -> String {
    match kind {
        0 => "manual: { instructions: Look., tasks: [ { name: look, assign: group:qa, required: true, expected: 2h }, { name: read } ] }".to_owned(),
        1 => "manual: { instructions: Look., expires: 5m, delegation: deny, exclude: [initiator], approvals: [ { from: group:qa, count: 2 }, { from: user:zoe } ] }".to_owned(),
        2 => "manual: { instructions: Look., form: { type: object, required: [go] }, approvals: [ { from: group:qa } ] }".to_owned(),
        8 => "manual: { instructions: Look., order: sequential, same-person: allow, remind: [1m, 2m], approvals: [ { from: [group:qa, user:zoe], count: majority }, { from: group:security, count: all } ], exclude: [authors], escalate: { after: 3m, to: group:qa }, expires: { after: 6m, then: hold } }".to_owned(),
        9 => "manual: { instructions: Look., approvals: [ { from: group:qa, count: 2 }, { from: user:zoe } ], order: sequential, escalate: { to: user:eve }, expires: { after: 4m, then: escalate } }".to_owned(),
        3 => format!("uses: work@1\n        with: {{ {reads} }}"),
        4 => "uses: work@1\n        retry: { attempts: 3, backoff: 1m }\n        timeout: 3m".to_owned(),
        5 => "uses: more@2.1\n        retry: { attempts: 2, backoff: 1s, jitter: false }".to_owned(),
        _ => "uses: work@1".to_owned(),
    }
}

fn write_activity(text: &mut String, place: (usize, usize), seed: &Seed, earlier: &[String]) {
    let (phase, position) = place;
    let mut needs: Vec<&String> = Vec::new();
    if !earlier.is_empty() {
        let chosen = seed.needs.iter();
        needs.extend(chosen.map(|need| &earlier[usize::from(*need) % earlier.len()]));
    }
    needs.sort_unstable();
    needs.dedup();
    let list = needs.iter().map(|need| need.trim_end_matches('*'));
    let list: Vec<String> = list.map(ToOwned::to_owned).collect();
    writeln!(text, "      a{position}:").expect("text");
    writeln!(text, "        needs: {}", joined(&list, seed.join)).expect("text");
    let plain = needs.iter().find(|need| !need.ends_with('*'));
    let spelt = plain.map(|need| {
        let (of, name) = need.split_once('/').expect("a path");
        if of == format!("p{phase}") {
            name.to_owned()
        } else {
            format!("{of}.activities.{name}")
        }
    });
    if let Some(condition) = condition(seed.condition, spelt.as_ref(), "") {
        writeln!(text, "        if: {condition}").expect("text");
    }
    if let Some(each) = each(seed.each).filter(|_| (phase, position) != (0, 0)) {
        writeln!(
            text,
            "        {}",
            each.replace(", ", "\n        ").replace(';', ",")
        )
        .expect("text");
    }
    let on_failure = [
        "hold", "fail", "continue", "hold", "hold", "fail", "continue", "rollback",
    ][usize::from(seed.on_failure)];
    writeln!(text, "        on-failure: {on_failure}").expect("text");
    let reads = spelt.map_or_else(String::new, |need| {
        format!("go: '${{{{ dyn(needs.{need}.outputs).go }}}}'")
    });
    let what = what(seed.kind, &reads);
    writeln!(text, "        {what}").expect("text");
    let manual = matches!(seed.kind, 0..=2 | 8 | 9);
    let back = match seed.back {
        0 => "undo: none",
        1 => "undo: { uses: restore@1, retry: { attempts: 2, backoff: 1s } }",
        2 if !manual => "validate: { uses: more@2.1 }",
        3 => "undo: { uses: restore@1 }\n        validate: { uses: work@1 }",
        4 => "point-of-no-return: true",
        _ => return,
    };
    writeln!(text, "        {back}").expect("text");
}

/// Needs of which all, one or two must be satisfied, or the first and one of the others.
fn joined(needs: &[String], join: u8) -> String {
    let list = needs.join(", ");
    match (join, needs) {
        (0, [_, ..]) => format!("{{ any: [{list}] }}"),
        (1, [_, _, ..]) => format!("{{ at-least: 2, of: [{list}] }}"),
        (2, [first, _, ..]) => format!("[{first}, {{ any: [{}] }}]", needs[1..].join(", ")),
        _ => format!("[{list}]"),
    }
}

/// A condition that holds, that does not, that fails when the need has no such output, or that asks
/// how the needs ended.
fn condition(choice: u8, need: Option<&String>, inner: &str) -> Option<String> {
    let reads = |need: &String| format!("${{{{ dyn(needs.{need}.{inner}outputs).go }}}}");
    let status = |need: &String| format!("${{{{ needs.{need}.{inner}status != 'skipped' }}}}");
    match choice {
        0 => Some("${{ inputs.no }}".to_owned()),
        1 => Some("${{ inputs.yes }}".to_owned()),
        2 => need.map(reads),
        3 => need.map(|_| "failed()".to_owned()),
        4 => Some("always()".to_owned()),
        5 => Some("${{ !succeeded() }}".to_owned()),
        6 => need.map(status),
        _ => None,
    }
}
