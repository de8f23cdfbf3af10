//! Tokens and principals as JSON.

use fermata_core::id::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Asker, Role, Token};

/// What a token may do.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Role)]
pub(crate) enum RoleBody {
    /// Read.
    Viewer,
    /// Read, and everything about processes, components and releases.
    #[default]
    Member,
    /// Also tokens, principals, grants, secrets and backups, if its principal is in the group `admins`.
    Admin,
}

impl From<RoleBody> for Role {
    fn from(role: RoleBody) -> Self {
        match role {
            RoleBody::Viewer => Self::Viewer,
            RoleBody::Member => Self::Member,
            RoleBody::Admin => Self::Admin,
        }
    }
}

impl From<Role> for RoleBody {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
        }
    }
}

/// What a new token shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenOrder)]
pub(crate) struct TokenOrderBody {
    /// Who acts with it; created without groups if it is not known yet.
    #[schema(value_type = String, example = "ci")]
    pub(crate) principal: Name,
    /// What it may do.
    #[serde(default)]
    pub(crate) role: RoleBody,
    /// What it is for.
    #[serde(default)]
    pub(crate) label: Option<String>,
    /// How long it works, such as `90d`; for ever if left out.
    #[serde(default, alias = "expires_in")]
    #[schema(example = "90d")]
    pub(crate) expires: Option<String>,
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenBody {
    /// Names the token, for its revocation.
    pub(crate) id: String,
    /// Who acts with it.
    pub(crate) principal: String,
    /// What it may do.
    pub(crate) role: RoleBody,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    /// Who created it.
    pub(crate) created_by: String,
    /// When it was created.
    pub(crate) created_at: String,
    /// When it stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<String>,
    /// Whether it has stopped working.
    pub(crate) expired: bool,
}

impl TokenBody {
    /// `token` as it is `now`.
    pub(crate) fn of(token: &Token, now: fermata_core::time::Timestamp) -> Self {
        Self {
            id: token.id(),
            principal: token.principal.to_string(),
            role: token.role.into(),
            label: token.label.clone(),
            created_by: token.created_by.to_string(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.map(|at| at.to_string()),
            expired: token.has_expired(now),
        }
    }
}

/// A new token with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IssuedToken)]
pub(crate) struct IssuedTokenBody {
    /// The secret. It cannot be read again.
    pub(crate) token: String,
    /// Everything else about it.
    #[serde(flatten)]
    pub(crate) about: TokenBody,
}

/// The groups of a principal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PrincipalOrder)]
pub(crate) struct PrincipalOrderBody {
    /// In which groups it is, without `group:`; replaces what was there.
    #[schema(value_type = Vec<String>)]
    pub(crate) groups: Vec<Name>,
}

/// A person or a machine account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Principal)]
pub(crate) struct PrincipalBody {
    /// The name.
    pub(crate) name: String,
    /// In which groups it is.
    pub(crate) groups: Vec<String>,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub(crate) struct MeBody {
    /// The name.
    pub(crate) name: String,
    /// In which groups it is.
    pub(crate) groups: Vec<String>,
    /// What the token may do.
    pub(crate) role: RoleBody,
    /// Names the token.
    pub(crate) token: String,
    /// Whether tokens, principals, grants and secrets may be changed.
    pub(crate) administrator: bool,
}

impl From<&Asker> for MeBody {
    fn from(asker: &Asker) -> Self {
        Self {
            name: asker.name.to_string(),
            groups: asker.groups.iter().map(ToString::to_string).collect(),
            role: asker.role.into(),
            token: asker.token.clone(),
            administrator: asker.is_administrator(),
        }
    }
}
