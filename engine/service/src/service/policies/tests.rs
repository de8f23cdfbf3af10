//! What policies are asked about what people want, and what may happen meanwhile.

use std::sync::Mutex;

use fermata_core::actor::Actor;
use fermata_core::attempt::{Invocation, Ran};
use fermata_core::component::Grants;
use fermata_core::extension::{Judged, Notification, Notified, Question, Verdict};
use fermata_core::id::Digest;
use fermata_core::time::Span;
use fermata_store::Memory;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;

use super::*;
use crate::clock::SystemClock;
use crate::directory::Nobody;
use crate::ids::IdSource;
use crate::records::OnFailure;
use crate::runner::{ProgressSink, Runner};
use crate::{Config, Parts};

const LOOK: &str = "
process: look
inputs: { n: { type: integer, default: 1 } }
phases: { only: { activities: { look: { manual: { instructions: Look. } } } } }
";

/// Allows everything. Keeps what it was told, and amends a draft before it answers.
#[derive(Debug, Default)]
struct Allows {
    told: Arc<Mutex<Vec<Value>>>,
    amends: Arc<Mutex<Option<(Service, ReleaseId)>>>,
}

impl Runner for Allows {
    fn run(&self, _: Invocation, _: Arc<Grants>, _: ProgressSink) -> BoxFuture<'static, Ran> {
        std::future::pending().boxed()
    }

    fn notify(&self, _: Notification, _: Arc<Grants>) -> BoxFuture<'static, Notified> {
        std::future::pending().boxed()
    }

    fn judge(&self, question: Question, _: Arc<Grants>) -> BoxFuture<'static, Judged> {
        self.told.lock().unwrap().push(question.subject.value());
        let amends = self.amends.lock().unwrap().take();
        let answer = async move {
            if let Some((service, draft)) = amends {
                let amend = Command::AmendInputs {
                    inputs: Json::of(&json!({ "n": 2 })),
                    reason: "more".to_owned(),
                };
                service.input(ana(), ask(draft, amend)).await.unwrap();
            }
            Judged {
                verdict: Ok(Verdict::Allow),
                log: Vec::new(),
            }
        };
        answer.boxed()
    }
}

fn ana() -> Caller {
    Caller {
        actor: Actor::User("ana".parse().unwrap()),
        groups: Vec::new(),
    }
}

fn ask(release: ReleaseId, command: Command) -> Ask {
    Ask {
        release,
        command,
        expected: None,
        once: None,
    }
}

/// An engine with a policy that is asked before every start.
async fn world() -> (Service, Allows) {
    let runner = Allows::default();
    let parts = Parts {
        store: Arc::new(Memory::default()),
        runner: Arc::new(Allows {
            told: Arc::clone(&runner.told),
            amends: Arc::clone(&runner.amends),
        }),
        clock: Arc::new(SystemClock::default()),
        directory: Arc::new(Nobody),
        ids: IdSource::seeded(1),
        runtime: tokio::runtime::Handle::current(),
    };
    let service = Service::open(parts, Config::default()).unwrap();
    let gate = json!({ "name": "gate", "version": "1.0.0", "world": "policy" });
    let gate = serde_json::from_value(gate).unwrap();
    let bytes = b"gate".to_vec();
    let registered = service.register_component(ana(), gate, Digest::of(&bytes), bytes);
    registered.await.unwrap();
    let order = PolicyOrder {
        name: "gate".parse().unwrap(),
        component: "gate@1".parse().unwrap(),
        settings: Json::empty_object(),
        at: vec![Point::Start],
        processes: Vec::new(),
        on_failure: OnFailure::Deny,
        timeout: Span(1_000),
        enabled: true,
    };
    service.set_policy(ana(), order, None).await.unwrap();
    let document = LOOK.as_bytes().to_vec();
    service.publish(ana(), document).await.unwrap();
    (service, runner)
}

async fn make(service: &Service, start: bool) -> ReleaseId {
    let new = NewRelease {
        process: "look".parse().unwrap(),
        version: None,
        title: None,
        inputs: json!({}),
        start,
        once: None,
        emergency: Some("payments are down".to_owned()),
    };
    let made = service.create_release(ana(), new).await.unwrap();
    made.release.id()
}

#[tokio::test]
async fn a_draft_starts_only_as_it_was_judged() {
    let (service, runner) = world().await;
    let draft = make(&service, false).await;
    *runner.amends.lock().unwrap() = Some((service.clone(), draft));
    let started = service.input(ana(), ask(draft, Command::Start)).await;
    assert!(
        matches!(started, Err(InputError::Stale { .. })),
        "{started:?}"
    );
    let started = service.input(ana(), ask(draft, Command::Start)).await;
    assert_eq!(started.unwrap().state().word(), "running");
    let told = runner.told.lock().unwrap();
    let inputs: Vec<_> = told.iter().map(|told| &told["inputs"]["n"]).collect();
    assert_eq!(inputs, [&json!(1), &json!(2)]);
}

#[tokio::test]
async fn of_a_child_that_a_person_launches_the_parent_and_the_emergency_are_told() {
    let (service, runner) = world().await;
    let parent = make(&service, true).await;
    let launch = Command::Launch {
        activity: "only/look".to_owned(),
        process: "look".parse().unwrap(),
        version: None,
        inputs: Json::empty_object(),
    };
    service.input(ana(), ask(parent, launch)).await.unwrap();
    let told = runner.told.lock().unwrap();
    let told = &told[1];
    let place = json!({ "release": parent.to_string(), "activity": "only/look" });
    assert_eq!((&told["parent"], &told["release"]), (&place, &Value::Null));
    assert_eq!(told["emergency"], "payments are down");
}
