//! The JSON of the API. Kept apart from the types of the core, so that either can change alone.

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) mod access;
pub(crate) mod action;
pub(crate) mod component;
pub(crate) mod definition;
pub(crate) mod event;
pub(crate) mod input_set;
pub(crate) mod lock;
pub(crate) mod meta;
pub(crate) mod notifier;
pub(crate) mod policy;
pub(crate) mod problem;
pub(crate) mod process;
pub(crate) mod query;
pub(crate) mod rehearsal;
pub(crate) mod release;
pub(crate) mod rollback;
pub(crate) mod secret;
pub(crate) mod signal;
pub(crate) mod task;
pub(crate) mod upload;
pub(crate) mod usage;
pub(crate) mod wave;
pub(crate) mod why;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T: ToSchema> {
    /// The entries.
    pub(crate) items: Vec<T>,
    /// Pass it as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}
