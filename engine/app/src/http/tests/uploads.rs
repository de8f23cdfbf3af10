//! Components that arrive in pieces.

use axum::body::Body;
use fermata_core::id::Digest;
use fermata_core::time::Span;
use serde_json::{Value, json};

use super::world::{Answer, SLOW, World, component, text};

fn order(bytes: &str) -> Value {
    json!({ "length": bytes.len(), "digest": Digest::of(bytes.as_bytes()).to_string() })
}

async fn begin(world: &World, bytes: &str) -> String {
    let begun = world.json("POST", "/uploads", &order(bytes)).await;
    assert_eq!(
        begun.header("upload-offset"),
        begun.body["offset"].to_string()
    );
    let id = text(&begun.body["id"]).to_owned();
    assert_eq!(begun.header("location"), format!("/api/v1/uploads/{id}"));
    id
}

async fn piece(world: &World, id: &str, offset: &str, bytes: &str) -> Answer {
    let request = world
        .request("PATCH", &format!("/uploads/{id}"))
        .header("upload-offset", offset)
        .header("content-type", "application/partial-upload");
    let request = request.body(Body::from(bytes.to_owned()));
    world.raw(request.unwrap()).await
}

async fn finish(world: &World, id: &str) -> Answer {
    world
        .call("POST", &format!("/uploads/{id}/finish"), "")
        .await
}

#[tokio::test]
async fn pieces_become_a_component() {
    let world = World::new();
    let bytes = component("works", "1.0.0").to_string();
    let id = begin(&world, &bytes).await;
    finish(&world, &id)
        .await
        .is_problem(409, "upload-incomplete");
    let first = piece(&world, &id, "0", &bytes[..10]).await;
    assert_eq!(
        (first.status.as_u16(), first.header("upload-offset")),
        (204, "10")
    );
    // Whoever has lost the connection asks for the offset, or just announces the same again.
    let path = format!("/uploads/{id}");
    let head = world.call("HEAD", &path, "").await;
    assert_eq!(
        (head.status.as_u16(), head.header("upload-offset")),
        (200, "10")
    );
    assert_eq!(head.header("upload-complete"), "?0");
    assert_eq!(head.header("cache-control"), "no-store");
    let again = world.json("POST", "/uploads", &order(&bytes)).await;
    assert_eq!(
        (again.status.as_u16(), text(&again.body["id"])),
        (200, id.as_str())
    );
    let twice = piece(&world, &id, "0", &bytes[..10]).await;
    assert_eq!(twice.header("upload-offset"), "10");
    twice.is_problem(409, "upload-offset");
    piece(&world, &id, "10", &format!("{}!", &bytes[10..]))
        .await
        .is_problem(413, "too-large");
    assert_eq!(piece(&world, &id, "10", &bytes[10..]).await.status, 204);
    let made = finish(&world, &id).await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    assert_eq!(
        made.header("location"),
        "/api/v1/components/works/versions/1.0.0"
    );
    let repeated = finish(&world, &id).await;
    assert_eq!(repeated.status, 200);
    assert_eq!(repeated.body["digest"], made.body["digest"]);
    let list = world.get("/uploads").await.ok();
    assert_eq!(list["items"][0]["component"], "works@1.0.0");
}

#[tokio::test]
async fn an_upload_belongs_to_who_began_it() {
    let world = World::new();
    let bytes = component("works", "1.0.0").to_string();
    let id = begin(&world, &bytes).await;
    let other = world.token("eve", "member").await;
    let other = world.with_token(text(&other["token"]));
    let path = format!("/uploads/{id}");
    piece(&other, &id, "0", "x")
        .await
        .is_problem(404, "unknown-upload");
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/finish")),
    ] {
        other
            .call(method, &path, "")
            .await
            .is_problem(404, "unknown-upload");
    }
    assert_eq!(other.get("/uploads").await.ok()["items"], json!([]));
    // Beginning the same bytes is an upload of one's own.
    assert_ne!(begin(&other, &bytes).await, id);
    let viewer = world.token("max", "viewer").await;
    let viewer = world.with_token(text(&viewer["token"]));
    viewer
        .json("POST", "/uploads", &order(&bytes))
        .await
        .is_problem(403, "forbidden");
}

#[tokio::test]
async fn what_took_too_long_on_a_busy_machine_can_be_tried_again() {
    let world = World::new();
    let id = begin(&world, SLOW).await;
    piece(&world, &id, "0", SLOW).await.ok();
    for _ in 0..2 {
        finish(&world, &id).await.is_problem(422, "compile-limit");
    }
    let left = world.get(&format!("/uploads/{id}")).await.ok();
    assert_eq!(left["offset"], SLOW.len());
}

#[tokio::test]
async fn what_cannot_become_a_component_is_forgotten() {
    let world = World::new();
    let id = begin(&world, "hello").await;
    piece(&world, &id, "0", "hello").await.ok();
    finish(&world, &id).await.is_problem(422, "not-wasm");
    finish(&world, &id).await.is_problem(404, "unknown-upload");

    let id = begin(&world, "hello").await;
    piece(&world, &id, "0", "jello").await.ok();
    finish(&world, &id).await.is_problem(422, "upload-digest");
    finish(&world, &id).await.is_problem(404, "unknown-upload");

    let id = begin(&world, "hello").await;
    let path = format!("/uploads/{id}");
    assert_eq!(world.call("DELETE", &path, "").await.status, 204);
    world.get(&path).await.is_problem(404, "unknown-upload");
    let id = begin(&world, "hello").await;
    world.later(Span(24 * 60 * 60 * 1000));
    piece(&world, &id, "0", "hello")
        .await
        .is_problem(404, "unknown-upload");
}

#[tokio::test]
async fn uploads_that_make_no_sense_or_are_too_many_are_refused() {
    let world = World::new();
    let digest = Digest::of(b"x").to_string();
    for order in [
        json!({}),
        json!({ "length": 1 }),
        json!({ "length": 0, "digest": digest }),
        json!({ "length": -1, "digest": digest }),
        json!({ "length": 1, "digest": "sha256:x" }),
        json!({ "length": 1, "digest": digest, "name": "x" }),
    ] {
        world
            .json("POST", "/uploads", &order)
            .await
            .is_problem(422, "invalid-body");
    }
    let huge = json!({ "length": 65 * 1024 * 1024, "digest": digest });
    world
        .json("POST", "/uploads", &huge)
        .await
        .is_problem(413, "too-large");
    let id = begin(&world, "hello").await;
    for offset in ["", "-1", "x", "99999999999999999999"] {
        piece(&world, &id, offset, "x")
            .await
            .is_problem(400, "invalid-header");
    }
    let without = world.call("PATCH", &format!("/uploads/{id}"), "x").await;
    without.is_problem(400, "invalid-header");
    piece(&world, &id, &u64::MAX.to_string(), "x")
        .await
        .is_problem(409, "upload-offset");
    for id in ["upl-1", "..%2Fx", "%00"] {
        let path = format!("/uploads/{id}");
        world.get(&path).await.is_problem(404, "unknown-upload");
    }
    for number in 1..8 {
        begin(&world, &number.to_string()).await;
    }
    let more = world.json("POST", "/uploads", &order("more")).await;
    assert!(text(&more.body["hint"]).contains("GET /api/v1/uploads"));
    more.is_problem(429, "too-many-requests");
}
