//! Tasks, what people said and attached, and skipped approvals, as JSON.

use fermata_core::process::{ActivityIx, Kind};
use fermata_core::release::Release;
use fermata_core::release::state::Record;
use fermata_core::release::task::{Attached, Content, Notes};

use crate::http::dto::task::{BrokenGlassBody, CommentBody, FileBody, NotesBody, TaskBody};
use crate::view::{parties, text};

/// The tasks of an activity, once people were asked.
pub(super) fn tasks(release: &Release, ix: ActivityIx, record: &Record) -> Vec<TaskBody> {
    let Kind::Manual(manual) = &release.process().activity(ix).kind else {
        return Vec::new();
    };
    let since = record.started_at;
    let tasks = manual.tasks.iter().zip(&record.tasks);
    tasks
        .map(|(rule, task)| TaskBody {
            name: rule.name.clone(),
            title: rule.title.clone(),
            state: task.state.word().into(),
            assign: parties(&rule.assign),
            required: rule.required,
            due_at: text(rule.expected.and_then(|span| Some(since?.after(span)))),
            by: task.moved.as_ref().map(|(by, _)| by.to_string()),
            at: text(task.moved.as_ref().map(|(_, at)| *at)),
            notes: notes(&task.notes),
        })
        .collect()
}

/// What was said and attached in one place.
pub(super) fn notes(notes: &Notes) -> NotesBody {
    let comments = notes.comments.iter().map(|comment| CommentBody {
        by: comment.by.to_string(),
        at: comment.at.to_string(),
        text: comment.text.clone(),
        edited_at: text(comment.edited_at),
    });
    NotesBody {
        comments: comments.collect(),
        files: notes.files.iter().map(file).collect(),
    }
}

fn file(attached: &Attached) -> FileBody {
    let body = FileBody {
        name: attached.file.name.clone(),
        by: attached.by.to_string(),
        at: attached.at.to_string(),
        ..FileBody::default()
    };
    match &attached.file.content {
        Content::Url(url) => FileBody {
            url: Some(url.clone()),
            ..body
        },
        Content::Stored {
            digest,
            bytes,
            media_type,
        } => FileBody {
            digest: Some(digest.to_string()),
            bytes: Some(*bytes),
            media_type: Some(media_type.clone()),
            ..body
        },
    }
}

/// How the approvals of an activity were skipped.
pub(super) fn glass(release: &Release, ix: ActivityIx, record: &Record) -> Option<BrokenGlassBody> {
    let glass = record.glass.as_ref()?;
    let reviewed = glass.reviewed.as_ref();
    Some(BrokenGlassBody {
        by: glass.by.to_string(),
        at: glass.at.to_string(),
        reason: glass.reason.clone(),
        reviewers: parties(&release.reviewers(ix)),
        reviewed_by: reviewed.map(|(by, _, _)| by.to_string()),
        reviewed_at: text(reviewed.map(|(_, at, _)| *at)),
        review: reviewed.map(|(_, _, comment)| comment.clone()),
    })
}
