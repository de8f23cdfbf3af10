//! Calls by `wasi:http`: the same policy, told by error codes.

use std::sync::Arc;

use fermata_core::attempt::LogLevel;
use fermata_core::failure::FailureClass;
use fermata_core::time::Span;
use fermata_host::{Answered, Answers, Asked, Unanswered};
use serde_json::json;

use crate::calls::{Rebinding, granted, secret_grants, with_secrets};
use crate::kit::{Kit, failure, invocation, messages, outputs};
use crate::server;
use crate::wasi_http_source::{component, get};

/// Numbers of error codes, in the order of the interface.
const UNAVAILABLE: &str = "03";
const DENIED: &str = "15";
const REQUEST_BODY_SIZE: &str = "17";
const RESPONSE_HEADERS_SIZE: &str = "26";
const RESPONSE_BODY_SIZE: &str = "28";
const TIMEOUT: &str = "33";
const INTERNAL: &str = "38";

#[tokio::test]
async fn a_granted_call_is_answered_and_a_redirect_is_an_answer() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let host = server.address.to_string();
    let ran = kit.run(get(&host, "/x?token=1"), &granted(&host)).await;
    assert_eq!(outputs(&ran), json!({ "got": "" }));
    let ran = kit.run(get(&host, "/redirect"), &granted(&host)).await;
    assert_eq!(outputs(&ran), 42);
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    assert!(
        requests[0].starts_with("GET /x?token=1 HTTP/1.1\r\n"),
        "{requests:?}"
    );
    assert!(requests[0].contains(&format!("host: {host}\r\n")));
}

#[tokio::test]
async fn what_is_not_granted_is_denied_by_a_code_and_the_log_has_the_grant() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let host = server.address.to_string();
    let digest = kit.admit(get(&host, "/")).await.digest;
    let public = json!({ "http": [{ "host": "127.0.0.1" }] }).to_string();
    for grants in ["{}", public.as_str()] {
        let ran = kit.invoke(invocation(digest), grants).await;
        let line = ran.log[0].clone();
        let told = failure(ran);
        let FailureClass::Denied(grant) = &told.class else {
            panic!("{told}")
        };
        assert_eq!(
            (told.message.as_str(), line.level),
            (DENIED, LogLevel::Warn)
        );
        assert!(line.message.starts_with("denied: GET "), "{line:?}");
        assert!(line.message.contains(grant.as_str()), "{line:?}");
        assert!(told.remedy.unwrap().contains(grant.as_str()));
        assert!(told.last_call.unwrap().starts_with("denied: GET "));
        let mut grant: serde_json::Value = serde_json::from_str(grant).unwrap();
        grant["http"][0]["private"] = json!(true);
        let ran = kit.invoke(invocation(digest), &grant.to_string()).await;
        assert_eq!(outputs(&ran), json!({ "got": "" }));
    }
    assert_eq!(server.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_denied() {
    let server = server::start().await;
    let kit = Kit::new(|config| config.resolver = Arc::new(Rebinding::default()));
    let host = format!("harmless.example:{}", server.address.port());
    let public = r#"{"http":[{"host":"*.example"}]}"#;
    let ran = kit.run(get(&host, "/"), public).await;
    assert!(messages(&ran.log)[0].contains("loopback"), "{ran:?}");
    let told = failure(ran);
    assert_eq!(
        (told.class.code(), told.message.as_str()),
        ("denied", DENIED)
    );
    assert!(server.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn answers_have_bounds() {
    let server = server::start().await;
    let host = server.address.to_string();
    let kit = Kit::limited(|limits| {
        limits.http_response_bytes = 100_000;
        limits.http_time = Span(200);
    });
    for (path, code) in [
        ("/large", RESPONSE_BODY_SIZE),
        ("/endless", RESPONSE_BODY_SIZE),
        ("/headers", RESPONSE_HEADERS_SIZE),
        ("/slow", TIMEOUT),
    ] {
        let ran = kit.run(get(&host, path), &granted("*")).await;
        let call = format!("GET http://{host}{path}: ");
        assert!(messages(&ran.log)[0].starts_with(&call), "{ran:?}");
        let told = failure(ran);
        assert_eq!(
            (told.class, told.message.as_str()),
            (FailureClass::Permanent, code),
            "{path}"
        );
        assert!(told.last_call.unwrap().starts_with(&call));
    }
}

#[tokio::test]
async fn a_guest_may_have_less_patience_than_the_host() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let run = format!(
        "(local $options i32)
        (local.set $options (call $options))
        (if (call $set_patience (local.get $options) (i32.const 1) (i64.const 50000000)) (then unreachable))
        (call $handle_request (call $request (call $fields) «{}» «/slow») (i32.const 1) (local.get $options) (i32.const 4096))
        (call $told (call $answer (i32.load (i32.const 4104))))",
        server.address
    );
    let told = kit.failure(component("", &run), &granted("*")).await;
    assert_eq!(told.message, TIMEOUT);
}

#[tokio::test]
async fn nobody_there_and_nonsense_are_told() {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let kit = Kit::new(|_| ());
    for (host, code, said) in [
        (address.to_string(), UNAVAILABLE, "refused"),
        ("user@a.example".to_owned(), INTERNAL, "user name"),
    ] {
        let ran = kit.run(get(&host, "/"), &granted("*")).await;
        let line = messages(&ran.log)[0].to_lowercase();
        assert!(line.contains(said), "{line}");
        assert_eq!(failure(ran).message, code);
    }
    // What is longer than any that is used is refused before it is kept.
    for set in [
        "(call $set_authority (local.get $request) (i32.const 1) (i32.const 65536) (i32.const 9000))",
        "(call $set_path (local.get $request) (i32.const 1) (i32.const 65536) (i32.const 9000))",
        "(call $set_method (local.get $request) (i32.const 9) (i32.const 65536) (i32.const 21))",
        "(call $set_scheme (local.get $request) (i32.const 1) (i32.const 2) (i32.const 65536) (i32.const 21))",
    ] {
        let run = format!(
            "(local $request i32)
            (memory.fill (i32.const 65536) (i32.const 0x61) (i32.const 9000))
            (local.set $request (call $new_request (call $fields)))
            (if (i32.eqz {set}) (then unreachable))
            (call $succeed «{{}}»)"
        );
        outputs(&kit.run(component("", &run), "{}").await);
    }
}

#[tokio::test]
async fn calls_are_counted_and_take_turns() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let send = format!(
        "(call $sent (call $request (call $fields) «{}» «/»))",
        server.address
    );
    let endless = format!("(loop $again (drop {send}) (br $again)) unreachable");
    let told = kit.failure(component("", &endless), &granted("*")).await;
    assert_eq!(told.class, FailureClass::Limit("http-calls".into()));

    // Ten are under way before the first is waited for: their handles follow one another.
    let many = format!(
        "(local $n i32) (local $at i32)
        (loop $again
          (i32.store (i32.add (i32.const 6000) (i32.mul (local.get $n) (i32.const 4))) {send})
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 10))))
        (loop $again
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (local.set $at (call $told (call $answer (i32.load (i32.add (i32.const 6000) (i32.mul (local.get $n) (i32.const 4)))))))
          (br_if $again (local.get $n)))
        (local.get $at)"
    );
    let ran = kit.run(component("", &many), &granted("*")).await;
    assert_eq!(outputs(&ran), json!({ "got": "" }));
}

