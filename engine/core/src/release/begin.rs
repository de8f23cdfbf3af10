//! What it takes to begin: rendering, deadlines, and what happens when that fails.

use crate::expression::Template;
use crate::failure::{Failure, FailureClass};
use crate::json::Json;
use crate::limits::TEXT_BYTES_MAX;
use crate::process::{ActivityIx, Component, Kind, Manual, OnFailure};
use crate::release::event::Event;
use crate::release::state::{ActivityState, Blocked};
use crate::release::{ChildOrder, Release, bounds};
use crate::time::Timestamp;

impl Release {
    /// The event with which the activity at `ix` begins now, or fails before its first attempt.
    pub(super) fn begin(&self, ix: ActivityIx, now: Timestamp) -> Event {
        let begun = match &self.process.activity(ix).kind {
            Kind::Component(component) => self
                .render_with(component, ix)
                .map(|with| attempt_started(ix, 1, Some(with), now.after(component.timeout))),
            Kind::Manual(manual) => self.ask(ix, manual, now),
            Kind::Wait(wait) => self.wait(ix, wait, now),
            Kind::Process(process) => self.start_child(ix, process, now),
        };
        begun.unwrap_or_else(|fault| self.failed_before(ix, fault))
    }

    /// The event with which the activity at `ix` begins that waited for its locks.
    pub(super) fn unblocked(&self, ix: ActivityIx, blocked: &Blocked, now: Timestamp) -> Event {
        let attempts = blocked.attempts;
        match (&self.process.activity(ix).kind, &blocked.with) {
            (Kind::Process(process), Some(inputs)) => {
                let order = ChildOrder {
                    process: process.name.clone(),
                    version: process.version,
                    inputs: inputs.clone(),
                };
                self.child_started(ix, order, now)
            }
            (Kind::Component(component), with) if with.is_some() || attempts > 0 => {
                let deadline = now.after(component.timeout);
                let next = attempts.saturating_add(1);
                match with
                    .clone()
                    .map_or_else(|| self.render_with(component, ix), Ok)
                {
                    Ok(with) => attempt_started(ix, next, Some(with), deadline),
                    Err(fault) => self.failed_before(ix, fault),
                }
            }
            _ => self.begin(ix, now),
        }
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

    /// The text that `template` gives, as `reader` sees it; `what` names it in the error.
    pub(super) fn rendered_text(
        &self,
        what: &str,
        template: &Template,
        reader: Option<ActivityIx>,
    ) -> Result<String, String> {
        let value = self
            .render(template, reader)
            .map_err(|fault| format!("`{what}` could not be rendered: {fault}"))?;
        Ok(match value.value() {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// The event with which people are asked.
    pub(super) fn ask(
        &self,
        ix: ActivityIx,
        manual: &Manual,
        now: Timestamp,
    ) -> Result<Event, String> {
        let instructions = self.rendered_text("instructions", &manual.instructions, Some(ix))?;
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
        self.fails(activity, bounds::failure(failure))
    }

    /// What follows when an activity fails outside of an attempt.
    pub(super) fn fails(&self, activity: ActivityIx, failure: Failure) -> Event {
        self.failed_for_good(activity, Some(failure))
    }

    /// What follows when no retry is left; the failure, where no failed attempt told it.
    pub(super) fn failed_for_good(&self, activity: ActivityIx, failure: Option<Failure>) -> Event {
        let on_failure = self.process.activity(activity).on_failure;
        match on_failure {
            OnFailure::Hold => Event::ActivityHeld { activity, failure },
            OnFailure::Fail | OnFailure::Rollback | OnFailure::Continue => Event::ActivityFailed {
                activity,
                failure,
                continued: on_failure == OnFailure::Continue,
            },
        }
    }

    /// The event with which the next attempt at what the activity calls begins by itself.
    pub(super) fn again(&self, activity: ActivityIx, attempt: u32, deadline: Timestamp) -> Event {
        match self.activity_state(activity) {
            ActivityState::Undoing(undoing) => Event::UndoStarted {
                activity,
                part: undoing.part,
                attempt,
                with: None,
                deadline,
            },
            _ => attempt_started(activity, attempt, None, deadline),
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
