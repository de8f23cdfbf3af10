//! The examples, one for each language beside Rust, against servers that answer as the real ones do.

use fermata_core::attempt::Call;
use fermata_core::failure::FailureClass;
use serde_json::json;

use crate::kit::{Kit, failure, lines, outputs};

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
