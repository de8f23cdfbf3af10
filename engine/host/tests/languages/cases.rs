//! What every SDK has to do alike.

use fermata_core::attempt::{Call, LogLevel, Outcome, Resume};
use fermata_core::failure::FailureClass;
use fermata_core::id::ReleaseId;
use fermata_core::time::Span;
use serde_json::{Value, json};

use crate::kit::{Kit, Told, failure, lines, outputs};

/// Bytes of every length in UTF-8, what JSON has to escape, and what C takes for an end.
const TEXT: &str = "grün 東京 🚀 \"quoted\" \\ / \n\t\u{1}";
const MIB: usize = 1024 * 1024;

/// Runs every case.
pub(crate) async fn all(kit: &Kit) {
    descriptor(kit);
    inputs_and_outputs(kit).await;
    failures(kit).await;
    suspension(kit).await;
    signal(kit).await;
    calls(kit).await;
    calls_that_fail(kit).await;
    secrets(kit).await;
    evidence(kit).await;
    log(kit).await;
    crash(kit).await;
    undo(kit).await;
}

fn told(what: &str, text: &str) -> Value {
    json!({ "do": what, "text": text })
}

fn descriptor(kit: &Kit) {
    let descriptor = &kit.admitted.descriptor;
    assert_eq!(descriptor.name.to_string(), kit.name);
    assert_eq!(descriptor.summary, "Does what it is told, for tests.");
    assert_eq!(descriptor.inputs["properties"]["do"]["type"], "string");
    assert_eq!(descriptor.inputs["required"], json!(["do"]));
    assert_eq!(descriptor.outputs["properties"]["text"]["type"], "string");
    let retry = descriptor.retry.clone().unwrap();
    assert_eq!(
        (retry.attempts, retry.backoff.as_deref()),
        (3, Some("2000ms"))
    );
    assert_eq!(descriptor.timeout.as_deref(), Some("90000ms"));
    let wishes = &descriptor.capabilities;
    assert_eq!(wishes.http[0].host, "*");
    assert_eq!(wishes.http[0].methods, ["GET", "POST"]);
    assert_eq!(wishes.secrets, ["token"]);
    assert_eq!(wishes.evidence, ["link"]);
    assert!(kit.admitted.exports_undo);
}

async fn inputs_and_outputs(kit: &Kit) {
    let ran = kit.run(told("echo", TEXT)).await;
    assert_eq!(outputs(&ran)["text"], TEXT);
    let ran = kit.run(told("echo", "")).await;
    assert_eq!(outputs(&ran)["text"], "");
    let ran = kit.run(told("attempt", "")).await;
    let release = ReleaseId(1);
    assert_eq!(
        outputs(&ran)["text"],
        format!("{release}|process|phase|activity|2|release/phase/activity|1700000000000")
    );
}

async fn failures(kit: &Kit) {
    let (failed, after) = failure(kit.run(told("retryable", TEXT)).await);
    assert_eq!(failed.class, FailureClass::Retryable);
    assert_eq!(failed.message, TEXT);
    assert_eq!(failed.code.as_deref(), Some("busy"));
    assert_eq!(failed.details.unwrap().value(), json!({ "text": TEXT }));
    assert_eq!(after, Some(Span(1500)));

    let (failed, after) = failure(kit.run(told("permanent", "no")).await);
    assert_eq!(failed.class, FailureClass::Permanent);
    assert_eq!(
        (failed.message.as_str(), failed.code.as_deref()),
        ("no", Some("wrong"))
    );
    assert_eq!((failed.details, after), (None, None));
}

async fn suspension(kit: &Kit) {
    let first = kit.run(told("count", TEXT)).await;
    match &first.report.outcome {
        Outcome::Pending { resume, status, .. } => {
            assert_eq!(*resume, Resume::After(Span(2000)));
            assert_eq!(status.as_deref(), Some("counting 1"));
        }
        other => panic!("expected a suspension: {other:?}"),
    }
    let (ran, statuses) = kit.to_the_end(told("count", TEXT), Call::Run).await;
    assert_eq!(outputs(&ran)["text"], format!("2 {TEXT}"));
    assert_eq!(
        statuses,
        [Some("counting 1".to_owned()), Some("counting 2".to_owned())]
    );
}

