//! The fold of what people do about tasks, and of approvals that are skipped and looked at.

use crate::actor::Actor;
use crate::process::{ActivityIx, Kind};
use crate::release::Release;
use crate::release::event::Event;
use crate::release::state::{BrokenGlass, Record};
use crate::release::task::{Attached, Comment, Notes, TaskState};
use crate::time::Timestamp;

impl Release {
    /// Takes down what people did; whether the event is about that.
    pub(super) fn worked(
        &mut self,
        ix: ActivityIx,
        (at, by): (Timestamp, &Actor),
        event: &Event,
    ) -> bool {
        match event {
            Event::TaskMoved { .. }
            | Event::Commented { .. }
            | Event::CommentEdited { .. }
            | Event::FileAttached { .. } => {
                if let Some(record) = self.record_mut(ix) {
                    note(record, (at, by), event);
                }
            }
            Event::GlassBroken { reason, .. } => {
                self.reviews.insert(ix);
                if let Some(record) = self.record_mut(ix) {
                    record.glass = Some(BrokenGlass {
                        by: by.clone(),
                        reason: reason.clone(),
                        at,
                        reviewed: None,
                    });
                }
            }
            Event::ReviewClosed { comment, .. } => {
                self.reviews.remove(&ix);
                let glass = self.record_mut(ix).and_then(|record| record.glass.as_mut());
                if let Some(glass) = glass {
                    glass.reviewed = Some((by.clone(), at, comment.clone()));
                }
            }
            _ => return false,
        }
        true
    }

    /// How many tasks the process gives the activity.
    pub(super) fn task_count(&self, ix: ActivityIx) -> usize {
        match &self.process.activity(ix).kind {
            Kind::Manual(manual) => manual.tasks.len(),
            Kind::Component(_) | Kind::Wait(_) | Kind::Process(_) => 0,
        }
    }
}

fn note(record: &mut Record, (at, by): (Timestamp, &Actor), event: &Event) {
    match event {
        Event::TaskMoved {
            task,
            state,
            comment,
            ..
        } => {
            moved(record, (*task, *state), (at, by), comment.as_ref());
        }
        Event::Commented { task, text, .. } => {
            if let Some(notes) = notes(record, *task) {
                notes.comments.push(said(by, at, text));
            }
        }
        Event::CommentEdited {
            task,
            comment,
            text,
            ..
        } => {
            let notes = notes(record, *task);
            let comment = notes.and_then(|notes| notes.comments.get_mut(*comment as usize));
            if let Some(comment) = comment {
                comment.text.clone_from(text);
                comment.edited_at = Some(at);
            }
        }
        Event::FileAttached { task, file, .. } => {
            if let Some(notes) = notes(record, *task) {
                let (by, file) = (by.clone(), file.clone());
                notes.files.push(Attached { by, at, file });
            }
        }
        _ => {}
    }
}

fn moved(
    record: &mut Record,
    (task, state): (u32, TaskState),
    (at, by): (Timestamp, &Actor),
    comment: Option<&String>,
) {
    let Some(task) = record.tasks.get_mut(task as usize) else {
        return;
    };
    task.state = state;
    task.moved = Some((by.clone(), at));
    let comments = comment.map(|text| said(by, at, text));
    task.notes.comments.extend(comments);
}

fn said(by: &Actor, at: Timestamp, text: &str) -> Comment {
    Comment {
        by: by.clone(),
        at,
        text: text.to_owned(),
        edited_at: None,
    }
}

fn notes(record: &mut Record, task: Option<u32>) -> Option<&mut Notes> {
    match task {
        Some(task) => record
            .tasks
            .get_mut(task as usize)
            .map(|task| &mut task.notes),
        None => Some(&mut record.notes),
    }
}
