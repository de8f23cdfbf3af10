//! Attacks through `wasi:http`: the same walls by another door, and what the host keeps behind it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::hostile::attack::{Attack, HOST_MIB, Step};
use crate::hostile::evil::TREASURE;
use crate::hostile::stage::SECRET_NAME;
use crate::hostile::wasi_http_source::{component, get};

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = reaching();
    attacks.extend(answers());
    attacks.extend(keeping());
    attacks
}

fn public() -> Value {
    json!({ "http": [{ "host": "*" }] })
}

fn private() -> Value {
    json!({ "http": [{ "host": "*", "private": true }] })
}

fn call(authority: &str, path: &str, grants: Value, expected: &'static str) -> Step {
    Step::new(get(authority, path), expected)
        .what(format!("{authority}{path}"))
        .grants(grants)
}

/// A step that does this again and again.
fn again(what: &str, grants: Value, expected: &'static str) -> Step {
    let run = format!(
        "(memory.fill (i32.const 65536) (i32.const 0x78) (i32.const 60000))
        (loop $again {what} (br $again)) unreachable"
    );
    Step::new(component("", &run), expected)
        .what(what)
        .grants(grants)
}

fn reaching() -> Vec<Attack> {
    vec![
        Attack::new(
            "wasi-http-ssrf",
            "spells an address of this machine as an authority",
            |server| {
                let port = server.port();
                let denied = [
                    "127.0.0.1",
                    "2130706433",
                    "0x7f.1",
                    "0177.0.0.1",
                    "[::1]",
                    "[::ffff:127.0.0.1]",
                    "localhost",
                    "inside.example",
                    "both.example",
                ];
                let mut steps: Vec<_> = denied
                    .iter()
                    .map(|host| call(&format!("{host}:{port}"), TREASURE, public(), "denied"))
                    .collect();
                let user = format!("public.example@127.0.0.1:{port}");
                steps.push(call(&user, TREASURE, public(), "permanent"));
                steps.push(call("169.254.169.254", "/", private(), "denied"));
                steps.push(call("metadata.example", "/", private(), "denied"));
                let rebound = format!("rebind.example:{port}");
                let twice = format!(
                    "(drop (call $go «{rebound}» «/close»)) (call $go «{rebound}» «/close»)"
                );
                steps.push(Step::new(component("", &twice), "denied").grants(private()));
                steps
            },
        ),
        Attack::new(
            "wasi-http-redirect",
            "a granted host that points to one that is not",
            |server| {
                let grants = json!({ "http": [{ "host": server.to_string(), "private": true }] });
                vec![call(&server.to_string(), "/redirect", grants, "succeeded")]
            },
        ),
        Attack::new(
            "wasi-http-smuggling",
            "slips a second request into headers, method and authority",
            |server| {
                let set = |what: &str, set: &str| {
                    let run = format!(
                        "(local $fields i32) (local $request i32)
                        (local.set $fields (call $fields))
                        (local.set $request (call $new_request (call $fields)))
                        {set}
                        (call $go «{server}» «/»)"
                    );
                    Step::new(component("", &run), "succeeded")
                        .what(what)
                        .grants(private())
                };
                let header = |name: &str, value: &str| {
                    set(
                        name,
                        &format!(
                            "(call $append (local.get $fields) «{name}» «{value}» (i32.const 4400))
                        (if (i32.eqz (i32.load8_u (i32.const 4400))) (then unreachable))"
                        ),
                    )
                };
                let refused = |what: &str, call: &str| {
                    set(what, &format!("(if (i32.eqz {call}) (then unreachable))"))
                };
                vec![
                    header("x", "a\r\n\r\nGET /treasure HTTP/1.1\r\nx: y"),
                    header("x: y\r\nz", "a"),
                    header("host", "other.example"),
                    header("transfer-encoding", "chunked"),
                    header("connection", "upgrade"),
                    refused(
                        "method",
                        "(call $set_method (local.get $request) (i32.const 9) «GET /treasure HTTP/1.1»)",
                    ),
                    refused(
                        "authority",
                        "(call $set_authority (local.get $request) (i32.const 1) «a.example/treasure»)",
                    ),
                    refused(
                        "path",
                        "(call $set_path (local.get $request) (i32.const 1) «http://127.0.0.1/treasure»)",
                    ),
                ]
            },
        ),
    ]
}

