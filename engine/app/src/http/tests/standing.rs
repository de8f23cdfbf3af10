//! What is said about component versions: what changed, what is deprecated, what is in quarantine.

use serde_json::{Value, json};

use super::world::{RUNS, World, component, text};

/// What `describe` of a component says that wants something.
fn wanting(name: &str, version: &str, capabilities: &Value) -> Value {
    let mut descriptor = component(name, version);
    descriptor["capabilities"] = capabilities.clone();
    descriptor
}

async fn push(world: &World, descriptor: &Value) -> Value {
    let answer = world.call("POST", "/components", descriptor.to_string());
    answer.await.ok()
}

#[tokio::test]
async fn an_upload_shows_what_it_wants_and_what_is_new() {
    let world = World::new();
    let wants =
        json!({ "http": [{ "host": "a.example", "methods": ["GET"] }], "secrets": ["old"] });
    let first = push(&world, &wanting("works", "1.0.0", &wants)).await;
    assert_eq!(first["changes"], Value::Null);
    assert_eq!(
        first["wants"][0],
        json!({ "kind": "http", "name": "a.example", "methods": ["GET"], "granted": "nothing" })
    );
    let grants = json!({
        "http": [{ "host": "a.example", "methods": ["GET"] }, { "host": "b.example" }],
        "secrets": [{ "name": "old", "hosts": ["a.example"] }],
    });
    let path = "/components/works/versions/1.0.0";
    world
        .json("PUT", &format!("{path}/grants"), &grants)
        .await
        .ok();
    let shown = world.get(path).await.ok();
    assert_eq!(shown["wants"][0]["granted"], "whole");
    assert_eq!(shown["beyond"], json!(["http b.example (any method)"]));

    let wants = json!({
        "http": [{ "host": "a.example", "methods": ["GET", "PUT"] }],
        "evidence": ["deployment"],
    });
    let second = push(&world, &wanting("works", "1.1.0", &wants)).await;
    assert_eq!(
        second["changes"],
        json!({
            "since": "1.0.0",
            "covered": false,
            "wants": [
                {
                    "change": "changed", "kind": "http", "name": "a.example",
                    "methods": ["GET", "PUT"], "methods_before": ["GET"], "granted": "part",
                },
                { "change": "added", "kind": "evidence", "name": "deployment", "granted": "whole" },
                { "change": "removed", "kind": "secret", "name": "old", "granted": "whole" },
            ],
        })
    );
    // A version between the two is compared with the one below it, whenever it comes.
    let between = push(&world, &wanting("works", "1.0.5", &json!({}))).await;
    assert_eq!(between["changes"]["since"], "1.0.0");
    assert_eq!(between["changes"]["covered"], true);
}

#[tokio::test]
async fn a_deprecation_is_shown_wherever_the_version_is_used() {
    let world = World::furnished().await;
    let path = "/components/works/versions/1.0.0/deprecation";
    let order = json!({ "notice": "use works@1.1" });
    let said = world.json("PUT", path, &order).await.ok();
    assert_eq!(said["deprecated"]["notice"], "use works@1.1");
    assert_eq!(said["deprecated"]["by"], "user:admin");
    let list = world.get("/components").await.ok();
    let items = list["items"].as_array().unwrap();
    let works = items.iter().find(|item| item["name"] == "works").unwrap();
    assert_eq!(works["deprecated"]["notice"], "use works@1.1");
    let checked = world.call("POST", "/processes:validate", RUNS).await.ok();
    assert_eq!(checked["notices"][0]["component"], "works@1.0.0");
    assert_eq!(checked["notices"][0]["kind"], "deprecated");
    let published = world.call("POST", "/processes", RUNS).await.ok();
    assert_eq!(published["notices"][0]["notice"], "use works@1.1");
    let release = world.start("runs").await;
    assert_eq!(release["notices"][0]["kind"], "deprecated");

    assert_eq!(world.call("DELETE", path, "").await.status, 204);
    let shown = world.get("/components/works/versions/1.0.0").await.ok();
    assert_eq!(shown["deprecated"], Value::Null);
    let id = text(&release["id"]);
    let release = world.get(&format!("/releases/{id}")).await.ok();
    assert_eq!(release["notices"], Value::Null);
}

