//! Policies as JSON.

use fermata_core::attempt::LogLine;
use fermata_core::process::Process;
use fermata_core::release::Warned;
use fermata_core::release::event::PolicyWarning;
use fermata_service::policies::{Answer, Denial};
use fermata_service::records::PolicyRecord;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::dto::release::FailureBody;
use crate::view;

/// A policy as an administrator wants it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyOrder)]
pub(crate) struct PolicyOrderBody {
    /// `name@version`, or as much of the version as matters; the newest that fits is pinned.
    #[schema(example = "change-window@1")]
    pub(crate) component: String,
    /// What the component is told, as the `inputs` of its descriptor ask for.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) settings: Option<Value>,
    /// Before what it is asked: `publish`, `start`, `activity`.
    pub(crate) at: Vec<String>,
    /// The processes that it is about, by names or patterns such as `bank-*`; all of them if left out.
    #[serde(default)]
    pub(crate) processes: Vec<String>,
    /// What it means if it fails: `deny`, `warn` or `allow`.
    #[serde(default = "deny")]
    pub(crate) on_failure: String,
    /// How long it may take, such as `500ms`; two seconds if left out.
    #[serde(default)]
    pub(crate) timeout: Option<String>,
    /// Whether it is in force.
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
}

fn deny() -> String {
    "deny".to_owned()
}

fn yes() -> bool {
    true
}

/// A policy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policy)]
pub(crate) struct PolicyBody {
    /// What it is called.
    pub(crate) name: String,
    /// Its component, `name@version`.
    pub(crate) component: String,
    /// The SHA-256 of the component, pinned when the policy was set.
    pub(crate) digest: String,
    /// What the component is told.
    #[schema(value_type = Object)]
    pub(crate) settings: Value,
    /// Before what it is asked.
    pub(crate) at: Vec<&'static str>,
    /// The processes that it is about; all of them if it is empty.
    pub(crate) processes: Vec<String>,
    /// What it means if it fails.
    pub(crate) on_failure: &'static str,
    /// How long it may take.
    pub(crate) timeout: String,
    /// Whether it is in force.
    pub(crate) enabled: bool,
    /// Counts how often it was set; also its `ETag`.
    pub(crate) revision: u64,
    /// When it was last set.
    pub(crate) set_at: String,
    /// By whom.
    pub(crate) set_by: String,
}

impl From<&PolicyRecord> for PolicyBody {
    fn from(record: &PolicyRecord) -> Self {
        let pin = &record.component;
        Self {
            name: record.name.to_string(),
            component: format!("{}@{}", pin.name, pin.version),
            digest: pin.digest.to_string(),
            settings: record.settings.value(),
            at: record.at.iter().map(|point| point.word()).collect(),
            processes: record.processes.iter().map(ToString::to_string).collect(),
            on_failure: record.on_failure.word(),
            timeout: record.timeout.to_string(),
            enabled: record.enabled,
            revision: record.revision,
            set_at: record.set_at.to_string(),
            set_by: record.set_by.to_string(),
        }
    }
}

/// What a policy is to say something about, without any effect.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyTrial)]
pub(crate) struct TrialBody {
    /// Before what: `publish`, `start` or `activity`; the first at which the policy is asked if left out.
    #[serde(default)]
    pub(crate) at: Option<String>,
    /// What the policy is told, as it is. In place of it, `process` says what would be told of a process.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) subject: Option<Value>,
    /// The process that would be published or started.
    #[serde(default)]
    pub(crate) process: Option<String>,
    /// Which version of it; the newest if left out.
    #[serde(default)]
    pub(crate) version: Option<u32>,
    /// The inputs of the release.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) inputs: Option<Value>,
}

/// What a policy says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyVerdict)]
pub(crate) struct PolicyVerdictBody {
    /// The policy.
    pub(crate) policy: String,
    /// The SHA-256 of its component.
    pub(crate) digest: String,
    /// What counts: `allow`, `warn` or `deny`.
    pub(crate) verdict: &'static str,
    /// What it says to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// How it failed, if it did; then `on_failure` says what counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<FailureBody>,
    /// What it logged, as `level: message`.
    pub(crate) log: Vec<String>,
}

impl From<&Answer> for PolicyVerdictBody {
    fn from(answer: &Answer) -> Self {
        use fermata_core::extension::Verdict;
        let (verdict, message) = match answer.counts() {
            Verdict::Allow => ("allow", None),
            Verdict::Warn(message) => ("warn", Some(message)),
            Verdict::Deny(message) => ("deny", Some(message)),
        };
        let line = |line: &LogLine| {
            let level = serde_json::to_value(line.level).unwrap_or_default();
            format!("{}: {}", level.as_str().unwrap_or_default(), line.message)
        };
        Self {
            policy: answer.policy.name.to_string(),
            digest: answer.policy.component.digest.to_string(),
            verdict,
            message,
            failure: answer
                .verdict
                .as_ref()
                .err()
                .map(|failure| view::failure(failure)),
            log: answer.log.iter().map(line).collect(),
        }
    }
}

/// What a policy said to something that it lets happen.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PolicyWarning)]
pub(crate) struct PolicyWarningBody {
    /// The policy.
    pub(crate) policy: String,
    /// The SHA-256 of its component.
    pub(crate) digest: String,
    /// What it said.
    pub(crate) message: String,
    /// The activity that was about to begin; absent if it was not about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) activity: Option<String>,
    /// When; absent if it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
}

impl From<&PolicyWarning> for PolicyWarningBody {
    fn from(warning: &PolicyWarning) -> Self {
        Self {
            policy: warning.policy.to_string(),
            digest: warning.digest.to_string(),
            message: warning.message.clone(),
            activity: None,
            at: None,
        }
    }
}

impl PolicyWarningBody {
    /// As a release of `process` keeps it.
    pub(crate) fn kept(process: &Process, warned: &Warned) -> Self {
        Self {
            activity: warned.activity.map(|ix| process.path(ix)),
            at: Some(warned.at.to_string()),
            ..Self::from(&warned.warning)
        }
    }
}

/// That a policy would not let something happen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyDenial)]
pub(crate) struct PolicyDenialBody {
    /// The policy.
    pub(crate) policy: String,
    /// The SHA-256 of its component.
    pub(crate) digest: String,
    /// Why.
    pub(crate) message: String,
}

impl From<&Denial> for PolicyDenialBody {
    fn from(denial: &Denial) -> Self {
        Self {
            policy: denial.policy.to_string(),
            digest: denial.component.digest.to_string(),
            message: denial.message.clone(),
        }
    }
}
