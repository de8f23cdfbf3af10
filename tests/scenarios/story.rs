//! One scenario: a release, a clock, and what each command does to them.

use std::sync::Arc;

use fermata_core::actor::{Actor, Caller};
use fermata_core::attempt::{AttemptKey, Evidence, Report};
use fermata_core::component::{Pin, Uses, Version};
use fermata_core::failure::{Failure, FailureClass};
use fermata_core::id::{Digest, ReleaseId};
use fermata_core::process::validate::validate;
use fermata_core::process::{ActivityIx, Group, PhaseIx, Process, ProcessRef};
use fermata_core::release::event::{Pinned, PolicyWarning, Turn};
use fermata_core::release::input::{Input, What};
use fermata_core::release::state::ActivityState;
use fermata_core::release::{ChildOrder, Draft, Holder, Release, check, create, turn};
use fermata_core::time::{Span, Timestamp};

use crate::outcomes::outcome;
use crate::people::{People, of_people};
use crate::script::{Words, names};
use crate::show;
use crate::{show_people, way_back};

/// When every scenario begins: 2026-01-01T00:00:00Z.
pub(crate) const BEGIN: Timestamp = Timestamp(1_767_225_600_000);

/// A release that is being told about.
pub(crate) struct Story {
    id: ReleaseId,
    process: Arc<Process>,
    release: Option<Release>,
    turns: Vec<Turn>,
    now: Timestamp,
    /// Who is who, once the script has said so: then questions are told as the engine does it.
    people: Option<People>,
}

impl Story {
    /// The story of a release of `document`; the error lists its defects.
    pub(crate) fn begin(name: &str, document: &str) -> Result<Self, String> {
        let process = validate(document.as_bytes(), None).map_err(|defects| {
            let lines = defects.iter();
            let lines = lines.map(|defect| format!("{}: {}", defect.line, defect.message));
            lines.collect::<Vec<_>>().join("; ")
        })?;
        // Each scenario has its own id, so that jitter differs between them but not between runs.
        let seed = Digest::of(name.as_bytes()).0;
        let id = seed.first_chunk().expect("a digest is longer than an id");
        Ok(Self {
            id: ReleaseId::from_bytes(*id),
            process: Arc::new(process),
            release: None,
            turns: Vec::new(),
            now: BEGIN,
            people: None,
        })
    }

    /// Does what `command` says and tells what came of it.
    pub(crate) fn tell(&mut self, command: &str) -> Vec<String> {
        self.follow(command)
            .unwrap_or_else(|error| vec![format!("error: {error}")])
    }

    fn follow(&mut self, command: &str) -> Result<Vec<String>, String> {
        let mut words = Words(command);
        match words.expect("a command")? {
            "create" => self.create(words),
            "tick" => self.tick(words),
            "jump" => {
                self.now = self.now.after(words.span()?);
                words.end().map(|()| Vec::new())
            }
            "know" => self.know(words),
            "publish" => {
                let by = words.by()?.actor;
                self.people.get_or_insert_default().authors.push(by);
                words.end().map(|()| Vec::new())
            }
            "tasks" => {
                let activity = self.activity(words.expect("an activity")?)?;
                words.end()?;
                Ok(show_people::tasks(self.release()?, activity))
            }
            "show" => Ok(show::state(self.release()?)),
            "plan" => Ok(way_back::plan(self.release()?)),
            "rollback-record" => Ok(way_back::rollback(self.release()?)),
            "why" => show::why(self.release()?, words.word()),
            "events" => Ok(show::history(self.release()?, &self.turns)),
            "work" => Ok(show::work(self.release()?)),
            "run" => self.run(words),
            verb => {
                let (by, what) = self.input(verb, words)?;
                let mut told = self.turn(by, what);
                told.extend(self.tell_people());
                Ok(told)
            }
        }
    }

