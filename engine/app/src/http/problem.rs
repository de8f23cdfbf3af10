//! What the API says no with: `application/problem+json` (RFC 9457), and the one table of codes.

use std::borrow::Cow;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use fermata_core::defect::Defect;

use crate::http::dto::component::UploadDefectBody;
use crate::http::dto::problem::ProblemBody;
use crate::http::request;

/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
/// Seconds after which a client may ask again, when nothing better is known.
const RETRY_AFTER_SECONDS: u32 = 1;

/// One row of the table: what every problem with this code has in common.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// A stable word for programs.
    pub(crate) code: &'static str,
    /// The kind of problem, in words.
    pub(crate) title: &'static str,
    /// What to do about it, where one answer fits every case.
    pub(crate) hint: Option<&'static str>,
}

/// Declares the table: one constant a row, and the list of all of them.
macro_rules! table {
    ($($name:ident: $status:ident $code:literal $title:literal $(hint $hint:literal)?;)*) => {
        $(
            #[doc = $title]
            pub(crate) const $name: Kind = Kind {
                status: StatusCode::$status,
                code: $code,
                title: $title,
                hint: hint!($($hint)?),
            };
        )*
        /// Every row, for the documentation and the test of its uniqueness.
        pub(crate) const TABLE: &[&Kind] = &[$(&$name),*];
    };
}

macro_rules! hint {
    () => {
        None
    };
    ($hint:literal) => {
        Some($hint)
    };
}

