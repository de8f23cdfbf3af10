//! Approve: one person's yes, which may complete the activity.
//!
//! A person counts once, for the first open rule that is for them. When every rule is met, the
//! answers to the form become the outputs; whoever gave them last is the one who counts.

use crate::actor::Caller;
use crate::json::Json;
use crate::process::{ActivityIx, Manual};
use crate::release::decide::people::{question, still_open};
use crate::release::event::{Event, OutputSource};
use crate::release::refusal::Refusal;
use crate::release::{Release, bounds};
use crate::time::Timestamp;

/// What comes with a yes.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) comment: Option<&'a String>,
    pub(super) form: Option<&'a Json>,
}

pub(super) fn approve(
    release: &Release,
    by: &Caller,
    activity: ActivityIx,
    said: Said<'_>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let (manual, question) = question(release, by, activity, now)?;
    if question.approvals.iter().any(|given| given.by == by.actor) {
        return Err(Refusal::AlreadyApproved);
    }
    let mut open = still_open(manual, question);
    let counts = counts_for(manual, &open, by);
    if counts.is_none() && !open.is_empty() {
        return Err(Refusal::NotAnApprover);
    }
    if let Some(rule) = counts {
        open[rule as usize] -= 1;
    }
    if let Some(comment) = said.comment {
        bounds::text("comment", comment)?;
    }
    if let Some(form) = said.form {
        fits(manual, form)?;
    }
    let form = said.form.or(question.form.as_ref());
    let complete = open.iter().all(|more| *more == 0);
    if complete && manual.form.is_some() && form.is_none() {
        return Err(Refusal::FormRequired);
    }
    let mut events = vec![Event::Approved {
        activity,
        rules: counts.into_iter().collect(),
        comment: said.comment.cloned(),
        form: said.form.cloned(),
    }];
    if complete {
        events.push(Event::ActivitySucceeded {
            activity,
            outputs: form.cloned().unwrap_or_else(Json::empty_object),
            source: OutputSource::Form,
        });
    }
    Ok(events)
}

/// The first rule that is for `by` and still open.
fn counts_for(manual: &Manual, open: &[u32], by: &Caller) -> Option<u32> {
    let rules = (0..).zip(&manual.approvals).zip(open);
    let mut wanted = rules.filter(|((_, rule), more)| **more > 0 && by.is(&rule.from));
    wanted.next().map(|((position, _), _)| position)
}

/// Refuses answers that the form does not ask for.
pub(super) fn fits(manual: &Manual, form: &Json) -> Result<(), Refusal> {
    bounds::given("form", form)?;
    let Some(schema) = &manual.form else {
        return Err(Refusal::Invalid(vec![
            "form: this activity asks for none".to_owned(),
        ]));
    };
    let faults = schema.faults(&form.value());
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(faults))
    }
}
