//! Tasks, what people say and attach, and what waits on them, as JSON.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A task of a manual activity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub(crate) struct TaskBody {
    /// Unique in the activity.
    pub(crate) name: String,
    /// For people.
    pub(crate) title: String,
    /// `open`, `in-progress`, `done`, `blocked` or `not-applicable`.
    pub(crate) state: String,
    /// Who does it; anybody if it is empty.
    pub(crate) assign: Vec<String>,
    /// Whether the activity cannot be completed before it is done.
    pub(crate) required: bool,
    /// When it should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<String>,
    /// Who brought it into its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    /// What was said and attached.
    #[serde(flatten)]
    pub(crate) notes: NotesBody,
}

/// What was said and attached.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Notes)]
pub(crate) struct NotesBody {
    /// In the order of their numbers, from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) comments: Vec<CommentBody>,
    /// Evidence that people attached, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<FileBody>,
}

/// Something that somebody said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Comment)]
pub(crate) struct CommentBody {
    /// Who.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
    /// What, as it reads now; the events have what it was.
    pub(crate) text: String,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) edited_at: Option<String>,
}

/// A file that somebody attached.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = File)]
pub(crate) struct FileBody {
    /// As people know it.
    pub(crate) name: String,
    /// Who attached it.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
    /// Where it is, if it is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Of its bytes, if they are here: `GET /releases/{id}/files/{digest}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    /// What kind of content it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
}

/// Approvals that somebody skipped in an emergency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BrokenGlass)]
pub(crate) struct BrokenGlassBody {
    /// Who.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
    /// Why.
    pub(crate) reason: String,
    /// Who has to look at it, or could have.
    pub(crate) reviewers: Vec<String>,
    /// Who looked at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reviewed_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reviewed_at: Option<String>,
    /// What they found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) review: Option<String>,
}

/// Where a file belongs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileParams {
    /// `phase/activity`.
    pub(crate) activity: String,
    /// The name of a task; the activity as a whole if it is left out.
    pub(crate) task: Option<String>,
    /// The name of the file.
    pub(crate) name: String,
    /// What kind of content it is, as an IANA media type.
    pub(crate) media_type: Option<String>,
}

/// Something that waits on whoever asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InboxItem)]
pub(crate) struct InboxItemBody {
    /// `approval`, `task`, `decision` (something failed) or `review` (approvals were skipped).
    pub(crate) kind: String,
    /// In which release.
    pub(crate) release: String,
    /// Its title.
    pub(crate) release_title: String,
    /// The process that it runs.
    pub(crate) process: String,
    /// `phase/activity`.
    pub(crate) activity: String,
    /// The name of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    /// The title of the activity or task.
    pub(crate) title: String,
    /// Since when it waits.
    pub(crate) since: String,
    /// When it is too late, or should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<String>,
    /// In whose place, if it waits on somebody whose backup one is: pass it as `for`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup_of: Option<String>,
}

/// Who acts in one's place, and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BackupOrder)]
pub(crate) struct BackupOrderBody {
    /// The principal.
    #[schema(example = "ben")]
    pub(crate) backup: String,
    /// From when on, RFC 3339; from now on if it is left out.
    #[serde(default)]
    pub(crate) from: Option<String>,
    /// Until when, RFC 3339.
    pub(crate) until: String,
}

/// Who acts in one's place, and for whom one does.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backups)]
pub(crate) struct BackupsBody {
    /// Who acts in one's place, unless that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mine: Option<BackupBody>,
    /// In whose place one may act now.
    #[serde(rename = "for")]
    pub(crate) absent: Vec<String>,
}

/// Who acts in one's place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Backup)]
pub(crate) struct BackupBody {
    /// The principal.
    pub(crate) backup: String,
    /// From when on.
    pub(crate) from: String,
    /// Until when.
    pub(crate) until: String,
}
