//! What it takes to begin: rendering, deadlines, and what happens when that fails.

use crate::failure::{Failure, FailureClass};
use crate::json::Json;
use crate::limits::TEXT_BYTES_MAX;
use crate::process::{ActivityIx, Component, Kind, Manual, OnFailure};
use crate::release::event::Event;
use crate::release::{Release, bounds};
use crate::time::Timestamp;

impl Release {
    /// The event with which the activity at `ix` begins now, or fails before its first attempt.
    pub(super) fn begin(&self, ix: ActivityIx, now: Timestamp) -> Event {
        let begun = match &self.process.activity(ix).kind {
            Kind::Component(component) => self
                .render_with(component, ix)
                .map(|with| attempt_started(ix, 1, Some(with), now.after(component.timeout))),
            Kind::Manual(manual) => self.ask(ix, manual, now),
        };
        begun.unwrap_or_else(|fault| self.failed_before(ix, fault))
    }

    /// The rendered `with`.
    pub(super) fn render_with(
        &self,
        component: &Component,
        ix: ActivityIx,
    ) -> Result<Json, String> {
        self.render(&component.with, Some(ix))
            .map_err(|fault| format!("`with` could not be rendered: {fault}"))
    }

    /// The event with which people are asked.
    pub(super) fn ask(
        &self,
        ix: ActivityIx,
        manual: &Manual,
        now: Timestamp,
    ) -> Result<Event, String> {
        let instructions = self
            .render(&manual.instructions, Some(ix))
            .map_err(|fault| format!("the instructions could not be rendered: {fault}"))?;
        let instructions = match instructions.value() {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        if instructions.len() > TEXT_BYTES_MAX {
            return Err(format!(
                "the instructions are longer than {TEXT_BYTES_MAX} bytes"
            ));
        }
        Ok(Event::PeopleAsked {
            activity: ix,
            instructions,
            expires_at: manual.expires.map(|expiry| now.after(expiry.after)),
        })
    }

    /// What follows when the activity at `ix` cannot even begin.
    pub(super) fn failed_before(&self, activity: ActivityIx, fault: String) -> Event {
        let failure = Failure::new(FailureClass::Expression, fault).remedy(
            "retry it with inputs of your own, supply its outputs, skip it, or correct the process and start a new release",
        );
        let failure = Some(bounds::failure(failure));
        match self.process.activity(activity).on_failure {
            OnFailure::Hold => Event::ActivityHeld { activity, failure },
            OnFailure::Fail => Event::ActivityFailed {
                activity,
                failure,
                continued: false,
            },
            OnFailure::Continue => Event::ActivityFailed {
                activity,
                failure,
                continued: true,
            },
        }
    }
}

/// The event with which an attempt begins.
pub(super) fn attempt_started(
    activity: ActivityIx,
    attempt: u32,
    with: Option<Json>,
    deadline: Timestamp,
) -> Event {
    Event::AttemptStarted {
        activity,
        attempt,
        with,
        deadline,
    }
}
