//! Expressions and templates as people write them, and as nobody should.

use serde_json::{Value, json};

use super::*;
use crate::process::Kind;
use crate::process::validate::validate;

/// What `text` gives as an input of an activity whose release has `inputs`.
fn rendered(text: &str, inputs: &Value) -> Result<Value, String> {
    let declared: Vec<String> = inputs
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| format!("{name}: {{}}"))
        .collect();
    let quoted = serde_json::to_string(text).expect("JSON");
    let document = format!(
        "process: x\ninputs: {{ {} }}\nphases: {{ p: {{ activities: {{ a: {{ uses: a@1 }}, b: {{ uses: a@1, needs: [a], with: {{ v: {quoted} }} }} }} }} }}\n",
        declared.join(", ")
    );
    let process =
        validate(document.as_bytes(), None).map_err(|defects| defects[0].message.clone())?;
    let Kind::Component(component) = &process.activities[1].kind else {
        panic!("it is a component");
    };
    let facts = Facts {
        inputs: &|| inputs.clone(),
        release: &|| json!({ "id": "rel-1", "version": 3 }),
        activity: &|_| (json!({ "url": "https://a", "count": 2 }), "succeeded"),
        phase: &|_| (json!({}), "running"),
        each: &|| json!(null),
        needs: &|| json!({ "failed": false, "succeeded": true }),
    };
    let scope = scope(&process, component.with.reads(), &facts);
    component
        .with
        .render(&scope)
        .map(|value| value["v"].clone())
}

#[test]
fn a_whole_expression_keeps_its_type() {
    let inputs = json!({
        "text": "a", "int": 3, "big": u64::MAX, "least": i64::MIN, "float": 2.5, "whole": 2.0,
        "flag": true, "nothing": null, "list": [1, "x"], "object": { "z": 1, "a": 2 },
    });
    for (expression, value) in [
        ("inputs.int + 1", json!(4)),
        ("inputs.int", json!(3)),
        ("inputs.big", json!(u64::MAX)),
        ("[inputs.big][0]", json!(u64::MAX)),
        ("inputs.least + 0", json!(i64::MIN)),
        ("inputs.float * 2.0", json!(5.0)),
        ("inputs.whole", json!(2.0)),
        ("[inputs.whole][0]", json!(2.0)),
        ("!inputs.flag", json!(false)),
        ("inputs.nothing", json!(null)),
        ("inputs.nothing == null", json!(true)),
        ("inputs.list", json!([1, "x"])),
        ("inputs.list + [2.5]", json!([1, "x", 2.5])),
        ("inputs.object", json!({ "z": 1, "a": 2 })),
        ("inputs.object.a == 2 ? 'two' : 'other'", json!("two")),
        ("inputs[\"text\"] + 'b'", json!("ab")),
        ("{'b': 1, 'a': [inputs.int]}", json!({ "a": [3], "b": 1 })),
        ("inputs.list.map(x, string(x))", json!(["1", "x"])),
        ("has(inputs.text) && !has(inputs.object.b)", json!(true)),
        ("inputs.?text.orValue('none')", json!("a")),
        ("duration('90m')", json!("5400s")),
        (
            "timestamp('2026-01-31T09:00:00Z') + duration('1h')",
            json!("2026-01-31T10:00:00+00:00"),
        ),
        ("'1.2.3'.split('.')[0]", json!("1")),
        ("needs.a.outputs.count + 1", json!(3)),
        ("needs.a.outputs[\"url\"]", json!("https://a")),
        ("needs[\"a\"].status", json!("succeeded")),
        (
            "phases.p.activities.a.outputs.url + '/x'",
            json!("https://a/x"),
        ),
        ("has(needs.a.outputs.nothing) ? 1 : 2", json!(2)),
        ("release.version + 1", json!(4)),
    ] {
        assert_eq!(
            rendered(&format!("${{{{ {expression} }}}}"), &inputs),
            Ok(value),
            "{expression}"
        );
        let spaced = format!("  ${{{{{expression}}}}}\n");
        assert!(rendered(&spaced, &inputs).is_ok(), "{expression}");
    }
}

#[test]
fn results_are_written_into_text() {
    let inputs = json!({ "text": "é", "int": 3, "flag": false, "nothing": null, "list": [1] });
    for (text, value) in [
        ("v${{ inputs.int }}-${{ inputs.text }}!", Ok("v3-é!")),
        ("${{ inputs.flag }}${{ inputs.int + 1 }}", Ok("false4")),
        ("$${{ inputs.int }}", Ok("${{ inputs.int }}")),
        (
            "a ${{ inputs.nothing }}",
            Err("null cannot be written into text"),
        ),
        (
            "a ${{ inputs.list }}",
            Err("a list cannot be written into text"),
        ),
    ] {
        let expected = value.map(|text| json!(text)).map_err(str::to_owned);
        assert_eq!(rendered(text, &inputs), expected, "{text}");
    }
}

