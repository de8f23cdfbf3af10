//! What a component can be asked: which of its exports is called, with what, and how its answer is read.

use std::future::Future;
use std::sync::Arc;

use fermata_core::attempt::{Call, Invocation, Outcome};
use fermata_core::component::{Pin, World};
use fermata_core::extension::{Notification, Question, Verdict};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::recording::Recording;
use fermata_core::schema::Schema;
use fermata_core::time::{Span, Timestamp};
use tokio::sync::Semaphore;
use wasmtime::Store;

use crate::guest::types::{Attempt, Failure as GuestFailure, Outcome as GuestOutcome};
use crate::guest::{Context, notifier, policy};
use crate::library::{Entry, Loaded};
use crate::outcome;
use crate::record;
use crate::run::Failed;
use crate::sandbox::Inner;
use crate::usage::Returned;

/// Calls of policies that are under way at once (the service lets no more come), and of notifiers: they have slots of their own, so that neither waits for
/// activities, nor one for the other.
pub(crate) const EXTENSION_RUNS: usize = 8;

/// What a guest returned: an answer, or how it failed.
pub(crate) type Answered<A> = Result<A, GuestFailure>;

/// One call of one export.
pub(crate) trait Ask: Send + Sync + Sized + 'static {
    /// What the guest returns if it does not fail.
    type Answer: Send;
    /// The answer as the engine takes it.
    type Good: Send;
    /// What to do about a run that took too long.
    const REMEDY_OF_WALL: &'static str;

    /// The component that is called.
    fn component(&self) -> &Pin;
    /// What it is given, in bytes.
    fn bytes(&self) -> usize;
    /// Longest wall time of the call.
    fn wall(&self) -> Span;
    /// The slots that such calls share.
    fn slots(inner: &Inner) -> &Arc<Semaphore>;
    /// Why this component cannot be called like this, if so.
    fn turned_away(&self, loaded: &Loaded) -> Option<Failure>;
    /// What the answer has to fit.
    fn promised<'l>(&self, loaded: &'l Loaded) -> Option<&'l Schema>;
    /// Calls the guest.
    fn call(
        &self,
        store: &mut Store<Context>,
        loaded: &Loaded,
    ) -> impl Future<Output = wasmtime::Result<Answered<Self::Answer>>> + Send;
    /// Sizes of the answer.
    fn returned(answer: &Self::Answer) -> Returned;
    /// Reads the answer.
    fn read(
        context: &mut Context,
        answer: Self::Answer,
        promised: Option<&Schema>,
    ) -> Result<Self::Good, Box<Failure>>;
    /// What is kept of a call that has ended: only attempts are recorded.
    fn recording(&self, _: &mut Context, _: &Result<Self::Good, Failed>) -> Option<Box<Recording>> {
        None
    }
}

/// What is called is there: [`Ask::turned_away`] was asked.
const THERE: &str = "a call of another world was turned away";

impl Ask for Invocation {
    type Answer = GuestOutcome;
    type Good = Outcome;
    const REMEDY_OF_WALL: &'static str =
        "raise the `timeout` of the activity, or wait with `pending` instead of in the run";

    fn component(&self) -> &Pin {
        &self.component
    }

    fn bytes(&self) -> usize {
        self.inputs.as_str().len()
    }

    fn wall(&self) -> Span {
        self.wall
    }

    fn turned_away(&self, loaded: &Loaded) -> Option<Failure> {
        match (&loaded.entry, &self.call) {
            (Entry::Activity { undo: None, .. }, Call::Undo { .. }) => Some(no_undo(self)),
            (Entry::Activity { .. }, _) => None,
            (entry, _) => Some(other_world(&self.component, entry.world(), World::Activity)),
        }
    }

    fn slots(inner: &Inner) -> &Arc<Semaphore> {
        &inner.slots
    }

    /// What `describe` promises is what `run` returns.
    fn promised<'l>(&self, loaded: &'l Loaded) -> Option<&'l Schema> {
        matches!(self.call, Call::Run).then_some(&loaded.outputs)
    }

    async fn call(
        &self,
        store: &mut Store<Context>,
        loaded: &Loaded,
    ) -> wasmtime::Result<Answered<GuestOutcome>> {
        let Entry::Activity { run, undo } = &loaded.entry else {
            unreachable!("{THERE}");
        };
        let inputs = self.inputs.as_str().to_owned();
        let Call::Undo { outputs } = &self.call else {
            let guest = run.instantiate_async(&mut *store).await?;
            store.data_mut().started = true;
            let run = guest.fermata_activity_run();
            return run.call_run(store, &attempt(self), &inputs).await;
        };
        let outputs = outputs.as_ref().map(|outputs| outputs.as_str().to_owned());
        let guest = undo.as_ref().expect(THERE);
        let guest = guest.instantiate_async(&mut *store).await?;
        store.data_mut().started = true;
        let undo = guest.fermata_activity_undo();
        undo.call_undo(store, &attempt(self), &inputs, outputs.as_ref())
            .await
    }

    fn returned(answer: &GuestOutcome) -> Returned {
        Returned::of(answer)
    }

    fn read(
        context: &mut Context,
        answer: GuestOutcome,
        promised: Option<&Schema>,
    ) -> Result<Outcome, Box<Failure>> {
        outcome::answered(context, answer, promised)
    }

    fn recording(
        &self,
        context: &mut Context,
        answer: &Result<Outcome, Failed>,
    ) -> Option<Box<Recording>> {
        record::recording(context, self, answer)
    }
}

