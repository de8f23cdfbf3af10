//! Uploads in pieces as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is going to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UploadOrder)]
pub(crate) struct UploadOrderBody {
    /// How many bytes.
    pub(crate) length: u64,
    /// Their SHA-256: `sha256:…`.
    pub(crate) digest: String,
}

/// An upload in pieces.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
pub(crate) struct UploadBody {
    /// Names it.
    pub(crate) id: String,
    /// How many bytes were announced.
    pub(crate) length: u64,
    /// Their SHA-256.
    pub(crate) digest: String,
    /// How many bytes have arrived; also the header `Upload-Offset`.
    pub(crate) offset: u64,
    /// Most bytes of one piece.
    pub(crate) piece_bytes_max: u64,
    /// When it was begun.
    pub(crate) created_at: String,
    /// When it is forgotten.
    pub(crate) expires_at: String,
    /// The component version that came of it, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component: Option<String>,
}
