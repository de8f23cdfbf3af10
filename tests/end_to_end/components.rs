//! Components with the real sandbox: checked, sent over a line that breaks, stopped everywhere.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fermata_tests::api::activity;
use fermata_tests::server::guest;
use serde_json::{Value, json};

use crate::world::{World, fermata, run};

/// The guest with a custom section of so many bytes.
pub(crate) fn padded(name: &str, bytes: u32) -> Vec<u8> {
    let mut module = guest(name).unwrap();
    let filling = (0..bytes).map(|at| at.wrapping_mul(0x9e37_79b9).to_be_bytes()[0]);
    let section: Vec<u8> = [3].into_iter().chain(*b"pad").chain(filling).collect();
    module.push(0);
    let mut length = u32::try_from(section.len()).unwrap();
    while length >= 0x80 {
        module.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    module.push(length.to_le_bytes()[0]);
    module.extend(section);
    module
}

/// A line to a server that carries so many bytes on its first connections, and then is cut.
struct Line {
    url: String,
    carried: Arc<AtomicUsize>,
}

impl Line {
    fn to(server: &str, cuts: Vec<usize>) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let carried = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&carried);
        std::thread::spawn(move || {
            let cuts = cuts.into_iter().chain(std::iter::repeat(usize::MAX));
            for (client, cut) in listener.incoming().zip(cuts) {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || carry(from, to, usize::MAX, &AtomicUsize::new(0)));
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || carry(client, server, cut, &counted));
            }
        });
        Self { url, carried }
    }
}

/// Carries at most `cut` bytes, then hangs up on both.
fn carry(mut from: TcpStream, mut to: TcpStream, cut: usize, carried: &AtomicUsize) {
    let mut left = cut;
    let mut buffer = [0; 16 * 1024];
    while left > 0 {
        let most = buffer.len().min(left);
        match from.read(&mut buffer[..most]) {
            Ok(count @ 1..) if to.write_all(&buffer[..count]).is_ok() => {
                left -= count;
                carried.fetch_add(count, Ordering::Relaxed);
            }
            Ok(_) | Err(_) => break,
        }
    }
    // The other side may have hung up already.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

#[test]
fn a_large_component_arrives_over_a_line_that_breaks() {
    const MIB: usize = 1024 * 1024;
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let module = padded("noop", 10 * 1024 * 1024);
    std::fs::write(folder.path().join("noop.wasm"), &module).unwrap();
    // In the midst of the first piece, and of a later one.
    let line = Line::to(&world.server.url, vec![2 * MIB, 6 * MIB]);
    let args = ["component", "push", "noop.wasm", "--server", &line.url];
    let (code, out, err) = fermata(&world, folder.path(), &args);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("noop@"), "{out}");
    // What had arrived before the second break was not sent again.
    let carried = line.carried.load(Ordering::Relaxed);
    assert!(carried < 19 * MIB, "{carried}");
    let (code, out, err) = fermata(&world, folder.path(), &args);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("unchanged"), "{out}");
}

#[test]
fn an_upload_goes_on_after_the_server_was_killed() {
    run(async {
        let world = World::new();
        let module = padded("noop", 10_000);
        let digest = fermata_core::id::Digest::of(&module).to_string();
        let order = json!({ "length": module.len(), "digest": digest });
        let begun = world.api.post("/uploads", &order).await.unwrap();
        let path = format!("/uploads/{}", begun.ok().unwrap()["id"].as_str().unwrap());
        let send = |world: &World, from: usize, to: usize| {
            let request = world.api.request(reqwest::Method::PATCH, &path);
            let request = request.header("upload-offset", from);
            let request = request.body(module[from..to].to_vec());
            let api = world.api.clone();
            async move { api.send(request).await.unwrap().ok().unwrap() }
        };
        send(&world, 0, 5_000).await;
        let world = world.crash();
        let there = world.api.get(&path).await.unwrap().ok().unwrap();
        assert_eq!(there["offset"], 5_000);
        send(&world, 5_000, module.len()).await;
        let finish = format!("{path}/finish");
        let made = world
            .api
            .post(&finish, &json!({}))
            .await
            .unwrap()
            .ok()
            .unwrap();
        assert_eq!(made["digest"], digest);
    });
}

