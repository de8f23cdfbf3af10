//! Who is told outside: a receiver that answers as it likes, and remembers what it has heard.

use std::collections::{BTreeMap, BTreeSet};

use fermata_core::component::{Pin, Version};
use fermata_core::extension::{Notification, Notified, Untold};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::{Digest, Name, ReleaseId};
use fermata_core::json::Json;
use fermata_core::notification::TRIES_MAX;
use fermata_core::release::event::{Event, Turn};
use fermata_core::time::Timestamp;
use fermata_service::driver::Driver;
use fermata_service::records::NotifierRecord;
use fermata_service::wake::{Notify, SetNotifier, Wake};
use fermata_store::Store;

use crate::simulation::world::{World, person};

/// Most turns of a release of a story.
const TURNS_MAX: usize = 100_000;
/// Most tries that it takes until everything is delivered.
const TRIES_IN_ALL_MAX: u32 = 100_000;

/// What outside knows.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// Tries that go on, by the number of their delivery.
    going: BTreeMap<u64, Notification>,
    /// What was heard; more than once is as good as once.
    heard: BTreeSet<String>,
    /// What nobody wants to hear, or failed too often.
    given_up: BTreeSet<String>,
}

/// The notifier of the story: it is told how releases go.
pub(super) fn notifier(name: &str) -> SetNotifier {
    let name: Name = name.parse().expect("a name");
    let version = Version {
        major: 1,
        minor: 0,
        patch: 0,
    };
    let component = Pin {
        name: "work".parse().expect("a name"),
        version,
        digest: Digest::of(b"work"),
    };
    let record = NotifierRecord {
        name,
        component,
        settings: Json::empty_object(),
        on: vec!["release-*".to_owned()],
        processes: Vec::new(),
        enabled: true,
        revision: 0,
        set_at: Timestamp(0),
        set_by: person("ana").actor,
    };
    SetNotifier {
        record,
        expected: None,
    }
}

impl Outside {
    /// A try begins: what it tells is true, and on disk.
    pub(super) fn began(&mut self, notify: Notify, disk: &dyn Store) -> Result<(), String> {
        let Notify { number, what } = notify;
        let (what, _) = what.map_err(|failure| format!("a try cannot begin: {failure}"))?;
        let about = about(&what);
        let (release, event) = about.split_once('/').ok_or("no event is told of")?;
        let release: ReleaseId = release.parse().map_err(|_| "no release is told of")?;
        let event: u64 = event.parse().map_err(|_| "no event is told of")?;
        let turns = disk.turns(release, event, 1);
        if turns.map_err(|error| error.to_string())?.is_empty() {
            return Err(format!("{about} is told of and is not on disk"));
        }
        if self.going.insert(number, what).is_some() {
            return Err(format!("delivery {number} is tried twice at a time"));
        }
        Ok(())
    }

    /// The engine is gone. What was on its way may have been heard.
    pub(super) fn left_alone(&mut self, hears: bool) {
        for (_, what) in std::mem::take(&mut self.going) {
            if hears {
                self.heard.insert(about(&what).to_owned());
            }
        }
    }

    /// How releases went was heard, as far as it was not given up.
    fn kept(
        &self,
        releases: impl Iterator<Item = ReleaseId>,
        disk: &dyn Store,
    ) -> Result<(), String> {
        for id in releases {
            let turns = disk.turns(id, 0, TURNS_MAX);
            for turn in turns.map_err(|error| error.to_string())? {
                let missed = told(id, &turn)
                    .find(|about| !self.heard.contains(about) && !self.given_up.contains(about));
                if let Some(about) = missed {
                    return Err(format!("nobody was told of {about}"));
                }
            }
        }
        Ok(())
    }
}

fn told(id: ReleaseId, turn: &Turn) -> impl Iterator<Item = String> {
    let numbered = (turn.first..).zip(&turn.events);
    let matters = numbered.filter(|(_, event)| {
        matches!(
            event,
            Event::Started { .. } | Event::Ended { .. } | Event::Paused { .. }
        )
    });
    matters.map(move |(number, _)| format!("{id}/{number}"))
}

/// One try that goes on ends somehow.
pub(super) fn answer(world: &mut World) {
    let going: Vec<u64> = world.outside.going.keys().copied().collect();
    let Some(number) = world.random.pick(&going).copied() else {
        return;
    };
    let class = match world.random.below(10) {
        0..6 => None,
        6..9 => Some(FailureClass::Retryable),
        _ => Some(FailureClass::Permanent),
    };
    end(world, number, class);
}

fn end(world: &mut World, number: u64, class: Option<FailureClass>) {
    let Some(what) = world.outside.going.remove(&number) else {
        return;
    };
    let about = about(&what).to_owned();
    match &class {
        None => world.outside.heard.insert(about),
        Some(FailureClass::Retryable) if what.number < TRIES_MAX => false,
        Some(_) => world.outside.given_up.insert(about),
    };
    let told = match class {
        None => Ok(()),
        Some(class) => Err(Untold {
            failure: Failure::new(class, "the chat is away"),
            retry_after: None,
        }),
    };
    let log = Vec::new();
    let notified = Box::new(Notified { told, log });
    world.handle(Wake::Tried { number, notified });
}

/// Release and event that it tells of.
fn about(what: &Notification) -> &str {
    let (_, about) = what.id.split_once('/').unwrap_or_default();
    about
}

/// Checks that what is to be told is what the disk says.
pub(super) fn agrees(driver: &Driver) -> Result<(), String> {
    let wrong = driver.check_outbox().map_err(|error| error.to_string())?;
    match wrong {
        Some(wrong) => Err(format!("the list of what is to be told is wrong: {wrong}")),
        None => Ok(()),
    }
}

/// The receiver is there from now on: everything has to arrive.
pub(super) fn settle(world: &mut World) -> Result<(), String> {
    for _ in 0..TRIES_IN_ALL_MAX {
        let going: Vec<u64> = world.outside.going.keys().copied().collect();
        for number in &going {
            end(world, *number, None);
        }
        world.flush()?;
        if !world.outside.going.is_empty() {
            continue;
        }
        let Some(due) = world.driver.next_wake() else {
            break;
        };
        world.now = world.now.max(due);
        world.handle(Wake::TimePassed);
        world.flush()?;
    }
    agrees(&world.driver)?;
    let releases = world.promises.releases();
    world.outside.kept(releases, &*world.disk)
}
