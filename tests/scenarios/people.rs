//! What scenarios say of people: who is in which group, and what they do besides deciding.

use std::collections::BTreeMap;

use fermata_core::actor::Actor;
use fermata_core::id::{Digest, Name};
use fermata_core::process::ActivityIx;
use fermata_core::release::PeopleWanted;
use fermata_core::release::event::Membership;
use fermata_core::release::input::{TaskWork, What};
use fermata_core::release::task::{Content, File, TaskState};

use crate::script::Words;

/// Who is in which group, and who published the process.
#[derive(Default)]
pub(crate) struct People {
    pub(crate) groups: BTreeMap<Name, Vec<Name>>,
    pub(crate) authors: Vec<Actor>,
}

impl People {
    pub(crate) fn found(&self, wanted: PeopleWanted) -> What {
        let groups = wanted.groups.into_iter().map(|group| Membership {
            members: self.groups.get(&group).cloned().unwrap_or_default(),
            group,
        });
        What::PeopleFound {
            activity: wanted.activity,
            authors: self
                .authors
                .iter()
                .filter(|_| wanted.authors)
                .cloned()
                .collect(),
            groups: groups.collect(),
        }
    }
}

/// What people do besides deciding.
pub(crate) fn of_people(
    verb: &str,
    activity: ActivityIx,
    words: &mut Words<'_>,
) -> Result<What, String> {
    Ok(match verb {
        "break-glass" => What::BreakGlass {
            activity,
            reason: words.text()?,
            form: words.json_after("form")?,
        },
        "close-review" => What::CloseReview {
            activity,
            comment: words.text()?,
        },
        _ => What::Work {
            activity,
            task: words.text_after("on")?,
            what: task_work(verb, words)?,
        },
    })
}

/// `task STATE [saying TEXT]`, `comment TEXT`, `edit NUMBER TEXT`,
/// `attach NAME url TEXT`, `attach NAME stored BYTES TYPE`.
fn task_work(verb: &str, words: &mut Words<'_>) -> Result<TaskWork, String> {
    Ok(match verb {
        "task" => {
            let word = words.expect("a state")?;
            let mut states = TaskState::ALL.into_iter();
            TaskWork::Move {
                state: states
                    .find(|state| state.word() == word)
                    .ok_or_else(|| format!("no state of a task is called {word}"))?,
                comment: words.text_after("saying")?,
            }
        }
        "comment" => TaskWork::Comment {
            text: words.text()?,
        },
        "edit" => TaskWork::Edit {
            comment: words
                .expect("a number")?
                .parse()
                .map_err(|_| "no number of a comment".to_owned())?,
            text: words.text()?,
        },
        "attach" => {
            let name = words.text()?;
            let content = if words.take("url") {
                Content::Url(words.text()?)
            } else {
                Content::Stored {
                    digest: Digest::of(name.as_bytes()),
                    bytes: 7,
                    media_type: words.text()?,
                }
            };
            TaskWork::Attach {
                file: File { name, content },
            }
        }
        _ => return Err(format!("no command is called {verb}")),
    })
}
