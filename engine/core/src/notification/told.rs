//! From events to what people are told: the table of kinds, applied.

use serde_json::{Map, Value, json};

use crate::actor::{Actor, Party};
use crate::failure::Failure;
use crate::id::{Digest, Name};
use crate::json::{Json, shown};
use crate::notification::Kind;
use crate::process::{ActivityIx, Kind as ActivityKind};
use crate::release::event::{Awaits, Event, HaltReason, OutputSource, ReleaseOutcome, Turn};
use crate::release::state::ActivityState;
use crate::release::{Release, wanted};
use crate::time::Timestamp;

/// Longest quotation of what somebody or a guest said in [`Told::text`], in characters: a chat
/// shows it, and the data have all of it.
const QUOTED_CHARS_MAX: usize = 300;
/// Most people and groups that are named as asked.
const ASKED_MAX: usize = 20;

/// What people outside are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is about.
    pub kind: Kind,
    /// Tells it apart from every other notification: `rel-…/12` for event number 12 of a release.
    pub about: String,
    /// When it became true.
    pub at: Timestamp,
    /// One sentence for people.
    pub text: String,
    /// The same for programs: an object with ids, names, and the path of a link.
    pub data: Json,
}

/// What people are told of an applied turn of `release`, as far as somebody `wants` that kind.
pub fn of_turn(release: &Release, turn: &Turn, wants: impl Fn(Kind) -> bool) -> Vec<Told> {
    let numbered = (turn.first..).zip(&turn.events);
    let wanted = numbered.filter_map(|(number, event)| {
        let kind = kind(release, event).filter(|kind| wants(*kind))?;
        Some(Teller { release, turn }.tell(kind, number, event))
    });
    wanted.collect()
}

/// What people are told of a component that must not run any more.
pub fn of_quarantine(
    digest: &Digest,
    component: Option<(&Name, &str)>,
    (by, at): (&Actor, Timestamp),
    reason: &str,
) -> Told {
    let named = component.map(|(name, version)| format!("{name}@{version}"));
    let what = named.clone().unwrap_or_else(|| digest.to_string());
    let data = json!({
        "digest": digest.to_string(),
        "component": named,
        "by": by.to_string(),
        "reason": reason,
        "link": "/api/v1/quarantine",
    });
    Told {
        kind: Kind::ComponentQuarantined,
        about: format!("quarantine/{}/{}", digest.hex(), at.0),
        at,
        text: format!("{} put {what} into quarantine: {}", who(by), quoted(reason)),
        data: Json::of(&data),
    }
}

/// What a notifier is tried out with.
pub fn test(notifier: &Name, by: &Actor, at: Timestamp) -> Told {
    let data = json!({
        "notifier": notifier.as_str(),
        "by": by.to_string(),
        "link": format!("/api/v1/notifiers/{notifier}"),
    });
    Told {
        kind: Kind::Test,
        about: format!("test/{}", at.0),
        at,
        text: format!("{} tries the notifier {notifier} out.", who(by)),
        data: Json::of(&data),
    }
}

/// The kind of notification that an event is, if it is worth one.
fn kind(release: &Release, event: &Event) -> Option<Kind> {
    Some(match event {
        Event::Started { .. } => Kind::ReleaseStarted,
        Event::Paused { .. } => Kind::ReleasePaused,
        Event::Resumed => Kind::ReleaseResumed,
        Event::RollbackStarted { .. } => Kind::ReleaseRollingBack,
        Event::Ended { outcome, .. } => match outcome {
            ReleaseOutcome::Succeeded => Kind::ReleaseSucceeded,
            ReleaseOutcome::Failed => Kind::ReleaseFailed,
            ReleaseOutcome::Aborted => Kind::ReleaseAborted,
            ReleaseOutcome::RolledBack => Kind::ReleaseRolledBack,
        },
        Event::ActivityHeld { .. } => Kind::ActivityOnHold,
        Event::ActivityFailed { .. } => Kind::ActivityFailed,
        Event::UndoHeld { .. } => Kind::UndoOnHold,
        Event::PeopleAsked { activity, .. } => asked(release, *activity),
        Event::Reminded { .. } => Kind::ApprovalReminded,
        Event::Escalated { .. } => Kind::ApprovalEscalated,
        Event::Expired { .. } => Kind::ApprovalExpired,
        Event::ActivitySucceeded {
            source: OutputSource::Form,
            ..
        } => Kind::ApprovalApproved,
        Event::Rejected { .. } | Event::RejectedAsBackup { .. } => Kind::ApprovalRejected,
        Event::QuestionWithdrawn { .. } => Kind::ApprovalWithdrawn,
        Event::ApprovalsLapsed { .. } => Kind::ApprovalLapsed,
        Event::GlassBroken { .. } => Kind::GlassBroken,
        Event::WaitBegan {
            on: Awaits::Signal, ..
        }
        | Event::AttemptAwaitsSignal { .. } => Kind::SignalAwaited,
        Event::WaveHalted { .. } => Kind::WaveHalted,
        Event::WaveRollbackStarted { .. } => Kind::WaveRollingBack,
        _ => return None,
    })
}

