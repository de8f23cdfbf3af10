//! Why something is not moving: since when, on what it waits, and who or what can move it.

use crate::actor::{Actor, Party};
use crate::failure::Failure;
use crate::id::{Name, ReleaseId};
use crate::process::{
    ActivityIx, Exclusion, Group, Join, Kind, Manual, Order, PhaseIx, Role, Wait,
};
use crate::release::event::{Awaits, HaltReason};
use crate::release::index::Timer;
use crate::release::needs::Tally;
use crate::release::state::{ActivityState, Await, PhaseState, Question, ReleaseState, Resumes};
use crate::release::wave::Stage;
use crate::release::{Holder, Release};
use crate::time::Timestamp;

mod text;

/// Something that is not moving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which activity; nothing for the release itself.
    pub activity: Option<ActivityIx>,
    /// `phase/activity`, or `release`.
    pub path: String,
    /// The word of the state it is in.
    pub state: &'static str,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What would move it by itself.
    pub on: WaitsOn,
    /// What a person can do about it: names of actions.
    pub actions: &'static [&'static str],
}

/// What something waits on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsOn {
    /// Somebody to start the release.
    Start,
    /// Somebody to resume the release.
    Resume {
        /// Who paused it.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
    /// An instant; then it goes on by itself.
    Time {
        /// Which.
        until: Timestamp,
        /// Whether the attempt is given up then, instead of going on.
        times_out: bool,
        /// How the last attempt failed, if it is to be retried.
        failure: Option<Box<Failure>>,
        /// What the guest says it waits for, if it is suspended.
        status: Option<String>,
    },
    /// People who must approve.
    People {
        /// Rules that are not met yet; none if anybody may complete it.
        rules: Vec<OpenRule>,
        /// Whether the form still has to be filled in.
        form: bool,
        /// Who may not decide.
        exclude: Vec<Exclusion>,
        /// When further parties may decide as well.
        escalates_at: Option<Timestamp>,
        /// Those who may, or will.
        further: Vec<Party>,
        /// When the question lapses.
        expires_at: Option<Timestamp>,
    },
    /// Somebody to say how to go on after a failure.
    Decision {
        /// How it failed.
        failure: Box<Failure>,
        /// Who answers for the activity.
        owners: Vec<Party>,
    },
    /// A signal from outside.
    Signal {
        /// What it is called.
        name: Name,
        /// When the wait is given up.
        until: Option<Timestamp>,
        /// What the guest says that waits for it.
        status: Option<String>,
    },
    /// Another release.
    Release {
        /// Which.
        release: ReleaseId,
        /// Where it has to get, as the process writes it.
        reaches: String,
        /// When the wait is given up.
        until: Option<Timestamp>,
    },
    /// Locks that others hold.
    Locks(Vec<String>),
    /// Others to end first: activities as `phase/activity`, phases by name.
    Needs(Vec<String>),
    /// A batch of a fan-out to open.
    Batch {
        /// Which; 1 for the first.
        batch: u32,
        /// How many there are.
        batches: u32,
        /// What comes before it.
        before: BeforeBatch,
    },
    /// The effects of others to be dealt with first: activities as `phase/activity`.
    Undos(Vec<String>),
    /// Somebody to find out why the release had to go back.
    RootCause {
        /// Who answers for it.
        owners: Vec<Party>,
    },
}

/// What keeps the next batch of a fan-out from opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeforeBatch {
    /// So many released instances have not ended.
    Instances(u32),
    /// It bakes until an instant.
    Bake(Timestamp),
    /// The gate has not ended: the activity, as `phase/activity`.
    Gate(String),
    /// It was halted.
    Halt {
        /// By whom.
        by: Actor,
        /// Why.
        reason: HaltReason,
    },
}

/// An approval rule that is not met yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRule {
    /// Who may approve.
    pub from: Vec<Party>,
    /// How many more of them.
    pub more: u32,
    /// Who of those is missing, where the rule asks for people who were there.
    pub missing: Vec<Name>,
    /// Whether rules before it come first.
    pub later: bool,
}

/// Everything in `release` that is not moving, except what only waits for others to end: ask
/// [`why_activity`] for those.
pub fn why(release: &Release) -> Vec<Waiting> {
    let waits_for_others = |ix| matches!(release.activity_state(ix), ActivityState::Waiting);
    let activities = release
        .activity_ixs()
        .map(|(ix, _)| ix)
        .filter(|ix| !waits_for_others(*ix))
        .filter_map(|ix| why_activity(release, ix))
        .filter(|waiting| !matches!(waiting.on, WaitsOn::Undos(_)));
    let phases = release.phase_ixs().map(|(ix, _)| ix);
    let phases = phases.filter_map(|ix| why_phase(release, ix));
    let waves = release
        .waves()
        .filter_map(|(group, _)| why_wave(release, group));
    why_release(release)
        .into_iter()
        .chain(waves)
        .chain(phases)
        .chain(activities)
        .collect()
}

