//! What a release wants of people: for each activity, what is asked of whom, and until when.

use crate::actor::{Actor, Party};
use crate::process::{ActivityIx, Exclusion, Kind, Manual};
use crate::release::Release;
use crate::release::state::{ActivityState, People, Question};
use crate::time::Timestamp;

/// Something that is wanted of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub what: WantedWhat,
    /// Of whom; empty means of anybody.
    pub of: Vec<Party>,
    /// Of whom not, although it is wanted of people like them.
    pub except: Vec<Party>,
    /// Since when.
    pub since: Timestamp,
    /// When it is too late, or should be done.
    pub due_at: Option<Timestamp>,
}

/// What is wanted of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WantedWhat {
    /// To approve or reject, or to complete an activity that has no rules.
    Approval,
    /// To do the task at this position.
    Task(u32),
    /// To say how to go on after a failure.
    Decision,
    /// To look at approvals that were skipped.
    Review,
    /// To say why the release had to go back.
    RootCause,
}

/// All that is wanted of people at the activity at `ix`.
pub fn wanted(release: &Release, ix: ActivityIx) -> Vec<Wanted> {
    let Some(node) = release.activities.get(ix.0 as usize) else {
        return Vec::new();
    };
    let mut wanted = match (&node.state, &release.process.activity(ix).kind) {
        (ActivityState::NeedsPeople(question), Kind::Manual(manual)) => {
            let mut wanted = vec![release.approval(ix, manual, question)];
            wanted.extend(release.tasks(ix, manual, question));
            wanted
        }
        (ActivityState::OnHold { since, .. }, _) => vec![release.decision_wanted(ix, *since)],
        (ActivityState::UndoFailed(failed), _)
            if failed.accepted.is_none() && !release.has_ended() =>
        {
            vec![release.decision_wanted(ix, failed.since)]
        }
        _ => Vec::new(),
    };
    wanted.extend(release.review(ix));
    wanted.extend(release.root_cause_wanted(ix));
    wanted
}

impl Release {
    /// To say how to go on, or what becomes of an effect, is for the owners.
    fn decision_wanted(&self, ix: ActivityIx, since: Timestamp) -> Wanted {
        Wanted {
            what: WantedWhat::Decision,
            of: self.owners(ix).to_vec(),
            except: Vec::new(),
            since,
            due_at: None,
        }
    }

    /// The cause of a rollback is asked at what failed, or else at what went back first.
    fn root_cause_wanted(&self, ix: ActivityIx) -> Option<Wanted> {
        let since = self.root_cause_since()?;
        let rollback = self.rollback()?;
        let first = rollback.plan.first().map(|planned| planned.activity);
        (rollback.trigger.or(first) == Some(ix)).then(|| Wanted {
            what: WantedWhat::RootCause,
            of: self.root_cause_owners(),
            except: Vec::new(),
            since,
            due_at: None,
        })
    }

    fn approval(&self, ix: ActivityIx, manual: &Manual, question: &Question) -> Wanted {
        let mut of: Vec<Party> = question.now_asked(manual);
        if manual.approvals.is_empty() {
            of = self.owners(ix).to_vec();
        }
        Wanted {
            what: WantedWhat::Approval,
            of,
            except: self.not_asked(manual, question),
            since: question.since,
            due_at: question.expires_at.or(question.escalates_at),
        }
    }

    /// Who is excluded, and who has spoken.
    fn not_asked(&self, manual: &Manual, question: &Question) -> Vec<Party> {
        let mut actors: Vec<&Actor> = Vec::new();
        let mut except = Vec::new();
        for exclusion in &manual.exclude {
            match (exclusion, &question.people) {
                (Exclusion::Initiator, _) => {
                    actors.extend([self.initiator(), &self.created_by]);
                }
                (Exclusion::Authors, People::Known { authors, .. }) => actors.extend(authors),
                (Exclusion::Party(party), _) => except.push(party.clone()),
                (Exclusion::Authors, _) => {}
            }
        }
        if !manual.same_person {
            let given = question.approvals.iter();
            actors.extend(given.flat_map(|given| [&given.by, given.of()]));
        }
        except.extend(actors.into_iter().filter_map(|actor| match actor {
            Actor::User(name) => Some(Party::User(name.clone())),
            Actor::Engine => None,
        }));
        except.sort_unstable();
        except.dedup();
        except
    }

    fn tasks<'a>(
        &'a self,
        ix: ActivityIx,
        manual: &'a Manual,
        question: &'a Question,
    ) -> impl Iterator<Item = Wanted> + 'a {
        let tasks = self.record(ix).map_or(&[][..], |record| &record.tasks);
        let open = (0..).zip(manual.tasks.iter().zip(tasks));
        let open = open.filter(|(_, (_, task))| !task.state.is_over());
        open.map(move |(position, (rule, _))| Wanted {
            what: WantedWhat::Task(position),
            of: if rule.assign.is_empty() {
                self.owners(ix).to_vec()
            } else {
                rule.assign.clone()
            },
            except: Vec::new(),
            since: question.since,
            due_at: rule
                .expected
                .map(|expected| question.since.after(expected))
                .or(question.expires_at),
        })
    }

    fn review(&self, ix: ActivityIx) -> Option<Wanted> {
        let glass = self.record(ix)?.glass.as_ref()?;
        if glass.reviewed.is_some() {
            return None;
        }
        let except = match &glass.by {
            Actor::User(name) => vec![Party::User(name.clone())],
            Actor::Engine => Vec::new(),
        };
        Some(Wanted {
            what: WantedWhat::Review,
            of: self.reviewers(ix),
            except,
            since: glass.at,
            due_at: None,
        })
    }
}
