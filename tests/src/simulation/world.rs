//! The world around the driver: a disk that may fail, runs that go on, answers that are awaited.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fermata_core::actor::{Actor, Caller};
use fermata_core::attempt::{AttemptKey, Call, Outcome, Ran, Report};
use fermata_core::component::Pin;
use fermata_core::extension::{Point, Verdict};
use fermata_core::failure::Failure;
use fermata_core::id::{Digest, Name, ReleaseId};
use fermata_core::json::Json;
use fermata_core::release::{Release, check};
use fermata_core::time::Timestamp;
use fermata_service::config::{Config, POLICY_TIMEOUT_DEFAULT};
use fermata_service::directory::Directory;
use fermata_service::driver::Driver;
use fermata_service::error::{CreateError, InputError};
use fermata_service::ids::IdSource;
use fermata_service::policies::{Answer, Asked, Ruling};
use fermata_service::records::OnFailure;
use fermata_service::request::{Ask, Command, NewRelease, PolicyOrder};
use fermata_service::wake::{
    Action, Consult, Made, Order, Register, Request, Run, SetPolicy, Wake,
};
use fermata_store::{Faulty, Memory, Store};
use serde_json::json;
use tokio::sync::oneshot::{self, Receiver};

use crate::simulation::Story;
use crate::simulation::effects::Effects;
use crate::simulation::outside::{self, Outside};
use crate::simulation::promises::Promises;
use crate::simulation::random::Random;

/// Fewer slots than releases want, so that runs have to stand in line.
const SLOTS: usize = 3;
const BEGIN: Timestamp = Timestamp(1_700_000_000_000);

/// A process in which everything that the core does can happen.
const PROCESS: &str = "
process: story
concurrency: 5
inputs:
  ship: { type: boolean, default: true }
  note: { type: integer, default: 0 }
phases:
  build:
    activities:
      a: { uses: work@1, retry: { attempts: 3, backoff: 5s } }
      b: { uses: work@1, timeout: 1m }
      c: { needs: [a, b], uses: work@1, on-failure: continue, locks: [tool] }
  agree:
    needs: [build]
    activities:
      people: { manual: { instructions: Decide., approvals: [ { from: 'group:qa', count: 2 } ], expires: 2h } }
      board:
        manual:
          instructions: Decide in turn.
          tasks: [ { name: look, assign: 'group:qa', required: true, expected: 30m } ]
          approvals: [ { from: [group:qa, user:ana], count: majority }, { from: user:ben } ]
          order: sequential
          same-person: allow
          remind: 20m
          escalate: { after: 1h, to: 'group:qa' }
          expires: { after: 3h, then: hold }
          exclude: [authors]
  ship:
    needs: [agree]
    locks: [live, desk]
    if: ${{ inputs.ship }}
    activities:
      left: { uses: work@1, locks: [tool] }
      right: { uses: work@1, on-failure: fail }
      last: { needs: [left, right], uses: work@1, with: { after: '${{ needs.left.outputs.number }}' } }
  choose:
    activities:
      first: { uses: work@1, on-failure: fail }
      second: { uses: work@1, on-failure: fail }
      third: { uses: work@1, on-failure: fail }
      either: { needs: { any: [first, second] }, uses: work@1 }
      two: { needs: { at-least: 2, of: [first, second, third] }, uses: work@1, with: { one: '${{ needs.first.outputs.?number.orValue(0) }}', note: '${{ inputs.note }}' } }
      mend: { needs: [first, second, third], if: failed(), uses: work@1 }
  tidy:
    needs: { any: [choose, ship] }
    activities:
      sweep: { uses: work@1, with: { note: '${{ inputs.note }}' } }
  clean-up:
    needs: [choose, ship]
    if: failed()
    activities:
      remove: { uses: work@1 }
  wave:
    needs: [build]
    each: [a, b, c, d]
    batches: [1, 3, 100%]
    bake: 10m
    gate: [ { from: 'group:qa' } ]
    max-failures: 1
    activities:
      deploy: { uses: work@1, on-failure: fail, with: { to: '${{ each.item }}' } }
      check: { needs: [deploy], uses: work@1, with: { after: '${{ needs.deploy.outputs.number }}' } }
  shops:
    activities:
      open: { each: [1, 2, 3], batches: [2], gate: look, uses: work@1 }
      look: { uses: work@1, with: { batch: '${{ each.batch }}' } }
      last: { needs: [open], uses: work@1, with: { all: '${{ needs.open.outputs }}' } }
  free:
    activities:
      alone: { uses: work@1, retry: { attempts: 2, backoff: 1s, jitter: false } }
  risky:
    on-failure: rollback
    activities:
      base: { uses: work@1, validate: { uses: work@1 } }
      top: { needs: [base], uses: work@1, retry: { attempts: 2, backoff: 5s } }
      look: { needs: [top], uses: work@1, undo: none }
  below:
    needs: [build]
    locks: [tool]
    activities:
      sub: { process: { name: below, inputs: { more: 6 } }, locks: [live] }
      beside: { process: { name: below } }
  outside:
    activities:
      nap: { wait: { for: 10m } }
      called: { wait: { signal: go, schema: { type: object, required: [id] }, timeout: 3h } }
      other: { needs: [called], wait: { release: '${{ needs.called.outputs.id }}', reaches: agree, timeout: 12h } }
