//! Work on a task: people bring it on its way, say something, attach evidence.
//!
//! For as long as people are asked. What belongs to the activity as a whole, anybody may say.

use crate::actor::{Actor, Caller};
use crate::limits::{COMMENTS_MAX, FILES_MAX, LABEL_BYTES_MAX};
use crate::process::{ActivityIx, Manual, TaskRule};
use crate::release::decide::people::question;
use crate::release::event::Event;
use crate::release::input::TaskWork;
use crate::release::refusal::Refusal;
use crate::release::state::Record;
use crate::release::task::{Content, File, Notes, TaskState};
use crate::release::{Release, bounds};
use crate::time::Timestamp;

pub(super) fn work(
    release: &Release,
    by: &Caller,
    (activity, task): (ActivityIx, Option<&str>),
    what: &TaskWork,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let (manual, _) = question(release, activity, now)?;
    let task = task.map(|name| find(manual, name)).transpose()?;
    let record = release.record(activity);
    let notes = notes(record, task.map(|(ix, _)| ix));
    let place = (activity, task.map(|(ix, _)| ix));
    let event = match what {
        TaskWork::Move { state, comment } => {
            let (ix, rule) = task.ok_or(Refusal::UnknownTask)?;
            may_work(release, by, activity, rule)?;
            moved(record, (activity, ix, rule), *state, comment.as_ref())?
        }
        TaskWork::Comment { text } => commented(by, notes, place, text)?,
        TaskWork::Edit { comment, text } => edited(by, notes, place, (*comment, text))?,
        TaskWork::Attach { file } => {
            if let Some((_, rule)) = task {
                may_work(release, by, activity, rule)?;
            }
            attached(notes, place, file)?
        }
    };
    Ok(vec![event])
}

/// Where something is said or attached: the activity, and which of its tasks.
type Spot = (ActivityIx, Option<u32>);

fn find<'m>(manual: &'m Manual, name: &str) -> Result<(u32, &'m TaskRule), Refusal> {
    let mut tasks = (0..).zip(&manual.tasks);
    tasks
        .find(|(_, rule)| rule.name == name)
        .ok_or(Refusal::UnknownTask)
}

/// Refuses who neither does the task nor answers for the activity.
fn may_work(
    release: &Release,
    by: &Caller,
    activity: ActivityIx,
    rule: &TaskRule,
) -> Result<(), Refusal> {
    let mut parties = rule.assign.iter().chain(release.owners(activity));
    let anybody = rule.assign.is_empty();
    if by.actor != Actor::Engine && (anybody || parties.any(|party| by.is(party))) {
        Ok(())
    } else {
        Err(Refusal::NotAssigned)
    }
}

fn moved(
    record: Option<&Record>,
    (activity, task, rule): (ActivityIx, u32, &TaskRule),
    state: TaskState,
    comment: Option<&String>,
) -> Result<Event, Refusal> {
    let before = record.and_then(|record| record.tasks.get(task as usize));
    if before.is_some_and(|before| before.state == state) {
        return Err(Refusal::WrongState {
            state: state.word(),
            expected: "in another state",
        });
    }
    if rule.required && state == TaskState::NotApplicable {
        return Err(Refusal::TaskRequired);
    }
    if let Some(comment) = comment {
        bounds::text("comment", comment)?;
    }
    Ok(Event::TaskMoved {
        activity,
        task,
        state,
        comment: comment.cloned(),
    })
}

fn commented(
    by: &Caller,
    notes: Option<&Notes>,
    (activity, task): Spot,
    text: &str,
) -> Result<Event, Refusal> {
    if by.actor == Actor::Engine {
        return Err(Refusal::NotAssigned);
    }
    if notes.is_some_and(|notes| notes.comments.len() >= COMMENTS_MAX) {
        return Err(Refusal::TooMany("comments"));
    }
    bounds::reason("text", text)?;
    let text = text.to_owned();
    Ok(Event::Commented {
        activity,
        task,
        text,
    })
}

fn edited(
    by: &Caller,
    notes: Option<&Notes>,
    (activity, task): Spot,
    (comment, text): (u32, &str),
) -> Result<Event, Refusal> {
    let before = notes.and_then(|notes| notes.comments.get(comment as usize));
    let before = before.ok_or(Refusal::UnknownComment)?;
    if before.by != by.actor {
        return Err(Refusal::NotAuthor);
    }
    bounds::reason("text", text)?;
    Ok(Event::CommentEdited {
        activity,
        task,
        comment,
        text: text.to_owned(),
    })
}

fn attached(notes: Option<&Notes>, (activity, task): Spot, file: &File) -> Result<Event, Refusal> {
    if notes.is_some_and(|notes| notes.files.len() >= FILES_MAX) {
        return Err(Refusal::TooMany("files"));
    }
    let label = |what: &str, text: &str| {
        let fits = !text.trim().is_empty() && text.len() <= LABEL_BYTES_MAX;
        if fits && !text.contains(char::is_control) {
            return Ok(());
        }
        let fault = format!("{what}: expected one line of 1 to {LABEL_BYTES_MAX} bytes");
        Err(Refusal::Invalid(vec![fault]))
    };
    label("name", &file.name)?;
    match &file.content {
        Content::Stored { media_type, .. } => label("media_type", media_type)?,
        Content::Url(url) => {
            let is_web = url.starts_with("https://") || url.starts_with("http://");
            bounds::text("url", url)?;
            if !is_web || url.contains(char::is_control) {
                let fault = "url: expected one that begins with https:// or http://";
                return Err(Refusal::Invalid(vec![fault.to_owned()]));
            }
        }
    }
    Ok(Event::FileAttached {
        activity,
        task,
        file: file.clone(),
    })
}

/// What has been said and attached there so far.
fn notes(record: Option<&Record>, task: Option<u32>) -> Option<&Notes> {
    let record = record?;
    match task {
        Some(task) => record.tasks.get(task as usize).map(|task| &task.notes),
        None => Some(&record.notes),
    }
}
