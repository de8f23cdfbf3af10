//! Approve: one person's yes, which may complete the activity.
//!
//! A person counts once, for the first open rule that is for them; where the process allows it, for
//! every open rule that is. When every rule is met, the answers to the form become the outputs;
//! whoever gave them last is the one who counts.

use crate::id::Digest;
use crate::json::Json;
use crate::process::{ActivityIx, Kind, Manual, Order};
use crate::release::decide::people::{Voice, may_decide, question};
use crate::release::event::{Event, OutputSource};
use crate::release::refusal::Refusal;
use crate::release::state::{Approval, Question};
use crate::release::task::TaskState;
use crate::release::{Release, bounds};
use crate::time::Timestamp;

/// What comes with a yes.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) comment: Option<&'a String>,
    pub(super) form: Option<&'a Json>,
    pub(super) content: Option<Digest>,
}

pub(super) fn approve(
    release: &Release,
    voice: Voice<'_>,
    activity: ActivityIx,
    said: Said<'_>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let (manual, question) = question(release, activity, now)?;
    may_decide(release, (manual, question), voice, now)?;
    if said.content.is_some_and(|seen| seen != question.content) {
        return Err(Refusal::ContentChanged);
    }
    let mut open = question.open(manual);
    let rules = counts_for((manual, question), &open, voice, now)?;
    for rule in &rules {
        open[*rule as usize] -= 1;
    }
    if let Some(comment) = said.comment {
        bounds::text("comment", comment)?;
    }
    if let Some(form) = said.form {
        fits(manual, form)?;
    }
    let form = said.form.or_else(|| question.form());
    let complete = open.iter().all(|more| *more == 0);
    if complete && manual.form.is_some() && form.is_none() {
        return Err(Refusal::FormRequired);
    }
    if complete {
        let open = release.tasks_open(activity);
        if !open.is_empty() {
            return Err(Refusal::TasksOpen(open));
        }
    }
    let mut events = vec![Event::ApprovalGiven {
        activity,
        backup_of: voice.absent(),
        rules,
        comment: said.comment.cloned(),
        form: said.form.cloned(),
        content: question.content,
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

impl Release {
    /// The required tasks of an activity that are not done.
    pub fn tasks_open(&self, ix: ActivityIx) -> Vec<String> {
        let Kind::Manual(manual) = &self.process.activity(ix).kind else {
            return Vec::new();
        };
        let tasks = self.record(ix).map_or(&[][..], |record| &record.tasks);
        let is_done = |ix: usize| {
            let task = tasks.get(ix);
            task.is_some_and(|task| task.state == TaskState::Done)
        };
        let open = manual.tasks.iter().enumerate();
        open.filter(|(ix, rule)| rule.required && !is_done(*ix))
            .map(|(_, rule)| rule.name.clone())
            .collect()
    }
}

/// The open rules that the yes counts for: none only where there are no rules at all.
fn counts_for(
    (manual, question): (&Manual, &Question),
    open: &[u32],
    voice: Voice<'_>,
    now: Timestamp,
) -> Result<Vec<u32>, Refusal> {
    let (by, voter) = (&voice.by.actor, voice.voter());
    let given = question.approvals.iter();
    let involved: Vec<&Approval> = given
        .filter(|given| given.involves(by) || given.involves(&voter.actor))
        .collect();
    if !manual.same_person && !involved.is_empty() {
        return Err(Refusal::AlreadyApproved);
    }
    if manual.approvals.is_empty() {
        return Ok(Vec::new());
    }
    let has_counted = |rule: u32| involved.iter().any(|given| given.rules.contains(&rule));
    let wanted: Vec<u32> = (0..)
        .zip(open)
        .filter(|(ix, more)| **more > 0 && question.is_for(manual, *ix as usize, (voter, now)))
        .map(|(ix, _)| ix)
        .collect();
    let next: Vec<u32> = match manual.order {
        Order::Parallel => wanted.clone(),
        Order::Sequential => {
            let turn = open.iter().position(|more| *more > 0);
            let is_turn = |ix: &u32| turn == Some(*ix as usize);
            wanted.iter().copied().filter(is_turn).collect()
        }
    };
    let mut rules: Vec<u32> = next
        .iter()
        .copied()
        .filter(|ix| !has_counted(*ix))
        .collect();
    if !manual.same_person {
        rules.truncate(1);
    }
    if !rules.is_empty() {
        return Ok(rules);
    }
    Err(if !next.is_empty() {
        Refusal::AlreadyApproved
    } else if !wanted.is_empty() {
        Refusal::NotYourTurn
    } else if !involved.is_empty() {
        Refusal::AlreadyApproved
    } else {
        Refusal::NotAnApprover
    })
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