";

/// What the story's releases start as children, each with a child of its own.
const BELOW: &str = "
process: below
inputs:
  more: { type: integer, default: 1 }
phases:
  only:
    locks: [live]
    activities:
      work: { uses: work@1, locks: [tool], on-failure: rollback }
      deeper: { if: '${{ inputs.more > 0 }}', process: { name: below, inputs: { more: '${{ inputs.more - 1 }}' } } }
";

type Disk = Arc<Faulty<Memory>>;

/// What was asked and is not answered yet.
enum Awaited {
    Made(Receiver<Result<Made, CreateError>>),
    Changed(
        ReleaseId,
        Receiver<Result<Option<Arc<Release>>, InputError>>,
    ),
}

pub(super) struct World {
    pub(super) random: Random,
    pub(super) disk: Disk,
    pub(super) driver: Driver,
    pub(super) now: Timestamp,
    /// Runs that the driver began and that have not ended.
    pub(super) running: BTreeSet<AttemptKey>,
    /// What policies are asked about and have not answered.
    pub(super) asked: BTreeMap<AttemptKey, Vec<Asked>>,
    /// Whether policies are in force.
    policed: bool,
    /// What policies let happen since the last start.
    allowed: BTreeSet<AttemptKey>,
    /// Runs that ended or were dropped: their results may still come, or come again.
    pub(super) gone: Vec<AttemptKey>,
    pub(super) promises: Promises,
    /// What runs did to the world outside, and undos did not take back.
    pub(super) effects: Effects,
    /// What people outside have heard.
    pub(super) outside: Outside,
    pub(super) story: Story,
    pub(super) log: Vec<String>,
    awaited: Vec<Awaited>,
}

/// A person of the story, in the group that decides.
pub(super) fn person(name: &str) -> Caller {
    Caller {
        actor: Actor::User(name.parse().expect("a name")),
        groups: ["qa", "break-glass"]
            .map(|group| group.parse().expect("a name"))
            .to_vec(),
    }
}

impl World {
    pub(super) fn new(mut random: Random) -> Self {
        let policed = random.one_in(2);
        let disk = Disk::new(Faulty::new(Memory::default()));
        let driver = open(&disk, 1, BEGIN);
        let mut world = Self {
            random,
            disk,
            driver,
            now: BEGIN,
            running: BTreeSet::new(),
            asked: BTreeMap::new(),
            policed,
            allowed: BTreeSet::new(),
            gone: Vec::new(),
            promises: Promises::default(),
            effects: Effects::default(),
            outside: Outside::default(),
            story: Story::default(),
            log: Vec::new(),
            awaited: Vec::new(),
        };
        world.furnish();
        world
    }

    /// Registers the component and publishes the process.
    fn furnish(&mut self) {
        let descriptor = json!({ "name": "work", "version": "1.0.0" });
        let register = Register {
            by: person("ana"),
            descriptor: serde_json::from_value(descriptor).expect("a descriptor"),
            digest: Digest::of(b"work"),
            size: 4,
        };
        let (answer, _) = oneshot::channel();
        self.handle(Wake::Request(Request::Register(Box::new(register), answer)));
        self.driver.flush();
        let (answer, _) = oneshot::channel();
        let notifier = Box::new(outside::notifier("chat"));
        self.handle(Wake::Request(Request::SetNotifier(notifier, answer)));
        self.driver.flush();
        if self.policed {
            self.set_policies();
        }
        for document in [PROCESS, BELOW] {
            let publish = self.driver.check_document(person("ana"), document.into());
            let publish = publish.expect("the processes of the story have no defects");
            let (answer, _) = oneshot::channel();
            self.handle(Wake::Request(Request::Publish(Box::new(publish), answer)));
            self.driver.flush();
        }
    }

