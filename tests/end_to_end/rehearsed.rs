//! What was rehearsed is what happens: the real release takes the rehearsed order.

use std::collections::BTreeMap;

use fermata_tests::api::{Api, activity};
use fermata_tests::server::{example, guest};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Fleet, PATIENCE, World, fermata, run};

/// Everybody whom an example asks.
const GROUPS: [&str; 9] = [
    "qa",
    "quality",
    "directors",
    "security",
    "release-managers",
    "product",
    "platform",
    "sre",
    "admins",
];

async fn world() -> (World, Fleet, Vec<Api>) {
    let (world, fleet) = (World::new(), Fleet::new());
    for name in ["deploy", "verify-health", "release-notes", "noop"] {
        let grants = fleet.grants();
        world.api.push(guest(name).unwrap(), &grants).await.unwrap();
    }
    let mut people = Vec::new();
    for name in ["ana", "ben", "cleo"] {
        people.push(world.api.person(name, &GROUPS).await.unwrap());
    }
    (world, fleet, people)
}

/// Answers as the plan says that people and the world outside answer, until the release has ended.
async fn carry_out(world: &World, people: &[Api], id: &str, plan: &Value) -> Value {
    for _ in 0..PATIENCE {
        let view = world.api.wait(id, 1).await.unwrap();
        if view["ended_at"].is_string() {
            return view;
        }
        for entry in plan["entries"].as_array().unwrap() {
            let path = entry["activity"].as_str().unwrap();
            let activity = activity(&view, path);
            match activity["state"].as_str() {
                Some("needs-people") => decide(people, id, activity, &entry["outputs"]).await,
                Some("suspended") if entry["kind"] == "wait" => {
                    signal(world, id, path, &entry["outputs"]).await;
                }
                _ => {}
            }
            if let Some(child) = activity["child"].as_str() {
                help(world, people, child, &entry["outputs"]).await;
            }
        }
    }
    panic!("{id} did not end");
}

/// Does the tasks, and lets everybody approve.
async fn decide(people: &[Api], id: &str, activity: &Value, form: &Value) {
    let path = activity["path"].as_str().unwrap();
    for task in activity["tasks"].as_array().into_iter().flatten() {
        let done = json!({ "action": "move-task", "activity": path, "task": task["name"], "state": "done" });
        people[0].act(id, &done).await.unwrap();
    }
    let mut approve = json!({ "action": "approve", "activity": path });
    if activity["form"].is_object() {
        approve["form"] = form.clone();
    }
    for person in people {
        // One of them may be excluded, or not needed any more.
        person.act(id, &approve).await.unwrap();
    }
}

/// Sends what an activity waits for, if that is a signal.
async fn signal(world: &World, id: &str, path: &str, payload: &Value) {
    let why = world.api.get(&format!("/releases/{id}/why")).await.unwrap();
    let items = why.ok().unwrap()["items"].clone();
    let items = items.as_array().into_iter().flatten();
    for item in items.filter(|item| item["path"] == path) {
        let Some(secret) = item["on"]["secret"].as_str() else {
            continue;
        };
        let request = world
            .api
            .request(Method::POST, &format!("/signals/{id}/{path}"))
            .header("Fermata-Signal-Secret", secret);
        let answer = world.api.send(request.json(payload)).await.unwrap();
        answer.ok().unwrap();
    }
}

