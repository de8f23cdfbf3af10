//! Documents that are right, and every way in which they are not.

use serde_json::{Value, json};

use super::*;
use crate::expression::{Facts, Read, scope};
use crate::process::{Exclusion, OnFailure, Retry, Then};
use crate::time::Span;

mod branches;
mod defects;
mod fan_out;
mod hostile;
mod undo;

/// The example of the product contract, without what this version does not run.
const BANK: &str = r#"
process: bank-release
title: Bank platform
inputs:                                     # typed; JSON Schema keywords
  version: { type: string, pattern: '^\d+\.\d+\.\d+$' }
  regions: { type: array, items: { type: string }, default: [eu-north] }
phases:
  staging:
    title: Staging
    owners: [group:platform]
    activities:
      payment: { uses: deploy@1, with: { service: payment, version: '${{ inputs.version }}', environment: staging } }
      account: { uses: deploy@1, with: { service: account, version: '${{ inputs.version }}', environment: staging } }
      gateway:
        needs: [payment, account]
        uses: deploy@1
        with: { service: gateway, version: '${{ inputs.version }}', environment: staging }
        retry: { attempts: 3, backoff: 10s, factor: 2, jitter: true }
        timeout: 15m
  uat:
    needs: [staging]
    activities:
      sign-off:
        manual:
          instructions: Check the payment journey on staging.
          form: { type: object, required: [verdict], properties: { verdict: { enum: [pass, fail] }, notes: { type: string } } }
          approvals:
            - { from: group:qa, count: 1 }
            - { from: group:security, count: 1 }
          exclude: [initiator]
          expires: 24h
  production:
    needs: [uat]
    if: ${{ needs.uat.activities["sign-off"].outputs.verdict == "pass" }}
    on-failure: fail
    activities:
      payment: { uses: deploy@1, with: { service: payment, environment: 'production-${{ inputs.regions[0] }}', version: '${{ inputs.version }}' } }
      verify:  { needs: [payment], uses: verify-health@1, with: { service: payment, environment: production } }
outputs:
  deployed: ${{ phases.production.outputs }}
"#;

/// The process in `document`, checked without a registry.
fn process(document: &str) -> Process {
    checked(document, None)
}

fn checked(document: &str, resolve: Option<&Registry<'_>>) -> Process {
    validate(document.as_bytes(), resolve).unwrap_or_else(|defects| {
        let shown: Vec<String> = defects.iter().map(Defect::to_string).collect();
        panic!("{}\n{document}", shown.join("\n"))
    })
}

fn component(process: &Process, path: &str) -> Component {
    let ix = process.find(path).expect("it exists");
    match &process.activity(ix).kind {
        Kind::Component(component) => component.clone(),
        Kind::Manual(_) | Kind::Wait(_) | Kind::Process(_) => panic!("{path} runs no component"),
    }
}

/// A scope in which every activity has succeeded and gave its own path as `outputs.path`.
fn succeeded(process: &Process, reads: &[Read], inputs: &Value) -> Value {
    let facts = Facts {
        inputs: &|| inputs.clone(),
        release: &|| json!({ "id": "rel-1", "title": "First" }),
        activity: &|ix| {
            (
                json!({ "path": process.path(ix), "verdict": "pass" }),
                "succeeded",
            )
        },
        phase: &|ix| {
            let activities = process.phase(ix).activities.clone().map(ActivityIx);
            let outputs = activities.map(|ix| {
                let name = process.activity(ix).name.to_string();
                (name, json!({ "path": process.path(ix), "verdict": "pass" }))
            });
            (outputs.collect(), "succeeded")
        },
        each: &|| json!({ "item": "eu", "index": 0, "batch": 1 }),
        needs: &|| json!({ "failed": false, "succeeded": true }),
    };
    scope(process, reads, &facts)
}

