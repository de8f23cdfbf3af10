//! Policies through the API: who may set them, what is wrong with them, and what they keep from happening.

use axum::body::Body;
use fermata_service::config::REQUESTS_JUDGED_MAX;
use futures::FutureExt as _;
use futures::future::{Either, select, select_all};
use serde_json::{Value, json};

use super::world::{Answer, World, text};

const LIVE: &str = "
process: live
phases:
  only:
    activities:
      go: { uses: works@1 }
";

/// A world with components that are policies: each does what its name says.
async fn world() -> World {
    let world = World::furnished().await;
    for name in ["denies", "warns", "fails", "ponders"] {
        let descriptor = json!({ "name": name, "version": "1.0.0", "world": "policy" });
        let pushed = world.call("POST", "/components", descriptor.to_string());
        assert_eq!(pushed.await.ok()["world"], "policy");
    }
    world.call("POST", "/processes", LIVE).await.ok();
    world
}

async fn set(world: &World, name: &str, body: &Value) -> Answer {
    world.json("PUT", &format!("/policies/{name}"), body).await
}

fn at(component: &str, at: &[&str]) -> Value {
    json!({ "component": format!("{component}@1"), "at": at, "settings": { "why": "so" } })
}

#[tokio::test]
async fn a_policy_is_set_read_listed_and_removed() {
    let world = world().await;
    let made = set(
        &world,
        "gate",
        &at("denies", &["start", "publish", "start"]),
    )
    .await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    assert_eq!(made.header("location"), "/api/v1/policies/gate");
    assert_eq!(made.body["at"], json!(["publish", "start"]));
    assert_eq!(made.body["component"], "denies@1.0.0");
    assert_eq!(
        (text(&made.body["on_failure"]), text(&made.body["timeout"])),
        ("deny", "2s")
    );
    let again = set(&world, "gate", &at("denies", &["start"])).await;
    assert_eq!(
        (again.status.as_u16(), again.header("etag")),
        (200, "\"2\"")
    );
    let listed = world.get("/policies").await.ok();
    assert_eq!(listed["items"][0], world.get("/policies/gate").await.ok());
    let used = world.get("/components/denies/used-by").await.ok();
    assert_eq!(used["policies"], json!(["gate"]));
    let delete = || world.call("DELETE", "/policies/gate", Body::empty());
    assert_eq!(delete().await.status, 204);
    world
        .get("/policies/gate")
        .await
        .is_problem(404, "unknown-policy");
    delete().await.is_problem(404, "unknown-policy");
}

#[tokio::test]
async fn what_cannot_be_a_policy_is_told() {
    let world = world().await;
    let good = at("denies", &["start"]);
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (body, status, code) in [
        (with("at", json!(["lunch"])), 422, "invalid-body"),
        (with("at", json!([])), 422, "invalid-values"),
        (with("component", json!("denies")), 422, "invalid-body"),
        (
            with("component", json!("nobody@1")),
            422,
            "missing-components",
        ),
        (with("component", json!("works@1")), 422, "other-world"),
        (with("settings", json!([])), 422, "invalid-values"),
        (with("processes", json!(["Bank"])), 422, "invalid-body"),
        (with("on_failure", json!("panic")), 422, "invalid-body"),
        (with("timeout", json!("soon")), 422, "invalid-body"),
        (with("timeout", json!("1h")), 422, "invalid-values"),
        (with("hours", json!(8)), 422, "invalid-body"),
        (json!({}), 422, "invalid-body"),
    ] {
        set(&world, "gate", &body).await.is_problem(status, code);
    }
    let strict = json!({
        "name": "strict", "version": "1.0.0", "world": "policy",
        "inputs": { "type": "object", "properties": { "why": { "type": "integer" } } },
    });
    let pushed = world.call("POST", "/components", strict.to_string());
    pushed.await.ok();
    let unfit = set(&world, "gate", &with("component", json!("strict@1"))).await;
    unfit.is_problem(422, "invalid-values");
    let told = text(&unfit.body["detail"]);
    assert!(told.contains("settings: /why"), "{told}");
    let path = "/policies/gate";
    let stale = world.json_with("PUT", path, &good, &[("if-match", "\"7\"")]);
    stale.await.is_problem(412, "stale");
    let member = world.token("ben", "member").await;
    let member = world.with_token(text(&member["token"]));
    set(&member, "gate", &good)
        .await
        .is_problem(403, "forbidden");
    let trial = json!({ "process": "live" });
    let tried = member.json("POST", "/policies/gate/judge", &trial).await;
    tried.is_problem(403, "forbidden");
    assert_eq!(member.get("/policies").await.status, 200);
}

#[tokio::test]
async fn a_preview_asks_only_about_what_is_new_and_for_those_who_may_publish() {
    let world = world().await;
    set(&world, "gate", &at("denies", &["publish"])).await.ok();
    let changed = format!("{LIVE}# changed\n");
    let preview = world.call("POST", "/processes:validate", LIVE).await.ok();
    assert_eq!(preview["denial"], Value::Null, "it is published already");
    let viewer = world.token("vera", "viewer").await;
    let viewer = world.with_token(text(&viewer["token"]));
    let checked = viewer.call("POST", "/processes:validate", changed.clone());
    let checked = checked.await.ok();
    assert_eq!(
        checked["denial"],
        Value::Null,
        "nobody is asked for viewers"
    );
}