    /// Two policies on the attempts of a story, and one on what it starts.
    fn set_policies(&mut self) {
        let descriptor = json!({ "name": "gate", "version": "1.0.0", "world": "policy" });
        let register = Register {
            by: person("ana"),
            descriptor: serde_json::from_value(descriptor).expect("a descriptor"),
            digest: Digest::of(b"gate"),
            size: 4,
        };
        let (answer, _) = oneshot::channel();
        self.handle(Wake::Request(Request::Register(Box::new(register), answer)));
        self.driver.flush();
        let checked = Pin {
            name: "gate".parse().expect("a name"),
            version: "1.0.0".parse().expect("a version"),
            digest: Digest::of(b"gate"),
        };
        for (name, at, process, on_failure) in [
            ("one", Point::Activity, "story", OnFailure::Deny),
            ("two", Point::Activity, "s*y", OnFailure::Warn),
            ("three", Point::Start, "below", OnFailure::Deny),
        ] {
            let order = PolicyOrder {
                name: name.parse().expect("a name"),
                component: "gate@1".parse().expect("a component"),
                settings: Json::empty_object(),
                at: vec![at],
                processes: vec![process.parse().expect("a pattern")],
                on_failure,
                timeout: POLICY_TIMEOUT_DEFAULT,
                enabled: true,
            };
            let set = SetPolicy {
                by: person("ana"),
                order,
                checked: checked.clone(),
                expected: None,
            };
            let (answer, _) = oneshot::channel();
            self.handle(Wake::Request(Request::SetPolicy(Box::new(set), answer)));
        }
        self.driver.flush();
    }

    /// The policies that are asked about an attempt answer, each as `verdict` says.
    pub(super) fn judge(
        &mut self,
        key: AttemptKey,
        mut verdict: impl FnMut(&mut Random) -> Result<Verdict, Box<Failure>>,
    ) {
        let Some(asked) = self.asked.remove(&key) else {
            return;
        };
        let answers = asked.into_iter().map(|asked| Answer {
            policy: asked.policy,
            verdict: verdict(&mut self.random),
            log: Vec::new(),
        });
        let answers: Vec<Answer> = answers.collect();
        if Ruling::of(&answers).denial.is_none() {
            self.allowed.insert(key);
        }
        self.handle(Wake::Judged { key, answers });
    }

    pub(super) fn handle(&mut self, wake: Wake) {
        self.driver.handle(wake, self.now);
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        self.log.push(format!("{} {}", self.now, what()));
    }

    pub(super) fn make(&mut self, new: NewRelease) {
        let Ok(create) = self.driver.prepare(person("ana"), new) else {
            return;
        };
        let (answer, answered) = oneshot::channel();
        self.handle(Wake::Request(Request::Create(Box::new(create), answer)));
        self.awaited.push(Awaited::Made(answered));
    }

    pub(super) fn ask(&mut self, by: &str, release: ReleaseId, command: Command) {
        let ask = Ask {
            release,
            command,
            expected: None,
            once: None,
        };
        let (answer, answered) = oneshot::channel();
        let order = Order {
            by: person(by),
            ask,
            warnings: Vec::new(),
        };
        self.handle(Wake::Request(Request::Input(Box::new(order), answer)));
        self.awaited.push(Awaited::Changed(release, answered));
    }

    pub(super) fn finish(&mut self, key: AttemptKey, outcome: Outcome) {
        self.effects.ended(key, &outcome);
        let report = Report {
            outcome,
            evidence: Vec::new(),
        };
        let ran = Box::new(Ran::from(report));
        self.handle(Wake::Finished { key, ran });
    }

    /// Commits, looks at every answer, and does what the driver says. A failed commit ends the
    /// engine, as it does in life: the next one finds what is on disk.
    pub(super) fn flush(&mut self) -> Result<(), String> {
        let actions = self.driver.flush();
        for action in actions {
            match action {
                Action::Start(run) => self.begin(&run)?,
                Action::Consult(consult) => self.consult(*consult),
                Action::Cancel(key) => self.drop_run(key),
                Action::Notify(notify) => self.outside.began(*notify, &*self.disk)?,
            }
        }
        self.read_answers()?;
        if self.disk.failed() {
            self.note(|| "the commit failed".to_owned());
            return self.restart();
        }
        if self.random.one_in(16) {
            outside::agrees(&self.driver)?;
        }
        self.inspect()
    }

    /// Begins a run: from now on it may have had its effect.
    fn begin(&mut self, run: &Run) -> Result<(), String> {
        let invocation = &run.invocation;
        let key = invocation.key;
        let forward = matches!(invocation.call, Call::Run)
            && !invocation.idempotency_key.ends_with("/undo")
            && !invocation.idempotency_key.ends_with("/validate");
        let judged = self.policed && invocation.process.as_str() == "story" && key.run == 1;
        if judged && forward && !self.allowed.contains(&key) {
            return Err(format!("{key:?} began, and no policy had allowed it"));
        }
        self.running.insert(key);
        self.effects.began(invocation);
        Ok(())
    }

