//! Processes: checked, published, read.

use fermata_core::id::Digest;
use serde_json::json;

use super::world::{RUNS, SIGN_OFF, World, text};

#[tokio::test]
async fn a_document_is_published_once() {
    let world = World::new();
    let checked = world
        .call("POST", "/processes:validate", SIGN_OFF)
        .await
        .ok();
    assert_eq!(text(&checked["name"]), "sign-off");
    assert_eq!(
        (&checked["phases"], &checked["activities"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        text(&checked["digest"]),
        Digest::of(SIGN_OFF.as_bytes()).to_string()
    );
    assert_eq!(world.get("/processes").await.ok()["items"], json!([]));

    let first = world.call("POST", "/processes", SIGN_OFF).await;
    assert_eq!(
        (first.status.as_u16(), &first.body["version"]),
        (201, &json!(1))
    );
    assert_eq!(
        first.header("location"),
        "/api/v1/processes/sign-off/versions/1"
    );
    let again = world.call("POST", "/processes", SIGN_OFF).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["version"]),
        (200, &json!(1))
    );
    let changed = format!("{SIGN_OFF}# changed\n");
    let second = world.call("POST", "/processes", changed.clone()).await;
    assert_eq!(
        (second.status.as_u16(), &second.body["version"]),
        (201, &json!(2))
    );

    read_back(&world, &changed).await;
}

/// What is read of two published versions.
async fn read_back(world: &World, changed: &str) {
    let read = world.get("/processes/sign-off").await.ok();
    assert_eq!(
        (&read["version"], text(&read["published_by"])),
        (&json!(2), "user:admin")
    );
    let versions: Vec<_> = read["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| &v["version"])
        .collect();
    assert_eq!(versions, [&json!(2), &json!(1)]);
    let old = world.get("/processes/sign-off/versions/1").await.ok();
    assert_eq!(text(&old["document"]), SIGN_OFF);
    assert_eq!(
        text(&old["graph"]["phases"][0]["activities"][0]["path"]),
        "only/agree"
    );
    assert!(
        old["inputs"]["properties"]["version"].is_object(),
        "{old:#}"
    );
    assert_eq!(
        text(&world.get("/processes/sign-off/versions/2").await.ok()["document"]),
        changed
    );
}

#[tokio::test]
async fn defects_come_all_at_once_with_their_places() {
    let world = World::new();
    let faulty = "process: p\nphases:\n  one:\n    activitys: {}\n  two:\n    needs: [three]\n    activities: { a: { manual: {} } }\n";
    for path in ["/processes", "/processes:validate"] {
        let answer = world.call("POST", path, faulty).await;
        answer.is_problem(422, "defects");
        let defects = answer.body["defects"].as_array().unwrap();
        assert!(defects.len() >= 2, "{defects:#?}");
        for defect in defects {
            assert!(defect["line"].as_u64().unwrap() > 0 && !text(&defect["snippet"]).is_empty());
        }
        let misspelt = defects
            .iter()
            .find(|defect| defect["code"] == "unknown-key");
        let misspelt = misspelt.unwrap();
        assert_eq!(
            (&misspelt["line"], &misspelt["column"]),
            (&json!(4), &json!(5))
        );
    }
    assert_eq!(world.get("/processes").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn hostile_documents_are_refused_whole() {
    let world = World::new();
    let large = vec![b' '; 2 << 20];
    world
        .call("POST", "/processes", large)
        .await
        .is_problem(413, "too-large");
    for document in [
        Vec::new(),
        b"\xff\xfe".to_vec(),
        b"process: [".to_vec(),
        "[".repeat(100_000).into_bytes(),
    ] {
        let answer = world.call("POST", "/processes", document).await;
        answer.is_problem(422, "defects");
    }
    let unknown = world.call("POST", "/processes", RUNS).await;
    unknown.is_problem(422, "defects");
    assert_eq!(world.get("/processes").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn what_scripts_may_reach_is_granted_to_their_process() {
    let world = World::furnished().await;
    let listed = world.get("/processes").await.ok();
    let path = format!("/processes/{}/grants", text(&listed["items"][0]["name"]));
    let nothing = world.get(&path).await;
    assert_eq!(nothing.body, json!({ "http": [], "secrets": [] }));
    let grants = json!({
        "http": [{ "host": "slo.example.com", "methods": ["GET"], "private": false }],
        "secrets": [{ "name": "token", "hosts": ["slo.example.com"] }],
    });
    let known = [("if-match", nothing.header("etag"))];
    let set = world.json_with("PUT", &path, &grants, &known).await;
    assert_eq!(set.ok(), grants);
    world
        .json_with("PUT", &path, &json!({}), &known)
        .await
        .is_problem(412, "stale");
    let wrong = json!({ "http": [{ "hots": "a.example" }] });
    world
        .json("PUT", &path, &wrong)
        .await
        .is_problem(422, "invalid-body");
    let nowhere = "/processes/nothing/grants";
    world.get(nowhere).await.is_problem(404, "unknown-process");
    world
        .json("PUT", nowhere, &grants)
        .await
        .is_problem(404, "unknown-process");
    assert_eq!(world.get(&path).await.ok(), grants);
}
