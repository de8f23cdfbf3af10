//! Releases: created, decided, read.

use axum::body::Body;
use serde_json::{Value, json};

use super::world::{World, text};

fn activity(view: &Value) -> &Value {
    &view["phases"][0]["activities"][0]
}

#[tokio::test]
async fn a_release_runs_to_its_end_while_the_caller_waits() {
    let world = World::furnished().await;
    let order = json!({ "process": "runs", "title": "Try" });
    let wait = [("prefer", "respond-async, wait=30")];
    let answer = world.json_with("POST", "/releases", &order, &wait).await;
    assert_eq!(answer.status, 201, "{:#}", answer.body);
    let view = &answer.body;
    assert_eq!(
        (text(&view["state"]), text(&view["title"])),
        ("succeeded", "Try")
    );
    assert_eq!(
        answer.header("location"),
        format!("/api/v1/releases/{}", text(&view["id"]))
    );
    assert_eq!(answer.header("etag"), format!("\"{}\"", view["version"]));
    let work = activity(view);
    assert_eq!(
        (text(&work["path"]), text(&work["uses"])),
        ("only/work", "works@1")
    );
    assert_eq!(work["outputs"], json!({ "done": true }));
    assert_eq!(work["with"], json!({ "text": "hello" }));
    assert_eq!(
        (&work["attempt"], text(&work["source"])),
        (&json!(1), "component")
    );
    assert_eq!(text(&work["evidence"][0]["kind"]), "deployment");
    assert_eq!(text(&view["components"][0]["version"]), "1.0.0");

    let id = text(&view["id"]);
    let attempts = format!("/releases/{id}/activities/only/work/attempts");
    let listed = world.get(&attempts).await.ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(text(&listed["items"][0]["state"]), "succeeded");
    let logs = world.get(&format!("{attempts}/1/logs")).await.ok();
    assert_eq!(text(&logs["items"][1]["message"]), "ended");
    world
        .get(&format!("{attempts}/2/logs"))
        .await
        .is_problem(404, "unknown-attempt");
    for (attempt, code) in [(1, "unknown-recording"), (2, "unknown-attempt")] {
        let recording = world.get(&format!("{attempts}/{attempt}/recording")).await;
        recording.is_problem(404, code);
    }
    let nowhere = format!("/releases/{id}/activities/only/other/attempts");
    world
        .get(&nowhere)
        .await
        .is_problem(404, "unknown-activity");

    let ledger = world
        .get("/ledger?environment=live&service=shop")
        .await
        .ok();
    assert_eq!(text(&ledger["items"][0]["version"]), "1.2.3");
    assert_eq!(text(&ledger["items"][0]["release"]), id);
    let history = world.get("/ledger/live/shop").await.ok();
    assert_eq!(text(&history["items"][0]["version"]), "1.2.3");
    assert_eq!(
        world.get("/ledger?environment=test").await.ok()["items"],
        json!([])
    );
}

#[tokio::test]
async fn people_decide_and_the_reasons_are_there() {
    let world = World::furnished().await;
    let view = world.start("sign-off").await;
    let id = text(&view["id"]);
    let agree = activity(&view);
    assert_eq!(
        (text(&agree["state"]), text(&agree["kind"])),
        ("needs-people", "manual")
    );
    assert_eq!(
        agree["rules"],
        json!([{ "from": ["group:admins"], "count": 1, "met": 0 }])
    );
    assert_eq!(text(&agree["instructions"]), "Look at it.");
    assert!(agree["form"]["required"].is_array());
    let why = world.get(&format!("/releases/{id}/why")).await.ok();
    let waiting = &why["items"][0];
    assert_eq!(
        (text(&waiting["path"]), text(&waiting["on"]["kind"])),
        ("only/agree", "people")
    );
    assert_eq!(
        waiting["on"]["rules"],
        json!([{ "from": ["group:admins"], "more": 1 }])
    );
    assert_eq!(
        waiting["actions"],
        json!(["approve", "reject", "withdraw", "withdraw-question", "skip"])
    );

    let approve = json!({ "action": "approve", "activity": "only/agree", "comment": "fine" });
    world
        .act(id, &approve)
        .await
        .is_problem(422, "form-required");
    let mut wrong = approve.clone();
    wrong["form"] = json!({ "verdict": "perhaps" });
    world
        .act(id, &wrong)
        .await
        .is_problem(422, "invalid-values");
    let mut right = approve;
    right["form"] = json!({ "verdict": "pass" });
    let token = world.token("eve", "member").await;
    let eve = world.with_token(text(&token["token"]));
    eve.act(id, &right).await.is_problem(409, "not-an-approver");
    let ended = world.act(id, &right).await.ok();
    assert_eq!(text(&ended["state"]), "succeeded");
    let agree = activity(&ended);
    assert_eq!(agree["outputs"], json!({ "verdict": "pass" }));
    assert_eq!(text(&agree["approvals"][0]["by"]), "user:admin");
    assert_eq!(agree["rules"][0]["met"], json!(1));
    world.act(id, &right).await.is_problem(409, "release-ended");
}