fn asked(release: &Release, activity: ActivityIx) -> Kind {
    match &release.process().activity(activity).kind {
        ActivityKind::Manual(manual) if manual.approvals.is_empty() => Kind::PeopleNeeded,
        _ => Kind::ApprovalAsked,
    }
}

/// Puts one event of a turn into words.
struct Teller<'a> {
    release: &'a Release,
    turn: &'a Turn,
}

impl Teller<'_> {
    fn tell(&self, kind: Kind, number: u64, event: &Event) -> Told {
        let Self { release, turn } = self;
        let mut data = self.base(number);
        let mut text = format!("{}: {}", self.name(), self.says(kind, event));
        if let Some(activity) = event.activity() {
            self.place(&mut data, activity);
        }
        if let Some(group) = event.group() {
            data.insert("wave".into(), release.process().group_path(group).into());
        }
        let asked = self.asked(kind, event);
        if !asked.is_empty() {
            text = format!("{text} ({})", asked.join(", "));
            data.insert("asked".into(), asked.into());
        }
        if let Some(until) = self.until(event) {
            text = format!("{text}, until {until}");
            data.insert("until".into(), until.to_string().into());
        }
        if let Some(reason) = self.reason(event) {
            text = format!("{text}: {}", quoted(&reason));
            data.insert("reason".into(), reason.into());
        }
        if let Some(failure) = self.failure(event) {
            text = format!("{text}: {}", quoted(&failure.message));
            data.insert("failure".into(), of_failure(failure));
        }
        Told {
            kind,
            about: format!("{}/{number}", release.id()),
            at: turn.at,
            text,
            data: Json::of(&Value::Object(data)),
        }
    }

    /// The release in a sentence.
    fn name(&self) -> String {
        let process = self.release.process_ref();
        let title = quoted(self.release.title());
        format!("{title} ({}@{})", process.name, process.version)
    }

    /// What every notification of a release says.
    fn base(&self, number: u64) -> Map<String, Value> {
        let process = self.release.process_ref();
        let release = self.release.id().to_string();
        let link = format!("/api/v1/releases/{release}");
        let mut data = Map::new();
        data.insert("release".into(), release.into());
        data.insert("title".into(), self.release.title().into());
        data.insert("process".into(), process.name.as_str().into());
        data.insert("version".into(), process.version.into());
        data.insert("event".into(), number.into());
        data.insert("by".into(), self.turn.by.to_string().into());
        data.insert("link".into(), link.into());
        data
    }

    fn place(&self, data: &mut Map<String, Value>, ix: ActivityIx) {
        let process = self.release.process();
        let activity = process.activity(ix);
        data.insert("phase".into(), process.phase_path(activity.phase).into());
        data.insert("activity".into(), process.path(ix).into());
        data.insert("activity_title".into(), activity.title.as_str().into());
    }

    fn says(&self, kind: Kind, event: &Event) -> String {
        let by = who(&self.turn.by);
        let process = self.release.process();
        let part = match (event.activity(), event.group()) {
            (Some(ix), _) => process.path(ix),
            (None, Some(group)) => process.group_path(group),
            (None, None) => String::new(),
        };
        match kind {
            Kind::ReleaseStarted => format!("started by {by}"),
            Kind::ReleasePaused => format!("paused by {by}"),
            Kind::ReleaseResumed => format!("goes on, by {by}"),
            Kind::ReleaseRollingBack => self.goes_back(event, &by),
            Kind::ReleaseSucceeded => "succeeded".into(),
            Kind::ReleaseFailed => "failed".into(),
            Kind::ReleaseAborted => "aborted".into(),
            Kind::ReleaseRolledBack => "rolled back".into(),
            Kind::ActivityOnHold => format!("{part} is on hold, a person must decide"),
            Kind::ActivityFailed => format!("{part} failed"),
            Kind::UndoOnHold => format!("{part} could not be undone, a person must decide"),
            Kind::PeopleNeeded => format!("{part} waits for people"),
            Kind::ApprovalAsked => format!("{part} waits for approval"),
            Kind::ApprovalReminded => format!("{part} still waits for approval"),
            Kind::ApprovalEscalated => format!("{part} is escalated"),
            Kind::ApprovalExpired => format!("{part} expired, nobody decided in time"),
            Kind::ApprovalApproved => format!("{part} is approved, last by {by}"),
            Kind::ApprovalRejected => format!("{part} is rejected by {by}"),
            Kind::ApprovalWithdrawn => format!("{part} is withdrawn by {by}"),
            Kind::ApprovalLapsed => format!("{part} has changed and waits for approval again"),
            Kind::GlassBroken => format!("{by} skipped the approvals of {part} in an emergency"),
            Kind::SignalAwaited => format!("{part} waits for {}", signal(event)),
            Kind::WaveHalted => format!("the wave {part} is halted"),
            Kind::WaveRollingBack => format!("the last batch of {part} goes back, by {by}"),
            Kind::ComponentQuarantined | Kind::Test => {
                unreachable!("no event of a release is of this kind")
            }
        }
    }

    fn goes_back(&self, event: &Event, by: &str) -> String {
        match event {
            Event::RollbackStarted {
                trigger: Some(trigger),
                ..
            } => {
                let path = self.release.process().path(*trigger);
                format!("rolls back, since {path} failed")
            }
            _ => format!("rolls back, by {by}"),
        }
    }

    /// Who is wanted, where somebody is.
    fn asked(&self, kind: Kind, event: &Event) -> Vec<String> {
        let asks = matches!(
            kind,
            Kind::ActivityOnHold
                | Kind::UndoOnHold
                | Kind::PeopleNeeded
                | Kind::ApprovalAsked
                | Kind::ApprovalReminded
                | Kind::ApprovalEscalated
                | Kind::ApprovalLapsed
        );
        let Some(activity) = event.activity().filter(|_| asks) else {
            return Vec::new();
        };
        let mut parties: Vec<Party> = Vec::new();
        for wanted in wanted(self.release, activity) {
            for party in wanted.of {
                if !parties.contains(&party) && !wanted.except.contains(&party) {
                    parties.push(party);
                }
            }
        }
        let all = parties.iter().take(ASKED_MAX);
        all.map(ToString::to_string).collect()
    }

    /// When it is too late.
    fn until(&self, event: &Event) -> Option<Timestamp> {
        match event {
            Event::WaitBegan { until, .. } => *until,
            Event::PeopleAsked { expires_at, .. } => *expires_at,
            Event::Reminded { activity, .. }
            | Event::Escalated { activity }
            | Event::ApprovalsLapsed { activity, .. } => {
                match self.release.activity_state(*activity) {
                    ActivityState::NeedsPeople(question) => question.expires_at,
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What somebody said about it.
    fn reason(&self, event: &Event) -> Option<String> {
        match event {
            Event::Paused { reason } | Event::RollbackStarted { reason, .. } => reason.clone(),
            Event::Rejected { comment, .. } | Event::RejectedAsBackup { comment, .. } => {
                Some(comment.clone())
            }
            Event::QuestionWithdrawn { reason, .. }
            | Event::GlassBroken { reason, .. }
            | Event::WaveRollbackStarted { reason, .. } => Some(reason.clone()),
            Event::AttemptAwaitsSignal { status, .. } => status.clone(),
            Event::WaveHalted { reason, .. } => Some(halted(reason)),
            Event::Ended {
                outcome: ReleaseOutcome::Aborted,
                ..
            } => self.turn.events.iter().find_map(|event| match event {
                Event::Aborted { reason } => Some(reason.clone()),
                _ => None,
            }),
            _ => None,
        }
    }

    /// How it failed, where something did.
    fn failure<'a>(&'a self, event: &'a Event) -> Option<&'a Failure> {
        let (activity, said) = match event {
            Event::ActivityHeld { activity, failure }
            | Event::UndoHeld { activity, failure }
            | Event::ActivityFailed {
                activity, failure, ..
            } => (*activity, failure.as_ref()),
            _ => return None,
        };
        let attempt = || {
            let events = self.turn.events.iter().rev();
            let mut failures = events.filter_map(|event| match event {
                Event::AttemptFailed {
                    activity, failure, ..
                } => Some((*activity, failure)),
                _ => None,
            });
            failures.find_map(|(of, failure)| (of == activity).then_some(failure))
        };
        said.or_else(attempt)
    }
}

fn signal(event: &Event) -> String {
    match event {
        Event::AttemptAwaitsSignal { signal, .. } => format!("the signal {signal}"),
        _ => "a signal".into(),
    }
}

fn halted(reason: &HaltReason) -> String {
    match reason {
        HaltReason::Failures(count) => format!("{count} instances failed"),
        HaltReason::Gate => "its gate did not succeed".into(),
        HaltReason::Person(reason) => reason.clone(),
    }
}

fn of_failure(failure: &Failure) -> Value {
    json!({
        "class": failure.class.code(),
        "code": failure.code,
        "message": failure.message,
        "remedy": failure.remedy,
    })
}

fn who(actor: &Actor) -> String {
    match actor {
        Actor::Engine => "the engine".into(),
        Actor::User(name) => name.to_string(),
    }
}

fn quoted(text: &str) -> String {
    shown(text, QUOTED_CHARS_MAX)
}
