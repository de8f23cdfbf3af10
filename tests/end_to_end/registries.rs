//! Components by way of an OCI registry: Debian's, and one that lies.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use fermata_core::id::Digest;
use fermata_tests::registry::{LOGIN, Registry};
use fermata_tests::server::{guest, program};
use serde_json::{Value, json};

use crate::components::padded;
use crate::world::{World, run};

#[path = "liars.rs"]
mod liars;

const WASM: &str = "application/wasm";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A folder to work in, with a component and another one of the same name and version.
struct Desk {
    folder: tempfile::TempDir,
    server: Option<(String, String)>,
}

/// How a command ended.
struct Said {
    code: i32,
    out: Vec<u8>,
    err: String,
}

impl Said {
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        String::from_utf8(self.out).unwrap().trim().to_owned()
    }

    /// Fails unless the command ended like this, with all of these words and something to do next.
    #[track_caller]
    fn is(self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word}: {}", self.err);
        }
        assert!(self.err.contains("next: "), "{}", self.err);
    }
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("noop.wasm", &guest("noop").unwrap());
        write("other.wasm", &padded("noop", 64));
        Self {
            folder,
            server: None,
        }
    }

    fn at(world: &World) -> Self {
        let server = (world.server.url.clone(), world.server.token.clone());
        Self {
            server: Some(server),
            ..Self::new()
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    fn call(&self, args: &[&str]) -> Said {
        self.call_with(args, &[], "")
    }

    fn call_with(&self, args: &[&str], variables: &[(&str, &str)], stdin: &str) -> Said {
        let mut command = Command::new(program("fermata", "FERMATA_BIN").unwrap());
        if let Some((url, token)) = &self.server {
            command
                .env("FERMATA_SERVER", url)
                .env("FERMATA_TOKEN", token);
        }
        let mut child = command
            .arg("component")
            .args(args)
            .current_dir(self.path())
            .env("NO_COLOR", "1")
            .env("DOCKER_CONFIG", self.path())
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(stdin.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

#[test]
fn a_component_goes_through_a_registry_and_stays_the_same() {
    let (world, registry) = (World::new(), Registry::open().unwrap());
    let desk = Desk::at(&world);
    let place = format!("oci://{}/team/noop", registry.host);
    // The tag is the version, and what is printed never moves.
    let pinned = desk.call(&["publish", "noop.wasm", &place]).ok();
    assert!(pinned.starts_with(&format!("{place}@sha256:")), "{pinned}");
    let again = desk.call(&["publish", "noop.wasm", &place]);
    assert!(again.err.contains("unchanged"), "{}", again.err);
    assert_eq!(again.ok(), pinned);

    let described = desk.call(&["publish", "noop.wasm", &place, "--output", "json"]);
    let described: Value = serde_json::from_str(&described.ok()).unwrap();
    let version = described["tag"].as_str().unwrap();
    let by_tag = format!("{place}:{version}");
    assert!(desk.call(&["pull", &by_tag]).ok().starts_with("noop-"));
    assert_eq!(
        desk.read(&format!("noop-{version}.wasm")),
        desk.read("noop.wasm")
    );
    desk.call(&["pull", &pinned, "pinned.wasm"]).ok();
    assert_eq!(desk.read("pinned.wasm"), desk.read("noop.wasm"));
    assert_eq!(
        desk.call(&["pull", &by_tag, "-"]).out,
        desk.read("noop.wasm")
    );

    let pushed = desk.call(&["push", &pinned, "--output", "json"]).ok();
    let pushed: Value = serde_json::from_str(&pushed).unwrap();
    let digest = Digest::of(&desk.read("noop.wasm")).to_string();
    assert_eq!(
        (&pushed["digest"], &pushed["source"]),
        (&json!(digest), &json!(pinned))
    );
    assert_eq!(described["digest"], json!(digest));

    // And out of the server again: the same bytes, and therefore the same artifact.
    let listed = format!("noop@{version}");
    desk.call(&["pull", &listed, "listed.wasm"]).ok();
    assert_eq!(desk.read("listed.wasm"), desk.read("noop.wasm"));
    let elsewhere = format!("oci://{}/copy", registry.host);
    let copied = desk.call(&["publish", &listed, &elsewhere]).ok();
    assert_eq!(copied.split('@').nth(1), pinned.split('@').nth(1));
    desk.call(&["pull", "noop@9.9.9"]).is(6, &["noop@9.9.9"]);
}

#[test]
fn a_version_keeps_its_content_and_other_tags_move() {
    let (desk, registry) = (Desk::new(), Registry::open().unwrap());
    let place = format!("oci://{}/noop", registry.host);
    let first = desk.call(&["publish", "noop.wasm", &place]).ok();
    let second = || desk.call(&["publish", "other.wasm", &place]);
    second().is(3, &["version-exists", "other content", "--force"]);
    let latest = format!("{place}:latest");
    desk.call(&["publish", "noop.wasm", &latest]).ok();
    let moved = desk.call(&["publish", "other.wasm", &latest]).ok();
    assert_ne!(moved, first);
    let forced = desk
        .call(&["publish", "other.wasm", &place, "--force"])
        .ok();
    assert_eq!(forced, moved);
    second().ok();
    // What was pinned is there still.
    desk.call(&["pull", &first, "first.wasm"]).ok();
    assert_eq!(desk.read("first.wasm"), desk.read("noop.wasm"));
}

#[test]
fn a_large_component_is_sent_and_read() {
    let (desk, registry) = (Desk::new(), Registry::open().unwrap());
    std::fs::write(desk.path().join("large.wasm"), padded("noop", 10_000_000)).unwrap();
    let pinned = format!("oci://{}/a/b/c/large:v1.0.0", registry.host);
    let pinned = desk.call(&["publish", "large.wasm", &pinned]).ok();
    desk.call(&["pull", &pinned, "back.wasm"]).ok();
    assert!(desk.read("back.wasm") == desk.read("large.wasm"));
}

#[test]
fn what_is_not_there_is_told_apart() {
    let (desk, registry) = (Desk::new(), Registry::open().unwrap());
    let place = format!("oci://{}/noop", registry.host);
    desk.call(&["publish", "noop.wasm", &place]).ok();
    let absent = Digest::of(b"absent").to_string();
    let pull = |reference: &str| desk.call(&["pull", reference, "x.wasm"]);
    pull(&format!("{place}:9.9.9")).is(6, &["9.9.9", "MANIFEST_UNKNOWN"]);
    pull(&format!("{place}@{absent}")).is(6, &[&absent, "MANIFEST_UNKNOWN"]);
    pull(&format!("oci://{}/absent:1", registry.host)).is(6, &["absent:1"]);
    pull(&place).is(2, &["neither a tag nor a digest"]);
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    pull(&format!("oci://{nobody}/noop:1"))
        .is(4, &["cannot reach the registry", &nobody.to_string()]);
    std::fs::write(desk.path().join("none.wasm"), b"\0asm\x01\0\0\0").unwrap();
    desk.call(&["publish", "none.wasm", &place])
        .is(1, &["none.wasm", "not admitted"]);
    desk.call(&["publish", "noop.wasm", &format!("{place}@{absent}")])
        .is(2, &["not for you to choose"]);
    assert!(!desk.path().join("x.wasm").exists());
}

#[test]
fn a_closed_registry_wants_a_login_and_gets_it_in_every_way() {
    let (desk, registry) = (Desk::new(), Registry::closed().unwrap());
    let (user, password) = LOGIN;
    let place = format!("oci://{}/noop", registry.host);
    let publish = ["publish", "noop.wasm", &place];
    let by_name = [&publish[..], &["--username", user]].concat();
    let with = |more: &[&str], variables: &[(&str, &str)], stdin: &str| {
        desk.call_with(&[&by_name, more].concat(), variables, stdin)
    };
    desk.call(&publish).is(
        5,
        &[
            "wants a name and a password",
            "docker login",
            "--password-stdin",
        ],
    );
    with(&["--password-stdin"], &[], "wrong\n").is(5, &["UNAUTHORIZED", "password of `ana`"]);
    with(&[], &[], "").is(2, &["no password", "FERMATA_OCI_PASSWORD"]);
    assert!(
        !registry
            .storage()
            .join("docker/registry/v2/repositories/noop/_manifests")
            .exists()
    );

    with(&["--password-stdin"], &[], &format!("{password}\n")).ok();
    std::fs::write(desk.path().join("password"), password).unwrap();
    with(&["--password-file", "password"], &[], "").ok();
    with(&[], &[("FERMATA_OCI_PASSWORD", password)], "").ok();
    let variables = [
        ("FERMATA_OCI_USERNAME", user),
        ("FERMATA_OCI_PASSWORD", password),
    ];
    desk.call_with(&publish, &variables, "").ok();

    let keep = |auths: Value| {
        let config = json!({ "auths": auths, "credsStore": "desktop" });
        std::fs::write(desk.path().join("config.json"), config.to_string()).unwrap();
    };
    keep(json!({ registry.host.as_str(): { "auth": "YW5hOnNlc2FtZQ==" } }));
    desk.call(&["pull", &desk.call(&publish).ok()]).ok();
    keep(json!({ registry.host.as_str(): {} }));
    desk.call(&publish)
        .is(5, &["docker-credential-desktop", "--username"]);
}

#[test]
fn artifacts_of_others_are_read_if_they_are_components() {
    run(async {
        let (desk, registry) = (Desk::new(), Registry::open().unwrap());
        let module = desk.read("noop.wasm");
        let hands = Hands::of(&registry);
        let config = hands
            .blob("application/vnd.oci.empty.v1+json", b"{}".to_vec())
            .await;
        let before = "application/vnd.wasm.content.layer.v1+wasm";
        let layer = hands.blob(before, module.clone()).await;
        let wasm = hands.blob(WASM, module.clone()).await;
        let tar = hands
            .blob(
                "application/vnd.oci.image.layer.v1.tar+gzip",
                b"tar".to_vec(),
            )
            .await;
        let text = hands.blob(WASM, b"no wasm".to_vec()).await;
        let manifest = |layers: Value| json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        for (tag, layers) in [
            ("before", json!([layer])),
            ("1.0.0", json!([wasm])),
            ("image", json!([tar])),
            ("two", json!([wasm, tar])),
            ("text", json!([text])),
        ] {
            hands.manifest(tag, MANIFEST, &manifest(layers)).await;
        }
        let index = "application/vnd.oci.image.index.v1+json";
        let empty = json!({ "schemaVersion": 2, "mediaType": index, "manifests": [] });
        hands.manifest("index", index, &empty).await;

        let pull = |tag: &str| {
            let reference = format!("oci://{}/{}:{tag}", registry.host, Hands::REPOSITORY);
            desk.call(&["pull", &reference, "-"])
        };
        assert!(pull("before").out == module);
        assert!(pull("1.0.0").out == module);
        let layers = [
            "its layer is application/vnd.oci.image.layer.v1.tar+gzip",
            "no component",
        ];
        pull("image").is(2, &layers);
        pull("two").is(
            2,
            &["it has 2 layers: application/wasm, application/vnd.oci.image"],
        );
        pull("text").is(2, &["does not begin with"]);
        pull("index").is(2, &["it is an index of 0 manifests", index]);
        // The same component under the same version: whoever made the manifest, there is nothing to do.
        let place = format!("oci://{}/{}:1.0.0", registry.host, Hands::REPOSITORY);
        let said = desk.call(&["publish", "noop.wasm", &place]);
        assert!(said.err.contains("unchanged"), "{}", said.err);
    });
}

/// Somebody who makes an artifact without us.
struct Hands {
    client: reqwest::Client,
    base: String,
}

impl Hands {
    const REPOSITORY: &str = "others/made";

    fn of(registry: &Registry) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let base = format!("http://{}/v2/{}", registry.host, Self::REPOSITORY);
        Self { client, base }
    }

    /// Keeps a blob, and gives its descriptor.
    async fn blob(&self, kind: &str, bytes: Vec<u8>) -> Value {
        let (digest, size) = (Digest::of(&bytes), bytes.len());
        let begun = self.client.post(format!("{}/blobs/uploads/", self.base));
        let begun = begun.send().await.unwrap();
        let place = begun.headers()["location"].to_str().unwrap();
        let sent = self.client.put(format!("{place}&digest={digest}"));
        let sent = sent.body(bytes).send().await.unwrap();
        assert_eq!(sent.status(), 201);
        json!({ "mediaType": kind, "digest": digest.to_string(), "size": size })
    }

    async fn manifest(&self, tag: &str, kind: &str, manifest: &Value) {
        let put = self.client.put(format!("{}/manifests/{tag}", self.base));
        let put = put.header("content-type", kind).body(manifest.to_string());
        let status = put.send().await.unwrap().status();
        assert_eq!(status, 201, "{tag}");
    }
}
