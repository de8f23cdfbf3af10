//! Components: uploaded, described, granted.

use axum::body::Body;
use serde_json::json;

use super::world::{World, component, text};
use crate::http::wasm::DOWNLOADS_MAX;

#[tokio::test]
async fn a_version_never_changes() {
    let world = World::new();
    let upload = component("works", "1.0.0").to_string();
    let first = world.call("POST", "/components", upload.clone()).await;
    assert_eq!(first.status, 201, "{:#}", first.body);
    assert_eq!(
        first.header("location"),
        "/api/v1/components/works/versions/1.0.0"
    );
    let again = world.call("POST", "/components", upload.clone()).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["digest"]),
        (200, &first.body["digest"])
    );
    let other = format!("{upload}#other");
    world
        .call("POST", "/components", other)
        .await
        .is_problem(409, "version-exists");

    let put = |path: &'static str, body: String| world.call("PUT", path, body);
    put("/components/works/versions/1.0.0", upload.clone())
        .await
        .ok();
    put("/components/works/versions/2.0.0", upload.clone())
        .await
        .is_problem(422, "other-component");
    put("/components/other/versions/1.0.0", upload)
        .await
        .is_problem(422, "other-component");
    let newer = component("works", "1.10.0").to_string();
    put("/components/works/versions/1.10.0", newer).await.ok();

    let read = world.get("/components/works").await.ok();
    assert_eq!(text(&read["version"]), "1.10.0");
    assert_eq!(read["versions"].as_array().unwrap().len(), 2);
    let list = world.get("/components").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(text(&list["items"][0]["version"]), "1.10.0");
}

#[tokio::test]
async fn what_is_no_component_leaves_nothing_behind() {
    let world = World::new();
    for body in ["", "hello", "{}"] {
        let answer = world.call("POST", "/components", body).await;
        answer.is_problem(422, "not-wasm");
        assert_eq!(text(&answer.body["hint"]), "upload the .wasm file");
    }
    assert_eq!(world.get("/components").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn grants_are_replaced_by_who_knows_them() {
    let world = World::furnished().await;
    let path = "/components/works/versions/1.0.0/grants";
    let read = world.get(path).await;
    assert_eq!(read.body, json!({ "http": [], "secrets": [] }));
    let known = read.header("etag").to_owned();
    let grants = json!({ "http": [{ "host": "a.example", "methods": ["GET"] }] });
    let put = |known: String| {
        let grants = grants.clone();
        let world = &world;
        async move {
            world
                .json_with("PUT", path, &grants, &[("if-match", &known)])
                .await
        }
    };
    let set = put(known.clone()).await;
    assert_ne!(set.header("etag"), known);
    assert_eq!(text(&set.body["http"][0]["host"]), "a.example");
    put(known).await.is_problem(412, "stale");
    put("nonsense".into())
        .await
        .is_problem(400, "invalid-header");
    put("*".into()).await.ok();
    let shown = world.get("/components/works/versions/1.0.0").await.ok();
    assert_eq!(shown["grants"]["http"][0]["methods"], json!(["GET"]));
    let wrong = json!({ "http": [{ "hots": "a.example" }] });
    world
        .json("PUT", path, &wrong)
        .await
        .is_problem(422, "invalid-body");
    let nowhere = "/components/works/versions/9.9.9/grants";
    world
        .json("PUT", nowhere, &grants)
        .await
        .is_problem(404, "unknown-component");
}

#[tokio::test]
async fn a_name_that_no_secret_can_have_is_not_granted() {
    let world = World::furnished().await;
    let path = "/components/works/versions/1.0.0/grants";
    for name in ["", "API_KEY", "api key", "../key"] {
        let secrets = json!([
            { "name": "api-key", "hosts": ["a.example"] },
            { "name": name, "hosts": ["a.example"] },
        ]);
        let answer = world
            .json("PUT", path, &json!({ "secrets": secrets }))
            .await;
        answer.is_problem(422, "invalid-body");
        let detail = text(&answer.body["detail"]);
        assert!(detail.starts_with("secrets[1].name: "), "{detail}");
    }
    assert_eq!(world.get(path).await.body["secrets"], json!([]));
}

#[tokio::test]
async fn members_read_the_bytes_that_were_uploaded() {
    let world = World::new();
    let upload = component("works", "1.0.0");
    let pushed = world.call("POST", "/components", upload.to_string()).await;
    let digest = text(&pushed.ok()["digest"]).to_owned();
    let path = "/components/works/versions/1.0.0/wasm";
    let read = world.get(path).await;
    assert_eq!((read.status.as_u16(), &read.body), (200, &upload));
    assert_eq!(read.header("content-type"), "application/wasm");
    assert_eq!(
        read.header("content-length"),
        upload.to_string().len().to_string()
    );
    let tag = format!("\"{digest}\"");
    assert_eq!(read.header("etag"), tag);
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".into()] {
        let again = world.request("GET", path).header("if-none-match", &known);
        let again = world.raw(again.body(Body::empty()).unwrap()).await;
        assert_eq!((again.status.as_u16(), again.header("etag")), (304, &*tag));
    }
    let other = "/components/works/versions/2.0.0/wasm";
    world.get(other).await.is_problem(404, "unknown-component");
    let viewer = world.token("eve", "viewer").await;
    let viewer = world.with_token(text(&viewer["token"]));
    viewer.get(path).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn few_are_sent_a_component_at_a_time() {
    let world = World::new();
    let upload = component("works", "1.0.0").to_string();
    world.call("POST", "/components", upload).await.ok();
    let path = "/components/works/versions/1.0.0/wasm";
    let mut slow = Vec::new();
    for _ in 0..DOWNLOADS_MAX {
        let request = world.request("GET", path).body(Body::empty()).unwrap();
        slow.push(world.open(request).await);
    }
    world.get(path).await.is_problem(429, "too-many-requests");
    // Whoever hangs up makes room.
    slow.pop();
    assert_eq!(world.get(path).await.status, 200);
}
