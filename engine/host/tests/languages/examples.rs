//! The examples, one for each language beside Rust, and one by `wasi:http`, against servers that answer as the real ones do.

use fermata_core::attempt::Call;
use fermata_core::failure::FailureClass;
use serde_json::json;

use crate::kit::{Kit, Told, failure, lines, outputs};

fn said(lines: &[(fermata_core::attempt::LogLevel, String)]) -> Vec<&str> {
    lines.iter().map(|(_, line)| line.as_str()).collect()
}

#[tokio::test]
async fn a_change_ticket_is_opened_awaited_and_withdrawn() {
    let kit = Kit::admit("change-ticket").await;
    let inputs = json!({ "url": kit.server.url(""), "title": "payment 1.4.0 – Größe" });
    kit.server.answer(201, r#"{"id":"CHG-7"}"#);
    kit.server.answer(200, r#"{"state":"open"}"#);
    kit.server
        .answer(200, r#"{"state":"approved","approver":"Åsa"}"#);
    let (ran, told) = kit.to_the_end(inputs.clone(), Call::Run).await;
    let url = kit.server.url("/tickets/CHG-7");
    let opened = json!({ "id": "CHG-7", "url": url, "approver": "Åsa" });
    assert_eq!(outputs(&ran), opened);
    let waits = Some("CHG-7 waits for approval".to_owned());
    assert_eq!(told, [waits.clone(), waits]);
    assert_eq!(ran.report.evidence[0].fact.value()["approver"], "Åsa");
    let requests = kit.server.requests();
    assert!(
        requests[0]
            .head
            .contains("idempotency-key: release/phase/activity")
    );
    assert!(requests[0].body.contains("Größe"), "{requests:?}");
    assert_eq!(requests[2].line, "GET /tickets/CHG-7");

    kit.server.answer(204, "");
    let undone = kit.undo(inputs.clone(), Some(opened)).await;
    assert_eq!(said(&lines(&undone)), ["withdrew CHG-7"]);
    assert_eq!(
        kit.server.requests()[0].line,
        "POST /tickets/CHG-7/withdraw"
    );

    kit.server.answer(201, r#"{"id":"CHG-8"}"#);
    kit.server.answer(
        200,
        r#"{"state":"rejected","approver":"Bo","comment":"Friday"}"#,
    );
    let (failed, _) = failure(kit.to_the_end(inputs, Call::Run).await.0);
    assert_eq!(failed.class, FailureClass::Permanent);
    assert_eq!(failed.code.as_deref(), Some("rejected"));
    assert_eq!(failed.message, "Bo rejected CHG-8: Friday");
}

#[tokio::test]
async fn an_error_budget_lets_a_release_pass_or_not() {
    let kit = Kit::admit("error-budget").await;
    let inputs = json!({ "url": kit.server.url(""), "service": "payment", "objective": 0.999 });
    let sample =
        |ratio: &str| json!({ "data": { "result": [{ "value": [0, ratio] }] } }).to_string();
    kit.server.answer(200, sample("0.0005"));
    let ran = kit.run(inputs.clone()).await;
    let remaining = outputs(&ran)["remaining"].as_f64().unwrap();
    assert!((remaining - 0.5).abs() < 1e-6, "{remaining}");
    assert_eq!(
        said(&lines(&ran)),
        ["payment has 50.0% of its error budget left"]
    );
    let line = kit.server.requests()[0].line.clone();
    assert!(
        line.starts_with("GET /api/v1/query?query=sum%28increase"),
        "{line}"
    );

    kit.server.answer(200, sample("0.002"));
    let ran = kit.run(inputs.clone()).await;
    assert_eq!(ran.report.evidence[0].kind, "error-budget");
    let (failed, _) = failure(ran);
    assert_eq!(failed.code.as_deref(), Some("budget-exhausted"));
    assert_eq!(failed.details.unwrap().value()["service"], "payment");

    kit.server.answer(200, r#"{"data":{"result":[]}}"#);
    let (failed, _) = failure(kit.run(inputs).await);
    assert_eq!(
        (failed.class, failed.code.as_deref()),
        (FailureClass::Retryable, Some("no-data"))
    );
}

#[tokio::test]
async fn pages_are_purged_in_batches() {
    let kit = Kit::admit("purge-cdn").await;
    let pages: Vec<String> = (0..40)
        .map(|n| format!("https://example.com/ü/{n}"))
        .collect();
    let inputs = json!({ "url": kit.server.url(""), "zone": "shop", "pages": pages });
    for answer in [
        r#"{"id":"p-1"}"#,
        r#"{"state":"running"}"#,
        r#"{"state":"done"}"#,
        r#"{"id":"p-2"}"#,
        r#"{"state":"done"}"#,
    ] {
        kit.server.answer(200, answer);
    }
    let (ran, told) = kit.to_the_end(inputs.clone(), Call::Run).await;
    assert_eq!(outputs(&ran), json!({ "purged": 40 }));
    let told: Vec<_> = told.into_iter().flatten().collect();
    assert_eq!(
        told,
        [
            "0 of 40 pages are purged",
            "0 of 40 pages are purged",
            "30 of 40 pages are purged"
        ]
    );
    let requests = kit.server.requests();
    let sizes = [0, 3].map(|at| requests[at].body.matches("https://example.com/ü/").count());
    assert_eq!(sizes, [30, 10]);
    assert!(
        requests[3].head.contains("release/phase/activity/30"),
        "{requests:?}"
    );

    kit.server.answer(200, r#"{"id":"p-1"}"#);
    kit.server
        .answer(200, r#"{"state":"failed","reason":"edge lost"}"#);
    let (failed, _) = failure(kit.to_the_end(inputs, Call::Run).await.0);
    assert_eq!(failed.code.as_deref(), Some("purge-failed"));
    assert!(failed.message.contains("edge lost"), "{failed}");
}

#[tokio::test]
async fn a_release_is_marked_and_the_mark_is_taken_away() {
    let kit = Kit::admit("annotate").await;
    let inputs = json!({ "url": kit.server.url(""), "text": "payment \"1.4.0\" – 東京" });
    kit.server
        .answer(200, r#"{ "message": "added", "id": 42 }"#);
    let ran = kit.run(inputs.clone()).await;
    assert_eq!(outputs(&ran), json!({ "id": 42 }));
    let body: serde_json::Value = serde_json::from_str(&kit.server.requests()[0].body).unwrap();
    assert_eq!(
        body,
        json!({ "time": 1_700_000_000_000_u64, "tags": ["release", "process"], "text": inputs["text"] })
    );
    assert_eq!(ran.report.evidence[0].fact.value()["title"], inputs["text"]);

    kit.server.answer(404, "");
    let undone = kit.undo(inputs.clone(), Some(json!({ "id": 42 }))).await;
    assert_eq!(said(&lines(&undone)), ["took annotation 42 away"]);
    assert_eq!(kit.server.requests()[0].line, "DELETE /api/annotations/42");

    kit.server.answer(500, "down");
    let (failed, _) = failure(kit.run(inputs).await);
    assert_eq!(failed.class, FailureClass::Retryable);
}

#[tokio::test]
async fn pages_are_probed_by_plain_wasi_http() {
    let kit = Kit::admit("probe").await;
    let urls =
        |paths: &[&str]| -> Vec<String> { paths.iter().map(|path| kit.server.url(path)).collect() };
    for _ in 0..3 {
        kit.server.answer(200, "payment 1.4.0 is well – Größe");
    }
    let inputs = json!({ "urls": urls(&["/a", "/b?c", "/d#e"]), "contains": "is well" });
    let ran = kit.run(inputs).await;
    let pages = &outputs(&ran)["pages"];
    assert_eq!(pages[1]["url"], kit.server.url("/b?c"));
    assert_eq!(pages[2]["beginning"], "payment 1.4.0 is well – Größe");
    assert_eq!(said(&lines(&ran)), ["3 pages are well"]);
    let mut asked: Vec<_> = kit
        .server
        .requests()
        .into_iter()
        .map(|request| request.line)
        .collect();
    asked.sort();
    assert_eq!(asked, ["GET /a", "GET /b?c", "GET /d"]);

    // Where it leads to is not asked.
    kit.server.answer(302, "elsewhere");
    let (failed, _) = failure(kit.run(json!({ "urls": urls(&["/"]) })).await);
    assert_eq!(failed.code.as_deref(), Some("unhealthy"));
    assert_eq!(failed.details.unwrap().value()["status"], 302);
    assert_eq!(kit.server.requests().len(), 1);

    kit.server.answer(200, "x".repeat(9 * 1024 * 1024));
    let (failed, _) = failure(kit.run(json!({ "urls": urls(&["/"]) })).await);
    assert_eq!(failed.code.as_deref(), Some("too-large"));

    let hundred_and_one = urls(&["/"; 101]);
    let (failed, _) = failure(kit.run(json!({ "urls": hundred_and_one })).await);
    assert_eq!(failed.class, FailureClass::Limit("http-calls".into()));
    kit.server.requests();
}

#[tokio::test]
async fn a_probe_is_granted_hosts_and_secrets_as_all_are() {
    let kit = Kit::admit("probe").await;
    let inputs = json!({ "urls": [kit.server.url("/")], "secret_header": "authorization" });
    let ran = kit.run(inputs.clone()).await;
    assert_eq!(outputs(&ran)["pages"][0]["status"], 200);
    let head = kit.server.requests()[0].head.clone();
    assert!(
        head.contains("authorization: s3cret-of-the-test\r\n"),
        "{head}"
    );

    let host = kit.server.host();
    let elsewhere = json!({
        "http": [{ "host": host, "private": true }],
        "secrets": [{ "name": "probe-token", "hosts": ["other.example"] }],
    });
    let nowhere = json!({ "secrets": [{ "name": "probe-token", "hosts": [host] }] });
    for (grants, missing) in [(elsewhere, "secrets"), (nowhere, "http")] {
        let ran = kit
            .invoke(Told {
                inputs: inputs.clone(),
                grants,
                checkpoint: None,
                signal: None,
                call: Call::Run,
                key: "key",
            })
            .await;
        let log = lines(&ran);
        let (failed, _) = failure(ran);
        let FailureClass::Denied(grant) = &failed.class else {
            panic!("{failed}")
        };
        assert!(grant.contains(missing) && grant.contains(&host), "{grant}");
        assert_eq!(failed.code.as_deref(), Some("http-request-denied"));
        assert!(log[0].1.contains(grant.as_str()), "{log:?}");
        assert!(kit.server.requests().is_empty());
    }
}

#[tokio::test]
async fn an_instance_is_drained_and_put_back() {
    let kit = Kit::admit("drain").await;
    let inputs = json!({ "url": kit.server.url(""), "instance": "web-ü-1" });
    kit.server.answer(200, "");
    for connections in [12, 3, 0] {
        kit.server.answer(
            200,
            json!({ "connections": connections, "more": [] }).to_string(),
        );
    }
    let (ran, told) = kit.to_the_end(inputs.clone(), Call::Run).await;
    let drained = json!({ "instance": "web-ü-1", "connections": 0 });
    assert_eq!(outputs(&ran), drained);
    let told: Vec<_> = told.into_iter().flatten().collect();
    assert_eq!(
        told,
        ["web-ü-1 has 12 connections", "web-ü-1 has 3 connections"]
    );
    assert_eq!(ran.report.evidence[0].fact.value()["polls"], 2);
    let requests = kit.server.requests();
    assert_eq!(requests[0].body, r#"{"state":"draining"}"#);
    // It is taken out once, and looked at three times.
    assert_eq!(requests.len(), 4);
    assert!(
        requests[0]
            .head
            .contains("authorization: Bearer s3cret-of-the-test\r\n"),
        "{requests:?}"
    );

    let undone = kit.undo(inputs.clone(), None).await;
    assert_eq!(said(&lines(&undone)), ["web-ü-1 is back"]);
    assert_eq!(kit.server.requests()[0].body, r#"{"state":"active"}"#);

    kit.server.answer(409, "the last one");
    let (failed, _) = failure(kit.run(inputs).await);
    assert_eq!(failed.class, FailureClass::Permanent);
    assert!(
        failed.message.ends_with("status 409: the last one"),
        "{failed}"
    );
}
