//! What operators do: stop, back up, restore, look at health.

use fermata_tests::api::Api;
use fermata_tests::server::Server;
use serde_json::json;

use crate::world::{World, fermata, run};

const WAITS: &str = "\
process: waits
phases:
  only:
    activities:
      agree: { manual: { instructions: Look at it., approvals: [ { from: 'group:admins', count: 1 } ] } }
";

#[test]
fn sigterm_ends_the_server_in_order() {
    run(async {
        let world = World::new();
        world.api.publish(WAITS).await.unwrap();
        world.api.start("waits", &json!({})).await.unwrap();
        let World { server, data, .. } = world;
        let status = server.stop().unwrap();
        assert!(status.success(), "{status}");
        let again = Server::start(data.path()).unwrap();
        let list = Api::admin(&again)
            .get("/releases")
            .await
            .unwrap()
            .ok()
            .unwrap();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list:#}");
    });
}

#[test]
fn a_backup_restores_to_the_same_releases() {
    run(async {
        let world = World::new();
        world.api.publish(WAITS).await.unwrap();
        let id = world.api.start("waits", &json!({})).await.unwrap();
        let place = tempfile::tempdir().unwrap();
        let (backup, restored) = (place.path().join("backup"), place.path().join("restored"));
        let (backup, restored_text) =
            (backup.display().to_string(), restored.display().to_string());
        let (code, _, err) = fermata(&world, place.path(), &["backup", &backup]);
        assert_eq!(code, 0, "{err}");
        let (code, _, err) = fermata(
            &world,
            place.path(),
            &["restore", &backup, "--data-dir", &restored_text],
        );
        assert_eq!(code, 0, "{err}");
        let second = Server::start(&restored).unwrap();
        let api = Api::of(&second.url, &world.server.token);
        let view = api
            .get(&format!("/releases/{id}"))
            .await
            .unwrap()
            .ok()
            .unwrap();
        assert_eq!(view["state"], "running", "{view:#}");
    });
}

#[test]
fn a_second_server_on_the_same_data_is_refused_with_the_reason() {
    let world = World::new();
    let error = Server::start_with(world.data.path(), &[])
        .map(drop)
        .unwrap_err();
    assert!(error.to_string().contains("ended"), "{error:#}");
}

#[test]
fn health_and_metrics_are_there_for_probes() {
    run(async {
        let world = World::new();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for path in ["livez", "readyz", "metrics"] {
            let answer = client
                .get(format!("{}/{path}", world.server.url))
                .send()
                .await
                .unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
        }
        let openapi = world.api.get("/openapi.json").await.unwrap().ok().unwrap();
        assert!(
            openapi["openapi"].as_str().unwrap().starts_with("3.1"),
            "{}",
            openapi["openapi"]
        );
    });
}
