//! A release played through before it is started: what starts when, with which inputs, who must
//! approve what, what determines the end, and what happens if something fails.
//!
//! It is the real state machine, under a clock that jumps from one instant at which something
//! happens to the next. What the world would answer is assumed: how long runs take, what they
//! give back, when people decide. Nothing is called and nothing is stored, so that the cost is
//! that of the events, however long the release would take.

use std::sync::Arc;

use crate::process::{Process, ProcessRef};

mod assumptions;
mod critical;
mod digest;
mod error;
mod people;
mod plan;
mod rollback;
mod sample;
mod script;
mod stage;
mod timeline;
mod tree;

pub use assumptions::{APPROVE_AFTER_DEFAULT, Assumptions, DURATION_DEFAULT, Described};
pub use error::RehearsalError;
pub use plan::{Approval, Assumed, Basis, Entry, Link, OutputsFrom, Rehearsal, Standing};
pub use rollback::Effect;

/// Plays a release of `process` through. The same arguments always give the same plan.
pub fn rehearse(
    process: &Arc<Process>,
    reference: ProcessRef,
    assumptions: &Assumptions,
) -> Result<Rehearsal, RehearsalError> {
    let script = script::Script::read(process, assumptions)?;
    let mut stage = stage::Stage::open(process, reference, &script)?;
    stage.play()?;
    Ok(Rehearsal::of(&stage))
}
