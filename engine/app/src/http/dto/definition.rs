//! Activity definitions as JSON.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A version of an activity definition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefinitionVersion)]
pub(crate) struct DefinitionBody {
    /// The definition.
    pub(crate) name: String,
    /// `MAJOR.MINOR.PATCH`.
    pub(crate) version: String,
    /// For people.
    pub(crate) title: String,
    /// The component behind it.
    pub(crate) uses: String,
    /// Inputs that it sets.
    #[schema(value_type = Object)]
    pub(crate) with: Value,
    /// Attempts in all, if it sets a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<u32>,
    /// Its timeout, if it sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<String>,
    /// The SHA-256 of the document.
    pub(crate) digest: String,
    /// When it was published.
    pub(crate) published_at: String,
    /// By whom.
    pub(crate) published_by: String,
}

/// A definition: all its versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefinitionVersions)]
pub(crate) struct DefinitionsBody {
    /// Newest first.
    pub(crate) versions: Vec<DefinitionBody>,
}
