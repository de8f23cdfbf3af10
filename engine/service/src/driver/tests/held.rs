//! What is held on to: definitions behind processes, and components that something uses.

use super::*;
use crate::error::{DefineError, RemoveError};
use crate::request::Defined;
use crate::wake::{Define, Remove};
use fermata_core::process::Kind;

const QUICK: &str = "definition: quick\nversion: 1.0.0\nuses: noop@1\ntimeout: 7s\n";
const HASTE: &str = "process: haste\nphases: { p: { activities: { a: { uses: quick@1 } } } }\n";

fn define(world: &mut World, document: &str) -> Result<Defined, DefineError> {
    let catalog = &world.driver.shared.catalog;
    let checked = catalog.define(document.as_bytes());
    let (definition, checked_with) = checked.expect("no defects");
    let define = Define {
        by: ana(),
        definition,
        checked_with,
        document: document.into(),
    };
    let (answer, mut answered) = oneshot::channel();
    world.handle(Wake::Request(Request::Define(Box::new(define), answer)));
    world.flush();
    answered.try_recv().expect("answered")
}

fn remove(world: &mut World, version: &str) -> Result<(), RemoveError> {
    let remove = Remove {
        name: "noop".parse().unwrap(),
        version: version.parse().unwrap(),
    };
    let (answer, mut answered) = oneshot::channel();
    world.handle(Wake::Request(Request::Remove(remove, answer)));
    world.flush();
    answered.try_recv().expect("answered")
}

/// The timeout of the one activity of a version of `haste`.
fn timeout(world: &mut World, version: u32) -> String {
    let new = NewRelease {
        process: "haste".parse().unwrap(),
        version: Some(version),
        ..ship()
    };
    let create = world.driver.prepare(ana(), new).expect("known");
    let Kind::Component(component) = &create.process.activities[0].kind else {
        panic!("it runs a component");
    };
    component.timeout.to_string()
}

#[test]
fn a_process_keeps_the_definition_it_was_checked_with() {
    let mut world = World::new(Config::default());
    define(&mut world, QUICK).unwrap();
    world.publish(HASTE);
    let newer = QUICK.replace("1.0.0", "1.1.0").replace("7s", "9s");
    define(&mut world, &newer).unwrap();
    assert!(define(&mut world, &newer).unwrap().repeated);
    assert!(matches!(
        define(&mut world, &newer.replace("9s", "8s")),
        Err(DefineError::VersionExists { .. })
    ));
    assert!(matches!(
        define(&mut world, &QUICK.replace("quick", "noop")),
        Err(DefineError::NameTaken)
    ));
    world.publish(&format!("{HASTE}# again\n"));
    let mut world = world.restart();
    assert_eq!(timeout(&mut world, 1), "7s");
    assert_eq!(timeout(&mut world, 2), "9s");
}

#[test]
fn what_is_used_is_not_removed() {
    let mut world = World::new(Config::default());
    let used = remove(&mut world, "1.0.0").expect_err("a process uses it");
    assert!(used.to_string().contains("ship@1"), "{used}");
    assert!(matches!(
        remove(&mut world, "9.0.0"),
        Err(RemoveError::Unknown)
    ));
    world.register("noop", "1.4.0").unwrap();
    let id = world.create();
    let held = remove(&mut world, "1.4.0").expect_err("a release runs it");
    assert!(held.to_string().contains(&id.to_string()), "{held}");
    world.input(id, abort()).unwrap();
    remove(&mut world, "1.4.0").unwrap();
    assert!(matches!(
        remove(&mut world, "1.4.0"),
        Err(RemoveError::Unknown)
    ));
    let mut world = world.restart();
    let id = world.create();
    let pinned = world.driver.release(id).unwrap().pins()[0].pin.version;
    assert_eq!(pinned.to_string(), "1.0.0");
}

#[test]
fn what_comes_and_goes_in_one_commit_is_gone() {
    let mut world = World::new(Config::default());
    let register = Register {
        by: ana(),
        descriptor: serde_json::from_value(json!({ "name": "noop", "version": "1.9.0" })).unwrap(),
        digest: Digest::of(b"1.9.0"),
        size: 1,
    };
    let (answer, _registered) = oneshot::channel();
    world.handle(Wake::Request(Request::Register(Box::new(register), answer)));
    remove(&mut world, "1.9.0").unwrap();
    assert!(matches!(
        remove(&mut world, "1.9.0"),
        Err(RemoveError::Unknown)
    ));
    let mut world = world.restart();
    assert!(matches!(
        remove(&mut world, "1.9.0"),
        Err(RemoveError::Unknown)
    ));
}
