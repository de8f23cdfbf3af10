//! Notifiers over HTTP: who may set them, what is refused, and how deliveries are shown.

use serde_json::{Value, json};

use super::world::{World, component};

fn order(component: &str) -> Value {
    json!({ "component": component, "settings": { "channel": "ops" }, "on": ["release-*", "test"] })
}

/// A world with a component that tells, and one that cannot.
async fn furnished() -> World {
    let world = World::furnished().await;
    for name in ["tells", "mute"] {
        let mut upload = component(name, "1.0.0");
        upload["world"] = json!("notifier");
        world
            .call("POST", "/components", upload.to_string())
            .await
            .ok();
    }
    world
}

/// Deliveries of a notifier, once none of them is pending any more.
async fn over(world: &World, name: &str, count: usize) -> Vec<Value> {
    loop {
        let path = format!("/notifiers/{name}/deliveries");
        let answer = world.get(&path).await.ok();
        let items = answer["items"].as_array().unwrap().clone();
        let is_over = |delivery: &Value| delivery["standing"] != "pending";
        if items.len() == count && items.iter().all(is_over) {
            return items;
        }
        tokio::task::yield_now().await;
    }
}

/// The first delivery of a notifier, once it was tried.
async fn tried(world: &World, name: &str) -> Value {
    loop {
        let path = format!("/notifiers/{name}/deliveries");
        let answer = world.get(&path).await.ok();
        let first = answer["items"].as_array().unwrap().last();
        if let Some(first) = first.filter(|first| first["tries"] != 0) {
            return first.clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_notifier_is_set_shown_used_and_removed() {
    let world = furnished().await;
    let set = world
        .json("PUT", "/notifiers/chat", &order("tells@1"))
        .await;
    assert_eq!((set.status.as_u16(), set.header("etag")), (201, "\"1\""));
    assert_eq!(set.header("location"), "/api/v1/notifiers/chat");
    let order = order("tells@1");
    let again = world.json("PUT", "/notifiers/chat", &order).await;
    assert_eq!(again.status, 200);
    let set = set.ok();
    assert_eq!(
        (&set["component"], &set["enabled"], &set["settings"]),
        (
            &json!("tells@1.0.0"),
            &json!(true),
            &json!({ "channel": "ops" })
        )
    );
    world.start("runs").await;
    let deliveries = over(&world, "chat", 2).await;
    let shown = |delivery: &Value| (delivery["kind"].clone(), delivery["standing"].clone());
    assert_eq!(
        deliveries.iter().map(shown).collect::<Vec<_>>(),
        [
            (json!("release-succeeded"), json!("delivered")),
            (json!("release-started"), json!("delivered")),
        ]
    );
    let id = deliveries[0]["id"].as_str().unwrap();
    assert!(id.starts_with("chat/rel-"), "{id}");
    let page = world.get("/notifiers/chat/deliveries?limit=1").await.ok();
    let next = page["next_cursor"].as_str().unwrap();
    let path = format!("/notifiers/chat/deliveries?limit=1&cursor={next}");
    assert_eq!(world.get(&path).await.ok()["items"][0], deliveries[1]);
    let none = world
        .get("/notifiers/chat/deliveries?standing=given-up")
        .await;
    assert_eq!(none.ok()["items"], json!([]));

    let used = world.get("/components/tells/used-by").await.ok();
    assert_eq!(used["notifiers"], json!(["chat"]));
    let tried = world.call("POST", "/notifiers/chat/test", "").await.ok();
    assert_eq!(tried, json!({ "delivered": true, "log": [] }));
    let gone = world.call("DELETE", "/notifiers/chat", "").await;
    assert_eq!(gone.status, 204);
    for path in ["/notifiers/chat", "/notifiers/chat/deliveries"] {
        world.get(path).await.is_problem(404, "unknown-notifier");
    }
    assert_eq!(world.get("/notifiers").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_failure_is_shown_with_what_was_said() {
    let world = furnished().await;
    let mut order = order("mute@1");
    order["on"] = json!(["release-started"]);
    world.json("PUT", "/notifiers/chat", &order).await.ok();
    let tried = world.call("POST", "/notifiers/chat/test", "").await.ok();
    assert_eq!(tried["delivered"], json!(false));
    assert_eq!(tried["failure"]["message"], "permanent: it does not work");
    world.start("runs").await;
    let deliveries = over(&world, "chat", 1).await;
    assert_eq!(deliveries[0]["standing"], "given-up");
    assert_eq!(
        (&deliveries[0]["tries"], &deliveries[0]["next_at"]),
        (&json!(1), &Value::Null)
    );
    let now = world.get("/notifiers/chat").await.ok();
    assert_eq!((&now["failures"], &now["pending"]), (&json!(1), &json!(0)));
    assert_eq!(now["failure"], "permanent: it does not work");
    let metrics = world.api.service.metrics();
    assert_eq!(
        (metrics.notifications_told, metrics.notifications_given_up),
        (1, 1)
    );
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_all_that_is_wrong() {
    let world = furnished().await;
    let strict = json!({
        "name": "strict", "version": "1.0.0", "world": "notifier",
        "inputs": { "type": "object", "required": ["url"], "properties": { "url": { "type": "string" } } },
    });
    world
        .call("POST", "/components", strict.to_string())
        .await
        .ok();
    let wrong = json!({
        "component": "strict@1", "settings": { "url": 5 },
        "on": ["relaese-*", "Ä"], "processes": ["a_b"],
    });
    let answer = world.json("PUT", "/notifiers/chat", &wrong).await;
    answer.is_problem(422, "invalid-values");
    let detail = answer.body["detail"].as_str().unwrap();
    for part in ["`relaese-*` fits no kind", "`Ä`", "`a_b`", "settings: /url"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused() {
    let world = furnished().await;
    for (body, status, code) in [
        (order("nobody@1"), 422, "missing-components"),
        (order("works@1"), 422, "invalid-values"),
        (order("tells"), 422, "invalid-body"),
        (
            json!({ "component": "tells@1", "on": [] }),
            422,
            "invalid-values",
        ),
        (
            json!({ "component": "tells@1", "on": vec!["*"; 51] }),
            422,
            "invalid-values",
        ),
        (
            json!({ "component": "tells@1", "on": ["*"], "more": 1 }),
            422,
            "invalid-body",
        ),
        (
            json!({ "component": "tells@1", "on": ["*"], "settings": { "a": "x".repeat(70_000) } }),
            422,
            "invalid-values",
        ),
    ] {
        world
            .json("PUT", "/notifiers/chat", &body)
            .await
            .is_problem(status, code);
    }
    let answer = world.json("PUT", "/notifiers/NO", &order("tells@1")).await;
    assert!(answer.status.is_client_error());
    world
        .get("/notifiers/chat/deliveries")
        .await
        .is_problem(404, "unknown-notifier");
    world
        .call("POST", "/notifiers/chat/test", "")
        .await
        .is_problem(404, "unknown-notifier");
    world
        .call("DELETE", "/notifiers/chat", "")
        .await
        .is_problem(404, "unknown-notifier");
}

#[tokio::test]
async fn a_change_that_somebody_else_has_not_seen_is_refused() {
    let world = furnished().await;
    world
        .json("PUT", "/notifiers/chat", &order("tells@1"))
        .await
        .ok();
    let stale = [("if-match", "\"7\"")];
    let order = order("tells@1");
    let answer = world.json_with("PUT", "/notifiers/chat", &order, &stale);
    answer.await.is_problem(412, "stale");
    let answer = world.json_with("DELETE", "/notifiers/chat", &order, &stale);
    answer.await.is_problem(412, "stale");
    assert_eq!(world.get("/notifiers/chat").await.status, 200);
    let answer = world.get("/notifiers/chat/deliveries?standing=lost").await;
    answer.is_problem(400, "invalid-query");
    let answer = world.get("/notifiers/chat/deliveries?cursor=zz").await;
    answer.is_problem(400, "invalid-cursor");
}

#[tokio::test]
async fn only_administrators_set_them_and_see_their_settings_and_what_they_say() {
    let world = furnished().await;
    world
        .json("PUT", "/notifiers/chat", &order("mute@1"))
        .await
        .ok();
    world.start("runs").await;
    tried(&world, "chat").await;
    let token = world.token("ben", "member").await;
    let ben = world.with_token(token["token"].as_str().unwrap());
    let one = ben.get("/notifiers/chat").await.ok();
    assert_ne!(one["failures"], 0);
    for shown in [&one, &ben.get("/notifiers").await.ok()["items"][0]] {
        assert_eq!(
            (&shown["settings"], &shown["failure"]),
            (&Value::Null, &Value::Null)
        );
    }
    assert_eq!(
        tried(&ben, "chat").await["failure"],
        json!({ "class": "permanent", "code": null, "remedy": null })
    );
    for (method, path) in [
        ("PUT", "/notifiers/chat"),
        ("DELETE", "/notifiers/chat"),
        ("POST", "/notifiers/chat/test"),
    ] {
        let answer = ben.json(method, path, &order("tells@1")).await;
        answer.is_problem(403, "forbidden");
    }
}