/// Why the next batch of a fan-out does not open, if that is not for its own instances or its gate.
pub fn why_wave(release: &Release, group: Group) -> Option<Waiting> {
    let wave = release.wave(group)?;
    if release.has_ended() || wave.is_over() {
        return None;
    }
    let (state, since, actions): (_, _, &'static [&'static str]) = match (&wave.halt, wave.stage) {
        (Some(halt), _) if wave.goes_back().is_some() => ("rolling-back", halt.since, &[]),
        (Some(halt), _) => {
            let actions: &[&str] = &["resume-wave", "rollback-wave", "end-wave"];
            ("halted", halt.since, actions)
        }
        (None, Stage::Baking { .. }) => ("baking", wave.since, &["halt-wave", "end-wave"]),
        (None, _) => return None,
    };
    Some(Waiting {
        activity: None,
        path: release.process.group_path(group),
        state,
        since: Some(since),
        on: release.batch(group, wave.open + 1)?,
        actions,
    })
}

/// Why a phase is not moving, if it waits for locks.
fn why_phase(release: &Release, ix: PhaseIx) -> Option<Waiting> {
    let PhaseState::Blocked { since } = release.phase_state(ix) else {
        return None;
    };
    let locks = release.locks_of(Holder::Phase(ix));
    Some(Waiting {
        activity: None,
        path: release.process.phase(ix).name.to_string(),
        state: "blocked",
        since: Some(*since),
        on: release.pause().unwrap_or(WaitsOn::Locks(locks)),
        actions: &[],
    })
}

/// Why the release as a whole is not moving, if it is a draft, paused, or waits for locks, or what it
/// leaves to do.
pub fn why_release(release: &Release) -> Option<Waiting> {
    let (since, on, actions): (_, _, &'static [&'static str]) = match &release.state {
        ReleaseState::Draft => (release.created_at, WaitsOn::Start, &["start", "abort"]),
        ReleaseState::Paused { by, reason, since } => {
            let (by, reason) = (by.clone(), reason.clone());
            (*since, WaitsOn::Resume { by, reason }, &["resume", "abort"])
        }
        ReleaseState::Running if release.is_gated() => {
            let claim = release.claim(Holder::Release)?;
            let locks = WaitsOn::Locks(claim.locks.clone());
            (claim.since, locks, &["abort"])
        }
        ReleaseState::Ended { .. } => {
            let since = release.root_cause_since()?;
            let owners = release.root_cause_owners();
            (since, WaitsOn::RootCause { owners }, &["close-root-cause"])
        }
        ReleaseState::Running | ReleaseState::RollingBack => return None,
    };
    let state = match on {
        WaitsOn::Locks(_) => "blocked",
        _ => release.state.word(),
    };
    Some(Waiting {
        activity: None,
        path: "release".to_owned(),
        state,
        since: Some(since),
        on,
        actions,
    })
}

/// What may be done about a question people are asked.
const QUESTION_ACTIONS: &[&str] = &["approve", "reject", "withdraw", "withdraw-question", "skip"];

/// Why an activity is not moving; nothing if it runs or has ended.
pub fn why_activity(release: &Release, ix: ActivityIx) -> Option<Waiting> {
    let state = &release.activities.get(ix.0 as usize)?.state;
    if state.settled().is_some() && release.scope_of(ix).is_some() {
        return release.why_undo(ix);
    }
    let (since, on, actions): (_, _, &'static [&'static str]) = match state {
        ActivityState::Waiting if release.has_ended() => return None,
        ActivityState::Waiting => (release.started_at(), release.waits_on(ix), &["skip"]),
        ActivityState::Ready { since } => (Some(*since), release.pause()?, &["skip"]),
        ActivityState::Suspended { since, .. } => {
            (Some(*since), release.suspended(state)?, &["skip"])
        }
        ActivityState::Retrying { failure, since, .. } => {
            let timed = release.timed(state, Some(failure.clone()), None);
            let actions: &'static [&'static str] = if release.is_paused() {
                &["skip"]
            } else {
                &["retry", "skip"]
            };
            (Some(*since), timed, actions)
        }
        ActivityState::NeedsPeople(question) => {
            let people = release.people(ix, question)?;
            (Some(question.since), people, QUESTION_ACTIONS)
        }
        ActivityState::Blocked(blocked) => {
            let locks = release.locks_of(Holder::Activity(ix));
            let on = release.pause().unwrap_or(WaitsOn::Locks(locks));
            (Some(blocked.since), on, &["skip"])
        }
        ActivityState::Awaiting(wait) => (Some(wait.since), release.awaits(ix, wait)?, &["skip"]),
        ActivityState::OnHold { failure, since, .. } => {
            let (decision, actions) = release.decision(ix, failure);
            (Some(*since), decision, actions)
        }
        ActivityState::Running(_)
        | ActivityState::FannedOut { .. }
        | ActivityState::Child(_)
        | ActivityState::Succeeded { .. }
        | ActivityState::Failed { .. }
        | ActivityState::Rejected { .. }
        | ActivityState::Expired { .. }
        | ActivityState::Withdrawn { .. }
        | ActivityState::Skipped { .. }
        | ActivityState::Aborted { .. }
        | ActivityState::Undoing(_)
        | ActivityState::Undone(_)
        | ActivityState::UndoFailed(_) => return None,
    };
    Some(Waiting {
        activity: Some(ix),
        path: release.process.path(ix),
        state: state.word(),
        since,
        on,
        actions,
    })
}

