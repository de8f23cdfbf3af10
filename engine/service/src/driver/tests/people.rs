//! Questions are told who is who, inboxes follow, and reviews outlive their release.

use std::sync::Arc;

use fermata_core::actor::{Actor, Caller};
use fermata_core::id::Name;
use fermata_core::release::refusal::Refusal;
use serde_json::json;

use super::{Config, World};
use crate::directory::Directory;
use crate::error::InputError;
use crate::inbox::OnBehalf;
use crate::request::{Command, NewRelease, Page, PeopleCommand};

const ASK: &str = "
process: ask
phases:
  one:
    activities:
      board:
        manual:
          instructions: Decide.
          approvals: [ { from: group:board, count: all } ]
          tasks: [ { name: look, assign: user:cleo, expected: 1h } ]
          expires: 2h
";

#[derive(Debug)]
struct Board;

impl Directory for Board {
    fn members(&self, group: &Name) -> Vec<Name> {
        assert_eq!(group.as_str(), "board");
        ["ana", "ben"]
            .map(|name| name.parse().expect("a name"))
            .to_vec()
    }
}

fn person(name: &str, groups: &[&str]) -> Caller {
    let parsed = |text: &str| text.parse().expect("a name");
    Caller {
        actor: Actor::User(parsed(name)),
        groups: groups.iter().map(|group| parsed(group)).collect(),
    }
}

fn asked() -> World {
    let mut world = World::new(Config::default());
    world.driver.know(Arc::new(Board));
    world.publish(ASK);
    let new = NewRelease {
        process: "ask".parse().expect("a name"),
        version: None,
        title: None,
        inputs: json!({}),
        start: true,
        once: None,
        emergency: None,
    };
    let mut answered = world.ask_create(new);
    world.flush();
    answered.try_recv().expect("answered").expect("created");
    world
}

/// The kinds of what waits on somebody, with their deadlines.
fn inbox(world: &World, name: &str, groups: &[&str]) -> Vec<String> {
    let people = [OnBehalf {
        person: person(name, groups),
        is_absent: false,
    }];
    let inbox = &world.driver.shared().inbox;
    let first = Page {
        limit: 1,
        cursor: None,
    };
    let mut page = inbox.of(&people, &first).expect("a page");
    let mut items = page.items;
    while let Some(cursor) = page.next {
        let next = Page {
            limit: 1,
            cursor: Some(cursor),
        };
        page = inbox.of(&people, &next).expect("a page");
        items.extend(page.items);
    }
    let told = items
        .iter()
        .map(|item| format!("{:?} {:?}", item.what, item.due_at.map(|at| at.0)));
    told.collect()
}

fn board(world: &mut World, by: Caller, what: PeopleCommand) -> Result<(), InputError> {
    let release = world.driver.releases().next().expect("one").id();
    let activity = "one/board".to_owned();
    world.input_by(by, release, Command::People { activity, what })
}

fn approve() -> PeopleCommand {
    PeopleCommand::Approve {
        comment: None,
        form: None,
        content: None,
        backup_of: None,
    }
}

#[test]
fn a_question_is_told_in_the_commit_that_asks_it() {
    let mut world = asked();
    let approval = "Approval Some(7201000)";
    assert_eq!(inbox(&world, "ana", &["board"]), [approval]);
    assert_eq!(inbox(&world, "cleo", &["board"]), ["Task(0) Some(3601000)"]);
    assert!(inbox(&world, "dan", &["board"]).is_empty());
    board(&mut world, person("ana", &["board"]), approve()).expect("an approver");
    assert!(inbox(&world, "ana", &["board"]).is_empty());
    let mut world = world.restart();
    assert_eq!(inbox(&world, "ben", &[]), [approval]);
    assert_eq!(world.driver.check_inbox(), None);
    board(&mut world, person("ben", &["board"]), approve()).expect("an approver");
    assert!(world.driver.releases().next().is_none() && inbox(&world, "cleo", &[]).is_empty());
}

#[test]
fn a_review_outlives_its_release_and_a_restart() {
    let mut world = asked();
    let glass = PeopleCommand::BreakGlass {
        reason: "down".to_owned(),
        form: None,
    };
    board(&mut world, person("zoe", &["break-glass"]), glass).expect("permitted");
    let mut world = world.restart();
    let release = world.driver.releases().next().expect("to be reviewed");
    assert!(release.has_ended());
    assert_eq!(inbox(&world, "ben", &["board"]), ["Review None"]);
    let refused = board(&mut world, person("ben", &["board"]), approve());
    assert!(matches!(
        refused,
        Err(InputError::Refused(Refusal::Ended(_)))
    ));
    let review = PeopleCommand::CloseReview {
        comment: "right".to_owned(),
    };
    board(&mut world, person("ben", &["board"]), review).expect("a reviewer");
    let world = world.restart();
    assert!(world.driver.releases().next().is_none());
    assert!(world.driver.health().quarantined.is_empty());
    assert!(inbox(&world, "ben", &["board"]).is_empty());
}
