//! A release with its history, and the checks that every turn must pass.

use std::collections::BTreeSet;
use std::sync::Arc;

use fermata_core::actor::{Actor, Caller};
use fermata_core::attempt::{AttemptKey, Outcome, Report};
use fermata_core::component::{Pin, Uses, Version};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::json::Json;
use fermata_core::notification::of_turn;
use fermata_core::process::validate::validate;
use fermata_core::process::{ActivityIx, Process, ProcessRef};
use fermata_core::release::event::{Pinned, Turn};
use fermata_core::release::input::{Input, What};
use fermata_core::release::refusal::Refusal;
use fermata_core::release::{Draft, Release, check, create, turn, work};
use fermata_core::time::{Span, Timestamp};
use serde_json::Value;

/// The id of every release here.
pub(crate) const ID: ReleaseId = ReleaseId(42);

/// A release, its turns and a clock.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) process: Arc<Process>,
    pub(crate) release: Release,
    pub(crate) turns: Vec<Turn>,
    pub(crate) now: Timestamp,
    /// Codes of the refusals so far.
    pub(crate) refused: BTreeSet<&'static str>,
}

impl World {
    /// A started release of `document`.
    pub(crate) fn start(document: &str, inputs: Value) -> Self {
        let mut world = Self::draft(document, inputs);
        let components = pins(&world.process);
        world
            .input(
                person("ana", &[]),
                What::Start {
                    components,
                    irreversible: Vec::new(),
                },
            )
            .expect("a draft with its pins starts");
        world
    }

    /// A draft of `document`.
    pub(crate) fn draft(document: &str, inputs: Value) -> Self {
        let process = match validate(document.as_bytes(), None) {
            Ok(process) => Arc::new(process),
            Err(defects) => panic!("{defects:#?} in {document}"),
        };
        let now = Timestamp(1_000_000);
        let first = first_turn(&process, inputs, now);
        let release = Release::new(ID, Arc::clone(&process), &first).expect("it fits");
        Self {
            process,
            release,
            turns: vec![first],
            now,
            refused: BTreeSet::new(),
        }
    }

    /// Takes one input, and checks all that must hold after it.
    pub(crate) fn input(&mut self, by: Caller, what: What) -> Result<Turn, Refusal> {
        let before = self.release.clone();
        let turn = match turn(&mut self.release, &Input { by, what }, self.now) {
            Ok(turn) => turn,
            Err(refusal) => {
                assert_eq!(before, self.release, "{refusal} changed something");
                self.refused.insert(refusal.code());
                return Err(refusal);
            }
        };
        let violations = check(&self.release);
        assert!(violations.is_empty(), "{violations:?} after {turn:?}");
        assert_eq!(turn.next(), self.release.version());
        for told in of_turn(&self.release, &turn, |_| true) {
            assert!(
                !told.text.contains('\n') && told.text.len() < 4_096,
                "{told:?}"
            );
        }
        let runs = work(&self.release).runs;
        let wanted = self
            .activities()
            .filter_map(|ix| self.release.current_run(ix));
        assert_eq!(runs, wanted.collect::<Vec<_>>());
        if !turn.events.is_empty() {
            self.turns.push(turn.clone());
        }
        Ok(turn)
    }

    /// Lets `span` pass; what falls due is answered at the end of it.
    pub(crate) fn pass(&mut self, span: Span) {
        self.now = self.now.after(span);
        let mut turns = 0;
        while self.release.wake_at().is_some_and(|at| at <= self.now) {
            self.input(Caller::engine(), What::TimePassed)
                .expect("time is never refused");
            turns += 1;
            assert!(turns < 100, "time passes without an end");
        }
    }

    /// Reports how the run `key` ended.
    pub(crate) fn finish(&mut self, key: AttemptKey, outcome: Outcome) -> Result<Turn, Refusal> {
        let report = Report {
            outcome,
            evidence: Vec::new(),
        };
        self.input(Caller::engine(), What::AttemptFinished { key, report })
    }

    /// Reports success of the current run of `activity`.
    pub(crate) fn succeed(&mut self, activity: ActivityIx) -> Turn {
        let key = self.release.current_run(activity).expect("it runs");
        self.finish(key, Outcome::Succeeded(Json::empty_object()))
            .expect("the current run counts")
    }

    pub(crate) fn activities(&self) -> impl Iterator<Item = ActivityIx> + use<> {
        let activities = &self.release.process().activities;
        (0..u32::try_from(activities.len()).expect("few")).map(ActivityIx)
    }

    /// The release again, from its turns alone.
    pub(crate) fn replayed(&self) -> Release {
        Release::replay(ID, Arc::clone(&self.process), &self.turns).expect("its own history fits")
    }
}

/// The turn that creates a release.
pub(crate) fn first_turn(process: &Process, inputs: Value, now: Timestamp) -> Turn {
    let draft = Draft {
        process: ProcessRef {
            name: process.name.clone(),
            version: 1,
            digest: process.digest,
        },
        title: None,
        inputs,
        emergency: None,
        parent: None,
    };
    create(process, draft, person("ana", &[]).actor, now).expect("the inputs fit")
}

/// A component behind each `uses`.
pub(crate) fn pins(process: &Process) -> Vec<Pinned> {
    let pinned = |uses: &Uses| Pinned {
        uses: uses.clone(),
        pin: Pin {
            name: uses.name.clone(),
            version: Version {
                major: uses.major,
                minor: uses.minor.unwrap_or(0),
                patch: uses.patch.unwrap_or(0),
            },
            digest: Digest::of(b"component"),
        },
    };
    process.uses().into_iter().map(pinned).collect()
}

/// A person with groups.
pub(crate) fn person(name: &str, groups: &[&str]) -> Caller {
    let parsed = |name: &str| name.parse().expect("a good name");
    Caller {
        actor: Actor::User(parsed(name)),
        groups: groups.iter().map(|group| parsed(group)).collect(),
    }
}
