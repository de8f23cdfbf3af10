//! Why something is not moving, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::dto::lock::AwaitedLockBody;
use crate::http::dto::release::FailureBody;

/// Something that is not moving.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Waiting)]
pub(crate) struct WaitingBody {
    /// `phase/activity`, or `release` for the release itself.
    pub(crate) path: String,
    /// The state it is in.
    pub(crate) state: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    /// What would move it.
    pub(crate) on: WaitsOnBody,
    /// The whole in a sentence.
    pub(crate) text: String,
    /// What a person can do about it: names of actions.
    pub(crate) actions: Vec<String>,
}

/// What something waits on; `kind` says which of the other members are there.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = WaitsOn)]
pub(crate) struct WaitsOnBody {
    /// `start`, `resume`, `time`, `people`, `signal`, `release`, `locks`, `decision`, `needs`, `batch` or
    /// `policies`.
    pub(crate) kind: String,
    /// The policies that are asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) policies: Vec<String>,
    /// Who paused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The instant that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// Whether the attempt is given up then, instead of going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) times_out: Option<bool>,
    /// What the guest says it waits for, or what comes before the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<FailureBody>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) owners: Vec<String>,
    /// Who must still approve; nobody in particular if it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rules: Option<Vec<OpenRuleBody>>,
    /// Whether the form must still be filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<bool>,
    /// Who may not decide: `initiator`, `authors`, `user:NAME` or `group:NAME`, each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) exclude: Vec<String>,
    /// Who may decide as well, once it has taken too long.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) further: Vec<String>,
    /// When that is, unless they may already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) escalates_at: Option<String>,
    /// When the question lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<String>,
    /// What the signal is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<String>,
    /// Where the signal goes, on this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The secret of the signal; only for who may change releases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
    /// The release that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) release: Option<String>,
    /// Where that release has to get: a state or a phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reaches: Option<String>,
    /// The locks that it waits for, and who holds them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) locks: Vec<AwaitedLockBody>,
    /// What must end first: activities as `phase/activity`, phases by name; for a batch, its gate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) needs: Vec<String>,
    /// Which batch is to open; 1 for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch: Option<u32>,
    /// How many batches there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batches: Option<u32>,
}

/// An approval rule that is not met yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenRule)]
pub(crate) struct OpenRuleBody {
    /// Who may approve.
    pub(crate) from: Vec<String>,
    /// How many more of them.
    pub(crate) more: u32,
    /// Who of those is missing, where the rule asks for people who were there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) missing: Vec<String>,
    /// Whether rules before it come first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) later: bool,
}

/// Everything of a release that is not moving.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Why)]
pub(crate) struct WhyBody {
    /// The release.
    pub(crate) release: String,
    /// Its state.
    pub(crate) state: String,
    /// What is not moving; empty when everything moves or the release has ended.
    pub(crate) items: Vec<WaitingBody>,
}
