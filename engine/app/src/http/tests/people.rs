//! What people do about manual activities: backups, tasks, files, inboxes, and broken glass.

use fermata_core::time::Span;
use serde_json::{Value, json};

use super::world::{World, text};

const BOARD: &str = "\
process: board
phases:
  only:
    activities:
      agree:
        manual:
          instructions: Look at it.
          approvals: [ { from: 'group:board', count: all }, { from: 'user:zoe' } ]
          order: sequential
          exclude: [initiator]
          tasks: [ { name: payment journey, assign: 'user:cleo', required: true, expected: 1h } ]
          expires: 2h
";

fn agree(view: &Value) -> &Value {
    &view["phases"][0]["activities"][0]
}

/// Somebody in groups, with a token of their own.
async fn person(world: &World, name: &str, groups: &[&str]) -> World {
    let order = json!({ "groups": groups });
    let path = format!("/principals/{name}");
    world.json("PUT", &path, &order).await.ok();
    let token = world.token(name, "member").await;
    world.with_token(text(&token["token"]))
}

/// The kinds of what waits on somebody.
async fn inbox(world: &World) -> Vec<String> {
    let page = world.get("/me/tasks").await.ok();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| text(&item["kind"]).to_owned()).collect()
}

async fn asked() -> (World, String) {
    let world = World::new();
    person(&world, "ana", &["board"]).await;
    person(&world, "ben", &["board"]).await;
    world.call("POST", "/processes", BOARD).await.ok();
    let order = json!({ "process": "board" });
    let view = world.json("POST", "/releases", &order).await.ok();
    (world, text(&view["id"]).to_owned())
}

fn act(action: &str, more: &Value) -> Value {
    let mut body = json!({ "action": action, "activity": "only/agree" });
    let more = more.as_object().cloned().unwrap_or_default();
    body.as_object_mut().unwrap().extend(more);
    body
}

#[tokio::test]
async fn the_roster_the_order_and_the_content_are_kept() {
    let (world, id) = asked().await;
    let view = world.get(&format!("/releases/{id}")).await.ok();
    let rules = &agree(&view)["rules"];
    assert_eq!(
        (&rules[0]["count"], text(&rules[0]["quorum"])),
        (&json!(2), "all")
    );
    let content = text(&agree(&view)["content"]).to_owned();
    let ana = person(&world, "ana", &["board"]).await;
    let zoe = person(&world, "zoe", &[]).await;
    zoe.act(&id, &act("approve", &json!({})))
        .await
        .is_problem(409, "not-your-turn");
    let wrong = act(
        "approve",
        &json!({ "content": format!("sha256:{}", "0".repeat(64)) }),
    );
    ana.act(&id, &wrong)
        .await
        .is_problem(409, "content-changed");
    let garbled = act("approve", &json!({ "content": "x" }));
    ana.act(&id, &garbled).await.is_problem(422, "invalid-body");
    let right = act("approve", &json!({ "content": content }));
    ana.act(&id, &right).await.ok();
    ana.act(&id, &right)
        .await
        .is_problem(409, "already-approved");
    let eve = person(&world, "eve", &["board"]).await;
    eve.act(&id, &right)
        .await
        .is_problem(409, "not-an-approver");
    ana.act(&id, &act("withdraw", &json!({ "comment": "wait" })))
        .await
        .ok();
    ana.act(&id, &act("withdraw", &json!({})))
        .await
        .is_problem(409, "nothing-to-withdraw");
    let question = act("withdraw-question", &json!({ "reason": "wrong" }));
    ana.act(&id, &question)
        .await
        .is_problem(409, "not-initiator");
    let view = world.act(&id, &question).await.ok();
    assert_eq!(text(&agree(&view)["state"]), "withdrawn");
    assert_eq!(text(&view["state"]), "failed");
}

#[tokio::test]
async fn a_backup_acts_for_a_while_and_cannot_pass_it_on() {
    let (world, id) = asked().await;
    let ana = person(&world, "ana", &["board"]).await;
    let dan = person(&world, "dan", &[]).await;
    let eve = person(&world, "eve", &[]).await;
    let until = "2023-11-21T00:00:00Z";
    let backup = |name: &str| json!({ "backup": name, "until": until });
    for (order, status, code) in [
        (
            json!({ "backup": "ana", "until": until }),
            422,
            "invalid-body",
        ),
        (
            json!({ "backup": "dan", "until": "2020-01-01T00:00:00Z" }),
            422,
            "invalid-body",
        ),
        (
            json!({ "backup": "dan", "until": "2030-01-01T00:00:00Z" }),
            422,
            "invalid-body",
        ),
        (
            json!({ "backup": "nobody", "until": until }),
            404,
            "unknown-principal",
        ),
    ] {
        ana.json("PUT", "/me/backup", &order)
            .await
            .is_problem(status, code);
    }
    let for_ana = act("approve", &json!({ "for": "ana" }));
    dan.act(&id, &for_ana).await.is_problem(409, "not-a-backup");
    ana.json("PUT", "/me/backup", &backup("dan")).await.ok();
    ana.json("PUT", "/me/backup", &backup("eve"))
        .await
        .is_problem(409, "already-delegated");
    dan.json("PUT", "/me/backup", &backup("eve")).await.ok();
    eve.act(&id, &for_ana).await.is_problem(409, "not-a-backup");
    assert_eq!(dan.get("/me/backup").await.ok()["for"], json!(["user:ana"]));
    let waiting = dan.get("/me/tasks").await.ok();
    assert_eq!(text(&waiting["items"][0]["backup_of"]), "ana");
    let view = dan.act(&id, &for_ana).await.ok();
    let given = &agree(&view)["approvals"][0];
    assert_eq!(
        (text(&given["by"]), text(&given["backup_of"])),
        ("user:dan", "user:ana")
    );
    ana.act(&id, &act("approve", &json!({})))
        .await
        .is_problem(409, "already-approved");
    ana.call("DELETE", "/me/backup", "").await;
    dan.act(&id, &for_ana).await.is_problem(409, "not-a-backup");
}