impl Ask for Question {
    type Answer = policy::Verdict;
    type Good = Verdict;
    const REMEDY_OF_WALL: &'static str =
        "raise the `timeout` of the policy, or let its component do less";

    fn component(&self) -> &Pin {
        &self.component
    }

    fn bytes(&self) -> usize {
        self.settings.as_str().len() + self.subject.as_str().len()
    }

    fn wall(&self) -> Span {
        self.wall
    }

    fn slots(inner: &Inner) -> &Arc<Semaphore> {
        &inner.policy_slots
    }

    fn turned_away(&self, loaded: &Loaded) -> Option<Failure> {
        not_of(World::Policy, &self.component, loaded)
    }

    fn promised<'l>(&self, _: &'l Loaded) -> Option<&'l Schema> {
        None
    }

    async fn call(
        &self,
        store: &mut Store<Context>,
        loaded: &Loaded,
    ) -> wasmtime::Result<Answered<policy::Verdict>> {
        let Entry::Policy(guest) = &loaded.entry else {
            unreachable!("{THERE}");
        };
        let guest = guest.instantiate_async(&mut *store).await?;
        store.data_mut().started = true;
        let judge = guest.fermata_activity_judge();
        judge.call_judge(store, &policy::question(self)).await
    }

    fn returned(_: &policy::Verdict) -> Returned {
        Returned::default()
    }

    fn read(
        context: &mut Context,
        answer: policy::Verdict,
        _: Option<&Schema>,
    ) -> Result<Verdict, Box<Failure>> {
        let said = |text| outcome::said(context, text);
        Ok(match answer {
            policy::Verdict::Allow => Verdict::Allow,
            policy::Verdict::Warn(text) => Verdict::Warn(said(text)),
            policy::Verdict::Deny(text) => Verdict::Deny(said(text)),
        })
    }
}

impl Ask for Notification {
    type Answer = ();
    type Good = ();
    const REMEDY_OF_WALL: &'static str = "let the notifier's component do less, or give up earlier";

    fn component(&self) -> &Pin {
        &self.component
    }

    fn bytes(&self) -> usize {
        self.settings.as_str().len() + self.data.as_str().len() + self.text.len()
    }

    fn wall(&self) -> Span {
        self.wall
    }

    fn slots(inner: &Inner) -> &Arc<Semaphore> {
        &inner.notifier_slots
    }

    fn turned_away(&self, loaded: &Loaded) -> Option<Failure> {
        not_of(World::Notifier, &self.component, loaded)
    }

    fn promised<'l>(&self, _: &'l Loaded) -> Option<&'l Schema> {
        None
    }

    async fn call(
        &self,
        store: &mut Store<Context>,
        loaded: &Loaded,
    ) -> wasmtime::Result<Answered<()>> {
        let Entry::Notifier(guest) = &loaded.entry else {
            unreachable!("{THERE}");
        };
        let guest = guest.instantiate_async(&mut *store).await?;
        store.data_mut().started = true;
        let notify = guest.fermata_activity_notify();
        notify
            .call_notify(store, &notifier::notification(self))
            .await
    }

    fn returned((): &()) -> Returned {
        Returned::default()
    }

    fn read(_: &mut Context, (): (), _: Option<&Schema>) -> Result<(), Box<Failure>> {
        Ok(())
    }
}

/// Why a component cannot be called as one of `wanted`, if so.
fn not_of(wanted: World, pin: &Pin, loaded: &Loaded) -> Option<Failure> {
    let world = loaded.entry.world();
    (world != wanted).then(|| other_world(pin, world, wanted))
}

fn other_world(pin: &Pin, is: World, wanted: World) -> Failure {
    let Pin { name, version, .. } = pin;
    let message = format!("{name}@{version} is {}, not {}", is.one(), wanted.one());
    let mut failure = Failure::new(FailureClass::Permanent, message).remedy(is.place());
    failure.code = Some("other-world".into());
    failure
}

fn no_undo(invocation: &Invocation) -> Failure {
    let (name, version) = (&invocation.component.name, invocation.component.version);
    let message = format!("{name}@{version} exports no `undo`");
    let mut failure = Failure::new(FailureClass::Permanent, message)
        .remedy("undo it by hand and say so, or accept that it stays");
    failure.code = Some("no-undo".into());
    failure
}

fn attempt(invocation: &Invocation) -> Attempt {
    let signal = invocation.signal.as_ref();
    Attempt {
        release: invocation.key.release.to_string(),
        process: invocation.process.to_string(),
        phase: invocation.phase.to_string(),
        activity: invocation.activity.to_string(),
        number: invocation.number,
        idempotency_key: invocation.idempotency_key.clone(),
        now_ms: since_epoch(invocation.now),
        checkpoint: invocation.checkpoint.clone(),
        signal: signal.map(|payload| payload.as_str().to_owned()),
    }
}

/// Milliseconds since the Unix epoch, as guests get them.
pub(crate) fn since_epoch(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0)
}
