//! What uses what, what differs, and inputs that are kept.

use serde_json::json;

use super::world::{SIGN_OFF, World, component, text};

#[tokio::test]
async fn a_component_that_is_used_is_not_deleted() {
    let world = World::furnished().await;
    let usage = world.get("/components/works/used-by").await.ok();
    assert_eq!(
        usage["processes"],
        json!([{ "name": "runs", "version": 1, "uses": "works@1", "component": "1.0.0" }])
    );
    assert_eq!(usage["releases"], json!([]));
    let used = "/components/works/versions/1.0.0";
    world
        .call("DELETE", used, "")
        .await
        .is_problem(409, "component-in-use");

    // A newer version that no process was checked with, until a release pins it.
    let newer = component("works", "1.1.0").to_string();
    world.call("POST", "/components", newer.clone()).await.ok();
    let path = "/components/works/versions/1.1.0";
    assert_eq!(world.call("DELETE", path, "").await.status, 204);
    world.get(path).await.is_problem(404, "unknown-component");
    world
        .call("DELETE", path, "")
        .await
        .is_problem(404, "unknown-component");
    let usage = world
        .get("/components/works/used-by?version=1.0.0")
        .await
        .ok();
    assert_eq!(usage["processes"].as_array().unwrap().len(), 1);
    for (query, status, code) in [
        ("version=1.1.0", 404, "unknown-component"),
        ("version=one", 400, "invalid-query"),
        ("of=x", 400, "invalid-query"),
    ] {
        world
            .get(&format!("/components/works/used-by?{query}"))
            .await
            .is_problem(status, code);
    }

    // What was deleted can come again, and then an open release holds it.
    world.call("POST", "/components", newer).await.ok();
    let hangs = component("hangs", "1.0.0").to_string();
    world.call("POST", "/components", hangs).await.ok();
    let both = "process: both\nphases: { p: { activities: { h: { uses: hangs@1 }, w: { uses: works@1.0 } } } }\n";
    world.call("POST", "/processes", both).await.ok();
    let both = both.replace("works@1.0", "works@1");
    world.call("POST", "/processes", both).await.ok();
    let order = json!({ "process": "both" });
    world.json("POST", "/releases", &order).await.ok();
    let usage = world
        .get("/components/works/used-by?version=1.1.0")
        .await
        .ok();
    assert_eq!(text(&usage["releases"][0]["component"]), "1.1.0");
    world
        .call("DELETE", path, "")
        .await
        .is_problem(409, "component-in-use");
}

#[tokio::test]
async fn versions_are_compared_part_by_part() {
    let world = World::new();
    world.call("POST", "/processes", SIGN_OFF).await.ok();
    let after = SIGN_OFF.replace("Look at it.", "Look at it twice.");
    world.call("POST", "/processes", after).await.ok();
    let told = world.get("/processes/sign-off/diff?from=1&to=2").await.ok();
    let changes = told["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{told:#}");
    assert_eq!(
        (
            text(&changes[0]["kind"]),
            text(&changes[0]["path"]),
            text(&changes[0]["key"])
        ),
        ("changed", "only/agree", "manual")
    );
    let same = world.get("/processes/sign-off/diff?from=2&to=2").await.ok();
    assert_eq!(same["changes"], json!([]));
    world
        .get("/processes/sign-off/diff?from=1&to=3")
        .await
        .is_problem(404, "unknown-process");
    world
        .get("/processes/sign-off/diff?from=1")
        .await
        .is_problem(400, "invalid-query");
}

#[tokio::test]
async fn input_sets_say_what_is_missing_and_start_releases() {
    let world = World::new();
    let document = SIGN_OFF.replace(
        "  version: { type: string }\n",
        "  version: { type: string }\n  region: { type: string, default: north }\n",
    );
    let path = "/processes/sign-off/input-sets/weekly";
    let put = |inputs| {
        let world = &world;
        async move { world.json("PUT", path, &json!({ "inputs": inputs })).await }
    };
    put(json!({})).await.is_problem(404, "unknown-process");
    world.call("POST", "/processes", document).await.ok();
    world.get(path).await.is_problem(404, "unknown-input-set");
    let kept = put(json!({ "region": "south" })).await.ok();
    assert_eq!(
        (&kept["complete"], &kept["missing"]),
        (&json!(false), &json!(["version"]))
    );
    put(json!({ "region": 1 }))
        .await
        .is_problem(422, "invalid-values");
    put(json!({ "regoin": "x" }))
        .await
        .is_problem(422, "invalid-values");

    let order = |given| json!({ "process": "sign-off", "input_set": "weekly", "inputs": given });
    world
        .json("POST", "/releases", &order(json!({})))
        .await
        .is_problem(422, "invalid-values");
    let started = world
        .json("POST", "/releases", &order(json!({ "version": "1" })))
        .await
        .ok();
    assert_eq!(
        started["inputs"],
        json!({ "region": "south", "version": "1" })
    );
    let other = json!({ "process": "sign-off", "input_set": "monthly" });
    world
        .json("POST", "/releases", &other)
        .await
        .is_problem(404, "unknown-input-set");

    let kept = put(json!({ "version": "2" })).await.ok();
    assert_eq!(kept["complete"], json!(true));
    let list = world.get("/processes/sign-off/input-sets").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.call("DELETE", path, "").await.status, 204);
    world
        .call("DELETE", path, "")
        .await
        .is_problem(404, "unknown-input-set");
}