table! {
    INVALID_REQUEST: BAD_REQUEST "invalid-request" "The request cannot be understood";
    INVALID_JSON: BAD_REQUEST "invalid-json" "The body is not JSON" hint "send one JSON value in UTF-8";
    INVALID_QUERY: BAD_REQUEST "invalid-query" "The query cannot be understood";
    INVALID_CURSOR: BAD_REQUEST "invalid-cursor" "The cursor is none of this list" hint "take `next_cursor` of the page before, or leave the cursor out";
    INVALID_HEADER: BAD_REQUEST "invalid-header" "A header cannot be understood";
    NO_TOKEN: UNAUTHORIZED "no-token" "No token" hint "send `Authorization: Bearer TOKEN`; the server wrote its first token to DATA-DIR/bootstrap-token";
    INVALID_TOKEN: UNAUTHORIZED "invalid-token" "The token is not valid" hint "it may be misspelt, expired or revoked: ask an administrator for a new one (`fermata token create`)";
    UNKNOWN_SIGNAL: UNAUTHORIZED "unknown-signal" "There is no such signal, or its secret is wrong" hint "`fermata release why` shows a member the URL and the secret of every signal that a release waits for";
    FORBIDDEN: FORBIDDEN "forbidden" "The token may not do this";
    FOREIGN_HOST: FORBIDDEN "foreign-host" "The server is not known under this name" hint "add the name to `hosts` in the configuration of the server";
    NOT_FOUND: NOT_FOUND "not-found" "There is no such resource" hint "GET /api/v1/openapi.json lists what there is";
    UNKNOWN_PROCESS: NOT_FOUND "unknown-process" "There is no such process version" hint "`fermata process list` shows what is published";
    UNKNOWN_COMPONENT: NOT_FOUND "unknown-component" "There is no such component version" hint "`fermata component list` shows what is uploaded";
    UNKNOWN_DEFINITION: NOT_FOUND "unknown-definition" "There is no such definition" hint "`fermata definition list` shows what is published";
    UNKNOWN_INPUT_SET: NOT_FOUND "unknown-input-set" "The process has no such input set" hint "`fermata process input-set list PROCESS` shows what is kept";
    UNKNOWN_NOTIFIER: NOT_FOUND "unknown-notifier" "There is no such notifier" hint "`fermata notifier list` shows the notifiers";
    UNKNOWN_RELEASE: NOT_FOUND "unknown-release" "There is no such release" hint "`fermata release list` shows the releases";
    UNKNOWN_ACTIVITY: NOT_FOUND "unknown-activity" "The process has no such activity" hint "activities are named PHASE/ACTIVITY, as the release shows them";
    UNKNOWN_ATTEMPT: NOT_FOUND "unknown-attempt" "The activity has no such attempt";
    UNKNOWN_RECORDING: NOT_FOUND "unknown-recording" "The attempt left no recording" hint "attempts that failed leave one; `recordings` in the configuration of the server says which do, and older ones make room for newer ones";
    UNKNOWN_TOKEN: NOT_FOUND "unknown-token" "There is no such token" hint "`fermata token list` shows the tokens";
    UNKNOWN_SECRET: NOT_FOUND "unknown-secret" "There is no such secret" hint "`fermata secret list` shows the secrets";
    UNKNOWN_POLICY: NOT_FOUND "unknown-policy" "There is no such policy" hint "`fermata policy list` shows the policies";
    UNKNOWN_FILE: NOT_FOUND "unknown-file" "No such file is attached to the release";
    UNKNOWN_UPLOAD: NOT_FOUND "unknown-upload" "There is no such upload" hint "it may have ended, or be older than a day: begin again with POST /api/v1/uploads";
    UNKNOWN_PRINCIPAL: NOT_FOUND "unknown-principal" "There is no such principal";
    METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED "method-not-allowed" "The resource has no such method" hint "the Allow header lists the methods";
    TIMEOUT: REQUEST_TIMEOUT "request-timeout" "The body did not arrive in time";
    REFUSED: CONFLICT "refused" "The state forbids it";
    NOT_A_BACKUP: CONFLICT "not-a-backup" "They have not named you as their backup" hint "they name a backup and a period with `fermata principal backup NAME --until 7d`; a backup cannot pass it on";
    ALREADY_DELEGATED: CONFLICT "already-delegated" "There is a backup already" hint "take that one back first: DELETE /api/v1/me/backup";
    VERSION_EXISTS: CONFLICT "version-exists" "The version exists with other content" hint "versions never change: give it another version";
    COMPONENT_IN_USE: CONFLICT "component-in-use" "The version is in use" hint "`used-by` lists by what; a process version uses it for ever";
    COMPONENT_QUARANTINED: CONFLICT "component-quarantined" "The component is in quarantine" hint "use another version of it, or ask an administrator to lift the quarantine (`fermata component lift`)";
    POLICY_DENIED: CONFLICT "policy-denied" "A policy does not let it happen" hint "do what it asks for, or have an administrator change it: `fermata policy show NAME`";
    NOT_IN_QUARANTINE: CONFLICT "not-in-quarantine" "The digest is not in quarantine" hint "`fermata component quarantined` lists what is";
    UPLOAD_OFFSET: CONFLICT "upload-offset" "The piece does not begin where the last one ended" hint "go on at the header Upload-Offset of this answer";
    UPLOAD_BUSY: CONFLICT "upload-busy" "Another request is working on the upload" hint "wait until it has ended, then ask how far it came";
    UPLOAD_INCOMPLETE: CONFLICT "upload-incomplete" "Not all of the upload has arrived" hint "send the rest with PATCH, beginning at its offset";
    SECRET_IN_USE: CONFLICT "secret-in-use" "The secret is granted to components" hint "take it out of their grants first (`fermata component grant`), or delete it all the same with `force`";
    NO_SECRETS_KEY: CONFLICT "no-secrets-key" "There is no key to seal secrets with" hint "put the key file back and restart the server; if it is lost, `fermata secret new-key FILE` makes another one, and every secret has to be set again";
    KEY_IS_GIVEN: CONFLICT "key-is-given" "The server does not manage its keys itself" hint "put a new key before the old one (`fermata secret new-key FILE` does it in a file) and restart the server: it seals everything again";
    TOO_MANY_KEYS: CONFLICT "too-many-keys" "There is no place for another key" hint "stop the server, delete the last lines of its key file, and start it again; backups that were sealed with those keys need a copy of them";
    KEY_NOT_KEPT: CONFLICT "key-not-kept" "The new key could not be written" hint "nothing has changed: repair the key file or its folder, then repeat";
    RECORD_EXISTS: CONFLICT "exists" "There is one already";
    QUARANTINED: CONFLICT "quarantined" "The release is quarantined" hint "it broke an invariant and takes nothing until the engine was repaired and restarted; the log says which";
    LAST_ADMINISTRATOR: CONFLICT "last-administrator" "Nobody could administer the server any more" hint "create another token with the role admin first";
    STALE: PRECONDITION_FAILED "stale" "It has changed meanwhile" hint "read it again, then repeat with its new ETag";
    TOO_LARGE: PAYLOAD_TOO_LARGE "too-large" "The body is too large" hint "GET /api/v1/limits lists the limits";
    MEDIA_TYPE: UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body has another media type" hint "send `Content-Type: application/json`";
    DEFECTS: UNPROCESSABLE_ENTITY "defects" "The document has defects";
    INVALID_BODY: UNPROCESSABLE_ENTITY "invalid-body" "The body does not fit" hint "GET /api/v1/openapi.json describes the body";
    INVALID_LOCK: UNPROCESSABLE_ENTITY "invalid-lock" "The lock or its capacity cannot be one";
    INVALID_VALUES: UNPROCESSABLE_ENTITY "invalid-values" "Values do not fit their schema";
    MISSING_COMPONENTS: UNPROCESSABLE_ENTITY "missing-components" "Components are not in the registry" hint "upload them with `fermata component push`";
    OTHER_COMPONENT: UNPROCESSABLE_ENTITY "other-component" "The component says it is another one" hint "upload it under the name and version that its `describe` gives, or with POST /api/v1/components";
    OTHER_WORLD: UNPROCESSABLE_ENTITY "other-world" "The component is something else";
    REHEARSAL_LIMIT: UNPROCESSABLE_ENTITY "rehearsal-limit" "The rehearsal goes too far" hint "GET /api/v1/limits lists the limits; shorter durations or smaller inputs may help";
    REJECTED: UNPROCESSABLE_ENTITY "rejected" "The component is not one that can run here";
    UPLOAD_DIGEST: UNPROCESSABLE_ENTITY "upload-digest" "Other bytes arrived than were announced" hint "the upload is gone: begin again";
    KEY_REUSE: UNPROCESSABLE_ENTITY "idempotency-key-reuse" "The idempotency key was used for another request" hint "take a new key for each new request";
    TOO_MANY: TOO_MANY_REQUESTS "too-many-requests" "Too much at a time" hint "wait as long as Retry-After says, then repeat";
    INTERNAL: INTERNAL_SERVER_ERROR "internal" "The server failed" hint "the server's log has the details under this request's id";
    UNAVAILABLE: SERVICE_UNAVAILABLE "unavailable" "The engine takes nothing at the moment" hint "the store cannot write; free space or repair the disk, then restart the server";
    STOPPING: SERVICE_UNAVAILABLE "stopping" "The server is shutting down" hint "wait a moment, then repeat";
}