#[test]
fn a_quarantine_stops_what_runs_and_outlives_a_crash() {
    run(async {
        let world = World::new();
        let api = &world.api;
        let pushed = api.send(
            api.request(reqwest::Method::POST, "/components")
                .body(guest("spin").unwrap()),
        );
        let pushed = pushed.await.unwrap().ok().unwrap();
        let document = "process: spins\non-failure: fail\nphases:\n  only:\n    activities:\n      a: { uses: spin@0, timeout: 10m, retry: { attempts: 5 } }\n";
        let document = document.replace("@0", &format!("@{}", pushed["version"].as_str().unwrap()));
        api.publish(&document).await.unwrap();
        let id = api.start("spins", &json!({})).await.unwrap();
        let is =
            |state: &'static str| move |view: &Value| activity(view, "only/a")["state"] == state;
        world.until(&id, is("running")).await;
        let path = format!("/quarantine/{}", pushed["digest"].as_str().unwrap());
        let reason = json!({ "reason": "it turns in circles" });
        world.api.put(&path, &reason).await.unwrap().ok().unwrap();
        let view = world.until(&id, is("on-hold")).await;
        let failure = &activity(&view, "only/a")["failure"];
        assert_eq!(failure["class"], "quarantined", "{failure:#}");

        let world = world.crash();
        let view = world.until(&id, is("on-hold")).await;
        let failure = &activity(&view, "only/a")["failure"];
        assert!(
            failure["message"]
                .as_str()
                .unwrap()
                .contains("it turns in circles")
        );
        let refused = world
            .api
            .post("/releases", &json!({ "process": "spins" }))
            .await
            .unwrap();
        assert_eq!(refused.code(), "component-quarantined");
        let lift = format!("{path}/lift");
        world.api.post(&lift, &reason).await.unwrap().ok().unwrap();
        let retry = json!({ "action": "retry", "activity": "only/a" });
        world.api.act(&id, &retry).await.unwrap().ok().unwrap();
        world.until(&id, is("running")).await;
    });
}

#[test]
fn a_check_tells_and_keeps_nothing() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("noop.wasm"), guest("noop").unwrap()).unwrap();
    std::fs::write(folder.path().join("bad.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let call = |args: &[&str]| fermata(&world, folder.path(), args);
    let (code, out, err) = call(&["component", "verify", "noop.wasm"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("of native code"), "{out}");
    let (code, out, _) = call(&["component", "verify", "noop.wasm", "bad.wasm"]);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("missing-export"), "{out}");
    let (_, out, _) = call(&["component", "list", "--output", "json"]);
    let list: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(list["items"], json!([]));
    let native = std::fs::read_dir(world.data.path().join("cache/native")).unwrap();
    assert_eq!(native.count(), 0);
}

#[test]
fn people_deprecate_and_quarantine_from_the_terminal() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("noop.wasm"), guest("noop").unwrap()).unwrap();
    let document = "process: small\nphases: { one: { activities: { work: { uses: noop@1 } } } }\n";
    std::fs::write(folder.path().join("small.yaml"), document).unwrap();
    let call = |args: &[&str]| fermata(&world, folder.path(), args);
    assert_eq!(call(&["component", "push", "noop.wasm"]).0, 0);
    let (_, out, _) = call(&["component", "list", "--output", "json"]);
    let list: Value = serde_json::from_str(&out).unwrap();
    let noop = format!("noop@{}", list["items"][0]["version"].as_str().unwrap());
    let deprecate = ["component", "deprecate", &noop, "--notice", "take another"];
    assert_eq!(call(&deprecate).0, 0);
    let (code, _, err) = call(&["process", "publish", "small.yaml"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("is deprecated: take another"), "{err}");
    let (_, out, _) = call(&["component", "list"]);
    assert!(out.contains("deprecated"), "{out}");
    let quarantine = ["component", "quarantine", &noop, "--reason", "stolen"];
    assert_eq!(call(&quarantine).0, 0);
    let (code, _, err) = call(&["release", "start", "small"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("stolen"), "{err}");
    let (_, out, _) = call(&["component", "show", &noop]);
    assert!(out.contains("in quarantine by user:admin: stolen"), "{out}");
    let (_, out, _) = call(&["component", "quarantined"]);
    assert!(out.contains("in force") && out.contains(&noop), "{out}");
    assert_eq!(call(&["component", "lift", &noop, "--reason", "back"]).0, 0);
    assert_eq!(call(&["component", "undeprecate", &noop]).0, 0);
    let (code, _, err) = call(&["release", "start", "small", "--wait"]);
    assert_eq!(code, 0, "{err}");
}