#[test]
fn failures_are_one_clear_sentence() {
    let inputs = json!({ "text": "a", "int": i64::MAX, "list": [1], "object": {} });
    for (expression, sentence) in [
        ("inputs.object.a", "`inputs.object` has no `a`"),
        ("inputs.text.a", "`inputs.text` is a text, so it has no `a`"),
        ("inputs.object.a + 1", "there is no `a`"),
        ("inputs.int + 1", "`+` overflows 64 bits"),
        ("inputs.int / 0", "division by zero"),
        ("inputs.text + 1", "`+` cannot be applied to string and int"),
        ("inputs.list[1]", "the list has no item 1"),
        (
            "inputs.list['a']",
            "`inputs.list` is a list, so it has no `a`",
        ),
        (
            "0.0 / 0.0",
            "the result NaN is not a number that JSON can hold",
        ),
        ("b'a'", "the result is bytes, which JSON cannot hold"),
    ] {
        assert_eq!(
            rendered(&format!("${{{{ {expression} }}}}"), &inputs),
            Err(sentence.to_owned()),
            "{expression}"
        );
    }
}

#[test]
fn a_condition_must_give_a_boolean() {
    let document = "process: x\ninputs: { n: {} }\nphases: { p: { activities: { a: { uses: a@1, if: inputs.n } } } }\n";
    let process = validate(document.as_bytes(), None).expect("valid");
    let condition = process.activities[0]
        .condition
        .as_ref()
        .expect("there is one");
    assert_eq!(
        condition.holds(&json!({ "inputs": { "n": true } })),
        Ok(true)
    );
    assert_eq!(
        condition.holds(&json!({ "inputs": { "n": 1 } })),
        Err("the condition gave a number, not true or false".to_owned())
    );
}

#[test]
fn variables_of_list_macros_hide_nothing_and_are_not_names() {
    let inputs = json!({ "list": [{ "needs": 1 }, { "needs": 2 }] });
    assert_eq!(
        rendered("${{ inputs.list.map(x, x.needs) }}", &inputs),
        Ok(json!([1, 2]))
    );
    assert_eq!(
        rendered("${{ inputs.list.map(needs, needs.a) }}", &inputs),
        Err("the variable of a list macro cannot be called `needs`".to_owned())
    );
}

#[test]
fn costs_that_would_explode_are_refused_before_they_are_paid() {
    let inputs = json!({ "list": vec![1; 20_000], "text": "x".repeat(20_000) });
    let doubled = format!("${{{{ [inputs.text]{} }}}}", ".map(x, x + x)".repeat(40));
    for text in [
        doubled.as_str(),
        "${{ inputs.list.map(x, inputs.list.map(y, x * y)) }}",
        "${{ inputs.list.map(x, inputs.text + inputs.text) }}",
        "${{ inputs.text.replace('', inputs.text) }}",
        "${{ inputs.text.matches(inputs.text) }}",
    ] {
        let error = rendered(text, &inputs).expect_err("too costly");
        assert!(error.contains("units of work"), "{error}");
    }
    for text in [
        "${{ size(inputs.list.filter(x, x > 0).map(x, x + 1)) }}",
        "${{ inputs.list.exists(x, x == 2) }}",
        "${{ inputs.text.replace('x', 'y') }}",
    ] {
        assert!(rendered(text, &inputs).is_ok(), "{text}");
    }
}

#[test]
fn what_is_rendered_is_bounded() {
    let inputs = json!({ "text": "x".repeat(300_000) });
    let text = "${{ inputs.text }} ".repeat(5);
    assert_eq!(
        rendered(&text, &inputs),
        Err("the value is larger than 1048576 bytes".to_owned())
    );
}

#[test]
fn every_function_of_the_language_is_known_to_the_evaluator() {
    let inputs = json!({ "x": 1 });
    for function in walk::FUNCTIONS {
        let unknown = Err(format!("there is no `{function}`"));
        let known = [
            format!("{function}(inputs.x)"),
            format!("inputs.x.{function}()"),
        ]
        .iter()
        .any(|text| rendered(&format!("${{{{ {text} }}}}"), &inputs) != unknown);
        assert!(known, "{function}");
    }
}

#[test]
fn expressions_may_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Condition>();
    shared::<Template>();
    shared::<crate::process::Process>();
}
