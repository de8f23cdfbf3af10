//! What is recorded of a run, and a run that is told again what was recorded.

use std::sync::{Arc, Mutex};

use fermata_core::attempt::{Outcome, Ran};
use fermata_core::recording::{Exchange, HttpAnswer, RecordedRun, Recording, SecretAnswer};
use fermata_host::{Answered, Answers, Asked, Given, Recordings, Unanswered};

use crate::calls::{secret_grants, with_secrets};
use crate::kit::Kit;
use crate::server;
use crate::source::{SUCCEED, guest};
use crate::wasi::component;

const PRIVATE: &str = r#"{"http":[{"host":"*","private":true}]}"#;

fn recording(ran: Ran) -> Recording {
    *ran.recording.expect("it is recorded")
}

/// The statuses and errors of HTTP calls, in order.
fn answers(run: &RecordedRun) -> Vec<String> {
    let calls = run.exchanges.iter().filter_map(|exchange| match exchange {
        Exchange::Http(call) => Some(call),
        _ => None,
    });
    calls
        .map(|call| match &call.answer {
            HttpAnswer::Response { status, .. } => status.to_string(),
            HttpAnswer::Denied { .. } => "denied".into(),
            other => format!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn a_run_that_fails_is_recorded_and_one_that_succeeds_is_not() {
    let fails = "(call $fail (i32.const 0) «no»)";
    for (recordings, run, is_kept) in [
        (Recordings::Failed, SUCCEED, false),
        (Recordings::Failed, fails, true),
        (Recordings::None, fails, false),
        (Recordings::All, SUCCEED, true),
    ] {
        let kit = Kit::new(|config| config.recordings = recordings);
        let ran = kit.run(guest(run), "{}").await;
        assert_eq!(ran.recording.is_some(), is_kept, "{recordings:?} {run}");
        assert_eq!(ran.usage.input_bytes, 11);
        let exact = recordings == Recordings::All;
        assert_eq!(ran.usage.cpu_resolution_us < 1_000, exact);
        if let Some(kept) = ran.recording {
            assert_eq!(kept.run.outcome, ran.report.outcome);
            assert_eq!(kept.attempt.idempotency_key, "release/phase/activity");
            assert_eq!(kept.run.usage, ran.usage);
        }
    }
}

#[tokio::test]
async fn calls_and_denials_and_facts_are_in_order() {
    let server = server::start().await;
    let address = server.address;
    let run = format!(
        "(drop (call $call «http://{address}/a» (i32.const 0) (i32.const 0)))
        (drop (call $call «ftp://{address}/» (i32.const 0) (i32.const 0)))
        (call $record «link» «{{\"a\":1}}» (i32.const 3000))
        (call $record «other» «{{}}» (i32.const 3000))
        (drop (call $call «http://{address}/large» (i32.const 0) (i32.const 0)))
        (call $fail (i32.const 0) «no»)"
    );
    let kit = Kit::new(|_| ());
    let kept = recording(kit.run(guest(&run), PRIVATE).await);
    let found = answers(&kept.run);
    assert_eq!(found[0], "200");
    assert!(found[1].starts_with("Invalid"), "{found:?}");
    assert!(found[2].starts_with("TooLarge"), "{found:?}");
    let facts = kept
        .run
        .exchanges
        .iter()
        .filter_map(|exchange| match exchange {
            Exchange::Evidence { kind, refused, .. } => Some((kind.as_str(), refused.is_some())),
            _ => None,
        });
    assert_eq!(
        facts.collect::<Vec<_>>(),
        [("link", false), ("other", true)]
    );
    assert_eq!(kept.run.grants.http[0].host, "*");
    let denied = kit.run(guest(&run), "{}").await;
    assert_eq!(answers(&recording(denied).run)[0], "denied");
}

#[tokio::test]
async fn a_flood_of_calls_stays_within_the_bound() {
    const BYTES: u64 = 20_000;
    let server = server::start().await;
    let run = format!(
        "(local $n i32)
        (loop $again
          (drop (call $call «http://{}/endless» (i32.const 0) (i32.const 0)))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 10))))
        (call $fail (i32.const 0) «no»)",
        server.address
    );
    let kit = Kit::limited(|limits| limits.recording_bytes = BYTES);
    let kept = recording(kit.run(guest(&run), PRIVATE).await).run;
    let Exchange::Http(call) = &kept.exchanges[0] else {
        panic!("{:?}", kept.exchanges)
    };
    let HttpAnswer::Response { body, .. } = &call.answer else {
        panic!("{:?}", call.answer)
    };
    assert!(!body.is_whole() && body.bytes == 200_000);
    assert!(body.content.0.len() as u64 <= BYTES);
    assert_eq!(kept.exchanges.len() as u64 + kept.missed, 10);
}

#[tokio::test]
async fn no_secret_is_in_a_recording() {
    let (kit, server) = (with_secrets(), server::start().await);
    let address = server.address;
    let run = format!(
        "(drop (call $with_secret «token» «http://{address}/»))
        (drop (call $call «http://{address}/correct-horse» (i32.const 0) (i32.const 0)))
        (drop (call $call «http://{address}/?q=correct%2Dhorse» (i32.const 0) (i32.const 0)))
        (call $record «correct-horse» «{{}}» (i32.const 3000))
        (call $handle «other» (i32.const 3000))
        (call $fail (i32.const 0) «it was correct-horse»)"
    );
    let ran = kit
        .run(guest(&run), &secret_grants(&[address.to_string()]))
        .await;
    let kept = recording(ran);
    let text = serde_json::to_string(&kept.run).unwrap();
    for form in ["correct-horse", "correct%2Dhorse", "Y29ycmVjdC1ob3JzZQ"] {
        assert!(!text.contains(form), "{text}");
    }
    // What is there instead is what the guest had, so that a replay can have it again.
    let Exchange::Secret {
        answer: SecretAnswer::StandIn(stand_in),
        ..
    } = &kept.run.exchanges[0]
    else {
        panic!("{text}")
    };
    assert!(text.matches(stand_in.as_str()).count() >= 3, "{text}");
}

/// Tells a run what another one was told.
#[derive(Debug, Default)]
struct Again(Mutex<Option<RecordedRun>>);

impl Answers for Again {
    fn answer(&self, _: &Asked<'_>) -> Result<Answered, Unanswered> {
        Err(Unanswered::Never)
    }

    fn given(&self) -> Option<Given> {
        let run = self.0.lock().unwrap();
        let run = run.as_ref()?;
        Some(Given {
            seed: run
                .seed
                .as_ref()
                .map(|seed| seed.0.as_slice().try_into().unwrap()),
            wall_clock_ns: run.wall_clock_ns.clone(),
            ..Given::default()
        })
    }
}

#[tokio::test]
async fn time_and_chance_can_be_told_again() {
    // The time and a random number, as the checkpoint.
    let run = "(call $now (i32.const 4000)) (i64.store (i32.const 4016) (call $random))
        (call $suspend (i32.const 4000) (i32.const 24) (i32.const 0))";
    let again = Arc::new(Again::default());
    let answers: Arc<dyn Answers> = Arc::<Again>::clone(&again);
    let kit = Kit::new(|config| config.answers = Some(answers));
    let first = kit.run(component(run), "{}").await;
    let other = kit.run(component(run), "{}").await;
    assert_ne!(first.report, other.report);
    *again.0.lock().unwrap() = Some(recording(first.clone()).run);
    let told = kit.run(component(run), "{}").await;
    assert_eq!(told.report, first.report);
}

#[tokio::test]
async fn a_call_that_was_never_answered_ends_the_run_as_its_time_does() {
    let kit = Kit::new(|config| config.answers = Some(Arc::new(Again::default())));
    let run = "(call $call «http://a.example/» (i32.const 0) (i32.const 0))";
    let ran = kit.run(guest(run), PRIVATE).await;
    let Outcome::Failed { failure, .. } = &ran.report.outcome else {
        panic!("{ran:?}")
    };
    assert_eq!(failure.class.code(), "limit");
    assert_eq!(answers(&recording(ran).run), ["Nothing"]);
}
