//! Documents that mean harm: every one ends in defects, or in a process, and never in a panic.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::limits::{ACTIVITIES_MAX, DEFECTS_MAX, PHASES_MAX};

fn codes(document: &[u8]) -> Vec<&'static str> {
    let defects = validate(document, None).err().unwrap_or_default();
    defects.iter().map(|defect| defect.code).collect()
}

/// The texts for all numbers below `count`.
fn many(count: usize, text: fn(usize) -> String) -> String {
    let mut all = String::new();
    for n in 0..count {
        all.push_str(&text(n));
    }
    all
}

/// The process or its defects, as text.
fn shown(document: &[u8]) -> String {
    match validate(document, Some(&registry)) {
        Ok(process) => format!("{process:?}"),
        Err(defects) => defects.iter().map(Defect::to_string).collect(),
    }
}

#[test]
fn bytes_that_are_no_text_are_placed() {
    for (document, code, line, column) in [
        (b"process: x\nphases: \xff{}\n".as_slice(), "encoding", 2, 9),
        (b"\xc3", "encoding", 1, 1),
        (b"process: \xc3\xa9\xe2\x82".as_slice(), "encoding", 1, 11),
        (b"process: x\0\nphases: {}\n", "bad-character", 1, 11),
        (b"process: \x1b[31mx\n", "bad-character", 1, 10),
        ("process: \u{9b}".as_bytes(), "bad-character", 1, 10),
    ] {
        let defects = validate(document, None).expect_err("no text");
        assert_eq!(defects.len(), 1);
        let defect = &defects[0];
        assert_eq!(
            (defect.code, defect.line, defect.column),
            (code, line, column)
        );
        assert!(
            !defect.snippet.contains(['\0', '\u{1b}', '\u{9b}']),
            "{}",
            defect.snippet
        );
    }
}

#[test]
fn documents_are_bounded_in_every_direction() {
    for (what, document, code) in [
        (
            "length",
            format!("process: {}", "x".repeat(DOCUMENT_BYTES_MAX)),
            "too-large",
        ),
        ("values", format!("[{}]", "1,".repeat(500_000)), "too-large"),
        (
            "inputs",
            format!(
                "process: x\ninputs:\n{}phases: {{p: {{activities: {{a: {{uses: a@1}}}}}}}}\n",
                many(crate::limits::INPUTS_MAX + 1, |n| format!(" i{n}: {{}}\n"))
            ),
            "too-many",
        ),
        (
            "patterns",
            format!(
                "process: x\ninputs:\n{}phases: {{p: {{activities: {{a: {{uses: a@1}}}}}}}}\n",
                many(crate::limits::PATTERNS_MAX + 1, |n| format!(
                    " i{n}: {{pattern: 'a{n}'}}\n"
                ))
            ),
            "too-many",
        ),
        (
            "expressions",
            format!(
                "process: x\nphases: {{p: {{activities: {{a: {{uses: a@1, with: {{v: '{}'}}}}}}}}}}\n",
                many(70_000, |n| format!("${{{{{n}}}}}"))
            ),
            "more-defects",
        ),
        (
            "phases",
            format!(
                "process: x\nphases:\n{}",
                many(PHASES_MAX + 1, |n| format!(
                    " p{n}: {{activities: {{a: {{uses: a@1}}}}}}\n"
                ))
            ),
            "too-many",
        ),
        (
            "activities",
            format!(
                "process: x\nphases:\n p:\n  activities:\n{}",
                many(ACTIVITIES_MAX + 1, |n| format!("   a{n}: {{uses: a@1}}\n"))
            ),
            "too-many",
        ),
    ] {
        assert_eq!(codes(document.as_bytes()).last(), Some(&code), "{what}");
    }
}

#[test]
fn nesting_is_bounded_in_every_notation() {
    for (what, document, code) in [
        ("flow", format!("a: {}", "[".repeat(10_000)), "too-deep"),
        ("JSON", "{\"a\":".repeat(10_000), "too-deep"),
        (
            "block",
            many(1_000, |depth| format!("{}a:\n", " ".repeat(depth))),
            "too-deep",
        ),
        ("sequences", "- ".repeat(10_000), "too-deep"),
    ] {
        assert_eq!(codes(document.as_bytes()), [code], "{what}");
    }
}

#[test]
fn aliases_cannot_multiply_a_document() {
    let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    let mut texts = format!("a0: &a0 [{}]\n", "x".repeat(100_000));
    let mut deep = "a0: &a0 [x]\n".to_owned();
    for n in 1..100 {
        let before = format!("*a{}", n - 1);
        let ten = [before.as_str(); 10].join(",");
        writeln!(laughs, "a{n}: &a{n} [{ten}]").expect("written");
        writeln!(texts, "a{n}: &a{n} [{before},{before}]").expect("written");
        writeln!(deep, "a{n}: &a{n} [{before}]").expect("written");
    }
    for (document, code) in [
        (laughs, "too-large"),
        (texts, "too-large"),
        (deep, "too-deep"),
    ] {
        assert_eq!(codes(document.as_bytes()), [code]);
    }
}

#[test]
fn the_number_of_defects_is_bounded() {
    let keys = many(50_000, |n| format!("k{n}: v\n"));
    let codes = codes(keys.as_bytes());
    assert_eq!(codes.len(), DEFECTS_MAX + 1);
    assert_eq!(codes.last(), Some(&"more-defects"));
}

#[test]
fn messages_and_snippets_of_hostile_documents_are_short_and_printable() {
    let document = format!("\"\\e[31m{}\": [", "k".repeat(100_000));
    let long = format!("process: x\n\"\\e[31m{}\": 1\n", "k".repeat(900));
    for document in [document, long] {
        for defect in validate(document.as_bytes(), None).expect_err("defective") {
            let shown = defect.to_string();
            assert!(shown.len() < 2_000, "{}", shown.len());
            assert!(!shown.contains('\u{1b}'), "{shown}");
        }
    }
}