#[tokio::test]
async fn a_deprecation_that_makes_no_sense_is_refused() {
    let world = World::furnished().await;
    let path = "/components/works/versions/1.0.0/deprecation";
    let long = "x".repeat(9_000);
    for order in [
        json!({}),
        json!({ "notice": "" }),
        json!({ "notice": " " }),
        json!({ "notice": long }),
        json!({ "notice": "x", "colour": "blue" }),
    ] {
        world
            .json("PUT", path, &order)
            .await
            .is_problem(422, "invalid-body");
    }
    let nowhere = "/components/works/versions/9.9.9/deprecation";
    let order = json!({ "notice": "x" });
    world
        .json("PUT", nowhere, &order)
        .await
        .is_problem(404, "unknown-component");
    world
        .call("DELETE", nowhere, "")
        .await
        .is_problem(404, "unknown-component");
    let viewer = world.token("eve", "viewer").await;
    let viewer = world.with_token(text(&viewer["token"]));
    viewer
        .json("PUT", path, &order)
        .await
        .is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_quarantine_holds_what_runs_until_it_is_lifted() {
    let world = World::furnished().await;
    let document = "process: hang\nphases: { p: { activities: { a: { uses: hangs@1 } } } }\n";
    world.call("POST", "/processes", document).await.ok();
    let release = world.start("hang").await;
    let id = text(&release["id"]).to_owned();
    let shown = world.get("/components/hangs/versions/1.0.0").await.ok();
    let digest = text(&shown["digest"]).to_owned();
    let path = format!("/quarantine/{digest}");
    let reason = json!({ "reason": "it leaks tokens" });
    let begun = world.json("PUT", &path, &reason).await.ok();
    assert_eq!(begun["component"], "hangs@1.0.0");
    assert_eq!(begun["by"], "user:admin");
    world
        .json("PUT", &path, &reason)
        .await
        .is_problem(409, "component-quarantined");

    let held = world.get(&format!("/releases/{id}")).await.ok();
    let activity = &held["phases"][0]["activities"][0];
    assert_eq!(activity["state"], "on-hold", "{held:#}");
    assert_eq!(activity["failure"]["class"], "quarantined");
    let message = text(&activity["failure"]["message"]);
    assert!(
        message.contains("it leaks tokens") && message.contains("user:admin"),
        "{message}"
    );
    assert_eq!(held["notices"][0]["kind"], "quarantined");
    nothing_uses_it(&world).await;

    let lift = format!("{path}/lift");
    let mended = json!({ "reason": "a false alarm" });
    let lifted = world.json("POST", &lift, &mended).await.ok();
    assert_eq!(lifted["lifted"]["reason"], "a false alarm");
    world
        .json("POST", &lift, &mended)
        .await
        .is_problem(409, "not-in-quarantine");
    let retry = json!({ "action": "retry", "activity": "p/a" });
    let retried = world.act(&id, &retry).await.ok();
    assert_eq!(retried["phases"][0]["activities"][0]["state"], "running");
    // Who, when and why stays to be read.
    world.later(fermata_core::time::Span(1_000));
    world.json("PUT", &path, &reason).await.ok();
    let list = world.get("/quarantine?limit=1").await.ok();
    assert_eq!(list["items"][0]["lifted"], Value::Null);
    let next = text(&list["next_cursor"]);
    let older = world.get(&format!("/quarantine?cursor={next}")).await.ok();
    assert_eq!(older["items"][0]["lifted"]["by"], "user:admin");
    assert_eq!(older["next_cursor"], Value::Null);
}

async fn nothing_uses_it(world: &World) {
    let order = json!({ "process": "hang" });
    world
        .json("POST", "/releases", &order)
        .await
        .is_problem(409, "component-quarantined");
    let draft = json!({ "process": "hang", "start": false });
    let draft = world.json("POST", "/releases", &draft).await.ok();
    world
        .act(text(&draft["id"]), &json!({ "action": "start" }))
        .await
        .is_problem(409, "component-quarantined");
    let bytes = component("hangs", "1.0.0").to_string();
    world
        .call("POST", "/components", bytes.clone())
        .await
        .is_problem(409, "component-quarantined");
    let verdict = world.call("POST", "/components:verify", bytes).await.ok();
    assert_eq!(verdict["defects"][0]["code"], "component-quarantined");
}

#[tokio::test]
async fn a_quarantine_that_makes_no_sense_is_refused() {
    let world = World::furnished().await;
    let digest = format!("sha256:{}", "ab".repeat(32));
    let path = format!("/quarantine/{digest}");
    let reason = json!({ "reason": "known to be bad" });
    for order in [json!({}), json!({ "reason": "\n" }), json!({ "reason": 7 })] {
        world
            .json("PUT", &path, &order)
            .await
            .is_problem(422, "invalid-body");
    }
    for wrong in ["/quarantine/works@1.0.0", "/quarantine/sha256:abc"] {
        world
            .json("PUT", wrong, &reason)
            .await
            .is_problem(404, "not-found");
    }
    world
        .json("POST", &format!("{path}/lift"), &reason)
        .await
        .is_problem(409, "not-in-quarantine");
    world
        .get("/quarantine?cursor=7-ab")
        .await
        .is_problem(400, "invalid-cursor");
    let member = world.token("max", "member").await;
    let member = world.with_token(text(&member["token"]));
    for (method, path) in [("PUT", path.clone()), ("POST", format!("{path}/lift"))] {
        member
            .json(method, &path, &reason)
            .await
            .is_problem(403, "forbidden");
    }
    // A digest that nobody has uploaded yet can be kept out.
    let begun = world.json("PUT", &path, &reason).await.ok();
    assert_eq!(begun["component"], Value::Null);
    member.get("/quarantine").await.ok();
}

#[tokio::test]
async fn a_check_keeps_nothing_and_says_what_an_upload_would() {
    let world = World::new();
    let verify = |body: String| world.call("POST", "/components:verify", body);
    let wants = json!({ "http": [{ "host": "a.example" }] });
    let upload = wanting("works", "1.0.0", &wants).to_string();
    let good = verify(upload.clone()).await.ok();
    assert_eq!(
        (&good["accepted"], &good["registered"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(good["descriptor"]["name"], "works");
    assert_eq!(good["imports"], json!(["fermata:activity/log@0.1.0"]));
    assert_eq!(good["sizes"]["upload"], upload.len());
    assert_eq!(good["wants"][0]["granted"], "nothing");
    assert_eq!(good["defects"], json!([]));
    assert_eq!(world.get("/components").await.ok()["items"], json!([]));

    world.call("POST", "/components", upload.clone()).await.ok();
    let there = verify(upload.clone()).await.ok();
    assert_eq!(
        (&there["accepted"], &there["registered"]),
        (&json!(true), &json!(true))
    );
    let other = verify(format!("{upload}#other")).await.ok();
    assert_eq!(other["accepted"], false);
    assert_eq!(other["defects"][0]["code"], "version-exists");
    let newer = verify(component("works", "2.0.0").to_string()).await.ok();
    assert_eq!(newer["changes"]["wants"][0]["change"], "removed");
    let bad = verify("hello".into()).await.ok();
    assert_eq!(bad["accepted"], false);
    assert_eq!(bad["defects"][0]["code"], "not-wasm");
    assert_eq!(bad["defects"][0]["hint"], "upload the .wasm file");
    let viewer = world.token("eve", "viewer").await;
    let viewer = world.with_token(text(&viewer["token"]));
    viewer
        .call("POST", "/components:verify", "x")
        .await
        .is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_name_like_an_endpoint_is_a_name() {
    let world = World::new();
    push(&world, &component("verify", "1.0.0")).await;
    assert_eq!(world.get("/components/verify").await.ok()["name"], "verify");
}

#[tokio::test]
async fn the_bounds_and_the_cache_are_shown() {
    let world = World::new();
    let limits = world.get("/limits").await.ok();
    let items = limits["items"].as_array().unwrap();
    for name in [
        "native-cache",
        "uploads",
        "uploads-bytes",
        "upload-age",
        "upload-piece",
        "wants",
    ] {
        assert!(items.iter().any(|item| item["name"] == name), "{name}");
    }
    let cache = items
        .iter()
        .find(|item| item["name"] == "native-cache")
        .unwrap();
    assert_eq!(cache["value"], 7);
}
