//! The export of a policy, which calls a [`Policy`].

use serde_json::Value;

use super::{Exported, activity, log_panic, policy_world};
use crate::policy::{describe, read_settings};
use crate::{Failure, OrFail, Point, Policy, Question, Verdict};
use policy_world::exports::fermata::activity::judge as wit;

impl<P: Policy> wit::Guest for Exported<P> {
    fn describe() -> String {
        std::panic::set_hook(Box::new(log_panic));
        describe::<P>().to_string()
    }

    fn judge(
        question: wit::Question,
    ) -> Result<wit::Verdict, activity::fermata::activity::types::Failure> {
        judge::<P>(question).map_err(Into::into)
    }
}

fn judge<P: Policy>(question: wit::Question) -> Result<wit::Verdict, Failure> {
    std::panic::set_hook(Box::new(log_panic));
    let settings = read_settings(P::NAME, &question.settings)?;
    let subject: Value = serde_json::from_str(&question.subject)
        .or_fail(|| Failure::permanent("the subject is no JSON"))?;
    let question = Question {
        point: match question.point {
            wit::Point::Publish => Point::Publish,
            wit::Point::Start => Point::Start,
            wit::Point::Activity => Point::Activity,
        },
        subject,
        now_ms: question.now_ms,
    };
    Ok(match P::judge(&question, settings)? {
        Verdict::Allow => wit::Verdict::Allow,
        Verdict::Warn(text) => wit::Verdict::Warn(text),
        Verdict::Deny(text) => wit::Verdict::Deny(text),
    })
}
