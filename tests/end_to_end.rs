//! The shipped binary with real guests, a real disk and a fleet of real processes.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

#[path = "end_to_end/bank.rs"]
mod bank;
#[path = "end_to_end/command_line.rs"]
mod command_line;
#[path = "end_to_end/components.rs"]
mod components;
#[path = "end_to_end/crash.rs"]
mod crash;
#[path = "end_to_end/floods.rs"]
mod floods;
#[path = "end_to_end/hostile_guests.rs"]
mod hostile_guests;
#[path = "end_to_end/hostile_requests.rs"]
mod hostile_requests;
#[path = "end_to_end/languages.rs"]
mod languages;
#[path = "end_to_end/notifications.rs"]
mod notifications;
#[path = "end_to_end/operations.rs"]
mod operations;
#[path = "end_to_end/policies.rs"]
mod policies;
#[path = "end_to_end/recordings.rs"]
mod recordings;
#[path = "end_to_end/registries.rs"]
mod registries;
#[path = "end_to_end/rehearsed.rs"]
mod rehearsed;
#[path = "end_to_end/scripts.rs"]
mod scripts;
#[path = "end_to_end/secrets.rs"]
mod secrets;
#[path = "end_to_end/world.rs"]
mod world;
