//! What a trial cost and what it asked of its host, for the author who reads it.

use std::fmt::Write as _;

use fermata_core::attempt::Usage;
use fermata_core::recording::{Body, Exchange, HttpAnswer, HttpExchange, SecretAnswer};
use serde_json::Value;

use crate::cli::text::{self, Paint, Tone, bytes};
use crate::trial::{Tried, Used};

/// From this share of a limit on, it is worth a line.
const NEAR_PERCENT: u64 = 50;
/// Frames of a back-trace that are shown.
const FRAMES_SHOWN: usize = 5;
/// Before each line about a case.
const INDENT: &str = "       ";

/// One case: a line about how it went, and what matters of the rest; all of it if it is `verbose` or went wrong.
pub(super) fn case(
    name: &str,
    tried: &Tried,
    fault: Option<&str>,
    verbose: bool,
    paint: Paint,
) -> String {
    let (mark, tone) = match fault {
        Some(_) => ("failed", Tone::Bad),
        None => ("ok", Tone::Good),
    };
    let mut out = format!(
        "{} {}  {}\n",
        paint.tone(tone, &format!("{mark:<6}")),
        text::tidy(name),
        paint.tone(Tone::Faint, &cost(tried))
    );
    let mut add = |line: &str| {
        writeln!(out, "{INDENT}{}", text::tidy(line)).expect("strings take all text");
    };
    if let Some(fault) = fault {
        add(fault);
        for line in place(&tried.ended) {
            add(&line);
        }
    }
    let near = tried.limits.iter();
    near.filter(|used| verbose || used.percent >= NEAR_PERCENT)
        .for_each(|used| add(&limit(used)));
    if verbose || fault.is_some() {
        for exchange in &tried.exchanges {
            add(&format!("> {}", told(exchange)));
        }
        for line in &tried.log {
            add(&format!("| {line}"));
        }
    }
    out
}

/// What a case cost, in one line.
fn cost(tried: &Tried) -> String {
    let Usage {
        cpu_us,
        memory_bytes,
        ..
    } = tried.usage;
    format!(
        "{} in {}, {}, cpu {}, memory {}",
        counted(tried.runs, "run"),
        text::span(tried.ms),
        counted(tried.calls, "call"),
        micros(cpu_us),
        bytes(memory_bytes)
    )
}

/// Processor time.
fn micros(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..100_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        _ => text::span(us / 1_000),
    }
}

/// How near a limit was.
fn limit(used: &Used) -> String {
    let (value, most) = (used.value, used.limit.value);
    let (value, most) = match used.limit.unit {
        "bytes" => (bytes(value), bytes(most)),
        "milliseconds" => (text::span(value), text::span(most)),
        unit => (value.to_string(), format!("{most} {unit}")),
    };
    let (name, percent) = (used.limit.name, used.percent);
    let near = format!("{name:<14} {value:>9} of {most:<14} {percent:>3} %");
    if used.percent >= NEAR_PERCENT {
        format!("{near}: {}", used.limit.remedy)
    } else {
        near
    }
}

/// Where a failure came from, as far as the component says.
fn place(ended: &Value) -> Vec<String> {
    let failure = ended.get("failure");
    let of = |name: &str| failure.and_then(|failure| failure.get(name));
    let message = of("message").and_then(Value::as_str);
    let mut lines: Vec<String> = message.map(str::to_owned).into_iter().collect();
    let frames = of("backtrace").and_then(Value::as_array);
    let frames = frames.into_iter().flatten().filter_map(Value::as_str);
    lines.extend(
        frames
            .take(FRAMES_SHOWN)
            .map(|frame| format!("  at {frame}")),
    );
    lines
}

/// One exchange in one line.
pub(super) fn told(exchange: &Exchange) -> String {
    match exchange {
        Exchange::Http(call) => called(call),
        Exchange::Secret { name, answer } => {
            let answer = match answer {
                SecretAnswer::StandIn(stand_in) => stand_in.clone(),
                SecretAnswer::Unknown => "there is none".into(),
                SecretAnswer::Sealed(why) => format!("cannot be opened: {why}"),
                SecretAnswer::Denied => "not granted".into(),
            };
            format!("secret {name}: {answer}")
        }
        Exchange::Evidence {
            kind,
            bytes: size,
            refused,
        } => {
            let answer = refused.as_deref().unwrap_or("recorded");
            format!("evidence {kind}, {}: {answer}", bytes(*size))
        }
    }
}

fn called(call: &HttpExchange) -> String {
    let sent = match &call.body {
        Some(body) => format!(" with {}", size(body)),
        None => String::new(),
    };
    let answer = match &call.answer {
        HttpAnswer::Nothing => "the run ended first".into(),
        HttpAnswer::Response { status, body, .. } => format!("{status}, {}", size(body)),
        HttpAnswer::Denied { what, .. } => format!("denied: {what}"),
        HttpAnswer::Invalid(why) => format!("invalid: {why}"),
        HttpAnswer::Timeout => "timeout".into(),
        HttpAnswer::Unreachable(why) => format!("unreachable: {why}"),
        HttpAnswer::TooLarge(most) => format!("the answer has more than {}", bytes(*most)),
        HttpAnswer::HeadTooLarge(most) => {
            format!("the headers of the answer have more than {}", bytes(*most))
        }
    };
    let took = text::span(call.ms);
    format!("{} {}{sent}: {answer}, {took}", call.method, call.url)
}

fn size(body: &Body) -> String {
    bytes(body.bytes)
}

/// A number with the thing that is counted.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use fermata_core::recording::Content;
    use serde_json::json;

    use super::*;

    fn tried() -> Tried {
        let usage = Usage {
            cpu_us: 1_250,
            memory_bytes: 40 << 20,
            http_calls: 1,
            ..Usage::default()
        };
        let call = Exchange::Http(HttpExchange {
            method: "GET".into(),
            url: "https://a.example/".into(),
            headers: Vec::new(),
            body: None,
            answer: HttpAnswer::Response {
                status: 503,
                headers: Vec::new(),
                body: Body {
                    content: Content(b"busy".to_vec()),
                    bytes: 4,
                },
            },
            ms: 7,
        });
        Tried {
            ended: json!({ "failure": { "message": "m\u{1b}[2J", "backtrace": ["wait (src/lib.rs:42:5)"] } }),
            log: vec!["info began".into()],
            runs: 1,
            calls: 1,
            unused: 0,
            ms: 3,
            limits: crate::trial::used(&usage),
            usage,
            exchanges: vec![call],
        }
    }

    #[test]
    fn what_went_well_is_short_and_what_is_near_a_limit_is_told() {
        let text = case("a page", &tried(), None, false, Paint(false));
        assert_eq!(
            text,
            "ok     a page  1 run in 3ms, 1 call, cpu 1.2 ms, memory 40.0 MiB\n       \
             memory          40.0 MiB of 64.0 MiB        62 %: process data in parts, or free what is no longer needed\n"
        );
    }

    #[test]
    fn what_went_wrong_is_told_with_its_place_its_calls_and_its_log() {
        let text = case(
            "a page",
            &tried(),
            Some("expected outputs"),
            false,
            Paint(false),
        );
        for part in [
            "failed a page",
            "       expected outputs\n",
            "         at wait (src/lib.rs:42:5)\n",
            "       > GET https://a.example/: 503, 4 B, 7ms\n",
            "       | info began\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let all = case("a page", &tried(), None, true, Paint(false));
        assert!(all.contains("http-calls") && all.contains("> GET"), "{all}");
    }
}
