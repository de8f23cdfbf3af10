//! What a policy is: it is asked before something happens, and says whether it may.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::activity::{Capabilities, descriptor};
use crate::schemars::JsonSchema;
use crate::{Failure, OrFail};

/// Says whether something may happen. An administrator puts it in force with settings of its own.
///
/// ```
/// use fermata_sdk::prelude::*;
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Settings {
///     /// Environments that nothing is deployed to.
///     closed: Vec<String>,
/// }
///
/// struct Closed;
///
/// impl Policy for Closed {
///     const NAME: &'static str = "closed";
///     const VERSION: &'static str = "1.0.0";
///     type Settings = Settings;
///
///     fn summary() -> &'static str {
///         "Keeps activities away from environments that are closed."
///     }
///
///     fn judge(question: &Question, settings: Settings) -> Result<Verdict, Failure> {
///         let inputs = &question.subject["inputs"];
///         Ok(match inputs["environment"].as_str() {
///             Some(at) if settings.closed.iter().any(|closed| closed == at) => {
///                 Verdict::Deny(format!("{at} is closed"))
///             }
///             _ => Verdict::Allow,
///         })
///     }
/// }
///
/// fermata_sdk::policy!(Closed);
///
/// use fermata_sdk::testing;
///
/// let question = testing::question(Point::Activity, json!({ "inputs": { "environment": "uat" } }));
/// let verdict = testing::judge::<Closed>(&question, json!({ "closed": ["uat"] })).unwrap();
/// assert_eq!(verdict, Verdict::Deny("uat is closed".to_owned()));
/// ```
pub trait Policy {
    /// The name in the registry: lower-case letters, digits and hyphens.
    const NAME: &'static str;
    /// The version, `MAJOR.MINOR.PATCH`. The registry never takes other bytes under a version it has.
    const VERSION: &'static str;
    /// What an administrator sets. The derived schema is checked when the policy is put in force.
    type Settings: DeserializeOwned + JsonSchema;

    /// One sentence for people who choose a policy.
    fn summary() -> &'static str;

    /// What the policy wants to reach. A person grants it, or not, when the component is uploaded.
    fn capabilities() -> Capabilities {
        Capabilities::none()
    }

    /// Judges one thing. The same question may be asked again. A failure is not a verdict: what it means is up to
    /// the administrator, who by default lets nothing happen then.
    fn judge(question: &Question, settings: Self::Settings) -> Result<Verdict, Failure>;
}

/// Before what a policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A version of a process is published.
    Publish,
    /// A release starts.
    Start,
    /// An attempt of an activity begins.
    Activity,
}

/// What a policy is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Before what.
    pub point: Point,
    /// What is about to happen: an object, whose shape depends on the point.
    pub subject: Value,
    /// When it was asked, milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl Question {
    /// The text in the subject at this place, such as `/inputs/environment`, if there is one.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.subject.pointer(pointer)?.as_str()
    }
}

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may happen.
    Allow,
    /// It may happen, and people are told this sentence.
    Warn(String),
    /// It may not happen; the sentence says why, and what to do instead.
    Deny(String),
}

/// The JSON descriptor of `P`, as `describe` returns it.
pub(crate) fn describe<P: Policy>() -> Value {
    descriptor::<P::Settings>((P::NAME, P::VERSION), P::summary(), &P::capabilities())
}

/// Reads settings, or says what does not fit.
pub(crate) fn read_settings<T: DeserializeOwned>(name: &str, json: &str) -> Result<T, Failure> {
    let why = || Failure::permanent(format!("the settings do not fit {name}"));
    let read = serde_json::from_str(json).or_fail(why);
    read.map_err(|failure| failure.code("invalid-settings"))
}
