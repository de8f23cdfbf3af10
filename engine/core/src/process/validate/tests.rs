use serde_json::{Value, json};

use super::*;
use crate::expression::Read;
use crate::process::OnFailure;
use crate::time::Span;

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

fn defects(document: &str) -> Vec<Defect> {
    validate(document.as_bytes(), None).expect_err("the document is defective")
}

#[test]
fn the_example_of_the_product_contract_is_a_process() {
    let process = validate(BANK.as_bytes(), None).map_err(|d| show(&d)).expect("valid");
    assert_eq!(process.phases.len(), 3);
}

fn show(defects: &[Defect]) -> String {
    defects.iter().map(|defect| format!("{defect}\n")).collect()
}