impl Release {
    /// What an activity waits for before it may begin.
    fn waits_on(&self, ix: ActivityIx) -> WaitsOn {
        let batch = self.own_batch(ix);
        let blocked = self.blocked_around(ix).map(WaitsOn::Locks);
        let on = batch.or(blocked);
        on.unwrap_or_else(|| WaitsOn::Needs(self.open_needs(ix)))
    }

    /// The batch that an activity waits for, if it or its phase is an instance that is not released.
    fn own_batch(&self, ix: ActivityIx) -> Option<WaitsOn> {
        let activity = self.process.activity(ix);
        let of_phase = self.process.phase(activity.phase).instance.as_deref();
        if let Role::Gate(group, batch) = activity.role {
            return self.batch(group, batch);
        }
        let instances = [activity.instance(), of_phase].into_iter().flatten();
        let mut waiting = instances.filter(|found| !self.is_released(found.of, found.index));
        let instance = waiting.next()?;
        let batch = self.wave(instance.of)?.batch_of(instance.index);
        self.batch(instance.of, batch)
    }

    /// What keeps a batch from opening.
    fn batch(&self, group: Group, batch: u32) -> Option<WaitsOn> {
        let wave = self.wave(group)?;
        let before = match (&wave.halt, wave.stage) {
            (Some(halt), _) => BeforeBatch::Halt {
                by: halt.by.clone(),
                reason: halt.reason.clone(),
            },
            (None, Stage::Baking { until }) => BeforeBatch::Bake(until),
            (None, Stage::Gated(gate)) => BeforeBatch::Gate(self.process.path(gate)),
            (None, _) => BeforeBatch::Instances(wave.unended),
        };
        Some(WaitsOn::Batch {
            batch,
            batches: wave.batches(),
            before,
        })
    }

    /// The pause that holds everything up, if there is one.
    pub(super) fn pause(&self) -> Option<WaitsOn> {
        match &self.state {
            ReleaseState::Paused { by, reason, .. } => Some(WaitsOn::Resume {
                by: by.clone(),
                reason: reason.clone(),
            }),
            _ => None,
        }
    }

    /// What a suspended attempt waits for.
    pub(super) fn suspended(&self, state: &ActivityState) -> Option<WaitsOn> {
        let ActivityState::Suspended {
            attempt,
            resumes,
            status,
            ..
        } = state
        else {
            return None;
        };
        Some(match resumes {
            Resumes::At(_) => self.timed(state, None, status.clone()),
            Resumes::Signal(name) => WaitsOn::Signal {
                name: name.clone(),
                until: Some(attempt.deadline),
                status: status.clone(),
            },
        })
    }

    /// The instant of the timer, or the end of the pause that stands before it.
    pub(super) fn timed(
        &self,
        state: &ActivityState,
        failure: Option<Box<Failure>>,
        status: Option<String>,
    ) -> WaitsOn {
        let (until, times_out) = match Timer::of(state) {
            Some(Timer::Lapse(at)) => (at, true),
            Some(Timer::Start(at)) => (at, false),
            None => (Timestamp::default(), false),
        };
        let pause = if times_out { None } else { self.pause() };
        pause.unwrap_or(WaitsOn::Time {
            until,
            times_out,
            failure,
            status,
        })
    }

    fn people(&self, ix: ActivityIx, question: &Question) -> Option<WaitsOn> {
        let Kind::Manual(manual) = &self.process.activity(ix).kind else {
            return None;
        };
        let further = manual.escalate.as_ref();
        Some(WaitsOn::People {
            rules: open_rules(manual, question),
            form: manual.form.is_some() && question.form().is_none(),
            exclude: manual.exclude.clone(),
            escalates_at: question.escalates_at,
            further: further
                .map(|further| further.to.clone())
                .unwrap_or_default(),
            expires_at: question.expires_at,
        })
    }

