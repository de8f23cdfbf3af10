//! What must always hold of a release between two turns: one named function for each invariant.
//!
//! In tests and simulation all of them are asked after every turn; in production now and then,
//! where a violation takes the release out of service instead of letting it do harm.

use std::collections::BTreeSet;
use std::fmt;

use crate::process::{ActivityIx, Count, Group, Kind, Manual, PhaseIx, Role};
use crate::release::event::OutputSource;
use crate::release::index::Index;
use crate::release::needs::Tally;
use crate::release::replay::replaced;
use crate::release::state::{ActivityState, Approval, PhaseState, ReleaseState, Settled};
use crate::release::wave::Stage;
use crate::release::{ActivityNode, Claim, Holder, Release};

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the invariant.
    pub invariant: &'static str,
    /// Where, and what was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.found)
    }
}

mod rollback;

type Invariant = (&'static str, fn(&Release) -> Vec<String>);

/// What holds at all times.
const ALWAYS: [Invariant; 19] = [
    ("activity-counts-its-needs", activity_counts_its_needs),
    ("phase-counts-its-needs", phase_counts_its_needs),
    ("phase-counts-its-activities", phase_counts_its_activities),
    ("wave-counts-its-instances", wave_counts_its_instances),
    (
        "held-is-what-waits-for-its-turn",
        held_is_what_waits_for_its_turn,
    ),
    ("no-instance-runs-ahead", no_instance_runs_ahead),
    ("release-counts-its-phases", release_counts_its_phases),
    ("index-follows-states", index_follows_states),
    ("draft-has-not-begun", draft_has_not_begun),
    (
        "nothing-begins-before-its-needs",
        nothing_begins_before_its_needs,
    ),
    (
        "approvals-are-of-different-people",
        approvals_are_of_different_people,
    ),
    ("approvals-fit-their-rules", approvals_fit_their_rules),
    ("tasks-are-done-first", tasks_are_done_first),
    ("reviews-are-of-broken-glass", reviews_are_of_broken_glass),
    ("attempts-count-up-from-one", attempts_count_up_from_one),
    ("locks-follow-states", locks_follow_states),
    (
        "effects-are-undone-in-reverse",
        rollback::effects_are_undone_in_reverse,
    ),
    (
        "nothing-is-undone-going-forward",
        rollback::nothing_is_undone_going_forward,
    ),
    ("rolled-back-is-undone", rollback::rolled_back_is_undone),
];

/// What holds once nothing follows any more, and not while everything waits for a batch that goes back.
const QUIET: [Invariant; 6] = [
    ("graph-is-quiet", graph_is_quiet),
    ("nothing-due-is-left-waiting", nothing_due_is_left_waiting),
    (
        "phase-ends-with-its-activities",
        phase_ends_with_its_activities,
    ),
    ("ended-release-is-all-over", ended_release_is_all_over),
    (
        "only-a-paused-release-has-ready",
        only_a_paused_release_has_ready,
    ),
    ("question-shows-what-it-gates", question_shows_what_it_gates),
];

/// Everything that is wrong with `release`; empty if nothing is. Looks at the whole graph.
pub fn check(release: &Release) -> Vec<Violation> {
    let quiet: &[Invariant] = if release.is_rollback_postponed() {
        &[]
    } else {
        &QUIET
    };
    ALWAYS
        .iter()
        .chain(quiet)
        .flat_map(|(invariant, broken)| {
            broken(release)
                .into_iter()
                .map(|found| Violation { invariant, found })
        })
        .collect()
}

/// A turn ends when nothing follows any more.
fn graph_is_quiet(release: &Release) -> Vec<String> {
    let left = release.frontier.iter();
    left.map(|node| format!("{node:?} still has something to do"))
        .collect()
}

/// The counters of an activity equal a recount of its needs.
fn activity_counts_its_needs(release: &Release) -> Vec<String> {
    let mut found = Vec::new();
    for (ix, node) in release.activity_ixs() {
        let activity = release.process.activity(ix);
        if activity.role == Role::Template {
            continue;
        }
        let recounted = Tally::recounted(
            &activity.needs,
            &activity.joins,
            replaced(activity.condition.as_ref()),
            |need| release.activity_state(need).settled(),
        );
        if node.needs != recounted {
            let path = release.process.path(ix);
            found.push(format!(
                "{path} counts {:?}; recounted {recounted:?}",
                node.needs
            ));
        }
    }
    found
}

/// The counters of a phase equal a recount of its needs.
fn phase_counts_its_needs(release: &Release) -> Vec<String> {
    let mut found = Vec::new();
    for (ix, node) in release.phase_ixs() {
        let phase = release.process.phase(ix);
        let recounted = Tally::recounted(
            &phase.needs,
            &phase.joins,
            replaced(phase.condition.as_ref()),
            |need| release.phase_state(need).settled(),
        );
        if node.needs != recounted {
            let name = release.process.phase_path(ix);
            found.push(format!(
                "{name} counts {:?}; recounted {recounted:?}",
                node.needs
            ));
        }
    }
    found
}

/// A phase knows how many of its activities have not ended, and whether one was broken.
fn phase_counts_its_activities(release: &Release) -> Vec<String> {
    let mut found = Vec::new();
    for (ix, node) in release.phase_ixs() {
        let phase = release.process.phase(ix);
        let settled: Vec<Option<Settled>> = if let Some(instances) = &phase.instances {
            let phases = instances.nodes.clone().map(PhaseIx);
            phases.map(|ix| release.phase_state(ix).settled()).collect()
        } else {
            let activities = phase.activities.clone().map(ActivityIx);
            let members =
                activities.filter(|ix| release.process.activity(*ix).role == Role::Member);
            members
                .map(|ix| release.activity_state(ix).settled())
                .collect()
        };
        let unsettled = settled.iter().filter(|how| how.is_none()).count();
        // How many instances may fail is the business of their wave.
        let failed = phase.instances.is_none() && settled.contains(&Some(Settled::Broken));
        if (node.unsettled as usize, node.failed) != (unsettled, failed) {
            found.push(format!(
                "{} counts {}, {}; recounted {unsettled}, {failed}",
                release.process.phase_path(ix),
                node.unsettled,
                node.failed
            ));
        }
    }
    found
}

/// The counters of a wave equal a recount of its instances.
fn wave_counts_its_instances(release: &Release) -> Vec<String> {
    let mut found = Vec::new();
    for (group, wave) in release.waves() {
        let nodes = release.process.instances(group);
        let settled: Vec<Option<Settled>> = nodes
            .map_or(0..0, |instances| instances.nodes.clone())
            .map(|ix| match group {
                Group::Phase(_) => release.phase_state(PhaseIx(ix)).settled(),
                Group::Activity(_) => release.activity_state(ActivityIx(ix)).settled(),
            })
            .collect();
        let count = |how| settled.iter().filter(|settled| **settled == how).count();
        // What went back counts as failed, however it had ended.
        let failed = (0..).zip(&settled).filter(|(index, how)| {
            **how == Some(Settled::Broken) || wave.gone_back.contains(&wave.batch_of(*index))
        });
        let failed = failed.count();
        let released = settled.iter().take(wave.released() as usize);
        let recounted = [
            settled.len(),
            settled.len() - count(None),
            failed,
            released.filter(|how| how.is_none()).count(),
        ];
        let counted = [wave.count(), wave.ended, wave.failed, wave.unended].map(|n| n as usize);
        if counted != recounted {
            let path = release.process.group_path(group);
            found.push(format!(
                "{path} counts {counted:?}; recounted {recounted:?}"
            ));
        }
    }
    found
}

/// What waits for its turn in a wave is held, and nothing else is.
fn held_is_what_waits_for_its_turn(release: &Release) -> Vec<String> {
    let is_held = |role: &Role| match role {
        Role::Instance(instance) => !release.is_released(instance.of, instance.index),
        Role::Gate(group, batch) => release.wave(*group).is_some_and(|wave| {
            let asked = matches!(wave.stage, Stage::Gated(_) | Stage::Passed);
            wave.open + 1 < *batch || wave.open + 1 == *batch && !asked
        }),
        Role::Member | Role::Template => false,
    };
    let activities = release.activity_ixs();
    let wrong = activities.filter(|(ix, node)| {
        let role = &release.process.activity(*ix).role;
        node.state == ActivityState::Waiting && node.held != is_held(role)
    });
    let mut found: Vec<String> = wrong.map(|(ix, _)| release.process.path(ix)).collect();
    let wrong = release.phase_ixs().filter(|(ix, node)| {
        let instance = release.process.phase(*ix).instance.as_deref();
        let held = instance.is_some_and(|found| !release.is_released(found.of, found.index));
        node.state == PhaseState::Waiting && node.held != held
    });
    found.extend(wrong.map(|(ix, _)| release.process.phase_path(ix)));
    found
}

/// No instance has begun before its batch was open.
fn no_instance_runs_ahead(release: &Release) -> Vec<String> {
    let mut found = Vec::new();
    for (group, wave) in release.waves() {
        for batch in wave.open + 1..=wave.batches() {
            for ix in release.batch_nodes(group, batch) {
                let begun = match group {
                    Group::Phase(_) => {
                        matches!(release.phase_state(PhaseIx(ix)), PhaseState::Open { .. })
                    }
                    Group::Activity(_) => {
                        let state = release.activity_state(ActivityIx(ix));
                        *state != ActivityState::Waiting && state.settled().is_none()
                    }
                };
                if begun {
                    let path = release.process.group_path(group);
                    found.push(format!("{ix} of {path} in batch {batch}"));
                }
            }
        }
    }
    found
}

/// The release knows how many phases have not ended.
fn release_counts_its_phases(release: &Release) -> Vec<String> {
    let phases = release.phase_ixs();
    let unsettled = phases
        .filter(|(ix, _)| release.process.phase(*ix).instance.is_none())
        .filter(|(_, phase)| phase.state.settled().is_none())
        .count();
    let counted = release.phases_unsettled as usize;
    told(counted == unsettled, || {
        format!("counts {counted}; recounted {unsettled}")
    })
}

/// Timers and the sets of ready and running activities are what the states say.
fn index_follows_states(release: &Release) -> Vec<String> {
    let mut index = Index::default();
    for (ix, node) in release.activity_ixs() {
        index.insert(ix, &node.state);
    }
    for (group, wave) in release.waves() {
        if let Stage::Baking { until } = wave.stage {
            index.bakes.insert((until, group));
        }
    }
    told(index == release.index, || {
        format!("kept {:?}; rebuilt {index:?}", release.index)
    })
}

/// Nothing in a draft has moved, and a release that has started knows its pins.
fn draft_has_not_begun(release: &Release) -> Vec<String> {
    let moved = release.activity_ixs().any(|(ix, node)| {
        let is_template = release.process.activity(ix).role == Role::Template;
        !is_template && node.state != ActivityState::Waiting
    });
    let draft = release.state == ReleaseState::Draft;
    let pins = release.process.uses().len();
    let mut found = told(!(draft && moved), || "an activity has moved".to_owned());
    if release.started.is_some() && release.pins.len() != pins {
        found.push(format!("{} pins for {pins} `uses`", release.pins.len()));
    }
    found
}

/// An activity that has begun stood in an open phase and had all its needs satisfied.
fn nothing_begins_before_its_needs(release: &Release) -> Vec<String> {
    let begun = release.activity_ixs().filter(|(_, node)| {
        matches!(
            node.state,
            ActivityState::Ready { .. }
                | ActivityState::Running(_)
                | ActivityState::FannedOut { .. }
                | ActivityState::Suspended { .. }
                | ActivityState::Retrying { .. }
                | ActivityState::NeedsPeople(_)
                | ActivityState::Awaiting(_)
                | ActivityState::Blocked(_)
                | ActivityState::Child(_)
                | ActivityState::OnHold { .. }
                | ActivityState::Succeeded { .. }
        )
    });
    begun
        .filter(|(ix, node)| {
            let phase = release.process.activity(*ix).phase;
            let shut = matches!(
                release.phase_state(phase),
                PhaseState::Waiting | PhaseState::Blocked { .. } | PhaseState::Skipped { .. }
            );
            shut || !node.needs.is_satisfied()
        })
        .map(|(ix, node)| format!("{} is {}", release.process.path(ix), node.state.word()))
        .collect()
}

/// What could go on has gone on.
fn nothing_due_is_left_waiting(release: &Release) -> Vec<String> {
    if matches!(release.state, ReleaseState::Draft) || release.is_gated() {
        return Vec::new();
    }
    let phases = release.phase_ixs().filter(|(_, phase)| phase.is_due());
    let mut found: Vec<String> = phases
        .map(|(ix, _)| release.process.phase_path(ix))
        .collect();
    let open = |phase| matches!(release.phase_state(phase), PhaseState::Open { .. });
    let activities = release
        .activity_ixs()
        .filter(|(ix, node)| node.is_due() && open(release.process.activity(*ix).phase));
    found.extend(activities.map(|(ix, _)| release.process.path(ix)));
    found
}

/// An open phase has an activity that has not ended; an ended or skipped one has none.
fn phase_ends_with_its_activities(release: &Release) -> Vec<String> {
    let wrong = release.phase_ixs().filter(|(_, node)| match node.state {
        PhaseState::Waiting | PhaseState::Blocked { .. } => false,
        PhaseState::Open { .. } => node.unsettled == 0,
        PhaseState::Ended { .. } | PhaseState::Skipped { .. } => node.unsettled > 0,
    });
    wrong
        .map(|(ix, node)| {
            let name = release.process.phase_path(ix);
            format!(
                "{name} is {} with {} open",
                node.state.word(),
                node.unsettled
            )
        })
        .collect()
}

/// Once a release has ended, nothing in it is open; until then, something is.
fn ended_release_is_all_over(release: &Release) -> Vec<String> {
    // Whatever goes back may have come to its end before.
    let over = release.phases_unsettled == 0;
    told(
        release.has_ended() == over || (over && release.is_going_back()),
        || {
            let state = release.state.word();
            format!("{state} with {} open phases", release.phases_unsettled)
        },
    )
}

/// Only a pause keeps an activity ready.
fn only_a_paused_release_has_ready(release: &Release) -> Vec<String> {
    let ready = &release.index.ready;
    told(release.is_paused() || ready.is_empty(), || {
        format!("{ready:?} while {}", release.state.word())
    })
}

/// Nobody counts twice for one activity, or where that is allowed, for one rule of it.
fn approvals_are_of_different_people(release: &Release) -> Vec<String> {
    let mut found = Vec::new();
    for (ix, manual, approvals) in approvals(release) {
        let mut people = BTreeSet::new();
        let twice = approvals.iter().any(|given| {
            let who = BTreeSet::from([&given.by, given.of()]);
            let rules: Vec<Option<u32>> = if manual.same_person {
                given.rules.iter().copied().map(Some).collect()
            } else {
                vec![None]
            };
            let counted = who
                .iter()
                .flat_map(|who| rules.iter().map(move |of| (*who, *of)));
            let counted: Vec<_> = counted.collect();
            !counted.into_iter().all(|counted| people.insert(counted))
        });
        if twice {
            found.push(release.process.path(ix));
        }
    }
    found
}

/// No rule has more approvals than it asks for, and each counts for a rule unless there is none.
fn approvals_fit_their_rules(release: &Release) -> Vec<String> {
    let wrong = approvals(release).filter(|(_, manual, approvals)| {
        let idle = approvals.iter().any(|given| given.rules.is_empty());
        let given = |rule: usize| {
            let rules = approvals.iter().flat_map(|given| &given.rules);
            rules.filter(|of| **of as usize == rule).count()
        };
        let over =
            manual.approvals.iter().enumerate().any(
                |(ix, rule)| matches!(rule.count, Count::Of(count) if given(ix) > count as usize),
            );
        over || idle && !manual.approvals.is_empty()
    });
    wrong.map(|(ix, _, _)| release.process.path(ix)).collect()
}

/// What people are asked to approve is what would go on.
fn question_shows_what_it_gates(release: &Release) -> Vec<String> {
    let asked = release.index.asked.iter();
    let stale = asked.filter(|ix| release.changed_content(**ix).is_some());
    stale.map(|ix| release.process.path(*ix)).collect()
}

/// What people completed had its required tasks done.
fn tasks_are_done_first(release: &Release) -> Vec<String> {
    let completed = release.activity_ixs().filter(|(_, node)| {
        let source = node.record.as_ref().and_then(|record| record.source);
        source == Some(OutputSource::Form)
    });
    completed
        .filter(|(ix, _)| !release.tasks_open(*ix).is_empty())
        .map(|(ix, _)| release.process.path(ix))
        .collect()
}

fn is_to_be_reviewed(node: &ActivityNode) -> bool {
    let record = node.record.as_ref();
    let glass = record.and_then(|record| record.glass.as_ref());
    glass.is_some_and(|glass| glass.reviewed.is_none())
}

/// What is to be reviewed was skipped and not looked at, and nothing of that is forgotten.
fn reviews_are_of_broken_glass(release: &Release) -> Vec<String> {
    let wrong = release
        .activity_ixs()
        .filter(|(ix, node)| is_to_be_reviewed(node) != release.reviews.contains(ix));
    wrong.map(|(ix, _)| release.process.path(ix)).collect()
}

/// The approvals of every manual activity, open or not.
fn approvals(release: &Release) -> impl Iterator<Item = (ActivityIx, &Manual, &[Approval])> {
    release.activity_ixs().filter_map(|(ix, node)| {
        let Kind::Manual(manual) = &release.process.activity(ix).kind else {
            return None;
        };
        let approvals = match (&node.state, &node.record) {
            (ActivityState::NeedsPeople(question), _) => question.approvals.as_slice(),
            (_, Some(record)) => &record.approvals,
            (_, None) => &[],
        };
        Some((ix, manual, approvals))
    })
}

/// An activity that runs or waits to run again has a first attempt or a later one.
fn attempts_count_up_from_one(release: &Release) -> Vec<String> {
    let wrong = release.activity_ixs().filter(|(_, node)| {
        let begun = node.record.as_ref().map_or(0, |record| record.attempts);
        match node.state.going() {
            ActivityState::Running(attempt) | ActivityState::Suspended { attempt, .. } => {
                attempt.run == 0 || attempt.number == 0 || attempt.number != begun
            }
            ActivityState::Retrying { attempt, .. } => *attempt == 0 || *attempt != begun,
            ActivityState::OnHold { attempts, .. } => *attempts != begun,
            ActivityState::Child(child) => child.attempt != begun,
            _ => false,
        }
    });
    wrong.map(|(ix, _)| release.process.path(ix)).collect()
}

/// What has ended holds and wants nothing, and only who is blocked waits for locks.
fn locks_follow_states(release: &Release) -> Vec<String> {
    let blocked = |holder: &Holder| match holder {
        Holder::Release => release.is_gated(),
        Holder::Phase(ix) => matches!(release.phase_state(*ix), PhaseState::Blocked { .. }),
        Holder::Activity(ix) => matches!(release.activity_state(*ix), ActivityState::Blocked(_)),
    };
    let over = |holder: &Holder| match holder {
        Holder::Release => release.has_ended(),
        Holder::Phase(ix) => release.phase_state(*ix).settled().is_some(),
        Holder::Activity(ix) => release.activity_state(*ix).settled().is_some(),
    };
    let keeps = release.is_going_back() || release.is_rollback_postponed();
    let kept = |claim: &Claim| claim.granted.is_some() && keeps;
    let wrong = release.claims.iter().filter(|(holder, claim)| {
        over(holder) && !kept(claim) || claim.granted.is_none() != blocked(holder)
    });
    let mut found: Vec<String> = wrong
        .map(|(holder, claim)| format!("{holder:?} has {claim:?}"))
        .collect();
    let phases = release.phase_ixs().map(|(ix, _)| Holder::Phase(ix));
    let activities = release.activity_ixs().map(|(ix, _)| Holder::Activity(ix));
    let lost = phases.chain(activities);
    let lost = lost.filter(|holder| blocked(holder) && !release.claims.contains_key(holder));
    found.extend(lost.map(|holder| format!("{holder:?} is blocked and wants nothing")));
    found
}

fn told(holds: bool, found: impl FnOnce() -> String) -> Vec<String> {
    if holds { Vec::new() } else { vec![found()] }
}
