//! Rehearsals: of documents and of what is published, with what the engine has learnt.

use serde_json::{Value, json};

use super::world::{SIGN_OFF, World, text};

const FAILING: &str = "\
process: failing
phases:
  only:
    activities:
      work: { uses: works@1, with: { text: hello } }
      next: { needs: [work], uses: works@1 }
";

#[tokio::test]
async fn a_document_is_played_without_being_stored() {
    let world = World::new();
    let order =
        json!({ "document": SIGN_OFF, "inputs": { "version": "1.2.3" }, "approve_after": "2h" });
    let plan = world.json("POST", "/rehearsals", &order).await.ok();
    assert_eq!(text(&plan["outcome"]), "succeeded");
    assert_eq!(plan["takes_ms"], json!(7_200_000));
    let agree = &plan["entries"][0];
    assert_eq!(text(&agree["activity"]), "only/agree");
    assert_eq!(
        agree["approvals"],
        json!([{ "from": "group:admins", "count": 1 }])
    );
    assert_eq!(agree["outputs"], json!({ "verdict": "pass" }));
    let again = world.json("POST", "/rehearsals", &order).await.ok();
    assert_eq!(plan["plan_hash"], again["plan_hash"]);
    assert_eq!(world.get("/processes").await.ok()["items"], json!([]));
    // What the client reads is what the core wrote.
    let read: fermata_core::rehearsal::Rehearsal = serde_json::from_value(plan.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), plan);
}

#[tokio::test]
async fn a_published_process_is_played_with_what_its_releases_took() {
    let world = World::new();
    world.call("POST", "/processes", SIGN_OFF).await.ok();
    let order = json!({ "process": "sign-off", "inputs": { "version": "1.2.3" } });
    let before = world.json("POST", "/rehearsals", &order).await.ok();
    assert_eq!(
        before["entries"][0]["takes"],
        json!({ "ms": 3_600_000, "from": "default" })
    );
    decide_after_five_minutes(&world).await;
    let after = world.json("POST", "/rehearsals", &order).await.ok();
    assert_eq!(
        after["entries"][0]["takes"],
        json!({ "ms": 300_000, "from": "history" })
    );
    let mut unlearnt = order.clone();
    unlearnt["history"] = json!(false);
    let unlearnt = world.json("POST", "/rehearsals", &unlearnt).await.ok();
    assert_eq!(unlearnt["plan_hash"], before["plan_hash"]);
}

async fn decide_after_five_minutes(world: &World) {
    let release = json!({ "process": "sign-off", "inputs": { "version": "1.2.3" } });
    let created = world.json("POST", "/releases", &release).await.ok();
    world.later(fermata_core::time::Span(300_000));
    let approve =
        json!({ "action": "approve", "activity": "only/agree", "form": { "verdict": "pass" } });
    let path = format!("/releases/{}/actions", text(&created["id"]));
    world.json("POST", &path, &approve).await.ok();
}

#[tokio::test]
async fn what_cannot_be_played_says_why() {
    let world = World::new();
    world.call("POST", "/processes", SIGN_OFF).await.ok();
    let good = json!({ "process": "sign-off", "inputs": { "version": "1.2.3" } });
    let with = |key: &str, value: Value| {
        let mut order = good.clone();
        order[key] = value;
        order
    };
    for (order, status, code) in [
        (with("inputs", json!({})), 422, "invalid-values"),
        (with("process", json!("nowhere")), 404, "unknown-process"),
        (with("process", json!("No Name")), 404, "unknown-process"),
        (with("version", json!(7)), 404, "unknown-process"),
        (
            with("fail", json!(["only/disagree"])),
            404,
            "unknown-activity",
        ),
        (
            with("durations", json!({ "only/disagree": "5m" })),
            404,
            "unknown-activity",
        ),
        (
            with("outputs", json!({ "only/disagree": {} })),
            404,
            "unknown-activity",
        ),
        (
            with("durations", json!({ "only/agree": "soon" })),
            422,
            "invalid-body",
        ),
        (with("approve_after", json!("-1h")), 422, "invalid-body"),
        (with("starts_at", json!("tomorrow")), 422, "invalid-body"),
        (with("document", json!(SIGN_OFF)), 422, "invalid-body"),
        (json!({}), 422, "invalid-body"),
        (json!({ "document": "process: p" }), 422, "defects"),
        (json!({ "document": FAILING }), 422, "defects"),
        (
            with("durations", json!({ "only/agree": "3650d" })),
            422,
            "rehearsal-limit",
        ),
        (with("unknown", json!(1)), 422, "invalid-body"),
    ] {
        let answer = world.json("POST", "/rehearsals", &order).await;
        assert_eq!(
            (answer.status.as_u16(), text(&answer.body["code"])),
            (status, code),
            "{order}"
        );
    }
}
