//! Notifiers and their deliveries as JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

fn enabled() -> bool {
    true
}

/// A notifier to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NotifierOrder)]
pub(crate) struct NotifierOrderBody {
    /// The component, as `uses` writes it; its newest fitting version is pinned.
    #[schema(example = "chat-notifier@1")]
    pub(crate) component: String,
    /// What fits the `inputs` of the component.
    #[serde(default)]
    pub(crate) settings: Map<String, Value>,
    /// Kinds of notifications, or patterns such as `release-*`.
    #[schema(example = json!(["release-*", "approval-asked"]))]
    pub(crate) on: Vec<String>,
    /// Names of processes, or patterns such as `bank-*`; without any, everything is told.
    #[serde(default)]
    pub(crate) processes: Vec<String>,
    /// Whether anything is told.
    #[serde(default = "enabled")]
    pub(crate) enabled: bool,
}

/// A notifier.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notifier)]
pub(crate) struct NotifierBody {
    /// Unique.
    pub(crate) name: String,
    /// `name@version`.
    pub(crate) component: String,
    /// Of the component.
    pub(crate) digest: String,
    /// Its settings; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settings: Option<Value>,
    /// Which kinds it delivers.
    pub(crate) on: Vec<String>,
    /// Of which processes; of everything if there are none.
    pub(crate) processes: Vec<String>,
    /// Whether anything is told.
    pub(crate) enabled: bool,
    /// Counts how often it was set; the `ETag`.
    pub(crate) revision: u64,
    /// When it was last set.
    pub(crate) set_at: String,
    /// By whom.
    pub(crate) set_by: String,
    /// Deliveries that are to be tried.
    pub(crate) pending: usize,
    /// Deliveries that were given up since too many newer ones waited, since the server was started.
    pub(crate) dropped: u64,
    /// Tries that failed since the last that did not.
    pub(crate) failures: u32,
    /// What the last of them said; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// Every notifier.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notifiers)]
pub(crate) struct NotifiersBody {
    /// By name.
    pub(crate) items: Vec<NotifierBody>,
}

/// A notification on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryBody {
    /// The same for every try.
    pub(crate) id: String,
    /// What it is about.
    pub(crate) kind: String,
    /// When that became true.
    pub(crate) at: String,
    /// One sentence for people.
    pub(crate) text: String,
    /// The same for programs.
    pub(crate) data: Value,
    /// `pending`, `delivered` or `given-up`.
    pub(crate) standing: &'static str,
    /// How often it was tried.
    pub(crate) tries: u32,
    /// When it is tried next, at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_at: Option<String>,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
    /// How the last try failed: `class`, `code` and `remedy`; for administrators also `message`, `last_log`
    /// and `last_call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Value>,
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveryParams {
    /// Only `pending`, `delivered` or `given-up`.
    pub(crate) standing: Option<String>,
    /// Most entries, 1 to 1000; 50 if left out. A narrowed page may be shorter and still have a next one.
    pub(crate) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// How it went to try a notifier out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotifierTest)]
pub(crate) struct NotifierTestBody {
    /// Whether the component says that it is delivered.
    pub(crate) delivered: bool,
    /// How it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Value>,
    /// What the component logged.
    pub(crate) log: Vec<String>,
}
