//! `fermata:activity/evidence`: facts for the record.

use fermata_core::attempt::Evidence;
use fermata_core::id::Name;
use fermata_core::json::Json;
use serde_json::Value;

use crate::guest::Context;
use crate::guest::fermata::activity::evidence::Host;
use crate::limits::length;

impl Host for Context {
    fn record(&mut self, kind: String, fact: String) -> wasmtime::Result<Result<(), String>> {
        let taken = self.recorded(&kind, &fact);
        let recorder = self.calls.recorder();
        recorder.fact(&self.held, &kind, fact.len(), &taken);
        Ok(taken)
    }

    fn attach(
        &mut self,
        _: String,
        _: String,
        _: Vec<u8>,
    ) -> wasmtime::Result<Result<String, String>> {
        // Better an honest refusal than the digest of something that nobody keeps.
        Ok(Err(
            "this engine does not keep attachments; record a fact with a link instead".into(),
        ))
    }
}

impl Context {
    fn recorded(&mut self, kind: &str, fact: &str) -> Result<(), String> {
        let limits = &self.shared.limits;
        if self.evidence.len() >= length(limits.evidence_facts) {
            return Err(format!("a run may record {} facts", limits.evidence_facts));
        }
        if fact.len() > length(limits.evidence_bytes) {
            return Err(format!(
                "the fact has {} bytes, {} are allowed",
                fact.len(),
                limits.evidence_bytes
            ));
        }
        kind.parse::<Name>()
            .map_err(|error| format!("the kind is not a name: {error}"))?;
        if !self.kinds.iter().any(|known| known == kind) {
            return Err(format!(
                "`describe` does not name evidence of the kind `{kind}` under `capabilities`"
            ));
        }
        if self.held.is_shown_in(kind.as_bytes()) {
            return Err("the kind holds a secret".into());
        }
        let mut fact: Value =
            serde_json::from_str(fact).map_err(|error| format!("the fact is not JSON: {error}"))?;
        if !fact.is_object() {
            return Err("the fact is not a JSON object".into());
        }
        // Its text could spell a secret in other letters: JSON escapes every one of them.
        self.held.redact_json(&mut fact);
        self.evidence.push(Evidence {
            kind: kind.to_owned(),
            fact: Json::of(&fact),
        });
        Ok(())
    }
}
