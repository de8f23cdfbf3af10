//! The one way out: every HTTP call of a guest passes here, and nothing else leads outside.
//!
//! A call is permitted in this order: its URL is normalised ([`target`]), the grants are searched for its host and
//! method ([`grant`]), its address is looked up by our resolver and every address is judged ([`address`],
//! [`resolve`]), and the connection is made to what was judged ([`client`]). There is no second look-up, no proxy
//! and no redirect.

mod address;
mod answers;
mod client;
mod grant;
mod resolve;
mod target;

pub use answers::{Answered, Answers, Asked, Given, Unanswered};
pub(crate) use client::{Call, Client, Patience, Response};
pub(crate) use grant::{METHOD_BYTES_MAX, Permit, covers, permit};
pub use resolve::{Resolver, SystemResolver};
pub(crate) use target::URL_BYTES_MAX;

use serde_json::Value;

/// Something that is not granted, and the grant that would allow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    /// What was asked for.
    pub(crate) what: String,
    /// The grant to add, as it stands in the grants of a component; absent where no grant would help.
    pub(crate) grant: Option<String>,
}

impl Denial {
    pub(crate) fn new(what: impl Into<String>, grant: &Value) -> Self {
        Self {
            what: what.into(),
            grant: Some(grant.to_string()),
        }
    }

    pub(crate) fn for_good(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            grant: None,
        }
    }

    /// What a person does about it.
    pub(crate) fn remedy(&self) -> String {
        match &self.grant {
            Some(grant) => format!("add to the grants of the component: {grant}"),
            None => "no grant allows this; use another address".into(),
        }
    }

    /// One sentence for the guest.
    pub(crate) fn text(&self) -> String {
        format!("{}; {}", self.what, self.remedy())
    }
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    Denied(Denial),
    Invalid(String),
    /// The body of the request has more than so many bytes.
    TooLong(u64),
    Timeout,
    Unreachable(String),
    /// The body of the answer has more than so many bytes.
    TooLarge(u64),
    /// The headers of the answer have more than so many bytes.
    HeadTooLarge(u64),
}

/// What is wrong with a request whose body has more than so many bytes.
pub(crate) fn too_long(bytes: u64) -> String {
    format!("the body has more than {bytes} bytes")
}

impl CallError {
    /// For people.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Denied(denial) => format!("denied: {}", denial.what),
            Self::Invalid(text) => format!("invalid: {text}"),
            Self::TooLong(bytes) => format!("invalid: {}", too_long(*bytes)),
            Self::Timeout => "timeout".into(),
            Self::Unreachable(text) => format!("unreachable: {text}"),
            Self::TooLarge(bytes) | Self::HeadTooLarge(bytes) => {
                format!("the answer has more than {bytes} bytes")
            }
        }
    }
}
