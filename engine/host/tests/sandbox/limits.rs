//! Every bound, reached by a guest that tries.

use fermata_core::attempt::LogLevel;
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::json::Json;
use fermata_core::time::Span;
use fermata_host::{Limits, Rejection};

use crate::kit::{Kit, failure, invocation, messages, outputs};
use crate::source::{Source, guest};

fn assert_limit(failure: &Failure, name: &str) {
    assert_eq!(failure.class, FailureClass::Limit(name.into()), "{failure}");
    assert!(failure.remedy.is_some(), "{failure:?}");
}

async fn limited(name: &str, change: impl FnOnce(&mut Limits), source: Source<'_>) -> Failure {
    let told = Kit::limited(change).failure(source.module(), "{}").await;
    assert_limit(&told, name);
    told
}

#[tokio::test]
async fn processor_time() {
    let run = "(loop $again (br $again)) unreachable";
    let told = limited(
        "cpu",
        |limits| limits.cpu = Span(30),
        Source {
            run,
            ..Source::default()
        },
    )
    .await;
    assert!(told.backtrace[0].contains("run"), "{:?}", told.backtrace);
    assert!(told.message.contains("30 milliseconds"), "{}", told.message);
}

#[tokio::test]
async fn wall_time() {
    let kit = Kit::new(|_| ());
    let digest = kit
        .admit(guest(
            "(call $log (i32.const 1) «here») (loop $again (br $again)) unreachable",
        ))
        .await
        .digest;
    let mut invocation = invocation(digest);
    invocation.wall = Span(30);
    let told = failure(kit.invoke(invocation, "{}").await);
    assert_limit(&told, "wall");
    assert_eq!(told.last_log, ["here"]);
}

#[tokio::test]
async fn memory_that_is_grown_or_asked_for_at_once() {
    let grow = "(block $full (loop $more (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1))) (br $more)))
        unreachable";
    limited(
        "memory",
        |limits| limits.memory_bytes = 1 << 20,
        Source {
            run: grow,
            ..Source::default()
        },
    )
    .await;
    let kit = Kit::limited(|limits| limits.memory_bytes = 1 << 20);
    let two_mib = r#"(module (memory (export "memory") 32) (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "fermata:activity/run@0.1.0#describe") (result i32) unreachable)
        (func (export "fermata:activity/run@0.1.0#run") (param i32) (result i32) unreachable))"#;
    let rejection = kit.rejection(wat::parse_str(two_mib).unwrap()).await;
    assert_eq!(rejection.code(), "describe-failed");
    assert!(
        rejection.to_string().contains("limit memory"),
        "{rejection}"
    );
    let one_gib = two_mib.replace(
        "(memory (export \"memory\") 32)",
        "(memory (export \"memory\") 16384)",
    );
    match kit.rejection(wat::parse_str(one_gib).unwrap()).await {
        Rejection::CompileLimit { limit, .. } => assert_eq!(limit, "memory"),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn tables() {
    let more = "(table $t 1 funcref)";
    let run = "(if (i32.eq (table.grow $t (ref.null func) (i32.const 5000)) (i32.const -1)) (then unreachable))
        (call $succeed «{}»)";
    limited(
        "tables",
        |limits| limits.table_elements = 1_000,
        Source {
            more,
            run,
            ..Source::default()
        },
    )
    .await;
}

#[tokio::test]
async fn recursion() {
    let more = "(func $deeper (param i32) (result i32)
        (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))";
    let run = "(drop (call $deeper (i32.const 0))) (call $succeed «{}»)";
    let told = limited(
        "stack",
        |_| (),
        Source {
            more,
            run,
            ..Source::default()
        },
    )
    .await;
    assert!(
        told.backtrace[0].starts_with("deeper ("),
        "{:?}",
        told.backtrace
    );
}

#[tokio::test]
async fn what_one_call_hands_to_the_host() {
    let run = "(call $log (i32.const 1) (i32.const 0) (i32.const 131072)) (call $succeed «{}»)";
    limited(
        "host-call",
        |limits| limits.hostcall_bytes = 100_000,
        Source {
            run,
            ..Source::default()
        },
    )
    .await;
}

