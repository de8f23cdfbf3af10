//! A release as the API shows it. Unknown fields are ignored and most known ones may be absent,
//! so that an older client can watch a newer server.

use fermata_core::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A release with all its phases.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Release {
    /// `rel-…`.
    pub(crate) id: String,
    /// What it runs.
    pub(crate) process: Process,
    /// For people.
    pub(crate) title: Option<String>,
    /// One word of the glossary.
    pub(crate) state: String,
    /// Who created it.
    pub(crate) initiator: Option<String>,
    /// When it was created.
    pub(crate) created_at: Option<Timestamp>,
    /// When it began.
    pub(crate) started_at: Option<Timestamp>,
    /// When it was over.
    pub(crate) ended_at: Option<Timestamp>,
    /// What started it, if an activity did.
    pub(crate) parent: Option<Parent>,
    /// Why it is paused or was aborted.
    pub(crate) reason: Option<String>,
    /// Who paused it.
    pub(crate) paused_by: Option<String>,
    /// Number of events so far.
    pub(crate) version: u64,
    /// In the order of the document.
    pub(crate) phases: Vec<Phase>,
    /// What it gave.
    pub(crate) outputs: Option<Value>,
}

/// The activity that started a release.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parent {
    /// Its release.
    pub(crate) release: String,
    /// `phase/activity`.
    pub(crate) activity: String,
}

/// The process version that a release runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Process {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: u64,
}

/// A phase with its activities.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Phase {
    /// Its name.
    pub(crate) name: String,
    /// For people.
    pub(crate) title: Option<String>,
    /// One word of the glossary.
    pub(crate) state: String,
    /// What it needs first, in joins or not.
    pub(crate) needs: Vec<String>,
    /// Needs of which not all must be satisfied.
    pub(crate) joins: Vec<Join>,
    /// Why it was skipped.
    pub(crate) why: Option<String>,
    /// Why its condition could not be evaluated.
    pub(crate) fault: Option<String>,
    /// How far its batches are, if it is fanned out.
    pub(crate) wave: Option<Wave>,
    /// In the order of the document.
    pub(crate) activities: Vec<Activity>,
}

/// One activity.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Activity {
    /// Its name.
    pub(crate) name: String,
    /// `phase/activity`.
    pub(crate) path: String,
    /// `component`, `manual`, `wait` or `process`.
    pub(crate) kind: String,
    /// The component it runs.
    pub(crate) uses: Option<String>,
    /// One word of the glossary.
    pub(crate) state: String,
    /// Since when it is in that state.
    pub(crate) since: Option<Timestamp>,
    /// When its first attempt began, or people were first asked.
    pub(crate) started_at: Option<Timestamp>,
    /// When it was over.
    pub(crate) ended_at: Option<Timestamp>,
    /// 1 for the first.
    pub(crate) attempt: Option<u64>,
    /// How far it is.
    pub(crate) progress: Option<Progress>,
    /// What it says it waits for.
    pub(crate) status: Option<String>,
    /// When a suspended attempt is run again.
    pub(crate) resume_at: Option<Timestamp>,
    /// The child release that it waits for.
    pub(crate) child: Option<String>,
    /// Every release that was started for it.
    pub(crate) children: Vec<String>,
    /// When a wait is over, or given up.
    pub(crate) until: Option<Timestamp>,
    /// The signal that it waits for.
    pub(crate) signal: Option<String>,
    /// The release that it waits for.
    pub(crate) awaits: Option<String>,
    /// When the next attempt begins.
    pub(crate) retry_at: Option<Timestamp>,
    /// When a question lapses.
    pub(crate) expires_at: Option<Timestamp>,
    /// When an attempt is given up.
    pub(crate) deadline: Option<Timestamp>,
    /// How it failed.
    pub(crate) failure: Option<Failure>,
    /// Why it was skipped: `condition`, `upstream` or `person`.
    pub(crate) why: Option<String>,
    /// What the person said who rejected or skipped it.
    pub(crate) reason: Option<String>,
    /// Who rejected it.
    pub(crate) by: Option<String>,
    /// The rendered inputs.
    pub(crate) with: Option<Value>,
    /// What people are asked.
    pub(crate) instructions: Option<String>,
    /// The form that people fill in, as a JSON Schema.
    pub(crate) form: Option<Value>,
    /// Approvals so far.
    pub(crate) approvals: Vec<Approval>,
    /// Who must approve.
    pub(crate) rules: Vec<Rule>,
    /// What it needs first, as `phase/activity`, in joins or not.
    pub(crate) needs: Vec<String>,
    /// How far its batches are, if it is fanned out.
    pub(crate) wave: Option<Wave>,
    /// Needs of which not all must be satisfied.
    pub(crate) joins: Vec<Join>,
}

