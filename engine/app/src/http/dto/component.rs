//! Components as JSON.

use fermata_core::component::{Grants, HttpGrant, SecretGrant};
use fermata_core::id::Name;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::problem::{INVALID_BODY, Problem};

/// A component version in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ComponentSummary)]
pub(crate) struct ComponentSummaryBody {
    /// The registry name.
    pub(crate) name: String,
    /// `MAJOR.MINOR.PATCH`.
    pub(crate) version: String,
    /// What it is for: `activity`, `policy` or `notifier`.
    pub(crate) world: &'static str,
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
    /// Why it should not be used any more; absent if it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deprecated: Option<DeprecationBody>,
    /// Why it does not run; absent if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quarantine: Option<QuarantineBody>,
}

/// Why a component version should not be used any more.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Deprecation)]
pub(crate) struct DeprecationBody {
    /// What people are told.
    pub(crate) notice: String,
    /// Since when.
    pub(crate) since: String,
    /// Who said so.
    pub(crate) by: String,
}

/// A digest that does not run anywhere, or did not.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Quarantine)]
pub(crate) struct QuarantineBody {
    /// The SHA-256 of the component.
    pub(crate) digest: String,
    /// The component version with this digest, if one is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component: Option<String>,
    /// Why.
    pub(crate) reason: String,
    /// Since when.
    pub(crate) since: String,
    /// Who said so.
    pub(crate) by: String,
    /// How it ended; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lifted: Option<LiftBody>,
}

/// The end of a quarantine.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Lift)]
pub(crate) struct LiftBody {
    /// Why.
    pub(crate) reason: String,
    /// When.
    pub(crate) at: String,
    /// Who said so.
    pub(crate) by: String,
}

/// What people are told who use a deprecated component version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeprecationOrder)]
pub(crate) struct DeprecationOrderBody {
    /// Why, and what to use instead.
    #[schema(example = "loses the last log line; use deploy@1.1")]
    pub(crate) notice: String,
}

/// Why a quarantine begins or ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuarantineOrder)]
pub(crate) struct QuarantineOrderBody {
    /// Not empty; everybody sees it whose release it holds.
    pub(crate) reason: String,
}

/// Something that people should know about a component before they use it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
pub(crate) struct NoticeBody {
    /// `name@version`.
    pub(crate) component: String,
    /// `deprecated` or `quarantined`.
    pub(crate) kind: &'static str,
    /// What to know.
    pub(crate) notice: String,
    /// Since when.
    pub(crate) since: String,
    /// Who said so.
    pub(crate) by: String,
}

/// One thing that a component wants.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Want)]
pub(crate) struct WantBody {
    /// `http`, `secret` or `evidence`.
    pub(crate) kind: &'static str,
    /// The host, the secret or the kind of evidence.
    pub(crate) name: String,
    /// Methods, for a host; absent if it is all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) methods: Vec<String>,
    /// How much of it is granted: `whole`, `part` or `nothing`. Evidence is declared, not granted.
    pub(crate) granted: &'static str,
}

/// How a want differs from what the version before wanted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WantChange)]
pub(crate) struct WantChangeBody {
    /// `added`, `changed`, `unchanged` or `removed`.
    pub(crate) change: &'static str,
    /// The want; `granted` is what the grants of the version before would give.
    #[serde(flatten)]
    pub(crate) want: WantBody,
    /// The methods of before, if those have changed; empty if it was all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) methods_before: Option<Vec<String>>,
}

/// What a version wants that the version before did not, and the other way round.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WantChanges)]
pub(crate) struct WantChangesBody {
    /// The highest version below this one.
    pub(crate) since: String,
    /// Everything that one of the two wants.
    pub(crate) wants: Vec<WantChangeBody>,
    /// Whether the grants of the version before would give all that this one wants.
    pub(crate) covered: bool,
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
    /// What it wants, one by one, with how much of it is granted.
    pub(crate) wants: Vec<WantBody>,
    /// What is granted beyond what it wants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) beyond: Vec<String>,
    /// How its wants differ from those of the version before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changes: Option<WantChangesBody>,
}

/// What an upload would come to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(crate) struct VerdictBody {
    /// Whether it would be registered, or is already.
    pub(crate) accepted: bool,
    /// Whether the version with these bytes is there already.
    pub(crate) registered: bool,
    /// The SHA-256 of the upload.
    pub(crate) digest: String,
    /// Sizes, as far as it came.
    pub(crate) sizes: SizesBody,
    /// What it says about itself, if it could be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) descriptor: Option<Value>,
    /// The interfaces that it imports.
    pub(crate) imports: Vec<String>,
    /// What it wants, one by one; `granted` is what its version has if that is registered.
    pub(crate) wants: Vec<WantBody>,
    /// How its wants differ from those of the version before; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changes: Option<WantChangesBody>,
    /// Why it would not be registered.
    pub(crate) defects: Vec<UploadDefectBody>,
}

/// Sizes of an upload, in bytes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UploadSizes)]
pub(crate) struct SizesBody {
    /// What was sent.
    pub(crate) upload: u64,
    /// The component that was made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component: Option<u64>,
    /// Its native code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) native: Option<u64>,
}

/// Why an upload would not be registered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UploadDefect)]
pub(crate) struct UploadDefectBody {
    /// The code that the problem of an upload would have.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) detail: String,
    /// What to do about it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
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

impl TryFrom<GrantsBody> for Grants {
    type Error = Problem;

    fn try_from(body: GrantsBody) -> Result<Self, Problem> {
        if let Some((at, why)) = body.faulty_secret() {
            let detail = format!("secrets[{at}].name: {why}");
            return Err(Problem::new(&INVALID_BODY, detail));
        }
        let http = body.http.into_iter().map(|grant| HttpGrant {
            host: grant.host,
            methods: grant.methods,
            private: grant.private,
        });
        let secrets = body.secrets.into_iter().map(|grant| SecretGrant {
            name: grant.name,
            hosts: grant.hosts,
        });
        Ok(Self {
            http: http.collect(),
            secrets: secrets.collect(),
        })
    }
}

impl GrantsBody {
    /// The first secret whose name no secret can have: where, and why.
    fn faulty_secret(&self) -> Option<(usize, String)> {
        let mut names = self.secrets.iter().map(|secret| &secret.name).enumerate();
        names.find_map(|(at, name)| Some((at, name.parse::<Name>().err()?.to_string())))
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
