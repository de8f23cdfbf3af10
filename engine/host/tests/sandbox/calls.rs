//! HTTP calls and secrets, against a server on this machine.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fermata_core::attempt::Outcome;
use fermata_core::failure::FailureClass;
use fermata_core::time::Span;
use fermata_host::{NoSecret, Resolver, Secrets};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use zeroize::Zeroizing;

use crate::kit::{Kit, failure, invocation, messages, outputs};
use crate::server;
use crate::source::guest;

fn get(url: &str) -> Vec<u8> {
    guest(&format!("(call $call «{url}» (i32.const 0) (i32.const 0))"))
}

fn granted(host: &str) -> String {
    json!({ "http": [{ "host": host, "methods": ["GET"], "private": true }] }).to_string()
}

#[tokio::test]
async fn a_granted_host_of_this_network_answers() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let url = format!("http://{}/x?token=1#part", server.address);
    let ran = kit
        .run(get(&url), &granted(&server.address.to_string()))
        .await;
    assert_eq!(outputs(&ran), json!({ "got": "" }));
    let requests = server.requests.lock().unwrap();
    assert!(
        requests[0].starts_with("GET /x?token=1 HTTP/1.1\r\n"),
        "{requests:?}"
    );
    assert!(requests[0].contains("user-agent: fermata/"), "{requests:?}");
}

#[tokio::test]
async fn what_is_not_granted_is_denied_with_the_grant_to_add() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let url = format!("http://{}/", server.address);
    let digest = kit.admit(get(&url)).await.digest;
    for grants in [
        "{}".to_owned(),
        json!({ "http": [{ "host": "127.0.0.1" }] }).to_string(),
    ] {
        let told = failure(kit.invoke(invocation(digest), &grants).await);
        let FailureClass::Denied(grant) = &told.class else {
            panic!("{told}")
        };
        assert!(
            told.message.contains(grant.as_str()) && told.remedy.unwrap().contains(grant.as_str())
        );
        assert!(told.last_call.unwrap().starts_with("denied: GET "));
        let mut grant: serde_json::Value = serde_json::from_str(grant).unwrap();
        grant["http"][0]["private"] = json!(true);
        assert_eq!(
            outputs(&kit.invoke(invocation(digest), &grant.to_string()).await),
            json!({ "got": "" })
        );
    }
    assert_eq!(server.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn redirects_are_answers() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let ran = kit
        .run(
            get(&format!("http://{}/redirect", server.address)),
            &granted("*"),
        )
        .await;
    assert_eq!(outputs(&ran), 42);
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn answers_have_bounds() {
    let server = server::start().await;
    let kit = Kit::limited(|limits| {
        limits.http_response_bytes = 100_000;
        limits.http_time = Span(200);
    });
    for (path, said) in [
        ("large", "too large"),
        ("endless", "too large"),
        ("headers", "too large"),
        ("slow", "timeout"),
    ] {
        let told = kit
            .failure(
                get(&format!("http://{}/{path}", server.address)),
                &granted("*"),
            )
            .await;
        assert_eq!(
            (told.class, told.message.as_str()),
            (FailureClass::Permanent, said),
            "{path}"
        );
        assert!(
            told.last_call
                .unwrap()
                .starts_with(&format!("GET http://{}/{path}: ", server.address))
        );
    }
}

#[tokio::test]
async fn a_run_that_waits_for_an_answer_ends_when_its_time_is_over() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    let digest = kit
        .admit(get(&format!("http://{}/slow", server.address)))
        .await
        .digest;
    let mut invocation = invocation(digest);
    invocation.wall = Span(100);
    let told = failure(kit.invoke(invocation, &granted("*")).await);
    assert_eq!(told.class, FailureClass::Limit("wall".into()));
}

#[tokio::test]
async fn nobody_there_is_told() {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let told = Kit::new(|_| ())
        .failure(get(&format!("http://{address}/")), &granted("*"))
        .await;
    assert!(told.message.to_lowercase().contains("refused"), "{told}");
    assert!(told.last_call.unwrap().contains("unreachable"));
}

#[tokio::test]
async fn headers_of_the_connection_are_not_the_guests() {
    let (kit, server) = (Kit::new(|_| ()), server::start().await);
    for (name, value, said) in [
        ("transfer-encoding", "chunked", "belongs to the connection"),
        ("Connection", "upgrade", "belongs to the connection"),
        ("x y", "1", "no valid name"),
        ("x", "1\r\ny: 2", "no valid value"),
    ] {
        let run = format!(
            "(call $header «{name}» «{value}») (call $call «http://{}/» (i32.const 3072) (i32.const 1))",
            server.address
        );
        let told = kit.failure(guest(&run), &granted("*")).await;
        assert!(told.message.contains(said), "{name}: {told}");
    }
    let run = format!(
        "(call $header «host» «evil.example») (call $call «http://{}/» (i32.const 3072) (i32.const 1))",
        server.address
    );
    kit.run(guest(&run), &granted("*")).await;
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].contains(&format!("host: {}\r\n", server.address)),
        "{requests:?}"
    );
}