#[tokio::test]
async fn a_denial_stops_a_publication_and_a_start_and_a_warning_is_shown() {
    let world = world().await;
    set(&world, "gate", &at("denies", &["publish", "start"]))
        .await
        .ok();
    let changed = format!("{LIVE}# changed\n");
    let publish = || world.call("POST", "/processes", changed.clone());
    publish().await.is_problem(409, "policy-denied");
    let preview = world
        .call("POST", "/processes:validate", changed.clone())
        .await
        .ok();
    assert_eq!(preview["denial"]["policy"], "gate", "{preview:#}");
    let unchanged = world.call("POST", "/processes", LIVE).await;
    assert_eq!(unchanged.status, 200, "the same document is no publication");
    let order = json!({ "process": "live" });
    let start = || world.json("POST", "/releases", &order);
    let refused = start().await;
    refused.is_problem(409, "policy-denied");
    let told = text(&refused.body["detail"]);
    assert_eq!(told, "the policy `gate`: {\"why\":\"so\"} at start");
    let draft = json!({ "process": "live", "start": false });
    let draft = world.json("POST", "/releases", &draft).await.ok();
    let id = text(&draft["id"]);
    let act = world.act(id, &json!({ "action": "start" })).await;
    act.is_problem(409, "policy-denied");

    set(
        &world,
        "gate",
        &at("warns", &["publish", "start", "activity"]),
    )
    .await
    .ok();
    let published = publish().await.ok();
    assert_eq!(published["warnings"][0]["policy"], "gate", "{published:#}");
    world.act(id, &json!({ "action": "start" })).await.ok();
    let wait = [("prefer", "wait=10")];
    let ended = world
        .json_with("POST", "/releases", &order, &wait)
        .await
        .ok();
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    assert_eq!(
        ended["warnings"].as_array().map(Vec::len),
        Some(2),
        "{ended:#}"
    );
    assert_eq!(ended["warnings"][1]["activity"], "only/go");
    let path = format!("/releases/{}/events", text(&ended["id"]));
    let request = world.request("GET", &path);
    let request = request.header("accept", "application/json");
    let events = world.raw(request.body(Body::empty()).unwrap()).await.ok();
    assert!(events.to_string().contains("policies-warned"), "{events:#}");

    set(&world, "gate", &at("fails", &["start"])).await.ok();
    let told = start().await;
    told.is_problem(409, "policy-denied");
    assert!(text(&told.body["detail"]).contains("it failed: trap: it crashed"));
    let mut lenient = at("fails", &["start"]);
    lenient["on_failure"] = "allow".into();
    set(&world, "gate", &lenient).await.ok();
    assert_eq!(start().await.status, 201);
}

#[tokio::test]
async fn trials_do_not_hold_up_what_is_to_happen() {
    let world = world().await;
    let mut slow = at("ponders", &["publish"]);
    slow["timeout"] = "30s".into();
    set(&world, "slow", &slow).await.ok();
    set(&world, "gate", &at("warns", &["start"])).await.ok();
    let (trial, order) = (json!({ "subject": {} }), json!({ "process": "live" }));
    let trials = (0..=REQUESTS_JUDGED_MAX).map(|_| {
        world
            .json("POST", "/policies/slow/judge", &trial)
            .boxed_local()
    });
    let trials = select_all(trials);
    let start = world.json("POST", "/releases", &order).boxed_local();
    match select(trials, start).await {
        Either::Left(((answer, ..), _)) => panic!("{:#}", answer.body),
        Either::Right((started, _)) => assert_eq!(started.status, 201, "{:#}", started.body),
    }
}

#[tokio::test]
async fn a_trial_shows_the_verdict_and_what_was_asked() {
    let world = world().await;
    let mut off = at("denies", &["start"]);
    off["enabled"] = false.into();
    set(&world, "gate", &off).await.ok();
    let order = json!({ "process": "live" });
    world.json("POST", "/releases", &order).await.ok();
    let judge = |body: Value| {
        let world = &world;
        async move { world.json("POST", "/policies/gate/judge", &body).await }
    };
    let verdict = judge(order).await.ok();
    assert_eq!(verdict["verdict"], "deny", "{verdict:#}");
    let asked = text(&verdict["log"][0]).strip_prefix("info: ").unwrap();
    let asked: Value = serde_json::from_str(asked).unwrap();
    assert_eq!(
        (&asked["process"]["name"], &asked["by"]),
        (&json!("live"), &json!("user:admin"))
    );
    assert_eq!(asked["environments"], json!([]));
    let published = judge(json!({ "process": "live", "at": "publish" }))
        .await
        .ok();
    assert!(text(&published["log"][0]).contains("uses: works@1"));
    let given = json!({ "subject": { "inputs": {} }, "at": "activity" });
    assert_eq!(
        text(&judge(given).await.ok()["log"][0]),
        "info: {\"inputs\":{}}"
    );
    for (body, status, code) in [
        (json!({}), 422, "invalid-body"),
        (json!({ "subject": [] }), 422, "invalid-body"),
        (
            json!({ "process": "live", "at": "lunch" }),
            422,
            "invalid-body",
        ),
        (
            json!({ "process": "live", "at": "activity" }),
            422,
            "invalid-values",
        ),
        (json!({ "process": "nobody" }), 404, "unknown-process"),
        (
            json!({ "process": "live", "inputs": { "no": 1 } }),
            422,
            "invalid-values",
        ),
    ] {
        judge(body).await.is_problem(status, code);
    }
}
