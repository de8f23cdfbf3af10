//! Calls of `undo`.

use fermata_core::attempt::{Call, Invocation, Outcome};
use fermata_core::failure::FailureClass;
use fermata_core::json::Json;
use serde_json::json;

use crate::kit::{Kit, failure, invocation, messages, outputs};
use crate::source::{SUCCEED, Source, guest};

/// A guest whose `undo` has this body. The parameters stand where those of `run` do; behind the
/// inputs come the outputs.
fn reversible(undo: &str) -> Vec<u8> {
    let more = format!(
        r#"(func (export "fermata:activity/undo@0.1.0#undo") (param i32) (result i32) {undo})"#
    );
    Source {
        more: &more,
        ..Source::default()
    }
    .module()
}

fn undone(digest: fermata_core::id::Digest, outputs: Option<&str>) -> Invocation {
    let outputs = outputs.map(|text| Json::parse(text).unwrap());
    Invocation {
        call: Call::Undo { outputs },
        number: 1,
        idempotency_key: "release/phase/activity/undo".into(),
        ..invocation(digest)
    }
}

#[tokio::test]
async fn undo_gets_the_attempt_and_what_run_got_and_gave() {
    let kit = Kit::new(|_| ());
    let body = "(call $log (i32.const 1) (i32.load offset=36 (local.get 0)) (i32.load offset=40 (local.get 0)))
        (call $log (i32.const 1) (i32.load offset=80 (local.get 0)) (i32.load offset=84 (local.get 0)))
        (if (i32.load8_u offset=88 (local.get 0)) (then
          (call $log (i32.const 1) (i32.load offset=92 (local.get 0)) (i32.load offset=96 (local.get 0)))))
        (call $succeed «{}»)";
    let digest = kit.admit(reversible(body)).await.digest;
    let ran = kit.invoke(undone(digest, Some(r#"{"was":7}"#)), "{}").await;
    assert_eq!(
        messages(&ran.log),
        [
            "release/phase/activity/undo",
            r#"{"input":1}"#,
            r#"{"was":7}"#
        ]
    );
    assert_eq!(outputs(&ran), json!({}));
    let ran = kit.invoke(undone(digest, None), "{}").await;
    assert_eq!(messages(&ran.log).len(), 2, "{:?}", ran.log);
}

#[tokio::test]
async fn undo_may_suspend_and_fail_and_need_not_keep_the_promise_of_run() {
    let kit = Kit::new(|_| ());
    let digest = kit
        .admit(reversible("(call $suspend «half» (i32.const 0))"))
        .await
        .digest;
    let ran = kit.invoke(undone(digest, None), "{}").await;
    assert!(
        matches!(ran.report.outcome, Outcome::Pending { .. }),
        "{ran:?}"
    );
    let digest = kit
        .admit(reversible("(call $fail (i32.const 0) «no»)"))
        .await
        .digest;
    let failed = failure(kit.invoke(undone(digest, None), "{}").await);
    assert_eq!(
        (failed.class, failed.message.as_str()),
        (FailureClass::Permanent, "no")
    );
    let source = Source {
        descriptor: r#"{"name":"probe","version":"1.2.3","outputs":{"type":"object","required":["was"]}}"#,
        more: &format!(
            r#"(func (export "fermata:activity/undo@0.1.0#undo") (param i32) (result i32) {SUCCEED})"#
        ),
        ..Source::default()
    };
    let digest = kit.admit(source.module()).await.digest;
    assert_eq!(
        outputs(&kit.invoke(undone(digest, None), "{}").await),
        json!({})
    );
}

#[tokio::test]
async fn a_component_without_undo_says_so() {
    let kit = Kit::new(|_| ());
    let digest = kit.admit(guest(SUCCEED)).await.digest;
    let failed = failure(kit.invoke(undone(digest, None), "{}").await);
    assert_eq!(failed.class, FailureClass::Permanent);
    assert_eq!(failed.code.as_deref(), Some("no-undo"));
    assert_eq!(failed.message, "probe@1.2.3 exports no `undo`");
}
