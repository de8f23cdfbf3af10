//! How an attempt failed: data for people, not a Rust error.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// Why an attempt did not succeed. Everything a person needs to act without reading server logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub class: FailureClass,
    /// One sentence: what happened.
    pub message: String,
    /// A short stable code that the guest or the engine gave.
    pub code: Option<String>,
    /// What the guest added, as JSON.
    pub details: Option<Json>,
    /// What to do next, where the engine knows.
    pub remedy: Option<String>,
    /// A back-trace with demangled names, innermost frame first, for traps.
    pub backtrace: Vec<String>,
    /// The last lines the attempt logged.
    pub last_log: Vec<String>,
    /// The last HTTP call: method, URL, status or error, milliseconds.
    pub last_call: Option<String>,
}

/// The kind of a [`Failure`]. The order of variants is the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The guest said that another attempt may help.
    Retryable,
    /// The guest said that no further attempt will help.
    Permanent,
    /// The guest crashed: a panic, an unreachable instruction, an access out of bounds.
    Trap,
    /// A limit was reached; the field names it as the limits table does (`memory`, `cpu`, `wall`, …).
    Limit(String),
    /// Something was asked for that is not granted; the field names the grant to add.
    Denied(String),
    /// The guest broke the contract: outputs that are not JSON or do not fit the schema.
    Contract,
    /// An expression of the process document could not be evaluated.
    Expression,
    /// The machine failed, not the guest.
    Engine,
    /// The component is in quarantine: it did not run, or was stopped.
    Quarantined,
    /// A policy does not let the attempt begin.
    PolicyDenied,
}

impl FailureClass {
    /// The class as a stable word, as filters and metrics use it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Permanent => "permanent",
            Self::Trap => "trap",
            Self::Limit(_) => "limit",
            Self::Denied(_) => "denied",
            Self::Contract => "contract",
            Self::Expression => "expression",
            Self::Engine => "engine",
            Self::Quarantined => "quarantined",
            Self::PolicyDenied => "policy-denied",
        }
    }

    /// Whether nothing has failed yet that a person cannot try again: whatever the process says about failures, the
    /// activity waits for that person.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Quarantined | Self::PolicyDenied)
    }

    /// Whether another attempt with the same inputs could end differently.
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Retryable | Self::Trap | Self::Limit(_) | Self::Engine => true,
            Self::Permanent
            | Self::Denied(_)
            | Self::Contract
            | Self::Expression
            | Self::Quarantined
            | Self::PolicyDenied => false,
        }
    }
}

impl Failure {
    /// A failure with only a class and a message.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            code: None,
            details: None,
            remedy: None,
            backtrace: Vec::new(),
            last_log: Vec::new(),
            last_call: None,
        }
    }

    /// The same failure with what to do next.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.class {
            FailureClass::Limit(which) => write!(f, "limit {which}: {}", self.message),
            FailureClass::Denied(grant) => write!(f, "denied ({grant}): {}", self.message),
            class => write!(f, "{}: {}", class.code(), self.message),
        }
    }
}
