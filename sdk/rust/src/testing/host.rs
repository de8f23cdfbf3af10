//! The fake host: what it answers, and what it saw.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use crate::http::{Cause, Received};
use crate::log::Level;

pub use crate::http::Request;

thread_local! {
    static CURRENT: RefCell<Host> = RefCell::new(Host::default());
}

/// A fake host for the activities that run on this thread.
#[derive(Clone, Debug, Default)]
pub struct Host(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    answers: HashMap<(String, String), VecDeque<Answer>>,
    secrets: BTreeSet<String>,
    requests: Vec<Request>,
    log: Vec<(Level, String)>,
    progress: Vec<(Option<u8>, String)>,
    evidence: Vec<(String, Value)>,
    attachments: Vec<Attachment>,
}

/// What the fake host answers to a request.
#[derive(Clone, Debug)]
pub struct Answer(Result<Received, Cause>);

/// Bytes that an activity attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The name.
    pub name: String,
    /// The media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self::text(status, "")
    }

    /// A status with a text.
    pub fn text(status: u16, body: &str) -> Self {
        Self(Ok(Received {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }))
    }

    /// A status with JSON.
    ///
    /// # Panics
    /// If `body` is no JSON.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("a body that is JSON");
        Self::text(status, &body).header("content-type", "application/json")
    }

    /// No answer at all.
    pub fn error(cause: Cause) -> Self {
        Self(Err(cause))
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(received) = &mut self.0 {
            received
                .headers
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
        self
    }
}

impl Host {
    /// A clean host, which activities on this thread see from now on.
    pub fn install() -> Self {
        let host = Self::default();
        CURRENT.set(host.clone());
        host
    }

    pub(super) fn current() -> Self {
        CURRENT.with_borrow(Self::clone)
    }

    /// Answers calls of `url`. Several answers are given one after the other; the last one is given again and again.
    /// A call without an answer fails as unreachable.
    pub fn answer(&self, method: &str, url: &str, answer: Answer) -> &Self {
        let key = (method.to_owned(), url.to_owned());
        self.0
            .borrow_mut()
            .answers
            .entry(key)
            .or_default()
            .push_back(answer);
        self
    }

    /// Grants the secret `name`. Its handle is `<secret:name>`.
    pub fn secret(&self, name: &str) -> &Self {
        self.0.borrow_mut().secrets.insert(name.to_owned());
        self
    }

    /// The requests that were sent, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.0.borrow().requests.clone()
    }

    /// The requests that were sent, in order, as `METHOD URL`.
    pub fn calls(&self) -> Vec<String> {
        let shown = |request: &Request| format!("{} {}", request.method(), request.url());
        self.0.borrow().requests.iter().map(shown).collect()
    }

    /// The lines that were logged, in order, as `level: message`.
    pub fn log(&self) -> Vec<String> {
        let shown = |(level, message): &(Level, String)| format!("{level}: {message}");
        self.0.borrow().log.iter().map(shown).collect()
    }

    /// What was reported as progress, in order.
    pub fn progress(&self) -> Vec<(Option<u8>, String)> {
        self.0.borrow().progress.clone()
    }

    /// The facts that were recorded, in order, with their kinds.
    pub fn evidence(&self) -> Vec<(String, Value)> {
        self.0.borrow().evidence.clone()
    }

    /// What was attached, in order.
    pub fn attachments(&self) -> Vec<Attachment> {
        self.0.borrow().attachments.clone()
    }

    pub(super) fn send(&self, request: &Request) -> Result<Received, Cause> {
        let mut state = self.0.borrow_mut();
        state.requests.push(request.clone());
        let key = (request.method.clone(), request.url.clone());
        let answer = match state.answers.get_mut(&key) {
            Some(answers) if answers.len() > 1 => answers.pop_front(),
            Some(answers) => answers.front().cloned(),
            None => None,
        };
        answer.map_or_else(
            || Err(Cause::Unreachable("the test prepared no answer".to_owned())),
            |answer| answer.0,
        )
    }

    pub(super) fn knows_secret(&self, name: &str) -> bool {
        self.0.borrow().secrets.contains(name)
    }

    pub(super) fn push_log(&self, level: Level, message: &str) {
        self.0.borrow_mut().log.push((level, message.to_owned()));
    }

    pub(super) fn push_progress(&self, percent: Option<u8>, message: &str) {
        let report = (percent, message.to_owned());
        self.0.borrow_mut().progress.push(report);
    }

    pub(super) fn push_evidence(&self, kind: &str, fact: Value) {
        self.0.borrow_mut().evidence.push((kind.to_owned(), fact));
    }

    pub(super) fn push_attachment(&self, attachment: Attachment) {
        self.0.borrow_mut().attachments.push(attachment);
    }
}
