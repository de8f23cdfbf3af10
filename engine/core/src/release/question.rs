//! A question to people: who has said yes, who still may, and what time does to it.

use std::collections::BTreeSet;

use crate::actor::{Actor, Caller, Party};
use crate::id::{Digest, Name};
use crate::json::Json;
use crate::limits::REMINDERS_MAX;
use crate::process::{Count, Escalation, Exclusion, Manual, Order, Then};
use crate::release::event::Membership;
use crate::time::Timestamp;

/// A manual activity that waits for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The rendered instructions.
    pub instructions: String,
    /// What an approval is given for: the digest of everything that decides what follows from it.
    pub content: Digest,
    /// Since when.
    pub since: Timestamp,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
    /// When further parties may decide; nothing once they may.
    pub escalates_at: Option<Timestamp>,
    /// Whether further parties may decide.
    pub escalated: bool,
    /// When people are reminded next.
    pub reminds_at: Option<Timestamp>,
    /// How often they were.
    pub reminders: u32,
    /// Who is who, as far as the question depends on it.
    pub people: People,
    /// Approvals so far, in order.
    pub approvals: Vec<Approval>,
}

/// What a question has to know of the people around it, and no process document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum People {
    /// Nothing: its rules name a number of people.
    NotWanted,
    /// It is still to be told, and nobody can decide before.
    Wanted,
    /// As it was when people were asked.
    Known {
        /// Who published the process version.
        authors: Vec<Actor>,
        /// For each rule, who may count for it; nothing for a rule that names a number.
        rosters: Vec<Option<BTreeSet<Name>>>,
    },
}

/// One approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who gave it.
    pub by: Actor,
    /// In whose place, if they were somebody's backup.
    pub backup_of: Option<Actor>,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub comment: Option<String>,
    /// The answers to the form, if they gave them.
    pub form: Option<Json>,
    /// Positions of the rules it counts for.
    pub rules: Vec<u32>,
}

impl Approval {
    /// Whose approval it is.
    pub fn of(&self) -> &Actor {
        self.backup_of.as_ref().unwrap_or(&self.by)
    }

    /// Whether `actor` gave it or had it given.
    pub fn involves(&self, actor: &Actor) -> bool {
        self.by == *actor || self.backup_of.as_ref() == Some(actor)
    }
}

impl Question {
    /// The question of `manual`, asked at `at`.
    pub(super) fn new(
        manual: &Manual,
        (instructions, content): (String, Digest),
        expires_at: Option<Timestamp>,
        at: Timestamp,
    ) -> Self {
        let escalation = manual.escalate.as_ref();
        Self {
            instructions,
            content,
            since: at,
            expires_at,
            escalates_at: match manual.expires {
                Some(expiry) if expiry.then == Then::Escalate => expires_at,
                _ => escalation.and_then(|escalation| Some(at.after(escalation.after?))),
            },
            escalated: false,
            reminds_at: manual.remind.first().map(|wait| at.after(*wait)),
            reminders: 0,
            people: if manual.wants_people() {
                People::Wanted
            } else {
                People::NotWanted
            },
            approvals: Vec::new(),
        }
    }

    /// The answers to the form that count so far: those that were given last.
    pub fn form(&self) -> Option<&Json> {
        self.approvals
            .iter()
            .rev()
            .find_map(|given| given.form.as_ref())
    }

