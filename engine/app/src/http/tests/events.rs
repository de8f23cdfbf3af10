//! Events: streamed, resumed, paged.

use axum::body::Body;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::world::{World, text};

/// Opens the stream and gives its chunks as text.
async fn stream(
    world: &World,
    id: &str,
    last: Option<&str>,
) -> futures::stream::BoxStream<'static, String> {
    let mut request = world.request("GET", &format!("/releases/{id}/events"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let chunks = response.into_body().into_data_stream();
    let text = chunks.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap());
    text.boxed()
}

/// Reads a message: id, type, data.
fn parse(message: &str) -> (Option<u64>, String, Value) {
    let field = |name: &str| {
        let line = message.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim().to_owned())
    };
    (
        field("id:").map(|id| id.parse().unwrap()),
        field("event:").unwrap(),
        serde_json::from_str(&field("data:").unwrap()).unwrap(),
    )
}

#[tokio::test]
async fn a_stream_tells_everything_goes_on_and_ends_with_the_release() {
    let world = World::furnished().await;
    let view = world.start("sign-off").await;
    let id = text(&view["id"]);
    let mut live = stream(&world, id, None).await;
    let mut seen = Vec::new();
    while seen.len() < usize::try_from(view["version"].as_u64().unwrap()).unwrap() {
        seen.push(parse(&live.next().await.unwrap()));
    }
    let kinds: Vec<&str> = seen.iter().map(|(_, kind, _)| kind.as_str()).collect();
    assert_eq!(kinds[..2], ["created", "started"]);
    let asked = seen.last().unwrap();
    assert_eq!(
        (asked.1.as_str(), text(&asked.2["activity"])),
        ("people-asked", "only/agree")
    );
    assert_eq!(
        (text(&asked.2["phase"]), text(&asked.2["by"])),
        ("only", "user:admin")
    );

    let reject = json!({ "action": "reject", "activity": "only/agree", "comment": "no" });
    world.act(id, &reject).await.ok();
    let rest: Vec<_> = live.map(|message| parse(&message)).collect().await;
    assert_eq!(
        (rest[0].1.as_str(), text(&rest[0].2["comment"])),
        ("rejected", "no")
    );
    assert_eq!(rest.last().unwrap().1, "ended");
    let numbers: Vec<u64> = seen
        .iter()
        .chain(&rest)
        .map(|(id, ..)| id.unwrap())
        .collect();
    assert!(
        numbers.iter().copied().eq(0..numbers.len() as u64),
        "{numbers:?}"
    );

    let resumed: Vec<_> = stream(&world, id, Some("2")).await.collect().await;
    assert_eq!(parse(&resumed[0]).0, Some(3));
    assert_eq!(resumed.len(), numbers.len() - 3);
    let over = numbers.last().unwrap().to_string();
    let request = world.request("GET", &format!("/releases/{id}/events"));
    let request = request.header("last-event-id", over).body(Body::empty());
    assert_eq!(world.raw(request.unwrap()).await.status, 204);
}

#[tokio::test]
async fn a_stream_ends_when_the_server_stops() {
    let world = World::furnished().await;
    let view = world.start("sign-off").await;
    let mut live = stream(&world, text(&view["id"]), None).await;
    for _ in 0..view["version"].as_u64().unwrap() {
        live.next().await.unwrap();
    }
    world.api.stopping.begin();
    assert_eq!(live.next().await, None);
}

#[tokio::test]
async fn events_can_be_read_page_by_page() {
    let world = World::furnished().await;
    let order = json!({ "process": "runs" });
    let view = world
        .json_with("POST", "/releases", &order, &[("prefer", "wait=30")])
        .await
        .ok();
    let path = format!("/releases/{}/events", text(&view["id"]));
    let total = view["version"].as_u64().unwrap();
    let mut numbers = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let request = world.request("GET", &format!("{path}{query}"));
        let request = request
            .header("accept", "application/json")
            .body(Body::empty());
        let page = world.raw(request.unwrap()).await.ok();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        numbers.extend(items.iter().map(|item| item["number"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert!(numbers.iter().copied().eq(0..total), "{numbers:?}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let world = World::furnished().await;
    let view = world.start("sign-off").await;
    let path = format!("/releases/{}/events", text(&view["id"]));
    let request = world.request("GET", &path).header("last-event-id", "x");
    world
        .raw(request.body(Body::empty()).unwrap())
        .await
        .is_problem(400, "invalid-header");
    world
        .get(&format!("{path}?after=-1"))
        .await
        .is_problem(400, "invalid-query");
}
