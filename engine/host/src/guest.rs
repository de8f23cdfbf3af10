//! The guest contract as Rust types, and what the host knows about one run while it lasts.

mod limiter;
mod log;
pub(crate) mod notifier;
pub(crate) mod policy;
mod wasi;

use std::fmt;
use std::sync::{Arc, Mutex};

use fermata_core::attempt::{Evidence, LogLevel, Usage};
use fermata_core::component::Grants;
use fermata_core::time::{Span, Timestamp};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Store, UpdateDeadline};

pub(crate) use bindings::{Activity, ActivityPre, fermata};
pub(crate) use limiter::Limiter;
pub(crate) use log::Log;
pub(crate) use reversible::UndoOnlyPre;

use crate::background::Computes;
use crate::calls::Calls;
use crate::config::ProgressSink;
use crate::egress::Given;
use crate::engine::failed;
use crate::error::Error;
use crate::imports::add_wasi_http_to_linker;
use crate::limits::length;
use crate::secrets::Held;
use crate::shared::Shared;
use crate::ticker::ticks;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "activity",
        imports: {
            "fermata:activity/http.send": async | trappable,
            default: trappable,
        },
        exports: { default: async },
    });
}

/// What `reversible-activity` has beyond `activity`, with the same types.
mod reversible {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package fermata:host;
            world undo-only {
                export fermata:activity/undo@0.1.0;
            }
        ",
        with: {
            "fermata:activity/types": super::bindings::fermata::activity::types,
        },
        exports: { default: async },
    });
}

/// The world of the contract, in the types that [`bindings`] generates.
pub(crate) mod types {
    pub(crate) use super::bindings::fermata::activity::types::{
        Attempt, Failure, Outcome, Pending, Reason, Resume,
    };
}

/// Epochs that may end while a guest computes on the threads that all share: the first can end right after the guest began.
const SHARED_TICKS: u64 = 1;

/// A limit that the host saw reached; the guest is trapped with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breach(pub(crate) &'static str);

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit `{}` was reached", self.0)
    }
}

impl std::error::Error for Breach {}

/// What the host knows about one run.
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    pub(crate) progress: ProgressSink,
    pub(crate) progress_at: Option<Timestamp>,
    pub(crate) log: Log,
    pub(crate) evidence: Vec<Evidence>,
    /// The kinds of evidence that `describe` names: no other is taken.
    pub(crate) kinds: Vec<String>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) held: Arc<Held>,
    /// A granted secret that the guest asked for and that nobody has set.
    pub(crate) unset: Option<String>,
    pub(crate) limiter: Limiter,
    /// Whether the guest is instantiated: what goes wrong from then on is its doing.
    pub(crate) started: bool,
    /// When the run began.
    pub(crate) began: Timestamp,
    /// Epochs in which the guest computed.
    pub(crate) ticks: u64,
    pub(crate) computes: Computes,
    /// What is known of its costs; whole once the run has ended.
    pub(crate) usage: Usage,
    /// What is told instead of time and chance, until somebody asks for them.
    given: Option<Given>,
    /// What time and chance tell, if that is recorded and somebody asked.
    telling: Option<Arc<Mutex<wasi::Telling>>>,
    ticks_max: u64,
    wasi: Option<Box<wasi::Wasi>>,
}

/// A store for one run, with every limit in force before any of the guest's code runs.
pub(crate) fn store(
    engine: &Engine,
    shared: &Arc<Shared>,
    grants: Arc<Grants>,
    progress: ProgressSink,
    cpu: Span,
) -> Store<Context> {
    let limits = &shared.limits;
    let given = shared.client.given();
    let held = Arc::new(shared.hold(&grants, given.as_ref()));
    let computes = Computes::default();
    let calls = Calls::new(
        Arc::clone(shared),
        grants,
        Arc::clone(&held),
        computes.clone(),
    );
    let context = Context {
        shared: Arc::clone(shared),
        held,
        unset: None,
        progress,
        progress_at: None,
        log: Log::new(limits),
        evidence: Vec::new(),
        kinds: Vec::new(),
        calls: Arc::new(calls),
        limiter: Limiter::new(limits),
        started: false,
        began: (shared.clock)(),
        ticks: 0,
        computes,
        usage: Usage::default(),
        given,
        telling: None,
        ticks_max: ticks(cpu),
        wasi: None,
    };
    let mut store = Store::new(engine, context);
    store.limiter(|context| &mut context.limiter);
    store.set_hostcall_fuel(length(limits.hostcall_bytes));
    store.set_max_component_handles(length(limits.handles));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| {
        // Only a guest that computes passes here: each time is one tick of processor time.
        let context = context.data_mut();
        context.ticks += 1;
        if context.ticks > SHARED_TICKS {
            context.computes.set();
        }
        if context.ticks >= context.ticks_max {
            Err(Breach("cpu").into())
        } else {
            Ok(UpdateDeadline::Yield(1))
        }
    });
    store
}

/// Everything a guest may import.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Context>, Error> {
    let mut linker = Linker::new(engine);
    Activity::add_to_linker::<_, HasSelf<Context>>(&mut linker, |context| context)
        .map_err(failed)?;
    wasi::add_to_linker(&mut linker).map_err(failed)?;
    add_wasi_http_to_linker(&mut linker).map_err(failed)?;
    Ok(linker)
}

impl fermata::activity::types::Host for Context {}

impl Context {
    /// The time, as the engine tells it.
    pub(crate) fn now(&self) -> Timestamp {
        (self.shared.clock)()
    }

    /// Writes into the log what the guest could not be told of its calls.
    pub(crate) fn tell_of_calls(&mut self) {
        let at = self.now();
        for line in self.calls.seen().take_notes() {
            self.log.write(at, LogLevel::Warn, line);
        }
    }

    /// Moves what the guest wrote to its standard output and error into its log.
    pub(crate) fn collect_output(&mut self) {
        self.tell_of_calls();
        if let Some(mut wasi) = self.wasi.take() {
            let at = self.now();
            wasi.drain(|level, line| self.log.write(at, level, self.held.redact(line)));
            self.wasi = Some(wasi);
        }
    }
}
