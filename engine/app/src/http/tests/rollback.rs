//! Releases that go back.

use axum::body::Body;
use serde_json::json;

use super::world::{World, text};

#[tokio::test]
async fn an_ended_release_goes_back_and_leaves_a_task_behind() {
    let world = World::furnished().await;
    let wait = [("prefer", "respond-async, wait=30")];
    let order = json!({ "process": "runs" });
    let ended = world.json_with("POST", "/releases", &order, &wait).await;
    let id = text(&ended.body["id"]);
    let plan = world
        .get(&format!("/releases/{id}/rollback-plan"))
        .await
        .ok();
    assert_eq!(
        plan["stages"],
        json!([[{ "activity": "only/work", "way": "component" }]])
    );
    assert_eq!(plan.get("refused"), None);
    let rollback = json!({ "action": "rollback", "reason": "" });
    world
        .act(id, &rollback)
        .await
        .is_problem(422, "reason-required");
    let rollback = json!({ "action": "rollback", "reason": "wrong version" });
    let view = world.act(id, &rollback).await.ok();
    assert_eq!(text(&view["rollback"]["reason"]), "wrong version");
    let nothing = json!({});
    let place = format!("/releases/{id}");
    let back = world.json_with("GET", &place, &nothing, &wait).await.ok();
    assert_eq!(text(&back["state"]), "rolled-back");
    let item = &back["rollback"]["activities"][0];
    assert_eq!(
        (text(&item["activity"]), text(&item["result"])),
        ("only/work", "undone")
    );
    assert_eq!(text(&back["phases"][0]["activities"][0]["state"]), "undone");
    let attempts = format!("/releases/{id}/activities/only/work/attempts");
    let attempts = world.get(&attempts).await.ok();
    assert_eq!(text(&attempts["items"][1]["undo"]), "undo");
    let why = world.get(&format!("/releases/{id}/why")).await.ok();
    assert_eq!(text(&why["items"][0]["on"]["kind"]), "root-cause");
    let close = json!({ "action": "close-root-cause", "comment": "a typo" });
    let closed = world.act(id, &close).await.ok();
    let root_cause = &closed["rollback"]["root_cause"];
    assert_eq!(
        (text(&root_cause["state"]), text(&root_cause["text"])),
        ("closed", "a typo")
    );
    world.act(id, &close).await.is_problem(409, "no-root-cause");
    world
        .act(id, &rollback)
        .await
        .is_problem(409, "release-ended");
    let request = world
        .request("GET", &format!("/releases/{id}/events"))
        .header("accept", "application/json");
    let events = world.raw(request.body(Body::empty()).unwrap()).await.ok();
    let started = events["items"].as_array().unwrap().iter();
    let mut started = started.filter(|event| event["type"] == "rollback-started");
    assert_eq!(
        started.next().unwrap()["plan"],
        json!([{ "activity": "only/work", "way": "component" }])
    );
}

#[tokio::test]
async fn the_plan_says_when_a_rollback_would_be_refused() {
    let world = World::furnished().await;
    let view = world.start("sign-off").await;
    let id = text(&view["id"]);
    let plan = world
        .get(&format!("/releases/{id}/rollback-plan"))
        .await
        .ok();
    assert_eq!(text(&plan["refused"]["code"]), "nothing-to-undo");
    assert_eq!(plan["stages"], json!([]));
    for (action, status, code) in [
        (
            json!({ "action": "rollback", "reason": "now" }),
            409,
            "nothing-to-undo",
        ),
        (
            json!({ "action": "retry-undo", "activity": "only/agree" }),
            409,
            "wrong-state",
        ),
        (json!({ "action": "retry-undo" }), 422, "invalid-body"),
        (
            json!({ "action": "rollback", "activity": "only/agree" }),
            422,
            "invalid-body",
        ),
    ] {
        world.act(id, &action).await.is_problem(status, code);
    }
}
