//! Events, logs and the ledger as JSON.

use fermata_core::process::Process;
use fermata_core::release::event::{Event, Turn, UndoWay};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// One fact about a release. What else there is depends on its type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventBody {
    /// Its number; the first event of a release is 0.
    pub(crate) number: u64,
    /// When.
    pub(crate) at: String,
    /// Who caused it: `engine` or `user:NAME`.
    pub(crate) by: String,
    /// `created`, `attempt-started`, `activity-succeeded`, …
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The phase it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<String>,
    /// The activity it is about, as `phase/activity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) activity: Option<String>,
    /// What else the type says.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub(crate) rest: Map<String, Value>,
}

/// The events of a turn, from number `from` on.
pub(crate) fn events<'a>(
    process: &'a Process,
    turn: &'a Turn,
    from: u64,
) -> impl Iterator<Item = EventBody> + 'a {
    let numbered = (turn.first..).zip(&turn.events);
    numbered
        .filter(move |(number, _)| *number >= from)
        .map(move |(number, event)| body(process, turn, number, event))
}

fn body(process: &Process, turn: &Turn, number: u64, event: &Event) -> EventBody {
    let (kind, mut rest) = parts(event);
    name_activities(process, event, &mut rest);
    rest.shift_remove("activity");
    rest.shift_remove("phase");
    rest.shift_remove("group");
    rest.retain(|_, value| !value.is_null());
    if let Event::GateOpened { gate, .. } = event {
        rest.insert("gate".into(), process.path(*gate).into());
    }
    // What a guest stored for itself is its own business; that it did, and how much, is ours.
    if let Some(checkpoint) = rest.shift_remove("checkpoint") {
        let bytes = checkpoint.as_array().map_or(0, Vec::len);
        rest.insert("checkpoint_bytes".into(), bytes.into());
    }
    let phase = event
        .phase()
        .or_else(|| event.activity().map(|ix| process.activity(ix).phase));
    EventBody {
        number,
        at: turn.at.to_string(),
        by: turn.by.to_string(),
        kind,
        phase: phase.map(|ix| process.phase_path(ix)),
        activity: event.activity().map(|ix| process.path(ix)),
        rest,
    }
}

/// Where an event speaks of several activities, they go by their paths as well.
fn name_activities(process: &Process, event: &Event, rest: &mut Map<String, Value>) {
    let Event::RollbackStarted { trigger, plan, .. } = event else {
        return;
    };
    let planned = plan.iter().map(|planned| {
        let activity = process.path(planned.activity);
        match planned.way {
            UndoWay::Kept { point } => {
                json!({ "activity": activity, "way": "kept", "point": process.path(point) })
            }
            way => json!({ "activity": activity, "way": way.word() }),
        }
    });
    rest.insert("plan".into(), planned.collect());
    rest.insert("trigger".into(), trigger.map(|ix| process.path(ix)).into());
}

/// The type of an event and its fields. serde writes an event as its type, or as an object of one
/// member: the type and the fields.
fn parts(event: &Event) -> (String, Map<String, Value>) {
    match serde_json::to_value(event) {
        Ok(Value::String(kind)) => (kind, Map::new()),
        Ok(Value::Object(tagged)) => match tagged.into_iter().next() {
            Some((kind, Value::Object(fields))) => (kind, fields),
            Some((kind, _)) => (kind, Map::new()),
            None => (String::new(), Map::new()),
        },
        _ => (String::new(), Map::new()),
    }
}

/// What the runs of an attempt logged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttemptLog)]
pub(crate) struct LogBody {
    /// Oldest first.
    pub(crate) items: Vec<LogLineBody>,
}

/// One line that a guest logged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
pub(crate) struct LogLineBody {
    /// When.
    pub(crate) at: String,
    /// `debug`, `info`, `warn` or `error`.
    pub(crate) level: String,
    /// What.
    pub(crate) message: String,
    /// The run of the attempt, from 1.
    pub(crate) run: u32,
}

/// One attempt of an activity.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptBody {
    /// 1 for the first.
    pub(crate) number: u32,
    /// When it began.
    pub(crate) started_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
    /// `running`, `suspended`, `succeeded`, `failed`, or `dropped` if its activity ended without it.
    pub(crate) state: String,
    /// How many runs it took: 1, and one for each resumption.
    pub(crate) runs: u32,
    /// When it is given up.
    pub(crate) deadline: String,
    /// The inputs, where this attempt got others than the one before, or is the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) with: Option<Value>,
    /// When a suspended attempt is run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resume_at: Option<String>,
    /// The signal that a suspended attempt waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<String>,
    /// What a suspended guest says it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<super::release::FailureBody>,
    /// When the next attempt begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_at: Option<String>,
    /// `undo` or `validate` on the way back; absent on the way forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) undo: Option<String>,
}

/// The attempts of an activity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempts)]
pub(crate) struct AttemptsBody {
    /// Oldest first.
    pub(crate) items: Vec<AttemptBody>,
}

/// What is deployed where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub(crate) struct LedgerBody {
    /// Where.
    pub(crate) environment: String,
    /// What.
    pub(crate) service: String,
    /// Which version of it.
    pub(crate) version: String,
    /// The version that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replaced: Option<String>,
    /// The release that put it there.
    pub(crate) release: String,
    /// The process that the release runs.
    pub(crate) process: String,
    /// The activity that recorded it, as `phase/activity`.
    pub(crate) activity: String,
    /// When.
    pub(crate) at: String,
    /// The whole fact.
    pub(crate) fact: Value,
}