#[tokio::test]
async fn actions_that_make_no_sense_are_refused() {
    let world = World::furnished().await;
    let view = world.start("sign-off").await;
    let id = text(&view["id"]);
    for (action, status, code) in [
        (json!({ "action": "explode" }), 422, "invalid-body"),
        (json!({ "action": "approve" }), 422, "invalid-body"),
        (
            json!({ "action": "pause", "activity": "only/agree" }),
            422,
            "invalid-body",
        ),
        (
            json!({ "action": "resume", "reason": "x" }),
            422,
            "invalid-body",
        ),
        (
            json!({ "action": "supply-outputs", "activity": "only/agree" }),
            422,
            "invalid-body",
        ),
        (
            json!({ "action": "approve", "activity": "only/other" }),
            404,
            "unknown-activity",
        ),
        (
            json!({ "action": "reject", "activity": "only/agree" }),
            422,
            "reason-required",
        ),
        (json!({ "action": "abort" }), 422, "reason-required"),
        (
            json!({ "action": "retry", "activity": "only/agree" }),
            409,
            "wrong-state",
        ),
        (json!({ "action": "resume" }), 409, "not-paused"),
        (json!({ "action": "start" }), 409, "already-started"),
    ] {
        world.act(id, &action).await.is_problem(status, code);
    }
    let read = world.get(&format!("/releases/{id}")).await.ok();
    assert_eq!(read["version"], view["version"], "nothing has changed");
}

#[tokio::test]
async fn a_stale_caller_changes_nothing() {
    let world = World::furnished().await;
    let view = world.start("sign-off").await;
    let path = format!("/releases/{}/actions", text(&view["id"]));
    let known = format!("\"{}\"", view["version"]);
    let pause = json!({ "action": "pause", "reason": "lunch" });
    let paused = world
        .json_with("POST", &path, &pause, &[("if-match", &known)])
        .await;
    assert_eq!(text(&paused.body["state"]), "paused");
    assert_eq!(
        (
            text(&paused.body["reason"]),
            text(&paused.body["paused_by"])
        ),
        ("lunch", "user:admin")
    );
    let resume = json!({ "action": "resume" });
    let stale = world
        .json_with("POST", &path, &resume, &[("if-match", &known)])
        .await;
    stale.is_problem(412, "stale");
    let weak = world
        .json_with("POST", &path, &resume, &[("if-match", "W/\"1\"")])
        .await;
    weak.is_problem(400, "invalid-header");
    let now = paused.header("etag").to_owned();
    world
        .json_with("POST", &path, &resume, &[("if-match", &now)])
        .await
        .ok();
}

#[tokio::test]
async fn an_unchanged_release_is_not_sent_again() {
    let world = World::furnished().await;
    let view = world.start("sign-off").await;
    let path = format!("/releases/{}", text(&view["id"]));
    let read = world.get(&path).await;
    let known = read.header("etag").to_owned();
    let request = world.request("GET", &path).header("if-none-match", &known);
    let answer = world.raw(request.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("etag")),
        (304, known.as_str())
    );
}

#[tokio::test]
async fn a_key_makes_repeats_harmless() {
    let world = World::furnished().await;
    let order = json!({ "process": "sign-off", "inputs": { "version": "1" } });
    let key = [("idempotency-key", "k1")];
    let first = world.json_with("POST", "/releases", &order, &key).await;
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = world.json_with("POST", "/releases", &order, &key).await;
    assert_eq!(
        (again.status, &again.body["id"]),
        (first.status, &first.body["id"])
    );
    assert_eq!(again.header("idempotency-replayed"), "true");
    let mut other = order.clone();
    other["title"] = json!("other");
    let reused = world.json_with("POST", "/releases", &other, &key).await;
    reused.is_problem(422, "idempotency-key-reuse");
    let token = world.token("eve", "member").await;
    let eve = world.with_token(text(&token["token"]));
    let of_eve = eve.json_with("POST", "/releases", &order, &key).await.ok();
    assert_ne!(
        of_eve["id"], first.body["id"],
        "keys belong to who uses them"
    );
    for key in ["", &"k".repeat(256)] {
        let answer = world
            .json_with("POST", "/releases", &order, &[("idempotency-key", key)])
            .await;
        answer.is_problem(400, "invalid-header");
    }
    let path = format!("/releases/{}/actions", text(&first.body["id"]));
    let pause = json!({ "action": "pause" });
    let key = [("idempotency-key", "k2")];
    let paused = world.json_with("POST", &path, &pause, &key).await.ok();
    let again = world.json_with("POST", &path, &pause, &key).await.ok();
    assert_eq!(paused["version"], again["version"]);
    world
        .act(text(&first.body["id"]), &pause)
        .await
        .is_problem(409, "already-paused");
}

