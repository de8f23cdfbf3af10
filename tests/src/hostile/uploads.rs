//! Attacks by the upload: what cannot be read, and what `describe` does.

use serde_json::json;

use crate::hostile::attack::{Attack, HOST_MIB, Step};
use crate::hostile::source::{Source, guest};
use crate::hostile::wasi;

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = unreadable();
    attacks.extend(describing());
    attacks
}

fn unreadable() -> Vec<Attack> {
    vec![
        Attack::new("broken-uploads", "bytes that are no component", |_| {
            let wasm = Source::default().module();
            let zeros = vec![0; (64 << 20) + 1];
            let cases: [(&str, Vec<u8>, &'static str); 7] = [
                ("nothing", Vec::new(), "not-wasm"),
                ("a program", b"\x7fELF and so on".to_vec(), "not-wasm"),
                ("a head", b"\0asm".to_vec(), "invalid"),
                ("a half", wasm[..wasm.len() / 2].to_vec(), "invalid"),
                (
                    "a tail of noise",
                    [wasm.clone(), vec![0xff; 4_096]].concat(),
                    "invalid",
                ),
                (
                    "another version",
                    [b"\0asm\x07\0\0\0".to_vec(), vec![0; 100]].concat(),
                    "invalid",
                ),
                ("64 MiB and a byte", zeros, "too-large"),
            ];
            cases
                .into_iter()
                .map(|(what, upload, expected)| Step::new(upload, expected).what(what))
                .collect()
        })
        .memory_mib(HOST_MIB + 192),
        Attack::new(
            "flipped-bits",
            "a good module with one wrong byte, at 40 places",
            |_| {
                // A section that says to be longer than the module, or after a whole one, what begins no section.
                let wasm = Source::default().module();
                (0..40)
                    .map(|number| {
                        let mut upload = wasm.clone();
                        upload.truncate(9 + number * (wasm.len() - 10) / 40);
                        upload.push(0xff);
                        Step::new(upload, "invalid").what(format!("cut at {number}/40"))
                    })
                    .collect()
            },
        ),
        Attack::new(
            "foreign-imports",
            "asks for what no guest has: configuration, HTTP of its own, other modules",
            |_| {
                [
                    "wasi:sockets/tcp@0.3.0",
                    "wasi:config/store@0.2.0",
                    "wasi:http/incoming-handler@0.2.0",
                    "env",
                    "fermata:activity/run@0.1.0",
                ]
                .map(|name| {
                    let wat = format!(r#"(module (import "{name}" "f" (func)))"#);
                    Step::new(
                        wat::parse_str(wat).expect("our own WAT is valid"),
                        "foreign-import",
                    )
                    .what(name)
                })
                .into()
            },
        ),
    ]
}

fn describing() -> Vec<Attack> {
    vec![
        Attack::new(
            "describe-traps",
            "crashes, spins, recurses or takes memory in `describe`",
            |_| {
                let started = |more: &str| {
                    let source = Source {
                        more,
                        ..Source::default()
                    };
                    Step::new(source.module(), "describe-failed").what(more)
                };
                vec![
                    started("(func $s unreachable) (start $s)"),
                    started("(func $s (drop (i32.div_u (i32.const 1) (i32.const 0)))) (start $s)"),
                    started("(func $s (loop $again (br $again))) (start $s)"),
                    started("(func $s (call $s)) (start $s)"),
                    started(
                        "(func $s (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable) (start $s)",
                    ),
                ]
            },
        ),
        Attack::new(
            "describe-lies",
            "returns something else than a descriptor",
            |_| {
                let long =
                    json!({ "name": "probe", "version": "1.2.3", "summary": "x".repeat(100_000) })
                        .to_string();
                let deep = format!(
                    r#"{{"name":"probe","version":"1.2.3","inputs":{}{}}}"#,
                    "[".repeat(500),
                    "]".repeat(500)
                );
                let foreign =
                    r#"{"name":"probe","version":"1.2.3","inputs":{"$ref":"file:///etc/passwd"}}"#;
                [
                    "",
                    "[]",
                    "{",
                    r#"{"name":"../../etc","version":"1.2.3"}"#,
                    r#"{"name":"probe","version":"latest"}"#,
                    foreign,
                    &long,
                    &deep,
                ]
                .map(|descriptor| {
                    let source = Source {
                        descriptor,
                        ..Source::default()
                    };
                    Step::new(source.module(), "bad-descriptor")
                        .what(&descriptor[..descriptor.len().min(40)])
                })
                .into()
            },
        ),
        Attack::new(
            "describe-calls-out",
            "uses `describe` to call somebody and to ask for secrets",
            |server| {
                let describe = format!(
                    "(drop (call $call «http://{server}/treasure» (i32.const 0) (i32.const 0)))
                  (call $handle «token» (i32.const 3000))
                  (if (i32.eqz (i32.load8_u (i32.const 3000))) (then unreachable))"
                );
                let source = Source {
                    describe: &describe,
                    ..Source::default()
                };
                vec![Step::new(source.module(), "succeeded")]
            },
        ),
        Attack::new(
            "sleeping-guest",
            "waits in `run` until somebody ends it",
            |_| {
                let run = "(call $block (call $after (i64.const -1))) (call $succeed «{}»)";
                vec![Step::new(wasi::component(run), "limit wall").wall_ms(300)]
            },
        ),
        Attack::new(
            "a-good-guest",
            "does what it should: the attack that is none",
            |_| vec![Step::new(guest("(call $succeed «{}»)"), "succeeded")],
        ),
    ]
}
