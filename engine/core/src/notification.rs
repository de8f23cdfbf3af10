//! What people outside are told of releases: which events, in which words, and when it is tried again.
//!
//! [`of_turn`] is a pure function of a release and one of its turns. Who wants to be told, and how they
//! are reached, is for others.

mod again;
mod kind;
mod told;

pub use again::{TRIES_MAX, again, rest};
pub use kind::{Kind, UnknownKind};
pub use told::{Told, of_quarantine, of_turn, test};
