//! The play: a release under a clock of its own, and a world that answers as assumed.
//!
//! Whatever runs ends after its time, whatever needs people is decided after theirs, and where the
//! release itself waits for an instant the clock jumps there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actor::Caller;
use crate::attempt::{AttemptKey, Outcome, Report};
use crate::failure::{Failure, FailureClass};
use crate::id::{Digest, ReleaseId};
use crate::json::Json;
use crate::limits::{REHEARSAL_BYTES_MAX, REHEARSAL_TIME_MAX, REHEARSAL_TURNS_MAX};
use crate::process::{ActivityIx, Kind, Process, ProcessRef};
use crate::rehearsal::error::RehearsalError;
use crate::rehearsal::people::{initiator, member_of, stand_in};
use crate::rehearsal::plan::OutputsFrom;
use crate::rehearsal::script::Script;
use crate::rehearsal::timeline::Timeline;
use crate::release::event::{Awaits, Membership};
use crate::release::input::{Input, TaskWork, What};
use crate::release::refusal::Refusal;
use crate::release::state::ActivityState;
use crate::release::task::TaskState;
use crate::release::{Claim, Draft, Holder, Release, WaitsOn, create, turn, why_activity};
use crate::time::Timestamp;

/// The id of every rehearsed release, so that nothing in a plan depends on it.
const ID: ReleaseId = ReleaseId(0);

/// A release that is being played.
pub(super) struct Stage<'a> {
    pub(super) script: &'a Script<'a>,
    pub(super) release: Release,
    pub(super) now: Timestamp,
    pub(super) timeline: Timeline,
    pub(super) turns: usize,
    /// What the world will do, by time and then in the order in which it was foreseen.
    agenda: BTreeMap<(Timestamp, usize), Move>,
    foreseen: usize,
    /// What was last foreseen for an activity.
    cues: BTreeMap<ActivityIx, Cue>,
}

/// Something that the world does.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// A run ends.
    Finish(AttemptKey),
    /// Somebody decides.
    Decide(ActivityIx),
    /// Somebody gives the outputs of an activity that could not be rendered from placeholders.
    Supply(ActivityIx),
    /// The signal that an activity waits for comes.
    Signal(ActivityIx),
    /// Another release gets where an activity waits for it to be.
    Reach(ActivityIx, ReleaseId),
    /// A child ends; the flag says whether it fails.
    EndChild(ActivityIx, ReleaseId, bool),
    /// A child has gone back.
    UndoChild(ActivityIx, ReleaseId),
}

/// What a move was foreseen for: a state is answered once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cue {
    Run(AttemptKey),
    Question(Timestamp),
    Held(Timestamp),
    Await(Timestamp),
}

impl<'a> Stage<'a> {
    /// The release as a draft that has been started.
    pub(super) fn open(
        process: &Arc<Process>,
        reference: ProcessRef,
        script: &'a Script<'a>,
    ) -> Result<Self, RehearsalError> {
        let now = script.assumptions.starts_at;
        let draft = Draft {
            process: reference,
            title: None,
            inputs: script.assumptions.inputs.clone(),
            emergency: None,
            parent: None,
        };
        let first =
            create(process, draft, initiator().actor, now).map_err(RehearsalError::Inputs)?;
        let release = Release::new(ID, Arc::clone(process), &first)
            .expect("the turn that creates it was made for this process");
        let mut stage = Self {
            script,
            release,
            now,
            timeline: Timeline::default(),
            turns: 1,
            agenda: BTreeMap::new(),
            foreseen: 0,
            cues: BTreeMap::new(),
        };
        let components = script.pins(process);
        let start = What::Start {
            irreversible: script.irreversible(&components),
            components,
        };
        match stage.turn(initiator(), start)? {
            Ok(()) => Ok(stage),
            Err(refusal) => Err(RehearsalError::Refused(refusal)),
        }
    }

    /// Plays until the release has ended, or nothing moves any more.
    pub(super) fn play(&mut self) -> Result<(), RehearsalError> {
        while !self.release.has_ended() {
            if let Some(holder) = self.free_for() {
                match self.turn(Caller::engine(), What::LockGranted { holder })? {
                    Ok(()) => continue,
                    Err(_) => break,
                }
            }
            let next = self.agenda.first_key_value().map(|(key, _)| *key);
            let wake = self.release.wake_at();
            match (next, wake) {
                (Some((at, _)), Some(wake)) if wake < at => self.wait(wake)?,
                (Some(key), _) => self.act(key)?,
                (None, Some(wake)) => {
                    let before = self.release.version();
                    self.wait(wake)?;
                    if self.release.version() == before {
                        break;
                    }
                }
                (None, None) => break,
            }
        }
        Ok(())
    }

