//! Requests about releases.

use std::sync::Arc;

use fermata_core::actor::Caller;
use fermata_core::id::ReleaseId;
use fermata_core::process::{ActivityIx, Group, Process};
use fermata_core::release::event::{PolicyWarning, ReleaseOutcome, Turn};
use fermata_core::release::input::{Input, What};
use fermata_core::release::refusal::Refusal;
use fermata_core::release::{self, ChildOrder, Draft, Release};
use fermata_store::Table;
use fermata_store::codec::encode;

use crate::driver::turns::{TurnError, guarded};
use crate::driver::{Driver, Live};
use crate::error::{CreateError, Error, InputError, StartError};
use crate::keys;
use crate::metrics::Metrics;
use crate::records::{self, ReleaseSummary};
use crate::recover;
use crate::request::{Ask, Command, NewRelease, UndoDecision};
use crate::wake::{Create, Order};

impl Driver {
    /// Makes a release, and starts it if that is asked; gives it, and whether it was there already.
    pub(super) fn create(&mut self, create: Create) -> Result<(ReleaseId, bool), CreateError> {
        let Create {
            by,
            new,
            record,
            process,
            warnings,
        } = create;
        if let Some(known) = self.repeated(&by, new.once.as_ref())? {
            return Ok((known, true));
        }
        if self.live.len() >= self.config.open_max {
            return Err(Error::Busy("open releases").into());
        }
        let NewRelease {
            title,
            inputs,
            start,
            once,
            emergency,
            ..
        } = new;
        let draft = Draft {
            process: record.reference(),
            title,
            inputs,
            emergency,
            parent: None,
        };
        let id = self.ids.release(self.now);
        let made = guarded(|| self.make(id, &process, (draft, start), (&by, &warnings)));
        let (release, turn) = made.map_err(|reason| Error::Corrupt {
            what: format!("version {} of process {}", record.version, record.name),
            reason,
        })??;
        self.admit(release, turn)?;
        self.remember(&by, once.as_ref(), id);
        Ok((id, false))
    }

    /// Takes a new release in, with its first turn.
    pub(super) fn admit(&mut self, release: Release, turn: Turn) -> Result<(), Error> {
        let id = release.id();
        let process = release.process_ref().clone();
        self.live.insert(id, Live::new(release));
        self.took(id, turn).map_err(|_| Error::Corrupt {
            what: format!("version {} of process {}", process.version, process.name),
            reason: "a release of it breaks an invariant as soon as it is made".to_owned(),
        })?;
        if self
            .live
            .get(&id)
            .is_some_and(|live| !live.release.is_settled())
        {
            self.pending
                .put(Table::Open, keys::release(id), encode(&()));
        }
        Metrics::add(&self.shared.metrics.releases_created, 1);
        Ok(())
    }

    /// The first turn, with the start in it if that is asked: one record instead of two.
    pub(super) fn make(
        &self,
        id: ReleaseId,
        process: &Arc<Process>,
        (draft, start): (Draft, bool),
        (by, warnings): (&Caller, &[PolicyWarning]),
    ) -> Result<(Release, Turn), CreateError> {
        let by_actor = by.actor.clone();
        let mut turn =
            release::create(process, draft, by_actor, self.now).map_err(CreateError::Invalid)?;
        let mut release = Release::new(id, Arc::clone(process), &turn)
            .expect("the first turn creates a release of the process it was made with");
        if start {
            let what = self.start(process)?;
            let mut go = |what| {
                let by = by.clone();
                let input = Input { by, what };
                let went = release::turn(&mut release, &input, self.now);
                went.map(|went| turn.events.extend(went.events))
            };
            go(what).map_err(CreateError::Refused)?;
            // A release that ended at once has no use for them.
            drop(go(warned(warnings)));
        }
        Ok((release, turn))
    }

    /// Does what a person asks of a release.
    pub(super) fn input(&mut self, order: Order) -> Result<ReleaseId, InputError> {
        let Order { by, ask, warnings } = order;
        let by = &by;
        let Ask {
            release,
            command,
            expected,
            once,
        } = ask;
        if let Some(known) = self.repeated(by, once.as_ref())? {
            return Ok(known);
        }
        if !self.live.contains_key(&release) {
            let afterwards = matches!(
                command,
                Command::Rollback { .. } | Command::CloseRootCause { .. }
            );
            if !afterwards {
                return Err(self.not_live(release));
            }
            self.reopen(release)?;
        }
        let taken = self.take(by, (release, command), expected);
        self.close_again(release);
        if taken.is_ok() {
            if !warnings.is_empty() {
                // A release that ended at once has no use for them.
                drop(self.turn(release, Caller::engine(), warned(&warnings)));
            }
            self.remember(by, once.as_ref(), release);
        }
        taken.map(|()| release)
    }

