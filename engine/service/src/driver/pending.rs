//! What has been decided and not yet committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use fermata_core::attempt::AttemptKey;
use fermata_core::component::Version;
use fermata_core::id::{Name, ReleaseId};
use fermata_core::process::Process;
use fermata_core::release::Release;
use fermata_core::release::event::Pinned;
use fermata_store::{Batch, Expect, Table, Write};

use crate::catalog::{ComponentEntry, DefinitionEntry, ScriptGrants};
use crate::driver::Driver;
use crate::error::{
    CapacityError, CreateError, DefineError, DeprecateError, Error, GrantsError, InputError,
    NotifierError, PolicyError, PublishError, QuarantineError, RecordError, RegisterError,
    RemoveError,
};
use crate::inbox::Touched;
use crate::locks::LockView;
use crate::records::{
    NotifierRecord, OnceRecord, PolicyRecord, ProcessRecord, QuarantineRecord, RecordedPart,
};
use crate::request::{Defined, Published, Registered};
use crate::wake::{Answer, Consult, Made, Request};

/// Everything that one commit decides about.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) batch: Batch,
    /// In the order of the requests.
    pub(super) replies: Vec<Reply>,
    /// Small records that will be there, or will be gone.
    pub(super) records: BTreeMap<(Table, Vec<u8>), bool>,
    pub(super) once: BTreeMap<Vec<u8>, OnceRecord>,
    /// The version of each service that the ledger will show.
    pub(super) ledger: BTreeMap<Vec<u8>, String>,
    /// What will be recorded of each release.
    pub(super) recorded: BTreeMap<ReleaseId, Vec<RecordedPart>>,
    pub(super) processes: BTreeMap<Name, (Arc<ProcessRecord>, Arc<Process>)>,
    pub(super) components: BTreeMap<(Name, Version), Arc<ComponentEntry>>,
    pub(super) definitions: BTreeMap<(Name, Version), Arc<DefinitionEntry>>,
    pub(super) script_grants: BTreeMap<Name, Arc<ScriptGrants>>,
    /// Policies as they will be; nothing where one will be gone.
    pub(super) policies: BTreeMap<Name, Option<Arc<PolicyRecord>>>,
    pub(super) ended: Vec<ReleaseId>,
    /// Had ended before, and were brought back for one input.
    pub(super) closed: Vec<ReleaseId>,
    /// Those of them, and earlier ones, that nothing is wanted of any more.
    pub(super) settled: Vec<ReleaseId>,
    /// Where people may be wanted for something else.
    pub(super) touched: Touched,
    pub(super) cancels: Vec<AttemptKey>,
    /// Whom to ask what, once the rest is on disk.
    pub(super) consults: Vec<Consult>,
}

impl Pending {
    /// Adds a record to the batch.
    pub(super) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.batch.writes.push(Write {
            table,
            key,
            value: Some(value),
            expect: Expect::Anything,
        });
    }

    /// Adds the removal of a record to the batch.
    pub(super) fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.batch.writes.push(Write {
            table,
            key,
            value: None,
            expect: Expect::Anything,
        });
    }
}

/// An answer that waits for the commit.
#[derive(Debug)]
pub(super) enum Reply {
    Made(
        Answer<Made, CreateError>,
        Result<(ReleaseId, bool), CreateError>,
    ),
    Changed(
        Answer<Option<Arc<Release>>, InputError>,
        Result<ReleaseId, InputError>,
    ),
    Seen(Answer<Option<Arc<Release>>, Error>, ReleaseId),
    Published(
        Answer<Published, PublishError>,
        Result<Published, PublishError>,
    ),
    Registered(
        Answer<Registered, RegisterError>,
        Result<Registered, RegisterError>,
    ),
    Granted(
        Answer<Arc<ComponentEntry>, GrantsError>,
        Result<Arc<ComponentEntry>, GrantsError>,
    ),
    Deprecated(
        Answer<Arc<ComponentEntry>, DeprecateError>,
        Result<Arc<ComponentEntry>, DeprecateError>,
    ),
    Quarantined(
        Answer<QuarantineRecord, QuarantineError>,
        Result<QuarantineRecord, QuarantineError>,
    ),
    ScriptsGranted(
        Answer<Arc<ScriptGrants>, GrantsError>,
        Result<Arc<ScriptGrants>, GrantsError>,
    ),
    Written(Answer<(), RecordError>, Result<(), RecordError>),
    Pinning(
        Answer<Vec<(ReleaseId, Pinned)>, Error>,
        Vec<(ReleaseId, Pinned)>,
    ),
    Removed(Answer<(), RemoveError>, Result<(), RemoveError>),
    Defined(Answer<Defined, DefineError>, Result<Defined, DefineError>),
    NotifierSet(
        Answer<Arc<NotifierRecord>, NotifierError>,
        Result<Arc<NotifierRecord>, NotifierError>,
    ),
    NotifierRemoved(Answer<(), NotifierError>, Result<(), NotifierError>),
    PolicySet(
        Answer<Arc<PolicyRecord>, PolicyError>,
        Result<Arc<PolicyRecord>, PolicyError>,
    ),
    PolicyRemoved(Answer<(), PolicyError>, Result<(), PolicyError>),
    Locks(Answer<Vec<LockView>, Error>),
    CapacitySet(
        Answer<LockView, CapacityError>,
        Result<String, CapacityError>,
    ),
}

