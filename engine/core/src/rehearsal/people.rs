//! Who decides in a rehearsal: for each approval that is still wanted a made-up person of that party.

use crate::actor::{Actor, Caller, Party};
use crate::id::Name;
use crate::release::OpenRule;

/// Whoever starts the release: nobody whom a rule could mean.
pub(super) fn initiator() -> Caller {
    Caller {
        actor: Actor::User(name("rehearsal")),
        groups: Vec::new(),
    }
}

/// The next to decide, of `decided` who have already: the first open rule is for them.
pub(super) fn stand_in(rules: &[OpenRule], decided: usize) -> Caller {
    let party = rules.first().and_then(|rule| rule.from.first());
    member_of(party, decided)
}

/// Somebody of a party, or just somebody.
pub(super) fn member_of(party: Option<&Party>, number: usize) -> Caller {
    let somebody = Actor::User(name(&format!("someone-{}", number + 1)));
    match party {
        Some(Party::User(user)) => Caller {
            actor: Actor::User(user.clone()),
            groups: Vec::new(),
        },
        Some(Party::Group(group)) => Caller {
            actor: somebody,
            groups: vec![group.clone()],
        },
        None => Caller {
            actor: somebody,
            groups: Vec::new(),
        },
    }
}

fn name(text: &str) -> Name {
    text.parse().expect("letters, digits and hyphens")
}