    fn consult(&mut self, consult: Consult) {
        self.asked.insert(consult.key, consult.asked);
    }

    fn drop_run(&mut self, key: AttemptKey) {
        if self.asked.remove(&key).is_some() {
            self.handle(Wake::Dropped { key });
        }
        if self.running.remove(&key) {
            self.gone.push(key);
            self.handle(Wake::Dropped { key });
        }
    }

    fn read_answers(&mut self) -> Result<(), String> {
        for awaited in std::mem::take(&mut self.awaited) {
            match awaited {
                Awaited::Made(mut answer) => match answer.try_recv() {
                    Ok(Ok(made)) => {
                        let release = made
                            .release
                            .ok_or("a release was gone as soon as it was made")?;
                        self.story.releases += 1;
                        self.story.acknowledged += 1;
                        self.promises.acknowledged(made.id, release.version());
                    }
                    Ok(Err(_)) => {}
                    Err(_) => {
                        return Err("a request to make a release was never answered".to_owned());
                    }
                },
                Awaited::Changed(id, mut answer) => match answer.try_recv() {
                    Ok(Ok(release)) => {
                        self.story.acknowledged += 1;
                        self.promises
                            .acknowledged(id, release.map_or(0, |release| release.version()));
                    }
                    Ok(Err(_)) => {}
                    Err(_) => return Err(format!("an input for {id} was never answered")),
                },
            }
        }
        Ok(())
    }

    /// Kills the engine: only the disk is left, and what ran goes on somewhere or is gone.
    pub(super) fn restart(&mut self) -> Result<(), String> {
        self.note(|| "the engine is killed and starts again".to_owned());
        self.story.restarts += 1;
        self.awaited.clear();
        self.gone.extend(std::mem::take(&mut self.running));
        self.asked.clear();
        self.allowed.clear();
        self.disk.reopen();
        self.driver = open(&self.disk, self.story.restarts + 1, self.now);
        self.promises.kept(&*self.disk)?;
        self.effects.kept(&*self.disk)?;
        let hears = self.random.one_in(2);
        self.outside.left_alone(hears);
        for action in self.driver.flush() {
            match action {
                Action::Start(run) => self.begin(&run)?,
                Action::Consult(consult) => self.consult(*consult),
                Action::Notify(notify) => self.outside.began(*notify, &*self.disk)?,
                Action::Cancel(_) => {}
            }
        }
        self.inspect()
    }

    /// Everything that has to hold at every moment.
    fn inspect(&self) -> Result<(), String> {
        for release in self.driver.releases() {
            if let Some(violation) = check(release).first() {
                return Err(format!("{}: {violation}", release.id()));
            }
        }
        for lock in self.driver.locks() {
            if lock.holders.len() > lock.capacity as usize {
                return Err(format!("too many hold a lock: {lock:?}"));
            }
        }
        if let Some((id, reason)) = self.driver.health().quarantined.first_key_value() {
            return Err(format!("{id} is quarantined: {reason}"));
        }

        if let Some(wrong) = self.driver.check_inbox() {
            return Err(format!(
                "the list of what waits on people is wrong: {wrong}"
            ));
        }
        let slots = self.driver.runs().0;
        if slots.len() > SLOTS {
            return Err(format!(
                "{} runs have a slot where there are {SLOTS}",
                slots.len()
            ));
        }
        match slots
            .iter()
            .find(|key| !self.running.contains(key) && !self.gone.contains(key))
        {
            Some(key) => Err(format!("{key:?} has a slot, but was never begun")),
            None => Ok(()),
        }
    }
}

/// Who is in the groups of the story.
#[derive(Debug)]
struct People;

impl Directory for People {
    fn members(&self, _: &Name) -> Vec<Name> {
        let names = ["ana", "ben", "sam"];
        names.map(|name| name.parse().expect("a name")).to_vec()
    }
}

fn open(disk: &Disk, seed: u64, now: Timestamp) -> Driver {
    let store: Arc<dyn Store> = Arc::<Faulty<Memory>>::clone(disk);
    let config = Config {
        runs_max: SLOTS,
        check_every: 1,
        ..Config::default()
    };
    let mut driver = Driver::open(store, IdSource::seeded(seed), config, now)
        .expect("what was committed can be read");
    driver.know(Arc::new(People));
    driver
}
