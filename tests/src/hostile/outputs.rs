//! Attacks by what a guest returns: too much, broken, or made to be slow to look at.

use serde_json::{Value, json};

use crate::hostile::attack::{Attack, Step};
use crate::hostile::source::{Source, guest};

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = large();
    attacks.extend(malformed());
    attacks.extend(slow());
    attacks
}

/// A `run` that returns so many bytes of memory as its outputs.
fn returning(bytes: u32) -> Vec<u8> {
    guest(&format!(
        "(drop (memory.grow (i32.const 700)))
        (memory.fill (i32.const 65536) (i32.const 0x30) (i32.const {bytes}))
        (i32.store8 (i32.const 65536) (i32.const 0x31))
        (call $succeed (i32.const 65536) (i32.const {bytes}))"
    ))
}

fn large() -> Vec<Attack> {
    vec![
        Attack::new("huge-output", "returns 2 MiB, 15 MiB and 40 MiB", |_| {
            vec![
                Step::new(returning(2 << 20), "limit output").what("2 MiB"),
                Step::new(returning(15 << 20), "limit output").what("15 MiB"),
                Step::new(returning(40 << 20), "limit host-call").what("40 MiB"),
            ]
        })
        .copies(2),
        Attack::new("huge-checkpoint", "stores 1 MiB to be resumed with", |_| {
            let run = "(drop (memory.grow (i32.const 32))) (call $suspend (i32.const 65536) (i32.const 1048576) (i32.const 0))";
            vec![Step::new(guest(run), "limit checkpoint")]
        }),
        Attack::new("huge-failure", "fails with a message of 10 MiB", |_| {
            let run = "(drop (memory.grow (i32.const 200)))
                (memory.fill (i32.const 65536) (i32.const 0x78) (i32.const 10485760))
                (call $fail (i32.const 0) (i32.const 65536) (i32.const 10485760))";
            vec![Step::new(guest(run), "permanent")]
        })
        .copies(2),
        Attack::new("huge-names", "asks for a secret and a method with names of 10 MiB", |_| {
            let name = "(drop (memory.grow (i32.const 800)))
                (memory.fill (i32.const 65536) (i32.const 0x07) (i32.const 10485760))
                (global.set $next (i32.const 12000000))";
            let secret = format!(
                "{name} (call $handle (i32.const 65536) (i32.const 10485760) (i32.const 3000))
                (call $fail (i32.const 0) (i32.load (i32.const 3008)) (i32.load (i32.const 3012)))"
            );
            let method = format!(
                "{name} (call $send (i32.const 65536) (i32.const 10485760) «http://a.example/» (i32.const 0) (i32.const 0)
                  (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
                (call $fail (i32.const 0) (i32.load (i32.const 2064)) (i32.load (i32.const 2068)))"
            );
            vec![
                Step::new(guest(&secret), "permanent").what("a secret"),
                Step::new(guest(&method), "permanent").what("a method"),
            ]
        })
        .copies(2),
    ]
}

fn malformed() -> Vec<Attack> {
    vec![
        Attack::new("invalid-json", "returns what is not JSON", |_| {
            let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
            [
                "",
                "{",
                "{} {}",
                "nul",
                "'a'",
                "{\"a\":}",
                "[1e999999]",
                "\"\\ud800\"",
                "NaN",
                &deep,
            ]
            .into_iter()
            .map(|text| {
                let run = format!("(call $succeed «{text}»)");
                Step::new(guest(&run), "contract")
                    .what(format!("`{}`", &text[..text.len().min(20)]))
            })
            .collect()
        }),
        Attack::new(
            "invalid-utf-8",
            "returns and logs what is not UTF-8",
            |_| {
                let bytes = "(i32.store (i32.const 4000) (i32.const 0x80fffe22))";
                let returned = format!("{bytes} (call $succeed (i32.const 4000) (i32.const 4))");
                let logged = format!(
                    "{bytes} (call $log (i32.const 1) (i32.const 4000) (i32.const 4)) (call $succeed «{{}}»)"
                );
                vec![
                    Step::new(guest(&returned), "contract").what("returned"),
                    Step::new(guest(&logged), "contract").what("logged"),
                ]
            },
        ),
        Attack::new(
            "invalid-pointers",
            "points out of its memory, and to no case",
            |_| {
                let outside = "(call $succeed (i32.const -1) (i32.const 9))";
                let unaligned = "(drop (call $succeed «{}»)) (i32.const 1025)";
                let nowhere = "(i32.const -8)";
                let no_case = "(drop (call $succeed «{}»)) (i32.store8 (i32.const 1024) (i32.const 99)) (i32.const 1024)";
                let no_level = "(call $log (i32.const 77) «x») (call $succeed «{}»)";
                [outside, unaligned, nowhere, no_case, no_level]
                    .into_iter()
                    .map(|run| Step::new(guest(run), "contract").what(run))
                    .collect()
            },
        ),
    ]
}

/// A guest with this schema of outputs that returns `[0,0,…]` of so many bytes.
fn with_schema(outputs: &Value, bytes: u32) -> Vec<u8> {
    let descriptor = json!({ "name": "probe", "version": "1.2.3", "outputs": outputs }).to_string();
    let run = format!(
        "(local $at i32)
        (drop (memory.grow (i32.const 32))) (local.set $at (i32.const 65536))
        (loop $more (i32.store16 (local.get $at) (i32.const 0x302c)) (local.set $at (i32.add (local.get $at) (i32.const 2)))
          (br_if $more (i32.lt_u (local.get $at) (i32.const {end}))))
        (i32.store8 (i32.const 65536) (i32.const 0x5b)) (i32.store8 (i32.const {end}) (i32.const 0x5d))
        (call $succeed (i32.const 65536) (i32.const {length}))",
        end = 65_536 + bytes,
        length = bytes + 1,
    );
    let source = Source {
        descriptor: &descriptor,
        run: &run,
        ..Source::default()
    };
    source.module()
}

fn slow() -> Vec<Attack> {
    vec![
        Attack::new(
            "schema-bomb",
            "promises outputs that take 2^60 steps to check",
            |_| {
                let nested = json!({ "$defs": { "a": { "allOf": [
                { "items": { "$ref": "#/$defs/a" } }, { "items": { "$ref": "#/$defs/a" } }] } }, "$ref": "#/$defs/a" });
                let mut parts = serde_json::Map::new();
                for number in 0..60 {
                    let next = json!({ "$ref": format!("#/$defs/p{}", number + 1) });
                    parts.insert(
                        format!("p{number}"),
                        json!({ "allOf": [next.clone(), next] }),
                    );
                }
                parts.insert("p60".into(), json!(true));
                let flat = json!({ "$ref": "#/$defs/p0", "$defs": parts });
                vec![
                    Step::new(with_schema(&nested, 10), "bad-descriptor").what("by nesting"),
                    Step::new(with_schema(&flat, 10), "bad-descriptor").what("by reference"),
                ]
            },
        ),
        Attack::new(
            "schema-grinder",
            "returns 500,000 items that are each to be checked 1,000 times",
            |_| {
                let item = json!({ "allOf": vec![json!({ "minimum": 0 }); 1_000] });
                vec![Step::new(
                    with_schema(&json!({ "items": item }), 1_000_000),
                    "contract",
                )]
            },
        ),
        Attack::new(
            "pattern-bomb",
            "promises 1 MiB of text that fits a slow pattern",
            |_| {
                let descriptor = json!({ "name": "probe", "version": "1.2.3",
                "outputs": { "pattern": "^(a|b|ab|ba)*a(a|b){200}c$" } })
                .to_string();
                let run = "(drop (memory.grow (i32.const 32)))
                (memory.fill (i32.const 65536) (i32.const 0x61) (i32.const 1000000))
                (i32.store8 (i32.const 65536) (i32.const 0x22)) (i32.store8 (i32.const 1065535) (i32.const 0x22))
                (call $succeed (i32.const 65536) (i32.const 1000000))";
                let source = Source {
                    descriptor: &descriptor,
                    run,
                    ..Source::default()
                };
                vec![Step::new(source.module(), "contract")]
            },
        ),
        Attack::new("many-values", "returns 500,000 values", |_| {
            vec![Step::new(with_schema(&json!({}), 1_000_000), "succeeded")]
        })
        .copies(2),
    ]
}