    /// Does what a person asks of a release that is in memory.
    fn take(
        &mut self,
        by: &Caller,
        (release, command): (ReleaseId, Command),
        expected: Option<u64>,
    ) -> Result<(), InputError> {
        let live = self.live.get(&release).ok_or(InputError::UnknownRelease)?;
        let found = live.release.version();
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(InputError::Stale { expected, found });
        }
        let process = Arc::clone(live.release.process());
        let what = self.what(&process, command)?;
        if let What::Launch { activity, order } = &what {
            self.check_launch((release, *activity), order)?;
        }
        match self.turn(release, by.clone(), what) {
            Ok(_) => Ok(()),
            Err(TurnError::Refused(refusal)) => {
                self.refused();
                Err(InputError::Refused(refusal))
            }
            Err(TurnError::Quarantined(reason)) => Err(InputError::Quarantined(reason)),
            Err(TurnError::NotOpen) => Err(InputError::UnknownRelease),
        }
    }

    /// Refuses a child that could not be made.
    fn check_launch(
        &self,
        place: (ReleaseId, ActivityIx),
        order: &ChildOrder,
    ) -> Result<(), InputError> {
        // Whatever id it will get, it can be made or it cannot.
        match self.draw_child(place, ReleaseId(0), order) {
            Ok(_) => Ok(()),
            Err(failure) => Err(InputError::Refused(Refusal::Invalid(vec![failure.message]))),
        }
    }

    /// Brings a release back that has ended, for what can be asked of it even then. People ask for
    /// that rarely; its history is read while everybody else waits.
    pub(super) fn reopen(&mut self, id: ReleaseId) -> Result<(), InputError> {
        if self.shared.quarantined(id).is_some() {
            return Err(self.not_live(id));
        }
        let loaded = guarded(|| recover::load(&self.shared, id));
        let release = loaded.map_err(InputError::Quarantined)??;
        let live = Live::new(release.ok_or(InputError::UnknownRelease)?);
        self.shared.recent.reopen(id);
        self.live.insert(id, live);
        Ok(())
    }

    /// Lets a release go again that was brought back and has still, or again, ended.
    pub(super) fn close_again(&mut self, id: ReleaseId) {
        let live = self.live.get(&id);
        if live.is_some_and(|live| live.release.has_ended()) && !self.pending.ended.contains(&id) {
            self.pending.closed.push(id);
        }
    }

    /// Why a release that is not in memory takes no input.
    fn not_live(&self, id: ReleaseId) -> InputError {
        if let Some(reason) = self.shared.quarantined(id) {
            return InputError::Quarantined(reason);
        }
        // Its summary says enough: its whole history would keep all other releases waiting.
        let stored = match self.shared.store.get(Table::Releases, &keys::release(id)) {
            Ok(Some(stored)) => stored,
            Ok(None) => return InputError::UnknownRelease,
            Err(error) => return Error::from(error).into(),
        };
        match records::read::<ReleaseSummary>(&stored, "a release's summary") {
            Ok(summary) => InputError::Refused(Refusal::Ended(outcome_word(&summary.state))),
            Err(error) => Error::from(error).into(),
        }
    }

    /// The start of a release of `process`, with the components there are now.
    fn start(&self, process: &Process) -> Result<What, StartError> {
        let components = self.shared.catalog.pins(process);
        let components = components.map_err(StartError::Missing)?;
        let told = components
            .iter()
            .find_map(|it| self.told_quarantine(&it.pin));
        if let Some(told) = told {
            return Err(StartError::Quarantined(told));
        }
        Ok(What::Start {
            irreversible: self.shared.catalog.irreversible(&components),
            components,
        })
    }

    fn what(&self, process: &Process, command: Command) -> Result<What, InputError> {
        Ok(match command {
            Command::Start => self.start(process)?,
            Command::Pause { reason } => What::Pause { reason },
            Command::Resume => What::Resume,
            Command::Abort { reason } => What::Abort { reason },
            Command::AmendInputs { inputs, reason } => What::AmendInputs { inputs, reason },
            Command::HaltWave { wave, reason } => What::HaltWave {
                group: found_group(process, &wave)?,
                reason,
            },
            Command::ResumeWave { wave, reason } => What::ResumeWave {
                group: found_group(process, &wave)?,
                reason,
            },
            Command::RollbackWave { wave, reason } => What::RollbackWave {
                group: found_group(process, &wave)?,
                reason,
            },
            Command::EndWave { wave, reason } => What::EndWave {
                group: found_group(process, &wave)?,
                reason,
            },
            Command::Rollback { reason } => What::Rollback { reason },
            Command::CloseRootCause { text } => What::CloseRootCause { text },
            Command::DecideUndo { activity, decision } => {
                about_undo(found(process, &activity)?, decision)
            }
            about => about_activity(process, about)?,
        })
    }
}

