//! A process: the immutable, checked definition that releases run.

use std::ops::{Deref, Range};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actor::Party;
use crate::component::Uses;
use crate::expression::{Condition, Template};
use crate::id::{Digest, Name};
use crate::schema::Schema;
use crate::time::Span;

pub mod definition;
pub mod difference;
mod document;
mod expand;
mod fan_out;
mod graph;
mod inputs;
pub(crate) mod locks;
mod paths;
mod read;
pub mod script;
mod source;
mod tree;
pub mod validate;
mod wait;

pub use locks::{CONCURRENCY_PREFIX, fault as lock_name_fault};
pub use script::{Script, ScriptFault};
pub use wait::{Reaches, ReleaseWait, SignalWait, Wait};

pub use fan_out::{Batch, FanOut, Group, Instance, Instances, Role, batch_of};

/// Position of a phase in [`Process::phases`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PhaseIx(pub u32);

/// Position of an activity in [`Process::activities`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActivityIx(pub u32);

/// A published process version: name, number and the digest of its document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRef {
    /// The process.
    pub name: Name,
    /// 1 for the first published version.
    pub version: u32,
    /// The document, byte for byte.
    pub digest: Digest,
}

/// A checked process. Only [`validate`] makes one, so every index, need and expression in it holds.
#[derive(Clone, Debug)]
pub struct Process {
    /// The name that versions share.
    pub name: Name,
    /// For people.
    pub title: String,
    /// Digest of the document.
    pub digest: Digest,
    /// What a release must be given.
    pub inputs: Inputs,
    /// In document order.
    pub phases: Vec<Phase>,
    /// Phase by phase, in document order.
    pub activities: Vec<Activity>,
    /// What a release gives back when it has ended.
    pub outputs: Option<Template>,
    /// What a release holds from its start to its end.
    pub locks: Vec<Template>,
    /// Most releases of it that may run at a time.
    pub concurrency: Option<u32>,
}

/// The typed inputs of a process.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// An object schema over all inputs.
    pub schema: Schema,
    /// Values for inputs that are left out.
    pub defaults: serde_json::Map<String, serde_json::Value>,
}

/// A named group of activities, and where it stands in the graph. What its author wrote about it
/// is its [`PhaseDefinition`], which all instances of a phase share.
#[derive(Clone, Debug)]
pub struct Phase {
    /// What its author wrote.
    pub definition: Arc<PhaseDefinition>,
    /// Phases that decide when any activity in this one is ready, in joins or not. Those in no join
    /// must all be satisfied.
    pub needs: Vec<PhaseIx>,
    /// Needs of which not all must be satisfied.
    pub joins: Vec<Join<PhaseIx>>,
    /// Phases that need this one.
    pub dependents: Vec<PhaseIx>,
    /// Positions of its activities; empty for a phase whose instances run in its place.
    pub activities: Range<u32>,
    /// Its instances, once their set is known.
    pub instances: Option<Instances>,
    /// Which instance of which phase it is, if it is one.
    pub instance: Option<Box<Instance>>,
}

/// What the author of a process wrote about a phase.
#[derive(Clone, Debug)]
pub struct PhaseDefinition {
    /// Unique in the process.
    pub name: Name,
    /// For people.
    pub title: String,
    /// Who answers for it.
    pub owners: Vec<Party>,
    /// Skips the phase when it is false. It may replace the rule of needs: see
    /// [`Condition::replaces_needs`].
    pub condition: Option<Condition>,
    /// What it holds from its beginning to its end.
    pub locks: Vec<Template>,
    /// Runs it once for each item of a list.
    pub each: Option<FanOut>,
}

impl Deref for Phase {
    type Target = PhaseDefinition;

    fn deref(&self) -> &PhaseDefinition {
        &self.definition
    }
}

/// Needs of which so many must be satisfied: `{ any: … }`, `{ at-least: n, of: … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join<Ix> {
    /// From 1 to as many as there are.
    pub at_least: u32,
    /// Each also among the needs, and in no other join; sorted.
    pub of: Box<[Ix]>,
}