async fn signal(kit: &Kit) {
    let told = |signal: Option<Value>, checkpoint| Told {
        inputs: told("signal", TEXT),
        grants: kit.grants(),
        checkpoint,
        signal,
        call: Call::Run,
        key: "key",
    };
    let first = kit.invoke(told(None, None)).await;
    let Outcome::Pending {
        checkpoint,
        resume,
        status,
    } = first.report.outcome
    else {
        panic!("expected a suspension: {:?}", first.report.outcome);
    };
    assert_eq!(resume, Resume::Signal("approved".parse().unwrap()));
    assert_eq!(status.as_deref(), Some("waits"));
    let payload = json!({ "by": "Åsa \"A\" 東京" });
    let ran = kit
        .invoke(told(Some(payload), Some(checkpoint.clone())))
        .await;
    assert_eq!(outputs(&ran)["text"], format!("{TEXT} Åsa \"A\" 東京"));

    // Without a signal it waits again, whatever the checkpoint says.
    let again = kit.invoke(told(None, Some(checkpoint))).await;
    assert!(
        matches!(again.report.outcome, Outcome::Pending { .. }),
        "{again:?}"
    );
}

async fn calls(kit: &Kit) {
    let call =
        |text: &str| json!({ "do": "call", "text": text, "url": kit.server.url("/echo?q=1") });
    let ran = kit.run(call(TEXT)).await;
    assert_eq!(outputs(&ran), json!({ "text": TEXT, "status": 200 }));
    let request = &kit.server.requests()[0];
    assert_eq!(request.line, "POST /echo?q=1");
    let head = request.head.to_ascii_lowercase();
    assert!(head.contains("x-text: a\r\n"), "{head}");
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body, json!({ "text": TEXT }));

    // What comes back may be longer than what may be sent.
    let long = "ü".repeat(MIB);
    kit.server.answer(200, json!({ "text": long }).to_string());
    let inputs = call("");
    let (failed, _) = failure(kit.run(inputs).await);
    assert_eq!(failed.class, FailureClass::Limit("output".into()));
    let half = "ü".repeat(MIB / 4);
    let ran = kit.run(call(&half)).await;
    assert_eq!(outputs(&ran)["text"], half);
    kit.server.requests();

    kit.server.answer(404, "");
    let inputs = json!({ "do": "status", "url": kit.server.url("/status") });
    let ran = kit.run(inputs).await;
    assert_eq!(outputs(&ran), json!({ "text": "yes", "status": 404 }));
}

async fn calls_that_fail(kit: &Kit) {
    let url = kit.server.url("/a?token=s3cret");
    let call = || json!({ "do": "call", "text": "", "url": url });
    let shown = format!("POST {}", kit.server.url("/a"));

    kit.server.answer(503, "too\n busy");
    let (failed, after) = failure(kit.run(call()).await);
    assert_eq!(failed.class, FailureClass::Retryable);
    assert_eq!(failed.code.as_deref(), Some("http-status"));
    assert!(
        failed
            .message
            .starts_with(&format!("{shown} was answered with status 503: too")),
        "{failed}"
    );
    assert_eq!(after, Some(Span(7000)));

    kit.server.answer(503, b"caf\xe9".to_vec());
    let (failed, _) = failure(kit.run(call()).await);
    assert_eq!(failed.class, FailureClass::Retryable, "{failed}");

    kit.server.answer(404, "");
    let (failed, after) = failure(kit.run(call()).await);
    assert_eq!((failed.class, after), (FailureClass::Permanent, None));
    assert_eq!(
        failed.message,
        format!("{shown} was answered with status 404")
    );

    let ran = kit
        .invoke(Told {
            inputs: call(),
            grants: json!({}),
            checkpoint: None,
            signal: None,
            call: Call::Run,
            key: "key",
        })
        .await;
    let (failed, _) = failure(ran);
    assert!(
        matches!(failed.class, FailureClass::Denied(_)),
        "{failed:?}"
    );
    assert_eq!(failed.code.as_deref(), Some("http-denied"));
    assert!(
        failed
            .message
            .starts_with(&format!("{shown} is not granted: ")),
        "{failed}"
    );

    let (failed, _) = failure(kit.run(json!({ "do": "status", "url": "no url" })).await);
    assert_eq!(failed.code.as_deref(), Some("http-invalid"), "{failed}");
    kit.server.requests();
}

