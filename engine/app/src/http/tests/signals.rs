//! Signals: with their secret, without, and again.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::world::{Answer, World, text};

const WAITS: &str = "\
process: called
phases:
  outside:
    activities:
      go: { wait: { signal: go, schema: { type: object, required: [ticket] }, timeout: 1h } }
      then: { needs: [go], manual: { instructions: Look. } }
";

/// A signal from somebody without a token.
async fn signal(world: &World, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri(format!("/api/v1/signals/{path}"))
        .header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    let body = Body::from(body.to_string());
    world.raw(request.body(body).unwrap()).await
}

async fn waiting(world: &World) -> (String, String) {
    world.call("POST", "/processes", WAITS).await.ok();
    let release = world.start("called").await;
    let id = text(&release["id"]).to_owned();
    let why = world.get(&format!("/releases/{id}/why")).await.ok();
    let on = &why["items"][0]["on"];
    assert_eq!((text(&on["kind"]), text(&on["signal"])), ("signal", "go"));
    assert_eq!(text(&on["url"]), format!("/api/v1/signals/{id}/outside/go"));
    (id, text(&on["secret"]).to_owned())
}

#[tokio::test]
async fn a_signal_with_its_secret_moves_the_release_once() {
    let world = World::furnished().await;
    let (id, secret) = waiting(&world).await;
    let path = format!("{id}/outside/go");
    let headers = [("fermata-signal-secret", secret.as_str())];
    signal(&world, &path, &headers, &json!({}))
        .await
        .is_problem(422, "invalid-values");
    let payload = json!({ "ticket": "OPS-7" });
    let first = signal(&world, &path, &headers, &payload).await.ok();
    world.later(fermata_core::time::Span(5_000));
    let again = signal(&world, &path, &headers, &payload).await.ok();
    assert_eq!(first, again, "the same delivery gets the same answer");
    signal(&world, &path, &headers, &json!({ "ticket": "OPS-8" }))
        .await
        .is_problem(409, "already-signalled");
    let then = json!({ "action": "approve", "activity": "outside/then" });
    let ended = world.act(&id, &then).await.ok();
    assert_eq!(text(&ended["state"]), "succeeded");
    let go = &ended["phases"][0]["activities"][0];
    assert_eq!((&go["outputs"], text(&go["source"])), (&payload, "signal"));
    let late = signal(&world, &format!("{path}/{secret}"), &[], &payload).await;
    assert_eq!(late.ok(), first, "even once the release has ended");
}

#[tokio::test]
async fn whatever_is_wrong_gets_one_answer() {
    let world = World::furnished().await;
    let (id, secret) = waiting(&world).await;
    let nobody = "rel-00000000000000000000000007";
    for (path, secret) in [
        (format!("{id}/outside/go"), ""),
        (format!("{id}/outside/go"), "0000"),
        (format!("{id}/outside/then"), secret.as_str()),
        (format!("{id}/no/where"), secret.as_str()),
        (format!("{nobody}/outside/go"), secret.as_str()),
        ("rel-x/outside/go".to_owned(), secret.as_str()),
        (format!("{id}/outside/go/0000"), ""),
    ] {
        let headers = [("fermata-signal-secret", secret)];
        let answer = signal(&world, &path, &headers, &json!({})).await;
        assert_eq!(
            text(&answer.body["title"]),
            "There is no such signal, or its secret is wrong"
        );
        answer.is_problem(401, "unknown-signal");
    }
    let viewer = world.token("viewer", "viewer").await;
    let viewer = world.with_token(text(&viewer["token"]));
    let why = viewer.get(&format!("/releases/{id}/why")).await.ok();
    let on = &why["items"][0]["on"];
    assert!(on["url"].is_string() && on["secret"].is_null(), "{on}");
}
