//! Notifications from a release to a chat: they arrive, also after the chat or the server was away, and a
//! notifier that misbehaves keeps nobody.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::{Router, routing::post};
use fermata_tests::server::guest;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::world::{PATIENCE, World, fermata, run};

/// A process whose release fails.
const FAILS: &str = "\
process: bank-fails
title: Bank
phases:
  only:
    activities:
      bad: { uses: panicking@1, on-failure: fail, retry: { attempts: 1 } }
";
/// A process whose release succeeds.
const WORKS: &str = "\
process: bank-works
phases:
  only:
    activities:
      good: { uses: noop@1 }
";

/// What came to a chat: the id and the message.
type Message = (String, String);

/// A chat that can be away, and that can leave whoever calls without an answer.
struct Chat {
    address: SocketAddr,
    messages: Arc<Mutex<Vec<Message>>>,
    came: Arc<Notify>,
    hangs: Arc<AtomicBool>,
}

impl Chat {
    /// A chat that is away; its address is its own all the same.
    fn away() -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        Self {
            address,
            messages: Arc::default(),
            came: Arc::default(),
            hangs: Arc::default(),
        }
    }

    async fn open() -> Self {
        let chat = Self::away();
        chat.come_back().await;
        chat
    }

    async fn come_back(&self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
        let (messages, came) = (Arc::clone(&self.messages), Arc::clone(&self.came));
        let hangs = Arc::clone(&self.hangs);
        let take = move |headers: HeaderMap, body: String| {
            let body: Value = serde_json::from_str(&body).unwrap();
            let id = headers["idempotency-key"].to_str().unwrap().to_owned();
            let text = body["text"].as_str().unwrap().to_owned();
            messages.lock().unwrap().push((id, text));
            came.notify_one();
            let hangs = hangs.load(Ordering::Relaxed);
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                StatusCode::NO_CONTENT
            }
        };
        let router = Router::new().route("/hook", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    /// Everything that has come, once there is this much.
    async fn messages(&self, count: usize) -> Vec<Message> {
        let wait = async {
            loop {
                let messages = self.messages.lock().unwrap().clone();
                if messages.len() >= count {
                    return messages;
                }
                self.came.notified().await;
            }
        };
        let messages = timeout(patience(), wait).await;
        messages.unwrap_or_else(|_| panic!("only {:?} came", self.messages.lock().unwrap()))
    }

    fn settings(&self) -> Value {
        json!({ "url": format!("http://{}/hook", self.address) })
    }
}

/// A server with the guests of these processes, and with a notifier that tells the chat how releases end.
async fn world(chat: &Chat) -> World {
    let world = World::new();
    world.push(&["panicking", "noop"]).await;
    let grants = json!({ "http": [{ "host": chat.address.to_string(), "private": true }] });
    let wasm = guest("chat-notifier").unwrap();
    world.api.push(wasm, &grants).await.unwrap();
    for document in [FAILS, WORKS] {
        world.api.publish(document).await.unwrap();
    }
    let on = ["release-failed", "release-succeeded", "test"];
    set(&world, "chat", "chat-notifier@1", chat.settings(), &on).await;
    world
}

async fn set(world: &World, name: &str, component: &str, settings: Value, on: &[&str]) {
    let order = json!({ "component": component, "settings": settings, "on": on });
    let path = format!("/notifiers/{name}");
    world.api.put(&path, &order).await.unwrap().ok().unwrap();
}

/// Runs a release to its end; its id.
async fn ended(world: &World, process: &str) -> String {
    let id = world.api.start(process, &json!({})).await.unwrap();
    let view = world.api.wait(&id, PATIENCE).await.unwrap();
    assert!(
        ["failed", "succeeded"].contains(&view["state"].as_str().unwrap()),
        "{view:#}"
    );
    id
}

/// The deliveries of a notifier, once they are as wanted.
async fn deliveries(world: &World, name: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let path = format!("/notifiers/{name}/deliveries");
    let look = async {
        loop {
            let answer = world.api.get(&path).await.unwrap().ok().unwrap();
            let items = answer["items"].as_array().unwrap().clone();
            if wanted(&items) {
                return items;
            }
        }
    };
    if let Ok(items) = timeout(patience(), look).await {
        return items;
    }
    panic!("{:#}", world.api.get(&path).await.unwrap().body);
}

fn patience() -> Duration {
    Duration::from_secs(PATIENCE.into())
}

fn was_tried(delivery: &Value) -> bool {
    delivery["tries"].as_u64() > Some(0)
}

fn all_are(standing: &str, count: usize) -> impl Fn(&[Value]) -> bool {
    move |items| items.len() == count && items.iter().all(|it| it["standing"] == standing)
}

#[test]
fn a_release_that_fails_is_told_to_the_chat() {
    run(async {
        let chat = Chat::open().await;
        let world = world(&chat).await;
        let id = ended(&world, "bank-fails").await;
        let messages = chat.messages(1).await;
        assert_eq!(messages[0].1, "Bank (bank-fails@1): failed");
        assert!(
            messages[0].0.starts_with(&format!("chat/{id}/")),
            "{messages:?}"
        );
        deliveries(&world, "chat", all_are("delivered", 1)).await;
    });
}

