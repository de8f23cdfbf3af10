//! Secrets from the command line to the wire: they arrive where they are granted, and are nowhere else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use axum::{Json, Router, routing::post};
use fermata_tests::api::{Api, activity};
use fermata_tests::server::{Server, guest};
use serde_json::{Value, json};

use crate::world::{PATIENCE, World, activities, fermata, run};

/// With letters that JSON, URLs and lists of headers spell otherwise.
const VALUE: &str = "Xy7/Correct horse+battery\"staple";
const SECRET: &str = "leak-token";
/// How the leaky guest ends, and the state that its activity is in then.
const WAYS: [(&str, &str); 6] = [
    ("outputs", "succeeded"),
    ("failure", "on-hold"),
    ("panic", "on-hold"),
    ("checkpoint", "succeeded"),
    ("url", "on-hold"),
    ("contract", "on-hold"),
];

/// A server that gives away in two halves what it is sent.
struct Gossip {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Gossip {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let place = Arc::clone(&seen);
        let answer = move |headers: HeaderMap, body: String| {
            let sent = headers.get("authorization").unwrap().to_str().unwrap();
            place.lock().unwrap().extend([sent.to_owned(), body]);
            let (first, second) = VALUE.split_at(VALUE.len() / 2);
            std::future::ready(Json(json!({ "halves": [first, second] })))
        };
        let router = Router::new().route("/", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    fn grants(&self) -> Value {
        json!({
            "http": [{ "host": self.address, "private": true }],
            "secrets": [{ "name": SECRET, "hosts": [self.address] }],
        })
    }

    /// A process with an activity for each way.
    fn process(&self) -> String {
        let lines = WAYS.map(|(way, _)| {
            let with = format!("{{ url: 'http://{}/', way: {way} }}", self.address);
            format!("      {way}: {{ uses: leaky@1, with: {with} }}\n")
        });
        format!(
            "process: leaks\nphases:\n  only:\n    activities:\n{}",
            lines.concat()
        )
    }
}

/// A world that keeps the secret, and a guest that was granted it.
async fn leaking(gossip: &Gossip) -> World {
    let world = World::new();
    world
        .api
        .push(guest("leaky").unwrap(), &gossip.grants())
        .await
        .unwrap();
    world.api.publish(&gossip.process()).await.unwrap();
    world
}

fn set(world: &World) {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("value"), format!("{VALUE}\n")).unwrap();
    let args = ["secret", "set", SECRET, "--from-file", "value"];
    let (code, out, err) = fermata(world, place.path(), &args);
    assert_eq!(code, 0, "{err}");
    assert_eq!(found_in(format!("{out}{err}").as_bytes()), None);
}

/// The spelling of the value that is found in `bytes`, if one is.
fn found_in(bytes: &[u8]) -> Option<&'static str> {
    // The last three by Python's base64.b64encode, without what the neighbours change.
    let spellings = [
        VALUE,
        "xy7/correct horse+battery\"staple",
        "Xy7/Correct horse+battery\\\"staple",
        "Xy7%2FCorrect%20horse%2Bbattery%22staple",
        "WHk3L0NvcnJlY3QgaG9yc2UrYmF0dGVyeSJzdGFwbG",
        "h5Ny9Db3JyZWN0IGhvcnNlK2JhdHRlcnkic3RhcGxl",
        "YeTcvQ29ycmVjdCBob3JzZStiYXR0ZXJ5InN0YXBsZ",
    ];
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    spellings.into_iter().find(|text| holds(text))
}

/// Every file below `folder` with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

/// Everything that the API tells about a release, and about secrets.
async fn told(api: &Api, id: &str) -> Vec<(String, String)> {
    let mut paths = vec![
        format!("/releases/{id}"),
        format!("/releases/{id}/why"),
        "/releases".to_owned(),
        "/me/tasks".to_owned(),
        "/ledger".to_owned(),
        "/components/leaky/versions/1.0.0".to_owned(),
        "/secrets".to_owned(),
        format!("/secrets/{SECRET}"),
    ];
    for (way, _) in WAYS {
        let of = format!("/releases/{id}/activities/only/{way}/attempts");
        paths.push(format!("{of}/1/logs"));
        paths.push(format!("{of}/1/recording"));
        paths.push(of);
    }
    let mut answers = Vec::new();
    for path in paths {
        let answer = api.get(&path).await.unwrap();
        // Of what succeeded there is none.
        if answer.code() == "unknown-recording" {
            continue;
        }
        answers.push((path, answer.ok().unwrap().to_string()));
    }
    let path = format!("/releases/{id}/events?limit=1000");
    let events = api
        .request(reqwest::Method::GET, &path)
        .header("accept", "application/json");
    let events = events.send().await.unwrap();
    assert!(events.status().is_success());
    answers.push((path, events.text().await.unwrap()));
    answers
}

