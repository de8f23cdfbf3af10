//! The conformance activity in Rust.

use fermata_sdk::prelude::*;

/// What to do.
#[derive(Deserialize, JsonSchema)]
struct Inputs {
    r#do: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    url: String,
}

/// What came of it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Outputs {
    text: String,
    #[serde(default)]
    status: u16,
}

#[derive(Default, Serialize, Deserialize)]
struct Checkpoint {
    count: u32,
    text: String,
}

type Done = Result<Outcome<Outputs>, Failure>;

struct Conformance;

impl Activity for Conformance {
    const NAME: &'static str = "sdk-rust";
    const VERSION: &'static str = "1.0.0";
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn summary() -> &'static str {
        "Does what it is told, for tests."
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

    fn capabilities() -> Capabilities {
        Capabilities::none()
            .http("*", &["GET", "POST"])
            .secret("token")
            .evidence("link")
    }

    fn run(attempt: &Attempt, inputs: Inputs) -> Done {
        let Inputs { r#do, text, url } = inputs;
        match r#do.as_str() {
            "echo" => done(text),
            "attempt" => done(shown(attempt)),
            "retryable" => Err(Failure::retryable(&text)
                .code("busy")
                .details(&json!({ "text": text }))
                .after(Duration::from_millis(1500))),
            "permanent" => Err(Failure::permanent(text).code("wrong")),
            "count" => count(attempt, text),
            "signal" => signal(attempt, text),
            "call" => call(url, &text),
            "status" => status(url),
            "secret" => {
                let request =
                    http::Request::get(url).header("authorization", secrets::handle(&text)?);
                done(request.send()?.success()?.text())
            }
            "evidence" => {
                evidence::record("link", &json!({ "url": url, "title": text }))?;
                done("recorded".to_owned())
            }
            "attach" => done(evidence::attach(
                "report.txt",
                "text/plain",
                text.as_bytes(),
            )?),
            "log" => write(&text),
            _ => panic!("{text}"),
        }
    }
}

impl Undo for Conformance {
    fn undo(_: &Attempt, inputs: Inputs, outputs: Option<Outputs>) -> Result<Outcome<()>, Failure> {
        let was = outputs.map_or("nothing".to_owned(), |outputs| outputs.text);
        log::info!("undoes {}: {was}", inputs.r#do);
        Ok(Outcome::Done(()))
    }
}

fn done(text: String) -> Done {
    Ok(Outcome::Done(Outputs { text, status: 0 }))
}

fn shown(a: &Attempt) -> String {
    format!(
        "{}|{}|{}|{}|{}|{}|{}",
        a.release, a.process, a.phase, a.activity, a.number, a.idempotency_key, a.now_ms
    )
}

fn count(attempt: &Attempt, text: String) -> Done {
    let Checkpoint { count, text: was } = attempt.checkpoint()?.unwrap_or_default();
    if count == 2 {
        return done(format!("{count} {was}"));
    }
    let next = Checkpoint {
        count: count + 1,
        text,
    };
    Ok(pending(&next, Duration::from_secs(2))?.status(format!("counting {}", next.count)))
}

fn signal(attempt: &Attempt, text: String) -> Done {
    match attempt.signal::<Value>()? {
        Some(payload) => {
            let Checkpoint { text: was, .. } = attempt.checkpoint()?.unwrap_or_default();
            done(format!(
                "{was} {}",
                payload["by"].as_str().unwrap_or("nobody")
            ))
        }
        None => Ok(pending_signal(&Checkpoint { count: 1, text }, "approved")?.status("waits")),
    }
}

fn call(url: String, text: &str) -> Done {
    let response = http::Request::post(url)
        .header("x-text", "a")
        .json(&json!({ "text": text }))
        .timeout(Duration::from_secs(5))
        .send()?
        .success()?;
    let answer: Value = response.json()?;
    Ok(Outcome::Done(Outputs {
        text: answer["text"].as_str().unwrap_or_default().to_owned(),
        status: response.status(),
    }))
}

fn status(url: String) -> Done {
    let response = http::Request::get(url).send()?;
    Ok(Outcome::Done(Outputs {
        text: response.header("X-Answer").unwrap_or("none").to_owned(),
        status: response.status(),
    }))
}

fn write(text: &str) -> Done {
    log::debug!("debug {text}");
    log::info!("info {text}");
    log::warn!("warn {text}");
    log::error!("error {text}");
    progress::report(40, text);
    done("logged".to_owned())
}

fermata_sdk::reversible_activity!(Conformance);
