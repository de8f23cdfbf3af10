//! The closed list of what wakes the loop.

use std::sync::Arc;

use tokio::sync::oneshot;

use fermata_core::actor::Caller;
use fermata_core::attempt::{AttemptKey, Invocation, Ran};
use fermata_core::component::{Descriptor, Grants, Pin, Version};
use fermata_core::extension::{Notification, Notified};
use fermata_core::failure::Failure;
use fermata_core::id::{Digest, Name, ReleaseId};
use fermata_core::process::Process;
use fermata_core::process::definition::Definition;
use fermata_core::release::Release;
use fermata_core::release::event::{Pinned, PolicyWarning};
use fermata_store::Write;

use crate::catalog::{ComponentEntry, ScriptGrants};
use crate::error::{
    CapacityError, CreateError, DefineError, DeprecateError, Error, GrantsError, InputError,
    NotifierError, PolicyError, PublishError, QuarantineError, RecordError, RegisterError,
    RemoveError,
};
use crate::locks::LockView;
use crate::policies::{self, Asked};
use crate::records::{NotifierRecord, PolicyRecord, ProcessRecord, QuarantineRecord};
use crate::request::{Ask, Defined, NewRelease, PolicyOrder, Published, Registered};

/// Where the answer to a request goes, once it is on disk.
pub type Answer<T, E> = oneshot::Sender<Result<T, E>>;

/// Something that happened.
#[derive(Debug)]
pub enum Wake {
    /// Somebody asks for something.
    Request(Request),
    /// A run ended.
    Finished {
        /// Which.
        key: AttemptKey,
        /// How.
        ran: Box<Ran>,
    },
    /// A cancelled run is gone.
    Dropped {
        /// Which.
        key: AttemptKey,
    },
    /// A try to deliver a notification ended.
    Tried {
        /// Of which delivery.
        number: u64,
        /// How.
        notified: Box<Notified>,
    },
    /// Policies have answered.
    Judged {
        /// What they were asked about.
        key: AttemptKey,
        /// What they said.
        answers: Vec<policies::Answer>,
    },
    /// A timer may be due.
    TimePassed,
    /// Take no more requests and start nothing; end when nothing runs any more.
    Stop,
    /// Cancel what runs, and end.
    Halt,
}

/// Something that somebody asks for.
#[derive(Debug)]
pub enum Request {
    /// To make a release.
    Create(Box<Create>, Answer<Made, CreateError>),
    /// To change a release; `None` if it is not in memory any more.
    Input(Box<Order>, Answer<Option<Arc<Release>>, InputError>),
    /// To see an open release; `None` if it is not open.
    Read(ReleaseId, Answer<Option<Arc<Release>>, Error>),
    /// To publish a checked process.
    Publish(Box<Publish>, Answer<Published, PublishError>),
    /// To register a component whose bytes are stored.
    Register(Box<Register>, Answer<Registered, RegisterError>),
    /// To set what a component may do.
    Grant(Box<Grant>, Answer<Arc<ComponentEntry>, GrantsError>),
    /// To say that a component version should not be used any more, or that it may.
    Deprecate(Box<Deprecate>, Answer<Arc<ComponentEntry>, DeprecateError>),
    /// To put a digest into quarantine, or to lift it.
    Quarantine(Box<Quarantine>, Answer<QuarantineRecord, QuarantineError>),
    /// To set what the scripts of a process may do.
    GrantScripts(Box<GrantScripts>, Answer<Arc<ScriptGrants>, GrantsError>),
    /// To see all locks.
    Locks(Answer<Vec<LockView>, Error>),
    /// To set how many may hold a lock at a time.
    SetCapacity(Box<SetCapacity>, Answer<LockView, CapacityError>),
    /// To write small records.
    Write(Vec<Write>, Answer<(), RecordError>),
    /// To know which open releases pinned a component, or one version of it.
    Pinning(
        Name,
        Option<Version>,
        Answer<Vec<(ReleaseId, Pinned)>, Error>,
    ),
    /// To publish a checked definition of an activity.
    Define(Box<Define>, Answer<Defined, DefineError>),
    /// To set a notifier.
    SetNotifier(Box<SetNotifier>, Answer<Arc<NotifierRecord>, NotifierError>),
    /// To forget a notifier, if it still has this revision.
    RemoveNotifier(Name, Option<u64>, Answer<(), NotifierError>),
    /// To take a version of a component or definition out of the registry.
    Remove(Remove, Answer<(), RemoveError>),
    /// To set a policy.
    SetPolicy(Box<SetPolicy>, Answer<Arc<PolicyRecord>, PolicyError>),
    /// To remove a policy, which must have this revision if the caller insists.
    RemovePolicy(Name, Option<u64>, Answer<(), PolicyError>),
}

/// See [`Request::Input`].
#[derive(Debug)]
pub struct Order {
    /// Who.
    pub by: Caller,
    /// What.
    pub ask: Ask,
    /// What policies said to it.
    pub warnings: Vec<PolicyWarning>,
}

