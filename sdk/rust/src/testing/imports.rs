//! The imports of an activity, answered by the fake host of this thread.

use serde_json::Value;

use super::host::{Attachment, Host};
use crate::http::{Cause, Received, Request};
use crate::log::Level;
use crate::secrets;

pub(crate) fn log(level: Level, message: &str) {
    Host::current().push_log(level, message);
}

pub(crate) fn progress(percent: Option<u8>, message: &str) {
    Host::current().push_progress(percent, message);
}

pub(crate) fn send(request: &Request) -> Result<Received, Cause> {
    Host::current().send(request)
}

pub(crate) fn secret(name: &str) -> Result<String, secrets::Error> {
    if Host::current().knows_secret(name) {
        Ok(format!("<secret:{name}>"))
    } else {
        Err(secrets::Error::Unknown(name.to_owned()))
    }
}

pub(crate) fn record(kind: &str, fact: &str) -> Result<(), String> {
    match serde_json::from_str(fact) {
        Ok(fact @ Value::Object(_)) => {
            Host::current().push_evidence(kind, fact);
            Ok(())
        }
        Ok(_) => Err("a fact must be an object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(crate) fn attach(name: &str, media_type: &str, bytes: &[u8]) -> Result<String, String> {
    if name.is_empty() {
        return Err("an attachment needs a name".to_owned());
    }
    Host::current().push_attachment(Attachment {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        bytes: bytes.to_vec(),
    });
    Ok(format!("sha256:fake-digest-of-{name}"))
}
