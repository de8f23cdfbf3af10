//! What was rehearsed is what happens: the real release takes the rehearsed order.

use std::collections::BTreeMap;

use fermata_tests::api::{Api, activity};
use fermata_tests::server::{example, guest};
use serde_json::{Value, json};

use crate::world::{Fleet, PATIENCE, World, fermata, run};

/// Everybody whom an example asks.
const GROUPS: [&str; 5] = ["qa", "quality", "security", "release-managers", "product"];

async fn world() -> (World, Fleet, [Api; 2]) {
    let (world, fleet) = (World::new(), Fleet::new());
    for name in ["deploy", "verify-health", "release-notes", "noop"] {
        let grants = fleet.grants();
        world.api.push(guest(name).unwrap(), &grants).await.unwrap();
    }
    let ana = world.api.person("ana", &GROUPS).await.unwrap();
    let ben = world.api.person("ben", &GROUPS).await.unwrap();
    (world, fleet, [ana, ben])
}

/// Approves whatever waits for people, as the plan says that they answer, until it has ended.
async fn carry_out(world: &World, people: &[Api], id: &str, plan: &Value) -> Value {
    for _ in 0..PATIENCE {
        let view = world.api.wait(id, 1).await.unwrap();
        if view["ended_at"].is_string() {
            return view;
        }
        for entry in plan["entries"].as_array().unwrap() {
            let path = entry["activity"].as_str().unwrap();
            if activity(&view, path)["state"] != "needs-people" {
                continue;
            }
            let mut approve = json!({ "action": "approve", "activity": path });
            if activity(&view, path)["form"].is_object() {
                approve["form"] = entry["outputs"].clone();
            }
            for person in people {
                // One of them may be excluded, or not needed any more.
                person.act(id, &approve).await.unwrap();
            }
        }
    }
    panic!("{id} did not end");
}

/// When activities really started.
fn starts(view: &Value, plan: &Value) -> BTreeMap<String, String> {
    let entries = plan["entries"].as_array().unwrap().iter();
    let started = |entry: &Value| {
        let path = entry["activity"].as_str().unwrap();
        let at = activity(view, path)["started_at"].as_str()?;
        Some((path.to_owned(), at.to_owned()))
    };
    entries.filter_map(started).collect()
}

/// The release did what the plan says: the same activities with the same inputs and ends, each
/// after what it comes after in the plan.
fn assert_as_planned(view: &Value, plan: &Value) {
    assert_eq!(view["state"], plan["outcome"], "{view:#}");
    let starts = starts(view, plan);
    for entry in plan["entries"].as_array().unwrap() {
        let path = entry["activity"].as_str().unwrap();
        let real = activity(view, path);
        assert_eq!(real["state"], entry["state"], "{path}");
        assert_eq!(real["with"], entry["with"], "{path}");
        let (Some(start), Some(after)) = (starts.get(path), entry["after"].as_str()) else {
            continue;
        };
        let ended = activity(view, after)["ended_at"].as_str().unwrap();
        assert!(ended <= start.as_str(), "{path} began before {after} ended");
    }
}

/// Activities in the order in which they really started.
fn order(starts: &BTreeMap<String, String>) -> Vec<&str> {
    let mut order: Vec<(&str, &str)> = starts
        .iter()
        .map(|(path, at)| (at.as_str(), path.as_str()))
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, path)| path).collect()
}

#[test]
fn releases_take_the_order_that_was_rehearsed() {
    run(async {
        let (world, fleet, people) = world().await;
        for (name, mut inputs, is_chain) in [
            (
                "hotfix",
                json!({ "service": "payment", "version": "1.1.0", "reason": "payments fail" }),
                true,
            ),
            (
                "flag-rollout",
                json!({ "feature": "new-checkout", "service": "payment" }),
                true,
            ),
            ("build-to-waves", json!({ "version": "1.1.5" }), false),
            (
                "regulated-sign-off",
                json!({ "version": "1.1.6", "change": "CHG-1" }),
                false,
            ),
            ("saas-biweekly", json!({ "version": "1.2.0" }), false),
            ("bank", json!({ "version": "1.2.1" }), false),
        ] {
            inputs["platform"] = json!(fleet.url);
            let published = world.api.publish(&example(name).unwrap()).await.unwrap();
            let process = published["name"].as_str().unwrap();
            let order_of = json!({ "process": process, "inputs": inputs });
            let plan = world
                .api
                .post("/rehearsals", &order_of)
                .await
                .unwrap()
                .ok()
                .unwrap();
            let id = world.api.start(process, &inputs).await.unwrap();
            let view = carry_out(&world, &people, &id, &plan).await;
            assert_as_planned(&view, &plan);
            if is_chain {
                let entries = plan["entries"].as_array().unwrap().iter();
                let planned: Vec<&str> = entries
                    .map(|entry| entry["activity"].as_str().unwrap())
                    .collect();
                assert_eq!(order(&starts(&view, &plan)), planned, "{name}");
            }
        }
    });
}

#[test]
fn a_plan_is_the_same_from_the_server_and_from_the_terminal() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("waiting.yaml"),
        example("waiting").unwrap(),
    )
    .unwrap();
    let plan = |args: &[&str]| {
        let args = [&["rehearse", "waiting.yaml", "--output", "json"], args].concat();
        let (code, out, err) = fermata(&world, folder.path(), &args);
        assert_eq!(code, 0, "{out}{err}");
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let (online, offline) = (plan(&[]), plan(&["--offline"]));
    assert_eq!(online["plan_hash"], offline["plan_hash"]);
    assert_eq!(online["entries"].as_array().unwrap().len(), 1);
    let call = |args: &[&str]| fermata(&world, folder.path(), args);
    let (code, out, _) = call(&["rehearse", "waiting.yaml", "--fail", "decide"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("rejected"), "{out}");
    let (code, _, err) = call(&[
        "rehearse",
        "waiting.yaml",
        "--offline",
        "--fail",
        "decision/decode",
    ]);
    assert_eq!(code, 3, "{err}");
    assert!(
        err.contains("unknown-activity") && err.contains("decision/decide"),
        "{err}"
    );
}
