//! The same for recordings: `golden/recordings.txt`.

use std::path::PathBuf;
use std::{env, fs};

use fermata_core::attempt::{Call, Evidence, Outcome, Resume, Usage};
use fermata_core::component::{Grants, HttpGrant, Pin};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::recording::{
    Body, Content, Exchange, HttpAnswer, HttpExchange, RecordedAttempt, RecordedRun, SecretAnswer,
};
use fermata_core::time::{Span, Timestamp};
use fermata_store::codec;

use super::hex;

fn attempt(call: Call) -> RecordedAttempt {
    let name = |text: &str| text.parse().expect("a name");
    RecordedAttempt {
        component: Pin {
            name: name("deploy"),
            version: "1.2.3".parse().expect("a version"),
            digest: Digest::of(b"bytes"),
        },
        release: ReleaseId(7),
        process: name("bank"),
        phase: name("staging"),
        activity: name("payment"),
        attempt: 3,
        number: 2,
        idempotency_key: "rel/staging/payment".into(),
        call,
        inputs: Json::empty_object(),
    }
}

fn exchanges() -> Vec<Exchange> {
    let body = || Body {
        content: Content(vec![0xff, 0]),
        bytes: 9,
    };
    let answers = [
        HttpAnswer::Nothing,
        HttpAnswer::Response {
            status: 200,
            headers: vec![("a".into(), "b".into())],
            body: body(),
        },
        HttpAnswer::Denied {
            what: "w".into(),
            grant: Some("g".into()),
        },
        HttpAnswer::Invalid("i".into()),
        HttpAnswer::Timeout,
        HttpAnswer::Unreachable("u".into()),
        HttpAnswer::TooLarge(8),
    ];
    let calls = answers.map(|answer| {
        Exchange::Http(HttpExchange {
            method: "PUT".into(),
            url: "https://a.example/".into(),
            headers: vec![("h".into(), "v".into())],
            body: Some(body()),
            answer,
            ms: 7,
        })
    });
    let secrets = [
        SecretAnswer::StandIn("fsec_1".into()),
        SecretAnswer::Unknown,
        SecretAnswer::Sealed("s".into()),
        SecretAnswer::Denied,
    ];
    let secrets = secrets.map(|answer| Exchange::Secret {
        name: "token".into(),
        answer,
    });
    let fact = Exchange::Evidence {
        kind: "link".into(),
        bytes: 5,
        refused: Some("r".into()),
    };
    calls.into_iter().chain(secrets).chain([fact]).collect()
}

fn run(outcome: Outcome) -> RecordedRun {
    RecordedRun {
        run: 2,
        now: Timestamp(1_000),
        began: Timestamp(1_001),
        wall: Span(60_000),
        grants: Grants {
            http: vec![HttpGrant {
                host: "a.example".into(),
                methods: vec!["PUT".into()],
                private: true,
            }],
            secrets: Vec::new(),
        },
        checkpoint: Some(Content(vec![1])),
        signal: Some(Json::empty_object()),
        seed: Some(Content(vec![2; 32])),
        wall_clock_ns: vec![-1],
        monotonic_clock_ns: vec![1],
        exchanges: exchanges(),
        missed: 1,
        redacted: true,
        outcome,
        evidence: vec![Evidence {
            kind: "link".into(),
            fact: Json::empty_object(),
        }],
        usage: Usage {
            took_ms: 1,
            cpu_us: 2,
            cpu_resolution_us: 3,
            memory_bytes: 4,
            table_elements: 5,
            input_bytes: 6,
            output_bytes: 7,
            checkpoint_bytes: 8,
            evidence_facts: 9,
            http_calls: 10,
            http_response_bytes: 11,
            log_bytes: 12,
            log_lines: 13,
        },
    }
}

/// Every kind of end, and with each of them all kinds of exchanges.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let pending = |resume| Outcome::Pending {
        checkpoint: vec![3],
        resume,
        status: Some("waits".into()),
    };
    let failed = Outcome::Failed {
        failure: Failure::new(FailureClass::Retryable, "m"),
        retry_after: Some(Span(5)),
    };
    let undo = Call::Undo {
        outputs: Some(Json::empty_object()),
    };
    let signal = "go".parse().expect("a name");
    let runs = [
        ("succeeded", Outcome::Succeeded(Json::empty_object())),
        ("pending-time", pending(Resume::After(Span(4)))),
        ("pending-signal", pending(Resume::Signal(signal))),
        ("failed", failed),
    ];
    let mut samples = vec![
        ("attempt-run", codec::encode(&attempt(Call::Run))),
        ("attempt-undo", codec::encode(&attempt(undo))),
    ];
    samples.extend(runs.map(|(name, outcome)| {
        let bytes = codec::encode(&run(outcome.clone()));
        let read: RecordedRun = codec::decode(&bytes).expect("it reads back");
        assert_eq!(read, run(outcome));
        (name, bytes)
    }));
    samples
}

#[test]
fn recordings_have_the_bytes_that_they_had() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/store/golden/recordings.txt");
    let lines = samples().into_iter();
    let lines: Vec<String> = lines
        .map(|(name, bytes)| format!("{name} = {}\n", hex(&bytes)))
        .collect();
    if env::var_os("UPDATE").is_some() && !path.exists() {
        fs::write(&path, lines.concat()).expect("the file can be written");
    }
    let stored = fs::read_to_string(path).expect("UPDATE=1 writes it the first time");
    assert_eq!(
        stored,
        lines.concat(),
        "stored recordings could not be read"
    );
}