/// One unit of work, and where it stands in the graph. What its author wrote about it is its
/// [`ActivityDefinition`], which all instances of an activity share.
#[derive(Clone, Debug)]
pub struct Activity {
    /// What its author wrote.
    pub definition: Arc<ActivityDefinition>,
    /// Its phase.
    pub phase: PhaseIx,
    /// Activities, of this or another phase, that decide when it is ready, in joins or not. Those in
    /// no join must all be satisfied.
    pub needs: Vec<ActivityIx>,
    /// Needs of which not all must be satisfied.
    pub joins: Vec<Join<ActivityIx>>,
    /// Activities that need this one.
    pub dependents: Vec<ActivityIx>,
    /// Its instances, once their set is known.
    pub instances: Option<Instances>,
    /// What it is to its phase.
    pub role: Role,
}

/// What the author of a process wrote about an activity.
#[derive(Clone, Debug)]
pub struct ActivityDefinition {
    /// Unique in its phase.
    pub name: Name,
    /// For people.
    pub title: String,
    /// Who answers for it.
    pub owners: Vec<Party>,
    /// Skips the activity when it is false. It may replace the rule of needs: see
    /// [`Condition::replaces_needs`].
    pub condition: Option<Condition>,
    /// What it does.
    pub kind: Kind,
    /// What it holds from its beginning to its end.
    pub locks: Vec<Template>,
    /// What happens when it has failed for good: the nearest of activity, phase and process.
    pub on_failure: OnFailure,
    /// Runs it once for each item of a list.
    pub each: Option<FanOut>,
    /// How its effect is taken back.
    pub undo: Undo,
    /// What looks whether the effect is gone, once it was taken back.
    pub validate: Option<Component>,
    /// Whether nothing that lies before it is taken back any more once it has begun.
    pub point_of_no_return: bool,
}

impl Deref for Activity {
    type Target = ActivityDefinition;

    fn deref(&self) -> &ActivityDefinition {
        &self.definition
    }
}

/// What an activity does.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Runs a component.
    Component(Component),
    /// Asks people.
    Manual(Manual),
    /// Waits, and does nothing else.
    Wait(Wait),
    /// Runs another process, as a release of its own.
    Process(ChildProcess),
}

/// A call of a component.
#[derive(Clone, Debug)]
pub struct Component {
    /// Which component.
    pub uses: Uses,
    /// What it interprets, if the activity is a script.
    pub script: Option<Script>,
    /// Its inputs, or those of the script.
    pub with: Template,
    /// How often and when it is tried again.
    pub retry: Retry,
    /// Longest time of one attempt, its suspensions included.
    pub timeout: Span,
}

/// A process that an activity runs.
#[derive(Clone, Debug)]
pub struct ChildProcess {
    /// Which.
    pub name: Name,
    /// Which version; the newest at that moment if there is none.
    pub version: Option<u32>,
    /// Its inputs.
    pub inputs: Template,
}

/// How the effect of an activity is taken back.
#[derive(Clone, Debug, Default)]
pub enum Undo {
    /// By the `undo` that its component exports. A manual activity has nothing to take back.
    #[default]
    Exported,
    /// There is nothing to take back.
    None,
    /// By another component.
    Uses(Component),
}

/// When a failed attempt is tried again.
///
/// The wait before attempt n + 1 is `backoff × factor^(n-1)`, at most `backoff_max`; with jitter it is
/// drawn evenly from zero to that ("full jitter",
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>) by hashing the attempt's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all; 1 means no retry.
    pub attempts_max: u32,
    /// Wait before the second attempt.
    pub backoff: Span,
    /// Growth of the wait, in thousandths (2000 doubles it).
    pub factor_permille: u32,
    /// Longest wait.
    pub backoff_max: Span,
    /// Whether waits are spread by chance.
    pub jitter: bool,
}

/// A question to people.
#[derive(Clone, Debug)]
pub struct Manual {
    /// What to do or to decide.
    pub instructions: Template,
    /// Schema of the answer, which becomes the outputs.
    pub form: Option<Schema>,
    /// Every rule must be met; empty means that anybody may complete the activity.
    pub approvals: Vec<ApprovalRule>,
    /// Whether the rules are asked one after the other.
    pub order: Order,
    /// Whether one person may count for several rules.
    pub same_person: bool,
    /// Who may not decide, whatever rule is for them.
    pub exclude: Vec<Exclusion>,
    /// Whether somebody's backup may decide in their place.
    pub delegation: bool,
    /// Waits between reminders; the last one repeats. Empty means that nobody is reminded.
    pub remind: Vec<Span>,
    /// Who may decide as well when it takes too long.
    pub escalate: Option<Escalation>,
    /// Time to decide, and what comes of it when nobody did.
    pub expires: Option<Expiry>,
    /// What there is to do.
    pub tasks: Vec<TaskRule>,
}

