//! The main job: four services through staging, sign-off and production.

use fermata_tests::api::{Api, activity};
use fermata_tests::server::{example, guest};
use serde_json::{Value, json};

use crate::world::{Fleet, PATIENCE, World, run};

const SIGN_OFF: &str = "uat/sign-off";

async fn bank() -> (World, Fleet, Api) {
    let (world, fleet) = (World::new(), Fleet::new());
    for name in ["deploy", "verify-health", "release-notes"] {
        world
            .api
            .push(guest(name).unwrap(), &fleet.grants())
            .await
            .unwrap();
    }
    world.api.publish(&example("bank").unwrap()).await.unwrap();
    let ana = world
        .api
        .person("ana", &["release-managers"])
        .await
        .unwrap();
    (world, fleet, ana)
}

fn approval() -> Value {
    json!({ "action": "approve", "activity": SIGN_OFF, "comment": "checked", "form": { "verdict": "pass" } })
}

fn asks_people(view: &Value) -> bool {
    activity(view, SIGN_OFF)["state"] == "needs-people"
}

#[test]
fn a_release_of_four_services_runs_from_staging_to_production() {
    run(async {
        let (world, fleet, ana) = bank().await;
        let inputs = json!({ "version": "1.1.0", "platform": fleet.url });
        let id = ana.start("bank-release", &inputs).await.unwrap();
        world.until(&id, asks_people).await;
        assert_eq!(fleet.status("staging", "payment").await["version"], "1.1.0");

        let why = ana
            .get(&format!("/releases/{id}/why"))
            .await
            .unwrap()
            .ok()
            .unwrap();
        assert!(
            why.to_string().contains("group:qa") && why.to_string().contains("group:security"),
            "{why:#}"
        );
        let eve = world.api.person("eve", &["sales"]).await.unwrap();
        assert_eq!(
            eve.act(&id, &approval()).await.unwrap().code(),
            "not-an-approver"
        );
        let ben = world.api.person("ben", &["qa"]).await.unwrap();
        ben.act(&id, &approval()).await.unwrap().ok().unwrap();
        assert_eq!(
            ben.act(&id, &approval()).await.unwrap().code(),
            "already-approved"
        );
        let sam = world.api.person("sam", &["security"]).await.unwrap();
        sam.act(&id, &approval()).await.unwrap().ok().unwrap();

        let view = ana.wait(&id, PATIENCE).await.unwrap();
        assert_eq!(view["state"], "succeeded", "{view:#}");
        let ledger = ana
            .get("/ledger?environment=production")
            .await
            .unwrap()
            .ok()
            .unwrap();
        for service in ["payment", "account", "notification", "gateway"] {
            assert_eq!(
                fleet.status("production", service).await["version"],
                "1.1.0"
            );
            let row = ledger["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["service"] == service);
            assert_eq!(row.unwrap()["version"], "1.1.0", "{ledger:#}");
        }
    });
}

#[test]
fn the_person_who_started_it_may_not_sign_off() {
    run(async {
        let (world, fleet, _) = bank().await;
        let eve = world.api.person("eve", &["qa"]).await.unwrap();
        let inputs = json!({ "version": "1.1.0", "platform": fleet.url });
        let id = eve.start("bank-release", &inputs).await.unwrap();
        world.until(&id, asks_people).await;
        assert_eq!(eve.act(&id, &approval()).await.unwrap().code(), "excluded");
    });
}

#[test]
fn a_crashing_version_holds_and_goes_on_with_another() {
    run(async {
        let (world, fleet, ana) = bank().await;
        let inputs =
            json!({ "version": "1.1.0", "platform": fleet.url, "payment": "1.1.0-crashing" });
        let id = ana.start("bank-release", &inputs).await.unwrap();
        let on_hold = |view: &Value| activity(view, "staging/payment")["state"] == "on-hold";
        let view = world.until(&id, on_hold).await;
        let held = activity(&view, "staging/payment");
        let message = held["failure"]["message"].as_str().unwrap();
        assert!(
            message.contains("crash"),
            "the reason is the platform's: {message}"
        );
        assert!(held["failure"]["last_call"].is_string(), "{held:#}");

        let mut with = held["with"].clone();
        with["version"] = json!("1.1.1");
        let retry = json!({ "action": "retry", "activity": "staging/payment", "with": with });
        ana.act(&id, &retry).await.unwrap().ok().unwrap();
        world.until(&id, asks_people).await;
        assert_eq!(fleet.status("staging", "payment").await["version"], "1.1.1");
    });
}
