//! What people decide and do about manual activities.

use fermata_core::actor::Caller;
use fermata_core::id::{Digest, Name};
use fermata_core::json::Json;
use fermata_core::release::input::TaskWork;
use fermata_core::release::task::{Content, File, TaskState};
use fermata_service::request::PeopleCommand;

use super::needed;
use crate::access::Asker;
use crate::http::Api;
use crate::http::dto::action::{ActionBody, ActionName};
use crate::http::problem::{INVALID_BODY, NOT_A_BACKUP, Problem};

/// What an action about a manual activity asks for.
pub(super) fn command(
    api: &Api,
    asker: &Asker,
    action: ActionBody,
) -> Result<PeopleCommand, Problem> {
    let backup_of = match &action.absent {
        Some(absent) => Some(absent_person(api, asker, absent)?),
        None => None,
    };
    Ok(match action.action {
        ActionName::Approve => PeopleCommand::Approve {
            comment: action.comment,
            form: action.form.as_ref().map(Json::of),
            content: action.content.as_deref().map(digest).transpose()?,
            backup_of,
        },
        // An empty reason is refused by the release itself, with its own code.
        ActionName::Reject => PeopleCommand::Reject {
            comment: action.comment.or(action.reason).unwrap_or_default(),
            backup_of,
        },
        ActionName::Withdraw => PeopleCommand::Withdraw {
            comment: action.comment,
        },
        ActionName::WithdrawQuestion => PeopleCommand::WithdrawQuestion {
            reason: action.reason.unwrap_or_default(),
        },
        ActionName::BreakGlass => PeopleCommand::BreakGlass {
            reason: action.reason.unwrap_or_default(),
            form: action.form.as_ref().map(Json::of),
        },
        ActionName::CloseReview => PeopleCommand::CloseReview {
            comment: action.comment.unwrap_or_default(),
        },
        _ => PeopleCommand::Work {
            task: action.task.clone(),
            what: work(action)?,
        },
    })
}

fn work(action: ActionBody) -> Result<TaskWork, Problem> {
    Ok(match action.action {
        ActionName::MoveTask => TaskWork::Move {
            state: state(&needed(action.state, "state")?)?,
            comment: action.comment,
        },
        ActionName::EditComment => TaskWork::Edit {
            comment: needed(action.number, "number")?,
            text: action.comment.unwrap_or_default(),
        },
        ActionName::AttachUrl => TaskWork::Attach {
            file: File {
                name: needed(action.name, "name")?,
                content: Content::Url(needed(action.url, "url")?),
            },
        },
        _ => TaskWork::Comment {
            text: action.comment.unwrap_or_default(),
        },
    })
}

fn state(word: &str) -> Result<TaskState, Problem> {
    let mut states = TaskState::ALL.into_iter();
    states.find(|state| state.word() == word).ok_or_else(|| {
        let words = TaskState::ALL.map(TaskState::word).join(", ");
        Problem::new(&INVALID_BODY, format!("state: expected one of {words}"))
    })
}

fn digest(text: &str) -> Result<Digest, Problem> {
    text.parse()
        .map_err(|error| Problem::new(&INVALID_BODY, format!("content: {error}")))
}

/// The person in whose place the asker acts, if they are their backup at this moment.
fn absent_person(api: &Api, asker: &Asker, absent: &str) -> Result<Caller, Problem> {
    let name = absent.strip_prefix("user:").unwrap_or(absent);
    let name: Name = name
        .parse()
        .map_err(|error| Problem::new(&INVALID_BODY, format!("for: {error}")))?;
    let absent = api.access.absent(&asker.name, &name, api.clock.now());
    absent.ok_or_else(|| {
        let detail = format!("you are not the backup of `{name}` now");
        Problem::new(&NOT_A_BACKUP, detail)
    })
}
