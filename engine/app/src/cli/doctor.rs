//! `fermata doctor`: whether the server can be reached and used from here, one line for each check.

use reqwest::header::{DATE, HeaderMap};
use serde_json::{Value, json};

use super::Context;
use super::error::Error;
use super::text::{self, Tone, cell};
use crate::client::{self, Call, Client, token};
use crate::exit::Exit;
use crate::wire;

/// Difference between the clocks that is worth a remark: more than a slow answer explains.
const SKEW_MS_MAX: u64 = 5_000;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Fine.
    Fine,
    /// Works, but somebody should know.
    Odd,
    /// Does not work.
    Broken,
}

/// One check.
#[derive(Debug)]
struct Check {
    what: &'static str,
    verdict: Verdict,
    found: String,
    next: Option<String>,
}

impl Check {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self {
            what,
            verdict: Verdict::Fine,
            found: found.into(),
            next: None,
        }
    }

    fn odd(what: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            what,
            verdict: Verdict::Odd,
            found: found.into(),
            next: Some(next.into()),
        }
    }

    fn broken(what: &'static str, error: &client::Error) -> Self {
        Self {
            what,
            verdict: Verdict::Broken,
            found: error.to_string(),
            next: error.next(),
        }
    }
}

/// Runs the command: exit code 0 if everything works, else that of the first thing that does not.
pub(super) async fn run(context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let mut checks = Vec::new();
    let exit = examine(&client, &mut checks).await;
    report(context, &client, &checks)?;
    Ok(exit)
}

/// Does all checks that make sense; later ones need earlier ones.
async fn examine(client: &Client, checks: &mut Vec<Check>) -> Exit {
    match client.probe("/livez").await {
        Ok(200..300) => checks.push(Check::fine(
            "server",
            format!("{} answers", client.server()),
        )),
        Ok(status) => {
            let foreign = client::Error::Foreign {
                server: client.server().into(),
                status,
            };
            checks.push(Check::broken("server", &foreign));
            return Exit::Server;
        }
        Err(error) => {
            checks.push(Check::broken("server", &error));
            return error.exit();
        }
    }
    let mut exit = Exit::Ok;
    match client.probe("/readyz").await {
        Ok(200..300) => checks.push(Check::fine("ready", "it takes requests")),
        Ok(status) => {
            exit = Exit::Server;
            let mut check = Check::odd(
                "ready",
                format!("it takes no requests (status {status})"),
                "it is starting, stopping, or cannot write: look at its log",
            );
            check.verdict = Verdict::Broken;
            checks.push(check);
        }
        Err(error) => {
            checks.push(Check::broken("ready", &error));
            return error.exit();
        }
    }
    checks.push(token_check(client));
    match access(client, checks).await {
        Ok(()) => exit,
        Err(error) => {
            checks.push(Check::broken("access", &error));
            error.exit()
        }
    }
}

fn token_check(client: &Client) -> Check {
    let Some(token) = client.token() else {
        return Check::odd(
            "token",
            "none",
            format!(
                "pass --token-file FILE or set FERMATA_TOKEN_FILE; a server started here writes {}",
                token::BOOTSTRAP_FILE
            ),
        );
    };
    let plain = client.server().starts_with("http://");
    let local = reqwest::Url::parse(client.server()).is_ok_and(|url| token::is_loopback(&url));
    if plain && !local {
        let found = format!("from {}, sent without encryption", token.source);
        return Check::odd("token", found, "use https:// for servers on other machines");
    }
    Check::fine("token", format!("from {}", token.source))
}

/// What needs a token: versions, who we are, the limits, the clock.
async fn access(client: &Client, checks: &mut Vec<Check>) -> Result<(), client::Error> {
    let answer = client.send(Call::get(&["version"])).await?;
    checks.push(version_check(&answer.body));
    checks.push(clock_check(&answer.headers));
    let me = client.json(Call::get(&["me"])).await?;
    let name = cell(me.get("name"));
    let groups = cell(me.get("groups"));
    checks.push(Check::fine(
        "access",
        format!("as {name}, groups: {groups}"),
    ));
    let secrets = client.json(Call::get(&["secrets"])).await?;
    checks.push(secrets_check(&secrets));
    let notifiers = client.json(Call::get(&["notifiers"])).await?;
    checks.push(notifiers_check(&notifiers));
    let limits = client.json(Call::get(&["limits"])).await?;
    let count = super::items(&limits).count();
    checks.push(Check::fine(
        "limits",
        format!("{count} in force (GET /api/v1/limits)"),
    ));
    Ok(())
}

fn version_check(answer: &Value) -> Check {
    let (ours, theirs) = (env!("CARGO_PKG_VERSION"), cell(answer.get("version")));
    if ours == theirs {
        Check::fine("version", theirs)
    } else {
        let found = format!("server {theirs}, this program {ours}");
        Check::odd("version", found, "use the same version on both sides")
    }
}