/// That policies said something to a start.
fn warned(warnings: &[PolicyWarning]) -> What {
    What::PoliciesWarned {
        activity: None,
        warnings: warnings.to_vec(),
    }
}

/// What is decided about the undo of one activity.
fn about_undo(activity: ActivityIx, decision: UndoDecision) -> What {
    match decision {
        UndoDecision::Retry => What::RetryUndo { activity },
        UndoDecision::MarkUndone { reason } => What::MarkUndone { activity, reason },
        UndoDecision::Accept { reason } => What::AcceptNotUndone { activity, reason },
    }
}

/// What is asked of one activity.
fn about_activity(process: &Process, command: Command) -> Result<What, InputError> {
    Ok(match command {
        Command::People { activity, what } => what.about(found(process, &activity)?),
        Command::Retry { activity, with } => {
            let activity = found(process, &activity)?;
            What::Retry { activity, with }
        }
        Command::SupplyOutputs { activity, outputs } => {
            let activity = found(process, &activity)?;
            What::SupplyOutputs { activity, outputs }
        }
        Command::Skip { activity, reason } => skip(process, &activity, reason)?,
        Command::Fail { activity, reason } => {
            let activity = found(process, &activity)?;
            What::Fail { activity, reason }
        }
        Command::AmendOutputs {
            activity,
            outputs,
            reason,
        } => What::AmendOutputs {
            activity: found(process, &activity)?,
            outputs,
            reason,
        },
        Command::AmendRetry {
            activity,
            attempts,
            reason,
        } => What::AmendRetry {
            activity: found(process, &activity)?,
            attempts,
            reason,
        },
        other => from_outside(process, other)?,
    })
}

/// What comes to an activity from outside of its release.
fn from_outside(process: &Process, command: Command) -> Result<What, InputError> {
    Ok(match command {
        Command::Launch {
            activity,
            process: name,
            version,
            inputs,
        } => What::Launch {
            activity: found(process, &activity)?,
            order: ChildOrder {
                process: name,
                version,
                inputs,
            },
        },
        Command::Signal {
            activity,
            delivery,
            payload,
        } => What::Signal {
            activity: found(process, &activity)?,
            delivery,
            payload,
        },
        _ => unreachable!("`what` and `about_activity` keep the others"),
    })
}

fn found(process: &Process, path: &str) -> Result<ActivityIx, InputError> {
    let activity = process.find(path);
    activity.ok_or(InputError::Refused(Refusal::UnknownActivity))
}

/// Skips what people call `path`: an activity, or else a phase.
fn skip(process: &Process, path: &str, reason: String) -> Result<What, InputError> {
    match (process.find(path), process.find_phase(path)) {
        (Some(activity), _) => Ok(What::Skip { activity, reason }),
        (None, Some(phase)) => Ok(What::SkipPhase { phase, reason }),
        (None, None) => Err(InputError::Refused(Refusal::UnknownActivity)),
    }
}

/// What people call `path` and has batches. What has none is there all the same, or is not.
fn found_group(process: &Process, path: &str) -> Result<Group, InputError> {
    if let Some(group) = process.find_group(path) {
        return Ok(group);
    }
    let phase = process.find_phase(path).map(Group::Phase);
    let known = phase.or_else(|| process.find(path).map(Group::Activity));
    known.ok_or(InputError::Refused(Refusal::UnknownActivity))
}

/// The word for how a release ended, as the refusal holds it.
fn outcome_word(state: &str) -> &'static str {
    let outcomes = [
        ReleaseOutcome::Succeeded,
        ReleaseOutcome::Failed,
        ReleaseOutcome::Aborted,
        ReleaseOutcome::RolledBack,
    ];
    let found = outcomes.into_iter().find(|outcome| outcome.word() == state);
    found.map_or("ended", ReleaseOutcome::word)
}