/// Needs of which so many must be satisfied.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Join {
    /// How many.
    pub(crate) at_least: u32,
    /// Of which.
    pub(crate) of: Vec<String>,
}

impl Join {
    /// As a process document would say it, with `name` for each need.
    pub(crate) fn text(&self, name: impl Fn(&str) -> String) -> String {
        let names: Vec<String> = self.of.iter().map(|need| name(need)).collect();
        format!("{} of {}", self.at_least, names.join(" or "))
    }
}

/// How far a fan-out is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Wave {
    /// Batches that are open.
    pub(crate) open: u64,
    /// `going`, `baking`, `gated`, `halted` or `over`.
    pub(crate) state: String,
    /// The whole in a sentence.
    pub(crate) text: String,
    /// Instances that are not shown.
    pub(crate) left_out: u64,
}

impl Wave {
    /// The whole in a sentence, with how many instances are not shown.
    pub(crate) fn note(&self) -> String {
        match self.left_out {
            0 => self.text.clone(),
            count => format!("{}; {count} not shown", self.text),
        }
    }
}

/// How far a run says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// 0 to 100, if it knows.
    pub(crate) percent: Option<u64>,
    /// What it is doing.
    pub(crate) message: String,
}

/// One approval.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Approval {
    /// Who.
    pub(crate) by: String,
    /// What they said.
    pub(crate) comment: Option<String>,
}

/// One rule of who must approve.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rule {
    /// `group:qa`, `user:ana`; any of them.
    pub(crate) from: Vec<String>,
    /// How many of them.
    pub(crate) count: u64,
    /// How many did.
    pub(crate) met: u64,
}

/// How an attempt failed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Failure {
    /// Its kind: a word, or an object of a word and what it is about.
    pub(crate) class: Value,
    /// What happened.
    pub(crate) message: String,
    /// A short code that the guest gave.
    pub(crate) code: Option<String>,
    /// What to do next.
    pub(crate) remedy: Option<String>,
    /// The frames of a trap.
    pub(crate) backtrace: Vec<String>,
    /// The last lines it logged.
    pub(crate) last_log: Vec<String>,
    /// The last call it made.
    pub(crate) last_call: Option<String>,
}

impl Release {
    /// Reads the answer of the API.
    pub(crate) fn parse(body: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(body)
    }

    /// All activities.
    pub(crate) fn activities(&self) -> impl Iterator<Item = &Activity> {
        self.phases.iter().flat_map(|phase| &phase.activities)
    }

    /// Whether nothing will change any more.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(
            self.state.as_str(),
            "succeeded" | "failed" | "aborted" | "rolled-back"
        )
    }

    /// Whether something is on hold and nothing else moves or will move by itself or by approval.
    pub(crate) fn is_stuck(&self) -> bool {
        let held = self
            .activities()
            .any(|activity| activity.state == "on-hold" || activity.is_undo_held());
        let halted = self.waves().any(|wave| wave.state == "halted");
        (held || halted)
            && !self.has_ended()
            && !self.bakes()
            && !self.activities().any(Activity::is_moving)
    }

    /// The state of the activity, or else of the phase, that is called `path`.
    pub(crate) fn state_of(&self, path: &str) -> Option<&str> {
        let activity = self.activities().find(|activity| activity.path == path);
        let phase = self.phases.iter().find(|phase| phase.name == path);
        let activity = activity.map(|activity| activity.state.as_str());
        activity.or_else(|| phase.map(|phase| phase.state.as_str()))
    }

    /// How far the phase or activity is that is called `path`, if it is fanned out.
    pub(crate) fn wave(&self, path: &str) -> Option<&Wave> {
        let phase = self.phases.iter().find(|phase| phase.name == path);
        let activity = self.activities().find(|activity| activity.path == path);
        let phase = phase.and_then(|phase| phase.wave.as_ref());
        phase.or_else(|| activity.and_then(|activity| activity.wave.as_ref()))
    }

    /// How far everything is that is fanned out.
    fn waves(&self) -> impl Iterator<Item = &Wave> {
        let phases = self.phases.iter().filter_map(|phase| phase.wave.as_ref());
        phases.chain(
            self.activities()
                .filter_map(|activity| activity.wave.as_ref()),
        )
    }

    /// Whether the next batch of something opens by itself.
    fn bakes(&self) -> bool {
        self.waves().any(|wave| wave.state == "baking")
    }

    /// Whether people must decide and nothing else moves or will move by itself.
    pub(crate) fn waits_for_people(&self) -> bool {
        let people = |activity: &Activity| activity.state == "needs-people";
        let asked = self.activities().any(people);
        let moves = |activity: &Activity| activity.is_moving() && !people(activity);
        asked && !self.has_ended() && !self.bakes() && !self.activities().any(moves)
    }
}

