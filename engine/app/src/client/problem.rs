//! `application/problem+json` as the server writes it (RFC 9457), read with an open mind.

use std::fmt;

use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exit::Exit;

/// Longest piece of an unexpected body that is shown.
const FOREIGN_BODY_CHARS_MAX: usize = 200;

/// What the server said no with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// A stable code, such as `unknown-activity`.
    pub(crate) code: Option<String>,
    /// The kind of problem, in words.
    pub(crate) title: Option<String>,
    /// What is wrong with this request.
    pub(crate) detail: Option<String>,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// What is wrong with a document.
    pub(crate) defects: Vec<Defect>,
    /// What to look for in the server's log.
    pub(crate) request_id: Option<String>,
}

/// One fault of a document, as the server found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Defect {
    /// A stable code, such as `unknown-key`.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) message: String,
    /// Where, counted from 1.
    pub(crate) line: u32,
    /// Where in the line, in characters, counted from 1.
    pub(crate) column: u32,
    /// The lines around it, with a marker.
    pub(crate) snippet: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// The problem in a bad answer; a made-up one if the body is none.
    pub(crate) fn parse(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut problem = serde_json::from_slice::<Value>(body)
            .ok()
            .filter(Value::is_object)
            .and_then(|value| serde_json::from_value(value).ok())
            .unwrap_or_else(|| Self {
                detail: foreign(body),
                ..Self::default()
            });
        problem.status = status;
        if problem.request_id.is_none() {
            problem.request_id = headers
                .get("x-request-id")
                .and_then(|value| value.to_str().ok())
                .map(ToOwned::to_owned);
        }
        problem
    }

    /// The exit code for it.
    pub(crate) fn exit(&self) -> Exit {
        match self.status {
            401 | 403 => Exit::Unauthorised,
            404 | 410 => Exit::Missing,
            500.. => Exit::Server,
            _ => Exit::Refused,
        }
    }

    /// What to do next: what the server says, else what the status suggests.
    pub(crate) fn next(&self) -> Option<String> {
        if let Some(hint) = &self.hint {
            return Some(hint.clone());
        }
        let next = match self.status {
            401 => {
                "pass a token: --token-file FILE, FERMATA_TOKEN_FILE or FERMATA_TOKEN; the server wrote its first one to DATA-DIR/bootstrap-token"
            }
            403 => "ask an administrator for a token that may do this (`fermata token create`)",
            404 => "check the spelling; `list` and `show` commands name what there is",
            412 => "somebody else changed it meanwhile: look again, then repeat",
            413 => "it is larger than the server takes; `GET /api/v1/limits` lists the limits",
            429 => "wait a moment, then repeat",
            503 => {
                "the server is starting, stopping or short of something: wait a moment, then repeat"
            }
            500.. => "look at the server's log for this request",
            _ => return None,
        };
        Some(next.into())
    }
}

/// The beginning of a body that is no problem, in case it helps.
fn foreign(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    let shown = line.chars().filter(|c| !c.is_control());
    Some(shown.take(FOREIGN_BODY_CHARS_MAX).collect())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.detail, &self.title) {
            (Some(detail), _) => f.write_str(detail)?,
            (None, Some(title)) => f.write_str(title)?,
            (None, None) => write!(f, "the server answered with status {}", self.status)?,
        }
        match &self.code {
            Some(code) => write!(f, " ({code})")?,
            None => write!(f, " (status {})", self.status)?,
        }
        if let Some(id) = self.request_id.as_ref().filter(|_| self.status >= 500) {
            write!(f, ", request {id}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message, the next thing to do and the exit code for an answer.
    fn shown(status: u16, body: &str) -> (String, Option<String>, Exit) {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", "req-7".parse().expect("a header"));
        let problem = Problem::parse(status, &headers, body.as_bytes());
        (problem.to_string(), problem.next(), problem.exit())
    }

    #[test]
    fn problems_say_what_and_what_next() {
        let body = r#"{"title":"Refused","detail":"the release is paused already","code":"already-paused","hint":"resume it first","extra":{"a":1}}"#;
        assert_eq!(
            shown(409, body),
            (
                "the release is paused already (already-paused)".into(),
                Some("resume it first".into()),
                Exit::Refused
            )
        );
        let (what, next, exit) = shown(401, r#"{"title":"Unauthorised","code":"no-token"}"#);
        assert_eq!(
            (what.as_str(), exit),
            ("Unauthorised (no-token)", Exit::Unauthorised)
        );
        assert!(next.expect("advice").contains("bootstrap-token"));
        assert_eq!(shown(404, "{}").2, Exit::Missing);
        assert_eq!(shown(422, "{}").2, Exit::Refused);
    }

    #[test]
    fn server_failures_name_the_request() {
        let (what, _, exit) = shown(500, r#"{"title":"Internal error","code":"internal"}"#);
        assert_eq!(
            (what.as_str(), exit),
            ("Internal error (internal), request req-7", Exit::Server)
        );
    }

    #[test]
    fn bodies_that_are_no_problem_are_shown_shortly() {
        for (body, expected) in [
            (
                "",
                "the server answered with status 502 (status 502), request req-7",
            ),
            ("<html>\n", "<html> (status 502), request req-7"),
            ("[1]", "[1] (status 502), request req-7"),
            ("\u{1b}[31mred", "[31mred (status 502), request req-7"),
            (
                r#"{"detail":5}"#,
                "{\"detail\":5} (status 502), request req-7",
            ),
        ] {
            assert_eq!(shown(502, body).0, expected);
        }
        assert!(shown(502, &"x".repeat(5_000)).0.len() < 300);
    }

    #[test]
    fn defects_are_read() {
        let body = r#"{"defects":[{"code":"unknown-key","message":"no","line":3,"column":5,"snippet":"x","hint":"y","later":1}]}"#;
        let problem = Problem::parse(422, &HeaderMap::new(), body.as_bytes());
        assert_eq!((problem.defects.len(), problem.defects[0].line), (1, 3));
    }
}