    /// Who gets its locks now: no other release holds any, so only parts of this one are in the way.
    fn free_for(&self) -> Option<Holder> {
        let claims = self.release.claims();
        let is_free = |holder: Holder, claim: &Claim| {
            let around = self.release.around(holder);
            let held = claims.iter().filter(|(other, held)| {
                held.granted.is_some() && **other != holder && !around.contains(other)
            });
            let mut held = held.flat_map(|(_, held)| &held.locks);
            !held.any(|lock| claim.locks.contains(lock))
        };
        let wanted = claims.iter().filter(|(_, claim)| claim.granted.is_none());
        let free = wanted.filter(|(holder, claim)| is_free(**holder, claim));
        free.min_by_key(|(holder, claim)| (claim.since, **holder))
            .map(|(holder, _)| *holder)
    }

    fn wait(&mut self, until: Timestamp) -> Result<(), RehearsalError> {
        self.pass(until)?;
        // Time itself is never refused.
        self.turn(Caller::engine(), What::TimePassed)?.ok();
        Ok(())
    }

    fn act(&mut self, key: (Timestamp, usize)) -> Result<(), RehearsalError> {
        self.pass(key.0)?;
        match self.agenda.remove(&key) {
            Some(Move::Finish(key)) => self.finish(key),
            Some(Move::Decide(ix)) => self.decide(ix),
            Some(Move::Supply(ix)) => self.supply(ix),
            Some(Move::Signal(ix)) => self.signal(ix),
            Some(Move::Reach(ix, release)) => self.reach(ix, release),
            Some(Move::EndChild(ix, child, fails)) => self.end_child(ix, child, fails),
            Some(Move::UndoChild(ix, child)) => self.undo_child(ix, child),
            None => Ok(()),
        }
    }

    fn pass(&mut self, to: Timestamp) -> Result<(), RehearsalError> {
        self.now = self.now.max(to);
        if self.now.since(self.script.assumptions.starts_at) > REHEARSAL_TIME_MAX {
            return Err(limit("rehearsal time", REHEARSAL_TIME_MAX));
        }
        Ok(())
    }

