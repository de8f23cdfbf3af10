//! A release: the state of one run of a process, and the five functions over it.

pub mod state;
pub mod event;
pub mod input;
pub mod refusal;
