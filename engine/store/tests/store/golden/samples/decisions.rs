//! Samples of what people decide about a question, and of what time does to it.

use fermata_core::actor::Actor;
use fermata_core::id::{Digest, Name};
use fermata_core::release::event::{Event, Membership};

use super::{ACTIVITY, json};

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn zoe() -> Actor {
    Actor::User(name("zoe"))
}

pub(super) fn of_questions() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let found = |authors, groups| Event::PeopleFound {
        activity,
        authors,
        groups,
    };
    let groups = vec![Membership {
        group: name("qa"),
        members: vec![name("ana"), name("ben")],
    }];
    let mut events = vec![
        ("groups", found(vec![zoe()], groups)),
        ("bare", found(Vec::new(), Vec::new())),
    ];
    events.extend(of_answers());
    events.extend(of_ends());
    events
}

fn of_answers() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    let given = |backup_of, comment: Option<&str>, form| Event::ApprovalGiven {
        activity,
        backup_of,
        rules: vec![0, 300],
        comment: comment.map(ToOwned::to_owned),
        form,
        content: Digest([7; 32]),
    };
    let withdrawn = |comment: Option<&str>| Event::ApprovalWithdrawn {
        activity,
        of: zoe(),
        comment: comment.map(ToOwned::to_owned),
    };
    vec![
        (
            "backup",
            given(
                Some(zoe()),
                Some("fine"),
                Some(json(r#"{"verdict":"pass"}"#)),
            ),
        ),
        ("bare", given(None, None, None)),
        (
            "",
            Event::RejectedAsBackup {
                activity,
                backup_of: zoe(),
                comment: "the journey is broken".to_owned(),
            },
        ),
        ("comment", withdrawn(Some("not so sure"))),
        ("bare", withdrawn(None)),
    ]
}

fn of_ends() -> Vec<(&'static str, Event)> {
    let activity = ACTIVITY;
    vec![
        (
            "",
            Event::ApprovalsLapsed {
                activity,
                content: Digest([8; 32]),
            },
        ),
        (
            "",
            Event::QuestionWithdrawn {
                activity,
                reason: "wrong version".to_owned(),
            },
        ),
        (
            "",
            Event::Reminded {
                activity,
                number: 300,
            },
        ),
        ("", Event::Escalated { activity }),
    ]
}
