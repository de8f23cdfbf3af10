//! Fan-outs: seen, halted, let go on.

use serde_json::{Value, json};

use super::world::{World, text};

const SHOPS: &str = "\
process: shops
phases:
  shops:
    each: [north, south]
    batches: [1]
    gate: [ { from: 'group:admins' } ]
    activities:
      open: { manual: { instructions: 'Open ${{ each.item }}.' } }
  last:
    needs: [shops]
    activities:
      count: { each: [1, 2], manual: { instructions: Count. } }
";

async fn started() -> (World, String) {
    let world = World::new();
    world.call("POST", "/processes", SHOPS).await.ok();
    let view = world.start("shops").await;
    let id = text(&view["id"]).to_owned();
    (world, id)
}

async fn view(world: &World, id: &str) -> Value {
    world.get(&format!("/releases/{id}")).await.ok()
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|part| text(&part["name"])).collect()
}

async fn approve(world: &World, id: &str, activity: &str) -> Value {
    let action = json!({ "action": "approve", "activity": activity });
    world.act(id, &action).await.ok()
}

#[tokio::test]
async fn a_wave_is_seen_with_its_instances_and_its_gates() {
    let (world, id) = started().await;
    let first = view(&world, &id).await;
    assert_eq!(
        names(&first["phases"]),
        ["shops", "shops[north]", "shops[south]", "last"]
    );
    let shops = &first["phases"][0];
    assert_eq!(text(&shops["wave"]["text"]), "0 of 2 done, batch 1 of 2");
    assert_eq!(shops["activities"], json!([]), "its gate is not asked yet");
    let south = &first["phases"][2];
    assert_eq!(
        south["instance"],
        json!({ "of": "shops", "index": 1, "batch": 2, "item": "south" })
    );

    let gated = approve(&world, &id, "shops[north]/open").await;
    let shops = &gated["phases"][0];
    assert_eq!(names(&shops["activities"]), ["gate[2]"]);
    assert_eq!(text(&shops["wave"]["state"]), "gated");
    assert_eq!(text(&shops["wave"]["gate"]), "shops/gate[2]");

    approve(&world, &id, "shops/gate[2]").await;
    let counting = approve(&world, &id, "shops[1]/open").await;
    let last = &counting["phases"][3];
    assert_eq!(
        names(&last["activities"]),
        ["count", "count[1]", "count[2]"]
    );
    approve(&world, &id, "last/count[1]").await;
    let ended = approve(&world, &id, "last/count[2]").await;
    assert_eq!(text(&ended["state"]), "succeeded");
    assert_eq!(text(&ended["phases"][0]["wave"]["state"]), "over");

    let events = world
        .json_with(
            "GET",
            &format!("/releases/{id}/events?limit=200"),
            &json!(null),
            &[("accept", "application/json")],
        )
        .await
        .ok();
    let events = events["items"].as_array().unwrap();
    let expanded = events
        .iter()
        .find(|event| event["type"] == "expanded")
        .unwrap();
    assert_eq!(text(&expanded["phase"]), "shops");
    assert_eq!(expanded["items"], json!(["north", "south"]));
    assert_eq!(expanded.get("group"), None);
    let south = events
        .iter()
        .find(|event| event["activity"] == "shops[south]/open");
    assert_eq!(text(&south.unwrap()["phase"]), "shops[south]");
}

#[tokio::test]
async fn a_process_says_what_runs_for_each_item() {
    let (world, _) = started().await;
    let process = world.get("/processes/shops/versions/1").await.ok();
    let [shops, last] = [0, 1].map(|at| &process["graph"]["phases"][at]);
    assert_eq!(
        (&shops["each"], &last["each"]),
        (&json!(true), &json!(false))
    );
    let [open, count] = [shops, last].map(|phase| &phase["activities"][0]);
    assert_eq!(
        (&open["each"], &count["each"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(open["gate"], json!(false));
}

#[tokio::test]
async fn a_wave_is_halted_and_let_go_on() {
    let (world, id) = started().await;
    let halt = json!({ "action": "halt-wave", "wave": "shops", "reason": "the pager rings" });
    let halted = world.act(&id, &halt).await.ok();
    let wave = &halted["phases"][0]["wave"];
    assert_eq!(
        text(&wave["text"]),
        "0 of 2 done, batch 1 of 2, halted by user:admin (the pager rings)"
    );
    world
        .act(&id, &halt)
        .await
        .is_problem(409, "already-halted");
    let why = world.get(&format!("/releases/{id}/why")).await.ok();
    let item = &why["items"][0];
    assert_eq!(
        (text(&item["path"]), text(&item["on"]["kind"])),
        ("shops", "batch")
    );
    assert_eq!(
        item["actions"],
        json!(["resume-wave", "rollback-wave", "end-wave"])
    );
    let resume = json!({ "action": "resume-wave", "wave": "shops" });
    world.act(&id, &resume).await.ok();
    world.act(&id, &resume).await.is_problem(409, "not-halted");
    let skip = json!({ "action": "skip", "activity": "shops[south]", "reason": "closed" });
    world.act(&id, &skip).await.ok();
    let last = approve(&world, &id, "shops[north]/open").await;
    assert_eq!(text(&last["phases"][0]["state"]), "succeeded");
}

#[tokio::test]
async fn what_makes_no_sense_of_a_wave_is_refused() {
    let (world, id) = started().await;
    for (action, status, code) in [
        (
            json!({ "action": "halt-wave", "reason": "x" }),
            422,
            "invalid-body",
        ),
        (
            json!({ "action": "pause", "wave": "shops" }),
            422,
            "invalid-body",
        ),
        (
            json!({ "action": "end-wave", "wave": "shops" }),
            422,
            "reason-required",
        ),
        (
            json!({ "action": "rollback-wave", "wave": "shops", "reason": "x" }),
            409,
            "batch-going",
        ),
        (
            json!({ "action": "resume-wave", "wave": "nowhere" }),
            404,
            "unknown-activity",
        ),
        (
            json!({ "action": "resume-wave", "wave": "last" }),
            409,
            "not-fanned-out",
        ),
        (
            json!({ "action": "skip", "activity": "shops", "reason": "x" }),
            409,
            "fanned-out",
        ),
    ] {
        world.act(&id, &action).await.is_problem(status, code);
    }
    let plan = format!("/releases/{id}/rollback-plan");
    let of_wave = world.get(&format!("{plan}?wave=shops")).await.ok();
    assert_eq!(of_wave["refused"]["code"], json!("batch-going"));
    assert_eq!(
        of_wave["stages"],
        json!([]),
        "people decided, and did nothing"
    );
    let unknown = world.get(&format!("{plan}?wave=nowhere")).await;
    unknown.is_problem(404, "unknown-activity");
}