fn answers() -> Vec<Attack> {
    let each = |server: SocketAddr, paths: &[&str]| -> Vec<Step> {
        paths
            .iter()
            .map(|path| call(&server.to_string(), path, private(), "permanent"))
            .collect()
    };
    vec![
        Attack::new(
            "wasi-http-endless-answers",
            "bodies and interim answers without end, and bodies byte by byte",
            move |server| {
                each(
                    server,
                    &[
                        "/endless",
                        "/chunks",
                        "/interim",
                        "/slow-body",
                        "/slow-head",
                    ],
                )
            },
        )
        .copies(4),
        Attack::new(
            "wasi-http-header-bombs",
            "50,000 headers, or one of 200 kB",
            move |server| each(server, &["/many-headers", "/long-header"]),
        )
        .copies(4),
        Attack::new(
            "wasi-http-secret-echo",
            "has a server echo the secret in every part of an answer",
            |server| {
                let run = format!(
                    "(local $fields i32)
                    (call $handle «{SECRET_NAME}» (i32.const 3000))
                    (if (i32.load8_u (i32.const 3000)) (then unreachable))
                    (local.set $fields (call $fields))
                    (call $append (local.get $fields) «authorization»
                      (i32.load (i32.const 3004)) (i32.load (i32.const 3008)) (i32.const 4400))
                    (call $told (call $answer (call $sent (call $request (local.get $fields) «{server}» «/echo»))))"
                );
                let granted = |host: &str| {
                    json!({
                        "http": [{ "host": "*", "private": true }],
                        "secrets": [{ "name": SECRET_NAME, "hosts": [host] }],
                    })
                };
                vec![
                    Step::new(component("", &run), "succeeded")
                        .grants(granted(&server.to_string())),
                    Step::new(component("", &run), "denied")
                        .what("elsewhere")
                        .grants(granted("other.example")),
                ]
            },
        ),
    ]
}

fn keeping() -> Vec<Attack> {
    vec![
        Attack::new(
            "wasi-http-call-flood",
            "thousands of requests that nobody waits for",
            |server| {
                let send = format!("(drop (call $sent (call $request (call $fields) «{server}» «/slow-head»)))");
                vec![again(&send, private(), "limit http-calls")]
            },
        )
        .copies(8),
        Attack::new(
            "wasi-http-resource-bomb",
            "thousands of headers, requests and bodies, each as large as it may be",
            |_| {
                let fields = "(drop (call $fields))";
                let full = "(call $append (call $fields) «x» (i32.const 65536) (i32.const 60000) (i32.const 4400))";
                let body = "(call $write (call $open (call $request (call $fields) «a.example» «/»))
                    (i32.const 65536) (i32.const 4096) (i32.const 4400))";
                let long = "(drop (call $set_method (call $new_request (call $fields)) (i32.const 9) (i32.const 65536) (i32.const 60000)))";
                [fields, full, body, long]
                    .map(|what| again(what, json!({}), "limit http-resources"))
                    .into()
            },
        )
        .copies(4),
        Attack::new(
            "wasi-http-header-flood",
            "headers without end in one set",
            |_| {
                let run = "(local $fields i32)
                    (local.set $fields (call $fields))
                    (loop $again (call $append (local.get $fields) «x» «y» (i32.const 4400)) (br $again)) unreachable";
                vec![Step::new(component("", run), "limit http-headers")]
            },
        )
        .copies(4),
        Attack::new(
            "wasi-http-body-flood",
            "a body without end, and bodies that are never finished",
            |server| {
                let post = |written: &str| {
                    let run = format!(
                        "(local $request i32) (local $future i32) (local $stream i32)
                        (local.set $request (call $request (call $fields) «{server}» «/»))
                        (local.set $stream (call $open (local.get $request)))
                        (local.set $future (call $sent (local.get $request)))
                        {written}
                        (call $told (call $answer (local.get $future)))"
                    );
                    Step::new(component("", &run), "permanent").grants(private())
                };
                vec![
                    post(
                        "(loop $again
                          (call $write (local.get $stream) (i32.const 65536) (i32.const 4096) (i32.const 4400))
                          (br_if $again (i32.eqz (i32.load8_u (i32.const 4400)))))
                        (call $close (local.get $stream))",
                    )
                    .what("without end"),
                    post("").what("never finished"),
                ]
            },
        )
        .copies(4),
        Attack::new(
            "wasi-http-hoard",
            "answers of megabytes that nobody reads",
            |server| {
                let answer = format!("(call $answer (call $sent (call $request (call $fields) «{server}» «/megabytes»)))");
                let run = format!(
                    "(drop {answer}) (drop {answer}) (drop {answer}) (call $told {answer})"
                );
                vec![Step::new(component("", &run), "permanent").grants(private())]
            },
        )
        .copies(4)
        .memory_mib(HOST_MIB + 256),
    ]
}