/// See [`Request::SetPolicy`].
#[derive(Debug)]
pub struct SetPolicy {
    /// Who.
    pub by: Caller,
    /// What they want.
    pub order: PolicyOrder,
    /// The component that the settings were checked with.
    pub checked: Pin,
    /// The revision that the policy must have, if the caller insists; 0 if there must be none.
    pub expected: Option<u64>,
}

/// See [`Request::Create`].
#[derive(Debug)]
pub struct Create {
    /// Who.
    pub by: Caller,
    /// What they said.
    pub new: NewRelease,
    /// The version to run.
    pub record: Arc<ProcessRecord>,
    /// The same, checked.
    pub process: Arc<Process>,
    /// What policies said to its start.
    pub warnings: Vec<PolicyWarning>,
}

/// A release that was made, now or by an earlier request with the same key.
#[derive(Debug)]
pub struct Made {
    /// Which.
    pub id: ReleaseId,
    /// As it is now; `None` if it is not in memory any more.
    pub release: Option<Arc<Release>>,
    /// Whether an earlier request made it.
    pub repeated: bool,
}

/// See [`Request::Publish`].
#[derive(Debug)]
pub struct Publish {
    /// Who.
    pub by: Caller,
    /// The checked process.
    pub process: Arc<Process>,
    /// The components against which it was checked.
    pub checked_with: Vec<Pinned>,
    /// Byte for byte.
    pub document: Vec<u8>,
}

/// See [`Request::Register`].
#[derive(Debug)]
pub struct Register {
    /// Who.
    pub by: Caller,
    /// What `describe` said.
    pub descriptor: Descriptor,
    /// Of the bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

/// See [`Request::Define`].
#[derive(Debug)]
pub struct Define {
    /// Who.
    pub by: Caller,
    /// The checked definition.
    pub definition: Definition,
    /// The component against which it was checked.
    pub checked_with: Vec<Pinned>,
    /// Byte for byte.
    pub document: Vec<u8>,
}

/// See [`Request::Remove`].
#[derive(Debug)]
pub struct Remove {
    /// The component or definition.
    pub name: Name,
    /// Its version.
    pub version: Version,
}

/// See [`Request::SetNotifier`].
#[derive(Debug)]
pub struct SetNotifier {
    /// Checked with the component that it names; revision and time are given when it is set.
    pub record: NotifierRecord,
    /// The revision that it must have, if the caller insists; 0 is none.
    pub expected: Option<u64>,
}

/// See [`Request::SetCapacity`].
#[derive(Debug)]
pub struct SetCapacity {
    /// Which lock.
    pub lock: String,
    /// How many.
    pub capacity: u32,
}

/// See [`Request::Grant`].
#[derive(Debug)]
pub struct Grant {
    /// Who.
    pub by: Caller,
    /// The component.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// What it may do from now on.
    pub grants: Grants,
    /// The revision that the grants must have, if the caller insists.
    pub expected: Option<u64>,
}

/// See [`Request::Deprecate`].
#[derive(Debug)]
pub struct Deprecate {
    /// Who.
    pub by: Caller,
    /// The component.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// What people are told; nothing if it may be used again.
    pub notice: Option<String>,
}

/// See [`Request::Quarantine`].
#[derive(Debug)]
pub struct Quarantine {
    /// Who.
    pub by: Caller,
    /// Of the component.
    pub digest: Digest,
    /// Whether it begins; otherwise it ends.
    pub begins: bool,
    /// Why.
    pub reason: String,
}

/// See [`Request::GrantScripts`].
#[derive(Debug)]
pub struct GrantScripts {
    /// Who.
    pub by: Caller,
    /// The process.
    pub process: Name,
    /// What its scripts may do from now on.
    pub grants: Grants,
    /// The revision that the grants must have, if the caller insists.
    pub expected: Option<u64>,
}

/// What the world around the driver must do after a commit.
#[derive(Debug)]
pub enum Action {
    /// Begin a run.
    Start(Box<Run>),
    /// Ask policies, and say [`Wake::Judged`].
    Consult(Box<Consult>),
    /// Drop a run or a question, and say [`Wake::Dropped`], [`Wake::Finished`] or [`Wake::Judged`] when it is gone.
    Cancel(AttemptKey),
    /// Begin a try to deliver a notification, and say [`Wake::Tried`] when it has ended.
    Notify(Box<Notify>),
}

/// What policies are to be asked.
#[derive(Debug)]
pub struct Consult {
    /// About which attempt.
    pub key: AttemptKey,
    /// Who is asked what.
    pub asked: Vec<Asked>,
}

/// A run to begin.
#[derive(Debug)]
pub struct Run {
    /// What to run.
    pub invocation: Invocation,
    /// What it may do.
    pub grants: Arc<Grants>,
}

/// A try to begin.
#[derive(Debug)]
pub struct Notify {
    /// Which delivery.
    pub number: u64,
    /// What to deliver, and what the component may do; or why it cannot even begin.
    pub what: Result<(Notification, Arc<Grants>), Box<Failure>>,
}
