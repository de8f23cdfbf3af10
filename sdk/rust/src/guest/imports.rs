//! The imports of an activity, answered by the engine.

use super::activity::fermata::activity as wit;
use crate::http::{Cause, Received, Request};
use crate::log::Level;
use crate::secrets;

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => wit::log::Level::Debug,
        Level::Info => wit::log::Level::Info,
        Level::Warn => wit::log::Level::Warn,
        Level::Error => wit::log::Level::Error,
    };
    wit::log::write(level, message);
}

pub(crate) fn progress(percent: Option<u8>, message: &str) {
    wit::progress::report(percent, message);
}

pub(crate) fn send(request: &Request) -> Result<Received, Cause> {
    let timeout = |time: std::time::Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    let sent = wit::http::send(&wit::http::Request {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        timeout_ms: request.timeout.map(timeout),
    });
    match sent {
        Ok(response) => Ok(Received {
            status: response.status,
            headers: response.headers,
            body: response.body,
        }),
        Err(wit::http::Error::Denied(why)) => Err(Cause::Denied(why)),
        Err(wit::http::Error::Invalid(why)) => Err(Cause::Invalid(why)),
        Err(wit::http::Error::Timeout) => Err(Cause::Timeout),
        Err(wit::http::Error::Unreachable(why)) => Err(Cause::Unreachable(why)),
        Err(wit::http::Error::TooLarge(bytes)) => Err(Cause::TooLarge(bytes)),
    }
}

pub(crate) fn secret(name: &str) -> Result<String, secrets::Error> {
    wit::secrets::handle(name).map_err(|error| match error {
        wit::secrets::Error::Denied(why) => secrets::Error::Denied(why),
        wit::secrets::Error::Unknown(name) => secrets::Error::Unknown(name),
    })
}

pub(crate) fn record(kind: &str, fact: &str) -> Result<(), String> {
    wit::evidence::record(kind, fact)
}

pub(crate) fn attach(name: &str, media_type: &str, bytes: &[u8]) -> Result<String, String> {
    wit::evidence::attach(name, media_type, bytes)
}
