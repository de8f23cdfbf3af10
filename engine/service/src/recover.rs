//! From the store to memory: the normal way in, for a start as for a reader.

use fermata_core::id::ReleaseId;
use fermata_core::release::Release;
use fermata_core::release::event::Event;
use fermata_store::{Scan, Store, Table};

use crate::config::TURNS_PER_READ;
use crate::driver::{guarded, violations};
use crate::error::Error;
use crate::shared::Shared;

/// Keys of open releases that are read at a time.
const OPEN_PER_READ: usize = 4_096;

/// Every release that has not ended, or has something left to be reviewed.
pub(crate) fn open_releases(store: &dyn Store) -> Result<Vec<ReleaseId>, Error> {
    let mut scan = Scan {
        limit: OPEN_PER_READ,
        ..Scan::default()
    };
    let mut open = Vec::new();
    loop {
        let found = store.scan(Table::Open, &scan)?;
        for (key, _) in &found {
            let bytes = key.as_slice().try_into().map_err(|_| Error::Corrupt {
                what: "the list of open releases".to_owned(),
                reason: format!("a key has {} bytes", key.len()),
            })?;
            open.push(ReleaseId::from_bytes(bytes));
        }
        match found.into_iter().next_back() {
            Some((last, _)) => scan.after = Some(last),
            None => return Ok(open),
        }
    }
}

/// A release that has not ended, or why it must be quarantined: one broken release must not keep all
/// the others from starting. An error is a store that cannot be read at all.
pub(crate) fn load_checked(
    shared: &Shared,
    id: ReleaseId,
) -> Result<Result<Release, String>, Error> {
    let loaded = match guarded(|| load(shared, id)) {
        Ok(loaded) => loaded,
        Err(panic) => return Ok(Err(panic)),
    };
    let release = match loaded {
        Ok(Some(release)) => release,
        Ok(None) => return Ok(Err("it is open and has no history".to_owned())),
        Err(Error::Store(fermata_store::Error::Corrupt { what, reason })) => {
            return Ok(Err(format!("{what}: {reason}")));
        }
        Err(error @ Error::Corrupt { .. }) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    if release.is_settled() {
        return Ok(Err("it is listed as open and has ended".to_owned()));
    }
    Ok(match violations(&release) {
        Some(violations) => Err(violations),
        None => Ok(release),
    })
}

/// A release as its events tell it; `None` if there is none.
pub(crate) fn load(shared: &Shared, id: ReleaseId) -> Result<Option<Release>, Error> {
    let corrupt = |reason: String| Error::Corrupt {
        what: format!("release {id}"),
        reason,
    };
    let mut turns = shared.store.turns(id, 0, TURNS_PER_READ)?;
    let Some(first) = turns.first() else {
        return Ok(None);
    };
    let Some(Event::Created { process, .. }) = first.events.first() else {
        return Err(corrupt(
            "its history does not begin with its creation".to_owned(),
        ));
    };
    let process = shared.catalog.process_of(process)?;
    let mut release = Release::replay(id, process, &turns).map_err(|e| corrupt(e.to_string()))?;
    while turns.len() == TURNS_PER_READ {
        turns = shared.store.turns(id, release.version(), TURNS_PER_READ)?;
        for turn in &turns {
            release
                .apply_turn(turn)
                .map_err(|e| corrupt(e.to_string()))?;
        }
    }
    Ok(Some(release))
}