/// Answers; whoever has gone away meanwhile does not get it.
fn tell<T, E>(answer: Answer<T, E>, result: Result<T, E>) {
    drop(answer.send(result));
}

impl Reply {
    /// Answers after the commit, with releases as `committed` knows them.
    pub(super) fn send(self, driver: &Driver) {
        let committed = |id| driver.release(id).cloned();
        match self {
            Self::Locks(answer) => tell(answer, Ok(driver.locks())),
            Self::CapacitySet(answer, result) => {
                tell(answer, result.map(|name| driver.lock_view(&name)));
            }
            Self::Made(answer, result) => {
                let made = result.map(|(id, repeated)| Made {
                    id,
                    release: committed(id),
                    repeated,
                });
                tell(answer, made);
            }
            Self::Changed(answer, result) => tell(answer, result.map(committed)),
            Self::Seen(answer, release) => tell(answer, Ok(committed(release))),
            Self::Published(answer, result) => tell(answer, result),
            Self::Registered(answer, result) => tell(answer, result),
            Self::Granted(answer, result) => tell(answer, result),
            Self::Deprecated(answer, result) => tell(answer, result),
            Self::Quarantined(answer, result) => tell(answer, result),
            Self::ScriptsGranted(answer, result) => tell(answer, result),
            Self::Written(answer, result) => tell(answer, result),
            Self::Pinning(answer, pins) => tell(answer, Ok(pins)),
            Self::Removed(answer, result) => tell(answer, result),
            Self::Defined(answer, result) => tell(answer, result),
            Self::NotifierSet(answer, result) => tell(answer, result),
            Self::NotifierRemoved(answer, result) => tell(answer, result),
            Self::PolicySet(answer, result) => tell(answer, result),
            Self::PolicyRemoved(answer, result) => tell(answer, result),
        }
    }

    /// Answers that the machine failed.
    pub(super) fn refuse(self, error: Error) {
        match self {
            Self::Made(answer, _) => tell(answer, Err(error.into())),
            Self::Changed(answer, _) => tell(answer, Err(error.into())),
            Self::Seen(answer, _) => tell(answer, Err(error)),
            Self::Published(answer, _) => tell(answer, Err(error.into())),
            Self::Registered(answer, _) => tell(answer, Err(error.into())),
            Self::Granted(answer, _) => tell(answer, Err(error.into())),
            Self::Deprecated(answer, _) => tell(answer, Err(error.into())),
            Self::Quarantined(answer, _) => tell(answer, Err(error.into())),
            Self::ScriptsGranted(answer, _) => tell(answer, Err(error.into())),
            Self::Written(answer, _) => tell(answer, Err(error.into())),
            Self::Pinning(answer, _) => tell(answer, Err(error)),
            Self::Removed(answer, _) => tell(answer, Err(error.into())),
            Self::Defined(answer, _) => tell(answer, Err(error.into())),
            Self::NotifierSet(answer, _) => tell(answer, Err(error.into())),
            Self::NotifierRemoved(answer, _) => tell(answer, Err(error.into())),
            Self::PolicySet(answer, _) => tell(answer, Err(error.into())),
            Self::PolicyRemoved(answer, _) => tell(answer, Err(error.into())),
            Self::Locks(answer) => tell(answer, Err(error)),
            Self::CapacitySet(answer, _) => tell(answer, Err(error.into())),
        }
    }

    /// Answers a request that is not looked at any more.
    pub(super) fn refuse_request(request: Request, error: Error) {
        match request {
            Request::Create(_, answer) => tell(answer, Err(error.into())),
            Request::Input(_, answer) => tell(answer, Err(error.into())),
            Request::Read(_, answer) => tell(answer, Err(error)),
            Request::Publish(_, answer) => tell(answer, Err(error.into())),
            Request::Register(_, answer) => tell(answer, Err(error.into())),
            Request::Grant(_, answer) => tell(answer, Err(error.into())),
            Request::Deprecate(_, answer) => tell(answer, Err(error.into())),
            Request::Quarantine(_, answer) => tell(answer, Err(error.into())),
            Request::GrantScripts(_, answer) => tell(answer, Err(error.into())),
            Request::Write(_, answer) => tell(answer, Err(error.into())),
            Request::Pinning(_, _, answer) => tell(answer, Err(error)),
            Request::Remove(_, answer) => tell(answer, Err(error.into())),
            Request::Define(_, answer) => tell(answer, Err(error.into())),
            Request::SetNotifier(_, answer) => tell(answer, Err(error.into())),
            Request::RemoveNotifier(_, _, answer) => tell(answer, Err(error.into())),
            Request::SetPolicy(_, answer) => tell(answer, Err(error.into())),
            Request::RemovePolicy(_, _, answer) => tell(answer, Err(error.into())),
            Request::Locks(answer) => tell(answer, Err(error)),
            Request::SetCapacity(_, answer) => tell(answer, Err(error.into())),
        }
    }
}
