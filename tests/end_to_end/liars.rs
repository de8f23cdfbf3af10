//! Registries that lie.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use fermata_core::id::Digest;
use serde_json::json;

use super::{Desk, WASM};

/// What a registry of our own answers.
#[derive(Clone, Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Whether the body is sent again and again until nobody takes it.
    endless: bool,
}

impl Answer {
    fn of(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            ..Self::default()
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn endless(mut self) -> Self {
        self.endless = true;
        self
    }
}

/// A registry that answers what a test wants, and keeps the requests.
struct Liar {
    host: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Liar {
    fn new(answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (own, heard_too) = (host.clone(), Arc::clone(&heard));
        let answer = Arc::new(move |request: &str| answer(&own, request));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (answer, heard) = (Arc::clone(&answer), Arc::clone(&heard_too));
                std::thread::spawn(move || serve(connection.unwrap(), &*answer, &heard));
            }
        });
        Self { host, heard }
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().concat()
    }
}

fn serve(mut connection: TcpStream, answer: &dyn Fn(&str) -> Answer, heard: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&head).into_owned();
    let told = answer(&request);
    heard.lock().unwrap().push(request);
    let mut text = format!("HTTP/1.1 {} told\r\nconnection: close\r\n", told.status);
    for (name, value) in &told.headers {
        text.extend([*name, ": ", value.as_str(), "\r\n"]);
    }
    let written = connection.write_all(format!("{text}\r\n").as_bytes());
    let mut goes_on = written
        .and_then(|()| connection.write_all(&told.body))
        .is_ok();
    while told.endless && goes_on {
        goes_on = connection.write_all(&told.body).is_ok();
    }
}

/// A manifest of one layer.
fn manifest(layer: &[u8], size: u64) -> String {
    let digest = Digest::of(layer).to_string();
    json!({ "schemaVersion": 2, "layers": [{ "mediaType": WASM, "digest": digest, "size": size }] })
        .to_string()
}

/// What a liar answers to whoever wants a manifest; the exit code, and a word of the error.
fn lies() -> Vec<(&'static str, Answer, i32, &'static str)> {
    let zeros = vec![0; 64 * 1024];
    let mib = 1024 * 1024;
    vec![
        (
            "other bytes",
            Answer::of(manifest(b"\0asm", 4)),
            1,
            "sent sha256:",
        ),
        (
            "an endless manifest",
            Answer::of(zeros.clone()).endless(),
            1,
            "more than 1048576 bytes",
        ),
        (
            "a manifest that is announced as too large",
            Answer::of("{}").with("content-length", (64 * mib).to_string()),
            1,
            "more than 1048576 bytes",
        ),
        (
            "a page",
            Answer::of("<html>").with("content-type", "text/html; charset=utf-8"),
            7,
            "no registry's",
        ),
        (
            "a teapot",
            Answer {
                status: 418,
                ..Answer::of("short\x1b[2J and stout")
            },
            7,
            "short[2J and stout",
        ),
        (
            "an endless refusal",
            Answer {
                status: 500,
                ..Answer::of(zeros.clone()).endless()
            },
            1,
            "more than 65536 bytes",
        ),
    ]
}

/// The same, where it is not the body that lies.
fn broken_ways() -> Vec<(&'static str, Answer, i32, &'static str)> {
    let refused = |status| Answer {
        status,
        ..Answer::of("")
    };
    vec![
        (
            "a broken line",
            Answer::of("{").with("content-length", "100"),
            4,
            "was lost",
        ),
        (
            "a way in circles",
            refused(307).with("location", "/again"),
            4,
            "redirect",
        ),
        (
            "a way in that nobody knows",
            refused(401).with("www-authenticate", "Negotiate"),
            5,
            "Unauthorized",
        ),
        (
            "tokens from where others read along",
            refused(401).with(
                "www-authenticate",
                "Bearer realm=\"http://203.0.113.7/token\"",
            ),
            5,
            "read along",
        ),
    ]
}

#[test]
fn a_registry_that_lies_is_caught_and_nothing_is_kept() {
    let desk = Desk::new();
    let wanted = Digest::of(b"wanted").to_string();
    for (what, answer, code, word) in lies().into_iter().chain(broken_ways()) {
        let liar = Liar::new(move |_, _| answer.clone());
        let reference = format!("oci://{}/noop@{wanted}", liar.host);
        let flags = ["--username", "ana", "--password-stdin"];
        let said = desk.call_with(
            &[&["pull", &reference, "x.wasm"], &flags[..]].concat(),
            &[],
            "sesame",
        );
        assert!(said.err.contains(word), "{what}: {}", said.err);
        assert_eq!(said.code, code, "{what}: {}", said.err);
        assert!(
            !liar.heard().to_lowercase().contains("authorization"),
            "{what}"
        );
    }
    assert!(!desk.path().join("x.wasm").exists());
}

