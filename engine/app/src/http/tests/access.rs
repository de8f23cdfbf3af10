//! Who may call, and with what.

use axum::body::Body;
use axum::http::Request;
use fermata_core::time::Span;
use serde_json::json;

use super::world::{SIGN_OFF, World, text};
use crate::access::Secret;

#[tokio::test]
async fn nobody_calls_without_a_valid_token() {
    let world = World::new();
    let with = |header: Option<String>| {
        let mut request = Request::get("/api/v1/releases");
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        world.raw(request.body(Body::empty()).unwrap())
    };
    for header in [None, Some("Basic YTpi".into()), Some("Bearer ".into())] {
        let answer = with(header).await;
        answer.is_problem(401, "no-token");
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer realm=\"fermata\""
        );
    }
    let stranger = Secret::draw().unwrap();
    for token in ["wrong", "fmt_0000", stranger.expose()] {
        let answer = with(Some(format!("Bearer {token}"))).await;
        answer.is_problem(401, "invalid-token");
        assert!(answer.header("www-authenticate").contains("invalid_token"));
        assert!(!answer.body.to_string().contains(token));
    }
}

#[tokio::test]
async fn every_route_asks_for_a_token() {
    let world = World::new();
    for (method, path) in super::description::routes() {
        if path.ends_with("/openapi.json") {
            continue;
        }
        let request = Request::builder().method(method.as_str()).uri(&path);
        let answer = world.raw(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{method} {path}: {:#}", answer.body);
    }
}

#[tokio::test]
async fn a_token_ends_by_time_and_by_revocation() {
    let world = World::new();
    let order = json!({ "principal": "ci", "expires": "1h", "label": "build" });
    let issued = world.json("POST", "/tokens", &order).await.ok();
    let ci = world.with_token(text(&issued["token"]));
    let me = ci.get("/me").await.ok();
    assert_eq!((text(&me["name"]), text(&me["role"])), ("ci", "member"));
    world.later(Span(3_599_999));
    ci.get("/me").await.ok();
    world.later(Span(1));
    ci.get("/me").await.is_problem(401, "invalid-token");
    let listed = world.get("/tokens").await.ok();
    let listed = listed["items"].as_array().unwrap();
    let of_ci = listed
        .iter()
        .find(|token| token["id"] == issued["id"])
        .unwrap();
    assert_eq!(of_ci["expired"], json!(true));
    assert!(
        !listed
            .iter()
            .any(|token| token.to_string().contains("fmt_"))
    );

    let other = world.token("ci", "member").await;
    let ci = world.with_token(text(&other["token"]));
    ci.get("/me").await.ok();
    let path = format!("/tokens/{}", text(&other["id"]));
    world.call("DELETE", &path, Body::empty()).await.ok();
    ci.get("/me").await.is_problem(401, "invalid-token");
    world
        .call("DELETE", &path, Body::empty())
        .await
        .is_problem(404, "unknown-token");
}

#[tokio::test]
async fn roles_and_groups_bound_what_a_token_may_do() {
    let world = World::new();
    let viewer = world.token("eve", "viewer").await;
    let viewer = world.with_token(text(&viewer["token"]));
    viewer.get("/releases").await.ok();
    viewer
        .call("POST", "/processes", SIGN_OFF)
        .await
        .is_problem(403, "forbidden");
    let member = world.token("max", "member").await;
    let member = world.with_token(text(&member["token"]));
    member.call("POST", "/processes", SIGN_OFF).await.ok();
    let order = json!({ "principal": "max", "role": "admin" });
    for (method, path, body) in [
        ("POST", "/tokens", &order),
        ("PUT", "/principals/max", &json!({ "groups": ["admins"] })),
        ("PUT", "/components/a/versions/1.0.0/grants", &json!({})),
        ("POST", "/backups", &json!({ "directory": "/tmp/x" })),
    ] {
        member
            .json(method, path, body)
            .await
            .is_problem(403, "forbidden");
    }
    member.get("/tokens").await.is_problem(403, "forbidden");
    world
        .json("POST", "/tokens", &order)
        .await
        .is_problem(422, "invalid-body");
    world
        .json("PUT", "/principals/max", &json!({ "groups": ["admins"] }))
        .await
        .ok();
    let admin = world.json("POST", "/tokens", &order).await.ok();
    world
        .with_token(text(&admin["token"]))
        .get("/tokens")
        .await
        .ok();
    // The token of before has the role of before.
    member.get("/tokens").await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn somebody_always_administers() {
    let world = World::new();
    let me = world.get("/me").await.ok();
    let own = format!("/tokens/{}", text(&me["token"]));
    let gone = world.call("DELETE", &own, Body::empty()).await;
    gone.is_problem(409, "last-administrator");
    let none = json!({ "groups": [] });
    let emptied = world.json("PUT", "/principals/admin", &none).await;
    emptied.is_problem(409, "last-administrator");
    world.get("/tokens").await.ok();
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused() {
    let world = World::new();
    for order in [
        json!({ "principal": "No Name" }),
        json!({ "principal": "ci", "role": "god" }),
        json!({ "principal": "ci", "expires": "soon" }),
        json!({ "principal": "ci", "expires": "0s" }),
        json!({ "principal": "ci", "label": "x".repeat(1_000) }),
        json!({ "principal": "ci", "colour": "blue" }),
    ] {
        world
            .json("POST", "/tokens", &order)
            .await
            .is_problem(422, "invalid-body");
    }
    let many: Vec<String> = (0..101).map(|n| format!("g{n}")).collect();
    let order = json!({ "groups": many });
    let answer = world.json("PUT", "/principals/ci", &order).await;
    answer.is_problem(422, "invalid-body");
    assert_eq!(
        world.get("/tokens").await.ok()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn groups_hold_from_the_next_request_on() {
    let world = World::new();
    let token = world.token("ana", "member").await;
    let ana = world.with_token(text(&token["token"]));
    assert_eq!(ana.get("/me").await.ok()["groups"], json!([]));
    let order = json!({ "groups": ["qa", "dev", "qa"] });
    world.json("PUT", "/principals/ana", &order).await.ok();
    assert_eq!(ana.get("/me").await.ok()["groups"], json!(["dev", "qa"]));
    assert_eq!(
        ana.get("/principals/ana").await.ok()["groups"],
        json!(["dev", "qa"])
    );
    let all = ana.get("/principals").await.ok();
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}
