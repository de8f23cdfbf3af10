//! What people decide and do, as scenarios tell it.

use fermata_core::actor::Actor;
use fermata_core::id::Name;
use fermata_core::process::{ActivityIx, Kind};
use fermata_core::release::Release;
use fermata_core::release::event::Event;
use fermata_core::release::task::Notes;

use crate::show::{awaits, labelled, said, short, until};
use crate::story::{elapsed, name};
use crate::way_back;

pub(crate) fn people_fact(event: &Event) -> String {
    match event {
        Event::PeopleAsked {
            instructions,
            expires_at,
            ..
        } => format!("asks \"{}\"{}", short(instructions), until(*expires_at)),
        Event::Approved {
            rules,
            comment,
            form,
            ..
        } => {
            let form = labelled("form", form.as_ref());
            format!(
                "approved for rules {rules:?}{form}{}",
                said(comment.as_ref())
            )
        }
        Event::Rejected { comment, .. } => format!("rejected: {}", short(comment)),
        Event::Expired { .. } => "expired".to_owned(),
        Event::WaitBegan { on, until, .. } => {
            format!("waits for {}{}", awaits(*on), self::until(*until))
        }
        Event::ChildOf { path, depth, .. } => format!("is a child of {path}, {depth} deep"),
        Event::ChildStarted {
            attempt,
            process,
            inputs,
            ..
        } => format!("child {attempt} of {process} started with {inputs}"),
        Event::ChildLaunched {
            process, inputs, ..
        } => format!("child of {process} launched with {inputs}"),
        Event::LocksWanted { locks, with, .. } => {
            format!("wants {locks:?}{}", labelled("with", with.as_ref()))
        }
        Event::LocksGranted { .. } => "has its locks".to_owned(),
        Event::EmergencyDeclared { reason } => format!("is an emergency: {}", short(reason)),
        Event::SignalReceived { payload, .. } => {
            format!("signal received{}", labelled("payload", payload.as_ref()))
        }
        other => question_fact(other),
    }
}

fn question_fact(event: &Event) -> String {
    let list = |actors: &[Actor]| actors.iter().map(name).collect::<Vec<_>>().join(", ");
    match event {
        Event::PeopleFound {
            authors, groups, ..
        } => {
            let groups = groups.iter().map(|known| {
                let members: Vec<&str> = known.members.iter().map(Name::as_str).collect();
                format!(" {}=[{}]", known.group, members.join(", "))
            });
            let groups: String = groups.collect();
            let authors = list(authors);
            let by = if authors.is_empty() {
                ""
            } else {
                " published by "
            };
            format!("knows{groups}{by}{authors}")
        }
        Event::ApprovalGiven {
            backup_of,
            rules,
            comment,
            form,
            ..
        } => {
            let form = labelled("form", form.as_ref());
            let backup = backup(backup_of.as_ref());
            format!(
                "approved{backup} for rules {rules:?}{form}{}",
                said(comment.as_ref())
            )
        }
        Event::RejectedAsBackup {
            backup_of, comment, ..
        } => format!("rejected{}: {}", backup(Some(backup_of)), short(comment)),
        Event::ApprovalWithdrawn { of, comment, .. } => format!(
            "approval of {} withdrawn{}",
            name(of),
            said(comment.as_ref())
        ),
        Event::ApprovalsLapsed { .. } => "approvals lapsed".to_owned(),
        Event::QuestionWithdrawn { reason, .. } => format!("withdrawn: {}", short(reason)),
        Event::Reminded { number, .. } => format!("reminds, time {number}"),
        Event::Escalated { .. } => "escalated".to_owned(),
        other => work_fact(other),
    }
}

fn work_fact(event: &Event) -> String {
    let on = |task: &Option<u32>| task.map_or_else(String::new, |task| format!(" on task {task}"));
    match event {
        Event::TaskMoved {
            task,
            state,
            comment,
            ..
        } => format!("task {task} {}{}", state.word(), said(comment.as_ref())),
        Event::Commented { task, text, .. } => format!("comment{}: {}", on(task), short(text)),
        Event::CommentEdited {
            task,
            comment,
            text,
            ..
        } => format!("comment {comment}{} edited: {}", on(task), short(text)),
        Event::FileAttached { task, file, .. } => format!("file{}: {}", on(task), file.name),
        Event::GlassBroken { reason, .. } => format!("glass broken: {}", short(reason)),
        Event::ReviewClosed { comment, .. } => format!("reviewed: {}", short(comment)),
        other => way_back::fact(other),
    }
}

/// The tasks of an activity, and what was said and attached.
pub(crate) fn tasks(release: &Release, ix: ActivityIx) -> Vec<String> {
    let Some(record) = release.record(ix) else {
        return Vec::new();
    };
    let Kind::Manual(manual) = &release.process().activity(ix).kind else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for (rule, task) in manual.tasks.iter().zip(&record.tasks) {
        let by = task.moved.as_ref();
        let by = by.map(|(by, at)| format!(" by {} at +{}", name(by), elapsed(*at)));
        let (word, by) = (task.state.word(), by.unwrap_or_default());
        lines.push(format!("{}: {word}{by}", rule.name));
        lines.extend(notes(&task.notes));
    }
    lines.extend(notes(&record.notes));
    let reviewed = record.glass.as_ref().map(|glass| match &glass.reviewed {
        None => format!("glass broken by {}, to be reviewed", name(&glass.by)),
        Some((by, _, said)) => format!("reviewed by {}: {said}", name(by)),
    });
    lines.extend(reviewed);
    lines
}

fn notes(notes: &Notes) -> Vec<String> {
    let comments = notes.comments.iter().map(|comment| {
        let edited = comment
            .edited_at
            .map(|at| format!(" (edited +{})", elapsed(at)));
        let (by, edited) = (name(&comment.by), edited.unwrap_or_default());
        format!("  {by}: {}{edited}", short(&comment.text))
    });
    let files = notes.files.iter().map(|attached| {
        let file = &attached.file;
        format!(
            "  {}: [{}] {:?}",
            name(&attached.by),
            file.name,
            file.content
        )
    });
    comments.chain(files).collect()
}

pub(crate) fn backup(of: Option<&Actor>) -> String {
    of.map_or_else(String::new, |of| format!(" as backup of {}", name(of)))
}