/// Answers with a public address first, and with one of this machine from then on.
#[derive(Debug, Default)]
struct Rebinding {
    asked: AtomicUsize,
    first: Option<IpAddr>,
}

impl Resolver for Rebinding {
    fn resolve(&self, _: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let first = if self.asked.fetch_add(1, Ordering::SeqCst) == 0 {
            self.first
        } else {
            None
        };
        let address = first.unwrap_or_else(|| "127.0.0.1".parse().unwrap());
        async move { Ok(vec![address]) }.boxed()
    }
}

#[tokio::test]
async fn names_that_lead_to_this_machine_are_denied() {
    let server = server::start().await;
    let kit = Kit::new(|config| config.resolver = Arc::new(Rebinding::default()));
    let url = format!("http://harmless.example:{}/", server.address.port());
    let digest = kit.admit(get(&url)).await.digest;
    let told = failure(
        kit.invoke(invocation(digest), r#"{"http":[{"host":"*.example"}]}"#)
            .await,
    );
    let FailureClass::Denied(grant) = &told.class else {
        panic!("{told}")
    };
    assert!(told.message.contains("loopback"), "{told}");
    assert!(server.requests.lock().unwrap().is_empty());
    assert_eq!(
        outputs(&kit.invoke(invocation(digest), grant).await),
        json!({ "got": "" })
    );
    // The connection that the private grant made is of no use to a run without it.
    let told = failure(
        kit.invoke(invocation(digest), r#"{"http":[{"host":"*.example"}]}"#)
            .await,
    );
    assert_eq!(told.class.code(), "denied");
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_connection() {
    let server = server::start().await;
    let resolver = Arc::new(Rebinding {
        first: "127.0.0.1".parse().ok(),
        ..Rebinding::default()
    });
    let kit = Kit::new(|config| config.resolver = Arc::<Rebinding>::clone(&resolver));
    let url = format!("http://a.example:{}/", server.address.port());
    kit.run(get(&url), &granted("*")).await;
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
}

/// Knows `token`, and cannot open `sealed`.
#[derive(Debug)]
struct Two;

impl Secrets for Two {
    fn open(&self, name: &str) -> Result<Zeroizing<String>, NoSecret> {
        match name {
            "token" => Ok(Zeroizing::new("correct-horse".to_owned())),
            "sealed" => Err(NoSecret::Sealed("its key is missing".to_owned())),
            _ => Err(NoSecret::Unknown),
        }
    }
}

pub(crate) fn with_secrets() -> Kit {
    Kit::new(|config| config.secrets = Arc::new(Two))
}

pub(crate) fn secret_grants(hosts: &[String]) -> String {
    json!({ "http": [{ "host": "*", "private": true }], "secrets": [{ "name": "token", "hosts": hosts }] }).to_string()
}

#[tokio::test]
async fn secrets_reach_the_server_and_never_the_guest() {
    let (kit, server) = (with_secrets(), server::start().await);
    let run = format!("(call $with_secret «token» «http://{}/»)", server.address);
    let ran = kit
        .run(guest(&run), &secret_grants(&[server.address.to_string()]))
        .await;
    assert!(server.requests.lock().unwrap()[0].contains("authorization: correct-horse\r\n"));
    // The server echoed it, and the guest got its stand-in back.
    let got = outputs(&ran)["got"].as_str().unwrap().to_owned();
    assert!(got.starts_with("fsec_"), "{got}");
    assert_eq!(messages(&ran.log), [got]);
}

#[tokio::test]
async fn secrets_are_sent_to_granted_hosts_only() {
    let (kit, server) = (with_secrets(), server::start().await);
    let run = format!("(call $with_secret «token» «http://{}/»)", server.address);
    let digest = kit.admit(guest(&run)).await.digest;
    let told = failure(
        kit.invoke(
            invocation(digest),
            &secret_grants(&["other.example".into()]),
        )
        .await,
    );
    let FailureClass::Denied(grant) = &told.class else {
        panic!("{told}")
    };
    assert_eq!(
        *grant,
        json!({ "secrets": [{ "name": "token", "hosts": [server.address.to_string()] }] })
            .to_string()
    );
    let told = failure(
        kit.invoke(invocation(digest), r#"{"http":[{"host":"*"}]}"#)
            .await,
    );
    assert!(told.message.contains("`token` is not granted"), "{told}");
    assert!(server.requests.lock().unwrap().is_empty());
    let run = format!("(call $with_secret «nothing» «http://{}/»)", server.address);
    let grants = json!({ "secrets": [{ "name": "nothing", "hosts": ["*"] }] }).to_string();
    let told = kit.failure(guest(&run), &grants).await;
    assert_eq!(told.class, FailureClass::Permanent);
    assert_eq!(told.message, "nothing");
    assert!(told.remedy.unwrap().contains("fermata secret set nothing"));
    // What cannot be the name of a secret gets no grant proposed, however long it is.
    let run = format!(
        "(call $with_secret «{}» «http://{}/»)",
        "x".repeat(5_000),
        server.address
    );
    let told = kit.failure(guest(&run), "{}").await;
    assert_eq!(told.class, FailureClass::Permanent);
    assert!(told.message.contains("no name of a secret"), "{told}");
}

#[tokio::test]
async fn a_secret_that_does_not_open_is_the_engines_failure() {
    let kit = with_secrets();
    let grants = json!({ "secrets": [{ "name": "sealed", "hosts": ["*"] }] }).to_string();
    let run = "(call $with_secret «sealed» «http://127.0.0.1:1/»)";
    let told = kit.failure(guest(run), &grants).await;
    assert_eq!(told.class, FailureClass::Engine);
    assert_eq!(told.code.as_deref(), Some("secret-sealed"));
    assert!(told.message.contains("`sealed`") && told.message.contains("its key is missing"));
    // Granted and not asked for, it is in nobody's way.
    let ran = kit.run(guest(crate::source::SUCCEED), &grants).await;
    assert_eq!(outputs(&ran), json!({}));
}

#[tokio::test]
async fn urls_hold_neither_a_secret_nor_its_handle() {
    let (kit, server) = (with_secrets(), server::start().await);
    let grants = secret_grants(&["*".into()]);
    for url in [
        format!("http://{}/correct-horse", server.address),
        format!("http://{}/?q=Correct%2Dhorse", server.address),
        "http://correct-horse.example/".to_owned(),
        "Correct-Horse:x".to_owned(),
    ] {
        let told = kit.failure(get(&url), &grants).await;
        let all = format!("{told:?}").to_lowercase();
        assert!(all.contains("the url holds a secret"), "{url}: {told}");
        assert!(!all.contains("correct"), "{url}: {told:?}");
    }
    let run = "(call $handle «token» (i32.const 3000))
        (call $call (i32.load (i32.const 3004)) (i32.load (i32.const 3008)) (i32.const 0) (i32.const 0))";
    let told = kit.failure(guest(run), &grants).await;
    assert!(
        told.message.contains("header values and bodies only"),
        "{told}"
    );
    assert!(server.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn stand_ins_differ_from_run_to_run() {
    let (kit, server) = (with_secrets(), server::start().await);
    let run = format!("(call $with_secret «token» «http://{}/»)", server.address);
    let digest = kit.admit(guest(&run)).await.digest;
    let grants = secret_grants(&["127.0.0.1".into()]);
    let first = outputs(&kit.invoke(invocation(digest), &grants).await);
    assert_ne!(
        first,
        outputs(&kit.invoke(invocation(digest), &grants).await)
    );
}

#[tokio::test]
async fn a_secret_that_the_guest_came_by_otherwise_is_kept_out_of_what_people_read() {
    let (kit, server) = (with_secrets(), server::start().await);
    let run = format!(
        r#"(call $log (i32.const 1) «before it asks: correct-horse»)
        (call $report (i32.const 0) (i32.const 0) «half of correct-horse»)
        (drop (call $with_secret «token» «http://{}/»)) (call $log (i32.const 1) «it is correct-horse»)
        (call $record «link» «{{"a":"\u0063orrect-horse"}}» (i32.const 3000))
        (call $record «correct-horse» «{{}}» (i32.const 3000))
        (call $succeed «{{"correct-horse":["Y29ycmVjdC1ob3JzZQ=="]}}»)"#,
        server.address
    );
    let ran = kit.run(guest(&run), &secret_grants(&["*".into()])).await;
    assert_eq!(outputs(&ran), json!({ "[secret]": ["[secret]Q=="] }));
    assert_eq!(ran.log[0].message, "before it asks: [secret]");
    assert_eq!(ran.log[2].message, "it is [secret]");
    assert_eq!(kit.progress.lock().unwrap()[0].message, "half of [secret]");
    assert_eq!(ran.report.evidence.len(), 1);
    assert_eq!(
        ran.report.evidence[0].fact.value(),
        json!({ "a": "[secret]" })
    );
}

#[tokio::test]
async fn a_checkpoint_holds_no_secret_and_says_so() {
    let kit = with_secrets();
    let run = "(call $suspend «at correct-horse» (i32.const 0))";
    let ran = kit.run(guest(run), &secret_grants(&[])).await;
    let Outcome::Pending { checkpoint, .. } = &ran.report.outcome else {
        panic!("{ran:?}")
    };
    assert_eq!(checkpoint, b"at [secret]");
    assert!(ran.log[0].message.contains("checkpoint"), "{ran:?}");
}

#[tokio::test]
async fn failures_show_no_secret() {
    let kit = with_secrets();
    let long = format!("{}correct-horse", "x".repeat(8 * 1024 - 6));
    for run in [
        "(call $fail (i32.const 0) «it was correct-horse»)".to_owned(),
        "(call $log (i32.const 1) «panicked at correct-horse») unreachable".to_owned(),
        "(call $suspend «correct-horse» (i32.const 1))".to_owned(),
        "(call $succeed «{\"correct-horse\": nonsense}»)".to_owned(),
        format!("(call $fail (i32.const 0) «{long}»)"),
    ] {
        let told = kit.failure(guest(&run), &secret_grants(&[])).await;
        assert!(!format!("{told:?}").contains("correct"), "{told:?}");
    }
}
