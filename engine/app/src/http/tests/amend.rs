//! Releases that are given other values while they go on.

use axum::body::Body;
use serde_json::{Value, json};

use super::world::{World, text};

/// Something breaks, and something waits for it.
const BREAKS: &str = "\
process: broken
inputs:
  version: { type: string, pattern: '^[0-9]+$', default: '1' }
phases:
  only:
    activities:
      first: { uses: works@1 }
      ask: { needs: [first], manual: { instructions: 'Look at ${{ inputs.version }}.' } }
      last: { needs: { any: [first, ask] }, manual: { instructions: '${{ inputs.version }} ${{ needs.first.outputs.?done.orValue(false) }}' } }
";

#[tokio::test]
async fn what_has_not_begun_gets_other_values() {
    let world = World::furnished().await;
    world.call("POST", "/processes", BREAKS).await.ok();
    let order = json!({ "process": "broken", "start": false });
    let draft = world.json("POST", "/releases", &order).await.ok();
    let path = format!("/releases/{}/actions", text(&draft["id"]));
    let act = |action: Value| {
        let (world, path) = (&world, &path);
        async move { world.json("POST", path, &action).await }
    };
    let inputs = |version: &str, reason: &str| json!({ "action": "amend-inputs", "inputs": { "version": version }, "reason": reason });
    let amended = act(inputs("2", "the second is better")).await.ok();
    assert_eq!(amended["inputs"], json!({ "version": "2" }));
    act(inputs("2", "again"))
        .await
        .is_problem(409, "nothing-to-amend");
    act(inputs("two", "no"))
        .await
        .is_problem(422, "invalid-values");
    act(inputs("3", " "))
        .await
        .is_problem(422, "reason-required");
    act(json!({ "action": "amend-inputs", "reason": "x" }))
        .await
        .is_problem(422, "invalid-body");
    act(json!({ "action": "amend-inputs", "inputs": {}, "activity": "only/ask", "reason": "x" }))
        .await
        .is_problem(422, "invalid-body");
    act(json!({ "action": "amend-retry", "activity": "only/ask", "attempts": 2, "reason": "x" }))
        .await
        .is_problem(409, "not-started");
    let shown = world
        .get(&format!("/releases/{}", text(&draft["id"])))
        .await
        .ok();
    assert_eq!(
        shown["phases"][0]["activities"][2]["joins"],
        json!([{ "at_least": 1, "of": ["only/first", "only/ask"] }])
    );
    let path = format!("/releases/{}/events", text(&draft["id"]));
    let request = world
        .request("GET", &path)
        .header("accept", "application/json");
    let events = world.raw(request.body(Body::empty()).unwrap()).await.ok();
    let amendment = &events["items"][1];
    assert_eq!(
        (
            text(&amendment["type"]),
            &amendment["changed"],
            text(&amendment["reason"])
        ),
        (
            "inputs-amended",
            &json!(["version"]),
            "the second is better"
        )
    );
}