#[test]
fn a_guest_that_tells_a_secret_by_every_way_gets_none_out() {
    run(async {
        let gossip = Gossip::start().await;
        let world = leaking(&gossip).await;
        set(&world);
        let id = world.api.start("leaks", &json!({})).await.unwrap();
        let ended = |view: &Value| {
            let moving = ["running", "suspended", "retrying", "ready", "waiting"];
            activities(view).all(|activity| !moving.contains(&activity["state"].as_str().unwrap()))
        };
        let view = world.until(&id, ended).await;
        for (way, state) in WAYS {
            let found = activity(&view, &format!("only/{way}"));
            assert_eq!(found["state"], state, "{way}: {found:#}");
        }
        // It got to the server that it was granted for, in the header and in the body.
        let seen: BTreeSet<String> = gossip.seen.lock().unwrap().iter().cloned().collect();
        let expected = [VALUE.to_owned(), format!("Bearer {VALUE}")];
        assert_eq!(seen, BTreeSet::from(expected));

        let answers = told(&world.api, &id).await;
        for (path, text) in &answers {
            assert_eq!(found_in(text.as_bytes()), None, "{path}: {text}");
        }
        let logs = answers.iter().filter(|(path, _)| path.ends_with("/logs"));
        assert!(
            logs.clone().count() == WAYS.len()
                && logs
                    .clone()
                    .all(|(_, text)| text.contains("it is [secret]"))
        );

        let recorded = answers
            .iter()
            .filter(|(path, _)| path.ends_with("/recording"));
        let failed = WAYS.iter().filter(|(_, state)| *state == "on-hold");
        assert_eq!(recorded.count(), failed.count());

        let place = tempfile::tempdir().unwrap();
        let backup = place.path().join("backup").display().to_string();
        let (code, _, err) = fermata(&world, place.path(), &["backup", &backup]);
        assert_eq!(code, 0, "{err}");
        world.server.stop().unwrap();
        let stored = [files(world.data.path()), files(place.path())].concat();
        for (path, bytes) in &stored {
            assert_eq!(found_in(bytes), None, "{path}");
        }
        // What is stored can be read so: the redacted line is there.
        let line = b"it is [secret]";
        assert!(
            stored
                .iter()
                .any(|(_, bytes)| bytes.windows(line.len()).any(|part| part == line))
        );
    });
}

#[test]
fn a_restored_backup_needs_the_key_and_says_so() {
    run(async {
        let gossip = Gossip::start().await;
        let world = leaking(&gossip).await;
        set(&world);
        let place = tempfile::tempdir().unwrap();
        let (backup, restored) = (place.path().join("backup"), place.path().join("restored"));
        let (backup, to) = (backup.display().to_string(), restored.display().to_string());
        for args in [
            vec!["backup", &backup],
            vec!["restore", &backup, "--data-dir", &to],
        ] {
            let (code, out, err) = fermata(&world, place.path(), &args);
            assert_eq!(code, 0, "{err}");
            assert_eq!(
                args[0] == "restore",
                format!("{out}{err}").contains("secrets.key")
            );
        }
        assert!(!restored.join("secrets.key").exists());
        let failure = failure_of(&restored, &gossip).await;
        assert_eq!(failure["class"], "engine", "{failure:#}");
        assert_eq!(failure["code"], "secret-sealed", "{failure:#}");

        let key = world.data.path().join("secrets.key");
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::copy(&key, restored.join("secrets.key")).unwrap();
        gossip.seen.lock().unwrap().clear();
        let failure = failure_of(&restored, &gossip).await;
        assert_eq!(failure, Value::Null);
        assert!(gossip.seen.lock().unwrap().contains(&VALUE.to_owned()));
    });
}

/// How the guest fails on a server of its own on this data, if it does.
async fn failure_of(data: &Path, gossip: &Gossip) -> Value {
    let server = Server::start(data).unwrap();
    let api = Api::admin(&server);
    let with = format!("{{ url: 'http://{}/', way: outputs }}", gossip.address);
    let document = format!(
        "process: one\nphases:\n  only:\n    activities:\n      leak: {{ uses: leaky@1, with: {with} }}\n"
    );
    api.publish(&document).await.unwrap();
    let id = api.start("one", &json!({})).await.unwrap();
    for _ in 0..PATIENCE {
        let view = api.wait(&id, 1).await.unwrap();
        let leak = activity(&view, "only/leak");
        if leak["state"] == "on-hold" || leak["state"] == "succeeded" {
            return leak["failure"].clone();
        }
    }
    panic!("{id} did not end");
}

#[test]
fn keys_are_rotated_by_the_server_and_given_from_outside() {
    run(async {
        let gossip = Gossip::start().await;
        let world = leaking(&gossip).await;
        set(&world);
        let place = tempfile::tempdir().unwrap();
        let (code, out, err) = fermata(&world, place.path(), &["secret", "rotate"]);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("secrets sealed again: 1"), "{out}");
        let world = world.crash();
        let listed = world.api.get("/secrets").await.unwrap().ok().unwrap();
        assert_eq!(listed["items"][0]["opens"], true, "{listed:#}");

        // The same keys, given by a file with a new one before them.
        let World { data, server, .. } = world;
        server.stop().unwrap();
        let given = place.path().join("given");
        fs::copy(data.path().join("secrets.key"), &given).unwrap();
        let path = given.display().to_string();
        let made = std::process::Command::new(
            fermata_tests::server::program("fermata", "FERMATA_BIN").unwrap(),
        )
        .args(["secret", "new-key", &path])
        .output()
        .unwrap();
        assert!(made.status.success(), "{made:?}");
        let server = Server::start_with(data.path(), &["--secrets-key-file", &path]).unwrap();
        let world = World {
            api: Api::admin(&server),
            data,
            server,
        };
        let text = fs::read_to_string(&given).unwrap();
        assert_eq!(text.lines().count(), 3);
        let (code, _, err) = fermata(&world, place.path(), &["secret", "rotate"]);
        assert_eq!(code, 3, "{err}");
        assert!(err.contains(&path) && err.contains("new-key"), "{err}");
        world.server.stop().unwrap();

        // The new key alone opens everything, since that start has sealed it again.
        fs::write(&given, text.lines().next().unwrap()).unwrap();
        let server = Server::start_with(world.data.path(), &["--secrets-key-file", &path]).unwrap();
        let listed = Api::admin(&server)
            .get("/secrets")
            .await
            .unwrap()
            .ok()
            .unwrap();
        assert_eq!(listed["items"][0]["opens"], true, "{listed:#}");
    });
}
