//! Answers in the place of the network: how a component is tried out before it meets a server, and how a recorded run is
//! run again.

use std::fmt;

use fermata_core::recording::SecretAnswer;

use crate::egress::{CallError, Denial};

/// A call that passed every check that a call to the network passes, but for the look-up of its address.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Upper-case, such as `GET`.
    pub method: &'a str,
    /// Absolute.
    pub url: &'a str,
    /// The body, if there is one.
    pub body: Option<&'a [u8]>,
}

/// What it is answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why it is not answered. The guest sees what it would see of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The address turned out to be one that is not granted.
    Denied {
        /// What was asked for.
        what: String,
        /// The grant that would allow it, if one would.
        grant: Option<String>,
    },
    /// The request is wrong.
    Invalid(String),
    /// No whole answer in time.
    Timeout,
    /// No connection, or one that broke.
    Unreachable(String),
    /// More than so many bytes.
    TooLarge(u64),
    /// The headers have more than so many bytes.
    HeadTooLarge(u64),
    /// None before the run ends in another way.
    Nothing,
    /// The time of the run is over before there is an answer.
    Never,
}

/// What a run gets in the place of chance and time.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What asking for a secret is answered, by its name. Others get stand-ins for nothing.
    pub secrets: Vec<(String, SecretAnswer)>,
    /// Where its random numbers come from.
    pub seed: Option<[u8; 32]>,
    /// Readings of the clock on the wall, in nanoseconds after the run began.
    pub wall_clock_ns: Vec<i64>,
    /// Readings of the monotonic clock, in nanoseconds.
    pub monotonic_clock_ns: Vec<u64>,
}

/// Answers calls in the place of the network.
pub trait Answers: fmt::Debug + Send + Sync + 'static {
    /// The answer, or why there is none.
    fn answer(&self, asked: &Asked<'_>) -> Result<Answered, Unanswered>;

    /// What the run that begins now is given; nothing if chance and time are to be as they are.
    fn given(&self) -> Option<Given> {
        None
    }
}

impl Unanswered {
    /// What the guest sees; `None` if it does not get that far.
    pub(crate) fn seen(self) -> Option<CallError> {
        match self {
            Self::Denied { what, grant } => Some(CallError::Denied(Denial { what, grant })),
            Self::Invalid(text) => Some(CallError::Invalid(text)),
            Self::Timeout => Some(CallError::Timeout),
            Self::Unreachable(text) => Some(CallError::Unreachable(text)),
            Self::TooLarge(bytes) => Some(CallError::TooLarge(bytes)),
            Self::HeadTooLarge(bytes) => Some(CallError::HeadTooLarge(bytes)),
            Self::Nothing | Self::Never => None,
        }
    }
}
