//! Bad input at the public door: the right status, a stable code, nothing half stored.

use fermata_tests::api::Answer;
use fermata_tests::server::guest;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::world::{World, run};

fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::from_u16(status).unwrap(), code),
        "{:#}",
        answer.body
    );
}

#[test]
fn what_is_no_component_is_refused_and_not_listed() {
    run(async {
        let world = World::new();
        let noop = guest("noop").unwrap();
        let truncated = noop[..noop.len() / 2].to_vec();
        for (bytes, code) in [
            (b"hello".to_vec(), "not-wasm"),
            (truncated, "invalid"),
            (Vec::new(), "not-wasm"),
        ] {
            let request = world.api.request(Method::POST, "/components").body(bytes);
            is(&world.api.send(request).await.unwrap(), 422, code);
        }
        let list = world.api.get("/components").await.unwrap().ok().unwrap();
        assert_eq!(list["items"], json!([]));
    });
}

#[test]
fn hostile_documents_are_defects_or_too_large() {
    run(async {
        let world = World::new();
        let deep = "[".repeat(100_000);
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n";
        let invalid = vec![b'p', 0xff, 0xfe];
        for body in [
            deep.into_bytes(),
            bomb.as_bytes().to_vec(),
            invalid,
            b"process: [".to_vec(),
        ] {
            let request = world.api.request(Method::POST, "/processes").body(body);
            let answer = world.api.send(request).await.unwrap();
            is(&answer, 422, "defects");
            assert!(
                answer.body["defects"][0]["line"].is_u64(),
                "{:#}",
                answer.body
            );
        }
        let huge = world
            .api
            .request(Method::POST, "/processes")
            .body(vec![b' '; 2 << 20]);
        assert_eq!(
            world.api.send(huge).await.unwrap().status,
            StatusCode::PAYLOAD_TOO_LARGE
        );
        assert_eq!(
            world.api.get("/processes").await.unwrap().ok().unwrap()["items"],
            json!([])
        );
    });
}

#[test]
fn tokens_are_needed_and_can_be_revoked() {
    run(async {
        let world = World::new();
        for token in ["", "wrong", "fmt_0000"] {
            let answer = world.api.with_token(token).get("/releases").await.unwrap();
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        }
        let created = world
            .api
            .post("/tokens", &json!({ "principal": "ci" }))
            .await
            .unwrap()
            .ok()
            .unwrap();
        let ci = world.api.with_token(created["token"].as_str().unwrap());
        ci.get("/releases").await.unwrap().ok().unwrap();
        assert_eq!(
            ci.post("/tokens", &json!({ "principal": "ci" }))
                .await
                .unwrap()
                .status,
            StatusCode::FORBIDDEN
        );
        let path = format!("/tokens/{}", created["id"].as_str().unwrap());
        world
            .api
            .send(world.api.request(Method::DELETE, &path))
            .await
            .unwrap()
            .ok()
            .unwrap();
        assert_eq!(
            ci.get("/releases").await.unwrap().status,
            StatusCode::UNAUTHORIZED
        );
    });
}

#[test]
fn the_same_key_starts_one_release_and_another_body_is_refused() {
    run(async {
        let world = World::new();
        world
            .api
            .publish("process: p\nphases: { a: { activities: { b: { manual: { instructions: Look. } } } } }")
            .await
            .unwrap();
        let post = |body: serde_json::Value| {
            let request = world
                .api
                .request(Method::POST, "/releases")
                .header("Idempotency-Key", "k1")
                .json(&body);
            world.api.send(request)
        };
        let first = post(json!({ "process": "p" })).await.unwrap().ok().unwrap();
        let second = post(json!({ "process": "p" })).await.unwrap().ok().unwrap();
        assert_eq!(first["id"], second["id"]);
        is(
            &post(json!({ "process": "p", "title": "other" }))
                .await
                .unwrap(),
            422,
            "idempotency-key-reuse",
        );
        let list = world.api.get("/releases").await.unwrap().ok().unwrap();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    });
}