#[test]
fn the_example_of_the_product_contract_is_a_process() {
    let process = process(BANK);
    assert_eq!(
        (process.name.as_str(), process.title.as_str()),
        ("bank-release", "Bank platform")
    );
    assert_eq!(process.digest, Digest::of(BANK.as_bytes()));
    assert_eq!(
        Value::from(process.inputs.defaults.clone()),
        json!({ "regions": ["eu-north"] })
    );
    assert!(
        process
            .inputs
            .schema
            .faults(&json!({ "version": "1.2.3" }))
            .is_empty()
    );
    assert_eq!(
        process
            .inputs
            .schema
            .faults(&json!({ "version": "1.2", "verison": 1 }))
            .len(),
        2
    );

    let phases: Vec<_> = process
        .phases
        .iter()
        .map(|phase| phase.activities.clone())
        .collect();
    assert_eq!(phases, [0..3, 3..4, 4..6]);
    assert_eq!(process.phases[1].needs, [PhaseIx(0)]);
    assert_eq!(process.phases[1].dependents, [PhaseIx(2)]);
    assert_eq!(process.activities[2].needs, [ActivityIx(0), ActivityIx(1)]);
    assert_eq!(process.activities[0].dependents, [ActivityIx(2)]);
    assert_eq!(
        process.phases[0].owners,
        ["group:platform".parse().expect("a party")]
    );
    let on_failure: Vec<_> = process
        .activities
        .iter()
        .map(|activity| activity.on_failure)
        .collect();
    assert_eq!(
        on_failure[3..],
        [OnFailure::Hold, OnFailure::Fail, OnFailure::Fail]
    );
}

#[test]
fn retries_timeouts_and_approvals_are_what_is_written_or_the_default() {
    let process = process(BANK);
    let gateway = component(&process, "staging/gateway");
    let expected = Retry {
        attempts_max: 3,
        backoff: Span(10_000),
        factor_permille: 2_000,
        backoff_max: Span(3_600_000),
        jitter: true,
    };
    assert_eq!((gateway.retry, gateway.timeout), (expected, Span(900_000)));
    let payment = component(&process, "staging/payment");
    assert_eq!(
        (payment.retry.attempts_max, payment.timeout),
        (1, crate::limits::TIMEOUT_DEFAULT)
    );

    let Kind::Manual(manual) = &process.activities[3].kind else {
        panic!("the sign-off is manual");
    };
    assert_eq!(manual.approvals.len(), 2);
    assert_eq!(manual.exclude, [Exclusion::Initiator]);
    let expiry = manual.expires.expect("it expires");
    assert_eq!(
        (expiry.after, expiry.then),
        (Span(86_400_000), Then::Expire)
    );
    let form = manual.form.as_ref().expect("there is a form");
    assert!(form.faults(&json!({ "verdict": "pass" })).is_empty());
    assert_eq!(form.faults(&json!({ "verdict": "maybe" })).len(), 1);
    let instructions = manual.instructions.constant().expect("without expressions");
    assert_eq!(
        instructions.value(),
        json!("Check the payment journey on staging.")
    );
}

#[test]
fn expressions_read_no_more_than_they_name() {
    let process = process(BANK);
    let inputs = json!({ "version": "1.2.3", "regions": ["eu-north", "us-east"] });
    let condition = process.phases[2].condition.as_ref().expect("there is one");
    assert_eq!(condition.reads(), [Read::Activity(ActivityIx(3))]);
    let scope = succeeded(&process, condition.reads(), &inputs);
    assert_eq!(
        scope,
        json!({ "phases": { "uat": { "activities": { "sign-off": {
            "outputs": { "path": "uat/sign-off", "verdict": "pass" },
            "status": "succeeded",
        } } } } })
    );
    assert_eq!(condition.holds(&scope), Ok(true));

    let with = component(&process, "production/payment").with;
    assert_eq!(with.reads(), [Read::Inputs]);
    assert_eq!(
        with.render(&succeeded(&process, with.reads(), &inputs)),
        Ok(
            json!({ "service": "payment", "environment": "production-eu-north", "version": "1.2.3" })
        )
    );
    assert_eq!(with.constant(), None);

    let outputs = process.outputs.as_ref().expect("there are some");
    assert_eq!(outputs.reads(), [Read::Phase(PhaseIx(2))]);
    let given = outputs
        .render(&succeeded(&process, outputs.reads(), &inputs))
        .expect("renders");
    assert_eq!(given["deployed"]["verify"]["path"], "production/verify");
}

