//! The recording of an attempt as one JSON document: what the API gives, and what `fermata component test --replay` reads.

use fermata_core::attempt::LogLine;
use fermata_core::recording::{RecordedAttempt, RecordedRun};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What such a document is, with its version.
pub(crate) const FORMAT: &str = "fermata-attempt/1";
/// Bytes of a seed.
const SEED_BYTES: usize = 32;

/// What passed between an attempt and its host.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AttemptRecording)]
pub(crate) struct Document {
    /// `fermata-attempt/1`.
    pub(crate) format: String,
    /// The version of the server that recorded it.
    pub(crate) engine: String,
    /// How the attempt ended, in the words of the list of attempts.
    pub(crate) state: String,
    /// What all runs have in common: component, names, inputs.
    #[schema(value_type = Object)]
    pub(crate) attempt: RecordedAttempt,
    /// Those runs that are kept, oldest first, with every exchange and how they ended.
    #[schema(value_type = Vec<Object>)]
    pub(crate) runs: Vec<RecordedRun>,
    /// What they logged.
    pub(crate) log: Vec<Line>,
}

/// One line of the log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = RecordedLine)]
pub(crate) struct Line {
    /// The run of the attempt, from 1.
    pub(crate) run: u32,
    /// When, how important, and what.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub(crate) line: LogLine,
}

/// As much of a document as says which one it is.
#[derive(Deserialize)]
struct Head {
    format: String,
}

impl Document {
    /// Reads a document; says what is wrong with it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        const NEXT: &str = "`fermata attempt export` writes recordings";
        let head: Head = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is no recording of an attempt: {error}; {NEXT}"))?;
        if head.format != FORMAT {
            let format: String = head.format.chars().take(FORMAT.len() * 2).collect();
            return Err(format!(
                "it is {format:?}, and this program reads {FORMAT:?}: use the `fermata` of the server that wrote it"
            ));
        }
        let document: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("{error}; {NEXT}"))?;
        match document.fault() {
            Some(fault) => Err(format!("{fault}; {NEXT}")),
            None => Ok(document),
        }
    }

    /// What no server writes.
    fn fault(&self) -> Option<String> {
        if self.runs.is_empty() {
            return Some("it has no runs".into());
        }
        let runs = self.runs.windows(2);
        if let Some([one, next]) = runs
            .map(|pair| [&pair[0], &pair[1]])
            .find(|[one, next]| one.run.checked_add(1) != Some(next.run))
        {
            return Some(format!(
                "run {} cannot follow run {}: a run is missing",
                next.run, one.run
            ));
        }
        let seeded = self.runs.iter().find(|run| {
            let seed = run.seed.as_ref();
            seed.is_some_and(|seed| seed.0.len() != SEED_BYTES)
        });
        seeded.map(|run| format!("the seed of run {} has not {SEED_BYTES} bytes", run.run))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A document as a server writes it.
    pub(crate) fn written() -> Value {
        json!({
            "format": FORMAT,
            "engine": "0.1.0",
            "state": "failed",
            "attempt": {
                "component": { "name": "probe", "version": "1.0.0", "digest": format!("sha256:{}", "0".repeat(64)) },
                "release": "rel-00000000000000000000000001",
                "process": "p", "phase": "only", "activity": "one",
                "attempt": 1, "number": 1, "idempotency_key": "k", "call": "run", "inputs": {},
            },
            "runs": [{
                "run": 1, "now": "2026-01-31T09:00:00.000Z", "began": "2026-01-31T09:00:00.000Z", "wall_ms": 60_000,
                "grants": { "http": [], "secrets": [] }, "checkpoint": null, "signal": null, "seed": null,
                "wall_clock_ns": [], "monotonic_clock_ns": [],
                "exchanges": [{ "http": {
                    "method": "GET", "url": "https://a.example/", "headers": [], "body": null, "ms": 7,
                    "answer": { "response": { "status": 503, "headers": [], "body": { "content": "busy", "bytes": 4 } } },
                } }],
                "missed": 0, "redacted": false,
                "outcome": { "failed": { "failure": {
                    "class": "retryable", "message": "m", "code": null, "details": null, "remedy": null,
                    "backtrace": [], "last_log": [], "last_call": null,
                }, "retry_after": null } },
                "evidence": [],
                "usage": serde_json::to_value(fermata_core::attempt::Usage::default()).unwrap(),
            }],
            "log": [{ "run": 1, "at": "2026-01-31T09:00:00.000Z", "level": "info", "message": "began" }],
        })
    }

    fn parsed(document: &Value) -> Result<Document, String> {
        Document::parse(document.to_string().as_bytes())
    }

    #[test]
    fn a_document_reads_back_as_it_is() {
        let document = parsed(&written()).unwrap();
        assert_eq!(serde_json::to_value(&document).unwrap(), written());
    }

    #[test]
    fn what_was_broken_or_edited_is_told() {
        let edited = |pointer: &str, value: Value| {
            let mut document = written();
            *document.pointer_mut(pointer).unwrap() = value;
            parsed(&document).unwrap_err()
        };
        let two = json!([written()["runs"][0], written()["runs"][0]]);
        for (error, said) in [
            (
                edited("/format", json!("fermata-attempt/2")),
                "reads \"fermata-attempt/1\"",
            ),
            (edited("/format", json!(1)), "no recording"),
            (edited("/runs", json!([])), "no runs"),
            (edited("/runs", two), "run 1 cannot follow run 1"),
            (edited("/runs/0/seed", json!("short")), "seed of run 1"),
            (
                edited("/runs/0/checkpoint", json!({ "base64": "?" })),
                "base64",
            ),
            (edited("/runs/0/now", json!("noon")), "line 1"),
            (
                edited("/runs/0/exchanges/0", json!({ "telnet": {} })),
                "telnet",
            ),
            (
                edited("/attempt/component/digest", json!("md5:0")),
                "line 1",
            ),
            (edited("/runs/0/outcome", json!("won")), "won"),
        ] {
            assert!(error.contains(said), "{said}: {error}");
        }
        for bytes in [&b""[..], b"[]", b"{", b"\xff", b"null"] {
            let error = Document::parse(bytes).unwrap_err();
            assert!(error.contains("no recording"), "{error}");
        }
    }
}