#[tokio::test]
async fn outputs_inputs_and_checkpoints() {
    let run = "(memory.fill (i32.const 4000) (i32.const 0x30) (i32.const 2000)) (call $succeed (i32.const 4000) (i32.const 2000))";
    limited(
        "output",
        |limits| limits.output_bytes = 1_000,
        Source {
            run,
            ..Source::default()
        },
    )
    .await;
    let run = "(call $suspend «too much» (i32.const 0))";
    limited(
        "checkpoint",
        |limits| limits.checkpoint_bytes = 5,
        Source {
            run,
            ..Source::default()
        },
    )
    .await;
    let kit = Kit::limited(|limits| limits.input_bytes = 10);
    let digest = kit.admit(Source::default().module()).await.digest;
    let mut invocation = invocation(digest);
    invocation.inputs = Json::of(&serde_json::json!("longer than ten bytes"));
    assert_limit(&failure(kit.invoke(invocation, "{}").await), "input");
}

#[tokio::test]
async fn a_flooded_log_is_cut_and_the_run_goes_on() {
    let kit = Kit::limited(|limits| limits.log_lines = 5);
    let flood = "(local $n i32)
        (loop $again (call $log (i32.const 1) «line») (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))
        (call $succeed «{}»)";
    let ran = kit.run(guest(flood), "{}").await;
    assert_eq!(outputs(&ran), serde_json::json!({}));
    assert_eq!(
        messages(&ran.log)[5..],
        ["995 more lines were dropped: the log is full"]
    );
}

#[tokio::test]
async fn facts() {
    let kit = Kit::limited(|limits| (limits.evidence_facts, limits.evidence_bytes) = (2, 20));
    let run = r#"(local $n i32)
        (loop $again (call $record «link» «{"a":1}» (i32.const 3000)) (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 3))))
        (call $fail (i32.const 0) (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))"#;
    let ran = kit.run(guest(run), "{}").await;
    assert_eq!(ran.report.evidence.len(), 2);
    assert!(failure(ran).message.contains("may record 2 facts"));
    let run = r#"(call $record «link» «{"a":"longer than twenty"}» (i32.const 3000))
        (call $fail (i32.const 0) (i32.load (i32.const 3004)) (i32.load (i32.const 3008)))"#;
    assert!(
        kit.failure(guest(run), "{}")
            .await
            .message
            .contains("20 are allowed")
    );
}

#[tokio::test]
async fn calls() {
    let run = "(loop $again (drop (call $call «http://127.0.0.1:1/» (i32.const 0) (i32.const 0))) (br $again)) unreachable";
    let told = limited(
        "http-calls",
        |limits| limits.http_calls = 3,
        Source {
            run,
            ..Source::default()
        },
    )
    .await;
    assert!(told.remedy.is_some());
}

#[tokio::test]
async fn from_half_of_a_limit_on_the_log_says_so() {
    let kit = Kit::limited(|limits| (limits.memory_bytes, limits.output_bytes) = (4 << 20, 8));
    let digest = kit.admit(guest(
        "(drop (memory.grow (i32.const 30))) (call $succeed «[1,2]»)",
    ));
    let ran = kit.invoke(invocation(digest.await.digest), "{}").await;
    let warned = messages(&ran.log);
    assert_eq!(warned.len(), 2, "{warned:?}");
    assert!(
        warned[0]
            .starts_with("the run used 50 % of the limit `memory` (2097152 of 4194304 bytes): "),
        "{warned:?}"
    );
    assert!(
        warned[1].contains("62 % of the limit `output`"),
        "{warned:?}"
    );
    assert_eq!(ran.log[0].level, LogLevel::Warn);
    let ran = kit.run(guest("(call $succeed «{}»)"), "{}").await;
    assert!(ran.log.is_empty(), "{:?}", ran.log);
}
