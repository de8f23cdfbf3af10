//! Start: the draft becomes a running release, and what it runs is pinned.

use crate::release::event::{Event, Pinned};
use crate::release::refusal::Refusal;
use crate::release::state::ReleaseState;
use crate::release::{Holder, Release};

pub(super) fn start(
    release: &Release,
    components: &[Pinned],
    irreversible: &[u32],
) -> Result<Vec<Event>, Refusal> {
    match &release.state {
        ReleaseState::Draft => {}
        ReleaseState::Running | ReleaseState::Paused { .. } | ReleaseState::RollingBack => {
            return Err(Refusal::AlreadyStarted);
        }
        ReleaseState::Ended { outcome, .. } => return Err(Refusal::Ended(outcome.word())),
    }
    let wanted = release.process.uses();
    let mut given = components.iter();
    for uses in wanted {
        match given.next() {
            Some(pinned) if pinned.uses == *uses => fits(pinned)?,
            Some(pinned) => {
                let found = format!("{} where {uses} belongs", pinned.uses);
                return Err(Refusal::WrongPins(found));
            }
            None => return Err(Refusal::WrongPins(format!("{uses} is missing"))),
        }
    }
    if let Some(extra) = given.next() {
        return Err(Refusal::WrongPins(format!("{} is not used", extra.uses)));
    }
    let wants = release.wants(Holder::Release, None);
    let wants = wants.map_err(|fault| Refusal::Invalid(vec![fault]))?;
    Ok(started(components, irreversible).chain(wants).collect())
}

fn started(components: &[Pinned], irreversible: &[u32]) -> impl Iterator<Item = Event> + use<> {
    let started = Event::Started {
        components: components.to_vec(),
    };
    let known = (!irreversible.is_empty()).then(|| Event::IrreversiblePinned {
        pins: irreversible.to_vec(),
    });
    std::iter::once(started).chain(known)
}

/// Refuses a pin that its `uses` does not ask for.
fn fits(pinned: &Pinned) -> Result<(), Refusal> {
    let (uses, pin) = (&pinned.uses, &pinned.pin);
    if uses.name == pin.name && uses.accepts(pin.version) {
        return Ok(());
    }
    let found = format!("{uses} does not accept {}@{}", pin.name, pin.version);
    Err(Refusal::WrongPins(found))
}
