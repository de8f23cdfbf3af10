//! Policies with the real program: a component judges what is published, started and begun.

use fermata_tests::api::{Answer, activity};
use fermata_tests::server::guest_path;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, fermata, run};

const PROCESS: &str = "
process: ship
inputs: { environment: { type: string } }
phases:
  only:
    activities:
      go: { uses: noop@1, with: { environment: '${{ inputs.environment }}' }, retry: { attempts: 3, backoff: 10ms } }
";

const PARENT: &str = "
process: train
phases:
  only:
    activities:
      wagon: { process: { name: ship, inputs: { environment: live } } }
";

/// A window that is closed on every day there is, or open.
fn window(open: bool) -> Value {
    if open {
        json!({ "environments": ["live"], "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] })
    } else {
        json!({ "environments": ["live"], "weekdays": [] })
    }
}

impl World {
    async fn policy(&self, component: &str, at: &[&str], settings: Value, on_failure: &str) {
        let body = json!({
            "component": format!("{component}@1"), "at": at, "settings": settings,
            "on_failure": on_failure, "processes": ["ship"],
        });
        let set = self.api.put(&format!("/policies/{component}"), &body).await;
        set.unwrap().ok().unwrap();
    }

    async fn order(&self, process: &str, inputs: Value) -> Answer {
        let body = json!({ "process": process, "inputs": inputs });
        let request = self.api.request(Method::POST, "/releases").json(&body);
        self.api.send(request).await.unwrap()
    }

    async fn ship(&self, environment: &str) -> Answer {
        self.order("ship", json!({ "environment": environment }))
            .await
    }

    async fn started(&self, answer: Answer) -> Value {
        let view = answer.ok().unwrap();
        let id = view["id"].as_str().unwrap();
        self.until(id, |view| {
            view["state"] != "running" || crate::world::quiet(view)
        })
        .await
    }
}

#[test]
fn a_closed_window_keeps_starts_activities_and_children_away() {
    run(async {
        let world = World::new();
        world.push(&["noop", "change-window"]).await;
        for document in [PROCESS, PARENT] {
            world.api.publish(document).await.unwrap();
        }
        world
            .policy("change-window", &["start"], window(false), "deny")
            .await;
        let refused = world.ship("live").await;
        assert_eq!(refused.status.as_u16(), 409, "{:#}", refused.body);
        assert_eq!(refused.code(), "policy-denied");
        let told = refused.body["detail"].as_str().unwrap();
        assert!(
            told.contains("`change-window`") && told.contains("not changed on a"),
            "{told}"
        );
        let other = world.ship("staging").await;
        assert_eq!(world.started(other).await["state"], "succeeded");
        let train = world.order("train", json!({})).await;
        let train = world.started(train).await;
        let wagon = activity(&train, "only/wagon");
        assert_eq!(wagon["state"], "on-hold", "{train:#}");
        assert_eq!(wagon["failure"]["code"], "policy-denied");

        world
            .policy("change-window", &["activity"], window(false), "deny")
            .await;
        let view = world.ship("live").await;
        let view = world.started(view).await;
        let go = activity(&view, "only/go");
        assert_eq!(
            (&go["state"], &go["attempt"]),
            (&json!("on-hold"), &json!(1))
        );
        assert_eq!(go["failure"]["class"], "policy-denied", "{go:#}");
        assert_eq!(go["failure"]["details"]["policy"], "change-window");

        // The policy is live: what it lets happen now goes on, also after a crash.
        let world = world.crash();
        world
            .policy(
                "change-window",
                &["start", "activity"],
                window(true),
                "deny",
            )
            .await;
        let id = view["id"].as_str().unwrap();
        let retry = json!({ "action": "retry", "activity": "only/go" });
        world.api.act(id, &retry).await.unwrap().ok().unwrap();
        let view = world.until(id, |view| view["state"] == "succeeded").await;
        assert_eq!(activity(&view, "only/go")["attempt"], 2);
    });
}

#[test]
fn a_policy_that_misbehaves_costs_what_was_set_for_that_and_no_more() {
    run(async {
        let world = World::new();
        world.push(&["noop", "unjust"]).await;
        world.api.publish(PROCESS).await.unwrap();
        for (deed, says) in [
            ("spin", "wall"),
            ("hungry", "memory"),
            ("panic", "no justice"),
            ("call", "denied"),
        ] {
            world
                .policy("unjust", &["start"], json!({ "deed": deed }), "deny")
                .await;
            let refused = world.ship("live").await;
            assert_eq!(
                refused.code(),
                "policy-denied",
                "{deed}: {:#}",
                refused.body
            );
            let told = refused.body["detail"].as_str().unwrap();
            assert!(
                told.contains("it failed") && told.contains(says),
                "{deed}: {told}"
            );
        }
        lenient(&world).await;
    });
}

/// Where failure is no denial, it is told or it is not.
async fn lenient(world: &World) {
    world
        .policy(
            "unjust",
            &["start", "activity"],
            json!({ "deed": "panic" }),
            "warn",
        )
        .await;
    let view = world.ship("live").await;
    let view = world.started(view).await;
    assert_eq!(view["state"], "succeeded", "{view:#}");
    let warnings = view["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2, "{view:#}");
    assert_eq!(warnings[1]["activity"], "only/go");
    world
        .policy("unjust", &["start"], json!({ "deed": "talk" }), "deny")
        .await;
    let view = world.ship("live").await.ok().unwrap();
    let bytes = view["warnings"][0]["message"].as_str().unwrap().len();
    assert!(
        (1_000..10_000).contains(&bytes),
        "{bytes} bytes of a warning"
    );
    world
        .policy(
            "unjust",
            &["activity"],
            json!({ "deed": "hungry" }),
            "allow",
        )
        .await;
    let view = world.ship("live").await;
    let view = world.started(view).await;
    assert_eq!(
        (&view["state"], view.get("warnings")),
        (&json!("succeeded"), None)
    );
}

#[test]
fn policies_are_set_tried_and_removed_by_the_command_line() {
    run(async {
        let world = World::new();
        world.push(&["noop"]).await;
        world.api.publish(PROCESS).await.unwrap();
        let folder = world.data.path();
        let fermata = |args: &[&str]| fermata(&world, folder, args);
        let file = guest_path("change-window");
        let (code, out, _) = fermata(&["component", "push", file.to_str().unwrap()]);
        assert_eq!(code, 0, "{out}");
        let (_, out, _) = fermata(&["component", "list"]);
        let line = out.lines().find(|line| line.contains("change-window"));
        assert!(line.unwrap().contains("policy"), "{out}");

        let set = [
            "policy",
            "set",
            "window",
            "--component",
            "change-window@1",
            "--at",
            "start",
        ];
        let (code, _, told) = fermata(&[&set[..], &["--set", "weekdays=[\"someday\"]"]].concat());
        assert_eq!(code, 3, "{told}");
        let settings = ["--set", "environments=[\"live\"]", "--set", "weekdays=[]"];
        let (code, out, told) = fermata(&[&set[..], &settings].concat());
        assert_eq!(code, 0, "{told}");
        assert!(
            out.contains("in force, judged by change-window@1.0.0"),
            "{out}"
        );
        let mut other = set;
        other[4] = "noop@1";
        let (code, _, told) = fermata(&other);
        assert_eq!(code, 3);
        assert!(told.contains("is an activity, not a policy"), "{told}");

        refuses(&world);
    });
}

/// The policy `window` is in force, and refuses.
fn refuses(world: &World) {
    let folder = world.data.path();
    let fermata = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        fermata(world, folder, &words)
    };
    let (code, out, told) = fermata("policy try window --process ship --input environment=live");
    assert_eq!(code, 1, "{told}");
    assert!(out.starts_with("deny: live is not changed on a"), "{out}");
    let (code, _, told) = fermata("release start ship --input environment=live");
    assert_eq!(code, 3);
    assert!(told.contains("the policy `window`"), "{told}");
    let (code, out, _) = fermata("policy show window");
    assert!(code == 0 && out.contains("\"weekdays\":[]"), "{out}");
    assert_eq!(fermata("policy remove window").0, 0);
    assert_eq!(fermata("policy show window").0, 6);
}

#[test]
fn no_policy_stands_where_an_activity_is_wanted() {
    run(async {
        let world = World::new();
        world.push(&["noop", "change-window"]).await;
        let document = PROCESS.replace("noop@1", "change-window@1");
        let request = world.api.request(Method::POST, "/processes");
        let answer = world.api.send(request.body(document)).await.unwrap();
        assert_eq!(answer.code(), "defects");
        let defect = &answer.body["defects"][0];
        assert_eq!(defect["code"], "not-an-activity", "{defect:#}");
        assert_eq!(
            defect["message"],
            "`change-window@1` is a policy, not an activity"
        );
    });
}
