//! What an input makes true, or why it is refused.

use crate::actor::Caller;
use crate::process::{ActivityIx, Role};
use crate::release::Release;
use crate::release::event::Event;
use crate::release::input::{Input, What};
use crate::release::refusal::Refusal;
use crate::release::state::{ActivityState, ReleaseState};
use crate::time::Timestamp;

mod abort;
mod amend;
mod approve;
mod attempt;
mod child;
mod fail;
mod found;
mod glass;
mod lock;
mod pause;
mod people;
mod policy;
mod reached;
mod reject;
mod resume;
mod retry;
mod rollback;
mod signal;
mod skip;
mod start;
mod supply;
mod time;
mod wave;
mod withdraw;
mod work;

use people::Voice;

/// What `input` makes true at `now`. Nothing is changed; see [`super::turn`].
pub fn decide(release: &Release, input: &Input, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let by = &input.by;
    match &input.what {
        What::Start {
            components,
            irreversible,
        } => start::start(release, components, irreversible),
        What::TimePassed => Ok(time::passed(release, now)),
        What::AttemptFinished { key, report } => attempt::finished(release, *key, report, now),
        What::AttemptTurnedAway { key, failure } => attempt::kept_out(release, *key, failure, now),
        What::AttemptLetIn { key } => attempt::let_in(release, *key, now),
        What::Retry { activity, with } => retry::retry(release, *activity, with.as_ref(), now),
        What::SupplyOutputs { activity, outputs } => supply::supply(release, *activity, outputs),
        What::Skip { activity, reason } => skip::skip(release, *activity, reason),
        What::SkipPhase { phase, reason } => skip::phase(release, *phase, reason),
        What::HaltWave { group, reason } => wave::halt(release, *group, reason),
        What::ResumeWave { group, reason } => wave::resume(release, *group, reason.as_ref()),
        What::EndWave { group, reason } => wave::end(release, *group, reason),
        What::RollbackWave { group, reason } => wave::roll_back(release, *group, reason),
        What::Fail { activity, reason } => fail::fail(release, *activity, reason),
        What::Signal {
            activity,
            delivery,
            payload,
        } => signal::signal(release, *activity, *delivery, payload),
        What::ReleaseReached {
            activity,
            release: other,
            found,
        } => reached::reached(release, *activity, *other, found),
        What::Launch { activity, order } => child::launch(release, *activity, order, now),
        What::ChildEnded {
            activity,
            child,
            end,
        } => child::ended(release, *activity, *child, end),
        What::LockGranted { holder } => lock::granted(release, *holder),
        What::LockRefused { holder, failure } => lock::refused(release, *holder, failure),
        What::PoliciesWarned { activity, warnings } => policy::warned(release, *activity, warnings),
        What::Pause { reason } => pause::pause(release, reason.as_ref()),
        What::Resume => resume::resume(release),
        What::Abort { reason } => abort::abort(release, reason),
        people @ (What::Approve { .. }
        | What::Reject { .. }
        | What::Withdraw { .. }
        | What::WithdrawQuestion { .. }
        | What::Work { .. }
        | What::BreakGlass { .. }
        | What::CloseReview { .. }
        | What::PeopleFound { .. }) => of_people(release, by, people, now),
        What::AmendInputs { .. } | What::AmendOutputs { .. } | What::AmendRetry { .. } => {
            amend(release, &input.what)
        }
        What::Rollback { .. }
        | What::ChildUndone { .. }
        | What::RetryUndo { .. }
        | What::MarkUndone { .. }
        | What::AcceptNotUndone { .. }
        | What::CloseRootCause { .. } => way_back(release, &input.what, now),
    }
}

fn amend(release: &Release, what: &What) -> Result<Vec<Event>, Refusal> {
    match what {
        What::AmendInputs { inputs, reason } => amend::inputs(release, inputs, reason),
        What::AmendOutputs {
            activity,
            outputs,
            reason,
        } => amend::outputs(release, *activity, outputs, reason),
        What::AmendRetry {
            activity,
            attempts,
            reason,
        } => amend::retry(release, *activity, *attempts, reason),
        _ => unreachable!("`decide` keeps what amends nothing"),
    }
}

fn way_back(release: &Release, what: &What, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match what {
        What::Rollback { reason } => rollback::rollback(release, reason),
        What::ChildUndone {
            activity,
            child,
            end,
        } => child::undone(release, *activity, *child, end),
        What::RetryUndo { activity } => rollback::retry_undo(release, *activity, now),
        What::MarkUndone { activity, reason } => rollback::mark_undone(release, *activity, reason),
        What::AcceptNotUndone { activity, reason } => rollback::accept(release, *activity, reason),
        What::CloseRootCause { text } => rollback::close_root_cause(release, text),
        _ => unreachable!("`decide` keeps what is about the way forward"),
    }
}

/// What people decide and do about manual activities.
fn of_people(
    release: &Release,
    by: &Caller,
    what: &What,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    match what {
        What::Approve {
            activity,
            comment,
            form,
            content,
            backup_of,
        } => {
            let said = approve::Said {
                comment: comment.as_ref(),
                form: form.as_ref(),
                content: *content,
            };
            let voice = Voice::new(by, backup_of.as_ref());
            approve::approve(release, voice, *activity, said, now)
        }
        What::Reject {
            activity,
            comment,
            backup_of,
        } => {
            let voice = Voice::new(by, backup_of.as_ref());
            reject::reject(release, voice, *activity, comment, now)
        }
        What::Withdraw { activity, comment } => {
            withdraw::approval(release, by, *activity, comment.as_ref(), now)
        }
        What::WithdrawQuestion { activity, reason } => {
            withdraw::question(release, by, *activity, reason, now)
        }
        What::Work {
            activity,
            task,
            what,
        } => work::work(release, by, (*activity, task.as_deref()), what, now),
        What::BreakGlass {
            activity,
            reason,
            form,
        } => glass::break_glass(release, by, *activity, (reason, form.as_ref()), now),
        What::CloseReview { activity, comment } => {
            glass::close_review(release, by, *activity, comment)
        }
        What::PeopleFound {
            activity,
            authors,
            groups,
        } => found::found(release, *activity, authors, groups),
        _ => unreachable!("`decide` hands over these alone"),
    }
}

/// Refuses unless the release has started and has not ended.
fn live(release: &Release) -> Result<(), Refusal> {
    match &release.state {
        ReleaseState::Draft => Err(Refusal::NotStarted),
        ReleaseState::Ended { outcome, .. } => Err(Refusal::Ended(outcome.word())),
        ReleaseState::Running | ReleaseState::Paused { .. } | ReleaseState::RollingBack => Ok(()),
    }
}

/// The state of an activity of a live release.
fn known(release: &Release, ix: ActivityIx) -> Result<&ActivityState, Refusal> {
    live(release)?;
    let node = release.activities.get(ix.0 as usize);
    let state = &node.ok_or(Refusal::UnknownActivity)?.state;
    let stands_for_others = release.process.activity(ix).role == Role::Template;
    if stands_for_others || matches!(state, ActivityState::FannedOut { .. }) {
        return Err(Refusal::FannedOut);
    }
    Ok(state)
}

/// The refusal for an activity that is not where the input needs it.
fn wrong_state(state: &ActivityState, expected: &'static str) -> Refusal {
    Refusal::WrongState {
        state: state.word(),
        expected,
    }
}
