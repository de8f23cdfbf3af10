//! How runs end, and what is told about it.

use fermata_core::attempt::{LogLevel, Outcome, Resume};
use fermata_core::failure::FailureClass;
use fermata_core::time::{Span, Timestamp};
use serde_json::json;

use crate::kit::{Kit, failure, invocation, messages, outputs};
use crate::source::{Source, guest};

#[tokio::test]
async fn a_guest_sees_its_attempt_and_inputs() {
    let kit = Kit::new(|_| ());
    for (field, expected) in [
        // The inputs, and texts of the attempt, as outputs.
        ("(call $succeed (i32.load offset=80 (local.get 0)) (i32.load offset=84 (local.get 0)))", json!({ "input": 1 })),
        ("(i32.store8 (i32.const 4000) (i32.add (i32.const 48) (i32.load offset=32 (local.get 0))))
          (call $succeed (i32.const 4000) (i32.const 1))", json!(2)),
        ("(i32.store8 (i32.const 4000) (i32.add (i32.const 48) (i32.wrap_i64 (i64.div_u (i64.load offset=48 (local.get 0)) (i64.const 7)))))
          (call $succeed (i32.const 4000) (i32.const 1))", json!(6)),
        ("(i32.store8 (i32.const 4000) (i32.add (i32.const 48) (i32.load offset=64 (local.get 0))))
          (call $succeed (i32.const 4000) (i32.const 1))", json!(7)),
    ] {
        assert_eq!(outputs(&kit.run(guest(field), "{}").await), expected, "{field}");
    }
    let key = "(call $log (i32.const 1) (i32.load offset=36 (local.get 0)) (i32.load offset=40 (local.get 0)))
        (call $log (i32.const 1) (i32.load (local.get 0)) (i32.load offset=4 (local.get 0)))
        (call $succeed «null»)";
    let ran = kit.run(guest(key), "{}").await;
    assert_eq!(
        messages(&ran.log),
        ["release/phase/activity", "rel-00000000000000000000000001"]
    );
}

#[tokio::test]
async fn logs_progress_and_evidence_are_kept() {
    let kit = Kit::new(|_| ());
    let run = r#"
        (call $log (i32.const 0) «looking») (call $log (i32.const 3) «grün»)
        (call $report (i32.const 1) (i32.const 250) «almost»)
        (call $report (i32.const 0) (i32.const 0) «too soon for another»)
        (call $record «deployment» «{"service": "payment"}» (i32.const 3000))
        (if (i32.load8_u (i32.const 3000)) (then unreachable))
        (call $record «deployment» «not json» (i32.const 3000))
        (call $log (i32.const 2) (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))
        (call $record «Not A Kind» «{}» (i32.const 3000))
        (if (i32.eqz (i32.load8_u (i32.const 3000))) (then unreachable))
        (call $record «link» «[]» (i32.const 3000))
        (if (i32.eqz (i32.load8_u (i32.const 3000))) (then unreachable))
        (call $record «ticket» «{}» (i32.const 3000))
        (if (i32.eqz (i32.load8_u (i32.const 3000))) (then unreachable))
        (call $log (i32.const 2) (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))
        (call $succeed «{ "done" : true }»)"#;
    let ran = kit.run(guest(run), "{}").await;
    assert_eq!(outputs(&ran), json!({ "done": true }));
    assert_eq!(ran.log[0].level, LogLevel::Debug);
    assert_eq!(ran.log[1].message, "grün");
    assert_eq!(ran.log[1].at, Timestamp(1_700_000_000_000));
    assert!(ran.log[2].message.contains("not JSON"), "{:?}", ran.log);
    // A kind that `describe` does not name.
    assert!(ran.log[3].message.contains("`ticket`"), "{:?}", ran.log);
    assert_eq!(ran.report.evidence.len(), 1);
    assert_eq!(
        ran.report.evidence[0].fact.value(),
        json!({ "service": "payment" })
    );
    let progress = kit.progress.lock().unwrap();
    assert_eq!(progress.len(), 1);
    assert_eq!(
        (progress[0].percent, progress[0].message.as_str()),
        (Some(100), "almost")
    );
}

#[tokio::test]
async fn guests_say_how_they_failed() {
    let kit = Kit::new(|_| ());
    let run = "(call $log (i32.const 1) «line») (call $fail (i32.const 1) «not yet»)";
    let ran = kit.run(guest(run), "{}").await;
    let Outcome::Failed {
        failure: told,
        retry_after,
    } = ran.report.outcome
    else {
        panic!()
    };
    assert_eq!(
        (told.class, told.message.as_str()),
        (FailureClass::Retryable, "not yet")
    );
    assert_eq!(
        (retry_after, told.last_log),
        (Some(Span(1_500)), vec!["line".to_owned()])
    );
    let told = kit
        .failure(guest("(call $fail (i32.const 0) «never»)"), "{}")
        .await;
    assert_eq!(
        (told.class, told.message.as_str()),
        (FailureClass::Permanent, "never")
    );
}

#[tokio::test]
async fn suspensions_carry_their_checkpoint() {
    let kit = Kit::new(|_| ());
    let ran = kit
        .run(guest("(call $suspend «abc» (i32.const 0))"), "{}")
        .await;
    let pending = Outcome::Pending {
        checkpoint: b"abc".to_vec(),
        resume: Resume::After(Span(2_000)),
        status: None,
    };
    assert_eq!(ran.report.outcome, pending);
    let ran = kit
        .run(guest("(call $suspend «abc» (i32.const 1))"), "{}")
        .await;
    let pending = Outcome::Pending {
        checkpoint: b"abc".to_vec(),
        resume: Resume::Signal("abc".parse().unwrap()),
        status: None,
    };
    assert_eq!(ran.report.outcome, pending);
    let told = kit
        .failure(guest("(call $suspend «A b» (i32.const 1))"), "{}")
        .await;
    assert_eq!(told.class, FailureClass::Contract);
    assert!(told.message.contains("\"A b\""), "{}", told.message);
}

#[tokio::test]
async fn traps_have_a_back_trace_with_names() {
    let kit = Kit::new(|_| ());
    let more =
        "(func $_ZN6deploy4wait17h0123456789abcdefE (drop (i32.div_u (i32.const 1) (i32.const 0))))
        (func $outer (call $_ZN6deploy4wait17h0123456789abcdefE))";
    let run = "(call $log (i32.const 1) «before») (call $outer) (call $succeed «{}»)";
    let told = kit
        .failure(
            Source {
                more,
                run,
                ..Source::default()
            }
            .module(),
            "{}",
        )
        .await;
    assert_eq!(told.class, FailureClass::Trap);
    assert!(told.message.contains("divide by zero"), "{}", told.message);
    assert_eq!(told.last_log, ["before"]);
    assert_eq!(told.backtrace[..2], ["deploy::wait", "outer"]);
    let run = "(call $log (i32.const 3) «panicked at src/lib.rs:1:2:\nno money») unreachable";
    let told = kit.failure(guest(run), "{}").await;
    assert_eq!(
        told.message,
        "the guest panicked at src/lib.rs:1:2: no money"
    );
    let bad_pointer = kit
        .failure(guest("(call $succeed (i32.const -1) (i32.const 9))"), "{}")
        .await;
    assert_eq!(bad_pointer.class, FailureClass::Contract, "{bad_pointer}");
}

#[tokio::test]
async fn outputs_have_to_be_what_was_promised() {
    let kit = Kit::new(|_| ());
    let descriptor = r#"{"name":"probe","version":"1.2.3","outputs":
        {"type":"object","required":["url"],"properties":{"url":{"type":"string"}},"additionalProperties":false}}"#;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (text, said) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("{} {}", "not JSON"),
        ("{}", "url"),
        (r#"{"url":1}"#, "url"),
        (r#"{"url":"x","more":1}"#, "more"),
        (&deep, "nested deeper"),
    ] {
        let run = format!("(call $succeed «{text}»)");
        let told = kit
            .failure(
                Source {
                    descriptor,
                    run: &run,
                    ..Source::default()
                }
                .module(),
                "{}",
            )
            .await;
        assert_eq!(told.class, FailureClass::Contract, "{text}");
        assert!(told.message.contains(said), "{text}: {}", told.message);
    }
    let run = r#"(call $succeed «{"url":"x"}»)"#;
    let ran = kit
        .run(
            Source {
                descriptor,
                run,
                ..Source::default()
            }
            .module(),
            "{}",
        )
        .await;
    assert_eq!(outputs(&ran), json!({ "url": "x" }));
}

#[tokio::test]
async fn nothing_survives_from_one_run_to_the_next() {
    let kit = Kit::new(|_| ());
    let more = "(global $runs (mut i32) (i32.const 48))";
    let run = "(global.set $runs (i32.add (global.get $runs) (i32.const 1)))
        (i32.store8 (i32.const 4000) (i32.add (global.get $runs) (i32.load8_u (i32.const 4001))))
        (i32.store8 (i32.const 4001) (i32.const 1))
        (call $succeed (i32.const 4000) (i32.const 1))";
    let digest = kit
        .admit(
            Source {
                more,
                run,
                ..Source::default()
            }
            .module(),
        )
        .await
        .digest;
    for _ in 0..3 {
        assert_eq!(outputs(&kit.invoke(invocation(digest), "{}").await), 1);
    }
}

#[tokio::test]
async fn a_dropped_run_leaves_a_sandbox_that_works() {
    let kit = Kit::new(|config| config.limits.concurrent_runs = 1);
    let spin = kit
        .admit(guest("(loop $again (br $again)) unreachable"))
        .await
        .digest;
    let fine = kit.admit(Source::default().module()).await.digest;
    let run = kit.invoke(invocation(spin), "{}");
    let dropped = tokio::time::timeout(std::time::Duration::from_millis(50), run).await;
    assert!(dropped.is_err());
    assert_eq!(
        outputs(&kit.invoke(invocation(fine), "{}").await),
        json!({})
    );
}

#[tokio::test]
async fn a_panic_of_the_host_is_a_failure_of_the_engine() {
    let kit = Kit::new(|_| ());
    let digest = kit
        .admit(guest(
            "(call $report (i32.const 0) (i32.const 0) «x») (call $succeed «{}»)",
        ))
        .await
        .digest;
    let sink = std::sync::Arc::new(|_| panic!("a sink that should not"));
    let ran = kit
        .sandbox
        .run(invocation(digest), std::sync::Arc::default(), sink)
        .await;
    assert_eq!(failure(ran).class, FailureClass::Engine);
    assert_eq!(
        outputs(&kit.invoke(invocation(digest), "{}").await),
        json!({})
    );
}
