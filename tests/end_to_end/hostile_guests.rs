//! Guests that misbehave: each gets its typed answer, and the server goes on.

use fermata_tests::api::activity;
use serde_json::{Value, json};

use crate::world::{World, run};

/// A process of one hostile activity beside a well-behaved one.
fn beside_a_neighbour(guest: &str) -> String {
    format!(
        "process: hostile-{guest}\nphases:\n  only:\n    activities:\n      bad: {{ uses: {guest}@1, timeout: 2m }}\n      good: {{ uses: noop@1 }}\n"
    )
}

/// Runs the guest and gives its failure.
async fn failure_of(guest: &str) -> Value {
    let world = World::new();
    world.push(&[guest, "noop"]).await;
    let view = world.release(&beside_a_neighbour(guest), json!({})).await;
    assert_eq!(
        activity(&view, "only/good")["state"],
        "succeeded",
        "{view:#}"
    );
    let bad = activity(&view, "only/bad");
    assert_eq!(bad["state"], "on-hold", "{view:#}");
    bad["failure"].clone()
}

fn check(guest: &str, class: &Value, says: &str) {
    run(async {
        let failure = failure_of(guest).await;
        assert_eq!(&failure["class"], class, "{failure:#}");
        assert!(
            failure.to_string().contains(says),
            "{says:?} is not in {failure:#}"
        );
    });
}

#[test]
fn an_endless_loop_runs_out_of_cpu() {
    check("spin", &json!({ "limit": "cpu" }), "cpu");
}

#[test]
fn a_memory_hog_runs_out_of_memory() {
    check("hungry", &json!({ "limit": "memory" }), "memory");
}

#[test]
fn deep_recursion_runs_out_of_stack() {
    check("recursive", &json!({ "limit": "stack" }), "stack");
}

#[test]
fn a_panic_says_its_message_and_where() {
    check("panicking", &json!("trap"), "panicked");
}

#[test]
fn a_call_to_a_host_without_a_grant_says_which_grant_to_add() {
    run(async {
        let failure = failure_of("forbidden-host").await;
        let text = failure.to_string();
        assert!(text.contains("grant"), "{failure:#}");
    });
}

#[test]
fn an_output_over_the_limit_is_refused() {
    check("huge-output", &json!({ "limit": "output" }), "output");
}

#[test]
fn outputs_that_do_not_fit_the_schema_are_refused() {
    check("liar", &json!("contract"), "count");
}

#[test]
fn a_flood_of_log_lines_is_cut_and_harms_nobody() {
    run(async {
        let world = World::new();
        world.push(&["log-flood", "noop"]).await;
        let view = world
            .release(&beside_a_neighbour("log-flood"), json!({}))
            .await;
        assert_eq!(activity(&view, "only/good")["state"], "succeeded");
        assert_eq!(
            activity(&view, "only/bad")["state"],
            "succeeded",
            "{view:#}"
        );
        let id = view["id"].as_str().unwrap();
        let path = format!("/releases/{id}/activities/only/bad/attempts/1/logs");
        let logs = world.api.get(&path).await.unwrap().ok().unwrap();
        let bytes = logs.to_string().len();
        assert!(bytes > 1_000 && bytes < 4 << 20, "{bytes} bytes of log");
    });
}

#[test]
fn a_flaky_guest_succeeds_on_a_later_attempt() {
    run(async {
        let world = World::new();
        world.push(&["flaky"]).await;
        let document = "process: flaky\nphases:\n  only:\n    activities:\n      one: { uses: flaky@1, with: { failures: 2 }, retry: { attempts: 3, backoff: 10ms } }\n";
        let view = world.release(document, json!({})).await;
        assert_eq!(view["state"], "succeeded", "{view:#}");
        assert_eq!(activity(&view, "only/one")["attempt"], 3, "{view:#}");
    });
}
