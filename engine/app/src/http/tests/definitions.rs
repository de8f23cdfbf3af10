//! Activity definitions: published, used, held on to.

use serde_json::json;

use super::world::{World, component, text};

const DEFINITION: &str = "\
definition: hello-works
version: 1.0.0
uses: works@1
with: { text: hello }
";

#[tokio::test]
async fn a_definition_is_used_like_a_component() {
    let world = World::furnished().await;
    let publish = |document: String| {
        let world = &world;
        async move { world.call("POST", "/definitions", document).await }
    };
    let first = publish(DEFINITION.into()).await;
    assert_eq!(first.status, 201, "{:#}", first.body);
    assert_eq!(
        first.header("location"),
        "/api/v1/definitions/hello-works/versions/1.0.0"
    );
    assert_eq!(publish(DEFINITION.into()).await.status, 200);
    publish(DEFINITION.replace("hello }", "other }"))
        .await
        .is_problem(409, "version-exists");
    publish(DEFINITION.replace("hello-works", "breaks"))
        .await
        .is_problem(409, "exists");
    publish(DEFINITION.replace("works@1", "nothing@1"))
        .await
        .is_problem(422, "defects");
    publish(DEFINITION.replace("1.0.0", "1.1.0")).await.ok();
    let shown = world.get("/definitions/hello-works").await.ok();
    assert_eq!(text(&shown["versions"][0]["version"]), "1.1.0");
    assert_eq!(shown["versions"][0]["with"], json!({ "text": "hello" }));
    let listed = world.get("/definitions").await.ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    for path in [
        "/definitions/nothing",
        "/definitions/hello-works/versions/9.0.0",
    ] {
        world.get(path).await.is_problem(404, "unknown-definition");
    }

    let process =
        "process: greets\nphases: { p: { activities: { a: { uses: hello-works@1 } } } }\n";
    world.call("POST", "/processes", process).await.ok();
    let wait = [("prefer", "wait=30")];
    let order = json!({ "process": "greets" });
    let release = world
        .json_with("POST", "/releases", &order, &wait)
        .await
        .ok();
    let activity = &release["phases"][0]["activities"][0];
    assert_eq!(
        (text(&activity["uses"]), &activity["with"]),
        ("works@1", &json!({ "text": "hello" }))
    );
    let usage = world.get("/components/works/used-by").await.ok();
    assert_eq!(usage["definitions"].as_array().unwrap().len(), 2);
    held(&world).await;
}

/// A version that a process uses is held, another is not; no component takes the name.
async fn held(world: &World) {
    let used = world.get("/definitions/hello-works/used-by").await.ok();
    assert_eq!(
        used["processes"],
        json!([{ "name": "greets", "version": 1, "uses": "hello-works@1", "component": "1.1.0" }])
    );
    let delete = |version: &str| {
        let path = format!("/definitions/hello-works/versions/{version}");
        async move { world.call("DELETE", &path, "").await }
    };
    delete("1.1.0").await.is_problem(409, "component-in-use");
    assert_eq!(delete("1.0.0").await.status, 204);
    delete("1.0.0").await.is_problem(404, "unknown-definition");
    world
        .call("DELETE", "/components/hello-works/versions/1.1.0", "")
        .await
        .is_problem(404, "unknown-component");
    let upload = component("hello-works", "2.0.0").to_string();
    world
        .call("POST", "/components", upload)
        .await
        .is_problem(409, "exists");
}