/// Something to do within a manual activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRule {
    /// Unique in the activity.
    pub name: String,
    /// For people.
    pub title: String,
    /// Who does it; empty means anybody.
    pub assign: Vec<Party>,
    /// Whether the activity cannot be completed before it is done.
    pub required: bool,
    /// How long it should take, counted from when people were asked.
    pub expected: Option<Span>,
}

/// Approvals that must come from certain people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRule {
    /// Who may approve; not empty.
    pub from: Vec<Party>,
    /// How many different people of them.
    pub count: Count,
}

/// How many people a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Of(u32),
    /// More than half of those who were there, and not excluded, when people were asked.
    Majority,
    /// Each of those.
    All,
}

/// Whether the rules of a question are all asked at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// At once.
    #[default]
    Parallel,
    /// Each once those before it are met.
    Sequential,
}

/// Somebody who may not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Who started the release, and who created it.
    Initiator,
    /// Who published the process version.
    Authors,
    /// A person, or everybody in a group.
    Party(Party),
}

/// Further parties that may decide when it takes too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// How long after people were asked; `None` if it is the end of the time to decide.
    pub after: Option<Span>,
    /// Who; not empty.
    pub to: Vec<Party>,
}

/// The time to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Counted from when people were asked.
    pub after: Span,
    /// What comes of it when nobody has decided.
    pub then: Then,
}

/// What comes of a question that nobody decided in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// The activity has expired.
    #[default]
    Expire,
    /// It has been rejected, by the engine.
    Reject,
    /// It is on hold: a person says how to go on.
    Hold,
    /// It stays open, without an end, and further parties may decide.
    Escalate,
}

impl Count {
    /// How many that is where so many people are there. One at least: no rule is met by nobody.
    pub fn of(self, people: usize) -> u32 {
        let people = u32::try_from(people).unwrap_or(u32::MAX);
        match self {
            Self::Of(count) => count,
            Self::Majority => people / 2 + 1,
            Self::All => people.max(1),
        }
    }

    /// Whether it depends on who is there when people are asked.
    pub fn needs_roster(self) -> bool {
        matches!(self, Self::Majority | Self::All)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Of(count) => write!(f, "{count}"),
            Self::Majority => f.write_str("majority"),
            Self::All => f.write_str("all"),
        }
    }
}

impl std::fmt::Display for Exclusion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Initiator => f.write_str("initiator"),
            Self::Authors => f.write_str("authors"),
            Self::Party(party) => party.fmt(f),
        }
    }
}

/// What happens when an activity has failed and no retry is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It waits for a person; other branches go on.
    #[default]
    Hold,
    /// It has failed; what needs it is skipped, and the release will fail.
    Fail,
    /// It has failed, but counts as satisfied for what needs it.
    Continue,
    /// It has failed, and the release is rolled back.
    Rollback,
}

impl Process {
    /// The phase at `ix`.
    pub fn phase(&self, ix: PhaseIx) -> &Phase {
        &self.phases[ix.0 as usize]
    }

    /// The activity at `ix`.
    pub fn activity(&self, ix: ActivityIx) -> &Activity {
        &self.activities[ix.0 as usize]
    }

    /// Every distinct `uses` of the process, sorted.
    pub fn uses(&self) -> std::collections::BTreeSet<&Uses> {
        self.activities
            .iter()
            .filter(|activity| !activity.role.is_copy())
            .flat_map(|activity| activity.calls())
            .map(|component| &component.uses)
            .collect()
    }
}

impl ActivityDefinition {
    /// Every component that it may call: to run, to undo, to validate.
    fn calls(&self) -> impl Iterator<Item = &Component> {
        let run = match &self.kind {
            Kind::Component(component) => Some(component),
            Kind::Manual(_) | Kind::Wait(_) | Kind::Process(_) => None,
        };
        let undo = match &self.undo {
            Undo::Uses(component) => Some(component),
            Undo::Exported | Undo::None => None,
        };
        run.into_iter().chain(undo).chain(&self.validate)
    }
}