/// Sends a request whose body is so many blocks of 4 KiB, each flushed before the next.
fn post(host: &str, blocks: u32, end: &str) -> Vec<u8> {
    let run = format!(
        "(local $request i32) (local $future i32) (local $stream i32) (local $n i32)
        (memory.fill (i32.const 65536) (i32.const 0x78) (i32.const 4096))
        (local.set $request (call $request (call $fields) «{host}» «/»))
        (drop (call $set_method (local.get $request) (i32.const 2) (i32.const 0) (i32.const 0)))
        (local.set $stream (call $open (local.get $request)))
        (local.set $future (call $sent (local.get $request)))
        (loop $again
          (call $write (local.get $stream) (i32.const 65536) (i32.const 4096) (i32.const 4400))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const {blocks}))))
        {end}
        (call $told (call $answer (local.get $future)))"
    );
    component("", &run)
}

const CLOSE: &str = "(call $close (local.get $stream))";

#[tokio::test]
async fn a_body_is_gathered_within_bounds() {
    let server = server::start().await;
    let host = server.address.to_string();
    let grants = json!({ "http": [{ "host": "*", "private": true }] }).to_string();
    let kit = Kit::limited(|limits| {
        limits.http_request_bytes = 100_000;
        limits.http_time = Span(300);
    });
    let ran = kit.run(post(&host, 20, CLOSE), &grants).await;
    assert_eq!(outputs(&ran), json!({ "got": "" }));
    {
        let requests = server.requests.lock().unwrap();
        assert!(requests[0].contains("content-length: 81920\r\n"));
        assert!(requests[0].ends_with(&"x".repeat(81_920)));
    }
    let broken =
        "(call $drop_stream (local.get $stream)) (call $drop_body (i32.load (i32.const 4304)))";
    for (blocks, end, code, why) in [
        (30, CLOSE, REQUEST_BODY_SIZE, "more than 100000 bytes"),
        (1, broken, INTERNAL, "did not finish"),
        (1, "", TIMEOUT, "timeout"),
    ] {
        let ran = kit.run(post(&host, blocks, end), &grants).await;
        assert!(messages(&ran.log)[0].contains(why), "{why}: {ran:?}");
        assert_eq!(failure(ran).message, code, "{why}");
    }
    // A denial comes before anybody waits for a body.
    let told = kit.failure(post(&host, 1, ""), &granted("*")).await;
    assert_eq!(told.message, DENIED);
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_host_keeps_for_a_guest_has_bounds() {
    let kit = Kit::new(|_| ());
    let body = "(call $open (call $request (call $fields) «a.example» «/»))";
    for (what, limit) in [
        ("(call $fields)", "http-resources"),
        (
            "(call $request (call $fields) «a.example» «/»)",
            "http-resources",
        ),
        (body, "http-resources"),
    ] {
        let run = format!("(loop $again (drop {what}) (br $again)) unreachable");
        let told = kit.failure(component("", &run), "{}").await;
        assert_eq!(told.class, FailureClass::Limit(limit.into()), "{told}");
    }
    let run = "(local $fields i32)
        (local.set $fields (call $fields))
        (loop $again (call $append (local.get $fields) «x» «yyyyyyyyyyyyyyyy» (i32.const 4400)) (br $again))
        unreachable";
    let told = kit.failure(component("", run), "{}").await;
    assert_eq!(told.class, FailureClass::Limit("http-headers".into()));
}

#[tokio::test]
async fn answers_that_are_not_read_have_bounds() {
    let server = server::start().await;
    let kit = Kit::limited(|limits| limits.http_response_bytes = 250_000);
    let answer = format!(
        "(call $answer (call $sent (call $request (call $fields) «{}» «/endless»)))",
        server.address
    );
    // Each has 200,000 bytes.
    let three = format!("(drop {answer}) (drop {answer}) (call $told {answer})");
    let ran = kit.run(component("", &three), &granted("*")).await;
    assert!(messages(&ran.log)[0].contains("500000 bytes"), "{ran:?}");
    assert_eq!(failure(ran).message, RESPONSE_BODY_SIZE);
    let dropped = format!(
        "(drop {answer}) (call $drop_answer {answer}) (call $drop_answer {answer}) (call $succeed «{{}}»)"
    );
    outputs(&kit.run(component("", &dropped), &granted("*")).await);
}

#[tokio::test]
async fn secrets_reach_the_server_and_never_the_guest() {
    let (kit, server) = (with_secrets(), server::start().await);
    let host = server.address.to_string();
    let run = format!(
        "(local $fields i32)
        (call $handle «token» (i32.const 3000))
        (if (i32.load8_u (i32.const 3000)) (then unreachable))
        (local.set $fields (call $fields))
        (call $append (local.get $fields) «authorization»
          (i32.load (i32.const 3004)) (i32.load (i32.const 3008)) (i32.const 4400))
        (call $told (call $answer (call $sent (call $request (local.get $fields) «{host}» «/»))))"
    );
    let digest = kit.admit(component("", &run)).await.digest;
    let ran = kit
        .invoke(invocation(digest), &secret_grants(&[host]))
        .await;
    let got = outputs(&ran)["got"].as_str().unwrap().to_owned();
    assert!(got.starts_with("fsec_"), "{got}");
    assert!(server.requests.lock().unwrap()[0].contains("authorization: correct-horse\r\n"));

    let elsewhere = secret_grants(&["other.example".to_owned()]);
    let ran = kit.invoke(invocation(digest), &elsewhere).await;
    assert!(messages(&ran.log)[0].contains("may not be sent"), "{ran:?}");
    assert_eq!(failure(ran).message, DENIED);
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn describe_has_no_grants_here_either() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let describe = format!("(drop (call $go «{}» «/»))", server.address);
    kit.admit(component(&describe, "(call $succeed «{}»)"))
        .await;
    assert!(server.requests.lock().unwrap().is_empty());
}

/// Says what was asked.
#[derive(Debug)]
struct Parrot;

impl Answers for Parrot {
    fn answer(&self, asked: &Asked<'_>) -> Result<Answered, Unanswered> {
        let body =
            json!({ "asked": format!("{} {}", asked.method, asked.url), "body": asked.body });
        Ok(Answered {
            status: 200,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        })
    }
}

#[tokio::test]
async fn prepared_answers_take_the_place_of_the_network() {
    let kit = Kit::new(|config| config.answers = Some(Arc::new(Parrot)));
    let ran = kit.run(get("a.example", "/x"), &granted("a.example")).await;
    assert_eq!(outputs(&ran)["asked"], "GET http://a.example/x");
    let told = kit
        .failure(get("b.example", "/"), &granted("a.example"))
        .await;
    assert_eq!(told.message, DENIED);
}
