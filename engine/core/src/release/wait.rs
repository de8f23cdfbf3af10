//! Activities that only wait: how a wait begins, and how it is over without what it waited for.

use crate::failure::{Failure, FailureClass};
use crate::id::{Name, ReleaseId};
use crate::json::Json;
use crate::process::{ActivityIx, Kind, Reaches, ReleaseWait, Wait};
use crate::release::Release;
use crate::release::event::{Awaits, Event, OutputSource, UndoPart};
use crate::release::state::{ActivityState, Await, PhaseState, Settled};
use crate::time::Timestamp;

/// Another release that an activity waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited<'a> {
    /// Which.
    pub release: ReleaseId,
    /// The process that it must run, if that matters.
    pub process: Option<&'a Name>,
    /// Where it has to get.
    pub reaches: &'a Reaches,
}

/// Whether a release is where another one waits for it to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It may still get there.
    NotYet,
    /// It is there, or was.
    Reached,
    /// It cannot get there any more.
    Never,
    /// Its process has no such phase.
    NoPhase,
}

impl Release {
    /// The release that an activity waits for now, if it waits for one.
    pub fn awaited(&self, ix: ActivityIx) -> Option<Awaited<'_>> {
        let ActivityState::Awaiting(wait) = &self.activities.get(ix.0 as usize)?.state else {
            return None;
        };
        let Kind::Wait(Wait::Release(wanted)) = &self.process.activity(ix).kind else {
            return None;
        };
        match wait.on {
            Awaits::Release(release) => Some(Awaited {
                release,
                process: wanted.process.as_ref(),
                reaches: &wanted.reaches,
            }),
            Awaits::Time | Awaits::Signal => None,
        }
    }

    /// The child whose rollback an activity waits for now, on the way back.
    pub fn recalled(&self, ix: ActivityIx) -> Option<ReleaseId> {
        match &self.activities.get(ix.0 as usize)?.state {
            ActivityState::Undoing(undoing) => match (undoing.part, &undoing.now) {
                (UndoPart::Child(child), ActivityState::Awaiting(_)) => Some(child),
                _ => None,
            },
            _ => None,
        }
    }

    /// The release that an activity waits for now, on the way forward or back.
    pub fn other(&self, ix: ActivityIx) -> Option<ReleaseId> {
        let awaited = self.awaited(ix).map(|awaited| awaited.release);
        awaited.or_else(|| self.recalled(ix))
    }

    /// Activities that wait for other releases now, with those releases.
    pub fn awaiting(&self) -> impl Iterator<Item = (ActivityIx, ReleaseId)> {
        let waiting = self.index.awaiting.iter();
        waiting.filter_map(|ix| self.other(*ix).map(|other| (*ix, other)))
    }

    /// Whether it is where `reaches` says.
    pub fn reach(&self, reaches: &Reaches) -> Reach {
        let reached = match reaches {
            Reaches::Running => self.started.is_some(),
            Reaches::Ended => self.has_ended(),
            Reaches::Outcome(word) => self.has_ended() && self.state.word() == *word,
            Reaches::Phase(name) => return self.reach_phase(name),
        };
        match reached {
            true => Reach::Reached,
            false if self.has_ended() => Reach::Never,
            false => Reach::NotYet,
        }
    }

    fn reach_phase(&self, name: &Name) -> Reach {
        let mut phases = self.process.phases.iter().zip(&self.phases);
        let Some((_, node)) = phases.find(|(phase, _)| phase.name == *name) else {
            return Reach::NoPhase;
        };
        match node.state.settled() {
            Some(Settled::Satisfied) => Reach::Reached,
            Some(Settled::Broken) => Reach::Never,
            None => match node.state {
                PhaseState::Waiting | PhaseState::Blocked { .. } | PhaseState::Open { .. } => {
                    Reach::NotYet
                }
                PhaseState::Ended { .. } | PhaseState::Skipped { .. } => Reach::Never,
            },
        }
    }

    /// The event with which a wait begins, or why it cannot.
    pub(super) fn wait(
        &self,
        activity: ActivityIx,
        wait: &Wait,
        now: Timestamp,
    ) -> Result<Event, String> {
        let lapses = |timeout: Option<_>| timeout.map(|span| now.after(span));
        let (on, until) = match wait {
            Wait::For(span) => (Awaits::Time, Some(now.after(*span))),
            Wait::Until(template) => {
                let text = self.rendered_text("until", template, Some(activity))?;
                let at: Timestamp = text
                    .parse()
                    .map_err(|error| format!("`until` is `{text}`: {error}"))?;
                (Awaits::Time, Some(at.max(now)))
            }
            Wait::Signal(signal) => (Awaits::Signal, lapses(signal.timeout)),
            Wait::Release(other) => (
                Awaits::Release(self.other_release(activity, other)?),
                lapses(other.timeout),
            ),
        };
        Ok(Event::WaitBegan {
            activity,
            on,
            until,
        })
    }

    fn other_release(&self, activity: ActivityIx, wait: &ReleaseWait) -> Result<ReleaseId, String> {
        let text = self.rendered_text("release", &wait.release, Some(activity))?;
        text.parse()
            .map_err(|error| format!("`release` is `{text}`: {error}"))
    }

    /// What follows when the timer of a wait has fallen due.
    pub(super) fn wait_over(&self, activity: ActivityIx, wait: &Await) -> Event {
        let message = match wait.on {
            Awaits::Time => {
                return Event::ActivitySucceeded {
                    activity,
                    outputs: Json::empty_object(),
                    source: OutputSource::Wait,
                };
            }
            Awaits::Signal => "no signal came in time".to_owned(),
            Awaits::Release(release) => format!("{release} did not get there in time"),
        };
        let mut failure = Failure::new(FailureClass::Limit("wait".to_owned()), message)
            .remedy("retry it to wait once more, supply its outputs, or skip it");
        failure.code = Some("timed-out".to_owned());
        self.fails(activity, failure)
    }
}
