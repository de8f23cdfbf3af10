//! Rehearsals: what they assume, what they tell, and where they end.

use std::fmt::Write as _;
use std::sync::Arc;

use fermata_core::process::validate::validate;
use fermata_core::process::{Process, ProcessRef};
use fermata_core::rehearsal::{Assumptions, Basis, Entry, Rehearsal, RehearsalError, rehearse};
use fermata_core::time::{Span, Timestamp};
use serde_json::json;

fn process(document: &str) -> Arc<Process> {
    match validate(document.as_bytes(), None) {
        Ok(process) => Arc::new(process),
        Err(defects) => panic!("{defects:#?} in {document}"),
    }
}

fn play(document: &str, assumptions: &Assumptions) -> Result<Rehearsal, RehearsalError> {
    let process = process(document);
    let reference = ProcessRef {
        name: process.name.clone(),
        version: 1,
        digest: process.digest,
    };
    rehearse(&process, reference, assumptions)
}

fn plan(document: &str, assumptions: &Assumptions) -> Rehearsal {
    play(document, assumptions).expect("it can be rehearsed")
}

fn entry<'p>(plan: &'p Rehearsal, activity: &str) -> &'p Entry {
    let mut entries = plan.entries.iter();
    let found = entries.find(|entry| entry.activity == activity);
    found.unwrap_or_else(|| panic!("{activity} is not in {plan:#?}"))
}

fn span(text: &str) -> Span {
    text.parse().expect("a span")
}

fn durations<const N: usize>(of: [(&str, &str); N]) -> Assumptions {
    let durations = of.map(|(name, text)| (name.to_owned(), span(text)));
    Assumptions {
        durations: durations.into(),
        ..Assumptions::default()
    }
}

/// Two branches that join.
const JOIN: &str = "\
process: join
phases:
  one:
    activities:
      short: { uses: noop@1, timeout: 4h }
      long: { uses: noop@1, timeout: 4h }
      both: { needs: [short, long], uses: noop@1 }
  two:
    needs: [one]
    activities:
      last: { uses: noop@1 }
";

#[test]
fn the_critical_path_is_what_determines_the_end() {
    for (assumptions, path, takes) in [
        (
            durations([("long", "1h")]),
            ["one/long", "one/both", "two/last"],
            "62m",
        ),
        (
            durations([("short", "3h"), ("long", "1h")]),
            ["one/short", "one/both", "two/last"],
            "182m",
        ),
    ] {
        let plan = plan(JOIN, &assumptions);
        assert_eq!(plan.outcome, "succeeded");
        assert_eq!(Span(plan.takes_ms), span(takes));
        let critical = plan.critical_path.iter().map(|link| link.activity.as_str());
        assert_eq!(critical.collect::<Vec<_>>(), path);
        let marked = plan
            .entries
            .iter()
            .filter(|entry| entry.is_critical)
            .count();
        assert_eq!(marked, path.len());
    }
}

#[test]
fn durations_are_given_before_history_before_the_default() {
    let mut assumptions = durations([("one/short", "2m")]);
    assumptions.history = [("one/short", "9m"), ("one/long", "9m"), ("gone", "1h")]
        .map(|(name, text)| (name.to_owned(), span(text)))
        .into();
    let plan = plan(JOIN, &assumptions);
    for (activity, ms, from) in [
        ("one/short", 120_000, Basis::Given),
        ("one/long", 540_000, Basis::History),
        ("one/both", 60_000, Basis::Default),
    ] {
        let takes = entry(&plan, activity).takes.expect("it ran");
        assert_eq!((takes.ms, takes.from), (ms, from), "{activity}");
    }
}

