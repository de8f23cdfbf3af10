//! A server without a socket: requests in, answers out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use fermata_core::attempt::{
    Evidence, Invocation, LogLevel, LogLine, Outcome, Ran, Report, Resume,
};
use fermata_core::component::{Descriptor, Grants};
use fermata_core::extension::{Judged, Notification, Notified, Question, Untold, Verdict};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::Digest;
use fermata_core::json::Json;
use fermata_core::time::{Span, Timestamp};
use fermata_service::clock::Clock;
use fermata_service::config::Config;
use fermata_service::directory::Directory;
use fermata_service::ids::IdSource;
use fermata_service::runner::{ProgressSink, Runner};
use fermata_service::secrets::{KeyRing, Vault};
use fermata_service::{Parts, Service};
use fermata_store::{Memory, Store};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::access::{Access, Secret};
use crate::http::dto::meta::LimitBody;
use crate::http::problem::PROBLEM_JSON;
use crate::http::request::{Hosts, RequestIds};
use crate::http::{self, Admission, Admitted, Api, NativeCache, Rejected, Verified};
use crate::keyring::Source;
use crate::uploads::Uploads;

/// A process that asks people once.
pub(crate) const SIGN_OFF: &str = "\
process: sign-off
inputs:
  version: { type: string }
phases:
  only:
    activities:
      agree:
        manual:
          instructions: Look at it.
          form: { type: object, required: [verdict], properties: { verdict: { enum: [pass, fail] } } }
          approvals: [ { from: 'group:admins', count: 1 } ]
";
/// A process of one run that succeeds.
pub(crate) const RUNS: &str = "\
process: runs
phases:
  only:
    activities:
      work: { uses: works@1, with: { text: hello } }
";

/// An upload that takes too long to compile.
pub(crate) const SLOW: &str = "slow";

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct StillClock(AtomicI64);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Runs what the name of the component says.
#[derive(Debug)]
struct Script;

impl Runner for Script {
    fn run(
        &self,
        invocation: Invocation,
        _: Arc<Grants>,
        _: ProgressSink,
    ) -> BoxFuture<'static, Ran> {
        let line = |message: &str| LogLine {
            at: invocation.now,
            level: LogLevel::Info,
            message: message.into(),
        };
        let outcome = match invocation.component.name.as_str() {
            "breaks" => Outcome::Failed {
                failure: Failure::new(FailureClass::Permanent, "it does not work"),
                retry_after: None,
            },
            "waits" => Outcome::Pending {
                checkpoint: vec![1, 2, 3],
                resume: Resume::After(Span(60_000)),
                status: Some("for the weather".into()),
            },
            "hangs" => return std::future::pending().boxed(),
            _ => Outcome::Succeeded(Json::of(&json!({ "done": true }))),
        };
        let fact = json!({ "service": "shop", "environment": "live", "version": "1.2.3" });
        let evidence = Evidence {
            kind: "deployment".into(),
            fact: Json::of(&fact),
        };
        let report = Report {
            outcome,
            evidence: vec![evidence],
        };
        let ran = Ran {
            log: vec![line("began"), line("ended")],
            ..Ran::from(report)
        };
        std::future::ready(ran).boxed()
    }

    fn notify(&self, notification: Notification, _: Arc<Grants>) -> BoxFuture<'static, Notified> {
        let told = match notification.component.name.as_str() {
            "tells" => Ok(()),
            _ => Err(Untold {
                failure: Failure::new(FailureClass::Permanent, "it does not work"),
                retry_after: None,
            }),
        };
        let log = Vec::new();
        std::future::ready(Notified { told, log }).boxed()
    }

    fn judge(&self, question: Question, _: Arc<Grants>) -> BoxFuture<'static, Judged> {
        let said = format!("{} at {}", question.settings.as_str(), question.point);
        let verdict = match question.component.name.as_str() {
            "denies" => Ok(Verdict::Deny(said)),
            "warns" => Ok(Verdict::Warn(said)),
            "fails" => Err(Failure::new(FailureClass::Trap, "it crashed")),
            _ => Ok(Verdict::Allow),
        };
        if question.component.name.as_str() == "ponders" {
            return std::future::pending().boxed();
        }
        let line = LogLine {
            at: question.now,
            level: LogLevel::Info,
            message: question.subject.as_str().to_owned(),
        };
        let log = vec![line];
        std::future::ready(Judged { verdict, log }).boxed()
    }
}