/// One answer that says no.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: &'static Kind,
    code: Option<&'static str>,
    detail: String,
    hint: Option<Cow<'static, str>>,
    defects: Vec<Defect>,
    may_pass: bool,
}

impl Problem {
    /// A problem of this kind, and what is wrong with this request.
    pub(crate) fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            detail: detail.into(),
            hint: None,
            defects: Vec::new(),
            may_pass: false,
        }
    }

    /// The same, where the same request may be answered otherwise later.
    pub(crate) fn passing(mut self) -> Self {
        self.may_pass = true;
        self
    }

    /// The same with a more precise code.
    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same with what to do in this very case.
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What would be answered to an upload, as part of another answer.
    pub(crate) fn into_defect(self) -> UploadDefectBody {
        UploadDefectBody {
            code: self.code.unwrap_or(self.kind.code).into(),
            detail: self.detail,
            hint: self
                .hint
                .or(self.kind.hint.map(Cow::Borrowed))
                .map(Cow::into_owned),
        }
    }

    /// What is wrong with a document.
    pub(crate) fn defects(defects: Vec<Defect>) -> Self {
        let count = defects.len();
        let plural = if count == 1 { "" } else { "s" };
        let mut problem = Self::new(&DEFECTS, format!("the document has {count} defect{plural}"));
        problem.defects = defects;
        problem
    }

    /// The machine failed: what happened goes to the log, and nothing of it to the caller.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        let causes: Vec<String> = std::iter::successors(Some(error), |error| error.source())
            .map(ToString::to_string)
            .collect();
        tracing::error!(request = %request::id(), "request failed: {}", causes.join(": "));
        Self::new(&INTERNAL, "something went wrong inside the server")
    }

    /// Whether the same request can only be answered so again.
    pub(crate) fn is_final(&self) -> bool {
        let status = self.kind.status;
        status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS && !self.may_pass
    }

    /// The HTTP status.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.kind.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self {
            kind,
            code,
            detail,
            hint,
            defects,
            may_pass: _,
        } = self;
        let code = code.unwrap_or(kind.code);
        let (instance, request_id) = request::place();
        let body = ProblemBody {
            kind: format!("urn:fermata:problem:{code}"),
            title: kind.title.into(),
            status: kind.status.as_u16(),
            detail,
            code: code.into(),
            instance,
            request_id,
            hint: hint.or(kind.hint.map(Cow::Borrowed)).map(Cow::into_owned),
            defects: defects.into_iter().map(Into::into).collect(),
        };
        let mut response = (kind.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        match kind.status {
            StatusCode::UNAUTHORIZED => {
                let challenge = if kind.code == NO_TOKEN.code {
                    "Bearer realm=\"fermata\""
                } else {
                    "Bearer realm=\"fermata\", error=\"invalid_token\""
                };
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS.into());
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_there_once_and_is_an_error() {
        let codes: BTreeSet<&str> = TABLE.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), TABLE.len());
        for kind in TABLE {
            let status = kind.status;
            assert!(
                status.is_client_error() || status.is_server_error(),
                "{kind:?}"
            );
        }
    }
}