#[test]
fn the_command_line_sets_tries_and_shows_a_notifier() {
    run(async {
        let chat = Chat::open().await;
        let world = world(&chat).await;
        let place = tempfile::tempdir().unwrap();
        let url = format!("url=http://{}/hook", chat.address);
        let template = r#"templates={"test":"{by}: {kind}"}"#;
        let args = [
            "notifier",
            "set",
            "chat",
            "--component",
            "chat-notifier@1",
            "--on",
            "release-*",
            "--process",
            "bank-*",
            "--setting",
            &url,
            "--setting",
            template,
        ];
        let (code, out, err) = fermata(&world, place.path(), &args);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("chat-notifier@1.0.0"), "{out}");
        let (code, out, _) = fermata(&world, place.path(), &["notifier", "test", "chat"]);
        assert_eq!((code, out.contains("delivered")), (0, true), "{out}");
        assert_eq!(chat.messages(1).await[0].1, "user:admin: test");
        ended(&world, "bank-works").await;
        chat.messages(3).await;
        deliveries(&world, "chat", all_are("delivered", 2)).await;
        let args = ["notifier", "deliveries", "chat"];
        let (code, out, _) = fermata(&world, place.path(), &args);
        assert!(code == 0 && out.contains("release-succeeded"), "{out}");
        let (code, out, _) = fermata(&world, place.path(), &["notifier", "list"]);
        assert!(code == 0 && out.contains("delivers"), "{out}");
        let (code, ..) = fermata(&world, place.path(), &["notifier", "remove", "chat"]);
        assert_eq!(code, 0);
        let (code, ..) = fermata(&world, place.path(), &["notifier", "show", "chat"]);
        assert_eq!(code, 6);
    });
}

#[test]
fn a_chat_that_was_away_is_told_in_order_when_it_is_back_each_once() {
    run(async {
        let chat = Chat::away();
        let world = world(&chat).await;
        let first = ended(&world, "bank-fails").await;
        let second = ended(&world, "bank-works").await;
        let tried = |items: &[Value]| items.len() == 2 && items[1]["tries"] == 1;
        let pending = deliveries(&world, "chat", tried).await;
        assert!(
            pending.iter().all(|it| it["standing"] == "pending"),
            "{pending:#?}"
        );
        assert_eq!(pending[1]["failure"]["class"], "retryable", "{pending:#?}");
        let place = tempfile::tempdir().unwrap();
        let (_, out, _) = fermata(&world, place.path(), &["doctor"]);
        assert!(out.contains("these fail at the moment: chat"), "{out}");

        chat.come_back().await;
        let messages = chat.messages(2).await;
        let ids: Vec<&str> = messages.iter().map(|(id, _)| id.as_str()).collect();
        assert!(ids[0].starts_with(&format!("chat/{first}/")), "{ids:?}");
        assert!(ids[1].starts_with(&format!("chat/{second}/")), "{ids:?}");
        deliveries(&world, "chat", all_are("delivered", 2)).await;
        assert_eq!(chat.messages(2).await.len(), 2);
    });
}

#[test]
fn a_kill_between_the_try_and_its_result_tells_it_again_under_the_same_id() {
    run(async {
        let chat = Chat::open().await;
        chat.hangs.store(true, Ordering::Relaxed);
        let world = world(&chat).await;
        ended(&world, "bank-fails").await;
        chat.messages(1).await;
        chat.hangs.store(false, Ordering::Relaxed);
        let world = world.crash();
        let messages = chat.messages(2).await;
        let ids: BTreeSet<&str> = messages.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids.len(), 1, "{messages:?}");
        deliveries(&world, "chat", all_are("delivered", 1)).await;
        // What is delivered stays so.
        let world = world.crash();
        deliveries(&world, "chat", all_are("delivered", 1)).await;
        ended(&world, "bank-works").await;
        assert_eq!(chat.messages(3).await.len(), 3);
    });
}

#[test]
fn what_was_told_and_not_yet_tried_survives_a_kill() {
    run(async {
        let chat = Chat::away();
        let world = world(&chat).await;
        ended(&world, "bank-fails").await;
        let world = world.crash();
        chat.come_back().await;
        assert_eq!(chat.messages(1).await[0].1, "Bank (bank-fails@1): failed");
        deliveries(&world, "chat", all_are("delivered", 1)).await;
    });
}

#[test]
fn hostile_notifiers_fail_alone() {
    run(async {
        let chat = Chat::open().await;
        let world = world(&chat).await;
        world.push(&["bad-notifier"]).await;
        let ways = [
            ("spin", "limit"),
            ("hungry", "limit"),
            ("panic", "trap"),
            ("long-failure", "permanent"),
            ("forbidden", "denied"),
        ];
        for (way, _) in ways {
            let settings = json!({ "way": way });
            set(&world, way, "bad-notifier@1", settings, &["release-*"]).await;
        }
        ended(&world, "bank-works").await;
        chat.messages(1).await;
        for (way, class) in ways {
            // By then the first try of the delivery has ended as well.
            let path = format!("/notifiers/{way}/test");
            let answer = world.api.post(&path, &json!({})).await.unwrap();
            let answer = answer.ok().unwrap();
            assert_eq!(answer["failure"]["class"], class, "{answer:#}");
            let tried = |items: &[Value]| items.iter().any(was_tried);
            let items = deliveries(&world, way, tried).await;
            let failed = items.iter().find(|it| was_tried(it)).unwrap();
            assert_eq!(failed["failure"]["class"], class, "{failed:#}");
            let message = failed["failure"]["message"].as_str().unwrap();
            assert!(message.len() < 20_000, "{}", message.len());
        }
        ended(&world, "bank-works").await;
        chat.messages(2).await;
        deliveries(&world, "chat", all_are("delivered", 2)).await;
    });
}
