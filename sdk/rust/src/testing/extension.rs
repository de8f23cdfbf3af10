//! Policies and notifiers on your own machine, without WebAssembly.

use serde_json::{Value, json};

use crate::policy::read_settings;
use crate::{Failure, Notification, Notifier, Point, Policy, Question, Verdict, notifier, policy};

/// A question about `subject`; change its fields as the test needs.
pub fn question(point: Point, subject: Value) -> Question {
    Question {
        point,
        subject,
        now_ms: 1_700_000_000_000,
    }
}

/// What a policy with these settings says.
#[expect(
    clippy::needless_pass_by_value,
    reason = "tests write `json!` in place, and a `&` before each of them says nothing"
)]
pub fn judge<P: Policy>(question: &Question, settings: Value) -> Result<Verdict, Failure> {
    P::judge(question, read_settings(P::NAME, &settings.to_string())?)
}

/// What `describe` of a policy returns to the engine.
pub fn describe_policy<P: Policy>() -> Value {
    policy::describe::<P>()
}

/// A first try to tell `text`, without data; change its fields as the test needs.
pub fn notification(kind: &str, text: &str) -> Notification {
    Notification {
        id: "ntf-00000000000000000000000001".to_owned(),
        number: 1,
        kind: kind.to_owned(),
        at_ms: 1_700_000_000_000,
        text: text.to_owned(),
        data: json!({}),
        now_ms: 1_700_000_000_000,
    }
}

/// One try of a notifier with these settings.
#[expect(
    clippy::needless_pass_by_value,
    reason = "tests write `json!` in place, and a `&` before each of them says nothing"
)]
pub fn notify<N: Notifier>(notification: &Notification, settings: Value) -> Result<(), Failure> {
    N::notify(notification, read_settings(N::NAME, &settings.to_string())?)
}

/// What `describe` of a notifier returns to the engine.
pub fn describe_notifier<N: Notifier>() -> Value {
    notifier::describe::<N>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        word: String,
    }

    struct Echo;

    impl Policy for Echo {
        const NAME: &'static str = "echo";
        const VERSION: &'static str = "1.0.0";
        type Settings = Settings;

        fn summary() -> &'static str {
            "Says the word that is set."
        }

        fn capabilities() -> Capabilities {
            Capabilities::none().secret("token")
        }

        fn judge(question: &Question, settings: Settings) -> Result<Verdict, Failure> {
            let at = question.text("/inputs/environment").unwrap_or("nowhere");
            Ok(Verdict::Warn(format!("{} at {at}", settings.word)))
        }
    }

    #[test]
    fn a_policy_is_described_by_its_settings_and_judges_by_them() {
        let descriptor = describe_policy::<Echo>();
        assert_eq!(descriptor["inputs"]["required"], json!(["word"]));
        assert_eq!(descriptor["capabilities"]["secrets"], json!(["token"]));
        assert_eq!(descriptor.get("outputs"), None);

        let question = question(Point::Start, json!({ "inputs": { "environment": "uat" } }));
        let verdict = judge::<Echo>(&question, json!({ "word": "hm" })).expect("a verdict");
        assert_eq!(verdict, Verdict::Warn("hm at uat".to_owned()));

        let failure =
            judge::<Echo>(&question, json!({ "wort": "hm" })).expect_err("no such setting");
        assert_eq!(failure.code_given(), Some("invalid-settings"));
        assert!(
            failure
                .message()
                .starts_with("the settings do not fit echo: ")
        );
    }
}
