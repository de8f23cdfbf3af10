//! Deployments against a platform that answers as each story needs it.

use fermata_sdk::testing::{self, Answer, Host};

use super::*;

const URL: &str = "http://platform/environments/staging/services/payment";

fn inputs() -> Value {
    json!({ "service": "payment", "environment": "staging", "version": "1.1.0", "url": "http://platform/" })
}

/// A status that wants `wanted` while `version` runs.
fn status(version: Option<&str>, wanted: &str, state: &str) -> Answer {
    let running = state == "running";
    let reason = (!running).then_some("the process exited with 1: no database");
    let url = version.map(|_| "http://127.0.0.1:4000");
    Answer::json(
        200,
        &json!({
            "service": "payment", "environment": "staging", "version": version, "previous": "1.0.0",
            "wanted": wanted, "state": state, "healthy": running, "reason": reason, "url": url,
        }),
    )
}

fn accepted(previous: Option<&str>) -> Answer {
    Answer::json(202, &json!({ "deployment": "d-1", "previous": previous }))
}

/// A host whose platform accepts a deployment and then shows `looks` one after the other.
fn host(looks: impl IntoIterator<Item = Answer>) -> Host {
    let host = Host::install();
    host.answer("PUT", URL, accepted(Some("1.0.0")));
    for look in looks {
        host.answer("GET", URL, look);
    }
    host
}

#[test]
fn a_deployment_is_watched_until_it_is_healthy_and_then_recorded() {
    let host = host([
        status(Some("1.0.0"), "1.1.0", "deploying"),
        status(Some("1.0.0"), "1.1.0", "deploying"),
        status(Some("1.1.0"), "1.1.0", "running"),
    ]);
    let outputs = testing::finish::<Deploy>(inputs()).expect("deploys");
    assert_eq!(outputs.previous.as_deref(), Some("1.0.0"));
    assert_eq!(outputs.deployment, "d-1");
    assert_eq!(host.requests().len(), 4);
    let put = &host.requests()[0];
    assert_eq!(
        put.header_value("idempotency-key"),
        Some(testing::attempt().idempotency_key.as_str())
    );
    assert_eq!(put.body_bytes(), Some(br#"{"version":"1.1.0"}"#.as_slice()));
    let fact = json!({
        "service": "payment", "environment": "staging", "version": "1.1.0",
        "previous": "1.0.0", "url": "http://127.0.0.1:4000",
    });
    assert_eq!(host.evidence(), [("deployment".to_owned(), fact)]);
}

#[test]
fn what_goes_wrong_is_told_with_the_platforms_own_words() {
    for (state, wanted, code, retryable, message) in [
        (
            "crashed",
            "1.1.0",
            "crashed",
            false,
            "payment in staging 1.1.0 crashed: the process exited with 1: no database",
        ),
        (
            "unhealthy",
            "1.1.0",
            "unhealthy",
            true,
            "payment in staging 1.1.0 is unhealthy: the process exited with 1: no database",
        ),
        (
            "deploying",
            "1.1.0",
            "not-finished",
            true,
            "payment in staging 1.1.0 is still being deployed",
        ),
        (
            "running",
            "2.0.0",
            "superseded",
            false,
            "payment in staging was to run 1.1.0, but 2.0.0 was asked for since",
        ),
    ] {
        let host = host([status(Some("1.0.0"), wanted, state)]);
        let failure = testing::finish::<Deploy>(inputs()).expect_err(state);
        assert_eq!(failure.message(), message);
        assert_eq!(failure.code_given(), Some(code));
        assert_eq!(failure.is_retryable(), retryable, "{state}");
        assert!(host.evidence().is_empty());
    }
}

#[test]
fn a_service_may_be_unhealthy_for_a_moment() {
    host([
        status(None, "1.1.0", "unhealthy"),
        status(Some("1.1.0"), "1.1.0", "running"),
    ]);
    testing::finish::<Deploy>(inputs()).expect("recovers");
}

#[test]
fn a_platform_that_is_down_or_refuses_is_a_failure() {
    for (answer, retryable) in [(Answer::status(503), true), (Answer::status(422), false)] {
        let host = Host::install();
        host.answer("PUT", URL, answer);
        let failure = testing::finish::<Deploy>(inputs()).expect_err("no deployment");
        assert_eq!(failure.is_retryable(), retryable);
    }
}

/// Undoes on a platform that shows `now` first and `then` after a request.
fn undo(now: Answer, then: Option<Answer>, outputs: Option<Value>) -> Host {
    let host = Host::install();
    host.answer("GET", URL, now)
        .answer("PUT", URL, accepted(Some("1.1.0")))
        .answer("DELETE", URL, Answer::status(204));
    if let Some(then) = then {
        host.answer("GET", URL, then);
    }
    testing::undo::<Deploy>(inputs(), outputs).expect("undoes");
    host
}

fn outputs(previous: Option<&str>) -> Value {
    json!({
        "service": "payment", "environment": "staging", "version": "1.1.0",
        "previous": previous, "url": null, "deployment": "d-1",
    })
}

#[test]
fn undo_puts_the_previous_version_back() {
    let again = || Some(status(Some("1.0.0"), "1.0.0", "running"));
    for (name, now, outputs) in [
        (
            "after a run",
            status(Some("1.1.0"), "1.1.0", "running"),
            Some(outputs(Some("1.0.0"))),
        ),
        (
            "a run that never finished, though it took effect",
            status(Some("1.1.0"), "1.1.0", "running"),
            None,
        ),
        (
            "a run that failed before it took effect",
            status(Some("1.0.0"), "1.1.0", "crashed"),
            None,
        ),
    ] {
        let host = undo(now, again(), outputs);
        assert_eq!(
            host.calls(),
            [
                format!("GET {URL}"),
                format!("PUT {URL}"),
                format!("GET {URL}")
            ],
            "{name}"
        );
        let put = &host.requests()[1];
        assert_eq!(put.body_bytes(), Some(br#"{"version":"1.0.0"}"#.as_slice()));
        let (_, fact) = &host.evidence()[0];
        assert_eq!(
            (&fact["version"], &fact["previous"]),
            (&json!("1.0.0"), &json!("1.1.0"))
        );
    }
}

#[test]
fn undo_removes_what_did_not_exist_before() {
    let host = undo(
        status(Some("1.1.0"), "1.1.0", "running"),
        None,
        Some(outputs(None)),
    );
    assert_eq!(host.calls()[1], format!("DELETE {URL}"));
}

#[test]
fn undo_leaves_alone_what_somebody_else_deployed_since() {
    let host = undo(
        status(Some("2.0.0"), "2.0.0", "running"),
        None,
        Some(outputs(Some("1.0.0"))),
    );
    assert_eq!(host.calls(), [format!("GET {URL}")]);
    assert!(host.log()[0].starts_with("warn: "), "{:?}", host.log());
    let host = undo(Answer::status(404), None, Some(outputs(Some("1.0.0"))));
    assert_eq!(host.calls(), [format!("GET {URL}")]);
}