    /// The locks that keep the phase of an activity, or the whole release, from beginning.
    fn blocked_around(&self, ix: ActivityIx) -> Option<Vec<String>> {
        let around = self.around(Holder::Activity(ix)).into_iter();
        let wanted = |holder| {
            self.claims
                .get(&holder)
                .filter(|claim| claim.granted.is_none())
        };
        let mut wanted = around.filter_map(wanted);
        wanted.next().map(|claim| claim.locks.clone())
    }

    fn locks_of(&self, holder: Holder) -> Vec<String> {
        let claim = self.claims.get(&holder);
        claim.map(|claim| claim.locks.clone()).unwrap_or_default()
    }

    fn awaits(&self, ix: ActivityIx, wait: &Await) -> Option<WaitsOn> {
        let until = wait.until;
        match (&self.process.activity(ix).kind, wait.on) {
            (Kind::Wait(Wait::Signal(signal)), Awaits::Signal) => Some(WaitsOn::Signal {
                name: signal.name.clone(),
                until,
                status: None,
            }),
            (Kind::Wait(Wait::Release(other)), Awaits::Release(release)) => {
                Some(WaitsOn::Release {
                    release,
                    reaches: other.reaches.as_str().to_owned(),
                    until,
                })
            }
            (_, Awaits::Time) => Some(WaitsOn::Time {
                until: until.unwrap_or_default(),
                times_out: false,
                failure: None,
                status: None,
            }),
            _ => None,
        }
    }

    fn decision(&self, ix: ActivityIx, failure: &Failure) -> (WaitsOn, &'static [&'static str]) {
        let actions: &'static [&'static str] = if self.is_paused() {
            &["supply-outputs", "skip", "fail"]
        } else {
            &["retry", "supply-outputs", "skip", "fail"]
        };
        let decision = WaitsOn::Decision {
            failure: Box::new(failure.clone()),
            owners: self.owners(ix).to_vec(),
        };
        (decision, actions)
    }

    /// What an activity that waits still needs.
    fn open_needs(&self, ix: ActivityIx) -> Vec<String> {
        let activity = self.process.activity(ix);
        let mut open = Vec::new();
        if *self.phase_state(activity.phase) == PhaseState::Waiting {
            let phase = self.process.phase(activity.phase);
            let tally = &self.phases[activity.phase.0 as usize].needs;
            let name = |need: PhaseIx| {
                let waits = self.phase_state(need).settled().is_none();
                waits.then(|| self.process.phase(need).name.to_string())
            };
            open.extend(open_of(&phase.needs, &phase.joins, tally, name));
        }
        let tally = &self.activities[ix.0 as usize].needs;
        let path = |need: ActivityIx| {
            let waits = self.activity_state(need).settled().is_none();
            waits.then(|| self.process.path(need))
        };
        open.extend(open_of(&activity.needs, &activity.joins, tally, path));
        open
    }
}

/// The needs that have not ended, by the name that `open` gives those; what a join still wants as
/// one of them.
fn open_of<Ix: Copy + Ord>(
    needs: &[Ix],
    joins: &[Join<Ix>],
    tally: &Tally,
    open: impl Fn(Ix) -> Option<String>,
) -> Vec<String> {
    let in_no_join = |need: &Ix| {
        joins
            .iter()
            .all(|join| join.of.binary_search(need).is_err())
    };
    let mut found: Vec<String> = needs
        .iter()
        .filter(|need| in_no_join(need))
        .filter_map(|need| open(*need))
        .collect();
    for (position, join) in joins.iter().enumerate() {
        let missing = tally.missing(position, join.at_least);
        let names: Vec<String> = join.of.iter().filter_map(|need| open(*need)).collect();
        match names.as_slice() {
            [] => {}
            _ if missing == 0 => {}
            [name] => found.push(name.clone()),
            names => found.push(format!("{missing} of {}", names.join(" or "))),
        }
    }
    found
}

/// The rules that are not met, as the question has them now.
fn open_rules(manual: &Manual, question: &Question) -> Vec<OpenRule> {
    let open = question.open(manual);
    let first = open.iter().position(|more| *more > 0);
    let sequential = manual.order == Order::Sequential;
    let rules = (0..).zip(&manual.approvals).zip(open);
    rules
        .filter(|(_, more)| *more > 0)
        .map(|((ix, rule), more)| OpenRule {
            from: rule.from.clone(),
            more,
            missing: question.missing(ix),
            later: sequential && first != Some(ix),
        })
        .collect()
}
