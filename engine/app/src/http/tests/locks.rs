//! Locks, emergencies and children over the API.

use serde_json::json;

use super::world::{World, text};

const LIVE: &str = "\
process: live
phases:
  live:
    locks: [env/live]
    activities:
      go: { manual: { instructions: Go. } }
";

const ABOVE: &str = "\
process: above
phases:
  only:
    activities:
      sub: { process: { name: live } }
      ask: { manual: { instructions: Look. } }
";

async fn world() -> World {
    let world = World::furnished().await;
    for document in [LIVE, ABOVE] {
        world.call("POST", "/processes", document).await.ok();
    }
    world
}

#[tokio::test]
async fn who_holds_a_lock_and_who_waits_is_shown() {
    let world = world().await;
    let first = world.start("live").await;
    let second = world.start("live").await;
    let (first, second) = (text(&first["id"]), text(&second["id"]));
    let locks = world.get("/locks").await.ok();
    let lock = &locks["items"][0];
    assert_eq!(text(&lock["name"]), "env/live");
    assert_eq!(text(&lock["holders"][0]["release"]), first);
    assert_eq!(text(&lock["waiting"][0]["release"]), second);
    let why = world.get(&format!("/releases/{second}/why")).await.ok();
    let blocked = &why["items"][0];
    assert_eq!(
        (text(&blocked["path"]), text(&blocked["state"])),
        ("live", "blocked")
    );
    assert_eq!(
        text(&blocked["on"]["locks"][0]["holders"][0]["release"]),
        first
    );
    assert!(text(&blocked["text"]).contains(&format!("held by {first} (live)")));
    let set = world
        .json("PUT", "/locks/env%2Flive", &json!({ "capacity": 2 }))
        .await
        .ok();
    assert_eq!(set["holders"].as_array().unwrap().len(), 2);
    world
        .json("PUT", "/locks/env%2Flive", &json!({ "capacity": 0 }))
        .await
        .is_problem(422, "invalid-lock");
    let member = world.token("ana", "member").await;
    let member = world.with_token(text(&member["token"]));
    member
        .json("PUT", "/locks/env%2Flive", &json!({ "capacity": 1 }))
        .await
        .is_problem(403, "forbidden");
}

#[tokio::test]
async fn an_emergency_says_why() {
    let world = world().await;
    let order = |more: serde_json::Value| {
        let mut order = json!({ "process": "live" });
        order
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        order
    };
    for (more, code) in [
        (json!({ "priority": "emergency" }), "reason-required"),
        (
            json!({ "priority": "emergency", "reason": " " }),
            "reason-required",
        ),
        (json!({ "reason": "just so" }), "invalid-body"),
        (json!({ "priority": "high" }), "invalid-body"),
    ] {
        let answer = world.json("POST", "/releases", &order(more)).await;
        answer.is_problem(422, code);
    }
    let urgent = order(json!({ "priority": "emergency", "reason": "it burns" }));
    let urgent = world.json("POST", "/releases", &urgent).await.ok();
    assert_eq!(
        (text(&urgent["priority"]), text(&urgent["emergency"])),
        ("emergency", "it burns")
    );
}

#[tokio::test]
async fn a_child_knows_its_parent_and_the_other_way_round() {
    let world = world().await;
    let parent = world.start("above").await;
    let id = text(&parent["id"]);
    let parent = world.get(&format!("/releases/{id}")).await.ok();
    let sub = &parent["phases"][0]["activities"][0];
    assert_eq!(
        (text(&sub["kind"]), text(&sub["state"])),
        ("process", "running")
    );
    let child = world
        .get(&format!("/releases/{}", text(&sub["child"])))
        .await
        .ok();
    assert_eq!(text(&child["parent"]["release"]), id);
    assert_eq!(text(&child["parent"]["activity"]), "only/sub");
    assert_eq!(child["ancestors"], json!([id]));
    let launch = json!({ "action": "launch", "activity": "only/ask", "process": "runs" });
    let launched = world.act(id, &launch).await.ok();
    let ask = &launched["phases"][0]["activities"][1];
    assert_eq!(ask["children"].as_array().unwrap().len(), 1);
    let nowhere = json!({ "action": "launch", "activity": "only/ask", "process": "nowhere" });
    world
        .act(id, &nowhere)
        .await
        .is_problem(422, "invalid-values");
    let abort = json!({ "action": "abort", "reason": "wrong" });
    world.act(id, &abort).await.ok();
    let child = world
        .get(&format!("/releases/{}", text(&sub["child"])))
        .await
        .ok();
    assert_eq!(text(&child["state"]), "aborted");
}
