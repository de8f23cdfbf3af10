//! What the load of `chaos` is made of: kinds of releases, and what each asks of people.

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Answer, Api};

/// A kind of release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Activities, retries, a suspension and an approval.
    Plain,
    /// A fan-out in two batches with a bake and a gate.
    Waves,
    /// A wait for a time and one for a signal.
    Waits,
    /// A release that starts another under a lock that all of them share.
    Parent,
    /// A release that fails late and goes back, with the child that it started.
    Back,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Plain,
        Self::Waves,
        Self::Waits,
        Self::Parent,
        Self::Back,
    ];

    /// The kind of the release that the key `CLIENT-NUMBER` starts: each in its turn.
    pub fn of(key: &str) -> Self {
        let number = key
            .rsplit('-')
            .next()
            .and_then(|number| number.parse().ok());
        Self::ALL[number.unwrap_or(0_usize) % Self::ALL.len()]
    }

    /// The process that it runs.
    pub fn process(self) -> &'static str {
        match self {
            Self::Plain => "chaos-plain",
            Self::Waves => "chaos-waves",
            Self::Waits => "chaos-waits",
            Self::Parent => "chaos-parent",
            Self::Back => "chaos-back",
        }
    }

    /// What has to be published for it, in this order.
    pub fn documents(self) -> Vec<&'static str> {
        match self {
            Self::Plain => vec![PLAIN],
            Self::Waves => vec![WAVES],
            Self::Waits => vec![WAITS],
            Self::Parent => vec![CHILD, PARENT],
            Self::Back => vec![CHILD, BACK],
        }
    }

    /// How it ends.
    pub fn end(self) -> &'static str {
        match self {
            Self::Plain | Self::Waves | Self::Waits | Self::Parent => "succeeded",
            Self::Back => "rolled-back",
        }
    }
}

/// Something that a person does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Approves the activity at this path.
    Approve(String),
    /// Sends the signal that the activity at this path waits for.
    Signal {
        /// Which.
        activity: String,
        /// What gives the right to.
        secret: String,
    },
}

impl Act {
    /// Sends it.
    pub async fn send(&self, api: &Api, id: &str) -> Result<Answer> {
        match self {
            Self::Approve(activity) => {
                let action =
                    json!({ "action": "approve", "activity": activity, "comment": "fine" });
                api.act(id, &action).await
            }
            Self::Signal { activity, secret } => {
                let path = format!("/signals/{id}/{activity}");
                let request = api.request(Method::POST, &path);
                let request = request.header("Fermata-Signal-Secret", secret);
                api.send(request.json(&json!({ "ticket": "T-1" }))).await
            }
        }
    }

    /// Whether a release's events tell of it.
    pub fn is_among(&self, events: &[Value]) -> bool {
        let (kind, activity) = match self {
            Self::Approve(activity) => ("approval-given", activity),
            Self::Signal { activity, .. } => ("signal-received", activity),
        };
        events
            .iter()
            .any(|event| event["type"] == kind && event["activity"] == activity.as_str())
    }
}

/// Whether nothing changes a release any more.
pub fn has_ended(view: &Value) -> bool {
    let state = view["state"].as_str().unwrap_or_default();
    matches!(state, "succeeded" | "failed" | "aborted" | "rolled-back")
}

/// What a release that is not over asks of people now.
pub async fn wanted(api: &Api, id: &str, view: &Value) -> Result<Vec<Act>> {
    if view["state"] != "running" {
        return Ok(Vec::new());
    }
    let why = api.get(&format!("/releases/{id}/why")).await?.ok()?;
    let items = why["items"].as_array().cloned().unwrap_or_default();
    Ok(items.iter().filter_map(asked).collect())
}

fn asked(waiting: &Value) -> Option<Act> {
    let path = waiting["path"].as_str()?;
    match waiting["state"].as_str()? {
        "needs-people" => Some(Act::Approve(path.to_owned())),
        "suspended" => Some(Act::Signal {
            activity: path.to_owned(),
            secret: waiting["on"]["secret"].as_str()?.to_owned(),
        }),
        _ => None,
    }
}

const PLAIN: &str = "\
process: chaos-plain
phases:
  build:
    activities:
      one: { uses: noop@1 }
      two: { needs: [one], uses: noop@1 }
      naps: { uses: sleeper@1, with: { ms: 300 } }
      unsteady: { uses: flaky@1, with: { failures: 1 }, retry: { attempts: 5, backoff: 50ms } }
  sign-off:
    needs: [build]
    activities:
      agree: { manual: { instructions: Look at it., approvals: [ { from: 'group:admins', count: 1 } ] } }
  ship:
    needs: [sign-off]
    activities:
      left: { uses: noop@1 }
      right: { uses: noop@1 }
      last: { needs: [left, right], uses: noop@1 }
";

const WAVES: &str = "\
process: chaos-waves
phases:
  customers:
    each: ${{ [1, 2, 3, 4] }}
    batches: [1, 100%]
    bake: 100ms
    gate: { instructions: Look at the first., approvals: [ { from: 'group:admins' } ] }
    activities:
      deploy: { uses: noop@1 }
      verify: { needs: [deploy], uses: noop@1 }
";

const WAITS: &str = "\
process: chaos-waits
phases:
  only:
    activities:
      settle: { wait: { for: 200ms } }
      go-ahead: { needs: [settle], wait: { signal: go-ahead } }
      last: { needs: [go-ahead], uses: noop@1 }
";

const CHILD: &str = "\
process: chaos-child
phases:
  only:
    activities:
      one: { uses: noop@1 }
      two: { needs: [one], uses: noop@1 }
";

const PARENT: &str = "\
process: chaos-parent
phases:
  ship:
    locks: [chaos]
    activities:
      provision: { process: { name: chaos-child } }
      last: { needs: [provision], uses: noop@1 }
";

const BACK: &str = "\
process: chaos-back
on-failure: rollback
phases:
  before:
    activities:
      provision: { process: { name: chaos-child } }
      beside: { uses: noop@1, validate: { uses: noop@1 } }
  ship:
    needs: [before]
    each: ${{ [1, 2] }}
    locks: [back]
    activities:
      deploy: { uses: noop@1 }
      verify:
        needs: [deploy]
        uses: flaky@1
        with: { failures: 1000 }
        retry: { attempts: 2, backoff: 20ms }
        undo: none
";