/// Takes a descriptor for a component, and anything else for what it is not.
#[derive(Debug)]
struct Descriptors;

impl Admission for Descriptors {
    fn admit(&self, upload: Bytes) -> BoxFuture<'static, Result<Admitted, Rejected>> {
        // What follows the descriptor makes other bytes of the same version.
        let text = upload.split(|b| *b == b'#').next().unwrap_or_default();
        let admitted = match serde_json::from_slice::<Descriptor>(text) {
            Ok(descriptor) => Ok(Admitted {
                descriptor,
                digest: Digest::of(&upload),
                bytes: upload.to_vec(),
            }),
            Err(_) if text == SLOW.as_bytes() => Err(Rejected::Faulty {
                code: "compile-limit",
                detail: "it took more than 120 s".into(),
                remedy: "link less into the component",
                may_pass: true,
            }),
            Err(_) => Err(Rejected::Faulty {
                code: "not-wasm",
                detail: "these bytes are not WebAssembly".into(),
                remedy: "upload the .wasm file",
                may_pass: false,
            }),
        };
        std::future::ready(admitted).boxed()
    }

    fn verify(&self, upload: Bytes) -> BoxFuture<'static, Result<Verified, Rejected>> {
        let bytes = upload.len() as u64;
        let admitted = self.admit(upload);
        async move {
            let admitted = admitted.await?;
            Ok(Verified {
                descriptor: admitted.descriptor,
                digest: admitted.digest,
                imports: vec!["fermata:activity/log@0.1.0".into()],
                upload_bytes: bytes,
                component_bytes: bytes,
                native_bytes: 4 * bytes,
            })
        }
        .boxed()
    }

    fn native_cache(&self) -> NativeCache {
        NativeCache {
            bytes_max: 7,
            ..NativeCache::default()
        }
    }

    fn limits(&self) -> Vec<LimitBody> {
        vec![LimitBody {
            name: "memory".into(),
            value: 1,
            unit: "bytes".into(),
            beyond: "the run fails".into(),
            remedy: "use less".into(),
        }]
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {:#}", self.status, self.body);
        self.body
    }

    /// Checks that it is a whole problem document with this status and code.
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        let Self { body, .. } = self;
        assert_eq!(
            (self.status.as_u16(), body["code"].as_str()),
            (status, Some(code)),
            "{body:#}"
        );
        assert_eq!(self.header("content-type"), PROBLEM_JSON);
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("urn:fermata:problem:{code}"));
        assert_eq!(
            body["request_id"].as_str(),
            Some(self.header("x-request-id"))
        );
        for member in ["title", "detail", "instance"] {
            assert!(
                body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member}"
            );
        }
    }
}

