//! Policies and notifiers: recognised by what they export, asked within the same limits as activities.

use std::sync::Arc;

use fermata_core::attempt::LogLine;
use fermata_core::component::{Grants, World};
use fermata_core::extension::{Judged, Notification, Notified, Point, Question, Verdict};
use fermata_core::failure::FailureClass;
use fermata_core::id::Digest;
use fermata_core::json::Json;
use fermata_core::limits::TEXT_BYTES_MAX;
use fermata_core::time::{Span, Timestamp};

use crate::kit::{Kit, failure, invocation, messages};
use crate::source::{SUCCEED, Shape, Source, guest};

const POLICY: Shape = Shape {
    interface: "fermata:activity/judge@0.1.0",
    function: "judge",
    params: "i32 i32 i32 i32 i32 i64",
    imports: "",
};

const NOTIFIER: Shape = Shape {
    interface: "fermata:activity/notify@0.1.0",
    function: "notify",
    params: "i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i64",
    imports: "",
};

/// A policy whose `judge` has this body. Its parameters: point, settings, subject, now.
fn policy(judge: &str) -> Vec<u8> {
    let verdict = "(func $verdict (param $case i32) (param $at i32) (param $len i32) (result i32)
      (i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (local.get $case))
      (i32.store (i32.const 1036) (local.get $at)) (i32.store (i32.const 1040) (local.get $len))
      (i32.const 1024))";
    Source {
        world: &POLICY,
        more: verdict,
        run: judge,
        ..Source::default()
    }
    .module()
}

/// A notifier whose `notify` has this body.
fn notifier(notify: &str) -> Vec<u8> {
    Source {
        world: &NOTIFIER,
        run: notify,
        ..Source::default()
    }
    .module()
}

const ALLOW: &str = "(call $verdict (i32.const 0) (i32.const 0) (i32.const 0))";
const TOLD: &str = "(i32.store8 (i32.const 1024) (i32.const 0)) (i32.const 1024)";