    /// One turn of the release, what it shows, and what the world will do about it.
    fn turn(&mut self, by: Caller, what: What) -> Result<Result<(), Refusal>, RehearsalError> {
        self.turns += 1;
        if self.turns > REHEARSAL_TURNS_MAX {
            return Err(limit("rehearsal turns", REHEARSAL_TURNS_MAX));
        }
        let turn = match turn(&mut self.release, &Input { by, what }, self.now) {
            Ok(turn) => turn,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let touched = self.timeline.observe(&self.release, &turn);
        if self.timeline.bytes > REHEARSAL_BYTES_MAX {
            return Err(limit("rehearsal bytes", REHEARSAL_BYTES_MAX));
        }
        for ix in touched {
            self.foresee(ix);
        }
        self.tell_people()?;
        Ok(Ok(()))
    }

    /// Tells questions that nobody is in the groups they have to know: one made-up person decides.
    fn tell_people(&mut self) -> Result<(), RehearsalError> {
        for wanted in self.release.people_wanted() {
            let groups = wanted.groups.into_iter().map(|group| Membership {
                group,
                members: Vec::new(),
            });
            let what = What::PeopleFound {
                activity: wanted.activity,
                authors: Vec::new(),
                groups: groups.collect(),
            };
            self.told(wanted.activity, Caller::engine(), what)?;
        }
        Ok(())
    }

    /// Foresees what the world will do about the state of the activity at `ix`.
    fn foresee(&mut self, ix: ActivityIx) {
        let (cue, next) = match self.release.activity_state(ix).going() {
            ActivityState::Running(attempt) => {
                let Some(key) = self.release.current_run(ix) else {
                    return;
                };
                let deadline = attempt.deadline;
                (Cue::Run(key), self.run_ends(key, deadline))
            }
            ActivityState::NeedsPeople(question) => {
                let expires_at = question.expires_at;
                (
                    Cue::Question(question.since),
                    self.is_decided(ix, expires_at),
                )
            }
            ActivityState::OnHold { since, failure, .. } => {
                let supplied = self.is_supplied(ix, &failure.class);
                (
                    Cue::Held(*since),
                    supplied.then_some((self.now, Move::Supply(ix))),
                )
            }
            ActivityState::Awaiting(wait) => {
                let (on, since, until) = (wait.on, wait.since, wait.until);
                let next = match self.release.recalled(ix) {
                    Some(child) => Some((self.waits(ix, None), Move::UndoChild(ix, child))),
                    None => self.is_answered(ix, on, until),
                };
                (Cue::Await(since), next)
            }
            ActivityState::Child(child) => {
                let (release, since) = (child.release, child.since);
                let fails = self.script.fails(self.release.process(), ix);
                let end = (self.waits(ix, None), Move::EndChild(ix, release, fails));
                (Cue::Await(since), Some(end))
            }
            // Everything else moves with others, with time, or not any more.
            _ => return,
        };
        if self.cues.insert(ix, cue) != Some(cue)
            && let Some((at, next)) = next
        {
            self.plan(at, next);
        }
    }

    fn plan(&mut self, at: Timestamp, next: Move) {
        self.foreseen += 1;
        self.agenda.insert((at, self.foreseen), next);
    }

    /// When the run ends; never, if it misses its deadline first.
    fn run_ends(&mut self, key: AttemptKey, deadline: Timestamp) -> Option<(Timestamp, Move)> {
        let process = self.release.process();
        let length = self
            .script
            .run_length(process, key.activity, (self.now, deadline));
        self.timeline.takes(key.activity, length);
        let at = self.now.after(length.span());
        (at <= deadline).then_some((at, Move::Finish(key)))
    }

    /// When people decide; never, if the question expires first.
    fn is_decided(
        &mut self,
        ix: ActivityIx,
        expires_at: Option<Timestamp>,
    ) -> Option<(Timestamp, Move)> {
        let process = self.release.process();
        let length = self
            .script
            .decision_length(process, ix, (self.now, expires_at));
        self.timeline.takes(ix, length);
        let at = self.now.after(length.span());
        expires_at
            .is_none_or(|expires_at| at < expires_at)
            .then_some((at, Move::Decide(ix)))
    }

    /// Whether what could not be rendered may only have failed because outputs are placeholders.
    fn is_supplied(&self, ix: ActivityIx, class: &FailureClass) -> bool {
        let reads_placeholders = !self.timeline.placeholders(&self.release, ix).is_empty();
        *class == FailureClass::Expression && reads_placeholders
    }

    /// When something outside answers that takes as long as is assumed, but within the time it has.
    fn waits(&mut self, ix: ActivityIx, until: Option<Timestamp>) -> Timestamp {
        let process = self.release.process();
        let deadline = until.unwrap_or(Timestamp(i64::MAX));
        let length = self.script.run_length(process, ix, (self.now, deadline));
        self.timeline.takes(ix, length);
        self.now.after(length.span())
    }

    /// When what the activity waits for comes: never, if it is to fail or the wait is given up first.
    fn is_answered(
        &mut self,
        ix: ActivityIx,
        on: Awaits,
        until: Option<Timestamp>,
    ) -> Option<(Timestamp, Move)> {
        let next = match on {
            Awaits::Time => return None,
            Awaits::Signal => Move::Signal(ix),
            Awaits::Release(release) => Move::Reach(ix, release),
        };
        if self.script.fails(self.release.process(), ix) {
            return None;
        }
        let at = self.waits(ix, until);
        until.is_none_or(|until| at <= until).then_some((at, next))
    }

    fn given(&mut self, ix: ActivityIx) -> Json {
        let process = Arc::clone(self.release.process());
        let (outputs, from) = self.script.outputs(&process, ix, None);
        self.timeline.gives(ix, from);
        outputs
    }

    fn signal(&mut self, ix: ActivityIx) -> Result<(), RehearsalError> {
        let what = What::Signal {
            activity: ix,
            delivery: Digest::of(b"rehearsal"),
            payload: self.given(ix),
        };
        self.told(ix, Caller::engine(), what)
    }

    fn reach(&mut self, ix: ActivityIx, release: ReleaseId) -> Result<(), RehearsalError> {
        let what = What::ReleaseReached {
            activity: ix,
            release,
            found: Ok(self.given(ix)),
        };
        self.told(ix, Caller::engine(), what)
    }

    fn end_child(
        &mut self,
        ix: ActivityIx,
        child: ReleaseId,
        fails: bool,
    ) -> Result<(), RehearsalError> {
        let end = if fails {
            let message = "it is to fail in this rehearsal";
            Err(Box::new(Failure::new(FailureClass::Permanent, message)))
        } else {
            Ok(self.given(ix))
        };
        let what = What::ChildEnded {
            activity: ix,
            child,
            end,
        };
        self.told(ix, Caller::engine(), what)
    }

    fn undo_child(&mut self, ix: ActivityIx, child: ReleaseId) -> Result<(), RehearsalError> {
        let what = What::ChildUndone {
            activity: ix,
            child,
            end: Ok(()),
        };
        self.told(ix, Caller::engine(), what)
    }

    fn finish(&mut self, key: AttemptKey) -> Result<(), RehearsalError> {
        let ix = key.activity;
        if self.release.current_run(ix) != Some(key) {
            return Ok(());
        }
        let process = Arc::clone(self.release.process());
        let goes_back = matches!(self.release.activity_state(ix), ActivityState::Undoing(_));
        let outcome = if goes_back {
            Outcome::Succeeded(Json::empty_object())
        } else if self.script.fails(&process, ix) {
            Outcome::Failed {
                failure: Failure::new(FailureClass::Retryable, "it is to fail in this rehearsal"),
                retry_after: None,
            }
        } else {
            let with = self
                .release
                .record(ix)
                .and_then(|record| record.with.as_ref());
            let (outputs, from) = self.script.outputs(&process, ix, with);
            self.timeline.gives(ix, from);
            Outcome::Succeeded(outputs)
        };
        let report = Report {
            outcome,
            evidence: Vec::new(),
        };
        self.told(ix, Caller::engine(), What::AttemptFinished { key, report })
    }

    /// Required tasks are done before anybody decides.
    fn do_tasks(&mut self, ix: ActivityIx) -> Result<(), RehearsalError> {
        let process = Arc::clone(self.release.process());
        let Kind::Manual(manual) = &process.activity(ix).kind else {
            return Ok(());
        };
        let open = self.release.tasks_open(ix);
        for rule in manual.tasks.iter().filter(|rule| open.contains(&rule.name)) {
            let party = rule.assign.first().or(self.release.owners(ix).first());
            let by = member_of(party, 0);
            let done = What::Work {
                activity: ix,
                task: Some(rule.name.clone()),
                what: TaskWork::Move {
                    state: TaskState::Done,
                    comment: None,
                },
            };
            self.told(ix, by, done)?;
        }
        Ok(())
    }

    fn decide(&mut self, ix: ActivityIx) -> Result<(), RehearsalError> {
        if !self.script.fails(self.release.process(), ix) {
            self.do_tasks(ix)?;
        }
        let ActivityState::NeedsPeople(question) = self.release.activity_state(ix) else {
            return Ok(());
        };
        let Some(WaitsOn::People { rules, .. }) =
            why_activity(&self.release, ix).map(|waiting| waiting.on)
        else {
            return Ok(());
        };
        let by = stand_in(&rules, question.approvals.len());
        let (answered, process) = (
            question.form().is_some(),
            Arc::clone(self.release.process()),
        );
        if self.script.fails(&process, ix) {
            let comment = "it is to fail in this rehearsal".to_owned();
            return self.told(
                ix,
                by,
                What::Reject {
                    activity: ix,
                    comment,
                    backup_of: None,
                },
            );
        }
        let form = match &process.activity(ix).kind {
            Kind::Manual(manual) if !answered => {
                let (_, from) = self.script.outputs(&process, ix, None);
                self.timeline.gives(ix, from);
                self.script.form(&process, ix, manual)
            }
            _ => None,
        };
        let approve = What::Approve {
            activity: ix,
            comment: None,
            form,
            content: None,
            backup_of: None,
        };
        let decided = question.approvals.len();
        self.told(ix, by, approve)?;
        // The next of them decides at the same instant.
        if let ActivityState::NeedsPeople(question) = self.release.activity_state(ix)
            && question.approvals.len() > decided
        {
            self.plan(self.now, Move::Decide(ix));
        }
        Ok(())
    }

    fn supply(&mut self, ix: ActivityIx) -> Result<(), RehearsalError> {
        let process = Arc::clone(self.release.process());
        let (outputs, _) = self.script.outputs(&process, ix, None);
        self.timeline.gives(ix, OutputsFrom::Placeholder);
        let supplied = What::SupplyOutputs {
            activity: ix,
            outputs,
        };
        self.told(ix, initiator(), supplied)
    }

    /// A turn about the activity at `ix`, whose refusal is told of it.
    fn told(&mut self, ix: ActivityIx, by: Caller, what: What) -> Result<(), RehearsalError> {
        if let Err(refusal) = self.turn(by, what)? {
            self.timeline.remark(ix, refusal.to_string());
        }
        Ok(())
    }
}

fn limit(which: &'static str, max: impl std::fmt::Display) -> RehearsalError {
    RehearsalError::Limit {
        which,
        max: max.to_string(),
    }
}
