//! The release model and its state machine, as pure functions of values.
//!
//! Nothing here waits, calls out, reads a clock or draws a random number: time, ids and what
//! guests answered come in as arguments. The crate compiles for `wasm32-unknown-unknown`, and
//! the test command keeps it so.
//!
//! The contract has four verbs, and one that joins them:
//!
//! * [`release::decide`]: what an [`release::input::Input`] makes true, or why it is refused;
//! * [`release::Release::apply`]: the total fold of an [`release::event::Event`] into the state;
//! * [`release::work()`]: what should be going on now and when to wake up: derived, never stored;
//! * [`release::check()`]: every invariant, one named function each;
//! * [`release::turn()`]: decide, apply, and let the graph advance until it is quiet.
//!
//! [`rehearsal::rehearse`] plays a whole release through them, under a clock of its own.
//!
//! Read the modules in this order.

pub mod actor;
pub mod attempt;
pub mod component;
pub mod defect;
pub mod expression;
pub mod extension;
pub mod failure;
pub mod id;
pub mod json;
pub mod limits;
mod nearest;
pub mod notification;
pub mod pattern;
pub mod process;
pub mod recording;
pub mod rehearsal;
pub mod release;
pub mod schema;
pub mod time;
