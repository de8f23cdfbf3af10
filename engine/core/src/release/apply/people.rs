//! The fold of what happens to a question to people.

use crate::actor::Actor;
use crate::process::{ActivityIx, Kind, Manual};
use crate::release::Release;
use crate::release::event::Event;
use crate::release::state::{ActivityState, Approval, Question};
use crate::time::Timestamp;

impl Release {
    /// The state of a manual activity once people are asked.
    pub(super) fn asked(
        &self,
        ix: ActivityIx,
        at: Timestamp,
        event: &Event,
    ) -> Option<ActivityState> {
        let (
            Kind::Manual(manual),
            Event::PeopleAsked {
                instructions,
                expires_at,
                ..
            },
        ) = (&self.process.activity(ix).kind, event)
        else {
            return None;
        };
        let content = self.content(instructions);
        let asked = (instructions.clone(), content);
        let question = Question::new(manual, asked, *expires_at, at);
        Some(ActivityState::NeedsPeople(Box::new(question)))
    }

    /// The state of an open question after what people or time did to it; nothing if the event is
    /// about something else.
    pub(super) fn answered(
        &self,
        ix: ActivityIx,
        (at, by): (Timestamp, &Actor),
        event: &Event,
    ) -> Option<ActivityState> {
        let (Kind::Manual(manual), ActivityState::NeedsPeople(question)) = (
            &self.process.activity(ix).kind,
            &self.activities[ix.0 as usize].state,
        ) else {
            return None;
        };
        let mut question = question.clone();
        match event {
            Event::Approved { .. } | Event::ApprovalGiven { .. } => {
                approved(&mut question, at, by, event);
            }
            Event::ApprovalWithdrawn { of, .. } => {
                question.approvals.retain(|given| given.of() != of);
            }
            Event::ApprovalsLapsed { content, .. } => {
                question.approvals.clear();
                question.content = *content;
            }
            Event::PeopleFound {
                authors, groups, ..
            } => self.know(&mut question, manual, (authors, groups)),
            Event::Reminded { number, .. } => question.remind(manual, *number, at),
            Event::Escalated { .. } => question.escalate(manual),
            _ => return None,
        }
        Some(ActivityState::NeedsPeople(question))
    }

    fn know(
        &self,
        question: &mut Question,
        manual: &Manual,
        found: (&[Actor], &[crate::release::event::Membership]),
    ) {
        question.know(manual, &[self.initiator(), &self.created_by], found);
    }
}

fn approved(question: &mut Question, at: Timestamp, by: &Actor, event: &Event) {
    let (Event::Approved {
        rules,
        comment,
        form,
        ..
    }
    | Event::ApprovalGiven {
        rules,
        comment,
        form,
        ..
    }) = event
    else {
        return;
    };
    let backup_of = match event {
        Event::ApprovalGiven { backup_of, .. } => backup_of.clone(),
        _ => None,
    };
    question.approvals.push(Approval {
        by: by.clone(),
        backup_of,
        at,
        comment: comment.clone(),
        form: form.clone(),
        rules: rules.clone(),
    });
}