#[tokio::test]
async fn tasks_come_first_and_files_come_back() {
    let (world, id) = asked().await;
    let cleo = person(&world, "cleo", &[]).await;
    let eve = person(&world, "eve", &[]).await;
    assert_eq!(inbox(&cleo).await, ["task"]);
    let task = |state: &str| {
        act(
            "move-task",
            &json!({ "task": "payment journey", "state": state }),
        )
    };
    eve.act(&id, &task("done"))
        .await
        .is_problem(409, "not-assigned");
    cleo.act(&id, &task("perfect"))
        .await
        .is_problem(422, "invalid-body");
    cleo.act(&id, &task("not-applicable"))
        .await
        .is_problem(409, "task-required");
    let path = format!(
        "/releases/{id}/files?activity=only/agree&task=payment%20journey&name=a.txt&media_type=text/plain"
    );
    let view = cleo.call("POST", &path, "seen").await.ok();
    let file = &agree(&view)["tasks"][0]["files"][0];
    assert_eq!(
        (&file["bytes"], text(&file["media_type"])),
        (&json!(4), "text/plain")
    );
    let place = format!("/releases/{id}/files/{}", text(&file["digest"]));
    let answer = eve.get(&place).await;
    assert_eq!(answer.header("content-disposition"), "attachment");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let other = format!("/releases/{id}/files/sha256:{}", "0".repeat(64));
    eve.get(&other).await.is_problem(404, "unknown-file");
    let view = cleo.act(&id, &task("done")).await.ok();
    let done = &agree(&view)["tasks"][0];
    assert_eq!(
        (text(&done["state"]), text(&done["by"])),
        ("done", "user:cleo")
    );
    assert!(inbox(&cleo).await.is_empty());
    let said = act("comment", &json!({ "comment": "helo" }));
    eve.act(&id, &said).await.ok();
    let edit = act("edit-comment", &json!({ "number": 0, "comment": "hello" }));
    cleo.act(&id, &edit).await.is_problem(409, "not-author");
    let view = eve.act(&id, &edit).await.ok();
    let comment = &agree(&view)["comments"][0];
    assert_eq!(text(&comment["text"]), "hello");
    assert!(comment["edited_at"].is_string());
}

#[tokio::test]
async fn broken_glass_is_reviewed_after_the_end() {
    let (world, id) = asked().await;
    let ana = person(&world, "ana", &["board"]).await;
    let zoe = person(&world, "zoe", &["break-glass"]).await;
    assert_eq!(inbox(&ana).await, ["approval"]);
    assert!(inbox(&zoe).await.is_empty());
    let glass = act("break-glass", &json!({ "reason": "down" }));
    ana.act(&id, &glass).await.is_problem(409, "not-permitted");
    zoe.act(&id, &act("break-glass", &json!({})))
        .await
        .is_problem(422, "reason-required");
    let view = zoe.act(&id, &glass).await.ok();
    assert_eq!(text(&view["state"]), "succeeded");
    assert_eq!(view["open_reviews"], json!(["only/agree"]));
    assert_eq!(text(&agree(&view)["source"]), "broken-glass");
    assert_eq!(inbox(&ana).await, ["review"]);
    let review = act("close-review", &json!({ "comment": "it was right" }));
    zoe.act(&id, &review).await.is_problem(409, "excluded");
    world
        .act(&id, &review)
        .await
        .is_problem(409, "not-a-reviewer");
    let view = ana.act(&id, &review).await.ok();
    assert!(view["open_reviews"].is_null());
    assert_eq!(
        text(&agree(&view)["broken_glass"]["reviewed_by"]),
        "user:ana"
    );
    assert!(inbox(&ana).await.is_empty());
    ana.act(&id, &review).await.is_problem(409, "release-ended");
    world.later(Span(1));
    assert_eq!(
        world.get(&format!("/releases/{id}")).await.ok()["version"],
        view["version"]
    );
}