#[test]
fn a_layer_that_is_another_one_is_not_kept() {
    let desk = Desk::new();
    let zeros = vec![0; 64 * 1024];
    let layers: Vec<(&str, u64, Answer, &str)> = vec![
        ("other bytes", 4, Answer::of("evil"), "sent sha256:"),
        ("fewer bytes", 4, Answer::of("\0as"), "3 of 4 bytes"),
        (
            "endless bytes",
            4,
            Answer::of(zeros.clone()).endless(),
            "more than 4 bytes",
        ),
        (
            "too large a component",
            64 * 1024 * 1024 + 1,
            Answer::of(zeros),
            "more than 67108864 bytes",
        ),
    ];
    for (what, size, answer, word) in layers {
        let liar = Liar::new(move |_, request| {
            if request.contains("/manifests/") {
                Answer::of(manifest(b"\0asm", size))
            } else {
                answer.clone()
            }
        });
        let reference = format!("oci://{}/noop:1", liar.host);
        let said = desk.call(&["pull", &reference, "x.wasm"]);
        assert!(said.err.contains(word), "{what}: {}", said.err);
        assert_eq!(said.code, 1, "{what}: {}", said.err);
    }
    let digest = Digest::of(b"another").to_string();
    let liar = Liar::new(move |_, _| {
        Answer::of(manifest(b"\0asm", 4)).with("docker-content-digest", digest.clone())
    });
    let said = desk.call(&["pull", &format!("oci://{}/noop:1", liar.host)]);
    said.is(1, &["the manifest of", "sent sha256:"]);
    assert!(!desk.path().join("x.wasm").exists());
}

#[test]
fn whoever_a_registry_sends_us_to_gets_no_password() {
    let desk = Desk::new();
    let other = Liar::new(|host, _| {
        let refused = Answer {
            status: 401,
            ..Answer::of("")
        };
        let realm = format!("Bearer realm=\"http://{host}/token\"");
        refused.with("www-authenticate", realm)
    });
    let there = format!("http://{}/elsewhere", other.host);
    let liar = Liar::new(move |_, _| {
        let sent = Answer {
            status: 307,
            ..Answer::of("")
        };
        sent.with("location", there.clone())
    });
    let reference = format!("oci://{}/noop:1", liar.host);
    let login = ["--username", "ana", "--password-stdin"];
    let args = [&["pull", &reference, "-"], &login[..]].concat();
    let said = desk.call_with(&args, &[], "sesame");
    assert_eq!(said.code, 5, "{}", said.err);
    let heard = other.heard().to_lowercase();
    assert!(heard.contains("/elsewhere"), "{heard}");
    assert!(!heard.contains("authorization"), "{heard}");
}

#[test]
fn a_registry_that_gives_out_tokens_sees_the_password_only_there() {
    let desk = Desk::new();
    let module = desk.read("noop.wasm");
    let told = module.clone();
    let liar = Liar::new(move |host, request| {
        if request.starts_with("GET /token?service=here&scope=repository%3Anoop%3Apull ") {
            assert!(request.contains("Basic YW5hOnNlc2FtZQ=="), "{request}");
            return Answer::of(r#"{"token":"let-me-in"}"#);
        }
        if !request.contains("Bearer let-me-in") {
            let realm = format!("Bearer realm=\"http://{host}/token\",service=\"here\"");
            return Answer {
                status: 401,
                ..Answer::of("")
            }
            .with("www-authenticate", realm);
        }
        if request.contains("/manifests/") {
            return Answer::of(manifest(&told, told.len() as u64));
        }
        Answer::of(told.clone())
    });
    let reference = format!("oci://{}/noop:1", liar.host);
    let args = [
        "pull",
        &reference,
        "-",
        "--username",
        "ana",
        "--password-stdin",
    ];
    let said = desk.call_with(&args, &[], "sesame");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out == module);
    let passwords = liar.heard().matches("Basic ").count();
    assert_eq!(passwords, 1, "{}", liar.heard());
}