fn question(digest: Digest) -> Question {
    Question {
        component: invocation(digest).component,
        point: Point::Activity,
        settings: Json::parse(r#"{"set":1}"#).unwrap(),
        subject: Json::parse(r#"{"phase":"uat"}"#).unwrap(),
        wall: Span(30_000),
        now: Timestamp(42),
    }
}

async fn judged(kit: &Kit, upload: Vec<u8>) -> Judged {
    let digest = kit.admit(upload).await.digest;
    let grants = Arc::new(Grants::default());
    kit.sandbox.judge(question(digest), grants).await
}

async fn notified(kit: &Kit, upload: Vec<u8>) -> Notified {
    let digest = kit.admit(upload).await.digest;
    let notification = Notification {
        component: invocation(digest).component,
        id: "ntf-1".into(),
        number: 3,
        settings: Json::parse(r#"{"set":1}"#).unwrap(),
        kind: "release-failed".into(),
        at: Timestamp(7),
        text: "rel-1 has failed".into(),
        data: Json::parse(r#"{"release":"rel-1"}"#).unwrap(),
        wall: Span(30_000),
        now: Timestamp(42),
    };
    let grants = Arc::new(Grants::default());
    kit.sandbox.notify(notification, grants).await
}

fn said(log: &[LogLine]) -> Vec<&str> {
    messages(log)
}

#[tokio::test]
async fn a_policy_is_told_everything_and_its_verdict_is_read() {
    let kit = Kit::new(|_| ());
    let log = "(call $log (i32.const 1) (local.get 1) (local.get 2))
        (call $log (i32.const 1) (local.get 3) (local.get 4))
        (if (i32.ne (local.get 0) (i32.const 2)) (then unreachable))
        (if (i64.ne (local.get 5) (i64.const 42)) (then unreachable))";
    let all = judged(&kit, policy(&format!("{log} {ALLOW}"))).await;
    assert_eq!(said(&all.log), [r#"{"set":1}"#, r#"{"phase":"uat"}"#]);
    assert_eq!(all.verdict, Ok(Verdict::Allow));
    let warned = judged(&kit, policy("(call $verdict (i32.const 1) «soon»)")).await;
    assert_eq!(warned.verdict, Ok(Verdict::Warn("soon".into())));
    let denied = judged(&kit, policy("(call $verdict (i32.const 2) «closed»)")).await;
    assert_eq!(denied.verdict, Ok(Verdict::Deny("closed".into())));
    let failed = judged(&kit, policy("(call $fail (i32.const 0) «no idea»)")).await;
    let failure = failed.verdict.unwrap_err();
    assert_eq!(
        (failure.class, failure.message.as_str()),
        (FailureClass::Permanent, "no idea")
    );
}

#[tokio::test]
async fn a_notifier_is_told_everything_and_may_ask_for_another_try() {
    let kit = Kit::new(|_| ());
    let log = [(0, 1), (3, 4), (5, 6), (8, 9), (10, 11)].map(|(at, length)| {
        format!("(call $log (i32.const 1) (local.get {at}) (local.get {length}))")
    });
    let log = log.concat();
    let told = notified(&kit, notifier(&format!("{log} {TOLD}"))).await;
    assert_eq!(told.told, Ok(()));
    assert_eq!(
        said(&told.log),
        [
            "ntf-1",
            r#"{"set":1}"#,
            "release-failed",
            "rel-1 has failed",
            r#"{"release":"rel-1"}"#
        ]
    );
    let later = notified(&kit, notifier("(call $fail (i32.const 1) «busy»)")).await;
    let untold = later.told.unwrap_err();
    assert_eq!(untold.failure.class, FailureClass::Retryable);
    assert_eq!(untold.retry_after, Some(Span(1500)));
}

#[tokio::test]
async fn the_world_is_known_by_the_exports_whatever_the_component_says() {
    let kit = Kit::new(|_| ());
    let claims = r#"{"name":"probe","version":"1.2.3","world":"notifier","reversible":true}"#;
    let claiming = Source {
        descriptor: claims,
        ..Source::default()
    };
    for (upload, world, reversible) in [
        (claiming.module(), World::Activity, Some(false)),
        (policy(ALLOW), World::Policy, None),
        (notifier(TOLD), World::Notifier, None),
    ] {
        let descriptor = kit.admit(upload).await.descriptor;
        assert_eq!(
            (descriptor.world, descriptor.reversible),
            (world, reversible)
        );
    }
}

#[tokio::test]
async fn no_component_is_of_two_worlds_or_has_what_its_world_has_not() {
    let kit = Kit::new(|_| ());
    let run =
        r#"(func (export "fermata:activity/run@0.1.0#run") (param i32) (result i32) unreachable)"#;
    let undo = r#"(func (export "fermata:activity/undo@0.1.0#undo") (param i32) (result i32) unreachable)"#;
    let notify =
        r#"(func (export "fermata:activity/notify@0.1.0#describe") (result i32) unreachable)"#;
    let progress = r#"(import "fermata:activity/progress@0.1.0" "report" (func $report (param i32 i32 i32 i32)))"#;
    let evidence = r#"(import "fermata:activity/evidence@0.1.0" "record" (func $record (param i32 i32 i32 i32 i32)))"#;
    for (imports, more, code, part) in [
        ("", run, "many-worlds", "both `fermata:activity/run"),
        ("", undo, "many-worlds", "`fermata:activity/undo"),
        ("", notify, "many-worlds", "`fermata:activity/notify"),
        (
            progress,
            "",
            "foreign-import",
            "which a policy has no access to",
        ),
        (
            evidence,
            "",
            "foreign-import",
            "which a policy has no access to",
        ),
    ] {
        let source = Source {
            world: &POLICY,
            imports,
            more,
            run: "unreachable",
            ..Source::default()
        };
        let rejection = kit.rejection(source.module()).await;
        assert_eq!(rejection.code(), code, "{rejection}");
        assert!(rejection.to_string().contains(part), "{rejection}");
    }
    let half = Source {
        world: &Shape {
            function: "judges",
            ..POLICY
        },
        run: "unreachable",
        ..Source::default()
    };
    let rejection = kit.rejection(half.module()).await;
    assert_eq!(rejection.code(), "missing-export");
    assert!(
        rejection.to_string().contains("judge@0.1.0#judge"),
        "{rejection}"
    );
}

#[tokio::test]
async fn nothing_is_called_as_what_it_is_not() {
    let kit = Kit::new(|_| ());
    let told = judged(&kit, guest(SUCCEED)).await.verdict.unwrap_err();
    assert_eq!(told.message, "probe@1.2.3 is an activity, not a policy");
    assert_eq!(told.code.as_deref(), Some("other-world"));
    let told = notified(&kit, policy(ALLOW))
        .await
        .told
        .unwrap_err()
        .failure;
    assert_eq!(told.message, "probe@1.2.3 is a policy, not a notifier");
    let told = failure(kit.run(notifier(TOLD), "{}").await);
    assert_eq!(told.message, "probe@1.2.3 is a notifier, not an activity");
    assert_eq!(told.class, FailureClass::Permanent);
}

#[tokio::test]
async fn policies_have_the_limits_of_activities() {
    let spin = "(loop $for_ever (br $for_ever)) unreachable";
    let bomb = "(loop $more (drop (memory.grow (i32.const 100))) (br $more)) unreachable";
    let giant = "(drop (memory.grow (i32.const 600))) (call $verdict (i32.const 2) (i32.const 0) (i32.const 33554432))";
    for (judge, class) in [
        (spin, FailureClass::Limit("cpu".into())),
        (bomb, FailureClass::Limit("cpu".into())),
        ("unreachable", FailureClass::Trap),
        (giant, FailureClass::Limit("host-call".into())),
    ] {
        let kit = Kit::limited(|limits| limits.cpu = Span(50));
        let failure = judged(&kit, policy(judge)).await.verdict.unwrap_err();
        assert_eq!(failure.class, class, "{judge}: {failure}");
        assert!(failure.remedy.is_some(), "{judge}");
    }
    let kit = Kit::new(|_| ());
    let digest = kit.admit(policy(spin)).await.digest;
    let asked = Question {
        wall: Span(40),
        ..question(digest)
    };
    let failure = kit.sandbox.judge(asked, Arc::default()).await.verdict;
    let failure = failure.unwrap_err();
    assert_eq!(failure.class, FailureClass::Limit("wall".into()));
    assert!(failure.remedy.unwrap().contains("`timeout` of the policy"));
}

#[tokio::test]
async fn what_a_policy_says_is_cut_to_a_screen() {
    let kit = Kit::new(|_| ());
    let long = "(memory.fill (i32.const 66000) (i32.const 97) (i32.const 20000))
        (call $verdict (i32.const 2) (i32.const 66000) (i32.const 20000))";
    let Ok(Verdict::Deny(text)) = judged(&kit, policy(long)).await.verdict else {
        panic!("it denies");
    };
    assert_eq!(text, "a".repeat(TEXT_BYTES_MAX));
}
