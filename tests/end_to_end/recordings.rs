//! An attempt that failed on a server, run again without one: it ends the same way, and what was mended shows.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Json, Router, routing::get};
use fermata_tests::api::activity;
use fermata_tests::server::guest_path;
use serde_json::{Value, json};

use crate::world::{World, fermata, run};

/// A platform whose service is healthy for so many looks.
async fn platform(healthy: usize) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let looks = Arc::new(AtomicUsize::new(0));
    let answer = move || {
        let healthy = looks.fetch_add(1, Ordering::Relaxed) < healthy;
        let state = if healthy { "running" } else { "unhealthy" };
        let status = json!({
            "version": "1.1.0", "state": state, "healthy": healthy, "reason": "grün ist anders",
        });
        std::future::ready(Json(status))
    };
    let router = Router::new().route("/environments/staging/services/payment", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A release whose activity looks three times, and fails at the third.
async fn failed(world: &World) -> String {
    let address = platform(2).await;
    let grants = json!({ "http": [{ "host": address, "private": true }] });
    let guest = fermata_tests::server::guest("verify-health").unwrap();
    world.api.push(guest, &grants).await.unwrap();
    let document = format!(
        "process: verify\nphases:\n  only:\n    activities:\n      look:\n        uses: verify-health@1\n        retry: {{ attempts: 1 }}\n        with: {{ service: payment, environment: staging, checks: 3, interval_ms: 100, url: 'http://{address}' }}\n"
    );
    let view = world.release(&document, json!({})).await;
    let looked = activity(&view, "only/look");
    assert_eq!(looked["failure"]["code"], "unhealthy", "{view:#}");
    view["id"].as_str().unwrap().to_owned()
}

/// Runs a recording again with a guest; gives the exit code and what was printed.
fn replay(world: &World, folder: &Path, guest: &str) -> (i32, String) {
    let component = guest_path(guest).display().to_string();
    let args = [
        "component",
        "test",
        "--replay",
        "failed.json",
        "--component",
        &component,
    ];
    let (code, out, err) = fermata(world, folder, &args);
    (code, format!("{out}{err}"))
}

fn export(world: &World, folder: &Path, id: &str, activity: &str) -> Value {
    let args = ["attempt", "export", id, activity, "--to", "failed.json"];
    let (code, out, err) = fermata(world, folder, &args);
    assert_eq!(code, 0, "{out}{err}");
    let text = std::fs::read(folder.join("failed.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn an_attempt_that_failed_fails_again_offline() {
    run(async {
        let world = World::new();
        let id = failed(&world).await;
        let folder = tempfile::tempdir().unwrap();
        let recording = export(&world, folder.path(), &id, "only/look");
        assert_eq!(recording["format"], "fermata-attempt/1");
        assert_eq!(recording["runs"].as_array().unwrap().len(), 3);
        // Neither server nor platform.
        let world = World::new();
        let (code, told) = replay(&world, folder.path(), "verify-health");
        assert_eq!(code, 0, "{told}");
        assert!(told.contains("it ended the same way"), "{told}");
        assert!(told.contains("run 3: the same"), "{told}");
        assert!(!told.contains("another component"), "{told}");
        let (code, told) = replay(&world, folder.path(), "noop");
        assert_eq!(code, 1, "{told}");
        assert!(told.contains("another component"), "{told}");
        assert!(told.contains("it ended differently"), "{told}");
    });
}

#[test]
fn a_recording_that_was_edited_is_run_as_it_is_and_one_that_is_broken_is_not() {
    run(async {
        let world = World::new();
        let id = failed(&world).await;
        let folder = tempfile::tempdir().unwrap();
        let recording = export(&world, folder.path(), &id, "only/look");
        let edited = |change: &dyn Fn(&mut Value)| {
            let mut edited = recording.clone();
            change(&mut edited);
            let text = edited.to_string();
            std::fs::write(folder.path().join("failed.json"), text).unwrap();
            replay(&world, folder.path(), "verify-health")
        };
        let healthy = recording["runs"][0]["exchanges"].clone();
        let (code, told) = edited(&|edited| edited["runs"][2]["exchanges"] = healthy.clone());
        assert_eq!(code, 1, "{told}");
        assert!(told.contains("\"version\":\"1.1.0\""), "{told}");
        let (code, told) = edited(&|edited| edited["runs"][1]["exchanges"] = json!([]));
        assert_eq!(code, 1, "{told}");
        assert!(
            told.contains("the recording has no answer for GET"),
            "{told}"
        );
        assert!(told.contains("part at number 1"), "{told}");
        let (code, told) = edited(&|edited| edited["format"] = "fermata-attempt/9".into());
        assert_eq!(code, 2, "{told}");
        assert!(told.contains("fermata-attempt/1"), "{told}");
        let (code, told) = edited(&|edited| *edited = json!({ "runs": [] }));
        assert_eq!(code, 2, "{told}");
        assert!(
            told.contains("failed.json") && told.contains("export"),
            "{told}"
        );
        let large = std::fs::File::create(folder.path().join("failed.json")).unwrap();
        large.set_len(65 << 20).unwrap();
        let (code, told) = replay(&world, folder.path(), "verify-health");
        assert_eq!(code, 2, "{told}");
        assert!(told.contains("larger than"), "{told}");
    });
}

#[test]
fn a_crash_is_the_same_crash_and_success_leaves_nothing() {
    run(async {
        let world = World::new();
        world.push(&["panicking", "noop"]).await;
        let document = "process: crash\nphases:\n  only:\n    activities:\n      bad: { uses: panicking@1, retry: { attempts: 1 } }\n      good: { uses: noop@1 }\n";
        let view = world.release(document, json!({})).await;
        let id = view["id"].as_str().unwrap();
        // The guest is built with line tables.
        let frames = &activity(&view, "only/bad")["failure"]["backtrace"];
        let frame = frames.as_array().unwrap().iter();
        let place = frame
            .filter_map(Value::as_str)
            .find(|frame| frame.contains("balance_the_ledger"));
        assert!(
            place.is_some_and(|place| place.contains("src/lib.rs:")),
            "{frames}"
        );
        let folder = tempfile::tempdir().unwrap();
        export(&world, folder.path(), id, "only/bad");
        let (code, told) = replay(&world, folder.path(), "panicking");
        assert_eq!(code, 0, "{told}");
        assert!(told.contains("balance_the_ledger"), "{told}");
        let args = ["attempt", "export", id, "only/good"];
        let (code, _, err) = fermata(&world, folder.path(), &args);
        assert_eq!(code, 6, "{err}");
        assert!(err.contains("recordings"), "{err}");
    });
}
