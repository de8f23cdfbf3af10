//! What an activity is, and what it says about itself.

use std::time::Duration;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Attempt, Failure, Outcome};

/// One unit of work that a process can use as `NAME@VERSION`.
pub trait Activity {
    /// The name in the registry: lower-case letters, digits and hyphens.
    const NAME: &'static str;
    /// The version, `MAJOR.MINOR.PATCH`. The registry never takes other bytes under a version it has.
    const VERSION: &'static str;
    /// What a process writes under `with:`. The derived schema is checked when a process is saved and before every run.
    type Inputs: DeserializeOwned + JsonSchema;
    /// What later activities can read. Must be an object in JSON.
    type Outputs: Serialize + JsonSchema;

    /// One sentence for people who choose an activity.
    fn summary() -> &'static str;

    /// How often and when to try again, unless the process says otherwise. Without it there is one attempt.
    fn retry() -> Option<Retry> {
        None
    }

    /// Longest time of one attempt with its suspensions, unless the process says otherwise.
    fn timeout() -> Option<Duration> {
        None
    }

    /// What becomes of a second run with the same inputs, which a crash of the engine can lead to. Say it: people
    /// read it before they try again.
    fn idempotency() -> Option<Idempotency> {
        None
    }

    /// What the activity wants to reach. A person grants it, or not, when the component is uploaded.
    fn capabilities() -> Capabilities {
        Capabilities::none()
    }

    /// Does the work, or goes on with it if [`Attempt::checkpoint`] has something.
    fn run(attempt: &Attempt, inputs: Self::Inputs) -> Result<Outcome<Self::Outputs>, Failure>;
}

/// An activity that can take its effect back, which makes a release that uses it able to roll back.
pub trait Undo: Activity<Outputs: DeserializeOwned> {
    /// Takes the effect of [`Activity::run`] back.
    ///
    /// `outputs` is absent if no run ever finished; it may or may not have had an effect then, so look before you
    /// act. Like a run, this may be suspended with [`pending`](crate::pending()) and must be repeatable.
    fn undo(
        attempt: &Attempt,
        inputs: Self::Inputs,
        outputs: Option<Self::Outputs>,
    ) -> Result<Outcome<()>, Failure>;
}

/// When a failed attempt is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all.
    pub attempts: u32,
    /// Wait before the second attempt; it grows for later ones.
    pub backoff: Duration,
}

/// What becomes of a second run with the same inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// It changes nothing that the first has changed: the activity looks first, or sets a state.
    Natural,
    /// It changes nothing, since the systems that are called know [`Attempt::idempotency_key`].
    Key,
    /// It may do everything once more.
    None,
}

impl Idempotency {
    fn word(self) -> &'static str {
        match self {
            Self::Natural => "natural",
            Self::Key => "key",
            Self::None => "none",
        }
    }
}

/// What an activity wants to reach. Asking grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    http: Vec<HttpWish>,
    secrets: Vec<String>,
    evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct HttpWish {
    host: String,
    methods: Vec<String>,
}

impl Capabilities {
    /// Nothing but log and progress.
    pub fn none() -> Self {
        Self::default()
    }

    /// Calls of `host` with `methods` (empty: all). A host is a name, optionally `*.example.com`, optionally with
    /// `:port`; `*` stands for a host that only the inputs name.
    #[must_use]
    pub fn http(mut self, host: &str, methods: &[&str]) -> Self {
        self.http.push(HttpWish {
            host: host.to_owned(),
            methods: methods.iter().map(|&method| method.to_owned()).collect(),
        });
        self
    }

    /// Use of the secret `name`.
    #[must_use]
    pub fn secret(mut self, name: &str) -> Self {
        self.secrets.push(name.to_owned());
        self
    }

    /// Recording of evidence of `kind`; the engine refuses kinds that are not named here.
    #[must_use]
    pub fn evidence(mut self, kind: &str) -> Self {
        self.evidence.push(kind.to_owned());
        self
    }
}

/// What every descriptor has, whatever the component is for.
pub(crate) fn descriptor<T: JsonSchema>(
    (name, version): (&str, &str),
    summary: &str,
    capabilities: &Capabilities,
) -> Value {
    json!({
        "name": name,
        "version": version,
        "summary": summary,
        "inputs": schema::<T>(),
        "capabilities": capabilities,
    })
}

