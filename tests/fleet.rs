//! The fleet as its callers see it: over HTTP, with real processes.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use reqwest::StatusCode;
use serde_json::{Value, json};

/// Longer than anything here takes; a test that gets this far has failed.
const WAIT_SECONDS: u32 = 30;

/// A running fleet; it ends with the test.
struct Fleet {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Fleet {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fermata-fleet"))
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line[line.find("http://").unwrap()..].trim().to_owned();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { child, url, client }
    }

    fn path(&self, service: &str) -> String {
        format!("{}/environments/staging/services/{service}", self.url)
    }

    async fn put(&self, service: &str, version: &str) -> Value {
        let request = self.client.put(self.path(service));
        let answer = request
            .json(&json!({ "version": version }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json().await.unwrap()
    }

    /// The status once nothing is being deployed any more.
    async fn settled(&self, service: &str) -> Value {
        let url = format!("{}?wait={WAIT_SECONDS}", self.path(service));
        self.client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn deploy(&self, service: &str, version: &str) -> Value {
        self.put(service, version).await;
        self.settled(service).await
    }

    fn signal(&self, signal: &str) {
        let killed = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // It may have ended already, which some tests are about.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The parts of a status that a story is about.
fn part(status: &Value) -> Value {
    let keys = ["version", "previous", "wanted", "state", "healthy"];
    keys.iter()
        .map(|key| (*key, status[*key].clone()))
        .collect()
}

#[tokio::test]
async fn a_new_version_takes_the_place_of_the_old_one_when_it_is_healthy() {
    let fleet = Fleet::start();
    let accepted = fleet.put("payment", "1.0.0").await;
    assert_eq!(accepted["previous"], Value::Null);
    let first = fleet.settled("payment").await;
    assert_eq!(
        part(&first),
        json!({ "version": "1.0.0", "previous": null, "wanted": "1.0.0", "state": "running", "healthy": true })
    );
    let accepted = fleet.put("payment", "1.1.0").await;
    assert_eq!(
        (&accepted["previous"], &accepted["deployment"]),
        (&json!("1.0.0"), &json!("d-2"))
    );
    let second = fleet.settled("payment").await;
    assert_eq!(
        part(&second),
        json!({ "version": "1.1.0", "previous": "1.0.0", "wanted": "1.1.0", "state": "running", "healthy": true })
    );
    assert_ne!(first["url"], second["url"]);
    let about = format!("{}/version", second["url"].as_str().unwrap());
    let about: Value = fleet
        .client
        .get(about)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(about, json!({ "service": "payment", "version": "1.1.0" }));
}

#[tokio::test]
async fn a_version_that_crashes_leaves_the_old_one_in_place_and_says_why() {
    let fleet = Fleet::start();
    fleet.deploy("payment", "1.0.0").await;
    let status = fleet.deploy("payment", "1.1.0-crashing").await;
    assert_eq!(
        part(&status),
        json!({ "version": "1.0.0", "previous": null, "wanted": "1.1.0-crashing", "state": "crashed", "healthy": true })
    );
    assert_eq!(
        status["reason"],
        "the process exited with status 1: cannot open the ledger database: connection refused"
    );
    let back = fleet.deploy("payment", "1.0.0").await;
    assert_eq!(
        part(&back),
        json!({ "version": "1.0.0", "previous": null, "wanted": "1.0.0", "state": "running", "healthy": true })
    );
    assert_eq!(
        (&back["url"], &back["reason"]),
        (&status["url"], &Value::Null)
    );
}

#[tokio::test]
async fn slow_and_unhealthy_versions_are_told_apart() {
    let fleet = Fleet::start();
    let (slow, unhealthy, _) = tokio::join!(
        fleet.deploy("account", "1.0.0-slow"),
        fleet.deploy("gateway", "1.0.0-unhealthy"),
        fleet.deploy("payment", "1.0.0"),
    );
    assert_eq!(
        (&slow["state"], &slow["healthy"]),
        (&json!("running"), &json!(true))
    );
    assert_eq!(
        (&unhealthy["state"], &unhealthy["version"]),
        (&json!("unhealthy"), &Value::Null)
    );
    assert!(
        unhealthy["reason"].as_str().unwrap().contains("503"),
        "{unhealthy}"
    );

    let all = fleet
        .client
        .get(format!("{}/environments", fleet.url))
        .send()
        .await
        .unwrap();
    let all: Value = all.json().await.unwrap();
    assert_eq!(
        all["environments"][0]["services"].as_array().unwrap().len(),
        3
    );
    assert_eq!(
        all["environments"][1],
        json!({ "name": "production", "services": [] })
    );
}

#[tokio::test]
async fn asking_again_changes_nothing_and_asking_for_another_gives_the_first_up() {
    let fleet = Fleet::start();
    let first = fleet.put("payment", "1.0.0-slow").await;
    assert_eq!(fleet.put("payment", "1.0.0-slow").await, first);
    assert_eq!(fleet.put("payment", "1.1.0").await["deployment"], "d-2");
    let status = fleet.settled("payment").await;
    assert_eq!(
        (&status["version"], &status["previous"]),
        (&json!("1.1.0"), &Value::Null)
    );
}

#[tokio::test]
async fn a_removed_service_is_gone() {
    let fleet = Fleet::start();
    let status = fleet.deploy("payment", "1.0.0").await;
    let mut held = connect(&status);
    let removed = fleet
        .client
        .delete(fleet.path("payment"))
        .send()
        .await
        .unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    assert_ended(&mut held);
    let again = fleet
        .client
        .delete(fleet.path("payment"))
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
}

/// A connection to the process that serves.
fn connect(status: &Value) -> TcpStream {
    let address = status["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://");
    TcpStream::connect(address).unwrap()
}

/// The other end of a connection closes when its process ends.
fn assert_ended(held: &mut TcpStream) {
    let longest = std::time::Duration::from_secs(WAIT_SECONDS.into());
    held.set_read_timeout(Some(longest)).unwrap();
    // A reset is an end too; only the timeout is none.
    let read = held.read(&mut [0; 16]);
    let ended = matches!(&read, Ok(0))
        || read
            .as_ref()
            .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
    assert!(ended, "{read:?}");
}

#[tokio::test]
async fn every_process_ends_with_the_fleet_however_that_ends() {
    for signal in ["-TERM", "-KILL"] {
        let fleet = Fleet::start();
        let status = fleet.deploy("payment", "1.0.0").await;
        let mut held = connect(&status);
        fleet.signal(signal);
        assert_ended(&mut held);
    }
}

#[tokio::test]
async fn hostile_requests_get_typed_errors() {
    let fleet = Fleet::start();
    let put = |path: &str, body: &str| {
        let request = fleet.client.put(format!("{}{path}", fleet.url));
        request.body(body.to_owned()).send()
    };
    let good = "/environments/staging/services/payment";
    let long = format!(r#"{{"version":"{}"}}"#, "1".repeat(5_000));
    for (path, body, status, code) in [
        (good, "", 422, "bad-body"),
        (good, "[]", 422, "bad-body"),
        (good, r#"{"version":1}"#, 422, "bad-body"),
        (good, r#"{"version":"1","x":1}"#, 422, "bad-body"),
        (good, r#"{"version":"--port=1"}"#, 422, "bad-version"),
        (good, r#"{"version":""}"#, 422, "bad-version"),
        (good, long.as_str(), 413, "bad-body"),
        (
            "/environments/moon/services/a",
            r#"{"version":"1"}"#,
            404,
            "unknown-environment",
        ),
        (
            "/environments/staging/services/A%20B",
            r#"{"version":"1"}"#,
            422,
            "bad-name",
        ),
        ("/environments/staging", "{}", 404, "not-found"),
        ("/environments", "{}", 405, "method-not-allowed"),
    ] {
        let answer = put(path, body).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path} {body}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code, "{path} {body}");
    }
    let unknown = fleet
        .client
        .get(fleet.path("payment"))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        unknown.json::<Value>().await.unwrap()["code"],
        "unknown-service"
    );
}

#[test]
fn only_loopback_will_do() {
    let refused = Command::new(env!("CARGO_BIN_EXE_fermata-fleet"))
        .args(["--listen", "0.0.0.0:0"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("loopback"));
}