impl Activity {
    /// Whether it has an end and is not there yet, and does not wait for other activities. What is fanned
    /// out moves with its instances.
    pub(crate) fn is_moving(&self) -> bool {
        self.wave.is_none()
            && matches!(
                self.state.as_str(),
                "running"
                    | "suspended"
                    | "retrying"
                    | "needs-people"
                    | "ready"
                    | "blocked"
                    | "undoing"
            )
    }

    /// Whether its effect could not be taken back, and nobody has accepted that.
    fn is_undo_held(&self) -> bool {
        self.state == "undo-failed" && self.by.is_none()
    }

    /// Whether it will not change any more.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(
            self.state.as_str(),
            "succeeded"
                | "failed"
                | "rejected"
                | "expired"
                | "withdrawn"
                | "skipped"
                | "aborted"
                | "undone"
                | "undo-failed"
        )
    }
}

impl Rule {
    /// How many approvals are still missing.
    pub(crate) fn missing(&self) -> u64 {
        self.count.saturating_sub(self.met)
    }
}

impl Failure {
    /// The class in words: `trap`, `limit memory`, `denied http example.com`.
    pub(crate) fn class(&self) -> String {
        match &self.class {
            Value::String(word) => word.clone(),
            Value::Object(parts) => parts
                .iter()
                .map(|(word, about)| match about {
                    Value::String(about) => format!("{word} {about}"),
                    _ => word.clone(),
                })
                .collect::<Vec<_>>()
                .join(" "),
            _ => "failed".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn release(states: &[&str]) -> Release {
        let activities: Vec<Value> = states
            .iter()
            .map(|state| json!({ "state": state }))
            .collect();
        let body = json!({ "state": "running", "phases": [{ "activities": activities, "x": 1 }], "new": {} });
        Release::parse(&body).expect("a release")
    }

    #[test]
    fn a_release_is_stuck_when_only_what_is_held_is_left() {
        for (states, stuck) in [
            (&["on-hold"][..], true),
            (&["on-hold", "waiting", "succeeded", "skipped"], true),
            (&["on-hold", "running"], false),
            (&["on-hold", "retrying"], false),
            (&["on-hold", "needs-people"], false),
            (&["waiting"], false),
            (&["succeeded"], false),
        ] {
            assert_eq!(release(states).is_stuck(), stuck, "{states:?}");
        }
    }

    #[test]
    fn a_halted_wave_is_stuck_and_a_baking_one_is_not() {
        for (wave, states, stuck) in [
            ("halted", &["succeeded"][..], true),
            ("halted", &["running"], false),
            ("baking", &["on-hold"], false),
            ("going", &["on-hold"], true),
        ] {
            let mut release = release(states);
            release.phases[0].wave = Some(Wave {
                state: wave.into(),
                ..Wave::default()
            });
            assert_eq!(release.is_stuck(), stuck, "{wave} {states:?}");
        }
    }

    #[test]
    fn missing_approvals_are_counted() {
        for (rule, missing) in [
            (json!({"from": ["group:qa"], "count": 2, "met": 1}), 1),
            (json!({"from": ["group:qa"], "count": 2, "met": 3}), 0),
            (json!({"from": ["group:qa"], "count": 2}), 2),
        ] {
            let rule: Rule = serde_json::from_value(rule).expect("a rule");
            assert_eq!(rule.missing(), missing);
        }
    }

    #[test]
    fn classes_are_words() {
        for (class, expected) in [
            (json!("trap"), "trap"),
            (json!({"limit": "memory"}), "limit memory"),
            (json!(null), "failed"),
        ] {
            let failure: Failure = serde_json::from_value(json!({ "class": class })).expect("one");
            assert_eq!(failure.class(), expected);
        }
    }
}