/// The JSON descriptor of `A`, as `describe` returns it.
pub(crate) fn describe<A: Activity>() -> Value {
    let named = (A::NAME, A::VERSION);
    let mut descriptor = descriptor::<A::Inputs>(named, A::summary(), &A::capabilities());
    descriptor["outputs"] = schema::<A::Outputs>();
    if let Some(retry) = A::retry() {
        descriptor["retry"] =
            json!({ "attempts": retry.attempts, "backoff": milliseconds(retry.backoff) });
    }
    if let Some(idempotency) = A::idempotency() {
        descriptor["idempotency"] = idempotency.word().into();
    }
    if let Some(timeout) = A::timeout() {
        descriptor["timeout"] = milliseconds(timeout).into();
    }
    descriptor
}

fn milliseconds(time: Duration) -> String {
    format!("{}ms", time.as_millis())
}

/// The schema of `T` without `$schema`, with definitions in place: people read it in catalogues.
fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // The title is the name of a Rust type, which tells nobody anything.
    schema.remove("title");
    let mut schema = schema.to_value();
    if let Some(object) = schema.as_object_mut() {
        as_object(object);
    }
    schema
}

/// `()` has the schema of `null`, but inputs and outputs are objects.
fn as_object(schema: &mut Map<String, Value>) {
    if schema.get("type").is_some_and(|kind| kind == "null") {
        schema.insert("type".to_owned(), "object".into());
    }
}

/// Reads the inputs of `A`, or says what does not fit.
pub(crate) fn read_inputs<A: Activity>(json: &str) -> Result<A::Inputs, Failure> {
    serde_json::from_str(json).map_err(|error| {
        Failure::permanent(format!("the inputs do not fit {}: {error}", A::NAME))
            .code("invalid-inputs")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Inputs {
        /// Which one.
        #[schemars(length(min = 1))]
        _service: String,
        #[serde(default)]
        _mode: Mode,
    }

    #[derive(Default, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        #[default]
        RollingUpdate,
        Recreate,
    }

    struct Sample;

    impl Activity for Sample {
        const NAME: &'static str = "sample";
        const VERSION: &'static str = "1.2.3";
        type Inputs = Inputs;
        type Outputs = ();

        fn summary() -> &'static str {
            "A sample."
        }

        fn retry() -> Option<Retry> {
            Some(Retry {
                attempts: 3,
                backoff: Duration::from_secs(2),
            })
        }

        fn timeout() -> Option<Duration> {
            Some(Duration::from_secs(90))
        }

        fn idempotency() -> Option<Idempotency> {
            Some(Idempotency::Key)
        }

        fn capabilities() -> Capabilities {
            Capabilities::none()
                .http("*", &["GET"])
                .secret("token")
                .evidence("deployment")
        }

        fn run(_: &Attempt, _: Inputs) -> Result<Outcome<()>, Failure> {
            Ok(Outcome::Done(()))
        }
    }

    #[test]
    fn the_descriptor_holds_what_the_registry_reads() {
        let descriptor = testing::describe::<Sample>();
        let inputs = &descriptor["inputs"];
        assert_eq!(inputs["additionalProperties"], false);
        assert_eq!(inputs["required"], json!(["_service"]));
        assert_eq!(
            inputs["properties"]["_service"]["description"],
            "Which one."
        );
        assert_eq!(
            inputs["properties"]["_mode"]["enum"],
            json!(["rolling-update", "recreate"]),
            "{inputs}"
        );
        assert_eq!(inputs.get("title"), None);
        assert_eq!(descriptor["outputs"]["type"], "object");
        let rest: Map<String, Value> = descriptor
            .as_object()
            .expect("an object")
            .iter()
            .filter(|(key, _)| *key != "inputs" && *key != "outputs")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        assert_eq!(
            Value::Object(rest),
            json!({
                "name": "sample",
                "version": "1.2.3",
                "summary": "A sample.",
                "retry": { "attempts": 3, "backoff": "2000ms" },
                "timeout": "90000ms",
                "idempotency": "key",
                "capabilities": {
                    "http": [{ "host": "*", "methods": ["GET"] }],
                    "secrets": ["token"],
                    "evidence": ["deployment"],
                },
            })
        );
    }

    #[test]
    fn inputs_that_do_not_fit_are_a_permanent_failure() {
        for (inputs, expected) in [
            ("{}", "missing field `_service`"),
            (r#"{"_service":"a","x":1}"#, "unknown field `x`"),
            ("[", "EOF"),
        ] {
            let failure = read_inputs::<Sample>(inputs).err().expect("does not fit");
            assert!(!failure.is_retryable());
            assert!(failure.message().contains(expected), "{failure}");
        }
    }
}
