//! Components as JSON.

use fermata_core::component::{Grants, HttpGrant, SecretGrant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A component version in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ComponentSummary)]
pub(crate) struct ComponentSummaryBody {
    /// The registry name.
    pub(crate) name: String,
    /// `MAJOR.MINOR.PATCH`.
    pub(crate) version: String,
    /// One sentence for people who choose an activity.
    pub(crate) summary: String,
    /// The SHA-256 of its bytes.
    pub(crate) digest: String,
    /// How many bytes it has.
    pub(crate) size: u64,
    /// When it was uploaded.
    pub(crate) created_at: String,
    /// By whom.
    pub(crate) created_by: String,
}

/// A component version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ComponentVersion)]
pub(crate) struct ComponentVersionBody {
    /// What a list shows of it.
    #[serde(flatten)]
    pub(crate) summary: ComponentSummaryBody,
    /// What it says about itself: schemas, defaults, and what it wants to reach.
    #[schema(value_type = Object)]
    pub(crate) descriptor: Value,
    /// What it may reach.
    pub(crate) grants: GrantsBody,
    /// Counts the changes of the grants; also their `ETag`.
    pub(crate) grants_revision: u64,
}

/// A component: its newest version, and all versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Component)]
pub(crate) struct ComponentBody {
    /// The newest version.
    #[serde(flatten)]
    pub(crate) newest: ComponentVersionBody,
    /// All versions, newest first.
    pub(crate) versions: Vec<ComponentSummaryBody>,
}

/// What a component version may reach. Nothing is granted by asking.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Grants)]
pub(crate) struct GrantsBody {
    /// Calls it may make.
    #[serde(default)]
    pub(crate) http: Vec<HttpGrantBody>,
    /// Secrets it may hand to the hosts named with them.
    #[serde(default)]
    pub(crate) secrets: Vec<SecretGrantBody>,
}

/// A host that a component may call.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HttpGrant)]
pub(crate) struct HttpGrantBody {
    /// Host name or address, optionally `*.example.com`, optionally with `:port`.
    pub(crate) host: String,
    /// Methods, upper-case; empty means all.
    #[serde(default)]
    pub(crate) methods: Vec<String>,
    /// Whether the host may be at a loopback, private or link-local address.
    #[serde(default)]
    pub(crate) private: bool,
}

/// A secret that a component may use.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretGrant)]
pub(crate) struct SecretGrantBody {
    /// The secret's name.
    pub(crate) name: String,
    /// Hosts to which it may be sent.
    pub(crate) hosts: Vec<String>,
}

impl From<GrantsBody> for Grants {
    fn from(body: GrantsBody) -> Self {
        let http = body.http.into_iter().map(|grant| HttpGrant {
            host: grant.host,
            methods: grant.methods,
            private: grant.private,
        });
        let secrets = body.secrets.into_iter().map(|grant| SecretGrant {
            name: grant.name,
            hosts: grant.hosts,
        });
        Self {
            http: http.collect(),
            secrets: secrets.collect(),
        }
    }
}

impl From<&Grants> for GrantsBody {
    fn from(grants: &Grants) -> Self {
        let http = grants.http.iter().map(|grant| HttpGrantBody {
            host: grant.host.clone(),
            methods: grant.methods.clone(),
            private: grant.private,
        });
        let secrets = grants.secrets.iter().map(|grant| SecretGrantBody {
            name: grant.name.clone(),
            hosts: grant.hosts.clone(),
        });
        Self {
            http: http.collect(),
            secrets: secrets.collect(),
        }
    }
}