/// Lets people answer what a child asks, so that it gives what the plan of its parent says.
async fn help(world: &World, people: &[Api], child: &str, outputs: &Value) {
    let view = world.api.get(&format!("/releases/{child}")).await.unwrap();
    let view = view.ok().unwrap();
    let phases = view["phases"].as_array().unwrap().iter();
    let activities = phases.flat_map(|phase| phase["activities"].as_array().unwrap());
    for activity in activities.filter(|activity| activity["state"] == "needs-people") {
        let form = json!({ "url": outputs["url"] });
        decide(people, child, activity, &form).await;
    }
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

/// Publishes an example, rehearses it twice, and runs it: it does what was planned.
async fn holds(
    (world, fleet, people): &(World, Fleet, Vec<Api>),
    name: &str,
    mut inputs: Value,
    assumed: &Value,
) -> (Value, Value) {
    let document = example(name).unwrap();
    if document.contains("\n  platform:") {
        inputs["platform"] = json!(fleet.url);
    }
    let published = world.api.publish(&document).await.unwrap();
    let process = published["name"].as_str().unwrap();
    let mut order = json!({ "process": process, "inputs": inputs });
    for (name, value) in assumed.as_object().unwrap() {
        order[name] = value.clone();
    }
    let plan = world.api.post("/rehearsals", &order).await.unwrap();
    let plan = plan.ok().unwrap();
    let again = world.api.post("/rehearsals", &order).await.unwrap();
    assert_eq!(again.ok().unwrap()["plan_hash"], plan["plan_hash"]);
    let id = world.api.start(process, &inputs).await.unwrap();
    let view = carry_out(world, people, &id, &plan).await;
    assert_as_planned(&view, &plan);
    (view, plan)
}

#[test]
fn chains_take_the_order_that_was_rehearsed() {
    run(async {
        let world = world().await;
        for (name, inputs) in [
            (
                "hotfix",
                json!({ "service": "payment", "version": "1.1.0", "reason": "payments fail" }),
            ),
            (
                "flag-rollout",
                json!({ "feature": "new-checkout", "service": "payment" }),
            ),
        ] {
            let (view, plan) = holds(&world, name, inputs, &json!({})).await;
            let entries = plan["entries"].as_array().unwrap().iter();
            let planned: Vec<&str> = entries
                .map(|entry| entry["activity"].as_str().unwrap())
                .collect();
            assert_eq!(order(&starts(&view, &plan)), planned, "{name}");
        }
    });
}

#[test]
fn releases_go_as_they_were_rehearsed() {
    run(async {
        let world = world().await;
        let change = "payments by card";
        for (name, inputs) in [
            ("build-to-waves", json!({ "version": "1.1.5" })),
            (
                "regulated-sign-off",
                json!({ "version": "1.1.6", "change": "CHG-1" }),
            ),
            ("saas-biweekly", json!({ "version": "1.2.0" })),
            ("bank", json!({ "version": "1.2.1" })),
            ("cleanup", json!({ "version": "1.2.2" })),
            (
                "qa-sign-off",
                json!({ "version": "1.2.3", "change": change }),
            ),
            ("noop-10", json!({})),
        ] {
            holds(&world, name, inputs, &json!({})).await;
        }
        let chain = json!({ "outputs": { "acceptance/load": { "p99_ms": 240 } } });
        let risky = json!({ "version": "1.2.4", "risk": "high" });
        holds(&world, "uat-chain", risky, &chain).await;
    });
}

#[test]
fn waves_and_the_whole_lifecycle_go_as_they_were_rehearsed() {
    run(async {
        let world = world().await;
        let customers =
            json!({ "version": "1.1.0", "customers": ["wave-1", "wave-2", "production"] });
        holds(&world, "waves", customers, &json!({})).await;
        world
            .0
            .api
            .publish(&example("provision").unwrap())
            .await
            .unwrap();
        let outside = json!({ "outputs": {
            "infrastructure/staging": { "environment": "staging", "url": "https://staging.example.com" },
            "security/scan": { "verdict": "clean" },
        } });
        let inputs = json!({ "version": "1.1.1", "targets": ["wave-1", "production"] });
        let (view, _) = holds(&world, "lifecycle", inputs, &outside).await;
        assert_eq!(view["outputs"]["staging"], "https://staging.example.com");
    });
}

#[test]
fn a_rollback_goes_as_it_was_rehearsed() {
    run(async {
        let world = world().await;
        let good = json!({ "version": "1.0.0" });
        let (_, plan) = holds(&world, "rollback-drill", good, &json!({})).await;
        let back = plan["rollback"].as_array().unwrap();
        assert_eq!(back.len(), 7, "{back:#?}");
        let bad = json!({ "version": "1.1.0", "late-payment": "1.1.0-crashing" });
        let fails = json!({ "fail": ["wave-2/payment"] });
        let (view, _) = holds(&world, "rollback-drill", bad, &fails).await;
        assert_eq!(view["state"], "rolled-back");
        for environment in ["wave-1", "wave-2"] {
            for service in ["payment", "account", "gateway"] {
                let status = world.1.status(environment, service).await;
                assert_eq!(status["version"], "1.0.0", "{service} in {environment}");
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