    fn create(&mut self, mut words: Words<'_>) -> Result<Vec<String>, String> {
        let title = words.text_after("titled")?;
        let emergency = words.text_after("urgently")?;
        let inputs = words.value()?;
        let by = words.by()?;
        words.end()?;
        let draft = Draft {
            process: ProcessRef {
                name: self.process.name.clone(),
                version: 1,
                digest: self.process.digest,
            },
            title,
            inputs,
            emergency,
            parent: None,
        };
        match create(&self.process, draft, by.actor, self.now) {
            Ok(first) => {
                let release = Release::new(self.id, Arc::clone(&self.process), &first)
                    .map_err(|error| error.to_string())?;
                let told = show::events(&release, &first);
                self.turns = vec![first];
                self.release = Some(release);
                Ok(told)
            }
            Err(faults) => Ok(faults
                .iter()
                .map(|fault| format!("fault: {fault}"))
                .collect()),
        }
    }

    /// Lets time pass as the engine does: every timer is answered at its own instant.
    fn tick(&mut self, mut words: Words<'_>) -> Result<Vec<String>, String> {
        let until = self.now.after(words.span()?);
        words.end()?;
        let mut told = Vec::new();
        while let Some(at) = self.release()?.wake_at().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            told.extend(self.turn(Caller::engine(), What::TimePassed));
            told.extend(self.tell_people());
        }
        self.now = until;
        Ok(told)
    }

    /// `know GROUP NAME,NAME,…`
    fn know(&mut self, mut words: Words<'_>) -> Result<Vec<String>, String> {
        let group = words.expect("a group")?;
        let group = group.parse().map_err(|error| format!("{group}: {error}"))?;
        let members = names(words.word().unwrap_or_default())?;
        words.end()?;
        let people = self.people.get_or_insert_default();
        people.groups.insert(group, members);
        Ok(Vec::new())
    }

    /// Tells every question that has to know it who is who.
    fn tell_people(&mut self) -> Vec<String> {
        let (Some(people), Some(release)) = (&self.people, &self.release) else {
            return Vec::new();
        };
        let wanted = release.people_wanted().into_iter();
        let found: Vec<What> = wanted.map(|wanted| people.found(wanted)).collect();
        let told = found.into_iter();
        told.flat_map(|what| self.turn(Caller::engine(), what))
            .collect()
    }

    fn run(&self, mut words: Words<'_>) -> Result<Vec<String>, String> {
        let activity = self.activity(words.expect("an activity")?)?;
        let release = self.release()?;
        let key = release.current_run(activity);
        let invocation = key.and_then(|key| release.invocation(key, self.now));
        Ok(show::invocation(invocation.as_ref()))
    }

    fn input(&self, verb: &str, mut words: Words<'_>) -> Result<(Caller, What), String> {
        let what = match verb {
            "start" => self.start(&mut words)?,
            "time" => What::TimePassed,
            "finish" => return self.finish(words),
            "pause" => What::Pause {
                reason: words.text_after("saying")?,
            },
            "resume" => What::Resume,
            "warned" => self.warned(&mut words)?,
            "grant-phase" => What::LockGranted {
                holder: Holder::Phase(self.phase(words.expect("a phase")?)?),
            },
            "grant-release" => What::LockGranted {
                holder: Holder::Release,
            },
            "abort" => What::Abort {
                reason: words.text()?,
            },
            "halt-wave" => What::HaltWave {
                group: self.group(&mut words)?,
                reason: words.text()?,
            },
            "resume-wave" => What::ResumeWave {
                group: self.group(&mut words)?,
                reason: words.text_after("saying")?,
            },
            "rollback-wave" => What::RollbackWave {
                group: self.group(&mut words)?,
                reason: words.text()?,
            },
            "end-wave" => What::EndWave {
                group: self.group(&mut words)?,
                reason: words.text()?,
            },
            "skip-phase" => What::SkipPhase {
                phase: self.phase(words.expect("a phase")?)?,
                reason: words.text()?,
            },
            "amend-inputs" => What::AmendInputs {
                inputs: words.json()?,
                reason: words.text()?,
            },
            "rollback" => What::Rollback {
                reason: words.text()?,
            },
            "close-root-cause" => What::CloseRootCause {
                text: words.text()?,
            },
            _ => self.about_activity(verb, &mut words)?,
        };
        let by = if verb == "time" {
            Caller::engine()
        } else {
            words.by()?
        };
        words.end()?;
        Ok((by, what))
    }

    /// What a policy warns about, which is `release` or an activity.
    fn warned(&self, words: &mut Words<'_>) -> Result<What, String> {
        let activity = match words.expect("`release`, or an activity")? {
            "release" => None,
            path => Some(self.activity(path)?),
        };
        let warning = PolicyWarning {
            policy: words.name()?,
            digest: Digest::of(b"policy"),
            message: words.text()?,
        };
        let warnings = vec![warning];
        Ok(What::PoliciesWarned { activity, warnings })
    }

    fn about_activity(&self, verb: &str, words: &mut Words<'_>) -> Result<What, String> {
        let activity = self.activity(words.expect("an activity")?)?;
        Ok(match verb {
            "approve" => What::Approve {
                activity,
                comment: words.text_after("saying")?,
                form: words.json_after("form")?,
                content: self.seen(activity, words)?,
                backup_of: words.caller_after("for")?,
            },
            "reject" => What::Reject {
                activity,
                comment: words.text()?,
                backup_of: words.caller_after("for")?,
            },
            "withdraw" => What::Withdraw {
                activity,
                comment: words.text_after("saying")?,
            },
            "withdraw-question" => What::WithdrawQuestion {
                activity,
                reason: words.text()?,
            },
            "tell" => What::PeopleFound {
                activity,
                authors: Vec::new(),
                groups: Vec::new(),
            },
            "retry" => What::Retry {
                activity,
                with: words.json_after("with")?,
            },
            "supply-outputs" => What::SupplyOutputs {
                activity,
                outputs: words.json()?,
            },
            "skip" => What::Skip {
                activity,
                reason: words.text()?,
            },
            "fail" => What::Fail {
                activity,
                reason: words.text()?,
            },
            "amend-outputs" => What::AmendOutputs {
                activity,
                outputs: words.json()?,
                reason: words.text()?,
            },
            "amend-retry" => What::AmendRetry {
                activity,
                attempts: words
                    .expect("a number")?
                    .parse()
                    .map_err(|_| "no number of attempts".to_owned())?,
                reason: words.text()?,
            },
            _ => return self.outside(verb, activity, words),
        })
    }

    /// What comes to an activity from outside of its release.
    fn outside(
        &self,
        verb: &str,
        activity: ActivityIx,
        words: &mut Words<'_>,
    ) -> Result<What, String> {
        Ok(match verb {
            "launch" => What::Launch {
                activity,
                order: ChildOrder {
                    process: words
                        .expect("a process")?
                        .parse()
                        .map_err(|_| "no name".to_owned())?,
                    version: None,
                    inputs: words.json()?,
                },
            },
            "child" => self.child(activity, words)?,
            "child-undone" => self.child_undone(activity, words)?,
            "grant" => What::LockGranted {
                holder: Holder::Activity(activity),
            },
            "signal" => What::Signal {
                activity,
                delivery: Digest::of(words.expect("a delivery")?.as_bytes()),
                payload: words.json()?,
            },
            "reached" => Self::reached(activity, words)?,
            "retry-undo" => What::RetryUndo { activity },
            "mark-undone" => What::MarkUndone {
                activity,
                reason: words.text()?,
            },
            "accept-not-undone" => What::AcceptNotUndone {
                activity,
                reason: words.text()?,
            },
            _ => of_people(verb, activity, words)?,
        })
    }

    /// `child PATH ok JSON` or `child PATH failed TEXT`: the child that it waits for has ended.
    fn child(&self, activity: ActivityIx, words: &mut Words<'_>) -> Result<What, String> {
        let child = self.release()?.child(activity);
        let end = match words.expect("an end")? {
            "ok" => Ok(words.json()?),
            _ => Err(Box::new(Failure::new(
                FailureClass::Permanent,
                words.text()?,
            ))),
        };
        Ok(What::ChildEnded {
            activity,
            child: child.map_or(ReleaseId(0), |child| child.release),
            end,
        })
    }

    /// `child-undone PATH ok` or `child-undone PATH failed TEXT`: the child that was asked to go back has.
    fn child_undone(&self, activity: ActivityIx, words: &mut Words<'_>) -> Result<What, String> {
        let child = self.release()?.recalled(activity);
        let end = match words.expect("an end")? {
            "ok" => Ok(()),
            _ => Err(Box::new(Failure::new(
                FailureClass::Permanent,
                words.text()?,
            ))),
        };
        Ok(What::ChildUndone {
            activity,
            child: child.unwrap_or(ReleaseId(0)),
            end,
        })
    }

    /// `reached PATH RELEASE ok JSON` or `reached PATH RELEASE never TEXT`.
    fn reached(activity: ActivityIx, words: &mut Words<'_>) -> Result<What, String> {
        let release = words.expect("a release")?;
        let found = match words.expect("what is found")? {
            "ok" => Ok(words.json()?),
            _ => Err(Box::new(Failure::new(
                FailureClass::Permanent,
                words.text()?,
            ))),
        };
        Ok(What::ReleaseReached {
            activity,
            release: release
                .parse()
                .map_err(|error| format!("{release}: {error}"))?,
            found,
        })
    }

    /// `seeing current` or `seeing another`: what was approved.
    fn seen(&self, activity: ActivityIx, words: &mut Words<'_>) -> Result<Option<Digest>, String> {
        if !words.take("seeing") {
            return Ok(None);
        }
        match (
            words.expect("what was seen")?,
            self.release()?.activity_state(activity),
        ) {
            ("current", ActivityState::NeedsPeople(question)) => Ok(Some(question.content)),
            _ => Ok(Some(Digest::of(b"another"))),
        }
    }

    /// `finish PATH[@ATTEMPT.RUN] OUTCOME [evidence KIND FACT]…`
    fn finish(&self, mut words: Words<'_>) -> Result<(Caller, What), String> {
        let path = words.expect("an activity")?;
        let (path, run) = path.split_once('@').unwrap_or((path, ""));
        let activity = self.activity(path)?;
        let key = match run.split_once('.') {
            None => self.release()?.current_run(activity).unwrap_or(AttemptKey {
                release: self.id,
                activity,
                attempt: 1,
                run: 1,
            }),
            Some((attempt, run)) => AttemptKey {
                release: self.id,
                activity,
                attempt: attempt
                    .parse()
                    .map_err(|_| "no attempt number".to_owned())?,
                run: run.parse().map_err(|_| "no run number".to_owned())?,
            },
        };
        let outcome = outcome(&mut words)?;
        let mut evidence = Vec::new();
        while words.take("evidence") {
            let kind = words.expect("a kind")?.to_owned();
            let fact = words.json()?;
            let count = if words.take("times") {
                words.expect("a number")?.parse().unwrap_or(1)
            } else {
                1
            };
            evidence.extend(std::iter::repeat_n(Evidence { kind, fact }, count));
        }
        words.end()?;
        let report = Report { outcome, evidence };
        Ok((Caller::engine(), What::AttemptFinished { key, report }))
    }

    /// `start [WORDS OF PINS] [irreversible USES]…`
    fn start(&self, words: &mut Words<'_>) -> Result<What, String> {
        let components = self.pins(words)?;
        let mut irreversible = Vec::new();
        while words.take("irreversible") {
            let uses = words.expect("a `uses`")?;
            let at = (0..).zip(&components);
            let mut at = at.filter(|(_, pin)| pin.uses.to_string() == uses);
            irreversible.push(at.next().ok_or("no such `uses`")?.0);
        }
        Ok(What::Start {
            components,
            irreversible,
        })
    }

    /// What every `uses` of the process stands for, changed as the words say.
    fn pins(&self, words: &mut Words<'_>) -> Result<Vec<Pinned>, String> {
        let mut pins: Vec<Pinned> = self.process.uses().into_iter().map(pinned).collect();
        if words.take("without") {
            let uses = words.expect("a `uses`")?;
            pins.retain(|pin| pin.uses.to_string() != uses);
        } else if words.take("adding") {
            let uses: Uses = words.expect("a `uses`")?.parse()?;
            pins.push(pinned(&uses));
            pins.sort_by(|a, b| a.uses.cmp(&b.uses));
        } else if words.take("pinning") {
            let version: Version = words.expect("a version")?.parse()?;
            for pin in &mut pins {
                pin.pin.version = version;
            }
        }
        Ok(pins)
    }

    fn turn(&mut self, by: Caller, what: What) -> Vec<String> {
        let Some(release) = &mut self.release else {
            return vec!["error: nothing is created yet".to_owned()];
        };
        let before = release.clone();
        let turn = match turn(release, &Input { by, what }, self.now) {
            Ok(turn) => turn,
            Err(refusal) => {
                assert_eq!(before, *release, "a refusal changes nothing");
                return vec![format!("refused {}: {refusal}", refusal.code())];
            }
        };
        let told = show::events(release, &turn);
        if !turn.events.is_empty() {
            self.turns.push(turn);
        }
        let violations = check(release);
        assert!(violations.is_empty(), "{violations:?} after {told:?}");
        let replayed = Release::replay(self.id, Arc::clone(&self.process), &self.turns);
        assert_eq!(replayed.as_ref(), Ok(&*release), "replay of {told:?}");
        told
    }

    fn release(&self) -> Result<&Release, String> {
        self.release
            .as_ref()
            .ok_or_else(|| "nothing is created yet".to_owned())
    }

    /// The activity at `path`; `#9` is one that no process has.
    fn activity(&self, path: &str) -> Result<ActivityIx, String> {
        match path.strip_prefix('#') {
            Some(_) => Ok(ActivityIx(u32::MAX)),
            None => self
                .current_process()
                .find(path)
                .ok_or_else(|| format!("no activity {path}")),
        }
    }

    fn phase(&self, path: &str) -> Result<PhaseIx, String> {
        if path.starts_with('#') {
            return Ok(PhaseIx(u32::MAX));
        }
        let found = self.current_process().find_phase(path);
        found.ok_or_else(|| format!("no phase {path}"))
    }

    /// What has batches; what has none stands for itself, so that it can be refused.
    fn group(&self, words: &mut Words<'_>) -> Result<Group, String> {
        let path = words.expect("what is fanned out")?;
        match self.current_process().find_group(path) {
            Some(group) => Ok(group),
            None => self.phase(path).map(Group::Phase),
        }
    }

    /// The process with the instances that the release has put in.
    fn current_process(&self) -> &Process {
        self.release
            .as_ref()
            .map_or(&self.process, |release| release.process())
    }
}

fn pinned(uses: &Uses) -> Pinned {
    Pinned {
        uses: uses.clone(),
        pin: Pin {
            name: uses.name.clone(),
            version: Version {
                major: uses.major,
                minor: uses.minor.unwrap_or(0),
                patch: uses.patch.unwrap_or(0),
            },
            digest: Digest::of(uses.to_string().as_bytes()),
        },
    }
}

/// How long after the beginning `at` is.
pub(crate) fn elapsed(at: Timestamp) -> Span {
    at.since(BEGIN)
}

/// The name of `actor` without its kind.
pub(crate) fn name(actor: &Actor) -> String {
    actor.to_string().trim_start_matches("user:").to_owned()
}
