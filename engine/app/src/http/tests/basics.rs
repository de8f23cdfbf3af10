//! What holds for every request.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use serde_json::json;

use super::world::{SIGN_OFF, World};
use crate::http::extract::JSON_BYTES_MAX;

/// Requests that lead nowhere: method, path, status, code.
const NOWHERE: &[(&str, &str, u16, &str)] = &[
    ("GET", "/nothing", 404, "not-found"),
    ("GET", "/releases/rel-1", 404, "not-found"),
    (
        "GET",
        "/releases/rel-00000000000000000000000000",
        404,
        "unknown-release",
    ),
    (
        "GET",
        "/releases/rel-00000000000000000000000000/why",
        404,
        "unknown-release",
    ),
    (
        "GET",
        "/releases/rel-00000000000000000000000000/events",
        404,
        "unknown-release",
    ),
    ("GET", "/processes/nothing", 404, "unknown-process"),
    ("GET", "/processes/Not%20A%20Name", 404, "not-found"),
    (
        "GET",
        "/processes/nothing/versions/1",
        404,
        "unknown-process",
    ),
    ("GET", "/processes/nothing/versions/-1", 404, "not-found"),
    ("GET", "/components/nothing", 404, "unknown-component"),
    (
        "GET",
        "/components/nothing/versions/1.0.0",
        404,
        "unknown-component",
    ),
    (
        "GET",
        "/components/nothing/versions/newest",
        404,
        "not-found",
    ),
    ("GET", "/principals/nobody", 404, "unknown-principal"),
    ("DELETE", "/tokens/tok-1", 404, "unknown-token"),
    ("DELETE", "/releases", 405, "method-not-allowed"),
    ("POST", "/me", 405, "method-not-allowed"),
    ("GET", "/releases?limit=0", 400, "invalid-query"),
    ("GET", "/releases?limit=many", 400, "invalid-query"),
    ("GET", "/releases?state=odd", 400, "invalid-query"),
    ("GET", "/releases?unknown=1", 400, "invalid-query"),
    ("GET", "/releases?process=%20", 400, "invalid-query"),
    ("GET", "/releases?cursor=..%2F", 400, "invalid-cursor"),
];

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let world = World::new();
    for (method, path, status, code) in NOWHERE {
        let answer = world.call(method, path, Body::empty()).await;
        answer.is_problem(*status, code);
    }
    let answer = world.call("DELETE", "/releases", Body::empty()).await;
    assert!(answer.header("allow").contains("POST"));
    let outside = Request::get("/nothing").body(Body::empty()).unwrap();
    world.raw(outside).await.is_problem(404, "not-found");
}

#[tokio::test]
async fn bodies_that_are_none_are_told_apart() {
    let world = World::new();
    let send = |kind: &'static str, body: Vec<u8>| {
        let request = world.request("POST", "/releases");
        let request = request.header("content-type", kind).body(Body::from(body));
        world.raw(request.unwrap())
    };
    let json = "application/json";
    send(json, b"{\"process\":".to_vec())
        .await
        .is_problem(400, "invalid-json");
    send(json, b"{\"process\": \"\xff\"}".to_vec())
        .await
        .is_problem(400, "invalid-json");
    send(json, Vec::new()).await.is_problem(400, "invalid-json");
    send(json, b"{\"process\": 5}".to_vec())
        .await
        .is_problem(422, "invalid-body");
    send(json, b"{}".to_vec())
        .await
        .is_problem(422, "invalid-body");
    send(json, b"{\"process\": \"p\", \"x\": 1}".to_vec())
        .await
        .is_problem(422, "invalid-body");
    send(json, b"{\"process\": \"p\", \"inputs\": [1]}".to_vec())
        .await
        .is_problem(422, "invalid-body");
    send(json, b"{\"process\": \"p\"}".to_vec())
        .await
        .is_problem(404, "unknown-process");
    send("text/plain", b"{}".to_vec())
        .await
        .is_problem(415, "unsupported-media-type");
    send(json, vec![b' '; JSON_BYTES_MAX + 1])
        .await
        .is_problem(413, "too-large");
    let deep = format!("{{\"process\":\"p\",\"inputs\":{}", "[".repeat(100_000));
    send(json, deep.into_bytes())
        .await
        .is_problem(400, "invalid-json");
}