/// A server without a socket.
pub(crate) struct World {
    pub(crate) api: Arc<Api>,
    pub(crate) router: Router,
    pub(crate) token: String,
    pub(crate) clock: Arc<StillClock>,
    /// Where uploads are gathered.
    pub(crate) folder: Arc<tempfile::TempDir>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_keys(crate::keyring::fresh().unwrap(), Source::Environment)
    }

    /// With these keys of secrets, which are from there.
    pub(crate) fn with_keys(keys: KeyRing, keys_from: Source) -> Self {
        let clock = Arc::new(StillClock(AtomicI64::new(1_700_000_000_000)));
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let secret = Secret::draw().unwrap();
        let access = Arc::new(Access::default());
        for change in Access::first(&secret, clock.now()) {
            access.learn(change);
        }
        let parts = Parts {
            store,
            runner: Arc::new(Script),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            directory: Arc::clone(&access) as Arc<dyn Directory>,
            ids: IdSource::random(),
            runtime: tokio::runtime::Handle::current(),
        };
        let secrets = Vault::open(&*parts.store, keys).unwrap();
        let service = Service::open(parts, Config::default());
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let uploads = Uploads::load(folder.path().to_owned(), clock.now());
        let api = Arc::new(Api {
            service: service.unwrap(),
            sandbox: Arc::new(Descriptors),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            access,
            signals: crate::access::signals::Signals::draw().unwrap(),
            uploads: Arc::new(uploads.unwrap()),
            downloads: http::wasm::Downloads::default(),
            secrets: Arc::new(secrets),
            keys_from,
            hosts: Hosts::new(true, Vec::new()),
            request_ids: RequestIds::new(0),
            metrics: http::metrics::Metrics::default(),
            stopping: http::stopping::Stopping::default(),
            description: http::description(),
        });
        Self {
            router: http::router(Arc::clone(&api)),
            api,
            token: secret.expose().into(),
            clock,
            folder,
        }
    }

    /// With the components that scripts know, and the processes of this file.
    pub(crate) async fn furnished() -> Self {
        let world = Self::new();
        for name in ["works", "breaks", "waits", "hangs"] {
            let upload = component(name, "1.0.0").to_string();
            world.call("POST", "/components", upload).await.ok();
        }
        for document in [SIGN_OFF, RUNS] {
            world.call("POST", "/processes", document).await.ok();
        }
        world
    }

    /// Moves the clock.
    pub(crate) fn later(&self, span: Span) {
        let by = i64::try_from(span.0).unwrap();
        self.clock.0.fetch_add(by, Ordering::Relaxed);
    }

    /// Asks, and leaves the body of the answer where it is.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends a request as it is.
    pub(crate) async fn raw(&self, request: Request<Body>) -> Answer {
        let response = self.open(request).await;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    /// A request to the API as the administrator.
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.token))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Body::empty()).await
    }

    /// Sends a body that is not JSON.
    pub(crate) async fn call(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = self.request(method, path).body(body.into());
        self.raw(request.unwrap()).await
    }

    /// Sends JSON.
    pub(crate) async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.json_with(method, path, body, &[]).await
    }

    /// Sends JSON with further headers.
    pub(crate) async fn json_with(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = self
            .request(method, path)
            .header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.raw(request.body(body.to_string().into()).unwrap())
            .await
    }

    /// Starts a release of `process` and gives it as it is when it has ended or waits.
    pub(crate) async fn start(&self, process: &str) -> Value {
        let body = json!({ "process": process, "inputs": inputs(process) });
        self.json("POST", "/releases", &body).await.ok()
    }

    /// Acts on a release.
    pub(crate) async fn act(&self, id: &str, action: &Value) -> Answer {
        self.json("POST", &format!("/releases/{id}/actions"), action)
            .await
    }

    /// A new token for `principal` with a role.
    pub(crate) async fn token(&self, principal: &str, role: &str) -> Value {
        let order = json!({ "principal": principal, "role": role });
        self.json("POST", "/tokens", &order).await.ok()
    }

    /// The same server for another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            api: Arc::clone(&self.api),
            router: self.router.clone(),
            token: token.into(),
            clock: Arc::clone(&self.clock),
            folder: Arc::clone(&self.folder),
        }
    }
}

fn inputs(process: &str) -> Value {
    if process == "sign-off" {
        json!({ "version": "1.0.0" })
    } else {
        json!({})
    }
}

/// The text of `value`.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What `describe` of a component says.
pub(crate) fn component(name: &str, version: &str) -> Value {
    json!({ "name": name, "version": version, "summary": "For tests." })
}