async fn secrets(kit: &Kit) {
    let secret = |name: &str| json!({ "do": "secret", "text": name, "url": kit.server.url("/") });
    kit.server.answer(200, "taken");
    let ran = kit.run(secret("token")).await;
    assert_eq!(outputs(&ran)["text"], "taken");
    let head = kit.server.requests()[0].head.clone();
    assert!(head.contains("s3cret-of-the-test"), "{head}");
    let (failed, _) = failure(kit.run(secret("other")).await);
    let code = failed.code.as_deref().unwrap();
    assert!(
        code == "secret-denied" || code == "secret-unknown",
        "{failed}"
    );
}

async fn evidence(kit: &Kit) {
    let inputs = json!({ "do": "evidence", "text": TEXT, "url": "https://example.com/ü" });
    let ran = kit.run(inputs).await;
    assert_eq!(outputs(&ran)["text"], "recorded");
    let recorded = &ran.report.evidence[0];
    assert_eq!(recorded.kind, "link");
    assert_eq!(
        recorded.fact.value(),
        json!({ "url": "https://example.com/ü", "title": TEXT })
    );
    let (failed, _) = failure(kit.run(told("attach", TEXT)).await);
    assert_eq!(failed.code.as_deref(), Some("evidence"));
    assert!(
        failed
            .message
            .starts_with("the evidence was not recorded: "),
        "{failed}"
    );
}

async fn log(kit: &Kit) {
    let text = "grün 東京 🚀";
    let ran = kit.run(told("log", text)).await;
    assert_eq!(outputs(&ran)["text"], "logged");
    let mut expected = vec![
        (LogLevel::Debug, format!("debug {text}")),
        (LogLevel::Info, format!("info {text}")),
        (LogLevel::Warn, format!("warn {text}")),
        (LogLevel::Error, format!("error {text}")),
    ];
    // Rust and Zig for this target have no standard output.
    if !["sdk-rust", "sdk-zig"].contains(&kit.name.as_str()) {
        expected.push((LogLevel::Info, format!("printed {text}")));
    }
    assert_eq!(lines(&ran), expected);
    let progress = kit.progress();
    assert_eq!(progress.len(), 1);
    assert_eq!(
        (progress[0].percent, progress[0].message.as_str()),
        (Some(40), text)
    );
}

async fn crash(kit: &Kit) {
    let ran = kit.run(told("crash", "grün 東京")).await;
    let log = lines(&ran);
    let (failed, _) = failure(ran);
    assert_eq!(failed.class, FailureClass::Trap, "{failed}: {log:#?}");
    assert!(
        failed.message.starts_with("the guest panicked at "),
        "{failed}: {log:#?}"
    );
    assert!(failed.message.contains("grün 東京"), "{failed}: {log:#?}");
    let place = match kit.name.as_str() {
        "sdk-rust" => "lib.rs:",
        "sdk-js" => "activity.js:",
        "sdk-python" => "activity.py:",
        "sdk-go" => "main.go:",
        "sdk-zig" => "activity.zig:",
        _ => "activity.c:",
    };
    assert!(failed.message.contains(place), "{failed}: {log:#?}");
    assert!(
        log.iter().any(|(level, _)| *level == LogLevel::Error),
        "{log:#?}"
    );
}

async fn undo(kit: &Kit) {
    let ran = kit
        .undo(told("echo", ""), Some(json!({ "text": TEXT })))
        .await;
    assert_eq!(outputs(&ran), json!({}));
    assert_eq!(
        lines(&ran),
        [(LogLevel::Info, format!("undoes echo: {TEXT}"))]
    );
    let ran = kit.undo(told("echo", ""), None).await;
    assert_eq!(
        lines(&ran),
        [(LogLevel::Info, "undoes echo: nothing".to_owned())]
    );
}
