//! Samples of what people do about tasks, and of skipped approvals.

use fermata_core::id::Digest;
use fermata_core::release::event::Event;
use fermata_core::release::task::{Content, File, TaskState};

use super::ACTIVITY;

pub(super) fn of_work() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let mut events: Vec<(&str, Event)> = TaskState::ALL
        .into_iter()
        .map(|state| {
            let moved = Event::TaskMoved {
                activity,
                task: 300,
                state,
                comment: (state == TaskState::Blocked).then(|| "no device".to_owned()),
            };
            (state.word(), moved)
        })
        .collect();
    let text = || "looks good".to_owned();
    let commented = |task| Event::Commented {
        activity,
        task,
        text: text(),
    };
    let edited = |task| Event::CommentEdited {
        activity,
        task,
        comment: 300,
        text: text(),
    };
    events.extend([
        ("task", commented(Some(1))),
        ("activity", commented(None)),
        ("task", edited(Some(1))),
        ("activity", edited(None)),
    ]);
    events.extend(files());
    events.extend([
        (
            "",
            Event::GlassBroken {
                activity,
                reason: "production is down".to_owned(),
            },
        ),
        (
            "",
            Event::ReviewClosed {
                activity,
                comment: "it was right".to_owned(),
            },
        ),
    ]);
    events
}

fn files() -> [(&'static str, Event); 2] {
    let attached = |task, content| Event::FileAttached {
        activity: ACTIVITY,
        task,
        file: File {
            name: "report.pdf".to_owned(),
            content,
        },
    };
    let stored = Content::Stored {
        digest: Digest([9; 32]),
        bytes: 70_000,
        media_type: "application/pdf".to_owned(),
    };
    let url = Content::Url("https://example.com/report".to_owned());
    [
        ("stored", attached(Some(1), stored)),
        ("url", attached(None, url)),
    ]
}
