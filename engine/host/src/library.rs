//! Components ready to run: compiled, checked, and bound to the host, as many as fit into memory.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use fermata_core::component::{Descriptor, World};
use fermata_core::id::Digest;
use fermata_core::schema::Schema;
use tokio::sync::OnceCell;

use crate::guest::notifier::NotifierOnlyPre;
use crate::guest::policy::PolicyOnlyPre;
use crate::guest::{ActivityPre, Context, UndoOnlyPre};

/// A component ready to run.
pub(crate) struct Loaded {
    pub(crate) entry: Entry,
    pub(crate) descriptor: Descriptor,
    /// What outputs have to fit.
    pub(crate) outputs: Schema,
    /// Native code.
    pub(crate) bytes: u64,
    /// Whether the next run begins behind the others, as the last one ended.
    pub(crate) behind: AtomicBool,
}

/// What of a component is called.
#[derive(Clone)]
pub(crate) enum Entry {
    Activity {
        run: ActivityPre<Context>,
        /// The same component by its `undo`, if it exports one.
        undo: Option<UndoOnlyPre<Context>>,
    },
    Policy(PolicyOnlyPre<Context>),
    Notifier(NotifierOnlyPre<Context>),
}

impl Entry {
    pub(crate) fn world(&self) -> World {
        match self {
            Self::Activity { .. } => World::Activity,
            Self::Policy(_) => World::Policy,
            Self::Notifier(_) => World::Notifier,
        }
    }
}

/// One place in the library: empty while the first who asked prepares it, and the others wait.
pub(crate) type Place = Arc<OnceCell<Arc<Loaded>>>;

/// Components by digest. What was used longest ago leaves first.
pub(crate) struct Library {
    bytes_max: u64,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    places: BTreeMap<Digest, (Place, u64)>,
    uses: u64,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library")
            .field("bytes_max", &self.bytes_max)
            .finish_non_exhaustive()
    }
}

impl Library {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            shelf: Mutex::default(),
        }
    }

    /// The place of a component, which may still be empty.
    pub(crate) fn place(&self, digest: Digest) -> Place {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.uses += 1;
        let now = shelf.uses;
        let (place, used) = shelf.places.entry(digest).or_default();
        *used = now;
        Arc::clone(place)
    }

    /// Whether somebody uses a component, or it is kept ready.
    pub(crate) fn holds(&self, digest: &Digest) -> bool {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.places.contains_key(digest)
    }

    /// Makes room after a place was filled or left empty. What still runs stays until it has ended.
    pub(crate) fn tidy(&self) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |place: &Place| place.get().map_or(0, |loaded| loaded.bytes);
        // Nobody holds an empty place but this shelf once filling it has failed.
        shelf
            .places
            .retain(|_, (place, _)| place.initialized() || Arc::strong_count(place) > 1);
        let mut bytes: u64 = shelf.places.values().map(|(place, _)| size(place)).sum();
        while bytes > self.bytes_max && shelf.places.len() > 1 {
            let oldest = shelf
                .places
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(digest, _)| *digest);
            let Some((place, _)) = oldest.and_then(|digest| shelf.places.remove(&digest)) else {
                return;
            };
            bytes -= size(&place);
        }
    }
}