    /// When time will next change something about it.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        let dues = [self.reminds_at, self.escalates_at, self.expires_at];
        dues.into_iter().flatten().min()
    }

    /// Takes a reminder down and says when the next is due.
    pub(super) fn remind(&mut self, manual: &Manual, number: u32, at: Timestamp) {
        self.reminders = number;
        let wait = manual.remind.get(number as usize).or(manual.remind.last());
        self.reminds_at = wait
            .filter(|_| number < REMINDERS_MAX)
            .map(|wait| at.after(*wait));
    }

    /// Lets further parties decide; a question that only waited for that has no end any more.
    pub(super) fn escalate(&mut self, manual: &Manual) {
        self.escalated = true;
        self.escalates_at = None;
        if manual.expires.is_some_and(|e| e.then == Then::Escalate) {
            self.expires_at = None;
        }
    }

    /// Whether further parties may decide at `now`, noticed or not.
    pub(super) fn is_escalated(&self, now: Timestamp) -> bool {
        self.escalated || self.escalates_at.is_some_and(|at| at <= now)
    }

    /// How many approvals each rule still wants.
    pub(super) fn open(&self, manual: &Manual) -> Vec<u32> {
        let rules = (0..).zip(&manual.approvals);
        let mut open: Vec<u32> = rules
            .map(|(ix, rule)| self.wanted(ix, rule.count))
            .collect();
        for rule in self.approvals.iter().flat_map(|given| &given.rules) {
            if let Some(open) = open.get_mut(*rule as usize) {
                *open = open.saturating_sub(1);
            }
        }
        open
    }

    /// How many approvals the rule at `ix`, which asks for `count`, wants in all.
    pub fn wanted(&self, ix: usize, count: Count) -> u32 {
        count.of(self.roster(ix).map_or(0, BTreeSet::len))
    }

    /// Who may count for the rule at `ix`, where that was set down when people were asked.
    pub fn roster(&self, ix: usize) -> Option<&BTreeSet<Name>> {
        match &self.people {
            People::Known { rosters, .. } => rosters.get(ix)?.as_ref(),
            People::NotWanted | People::Wanted => None,
        }
    }

    /// Whom it asks now: of the rules that are open, those whose turn it is, and further parties.
    pub(super) fn now_asked(&self, manual: &Manual) -> Vec<Party> {
        let open = self.open(manual);
        let first = open.iter().position(|more| *more > 0);
        let is_turn = |ix: usize| manual.order == Order::Parallel || first == Some(ix);
        let rules = manual.approvals.iter().enumerate().zip(&open);
        let rules = rules.filter(|((ix, _), more)| **more > 0 && is_turn(*ix));
        let mut asked: Vec<Party> = rules
            .flat_map(|((ix, rule), _)| match self.roster(ix) {
                Some(roster) if !roster.is_empty() => {
                    self.missing(ix).into_iter().map(Party::User).collect()
                }
                _ => rule.from.clone(),
            })
            .collect();
        let further = manual.escalate.as_ref().filter(|_| self.escalated);
        asked.extend(further.into_iter().flat_map(|further| further.to.clone()));
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// Who of the roster of the rule at `ix` has not approved.
    pub(super) fn missing(&self, ix: usize) -> Vec<Name> {
        let gave = |name: &&Name| {
            let of = Actor::User((*name).clone());
            let mut given = self.approvals.iter();
            given.any(|given| *given.of() == of && given.rules.iter().any(|r| *r as usize == ix))
        };
        let roster = self.roster(ix).into_iter().flatten();
        roster.filter(|name| !gave(name)).cloned().collect()
    }

    /// Whether an approval of `voter` could count for the rule at `ix`, were it open.
    pub(super) fn is_for(
        &self,
        manual: &Manual,
        ix: usize,
        (voter, now): (&Caller, Timestamp),
    ) -> bool {
        let is_named = manual.approvals[ix].from.iter().any(|from| voter.is(from));
        let is_listed = match (self.roster(ix), &voter.actor) {
            (Some(roster), Actor::User(name)) => roster.is_empty() || roster.contains(name),
            _ => true,
        };
        is_named && is_listed || self.is_further(manual.escalate.as_ref(), voter, now)
    }

    /// Whether `voter` may decide because it has taken too long.
    fn is_further(&self, escalate: Option<&Escalation>, voter: &Caller, now: Timestamp) -> bool {
        let further = escalate.filter(|_| self.is_escalated(now));
        further.is_some_and(|escalation| escalation.to.iter().any(|to| voter.is(to)))
    }

    /// Sets down who is who.
    pub(super) fn know(
        &mut self,
        manual: &Manual,
        initiators: &[&Actor],
        (authors, groups): (&[Actor], &[Membership]),
    ) {
        let rosters = manual.approvals.iter().map(|rule| {
            let wants = rule.count.needs_roster();
            wants.then(|| {
                let mut roster = members(&rule.from, groups);
                roster.retain(|name| {
                    !is_excluded(&manual.exclude, name, initiators, (authors, groups))
                });
                roster
            })
        });
        self.people = People::Known {
            rosters: rosters.collect(),
            authors: authors.to_vec(),
        };
    }
}

impl Manual {
    /// Whether a question has to know who is in which group, or who published the process.
    pub(super) fn wants_people(&self) -> bool {
        self.wants_authors() || self.approvals.iter().any(|rule| rule.count.needs_roster())
    }

    /// Whether a question has to know who published the process.
    pub(super) fn wants_authors(&self) -> bool {
        self.exclude.contains(&Exclusion::Authors)
    }

    /// The groups whose members a question has to know, each once.
    pub(super) fn wanted_groups(&self) -> BTreeSet<&Name> {
        let rules = self.approvals.iter();
        let rules: Vec<_> = rules.filter(|rule| rule.count.needs_roster()).collect();
        let excluded = self.exclude.iter().filter_map(|exclusion| match exclusion {
            Exclusion::Party(party) if !rules.is_empty() => Some(party),
            _ => None,
        });
        let from = rules.iter().flat_map(|rule| &rule.from);
        from.chain(excluded)
            .filter_map(|party| match party {
                Party::Group(group) => Some(group),
                Party::User(_) => None,
            })
            .collect()
    }
}

fn members(parties: &[Party], groups: &[Membership]) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    for party in parties {
        match party {
            Party::User(name) => {
                found.insert(name.clone());
            }
            Party::Group(group) => {
                let of = groups.iter().filter(|known| known.group == *group);
                found.extend(of.flat_map(|known| known.members.iter().cloned()));
            }
        }
    }
    found
}

fn is_excluded(
    exclude: &[Exclusion],
    name: &Name,
    initiators: &[&Actor],
    (authors, groups): (&[Actor], &[Membership]),
) -> bool {
    let actor = Actor::User(name.clone());
    exclude.iter().any(|exclusion| match exclusion {
        Exclusion::Initiator => initiators.contains(&&actor),
        Exclusion::Authors => authors.contains(&actor),
        Exclusion::Party(party) => members(std::slice::from_ref(party), groups).contains(name),
    })
}
