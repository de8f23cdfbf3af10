//! The API against a store in memory and a runner that follows a script: every answer, and every
//! way to get a request wrong.

mod access;
mod amend;
mod basics;
mod components;
mod definitions;
mod description;
mod events;
mod locks;
mod notifiers;
mod people;
mod policies;
mod processes;
mod rehearsals;
mod releases;
mod rollback;
mod secrets;
mod signals;
mod standing;
mod uploads;
mod usage;
mod waves;
mod world;