/// Whether the server can open what it keeps.
fn secrets_check(answer: &Value) -> Check {
    let sealed: Vec<String> = super::items(answer)
        .filter(|secret| secret.get("opens").and_then(Value::as_bool) != Some(true))
        .map(|secret| cell(secret.get("name")))
        .collect();
    if sealed.is_empty() {
        let count = super::items(answer).count();
        return Check::fine("secrets", format!("{count} set, all of them open"));
    }
    let found = format!("these do not open: {}", sealed.join(", "));
    let next = "`fermata secret list` says which key is missing: give it to the server and restart it, or set them again";
    Check::odd("secrets", found, next)
}

/// Whether people outside are told what they are to be told.
fn notifiers_check(answer: &Value) -> Check {
    let fails = |notifier: &&Value| notifier.get("failures").and_then(Value::as_u64) > Some(0);
    let failing: Vec<String> = super::items(answer)
        .filter(fails)
        .map(|notifier| cell(notifier.get("name")))
        .collect();
    if failing.is_empty() {
        let count = super::items(answer).count();
        return Check::fine("notifiers", format!("{count} set, none of them fails"));
    }
    let found = format!("these fail at the moment: {}", failing.join(", "));
    let next = "`fermata notifier show NAME` says how, `fermata notifier test NAME` tries again";
    Check::odd("notifiers", found, next)
}

/// Compares the clocks by the `Date` of an answer, which has whole seconds.
fn clock_check(headers: &HeaderMap) -> Check {
    let date = headers.get(DATE).and_then(|value| value.to_str().ok());
    let Some(theirs) = date.and_then(http_date) else {
        return Check::fine("clock", "the server sends no date");
    };
    let ours = wire::now().0;
    let skew = ours.abs_diff(theirs);
    if skew <= SKEW_MS_MAX {
        Check::fine("clock", "agrees with ours")
    } else {
        let side = if theirs > ours { "ahead of" } else { "behind" };
        Check::odd(
            "clock",
            format!("{} {side} ours", text::span(skew)),
            "set both clocks (NTP): times and expiries are the server's",
        )
    }
}

/// Milliseconds of an HTTP date, `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, clock, "GMT"] = parts[..] else {
        return None;
    };
    let month = MONTHS.find(month)? / 3 + 1;
    let time = format!("{year}-{month:02}-{day}T{clock}Z");
    time.parse::<fermata_core::time::Timestamp>()
        .ok()
        .map(|time| time.0)
}

fn report(context: &mut Context, client: &Client, checks: &[Check]) -> Result<(), Error> {
    if context.out.is_json() {
        let list: Vec<Value> = checks
            .iter()
            .map(|check| {
                let verdict = match check.verdict {
                    Verdict::Fine => "fine",
                    Verdict::Odd => "odd",
                    Verdict::Broken => "broken",
                };
                json!({ "check": check.what, "verdict": verdict, "found": check.found, "next": check.next })
            })
            .collect();
        return context
            .out
            .json(&json!({ "server": client.server(), "checks": list }));
    }
    let paint = context.out.paint();
    for check in checks {
        let (tone, mark) = match check.verdict {
            Verdict::Fine => (Tone::Good, "✓"),
            Verdict::Odd => (Tone::Ask, "!"),
            Verdict::Broken => (Tone::Bad, "✗"),
        };
        let mark = paint.tone(tone, mark);
        context.out.line(&format!(
            "{mark} {:<8} {}",
            check.what,
            text::tidy(&check.found)
        ))?;
        if let Some(next) = &check.next {
            context.out.line(&format!("  {:<8} {next}", "next:"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read() {
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777_000)
        );
        for text in [
            "",
            "now",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "a b ü d e GMT",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_clock_far_off_is_odd() {
        let mut headers = HeaderMap::new();
        headers.insert(
            DATE,
            "Sun, 06 Nov 1994 08:49:37 GMT".parse().expect("a header"),
        );
        let check = clock_check(&headers);
        assert_eq!(check.verdict, Verdict::Odd);
        assert!(check.found.contains("behind"), "{}", check.found);
        assert_eq!(clock_check(&HeaderMap::new()).verdict, Verdict::Fine);
    }

    #[test]
    fn secrets_that_do_not_open_are_odd() {
        let answer = |opens| json!({ "items": [{ "name": "token", "opens": opens }] });
        assert_eq!(secrets_check(&answer(true)).verdict, Verdict::Fine);
        let check = secrets_check(&answer(false));
        assert_eq!(check.verdict, Verdict::Odd);
        assert!(check.found.contains("token"), "{}", check.found);
    }

    #[test]
    fn notifiers_that_fail_are_odd() {
        let answer = |failures| json!({ "items": [{ "name": "chat", "failures": failures }] });
        assert_eq!(notifiers_check(&answer(0)).verdict, Verdict::Fine);
        let check = notifiers_check(&answer(2));
        assert_eq!(check.verdict, Verdict::Odd);
        assert!(check.found.contains("chat"), "{}", check.found);
    }

    #[test]
    fn other_versions_are_odd() {
        let same = json!({ "version": env!("CARGO_PKG_VERSION") });
        assert_eq!(version_check(&same).verdict, Verdict::Fine);
        assert_eq!(
            version_check(&json!({"version": "99.0.0"})).verdict,
            Verdict::Odd
        );
    }
}
