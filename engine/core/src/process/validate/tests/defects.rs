//! Every defect with its place, which a `§` marks in the documents below.

use super::*;

mod manual;

/// Checks that `document`, without its marks, has exactly the defects `codes`, at the marks.
pub(super) fn expect(document: &str, codes: &[&str]) {
    expect_with(document, codes, None);
}

fn expect_with(document: &str, codes: &[&str], resolve: Option<&Registry<'_>>) {
    let (mut line, mut column, mut marks) = (1, 1, Vec::new());
    for c in document.chars() {
        match c {
            '§' => marks.push((line, column)),
            '\n' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
    }
    let plain = document.replace('§', "");
    let defects = validate(plain.as_bytes(), resolve)
        .err()
        .unwrap_or_default();
    let shown: Vec<String> = defects.iter().map(Defect::to_string).collect();
    let found: Vec<_> = defects
        .iter()
        .map(|d| (d.code, (d.line, d.column)))
        .collect();
    let expected: Vec<_> = codes.iter().copied().zip(marks).collect();
    assert_eq!(found, expected, "{document}\n{}", shown.join("\n"));
}

/// A document around the fields of one activity.
pub(super) fn activity(fields: &str) -> String {
    format!(
        "process: x
inputs: {{ version: {{ type: string }} }}
phases:
  first: {{ activities: {{ one: {{ uses: a@1 }} }} }}
  second: {{ needs: [first], activities: {{ up: {{ uses: a@1 }},
    a: {{ {fields} }} }} }}
"
    )
}

fn hints(document: &str) -> Vec<String> {
    let defects = validate(document.as_bytes(), None)
        .err()
        .unwrap_or_default();
    defects
        .into_iter()
        .map(|defect| defect.hint.unwrap_or_default())
        .collect()
}

#[test]
fn the_form_of_a_document_is_checked() {
    for (document, code) in [
        ("§", "empty"),
        ("§# nothing\n", "empty"),
        ("§[]", "wrong-type"),
        ("process: x\nphases: {a: §{", "syntax"),
        ("process: x\nphases:\n\t§a: 1", "syntax"),
        ("process: x\n§---\nprocess: y", "many-documents"),
        ("process: &a [§*a]", "alias-loop"),
        ("process: §'x", "syntax"),
        ("§%YAML 1.2\n---\nprocess: x", "syntax"),
    ] {
        expect(document, &[code]);
    }
}

#[test]
fn the_keys_of_a_process_are_checked() {
    let long = format!("process: x\ntitle: §{}", "y".repeat(9_000));
    for (head, code) in [
        ("process: x\n§titel: y", "unknown-key"),
        ("process: x\n§process: y", "duplicate-key"),
        ("process: §X y", "bad-value"),
        ("process: §5", "wrong-type"),
        ("§process:", "missing-value"),
        ("§title: y", "missing-key"),
        ("process: x\ntitle: §'${{ inputs.a }}'", "not-supported"),
        (&long, "too-long"),
        ("process: x\non-failure: §stop", "bad-value"),
        ("process: x\nlocks: [§'']", "bad-name"),
        (
            "process: x\nlocks: ['${{ phases.§p.outputs }}']",
            "not-upstream",
        ),
        ("process: x\nconcurrency: §0", "bad-value"),
        ("process: x\nconcurrency: §many", "wrong-type"),
        ("process: x\noutputs: §[a]", "wrong-type"),
        ("process: x\n§<<: { title: y }", "bad-key"),
        ("process: x\n? §[a]\n: b", "bad-key"),
        ("process: x\ntitle: §*nowhere", "unknown-anchor"),
        ("process: x\ntitle: !mine §y", "bad-tag"),
        (
            "process: x\noutputs: { a: §99999999999999999999 }",
            "bad-number",
        ),
        ("process: x\noutputs: { §'${{ a }}': 1 }", "not-supported"),
        (
            "process: x\noutputs: { a: '${{ §needs.p.outputs }}' }",
            "unknown-name",
        ),
    ] {
        let rest = "phases: { p: { activities: { a: { uses: a@1 } } } }";
        expect(&format!("{head}\n{rest}"), &[code]);
    }
    for (document, code) in [
        ("process: x\n§phases:", "missing-value"),
        ("process: x\nphases: §{}", "empty"),
        ("process: x\nphases: { p: { activities: §{} } }", "empty"),
        ("process: x\nphases: { §p: { title: P } }", "missing-key"),
        ("process: x\nphases: { p: §1 }", "wrong-type"),
        (
            "process: x\nphases: { p: { activities: { a: §null } } }",
            "wrong-type",
        ),
    ] {
        expect(document, &[code]);
    }
}

#[test]
fn the_inputs_of_a_process_are_checked() {
    for (inputs, code) in [
        ("{ a: §string }", "wrong-type"),
        ("{ a: { §typ: string } }", "unknown-key"),
        ("{ a: §{ type: strin } }", "bad-schema"),
        ("{ a: { type: string, §required: true } }", "bad-schema"),
        ("{ a: { type: integer, default: §many } }", "bad-default"),
        ("{ a: { §$ref: 'https://example.com' } }", "not-supported"),
        ("{ a: { enum: [§'${{ inputs.b }}'] } }", "not-supported"),
        ("{ a: §{ pattern: '(' } }", "bad-schema"),
        ("{ §'a b': { type: string } }", "bad-name"),
        ("§[a]", "wrong-type"),
    ] {
        expect(
            &format!(
                "process: x\ninputs: {inputs}\nphases: {{ p: {{ activities: {{ a: {{ uses: a@1 }} }} }} }}"
            ),
            &[code],
        );
    }
}

#[test]
fn waits_children_and_locks_are_checked() {
    for (fields, code) in [
        ("process: §other", "wrong-type"),
        ("process: §{ version: 1 }", "missing-key"),
        ("process: { name: §Other }", "bad-value"),
        ("process: { name: other, version: §0 }", "bad-value"),
        ("process: { name: other, inputs: §[1] }", "wrong-type"),
        ("process: { name: other, §with: { a: 1 } }", "unknown-key"),
        ("process: { name: other }, §with: { a: 1 }", "misplaced-key"),
        ("uses: a@1, §process: { name: other }", "two-kinds"),
        ("uses: a@1, locks: [§'a b']", "bad-name"),
        ("uses: a@1, locks: [§'']", "bad-name"),
        ("uses: a@1, locks: [§process/other]", "bad-name"),
        ("uses: a@1, locks: [§7]", "wrong-type"),
        ("uses: a@1, locks: ['${{ §where }}']", "unknown-name"),
    ] {
        expect(&activity(fields), &[code]);
    }
    for (wait, code) in [
        ("§{ }", "missing-key"),
        ("§[1]", "wrong-type"),
        ("{ for: 30m, §duration: 1h }", "unknown-key"),
        ("{ for: §0s }", "bad-value"),
        ("{ for: §soon }", "bad-value"),
        ("{ for: 30m, §until: '2026-03-01T18:00:00Z' }", "two-kinds"),
        ("{ for: 30m, §timeout: 1h }", "misplaced-key"),
        ("{ until: §tomorrow }", "bad-value"),
        ("{ until: §7 }", "wrong-type"),
        ("{ until: '${{ §where }}' }", "unknown-name"),
        ("{ signal: §Go }", "bad-value"),
        ("{ signal: go, schema: { type: §string } }", "bad-schema"),
        ("{ signal: go, schema: §yes }", "wrong-type"),
        ("{ signal: go, §reaches: ended }", "misplaced-key"),
        ("§{ release: x }", "missing-key"),
        ("{ release: x, reaches: §The end }", "bad-value"),
        (
            "{ release: '${{ §where }}', reaches: ended }",
            "unknown-name",
        ),
    ] {
        expect(&activity(&format!("wait: {wait}")), &[code]);
    }
    expect(
        &activity("wait: { for: 30m }, §timeout: 1h"),
        &["misplaced-key"],
    );
}

#[test]
fn the_fields_of_an_activity_are_checked() {
    for (fields, code) in [
        ("uses: a@1, §manual: { instructions: x }", "two-kinds"),
        ("uses: §a", "bad-value"),
        ("uses: §'${{ inputs.version }}'", "not-supported"),
        ("uses: a@1, with: §[b]", "wrong-type"),
        ("uses: a@1, timeout: §5", "wrong-type"),
        ("uses: a@1, timeout: §5 minutes", "bad-value"),
        ("uses: a@1, timeout: §0s", "bad-value"),
        ("uses: a@1, retry: { attempts: §0 }", "bad-value"),
        ("uses: a@1, retry: { attempts: §101 }", "bad-value"),
        ("uses: a@1, retry: { attempts: §two }", "wrong-type"),
        ("uses: a@1, retry: §{ backoff: 5s }", "missing-key"),
        (
            "uses: a@1, retry: { attempts: 2, factor: §0.5 }",
            "bad-value",
        ),
        (
            "uses: a@1, retry: { attempts: 2, jitter: §maybe }",
            "wrong-type",
        ),
        (
            "uses: a@1, retry: { attempts: 2, §delay: 5s }",
            "unknown-key",
        ),
        ("uses: a@1, owners: [§platform]", "bad-value"),
        ("uses: a@1, title: §1.10", "wrong-type"),
        ("uses: a@1, needs: [up, §up]", "duplicate-need"),
        ("uses: a@1, needs: [up, §second/up]", "duplicate-need"),
        ("uses: a@1, needs: [§a]", "self-need"),
        ("uses: a@1, needs: [§uq]", "unknown-need"),
        ("uses: a@1, needs: [§first/two]", "unknown-need"),
        ("uses: a@1, needs: [§first]", "unknown-need"),
        ("script: §''", "missing-value"),
        ("script: §7", "wrong-type"),
        (
            "script: §'return ${{ inputs.version }}'",
            "expression-in-script",
        ),
        ("§script: 'return 1', uses: a@1", "two-kinds"),
        (
            "§manual: { instructions: Go. }, script: 'return 1'",
            "two-kinds",
        ),
        ("script: 'return 1', undo: { script: §'' }", "missing-value"),
        (
            "script: 'return 1', undo: { script: 'return 1', §uses: a@1 }",
            "two-kinds",
        ),
    ] {
        expect(&activity(fields), &[code]);
    }
    expect(
        &activity("title: nothing").replace("    a:", "    §a:"),
        &["missing-key"],
    );
}

#[test]
fn the_expressions_of_an_activity_are_checked() {
    for (value, code) in [
        ("'${{ inputs.§versoin }}'", "unknown-name"),
        ("'${{ inputs[\"§versoin\"] }}'", "unknown-name"),
        ("'${{ 1 + inputs.§versoin }}'", "unknown-name"),
        (
            "'a ${{ inputs.version }} b ${{ §version }}'",
            "unknown-name",
        ),
        ("'${{ release.§name }}'", "unknown-name"),
        ("'${{ needs.§one.outputs.x }}'", "unknown-name"),
        ("'${{ needs.§up.outputs.x }}'", "not-upstream"),
        ("'${{ needs.§a.outputs.x }}'", "not-upstream"),
        ("'${{ needs.§second.outputs }}'", "not-upstream"),
        (
            "'${{ needs.first.activities.§two.outputs }}'",
            "unknown-name",
        ),
        ("'${{ needs.first.activities.§one }}'", "unknown-name"),
        ("'${{ needs.first.§output }}'", "unknown-name"),
        ("'${{ §needs[inputs.version].outputs }}'", "unknown-name"),
        ("'${{ §phases }}'", "unknown-name"),
        ("'${{ phases.§third.outputs }}'", "unknown-name"),
        ("'${{ §each.item }}'", "unknown-name"),
        ("'${{ §failed() }}'", "misplaced-function"),
        ("'${{ §success() }}'", "unknown-function"),
        ("'${{ §sise(inputs.version) }}'", "unknown-function"),
        ("'${{ inputs.version.§trimm() }}'", "unknown-function"),
        ("'${{ §map(inputs.version) }}'", "bad-expression"),
        ("'${{ has(§inputs) }}'", "bad-expression"),
        ("'${{ [1].§map(inputs, 1) }}'", "bad-expression"),
        ("'${{§ }}'", "bad-expression"),
        ("'${{ 1 + §}}'", "bad-expression"),
        ("'${{ inputs.version §= 1 }}'", "bad-expression"),
        ("'x §${{ inputs.version'", "bad-expression"),
        ("\"\\x41 \\\"${{ inputs.§versoin }}\"", "unknown-name"),
        ("\"${{ {\\\"a\\\": inputs.§versoin} }}\"", "unknown-name"),
        ("'it''s ${{ ''x'' + inputs.§versoin }}'", "unknown-name"),
        (
            "['${{ inputs.version }}', '${{ inputs.§versoin }}']",
            "unknown-name",
        ),
    ] {
        expect(
            &activity(&format!("uses: a@1, with: {{ v: {value} }}")),
            &[code],
        );
    }
}

#[test]
fn expressions_over_several_lines_are_found_where_they_are_written() {
    for text in [
        "|\n            one\n            two ${{ 1 + §versoin }}",
        ">-\n            one ${{ 1 +\n            §versoin }}",
        "one\n            two ${{ §versoin }}",
        "${{ 1 +\n            §versoin }}",
        "'${{ 1 +\n\n            §versoin }}'",
    ] {
        expect(
            &format!(
                "process: x\nphases:\n  p:\n    activities:\n      a:\n        uses: a@1\n        with:\n          v: {text}\n"
            ),
            &["unknown-name"],
        );
    }
}

#[test]
fn conditions_are_one_expression() {
    for (condition, code) in [
        ("inputs.§versoin == '1'", "unknown-name"),
        ("§'${{ true }} or ${{ false }}'", "bad-expression"),
        ("§[true]", "wrong-type"),
        ("§5", "wrong-type"),
        ("needs.§up.outputs.x", "not-upstream"),
        ("\"needs.§up.status == 'failed'\"", "not-upstream"),
        ("§failed('up')", "bad-expression"),
        ("§aborted()", "unknown-function"),
        ("§failure()", "unknown-function"),
    ] {
        expect(&activity(&format!("uses: a@1, if: {condition}")), &[code]);
    }
    for fields in [
        "uses: a@1, if: inputs.version == '1'",
        "uses: a@1, needs: [up], if: needs.up.outputs.x",
        "uses: a@1, with: { v: '${{ needs.first.status }}' }",
        "uses: a@1, if: always()",
        "uses: a@1, needs: [up], if: failed()",
        "uses: a@1, if: \"failed() && needs.first.status == 'failed'\"",
    ] {
        expect(&activity(fields), &[]);
    }
    // An activity without needs looks at those of its phase, and here there are none either.
    let rootless = "process: x\nphases: { p: { activities: { a: { uses: a@1, if: §failed() } } } }";
    expect(rootless, &["never-true"]);
    let rootless = "process: x\nphases: { p: { if: §failed(), activities: { a: { uses: a@1 } } } }";
    expect(rootless, &["never-true"]);
}

#[test]
fn upstream_goes_through_needs_of_needs_and_of_phases() {
    let document = |reader: &str| {
        format!(
            "process: x
phases:
  a: {{ activities: {{ x: {{ uses: a@1 }}, y: {{ uses: a@1, needs: [x] }} }} }}
  b: {{ needs: [a], activities: {{ z: {{ uses: a@1 }} }} }}
  c: {{ {reader} }}
"
        )
    };
    let reads = "uses: a@1, with: { v: '${{ phases.a.activities.§x.outputs.v }}' }";
    expect(
        &document(&format!("activities: {{ r: {{ {reads} }} }}")),
        &["not-upstream"],
    );
    for needs in [
        format!("needs: [b], activities: {{ r: {{ {reads} }} }}"),
        format!("activities: {{ r: {{ {reads}, needs: [a/y] }} }}"),
        format!("activities: {{ r: {{ {reads}, needs: [b/z] }} }}"),
    ] {
        expect(&document(&needs), &[]);
    }
    let condition = "if: phases.§a.outputs.x.v, activities: { r: { uses: a@1 } }";
    expect(&document(condition), &["not-upstream"]);
    expect(&document(&format!("needs: [b], {condition}")), &[]);
}

#[test]
fn what_this_version_does_not_run_is_said_and_never_ignored() {
    let document = BANK
        .replace(
            "    on-failure: fail\n",
            "    each: ${{ inputs.regions }}
    batches: [1, 50%, 100%]
    bake: 30m
    locks: ['env/production-${{ each.item }}']
    on-failure: rollback\n",
        )
        .replace(
            "          approvals:\n",
            "          tasks: [ { name: payment journey, assign: group:qa, required: true } ]\n          approvals:\n",
        )
        .replace("production-${{ inputs.regions[0] }}", "production-${{ each.item }}");
    expect(&document, &["not-supported"; 2]);
}

#[test]
fn cycles_are_written_out() {
    for (phases, expected) in [
        (
            "a: { needs: [b], activities: { x: { uses: a@1 } } }
  b: { needs: [§a], activities: { x: { uses: a@1 } } }",
            "b -> a -> b",
        ),
        (
            "a: { activities: { x: { uses: a@1, needs: [y] }, y: { uses: a@1, needs: [z] }, z: { uses: a@1, needs: [§x] } } }",
            "a/x -> a/y -> a/z -> a/x",
        ),
        (
            "a: { activities: { x: { uses: a@1, needs: [b/y] } } }
  b: { needs: [§a], activities: { y: { uses: a@1 } } }",
            "a -> a/x -> b/y -> b -> a",
        ),
    ] {
        let document = format!("process: x\nphases:\n  {phases}\n");
        expect(&document, &["cycle"]);
        let defects = validate(document.replace('§', "").as_bytes(), None).expect_err("a cycle");
        let (_, path) = defects[0].message.split_once(": ").expect("a path");
        assert_eq!(path, expected);
    }
}

#[test]
fn components_are_checked_against_what_they_say() {
    for (call, codes) in [
        ("uses: §§deploy@1", vec!["missing-input", "missing-input"]),
        (
            "uses: deploy@1, with: §{ service: s }",
            vec!["missing-input"],
        ),
        (
            "uses: deploy@1, with: { service: s, environment: §prod }",
            vec!["wrong-input"],
        ),
        (
            "uses: deploy@1, with: { service: §1, environment: staging }",
            vec!["wrong-input"],
        ),
        (
            "uses: deploy@1, with: §{ service: s, §enviroment: staging }",
            vec!["missing-input", "unknown-input"],
        ),
        (
            "uses: deploy@1, with: { service: '${{ inputs.a }}', environment: '${{ inputs.a }}', replicas: '${{ inputs.a }}' }",
            vec![],
        ),
        (
            "uses: deploy@1, with: { service: s, environment: staging, labels: { a: '${{ inputs.a }}' } }",
            vec![],
        ),
        ("uses: §deploy@2", vec!["unknown-component"]),
        ("uses: §gate@1", vec!["not-an-activity"]),
    ] {
        let document = format!(
            "process: x\ninputs: {{ a: {{}} }}\nphases:\n  p: {{ activities: {{ a: {{ {call} }} }} }}\n"
        );
        expect_with(&document, &codes, Some(&registry));
    }
}

#[test]
fn hints_name_what_was_probably_meant() {
    for (fields, expected) in [
        ("uses: a@1, need: [up]", "did you mean `needs`?"),
        ("uses: a@1, needs: [upp]", "did you mean `up`?"),
        ("uses: a@1, needs: [frist/one]", "did you mean `first/one`?"),
        ("uses: a@1, needs: [one]", "did you mean `first/one`?"),
        (
            "uses: a@1, needs: [first]",
            "`first` is a phase: write `needs: [first]` in the phase `second`",
        ),
        (
            "uses: a@1, timeout: 5",
            "add the unit, such as `5s` or `5m`",
        ),
        ("uses: a@1, title: 1.10", "put it in quotes: '1.10'"),
        (
            "uses: a@1, if: inputs.version = 1",
            "equality is written `==`",
        ),
        (
            "uses: a@1, if: inputs.versions == '1'",
            "did you mean `version`?",
        ),
        (
            "uses: a@1, if: needs.up.outputs.x",
            "add `second/up` to `needs`",
        ),
        (
            "uses: a@1, if: 'has(inputs)'",
            "it is written `has(VALUE.FIELD)`",
        ),
    ] {
        let hints = hints(&activity(fields));
        assert_eq!(hints, [expected], "{fields}");
    }
    let hyphen = activity("uses: a@1").replace("up:", "sign-off:").replace(
        "a: { uses: a@1 }",
        "a: { uses: a@1, needs: [sign-off], if: needs.sign-off.outputs.ok }",
    );
    assert!(
        hints(&hyphen)[0].contains("[\"sign-off\"]"),
        "{:?}",
        hints(&hyphen)
    );
}

#[test]
fn defects_come_all_at_once_in_the_order_of_the_document() {
    expect(
        "process: §X
§titel: y
phases:
  p:
    needs: [§q]
    activities:
      a: { uses: §deploy, with: { v: '${{ §x }}' } }
outputs: §5
",
        &[
            "bad-value",
            "unknown-key",
            "unknown-need",
            "bad-value",
            "unknown-name",
            "wrong-type",
        ],
    );
}

#[test]
fn a_defect_is_shown_as_compilers_show_theirs() {
    let document =
        "process: x\nphases:\n  staging: { activities: { é: { uses: a@1 } }, onfailure: hold }\n";
    let defects = validate(document.as_bytes(), None).expect_err("defective");
    let shown: Vec<String> = defects.iter().map(Defect::to_string).collect();
    assert_eq!(
        shown.join("\n\n"),
        "error[bad-name]: `é` is no name for this activity: a name has 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or digit
  --> 3:28
2 | phases:
3 |   staging: { activities: { é: { uses: a@1 } }, onfailure: hold }
  |                            ^

error[unknown-key]: a phase has no key `onfailure`
  --> 3:48
2 | phases:
3 |   staging: { activities: { é: { uses: a@1 } }, onfailure: hold }
  |                                                ^^^^^^^^^
   = help: did you mean `on-failure`?"
    );
}
