//! The description of the API covers all of it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::world::World;
use crate::http;

fn described() -> Value {
    serde_json::from_slice(&http::description()).unwrap()
}

/// Every method and path that is described, with something in place of parameters.
pub(super) fn routes() -> Vec<(String, String)> {
    let described = described();
    let paths = described["paths"].as_object().unwrap();
    let each = |(path, item): (&String, &Value)| -> Vec<(String, String)> {
        let path = path
            .replace("{id}", "rel-00000000000000000000000000")
            .replace("versions/{version}", "versions/1.0.0")
            .replace("{attempt}", "1")
            .replace(['{', '}'], "");
        let methods = item.as_object().unwrap().keys();
        methods
            .map(|method| (method.to_uppercase(), path.clone()))
            .collect()
    };
    paths.iter().flat_map(each).collect()
}

/// The whole API, by hand: a route that is missing or new shows here.
const ROUTES: [&str; 90] = [
    "DELETE /components/{name}/versions/{version}",
    "DELETE /components/{name}/versions/{version}/deprecation",
    "DELETE /definitions/{name}/versions/{version}",
    "DELETE /me/backup",
    "DELETE /notifiers/{name}",
    "DELETE /processes/{name}/input-sets/{set}",
    "DELETE /policies/{name}",
    "DELETE /secrets/{name}",
    "DELETE /tokens/{id}",
    "DELETE /uploads/{upload}",
    "GET /components",
    "GET /components/{name}",
    "GET /components/{name}/used-by",
    "GET /components/{name}/versions/{version}",
    "GET /components/{name}/versions/{version}/grants",
    "GET /components/{name}/versions/{version}/wasm",
    "GET /definitions",
    "GET /definitions/{name}",
    "GET /definitions/{name}/used-by",
    "GET /definitions/{name}/versions/{version}",
    "GET /ledger",
    "GET /ledger/{environment}/{service}",
    "GET /limits",
    "GET /locks",
    "GET /me",
    "GET /me/backup",
    "GET /me/tasks",
    "GET /notifiers",
    "GET /notifiers/{name}",
    "GET /notifiers/{name}/deliveries",
    "GET /openapi.json",
    "GET /policies",
    "GET /policies/{name}",
    "GET /principals",
    "GET /principals/{name}",
    "GET /processes",
    "GET /processes/{name}",
    "GET /processes/{name}/diff",
    "GET /processes/{name}/grants",
    "GET /processes/{name}/input-sets",
    "GET /processes/{name}/input-sets/{set}",
    "GET /processes/{name}/versions/{version}",
    "GET /quarantine",
    "GET /releases",
    "GET /releases/{id}",
    "GET /releases/{id}/activities/{phase}/{activity}/attempts",
    "GET /releases/{id}/activities/{phase}/{activity}/attempts/{attempt}/logs",
    "GET /releases/{id}/activities/{phase}/{activity}/attempts/{attempt}/recording",
    "GET /releases/{id}/events",
    "GET /releases/{id}/files/{digest}",
    "GET /releases/{id}/rollback-plan",
    "GET /releases/{id}/why",
    "GET /secrets",
    "GET /secrets/{name}",
    "GET /tokens",
    "GET /uploads",
    "GET /uploads/{upload}",
    "GET /version",
    "PATCH /uploads/{upload}",
    "POST /backups",
    "POST /components",
    "POST /components:verify",
    "POST /definitions",
    "POST /notifiers/{name}/test",
    "POST /policies/{name}/judge",
    "POST /processes",
    "POST /processes:validate",
    "POST /quarantine/{digest}/lift",
    "POST /rehearsals",
    "POST /releases",
    "POST /releases/{id}/actions",
    "POST /releases/{id}/files",
    "POST /secrets:rotate",
    "POST /signals/{release}/{phase}/{activity}",
    "POST /signals/{release}/{phase}/{activity}/{secret}",
    "POST /tokens",
    "POST /uploads",
    "POST /uploads/{upload}/finish",
    "PUT /components/{name}/versions/{version}",
    "PUT /components/{name}/versions/{version}/deprecation",
    "PUT /components/{name}/versions/{version}/grants",
    "PUT /locks/{name}",
    "PUT /me/backup",
    "PUT /notifiers/{name}",
    "PUT /policies/{name}",
    "PUT /principals/{name}",
    "PUT /processes/{name}/grants",
    "PUT /processes/{name}/input-sets/{set}",
    "PUT /quarantine/{digest}",
    "PUT /secrets/{name}",
];

#[test]
fn every_route_is_described() {
    let described = described();
    assert!(
        described["openapi"].as_str().unwrap().starts_with("3.1"),
        "{}",
        described["openapi"]
    );
    let mut found = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").expect("all of it is there");
        for method in item.as_object().unwrap().keys() {
            found.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let expected: BTreeSet<String> = ROUTES.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_is_described_is_there() {
    let world = World::new();
    for (method, path) in routes() {
        let request = Request::builder().method(method.as_str()).uri(&path);
        let answer = world.raw(request.body(Body::empty()).unwrap()).await;
        let code = answer.body["code"].as_str().unwrap_or_default();
        assert!(
            !["not-found", "method-not-allowed"].contains(&code),
            "{method} {path}"
        );
    }
}

#[test]
fn operations_have_names_problems_and_a_way_in() {
    let described = described();
    assert!(described["components"]["securitySchemes"]["token"].is_object());
    let mut names = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.contains_key("401") || path.ends_with("openapi.json"),
                "{method} {path}"
            );
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{name}"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if let ("$ref", Some(target)) = (name.as_str(), member.as_str()) {
                        found.insert(target.to_owned());
                    }
                    collect(member, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let described = described();
    let mut references = BTreeSet::new();
    collect(&described, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("inside the document");
        assert!(described.pointer(pointer).is_some(), "{reference}");
    }
}
