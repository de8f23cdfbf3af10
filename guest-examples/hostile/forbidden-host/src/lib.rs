//! Calls a host it never asked for: proves that nothing is reachable without a grant.

use fermata_sdk::prelude::*;

/// What to call.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    /// Something out of reach.
    #[serde(default = "default_url")]
    url: String,
}

fn default_url() -> String {
    "http://169.254.169.254/latest/meta-data/".to_owned()
}

/// What should never be seen.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Outputs {
    status: u16,
    body: String,
}

struct ForbiddenHost;

impl Activity for ForbiddenHost {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Calls a host it never asked for."
    }

    fn run(_: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let response = http::Request::get(inputs.url).send()?;
        log::error!("the call went through: {}", response.status());
        Ok(Outcome::Done(Outputs {
            status: response.status(),
            body: response.text(),
        }))
    }
}

fermata_sdk::activity!(ForbiddenHost);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing::{self, Answer, Host};

    #[test]
    fn it_asks_for_nothing_and_passes_the_refusal_on() {
        let host = Host::install();
        let refusal = Answer::error(http::Cause::Denied("host a".to_owned()));
        host.answer("GET", "http://a/", refusal);
        let failure = testing::finish::<ForbiddenHost>(json!({ "url": "http://a/" }));
        let failure = failure.expect_err("is denied");
        assert_eq!(failure.code_given(), Some("http-denied"));
        let capabilities = &testing::describe::<ForbiddenHost>()["capabilities"];
        assert_eq!(capabilities["http"], json!([]));
    }
}
