//! Lines without a store: what is tried when, and what makes room.

use fermata_core::actor::Actor;
use fermata_core::component::{Pin, Version};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::Digest;
use fermata_core::json::Json;
use fermata_core::notification::test;

use super::*;
use crate::config::{DELIVERIES_KEPT_MAX, DELIVERIES_PENDING_MAX};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn record(notifier: &str, on: &[&str], processes: &[&str]) -> Arc<NotifierRecord> {
    let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect();
    Arc::new(NotifierRecord {
        name: name(notifier),
        component: Pin {
            name: name("chat-notifier"),
            version: Version {
                major: 1,
                minor: 0,
                patch: 0,
            },
            digest: Digest([0; 32]),
        },
        settings: Json::empty_object(),
        on: texts(on),
        processes: texts(processes),
        enabled: true,
        revision: 1,
        set_at: Timestamp(0),
        set_by: Actor::Engine,
    })
}

fn outbox(notifiers: &[&str]) -> Outbox {
    let mut outbox = Outbox::default();
    for notifier in notifiers {
        outbox.set(record(notifier, &["*"], &[]));
    }
    outbox
}

fn delivery(notifier: &str, number: u64) -> DeliveryRecord {
    let name = name(notifier);
    let told = test(&name, &Actor::Engine, Timestamp(0));
    DeliveryRecord::new(name, number, &told)
}

fn tell(outbox: &mut Outbox, notifier: &str) -> u64 {
    let number = outbox.next_number();
    outbox.put(&delivery(notifier, number));
    number
}

/// What is tried at `at`, by number.
fn due(outbox: &mut Outbox, at: i64) -> Vec<u64> {
    let due = outbox.take_due(Timestamp(at));
    due.into_iter().map(|(_, number)| number).collect()
}

fn end(outbox: &mut Outbox, number: u64, standing: Standing, rests_until: Option<i64>) -> Room {
    let name = outbox.ended(number).expect("it was going on");
    let delivery = DeliveryRecord {
        standing,
        ..delivery(name.as_str(), number)
    };
    outbox.tried(&delivery, rests_until.map(Timestamp))
}

fn delivered() -> Standing {
    Standing::Delivered {
        tries: 1,
        at: Timestamp(0),
    }
}

fn failed(next_at: i64) -> Standing {
    Standing::Pending {
        tries: 1,
        next_at: Timestamp(next_at),
        failure: Some(Failure::new(FailureClass::Retryable, "down")),
    }
}

#[test]
fn a_notifier_has_one_try_at_a_time_and_the_oldest_goes_first() {
    let mut outbox = outbox(&["a", "b"]);
    let numbers = ["b", "a", "a"].map(|notifier| tell(&mut outbox, notifier));
    assert_eq!(due(&mut outbox, 0), [numbers[0], numbers[1]]);
    assert_eq!((due(&mut outbox, 0), outbox.next()), (vec![], None));
    end(&mut outbox, numbers[1], delivered(), None);
    assert_eq!(due(&mut outbox, 0), [numbers[2]]);
}

#[test]
fn what_failed_lets_others_go_ahead_after_a_rest() {
    let mut outbox = outbox(&["a"]);
    let (first, second) = (tell(&mut outbox, "a"), tell(&mut outbox, "a"));
    assert_eq!(due(&mut outbox, 0), [first]);
    end(&mut outbox, first, failed(100), Some(10));
    assert_eq!(outbox.next(), Some(Timestamp(10)));
    assert_eq!(due(&mut outbox, 9), [0; 0]);
    assert_eq!(due(&mut outbox, 10), [second]);
    end(&mut outbox, second, delivered(), None);
    assert_eq!(outbox.next(), Some(Timestamp(100)));
    // A receiver that is back gets what waits in order.
    let third = tell(&mut outbox, "a");
    assert_eq!(due(&mut outbox, 100), [first]);
    end(&mut outbox, first, delivered(), None);
    assert_eq!(due(&mut outbox, 100), [third]);
}

