//! Random process documents: every one is valid, and few are tidy.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;

/// One activity: what it is and what it needs, as numbers to choose by.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    kind: u8,
    needs: Vec<u8>,
    condition: u8,
    on_failure: u8,
}

/// A phase: what it needs, its condition, its activities.
#[derive(Clone, Debug)]
pub(crate) struct PhaseSeed {
    needs: Vec<u8>,
    condition: u8,
    activities: Vec<Seed>,
}

/// Documents of up to five phases with up to five activities each.
pub(crate) fn documents() -> impl Strategy<Value = String> {
    let activity = (0..8_u8, vec(any::<u8>(), 0..4), 0..8_u8, 0..4_u8).prop_map(
        |(kind, needs, condition, on_failure)| Seed {
            kind,
            needs,
            condition,
            on_failure,
        },
    );
    let phase = (vec(any::<u8>(), 0..3), 0..8_u8, vec(activity, 1..5)).prop_map(
        |(needs, condition, activities)| PhaseSeed {
            needs,
            condition,
            activities,
        },
    );
    vec(phase, 1..5).prop_map(|phases| document(&phases))
}

const HEAD: &str = "process: random
inputs:
  yes: { type: boolean, default: true }
  no: { type: boolean, default: false }
  many: { type: array, default: [] }
outputs:
  first: ${{ phases.p0.activities.a0.outputs.go }}
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
        writeln!(text, "    needs: [{}]", needed.join(", ")).expect("text");
        if let Some(condition) = condition(phase.condition, needed.first(), "activities.a0.") {
            writeln!(text, "    if: {condition}").expect("text");
        }
        writeln!(text, "    activities:").expect("text");
        for (position, activity) in phase.activities.iter().enumerate() {
            write_activity(&mut text, (number, position), activity, &earlier);
            earlier.push(format!("p{number}/a{position}"));
        }
    }
    text
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
    let list: Vec<&str> = needs.iter().map(|need| need.as_str()).collect();
    writeln!(text, "      a{position}:").expect("text");
    writeln!(text, "        needs: [{}]", list.join(", ")).expect("text");
    let spelt = needs.first().map(|need| {
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
    let on_failure = ["hold", "fail", "continue", "hold"][usize::from(seed.on_failure)];
    writeln!(text, "        on-failure: {on_failure}").expect("text");
    let reads = spelt.map_or_else(String::new, |need| {
        format!("go: '${{{{ needs.{need}.outputs.go }}}}'")
    });
    let what = match seed.kind {
        0 => "manual: { instructions: Look. }".to_owned(),
        1 => "manual: { instructions: Look., expires: 5m, exclude: [initiator], approvals: [ { from: group:qa, count: 2 }, { from: user:zoe } ] }".to_owned(),
        2 => "manual: { instructions: Look., form: { type: object, required: [go] }, approvals: [ { from: group:qa } ] }".to_owned(),
        3 => format!("uses: work@1\n        with: {{ {reads} }}"),
        4 => "uses: work@1\n        retry: { attempts: 3, backoff: 1m }\n        timeout: 3m".to_owned(),
        5 => "uses: more@2.1\n        retry: { attempts: 2, backoff: 1s, jitter: false }".to_owned(),
        _ => "uses: work@1".to_owned(),
    };
    writeln!(text, "        {what}").expect("text");
}

/// A condition that holds, that does not, or that fails when the need has no such output.
fn condition(choice: u8, need: Option<&String>, inner: &str) -> Option<String> {
    let reads = |need: &String| format!("${{{{ needs.{need}.{inner}outputs.go }}}}");
    match choice {
        0 => Some("${{ inputs.no }}".to_owned()),
        1 => Some("${{ inputs.yes }}".to_owned()),
        2 => need.map(reads),
        _ => None,
    }
}
