//! Attacks by and with HTTP: servers that never finish, answers that never end, requests that should not be sent.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::hostile::attack::{Attack, HOST_MIB, Step};
use crate::hostile::source::guest;

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = answers();
    attacks.extend(requests());
    attacks
}

/// Everything on this machine.
fn granted() -> Value {
    json!({ "http": [{ "host": "*", "private": true }] })
}

/// A guest that asks for a path of the hostile server, and fails with what it is told.
fn get(server: SocketAddr, path: &str, expected: &'static str) -> Step {
    let run = format!("(call $call «http://{server}{path}» (i32.const 0) (i32.const 0))");
    Step::new(guest(&run), expected)
        .what(path)
        .grants(granted())
}

fn answers() -> Vec<Attack> {
    vec![
        Attack::new(
            "slow-answers",
            "a server that never answers, or byte by byte",
            |server| {
                vec![
                    get(server, "/slow-head", "permanent"),
                    get(server, "/slow-body", "permanent"),
                ]
            },
        )
        .copies(8),
        Attack::new(
            "endless-answers",
            "bodies, chunks and interim answers without end",
            |server| {
                vec![
                    get(server, "/endless", "permanent"),
                    get(server, "/chunks", "permanent"),
                    get(server, "/interim", "permanent"),
                ]
            },
        )
        .copies(4),
        Attack::new(
            "header-bombs",
            "50,000 headers, or one of 200 kB",
            |server| {
                vec![
                    get(server, "/many-headers", "permanent"),
                    get(server, "/long-header", "permanent"),
                ]
            },
        )
        .copies(4),
        Attack::new(
            "broken-answers",
            "what is not HTTP, or contradicts itself",
            |server| {
                [
                    "/garbage",
                    "/short",
                    "/two-lengths",
                    "/huge-length",
                    "/bad-chunk",
                ]
                .map(|path| get(server, path, "permanent"))
                .into()
            },
        ),
    ]
}

fn requests() -> Vec<Attack> {
    vec![
        Attack::new("call-flood", "calls until somebody stops it", |server| {
            let run = format!(
                "(loop $again (drop (call $call «http://{server}/close» (i32.const 0) (i32.const 0))) (br $again)) unreachable"
            );
            vec![Step::new(guest(&run), "limit http-calls").grants(granted())]
        })
        .copies(2),
        Attack::new("connection-flood", "48 guests open 2,400 connections", |server| {
            let run = format!(
                "(local $n i32)
                (loop $again (drop (call $call «http://{server}/close» (i32.const 0) (i32.const 0)))
                  (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $again (i32.lt_u (local.get $n) (i32.const 50))))
                (call $succeed «{{}}»)"
            );
            vec![Step::new(guest(&run), "succeeded").grants(granted())]
        })
        .copies(48)
        .memory_mib(HOST_MIB + 256),
        Attack::new("request-bombs", "sends headers and bodies of megabytes", |server| {
            let send = |headers: &str, body: &str| {
                let run = format!(
                    "(drop (memory.grow (i32.const 700)))
                    (memory.fill (i32.const 65536) (i32.const 0x78) (i32.const 12582912))
                    (global.set $next (i32.const 13000000)) {headers}
                    (call $send «POST» «http://{server}/» {body} (i32.const 0) (i32.const 0) (i32.const 2048))
                    (if (i32.eqz (i32.load8_u (i32.const 2048))) (then unreachable))
                    (call $fail (i32.const 0) (i32.load (i32.const 2064)) (i32.load (i32.const 2068)))"
                );
                Step::new(guest(&run), "permanent").grants(granted())
            };
            let long = "(call $header «x» (i32.const 65536) (i32.const 12582912))";
            vec![
                send(long, "(i32.const 3072) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)").what("a header"),
                send("", "(i32.const 0) (i32.const 0) (i32.const 1) (i32.const 65536) (i32.const 12582912)").what("a body"),
            ]
        }),
        Attack::new("request-smuggling", "slips a second request into headers, method and path", |server| {
            let header = |name: &str, value: &str| {
                let run = format!(
                    "(call $header «{name}» «{value}»)
                    (call $call «http://{server}/» (i32.const 3072) (i32.const 1))"
                );
                Step::new(guest(&run), "permanent").what(name.escape_debug().to_string()).grants(granted())
            };
            let method = format!(
                "(call $send «GET /treasure HTTP/1.1» «http://{server}/» (i32.const 0) (i32.const 0)
                  (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
                (call $fail (i32.const 0) (i32.load (i32.const 2064)) (i32.load (i32.const 2068)))"
            );
            vec![
                header("x", "a\r\n\r\nGET /treasure HTTP/1.1\r\nx: y"),
                header("x: y\r\nz", "a"),
                header("transfer-encoding", "chunked"),
                header("connection", "upgrade"),
                header("te", "trailers"),
                Step::new(guest(&method), "permanent").what("method").grants(granted()),
                get(server, "/a%0d%0aGET /treasure HTTP/1.1\r\nx: y", "succeeded"),
            ]
        }),
    ]
}

/// A guest that asks for a host without a grant, so many times, and succeeds.
pub(crate) fn calling(times: u32) -> Vec<u8> {
    guest(&format!(
        "(local $n i32) (local $next i32)
        (local.set $next (global.get $next))
        (loop $again
          (global.set $next (local.get $next))
          (drop (call $call «https://api.example.com/v1/things?page=1» (i32.const 0) (i32.const 0)))
          (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $again (i32.lt_u (local.get $n) (i32.const {times}))))
        (call $succeed «{{}}»)"
    ))
}