#[test]
fn a_notifier_that_does_not_answer_holds_up_no_other() {
    let names: Vec<String> = (0..20).map(|n| format!("n{n}")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut outbox = outbox(&all);
    let hung = tell(&mut outbox, "n0");
    assert_eq!(due(&mut outbox, 0), [hung]);
    for notifier in &all[1..] {
        tell(&mut outbox, notifier);
    }
    let mut seen = 0;
    while let Some(number) = outbox
        .take_due(Timestamp(0))
        .into_iter()
        .map(|it| it.1)
        .next()
    {
        end(&mut outbox, number, delivered(), None);
        seen += 1;
        let going: Vec<u64> = outbox.going.keys().copied().collect();
        for number in going {
            if number != hung {
                end(&mut outbox, number, delivered(), None);
                seen += 1;
            }
        }
    }
    assert_eq!((seen, outbox.going_count()), (19, 1));
}

#[test]
fn places_are_bounded_and_an_outbox_without_one_wakes_nobody() {
    let names: Vec<String> = (0..=TRIES_GOING_MAX).map(|n| format!("n{n}")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut outbox = outbox(&all);
    for notifier in &all {
        tell(&mut outbox, notifier);
    }
    assert_eq!(outbox.take_due(Timestamp(0)).len(), TRIES_GOING_MAX);
    assert_eq!(
        (outbox.next(), outbox.take_due(Timestamp(0)).len()),
        (None, 0)
    );
}

#[test]
fn the_oldest_makes_room() {
    let mut outbox = outbox(&["a"]);
    let first = tell(&mut outbox, "a");
    assert_eq!(due(&mut outbox, 0), [first]);
    let second = tell(&mut outbox, "a");
    for _ in 2..DELIVERIES_PENDING_MAX {
        tell(&mut outbox, "a");
    }
    let newest = outbox.next_number();
    let room = outbox.put(&delivery("a", newest));
    assert_eq!(
        room.dropped,
        Some(second),
        "not the one that is being tried"
    );
    assert_eq!(outbox.pending_count(), DELIVERIES_PENDING_MAX);
}

#[test]
fn what_is_over_is_forgotten_in_the_end() {
    let mut outbox = outbox(&["a"]);
    let mut forgotten = Vec::new();
    for _ in 0..=DELIVERIES_KEPT_MAX {
        let number = tell(&mut outbox, "a");
        due(&mut outbox, 0);
        forgotten.extend(end(&mut outbox, number, delivered(), None).forgotten);
    }
    assert_eq!(forgotten, [1]);
    assert_eq!(outbox.remove(&name("a")).len(), DELIVERIES_KEPT_MAX);
}

#[test]
fn a_notifier_that_is_gone_or_set_anew_takes_no_late_result() {
    let mut outbox = outbox(&["a"]);
    let number = tell(&mut outbox, "a");
    due(&mut outbox, 0);
    outbox.remove(&name("a"));
    outbox.set(record("a", &["*"], &[]));
    assert_eq!(outbox.ended(number), None);
    assert_eq!((outbox.going_count(), outbox.next()), (0, None));
}

#[test]
fn setting_it_anew_ends_its_waits_and_disabling_it_stops_it() {
    let mut outbox = outbox(&["a"]);
    let number = tell(&mut outbox, "a");
    due(&mut outbox, 0);
    end(&mut outbox, number, failed(1_000), Some(1_000));
    let mut off = NotifierRecord::clone(&record("a", &["*"], &[]));
    off.enabled = false;
    outbox.set(Arc::new(off));
    assert_eq!((outbox.next(), due(&mut outbox, 2_000)), (None, vec![]));
    assert!(!outbox.wants(Kind::Test, None));
    outbox.set(record("a", &["*"], &[]));
    assert_eq!(due(&mut outbox, 0), [number]);
}

#[test]
fn kinds_and_processes_are_chosen_by_patterns() {
    let mut outbox = Outbox::default();
    outbox.set(record("a", &["release-*", "component-*"], &["bank-*"]));
    let (bank, shop) = (name("bank-app"), name("shop"));
    assert!(outbox.wants(Kind::ReleaseFailed, Some(&bank)));
    assert!(!outbox.wants(Kind::ReleaseFailed, Some(&shop)));
    assert!(!outbox.wants(Kind::WaveHalted, Some(&bank)));
    assert!(
        outbox.wants(Kind::ComponentQuarantined, None),
        "processes choose among what is about one"
    );
    assert!(!outbox.wants(Kind::Test, None));
    assert_eq!(
        outbox.wanting(Kind::ReleaseFailed, Some(&bank)),
        [name("a")]
    );
}
