//! Posts a message to a webhook, with a secret in a header if the receiver wants one.

use fermata_sdk::prelude::*;

/// The secret that goes into `secret_header`.
const SECRET: &str = "webhook-token";
/// Longest time for the call.
const CALL_MAX: Duration = Duration::from_secs(30);

/// What to tell, and where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// The webhook.
    url: String,
    /// The message.
    text: String,
    /// More for receivers that read more than the text.
    #[serde(default)]
    fields: std::collections::BTreeMap<String, Value>,
    /// The header that carries the secret `webhook-token`, if the receiver wants one.
    #[serde(default)]
    secret_header: Option<String>,
}

/// How it was taken.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Outputs {
    /// The status code of the answer.
    status: u16,
}

struct NotifyWebhook;

impl Activity for NotifyWebhook {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Posts a message to a webhook."
    }

    fn retry() -> Option<Retry> {
        Some(Retry {
            attempts: 5,
            backoff: Duration::from_secs(2),
        })
    }

    fn capabilities() -> Capabilities {
        Capabilities::none().http("*", &["POST"]).secret(SECRET)
    }

    fn run(attempt: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let mut request = http::Request::post(&inputs.url)
            .header("idempotency-key", &attempt.idempotency_key)
            .json(&json!({
                "text": inputs.text,
                "fields": inputs.fields,
                "release": attempt.release,
                "process": attempt.process,
            }))
            .timeout(CALL_MAX);
        if let Some(header) = inputs.secret_header {
            request = request.header(header, secrets::handle(SECRET)?);
        }
        let response = request.send()?.success()?;
        log::info!("the webhook answered {}", response.status());
        Ok(Outcome::Done(Outputs {
            status: response.status(),
        }))
    }
}

fermata_sdk::activity!(NotifyWebhook);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing::{self, Answer, Host};

    const URL: &str = "https://chat.example.com/hook";

    fn host(answer: Answer) -> Host {
        let host = Host::install();
        host.answer("POST", URL, answer);
        host
    }

    #[test]
    fn the_message_says_which_release_it_is_about() {
        let host = host(Answer::status(204));
        let inputs = json!({ "url": URL, "text": "1.1.0 is out", "fields": { "services": 4 } });
        let outputs = testing::finish::<NotifyWebhook>(inputs).expect("is sent");
        assert_eq!(outputs, Outputs { status: 204 });
        let body = host.requests()[0].body_bytes().expect("a body").to_vec();
        let attempt = testing::attempt();
        assert_eq!(
            fermata_sdk::serde_json::from_slice::<Value>(&body).expect("JSON"),
            json!({
                "text": "1.1.0 is out", "fields": { "services": 4 },
                "release": attempt.release, "process": attempt.process,
            })
        );
    }

    #[test]
    fn the_secret_is_only_used_where_it_is_asked_for_and_granted() {
        let inputs = json!({ "url": URL, "text": "x", "secret_header": "x-token" });
        let granted = host(Answer::status(200));
        granted.secret(SECRET);
        testing::finish::<NotifyWebhook>(inputs.clone()).expect("is sent");
        let sent = &granted.requests()[0];
        assert_eq!(sent.header_value("x-token"), Some("<secret:webhook-token>"));

        let refused = host(Answer::status(200));
        let failure = testing::finish::<NotifyWebhook>(inputs).expect_err("no grant");
        assert_eq!(failure.code_given(), Some("secret-unknown"));
        assert!(refused.calls().is_empty());
    }

    #[test]
    fn a_receiver_that_is_busy_is_asked_again_when_it_wants() {
        host(Answer::status(429).header("retry-after", "30"));
        let failure = testing::finish::<NotifyWebhook>(json!({ "url": URL, "text": "x" }))
            .expect_err("is busy");
        assert_eq!(failure.delay(), Some(Duration::from_secs(30)));
    }
}
