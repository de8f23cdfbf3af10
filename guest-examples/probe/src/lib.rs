//! Asks pages whether they are well, by plain `wasi:http`: what was written for it runs here as it is, under the same grants.

mod page;

use fermata_sdk::prelude::*;
use wasip2::http::types::FutureIncomingResponse;

/// The secret that goes into `secret_header`.
const SECRET: &str = "probe-token";

/// Which pages, and what they have to say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// The pages. They are asked at the same time.
    urls: Vec<String>,
    /// The status that each has to answer with.
    #[serde(default = "ok")]
    status: u16,
    /// A text that each answer has to contain.
    #[serde(default)]
    contains: String,
    /// The header that carries the secret `probe-token`, if the pages want one.
    #[serde(default)]
    secret_header: Option<String>,
}

fn ok() -> u16 {
    200
}

/// What they said.
#[derive(Serialize, JsonSchema)]
struct Outputs {
    /// In the order of the inputs.
    pages: Vec<Page>,
}

/// What one page said.
#[derive(Serialize, JsonSchema)]
struct Page {
    url: String,
    status: u16,
    content_type: Option<String>,
    /// Length of the body.
    bytes: usize,
    /// How the body begins.
    beginning: String,
}

struct Probe;

impl Activity for Probe {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Asks pages whether they are well, all at the same time."
    }

    fn retry() -> Option<Retry> {
        Some(Retry {
            attempts: 5,
            backoff: Duration::from_secs(2),
        })
    }

    fn capabilities() -> Capabilities {
        Capabilities::none().http("*", &["GET"]).secret(SECRET)
    }

    fn run(_: &Attempt, inputs: Inputs) -> Result<Outcome<Outputs>, Failure> {
        let mut headers = Vec::new();
        if let Some(name) = &inputs.secret_header {
            headers.push((name.clone(), secrets::handle(SECRET)?));
        }
        let asked: Vec<(&String, FutureIncomingResponse)> = inputs
            .urls
            .iter()
            .map(|url| Ok((url, page::ask(url, &headers)?)))
            .collect::<Result<_, Failure>>()?;
        let pages = asked
            .into_iter()
            .map(|(url, answer)| well(&inputs, page::read(url, &answer)?))
            .collect::<Result<_, Failure>>()?;
        log::info!("{} pages are well", inputs.urls.len());
        Ok(Outcome::Done(Outputs { pages }))
    }
}

/// The page, if it says what it has to.
fn well(inputs: &Inputs, (page, body): (Page, Vec<u8>)) -> Result<Page, Failure> {
    let Page { url, status, .. } = &page;
    if *status != inputs.status {
        let message = format!("{url} answered {status}, not {}", inputs.status);
        return Err(Failure::retryable(message)
            .code("unhealthy")
            .details(&json!({ "url": url, "status": status })));
    }
    if !String::from_utf8_lossy(&body).contains(&inputs.contains) {
        let message = format!("{url} does not say `{}`", inputs.contains);
        return Err(Failure::retryable(message)
            .code("unhealthy")
            .details(&json!({ "url": url, "beginning": page.beginning })));
    }
    Ok(page)
}

fermata_sdk::activity!(Probe);
