//! SIGKILL: what was acknowledged is there, and what ran goes on.

use std::process::Command;

use fermata_tests::api::activity;
use serde_json::json;

use crate::world::{PATIENCE, World, run};

const NAPS: &str = "\
process: naps
phases:
  one:
    activities:
      nap: { uses: sleeper@1, with: { ms: 1500 } }
  two:
    needs: [one]
    activities:
      agree: { manual: { instructions: Look at it., approvals: [ { from: 'group:admins', count: 1 } ] } }
";

#[test]
fn a_suspended_activity_and_a_draft_survive_a_kill() {
    run(async {
        let world = World::new();
        world.push(&["sleeper"]).await;
        world.api.publish(NAPS).await.unwrap();
        let draft = json!({ "process": "naps", "start": false });
        let draft = world
            .api
            .post("/releases", &draft)
            .await
            .unwrap()
            .ok()
            .unwrap();
        let id = world.api.start("naps", &json!({})).await.unwrap();
        world
            .until(&id, |view| {
                activity(view, "one/nap")["state"] == "suspended"
            })
            .await;

        let world = world.crash();
        let kept = world
            .api
            .get(&format!("/releases/{}", draft["id"].as_str().unwrap()))
            .await
            .unwrap();
        assert_eq!(kept.ok().unwrap()["state"], "draft");
        world
            .until(&id, |view| {
                activity(view, "two/agree")["state"] == "needs-people"
            })
            .await;
        let approve = json!({ "action": "approve", "activity": "two/agree" });
        world.api.act(&id, &approve).await.unwrap().ok().unwrap();
        let world = world.crash();
        assert_eq!(
            world.api.wait(&id, PATIENCE).await.unwrap()["state"],
            "succeeded"
        );
    });
}

#[test]
fn kills_under_load_lose_nothing_and_double_nothing() {
    let chaos = Command::new(env!("CARGO_BIN_EXE_chaos"))
        .args(["--seconds", "8", "--clients", "60", "--seed", "7"])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&chaos.stdout),
        String::from_utf8_lossy(&chaos.stderr),
    );
    assert!(chaos.status.success(), "{out}\n{err}");
}