#[test]
fn a_document_may_be_json() {
    let document = "{\n\t\"process\": \"x\",\r\n\t\"phases\": {\"p\":{\"activities\":{\"a\":{\"uses\":\"deploy@1\",\"with\":\
        {\"u\":\"http:\\/\\/x \\u00e9 \\ud83d\\ude00\\n\",\"n\":1e3,\"i\":-0,\"z\":\"#no: comment\",\"e\":{},\"l\":[]}}}}}\n}\n";
    let with = component(&process(document), "p/a").with;
    let expected: Value = serde_json::from_str(
        r##"{"u":"http://x é 😀\n","n":1000.0,"i":0,"z":"#no: comment","e":{},"l":[]}"##,
    )
    .expect("JSON");
    assert_eq!(
        with.constant().map(crate::json::Json::value),
        Some(expected)
    );
}

#[test]
fn a_document_may_come_from_anywhere() {
    for document in [
        format!("\u{feff}{BANK}"),
        BANK.replace('\n', "\r\n"),
        format!("---{BANK}...\n"),
        BANK.trim_end().to_owned(),
    ] {
        assert_eq!(process(&document).activities.len(), 6);
    }
}

#[test]
fn yaml_conveniences_mean_what_they_say() {
    let process = process(
        r"
process: x
on-failure: continue
phases:
  base: &base
    activities:
      a: &a { uses: deploy@1, with: { version: 1.10, on: yes, text: '${{ inputs }}' } }
      b: { uses: deploy@1.2.3, needs: a, if: true, on-failure: fail }
  other:
    needs: base
    activities:
      a: *a
      c: { uses: deploy@1, needs: [base/b, a] }
inputs:
"
        .replace("'${{ inputs }}'", "plain")
        .as_str(),
    );
    let with = component(&process, "other/a")
        .with
        .constant()
        .map(crate::json::Json::value);
    assert_eq!(
        with,
        Some(json!({ "version": 1.1, "on": "yes", "text": "plain" }))
    );
    assert_eq!(process.activities[3].needs, [ActivityIx(1), ActivityIx(2)]);
    let on_failure: Vec<_> = process
        .activities
        .iter()
        .map(|activity| activity.on_failure)
        .collect();
    assert_eq!(on_failure[..2], [OnFailure::Continue, OnFailure::Fail]);
    let condition = process.activities[1]
        .condition
        .as_ref()
        .expect("there is one");
    assert_eq!(condition.holds(&json!({})), Ok(true));
    assert_eq!(process.title, "x");
    assert!(process.outputs.is_none());
}

/// A registry with an activity and a policy.
fn registry(uses: &Uses) -> Option<Registered> {
    if uses.name.as_str() == "gate" {
        let gate = json!({ "name": "gate", "version": "1.0.0", "world": "policy" });
        let gate = serde_json::from_value(gate).expect("a descriptor");
        return Some(Registered::Component(gate));
    }
    let descriptor = json!({
        "name": "deploy",
        "version": "1.4.0",
        "inputs": {
            "type": "object",
            "properties": {
                "service": { "type": "string", "minLength": 1 },
                "environment": { "$ref": "#/$defs/environment" },
                "replicas": { "type": "integer" },
                "labels": { "type": "object" },
            },
            "required": ["service", "environment"],
            "$defs": { "environment": { "enum": ["staging", "production"] } },
        },
        "retry": { "attempts": 4, "backoff": "3s" },
        "timeout": "5m",
    });
    let descriptor: Descriptor = serde_json::from_value(descriptor).expect("a descriptor");
    let fits = uses.name == descriptor.name && uses.accepts(descriptor.version);
    fits.then_some(Registered::Component(descriptor))
}

#[test]
fn a_component_gives_the_retry_and_timeout_that_a_document_leaves_out() {
    let document = "
process: x
inputs: { e: { type: string } }
phases:
  p:
    activities:
      a: { uses: deploy@1, with: { service: s, environment: staging } }
      b: { uses: deploy@1, with: { service: s, environment: '${{ inputs.e }}' }, timeout: 1m, retry: { attempts: 2 } }
";
    let process = checked(document, Some(&registry));
    let a = component(&process, "p/a");
    assert_eq!(
        (a.retry.attempts_max, a.retry.backoff, a.timeout),
        (4, Span(3_000), Span(300_000))
    );
    let b = component(&process, "p/b");
    assert_eq!((b.retry.attempts_max, b.timeout), (2, Span(60_000)));
    let alone = validate(document.as_bytes(), None).expect("valid without a registry, too");
    assert_eq!(component(&alone, "p/a").retry.attempts_max, 1);
}
