//! `fermata component test`: the cases of `tests.json`, each a run in a sandbox like the server's, with prepared answers in
//! the place of the network.

use std::path::Path;

use fermata_core::component::Grants;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::report;
use crate::cli::Context;
use crate::cli::error::Error;
use crate::cli::grant::{self, Grant};
use crate::cli::values;
use crate::exit::Exit;
use crate::trial::{self, Prepared, Tried};

/// Where the cases are, within a project.
const FILE: &str = "tests.json";

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    inputs: Value,
    /// As `--grant` has them.
    #[serde(default)]
    grants: Vec<String>,
    /// What the calls are answered with, in this order.
    #[serde(default)]
    http: Vec<Answer>,
    /// The payloads of signals, in the order in which they are waited for.
    #[serde(default)]
    signals: Vec<Value>,
    /// Calls `undo` with these outputs (or `null`) instead of `run`.
    #[serde(default, deserialize_with = "present")]
    undo: Option<Value>,
    expect: Expected,
}

/// `null` is something, too.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// `METHOD URL`.
    call: String,
    status: u16,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    json: Option<Value>,
    #[serde(default)]
    text: String,
}

/// How a case should end: every field that is there has to be as it says.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Expected {
    Outputs(Map<String, Value>),
    Failure(Map<String, Value>),
}

/// Runs every case of the project in `folder`.
pub(super) async fn check(
    context: &mut Context,
    folder: &Path,
    verbose: bool,
) -> Result<Exit, Error> {
    let module = super::built(folder)?;
    let path = folder.join(FILE);
    let cases: Vec<Case> = serde_json::from_slice(&values::read(&path)?)
        .map_err(|error| Error::in_file(&path, error.to_string()))?;
    let trial = super::trial(&module, &folder.join(super::CACHE)).await?;
    let (mut results, mut failed) = (Vec::new(), 0);
    for case in &cases {
        let tried = trial.run(&asked(&path, case)?).await;
        let fault = fault(&case.expect, &tried);
        failed += usize::from(fault.is_some());
        if context.out.is_json() {
            results.push(json!({ "name": case.name, "passed": fault.is_none(), "fault": fault, "tried": tried }));
        } else {
            let paint = context.out.paint();
            let text = report::case(&case.name, &tried, fault.as_deref(), verbose, paint);
            context.out.raw(&text)?;
        }
    }
    if context.out.is_json() {
        context.out.json(&Value::Array(results))?;
    } else {
        context
            .out
            .line(&format!("{} passed, {failed} failed", cases.len() - failed))?;
    }
    Ok(if failed == 0 { Exit::Ok } else { Exit::Failure })
}

/// A case as a trial.
fn asked(path: &Path, case: &Case) -> Result<trial::Case, Error> {
    let grants: Vec<Grant> = case
        .grants
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, String>>()
        .map_err(|why| Error::in_file(path, format!("{}: {why}", case.name)))?;
    let answers = case.http.iter().map(|answer| Prepared {
        call: answer.call.clone(),
        status: answer.status,
        headers: answer.headers.clone().into_iter().collect(),
        body: answer
            .json
            .as_ref()
            .map_or_else(|| answer.text.clone(), Value::to_string)
            .into_bytes(),
    });
    Ok(trial::Case {
        inputs: case.inputs.clone(),
        grants: grant::collect(Grants::default(), &grants),
        answers: answers.collect(),
        signals: case.signals.clone(),
        undo: case.undo.clone(),
    })
}

/// What is not as expected.
fn fault(expected: &Expected, tried: &Tried) -> Option<String> {
    let (kind, wanted) = match expected {
        Expected::Outputs(wanted) => ("outputs", wanted),
        Expected::Failure(wanted) => ("failure", wanted),
    };
    let Some(found) = tried.ended.get(kind) else {
        return Some(format!(
            "expected {kind}, but it ended with {}",
            told(&tried.ended)
        ));
    };
    let differs = wanted
        .iter()
        .find(|(key, value)| found.get(key.as_str()) != Some(value));
    if let Some((key, value)) = differs {
        let got = found.get(key).unwrap_or(&Value::Null);
        return Some(format!("expected {kind}.{key} {value}, but it is {got}"));
    }
    (tried.unused > 0).then(|| format!("{} prepared answers were not asked for", tried.unused))
}

/// An end in a few words: of a failure its kind, since the report has the rest.
fn told(ended: &Value) -> String {
    let Some(failure) = ended.get("failure") else {
        return ended.to_string();
    };
    let words = ["class", "code"].map(|name| failure.get(name).and_then(Value::as_str));
    let words: Vec<&str> = words.into_iter().flatten().collect();
    format!("a failure: {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use fermata_core::attempt::Usage;

    use super::*;

    fn tried(ended: Value, unused: usize) -> Tried {
        Tried {
            ended,
            log: Vec::new(),
            runs: 1,
            calls: 0,
            unused,
            ms: 0,
            usage: Usage::default(),
            limits: Vec::new(),
            exchanges: Vec::new(),
        }
    }

    fn expected(text: &str) -> Expected {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_expected_has_to_be_there_and_what_is_not_named_may_be_anything() {
        let ended = json!({ "failure": { "class": "retryable", "code": "busy", "message": "m" } });
        for (wanted, unused, complaint) in [
            (
                r#"{"failure":{"class":"retryable","code":"busy"}}"#,
                0,
                None,
            ),
            (r#"{"failure":{}}"#, 0, None),
            (
                r#"{"failure":{"code":"wrong"}}"#,
                0,
                Some("expected failure.code \"wrong\", but it is \"busy\""),
            ),
            (r#"{"failure":{"no":1}}"#, 0, Some("but it is null")),
            (
                r#"{"outputs":{}}"#,
                0,
                Some("expected outputs, but it ended with"),
            ),
            (
                r#"{"failure":{}}"#,
                2,
                Some("2 prepared answers were not asked for"),
            ),
        ] {
            let fault = fault(&expected(wanted), &tried(ended.clone(), unused));
            match complaint {
                None => assert_eq!(fault, None, "{wanted}"),
                Some(text) => assert!(
                    fault.as_ref().is_some_and(|fault| fault.contains(text)),
                    "{fault:?}"
                ),
            }
        }
    }

    #[test]
    fn a_case_says_what_is_wrong_with_it() {
        let case = |grants: &str| {
            let text = format!(
                r#"{{"name":"n","inputs":{{}},"grants":{grants},"undo":null,"expect":{{"outputs":{{}}}}}}"#
            );
            serde_json::from_str::<Case>(&text).unwrap()
        };
        let asked_for = |grants: &str| asked(Path::new("tests.json"), &case(grants));
        assert_eq!(asked_for("[]").unwrap().undo, Some(Value::Null));
        let error = asked_for(r#"["ftp=x"]"#).unwrap_err().to_string();
        assert!(error.starts_with("tests.json: n: "), "{error}");
        let unknown = r#"{"name":"n","inputs":{},"expect":{"output":{}}}"#;
        assert!(serde_json::from_str::<Case>(unknown).is_err());
    }
}
