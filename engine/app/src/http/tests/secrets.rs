//! Secrets: they go in, are listed, and never come out.

use axum::body::Body;
use fermata_core::limits::SECRET_BYTES_MAX;
use fermata_service::secrets::KeyRing;
use serde_json::{Value, json};

use super::world::{Answer, World, text};
use crate::keyring::{self, Source};

const VALUE: &str = "correct-horse";

async fn set(world: &World, name: &str, value: &str) -> Answer {
    let order = json!({ "value": value });
    let answer = world.json("PUT", &format!("/secrets/{name}"), &order).await;
    assert!(
        !answer.body.to_string().contains(value),
        "{:#}",
        answer.body
    );
    answer
}

/// Grants `token` to the component `works`.
async fn grant(world: &World) {
    let grants = json!({ "secrets": [{ "name": "token", "hosts": ["a.example"] }] });
    let path = "/components/works/versions/1.0.0/grants";
    world.json("PUT", path, &grants).await.ok();
}

#[tokio::test]
async fn a_secret_is_set_listed_and_never_read_back() {
    let world = World::furnished().await;
    assert_eq!(world.get("/secrets").await.ok()["items"], json!([]));
    let first = set(&world, "token", VALUE).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.header("location"), "/api/v1/secrets/token");
    assert_eq!(first.header("etag"), "\"1\"");
    assert_eq!(set(&world, "token", "battery-staple").await.status, 200);
    grant(&world).await;
    let listed = world.get("/secrets").await.ok();
    let read = world.get("/secrets/token").await;
    assert_eq!(read.header("etag"), "\"2\"");
    assert_eq!(listed["items"][0], read.body);
    let expected = json!({
        "name": "token",
        "revision": 2,
        "set_at": "2023-11-14T22:13:20.000Z",
        "set_by": "user:admin",
        "key": read.body["key"],
        "opens": true,
        "granted_to": [{ "component": "works", "version": "1.0.0", "hosts": ["a.example"] }],
    });
    assert_eq!(read.body, expected);
    world
        .get("/secrets/other")
        .await
        .is_problem(404, "unknown-secret");
}

#[tokio::test]
async fn a_secret_is_replaced_and_deleted_by_who_knows_it() {
    let world = World::new();
    let put = |known: &'static str| {
        let order = json!({ "value": VALUE });
        let world = &world;
        async move {
            let known = [("if-match", known)];
            world
                .json_with("PUT", "/secrets/token", &order, &known)
                .await
        }
    };
    put("\"1\"").await.is_problem(412, "stale");
    put("*").await.ok();
    put("\"1\"").await.ok();
    put("\"1\"").await.is_problem(412, "stale");
    put("nonsense").await.is_problem(400, "invalid-header");
    let delete = |known: &'static str| {
        let request = world.request("DELETE", "/secrets/token");
        let request = request.header("if-match", known).body(Body::empty());
        world.raw(request.unwrap())
    };
    delete("\"1\"").await.is_problem(412, "stale");
    assert_eq!(delete("\"2\"").await.status, 204);
    delete("*").await.is_problem(404, "unknown-secret");
}