#[test]
fn the_hash_is_that_of_the_plan_and_of_nothing_else() {
    let first = plan(JOIN, &Assumptions::default());
    let later = Assumptions {
        starts_at: Timestamp(1_900_000_000_000),
        ..Assumptions::default()
    };
    assert_eq!(first.plan_hash, plan(JOIN, &later).plan_hash);
    let commented = format!("# for people\n{JOIN}");
    assert_eq!(
        first.plan_hash,
        plan(&commented, &Assumptions::default()).plan_hash
    );
    let other = JOIN.replace("last: { uses: noop@1", "last: { uses: noop@2");
    assert_ne!(
        first.plan_hash,
        plan(&other, &Assumptions::default()).plan_hash
    );
    let slower = durations([("long", "1h")]);
    assert_ne!(first.plan_hash, plan(JOIN, &slower).plan_hash);
}

#[test]
fn a_failure_shows_what_holds_and_what_is_skipped() {
    for (on_failure, outcome, last, not_reached) in [
        ("hold", "stands-still", None, 2),
        ("fail", "failed", Some("skipped"), 0),
        ("continue", "succeeded", Some("succeeded"), 0),
    ] {
        let document = JOIN.replace(
            "process: join",
            &format!("process: join\non-failure: {on_failure}"),
        );
        let assumptions = Assumptions {
            fail: vec!["long".to_owned()],
            ..Assumptions::default()
        };
        let plan = plan(&document, &assumptions);
        assert_eq!(
            (plan.outcome.as_str(), plan.not_reached.len()),
            (outcome, not_reached)
        );
        let found = plan
            .entries
            .iter()
            .find(|entry| entry.activity == "two/last");
        assert_eq!(
            found.map(|entry| entry.state.as_str()),
            last,
            "{on_failure}"
        );
        assert_eq!(plan.standing.len(), usize::from(on_failure == "hold"));
    }
}

#[test]
fn runs_that_take_longer_than_their_timeout_are_retried_and_given_up() {
    let document = "\
process: slow
phases:
  one:
    activities:
      work: { uses: noop@1, timeout: 10s, retry: { attempts: 3, backoff: 5s, jitter: false } }
";
    let slow = plan(document, &durations([("work", "11s")]));
    let work = entry(&slow, "one/work");
    assert_eq!((work.state.as_str(), work.attempts), ("on-hold", 3));
    assert_eq!(
        Span(slow.takes_ms),
        span("45s"),
        "three timeouts, waits of 5 s and 10 s"
    );
    // A default never makes up a timeout.
    assert_eq!(plan(document, &Assumptions::default()).outcome, "succeeded");
}

const APPROVALS: &str = "\
process: approvals
phases:
  one:
    activities:
      agree:
        manual:
          instructions: Look at it.
          approvals: [ { from: 'group:qa', count: 2 }, { from: 'user:ana' } ]
          exclude: [initiator]
          expires: 24h
";

#[test]
fn people_decide_when_it_is_said_and_too_late_is_too_late() {
    let after = |text: Option<&str>| Assumptions {
        approve_after: text.map(span),
        ..Assumptions::default()
    };
    for (given, state, takes) in [
        (None, "succeeded", "1h"),
        (Some("2h"), "succeeded", "2h"),
        (Some("24h"), "expired", "24h"),
        (Some("30h"), "expired", "24h"),
    ] {
        let plan = plan(APPROVALS, &after(given));
        let agree = entry(&plan, "one/agree");
        assert_eq!(
            (agree.state.as_str(), Span(plan.takes_ms)),
            (state, span(takes)),
            "{given:?}"
        );
        let wanted: Vec<_> = agree
            .approvals
            .iter()
            .map(|rule| (rule.from.as_str(), rule.count))
            .collect();
        assert_eq!(wanted, [("group:qa", 2), ("user:ana", 1)]);
        assert!(agree.excludes_initiator);
    }
    let rejected = Assumptions {
        fail: vec!["agree".to_owned()],
        ..Assumptions::default()
    };
    assert_eq!(
        entry(&plan(APPROVALS, &rejected), "one/agree").state,
        "rejected"
    );
}

