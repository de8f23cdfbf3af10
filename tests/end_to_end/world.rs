//! A server and, where a test needs it, a fleet: all of it ends with the test.

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use fermata_tests::api::Api;
use fermata_tests::server::{Server, guest, program};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a release of a test may take, in seconds: far more than it needs.
pub(crate) const PATIENCE: u32 = 120;

/// A server on a data directory of its own.
pub(crate) struct World {
    pub(crate) data: TempDir,
    pub(crate) server: Server,
    pub(crate) api: Api,
}

impl World {
    pub(crate) fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path()).unwrap();
        let api = Api::admin(&server);
        Self { data, server, api }
    }

    /// Uploads guests that are granted nothing.
    pub(crate) async fn push(&self, names: &[&str]) {
        for name in names {
            self.api
                .push(guest(name).unwrap(), &json!({}))
                .await
                .unwrap();
        }
    }

    /// Publishes a document, runs it with these inputs, and gives the release as it has become.
    pub(crate) async fn release(&self, document: &str, inputs: Value) -> Value {
        let published = self.api.publish(document).await.unwrap();
        let id = self
            .api
            .start(published["name"].as_str().unwrap(), &inputs)
            .await
            .unwrap();
        self.until(&id, |view| view["state"] != "running" || quiet(view))
            .await
    }

    /// Waits until the release is as `wanted`.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..PATIENCE {
            let view = self
                .api
                .get(&format!("/releases/{id}"))
                .await
                .unwrap()
                .ok()
                .unwrap();
            if wanted(&view) {
                return view;
            }
            // Answers at once when the release ends, and after a second otherwise.
            self.api.wait(id, 1).await.unwrap();
        }
        let why = self
            .api
            .get(&format!("/releases/{id}/why"))
            .await
            .unwrap()
            .body;
        panic!("{id} did not get there: {why:#}");
    }

    /// SIGKILL, and a new server on the same data.
    pub(crate) fn crash(self) -> Self {
        let Self { data, server, .. } = self;
        server.kill().unwrap();
        let server = Server::start(data.path()).unwrap();
        let api = Api::admin(&server);
        Self { data, server, api }
    }
}

/// Whether nothing moves any more without a person.
pub(crate) fn quiet(view: &Value) -> bool {
    let moving = ["running", "suspended", "retrying", "ready"];
    activities(view).all(|activity| !moving.contains(&activity["state"].as_str().unwrap()))
}

/// Every activity of a release view.
pub(crate) fn activities(view: &Value) -> impl Iterator<Item = &Value> {
    view["phases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|phase| phase["activities"].as_array().unwrap())
}

/// The fleet; its service processes end with it.
pub(crate) struct Fleet {
    child: Child,
    pub(crate) url: String,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let mut child = Command::new(program("fermata-fleet", "FERMATA_FLEET_BIN").unwrap())
            .args([
                "--listen",
                "127.0.0.1:0",
                "--environments",
                "staging,production,wave-1,wave-2",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .map(Result::unwrap)
            .find(|line| line.contains("http://"))
            .unwrap();
        let url = line[line.find("http://").unwrap()..]
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned();
        Self { child, url }
    }

    /// What a component needs to call the fleet.
    pub(crate) fn grants(&self) -> Value {
        json!({ "http": [{ "host": self.url.trim_start_matches("http://"), "private": true }] })
    }

    /// The status of one service.
    pub(crate) async fn status(&self, environment: &str, service: &str) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/environments/{environment}/services/{service}", self.url);
        client.get(url).send().await.unwrap().json().await.unwrap()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs a test's story to its end.
pub(crate) fn run(story: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(story);
}

/// The command line with a server and a token; gives exit code, standard output and standard error.
pub(crate) fn fermata(world: &World, folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(program("fermata", "FERMATA_BIN").unwrap())
        .args(args)
        .current_dir(folder)
        .env("FERMATA_SERVER", &world.server.url)
        .env("FERMATA_TOKEN", &world.server.token)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}