#[tokio::test]
async fn what_is_no_order_is_refused_without_being_quoted() {
    let world = World::new();
    let long = json!({ "value": "x".repeat(SECRET_BYTES_MAX + 1) }).to_string();
    let longer = json!({ "value": "x".repeat(10 * SECRET_BYTES_MAX) }).to_string();
    for (body, status, code) in [
        ("\"correct-horse\"", 422, "invalid-body"),
        ("{\"correct-horse\": 1}", 422, "invalid-body"),
        ("{\"value\": [\"correct-horse\"]}", 422, "invalid-body"),
        ("{\"value\": null}", 422, "invalid-body"),
        ("{}", 422, "invalid-body"),
        (
            "{\"value\": \"correct-horse\", \"correct-horse\": 1}",
            422,
            "invalid-body",
        ),
        ("{\"value\": \"correct-horse\"", 400, "invalid-json"),
        ("correct-horse", 400, "invalid-json"),
        ("", 400, "invalid-json"),
        ("{\"value\": \"correct\"}", 422, "invalid-body"),
        (&long, 422, "invalid-body"),
        (&longer, 413, "too-large"),
    ] {
        let request = world.request("PUT", "/secrets/token");
        let request = request.header("content-type", "application/json");
        let answer = world
            .raw(request.body(body.to_owned().into()).unwrap())
            .await;
        answer.is_problem(status, code);
        let shown = answer.body.to_string();
        assert!(
            !shown.contains("correct") && !shown.contains("xxx"),
            "{shown}"
        );
    }
    world
        .call(
            "PUT",
            "/secrets/token",
            json!({ "value": VALUE }).to_string(),
        )
        .await
        .is_problem(415, "unsupported-media-type");
    for name in ["No_Name", "-", "a%20b"] {
        set(&world, name, VALUE).await.is_problem(404, "not-found");
    }
    assert_eq!(world.get("/secrets").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn only_administrators_change_secrets() {
    let world = World::new();
    set(&world, "token", VALUE).await.ok();
    let token = world.token("max", "member").await;
    let member = world.with_token(text(&token["token"]));
    member.get("/secrets").await.ok();
    set(&member, "token", VALUE)
        .await
        .is_problem(403, "forbidden");
    let delete = member.call("DELETE", "/secrets/token", Body::empty());
    delete.await.is_problem(403, "forbidden");
    let rotate = member.call("POST", "/secrets:rotate", Body::empty());
    rotate.await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_granted_secret_is_deleted_by_force_only() {
    let world = World::furnished().await;
    set(&world, "token", VALUE).await.ok();
    grant(&world).await;
    let delete = |query: &'static str| {
        let world = &world;
        async move {
            let path = format!("/secrets/token{query}");
            world.call("DELETE", &path, Body::empty()).await
        }
    };
    let refused = delete("").await;
    refused.is_problem(409, "secret-in-use");
    assert!(text(&refused.body["detail"]).contains("works@1.0.0"));
    delete("?force=maybe")
        .await
        .is_problem(400, "invalid-query");
    delete("?force=false")
        .await
        .is_problem(409, "secret-in-use");
    assert_eq!(delete("?force=true").await.status, 204);
    delete("?force=true")
        .await
        .is_problem(404, "unknown-secret");
}

#[tokio::test]
async fn the_servers_own_key_is_rotated_and_a_given_one_is_not() {
    let world = World::new();
    let rotate = |world: &World| {
        let (request, world) = (
            world.request("POST", "/secrets:rotate"),
            world.with_token(&world.token),
        );
        async move { world.raw(request.body(Body::empty()).unwrap()).await }
    };
    rotate(&world).await.is_problem(409, "key-is-given");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.key");
    let keys = keyring::fresh().unwrap();
    keyring::write(&path, &keys).unwrap();
    let world = World::with_keys(keys.clone(), Source::Own(path.clone()));
    set(&world, "token", VALUE).await.ok();
    let rotated = rotate(&world).await.ok();
    assert_eq!(
        (&rotated["resealed"], &rotated["left"]),
        (&json!(1), &json!([]))
    );
    let listed = world.get("/secrets/token").await.ok();
    assert_eq!(listed["key"], rotated["key"]);
    assert_eq!(listed["revision"], 1);
    let written: Vec<Value> = keyring::in_file(&path)
        .unwrap()
        .ids()
        .iter()
        .map(|id| json!(id.to_string()))
        .collect();
    let old = json!(keys.ids()[0].to_string());
    assert_eq!(written, [rotated["key"].clone(), old]);
    // Somebody else's key appears in the file: it is not overwritten.
    keyring::write(&path, &keyring::fresh().unwrap()).unwrap();
    rotate(&world).await.is_problem(409, "key-not-kept");
    assert_eq!(
        world.get("/secrets/token").await.ok()["key"],
        rotated["key"]
    );
}

#[tokio::test]
async fn without_a_key_nothing_is_sealed() {
    let world = World::with_keys(KeyRing::default(), Source::Environment);
    set(&world, "token", VALUE)
        .await
        .is_problem(409, "no-secrets-key");
}