#[tokio::test]
async fn a_body_of_unknown_length_is_bounded_too() {
    let world = World::new();
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
    let request = world
        .request("POST", "/processes")
        .body(Body::from_stream(endless));
    world
        .raw(request.unwrap())
        .await
        .is_problem(413, "too-large");
    let broken = futures::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("gone"))]);
    let request = world
        .request("POST", "/processes")
        .body(Body::from_stream(broken));
    world
        .raw(request.unwrap())
        .await
        .is_problem(400, "invalid-request");
}

#[tokio::test]
async fn requests_have_ids() {
    let world = World::new();
    let id = |given: &str| {
        let request = world.request("GET", "/me").header("x-request-id", given);
        world.raw(request.body(Body::empty()).unwrap())
    };
    assert_eq!(id("abc-1").await.header("x-request-id"), "abc-1");
    assert!(id("a b").await.header("x-request-id").starts_with("req-"));
    let own = world.get("/me").await;
    let other = world.get("/me").await;
    assert_ne!(own.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn another_host_name_is_refused() {
    let world = World::new();
    let of = |host: &str| {
        let request = world.request("GET", "/me").header("host", host);
        world.raw(request.body(Body::empty()).unwrap())
    };
    of("evil.example").await.is_problem(403, "foreign-host");
    of("localhost:7717").await.ok();
}

#[tokio::test]
async fn a_panic_is_a_problem() {
    async fn panics() {
        panic!("on purpose");
    }
    let world = World::new();
    let surround = axum::middleware::from_fn_with_state(
        std::sync::Arc::clone(&world.api),
        crate::http::request::surround,
    );
    let router = axum::Router::new()
        .route("/api/v1/panics", get(panics))
        .layer(surround);
    let world = World { router, ..world };
    world.get("/panics").await.is_problem(500, "internal");
}

#[tokio::test]
async fn pages_lead_to_one_another() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        let document = SIGN_OFF.replace("process: sign-off", &format!("process: {name}"));
        world.call("POST", "/processes", document).await.ok();
    }
    let first = world.get("/processes?limit=2").await;
    assert!(
        first.header("link").ends_with("; rel=\"next\""),
        "{first:?}"
    );
    let cursor = first.body["next_cursor"].as_str().unwrap().to_owned();
    let second = world
        .get(&format!("/processes?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(second.header("link"), "");
    let names = |answer: &super::world::Answer| -> Vec<String> {
        let items = answer.body["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (names(&first), names(&second)),
        (vec!["a".into(), "b".into()], vec!["c".into()])
    );
    assert!(second.body.get("next_cursor").is_none());
}

#[tokio::test]
async fn probes_say_yes_until_the_server_stops() {
    let world = World::new();
    let probe = |path: &'static str| {
        let request = Request::get(path).body(Body::empty());
        world.raw(request.unwrap())
    };
    probe("/livez").await.ok();
    probe("/readyz").await.ok();
    world.api.stopping.begin();
    probe("/livez").await.ok();
    let refused = probe("/readyz").await;
    refused.is_problem(503, "stopping");
    assert_eq!(refused.header("retry-after"), "1");
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_with_a_token() {
    let world = World::new();
    let from = |peer: &str, token: Option<&str>| {
        let peer: SocketAddr = peer.parse().unwrap();
        let mut request = Request::get("/metrics");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut request = request.body(Body::empty()).unwrap();
        request
            .extensions_mut()
            .insert(crate::http::server::Peer::from(peer));
        world.raw(request)
    };
    from("127.0.0.1:1", None).await.ok();
    from("10.0.0.1:1", None).await.is_problem(401, "no-token");
    from("10.0.0.1:1", Some(&world.token)).await.ok();
    from("127.0.0.1:1", Some("wrong"))
        .await
        .is_problem(401, "invalid-token");
}

#[tokio::test]
async fn limits_name_those_of_guests_and_of_requests() {
    let world = World::new();
    let limits = world.get("/limits").await.ok();
    let names: Vec<&str> = limits["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| limit["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"memory") && names.contains(&"document") && names.contains(&"page"));
    assert_eq!(
        world.get("/version").await.ok()["version"],
        json!(env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn backups_go_where_nothing_is() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().display().to_string();
    for (directory, status, code) in [
        ("relative/path", 422, "invalid-body"),
        (taken.as_str(), 409, "exists"),
    ] {
        let order = json!({ "directory": directory });
        let answer = world.json("POST", "/backups", &order).await;
        answer.is_problem(status, code);
    }
}