#[test]
fn expressions_are_bounded_in_every_direction() {
    let document = |expression: &str| {
        let text = serde_json::to_string(&format!("${{{{ {expression} }}}}")).expect("JSON");
        format!(
            "process: x\ninputs: {{ l: {{}}, s: {{}} }}\nphases: {{ p: {{ activities: {{ a: {{ uses: a@1, with: {{ v: {text} }} }} }} }} }}\n"
        )
    };
    for (expression, code) in [
        ("1".repeat(5_000), "too-long"),
        ("(".repeat(1_000) + "1" + &")".repeat(1_000), "too-deep"),
        ("[".repeat(1_000) + &"]".repeat(1_000), "too-deep"),
        ("size(".repeat(400) + &")".repeat(400), "too-deep"),
        ("1+".repeat(2_000) + "1", "too-deep"),
        ("1==".repeat(1_300) + "1", "too-deep"),
        ("1 in ".repeat(800) + "[1]", "too-deep"),
        ("-".repeat(4_000) + "1", "too-deep"),
        ("true?1:".repeat(500) + "1", "too-deep"),
        ("true||true?1:".repeat(300) + "1", "too-deep"),
        (format!("inputs.l{}", "[0]".repeat(1_000)), "too-deep"),
        (format!("inputs.s{}", ".trim()".repeat(500)), "too-deep"),
        (
            "inputs.l.map(x, inputs.l.map(y, inputs.l.map(z, 1)))".to_owned(),
            "too-deep",
        ),
        ("9".repeat(4_000), "bad-expression"),
        ("é".repeat(2_000), "bad-expression"),
        (",".repeat(4_000), "bad-expression"),
    ] {
        assert_eq!(
            codes(document(&expression).as_bytes()),
            [code],
            "{expression}"
        );
    }
    assert!(codes(document(&("true&&".repeat(500) + "true")).as_bytes()).is_empty());
}

#[test]
fn ten_thousand_activities_are_a_process() {
    let mut document = "process: big\ninputs: {version: {type: string}}\nphases:\n".to_owned();
    for phase in 0..100 {
        let needs = if phase > 0 {
            format!("needs: [p{}], ", phase - 1)
        } else {
            String::new()
        };
        write!(document, " p{phase}: {{{needs}activities: {{").expect("written");
        for n in 0..100 {
            let before = if n > 0 {
                format!("needs: [a{}], ", n - 1)
            } else {
                String::new()
            };
            let value = if n > 0 {
                format!("needs.a{}.outputs.x", n - 1)
            } else {
                "inputs.version".to_owned()
            };
            write!(
                document,
                "a{n}: {{{before}uses: a@1, with: {{v: '${{{{ {value} }}}}'}}}},\n  "
            )
            .expect("written");
        }
        document.push_str("}}\n");
    }
    let process = process(&document);
    assert_eq!(
        (process.phases.len(), process.activities.len()),
        (100, 10_000)
    );
}

/// Pieces from which documents are made that are nearly right.
const PIECES: [&str; 40] = [
    "process: x\n",
    "phases:\n",
    "  p:\n",
    "    activities:\n",
    "      a: { uses: a@1 }\n",
    "      b:\n",
    "        uses: a@1\n",
    "        with: { v: '${{ inputs.a }}' }\n",
    "        needs: [a]\n",
    "inputs:\n",
    "  a: { type: string }\n",
    "        manual: { instructions: x }\n",
    "        if: ",
    "needs.a.outputs.x",
    " == ",
    "'x'",
    "${{",
    "}}",
    "&a ",
    "*a",
    "!!str ",
    "? ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "|\n",
    ">\n",
    "\"",
    "\\",
    "#",
    "\t",
    "\r\n",
    "---\n",
    "...\n",
    "<<: ",
    "é\u{feff}",
    "1e999",
];

proptest! {
    // What was found once belongs into a table above.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!shown(&bytes).is_empty());
    }

    #[test]
    fn nearly_right_documents_never_panic(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40),
    ) {
        let document = pieces.concat();
        prop_assert!(!shown(document.as_bytes()).is_empty());
    }

    #[test]
    fn a_damaged_document_never_panics(at in 0..BANK.len(), with in any::<u8>(), length in 0..40_usize) {
        let mut document = BANK.as_bytes().to_vec();
        let end = (at + length).min(document.len());
        document.splice(at..end, [with]);
        if let Err(defects) = validate(&document, Some(&registry)) {
            prop_assert!(!defects.is_empty());
            for defect in defects {
                prop_assert!(defect.line >= 1 && defect.column >= 1);
            }
        }
    }

    #[test]
    fn arbitrary_expressions_never_panic(text in "[a-z0-9 .()\\[\\]{}+*/=<>&|!?:,'\"$\\\\é-]{0,60}") {
        let value = serde_json::to_string(&format!("a ${{{{ {text} }}}} b")).expect("JSON");
        let document = format!("process: x\ninputs: {{ a: {{}} }}\nphases: {{ p: {{ activities: {{ a: {{ uses: a@1, with: {{ v: {value} }} }} }} }} }}\n");
        if let Ok(process) = validate(document.as_bytes(), None) {
            let with = component(&process, "p/a").with;
            let scope = succeeded(&process, with.reads(), &json!({ "a": [1, "x", null] }));
            match with.render(&scope) {
                Ok(value) => prop_assert!(value["v"].is_string()),
                Err(sentence) => prop_assert!(!sentence.is_empty()),
            }
        }
    }
}