#[test]
fn what_fails_on_placeholders_is_no_defect_and_goes_on() {
    let document = "\
process: guesses
phases:
  one:
    activities:
      find: { uses: find@1, with: { what: it } }
      use: { needs: [find], uses: noop@1, with: { found: '${{ needs.find.outputs.found }}' } }
      last: { needs: [use], uses: noop@1 }
";
    let guessed = plan(document, &Assumptions::default());
    let used = entry(&guessed, "one/use");
    assert_eq!(
        (guessed.outcome.as_str(), used.state.as_str()),
        ("succeeded", "succeeded")
    );
    assert_eq!(used.reads_placeholders, ["one/find"]);
    let mut known = Assumptions::default();
    known
        .outputs
        .insert("find".to_owned(), json!({ "found": 7 }));
    let known = plan(document, &known);
    let used = entry(&known, "one/use");
    assert_eq!(
        used.with.as_ref().map(ToString::to_string).as_deref(),
        Some(r#"{"found":7}"#)
    );
    assert!(used.reads_placeholders.is_empty());
    // With outputs that are known, a fault is a fault.
    let mut wrong = Assumptions::default();
    wrong
        .outputs
        .insert("find".to_owned(), json!({ "lost": 7 }));
    let wrong = plan(document, &wrong);
    assert_eq!(entry(&wrong, "one/use").state, "on-hold");
}

#[test]
fn answers_that_do_not_fit_the_form_are_told() {
    let document = "\
process: form
phases:
  one:
    activities:
      agree:
        manual:
          instructions: Look at it.
          form: { type: object, required: [ticket], properties: { ticket: { type: string, pattern: '^T-[0-9]+$' } } }
";
    let guessed = plan(document, &Assumptions::default());
    assert_eq!(guessed.outcome, "stands-still");
    let remark = &entry(&guessed, "one/agree").remarks[0];
    assert!(remark.contains("/ticket"), "{remark}");
    let mut given = Assumptions::default();
    given
        .outputs
        .insert("agree".to_owned(), json!({ "ticket": "T-1" }));
    assert_eq!(plan(document, &given).outcome, "succeeded");
}

#[test]
fn what_cannot_be_rehearsed_has_a_code() {
    let unknown = |set: fn(&mut Assumptions)| {
        let mut assumptions = Assumptions::default();
        set(&mut assumptions);
        play(JOIN, &assumptions).expect_err("there is no such activity")
    };
    for error in [
        unknown(|assumptions| assumptions.fail.push("one/lnog".to_owned())),
        unknown(|assumptions| {
            assumptions
                .durations
                .extend([("one/lnog".to_owned(), Span(1))]);
        }),
        unknown(|assumptions| drop(assumptions.outputs.insert("one/lnog".to_owned(), json!({})))),
    ] {
        assert_eq!(error.code(), "unknown-activity");
        assert_eq!(
            error.to_string(),
            "the process has no activity `one/lnog`; did you mean `one/long`?"
        );
    }
    let inputs = Assumptions {
        inputs: json!({ "versoin": 1 }),
        ..Assumptions::default()
    };
    let error = play(JOIN, &inputs).expect_err("there are no inputs");
    assert_eq!(error.code(), "invalid-values");
    let ages = durations([("short", "3650d")]);
    let document = JOIN.replace(
        "short: { uses: noop@1, timeout: 4h }",
        "short: { uses: noop@1, timeout: 3650d }",
    );
    let error = play(&document, &ages).expect_err("it is no plan");
    assert_eq!(error.code(), "rehearsal-limit");
}

#[test]
fn a_plan_is_bounded_in_what_it_renders() {
    let text = "x".repeat(1000 * 1000);
    let mut document =
        "process: large\ninputs: { text: { type: string } }\nphases:\n  one:\n    activities:\n"
            .to_owned();
    for number in 0..20 {
        writeln!(
            document,
            "      a{number}: {{ uses: noop@1, with: {{ text: '${{{{ inputs.text }}}}' }} }}"
        )
        .expect("strings take all text");
    }
    let assumptions = Assumptions {
        inputs: json!({ "text": text }),
        ..Assumptions::default()
    };
    let error = play(&document, &assumptions).expect_err("it is too much");
    assert_eq!(
        error.to_string(),
        "the rehearsal goes beyond rehearsal bytes (16777216)"
    );
}