#[tokio::test]
async fn inputs_that_do_not_fit_create_nothing() {
    let world = World::furnished().await;
    for order in [
        json!({ "process": "sign-off" }),
        json!({ "process": "sign-off", "inputs": { "version": 5 } }),
        json!({ "process": "sign-off", "inputs": { "version": "1", "other": 1 } }),
    ] {
        world
            .json("POST", "/releases", &order)
            .await
            .is_problem(422, "invalid-values");
    }
    let order = json!({ "process": "sign-off", "version": 9, "inputs": { "version": "1" } });
    world
        .json("POST", "/releases", &order)
        .await
        .is_problem(404, "unknown-process");
    assert_eq!(world.get("/releases").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn lists_are_newest_first_and_narrowed() {
    let world = World::furnished().await;
    let draft = json!({ "process": "sign-off", "inputs": { "version": "1" }, "start": false });
    let draft = world.json("POST", "/releases", &draft).await.ok();
    assert_eq!(text(&draft["state"]), "draft");
    let running = world.start("sign-off").await;
    let list = world.get("/releases").await.ok();
    let ids = |list: &Value| -> Vec<Value> {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].clone())
            .collect()
    };
    assert_eq!(ids(&list), [running["id"].clone(), draft["id"].clone()]);
    let drafts = world.get("/releases?state=draft").await.ok();
    assert_eq!(ids(&drafts), [draft["id"].clone()]);
    assert_eq!(
        ids(&world.get("/releases?process=runs").await.ok()),
        Vec::<Value>::new()
    );
    let started = world
        .act(text(&draft["id"]), &json!({ "action": "start" }))
        .await
        .ok();
    assert_eq!(text(&started["state"]), "running");
}

#[tokio::test]
async fn a_failure_says_everything_and_is_moved_on() {
    let world = World::furnished().await;
    let document =
        "process: breaking\nphases:\n  only:\n    activities:\n      work: { uses: breaks@1 }\n";
    world.call("POST", "/processes", document).await.ok();
    let id = text(&world.start("breaking").await["id"]).to_owned();
    let view = until(&world, &id, "on-hold").await;
    let failure = &activity(&view)["failure"];
    assert_eq!(
        (&failure["class"], text(&failure["message"])),
        (&json!("permanent"), "it does not work")
    );
    let why = world.get(&format!("/releases/{id}/why")).await.ok();
    assert_eq!(text(&why["items"][0]["on"]["kind"]), "decision");
    let supply =
        json!({ "action": "supply-outputs", "activity": "only/work", "outputs": { "a": 1 } });
    let view = world.act(&id, &supply).await.ok();
    assert_eq!(
        (text(&view["state"]), text(&activity(&view)["source"])),
        ("succeeded", "supplied")
    );
}

#[tokio::test]
async fn a_suspended_run_says_what_it_waits_for() {
    let world = World::furnished().await;
    let document =
        "process: waiting\nphases:\n  only:\n    activities:\n      work: { uses: waits@1 }\n";
    world.call("POST", "/processes", document).await.ok();
    let id = text(&world.start("waiting").await["id"]).to_owned();
    let view = until(&world, &id, "suspended").await;
    let work = activity(&view);
    assert_eq!(
        (text(&work["status"]), &work["run"]),
        ("for the weather", &json!(1))
    );
    assert!(work["resume_at"].is_string() && work["deadline"].is_string());
    let skip = json!({ "action": "skip", "activity": "only/work", "reason": "enough" });
    let view = world.act(&id, &skip).await.ok();
    let work = activity(&view);
    assert_eq!(
        (text(&work["why"]), text(&work["reason"])),
        ("person", "enough")
    );
}

/// The release once its activity is in `state`: follows its events instead of asking again and again.
async fn until(world: &World, id: &str, state: &str) -> Value {
    let id = id.parse().unwrap();
    let mut watch = world.api.service.watch(id, 0).unwrap();
    loop {
        let view = world.get(&format!("/releases/{id}")).await.ok();
        if activity(&view)["state"] == state {
            return view;
        }
        assert!(watch.next().await.unwrap().is_some(), "it never got there");
    }
}
