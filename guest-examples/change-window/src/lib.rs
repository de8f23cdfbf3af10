//! A policy: releases start, and activities begin, only in certain hours of certain days where they reach an environment
//! that is named, and not at all on dates that are frozen.

mod calendar;

use calendar::{Date, Moment, Offset, TimeOfDay, Weekday};
use fermata_sdk::prelude::*;

/// Stands for any text in the name of an environment.
const ANY: char = '*';

/// When changes may happen, and where that matters.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Environments that the window is for, such as `production` or `production-*`.
    #[schemars(length(min = 1))]
    environments: Vec<String>,
    /// Days on which changes may happen.
    #[serde(default = "working_days")]
    weekdays: Vec<Weekday>,
    /// When the window opens, `HH:MM`.
    #[serde(default)]
    from: TimeOfDay,
    /// When it closes, `HH:MM`; `24:00` for the end of the day.
    #[serde(default = "TimeOfDay::end_of_day")]
    until: TimeOfDay,
    /// How far the local time is ahead of UTC, such as `+02:00`.
    #[serde(default)]
    offset: Offset,
    /// Dates on which nothing may change.
    #[serde(default)]
    frozen: Vec<Frozen>,
    /// For so many minutes before the window closes, changes are warned of.
    #[serde(default)]
    warn_minutes: u32,
    /// Whether emergency releases may change things at any time; people are told then.
    #[serde(default)]
    emergencies: bool,
}

/// Dates on which nothing may change.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Frozen {
    /// The first, `YYYY-MM-DD`.
    from: Date,
    /// The last, `YYYY-MM-DD`; the first is the only one if it is left out.
    #[serde(default)]
    to: Option<Date>,
    /// What people are told.
    #[serde(default)]
    reason: String,
}

fn working_days() -> Vec<Weekday> {
    Weekday::WORKING.to_vec()
}

struct ChangeWindow;

impl Policy for ChangeWindow {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Settings = Settings;

    fn summary() -> &'static str {
        "Lets changes reach environments in certain hours only."
    }

    fn judge(question: &Question, settings: Settings) -> Result<Verdict, Failure> {
        let Some(environment) = settings.concerned(question) else {
            return Ok(Verdict::Allow);
        };
        let now = Moment::of(question.now_ms, settings.offset);
        let verdict = settings.at(now, &environment);
        let emergency = question.text("/emergency");
        Ok(match (verdict, emergency) {
            (Verdict::Deny(why), Some(reason)) if settings.emergencies => {
                Verdict::Warn(format!("{why}; it is an emergency: {reason}"))
            }
            (verdict, _) => verdict,
        })
    }
}

fermata_sdk::policy!(ChangeWindow);

impl Settings {
    /// The environment that the window is for and that the question is about, if there is one.
    fn concerned(&self, question: &Question) -> Option<String> {
        let named = question.text("/inputs/environment");
        let known = question.subject["environments"].as_array();
        let known = known.into_iter().flatten().filter_map(Value::as_str);
        let mut all = named.into_iter().chain(known);
        let found = all.find(|name| self.environments.iter().any(|wanted| matches(wanted, name)));
        found.map(str::to_owned)
    }

    fn at(&self, now: Moment, environment: &str) -> Verdict {
        let frozen = self.frozen.iter().find(|frozen| frozen.holds(now.date));
        if let Some(frozen) = frozen {
            let last = frozen.last();
            let reason = match frozen.reason.as_str() {
                "" => String::new(),
                reason => format!(": {reason}"),
            };
            return Verdict::Deny(format!(
                "{environment} is frozen to the end of {last}{reason}"
            ));
        }
        let (from, until) = (self.from, self.until);
        if !self.weekdays.contains(&now.weekday) {
            let day = now.weekday;
            return Verdict::Deny(format!("{environment} is not changed on a {day}"));
        }
        if now.time < from || now.time >= until {
            return Verdict::Deny(format!(
                "{environment} is changed from {from} to {until} only, and it is {}",
                now.time
            ));
        }
        let left = until.minutes_after(now.time);
        if left <= self.warn_minutes {
            return Verdict::Warn(format!(
                "the window of {environment} closes at {until}, in {left} minutes"
            ));
        }
        Verdict::Allow
    }
}

impl Frozen {
    fn last(&self) -> Date {
        self.to.unwrap_or(self.from)
    }

    fn holds(&self, date: Date) -> bool {
        (self.from..=self.last()).contains(&date)
    }
}

/// Whether `pattern` means `name`; a `*` at its end means everything that begins so.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(ANY) {
        Some(begin) => name.starts_with(begin),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fermata_sdk::testing;

    /// Wednesday, 2026-11-25, 14:50 UTC.
    const WEDNESDAY: u64 = 1_795_618_200_000;
    const HOUR: u64 = 60 * 60 * 1000;

    fn settings(more: Value) -> Value {
        let mut settings =
            json!({ "environments": ["production-*", "live"], "from": "08:00", "until": "15:00" });
        if let (Some(all), Value::Object(more)) = (settings.as_object_mut(), more) {
            all.extend(more);
        }
        settings
    }

    fn judge(now_ms: u64, subject: Value, more: Value) -> Verdict {
        let mut question = testing::question(Point::Activity, subject);
        question.now_ms = now_ms;
        testing::judge::<ChangeWindow>(&question, settings(more)).expect("a verdict")
    }

    fn live() -> Value {
        json!({ "inputs": { "environment": "live" } })
    }

    fn denied(verdict: Verdict) -> String {
        match verdict {
            Verdict::Deny(why) => why,
            other => panic!("it is not denied: {other:?}"),
        }
    }

    #[test]
    fn the_window_is_for_the_environments_that_are_named() {
        let night = WEDNESDAY + 4 * HOUR;
        for subject in [
            json!({ "inputs": { "environment": "staging" } }),
            json!({ "inputs": {} }),
            json!({ "environments": ["staging"] }),
        ] {
            assert_eq!(
                judge(night, subject.clone(), json!({})),
                Verdict::Allow,
                "{subject}"
            );
        }
        for subject in [
            live(),
            json!({ "inputs": { "environment": "production-eu" } }),
            json!({ "environments": ["staging", "live"], "inputs": {} }),
        ] {
            denied(judge(night, subject, json!({})));
        }
    }

    #[test]
    fn hours_and_days_are_local() {
        assert_eq!(judge(WEDNESDAY, live(), json!({})), Verdict::Allow);
        let late = denied(judge(WEDNESDAY, live(), json!({ "offset": "+02:00" })));
        assert_eq!(
            late,
            "live is changed from 08:00 to 15:00 only, and it is 16:50"
        );
        let early = denied(judge(WEDNESDAY, live(), json!({ "offset": "-08:00" })));
        assert!(early.ends_with("it is 06:50"), "{early}");
        let saturday = denied(judge(WEDNESDAY + 72 * HOUR, live(), json!({})));
        assert_eq!(saturday, "live is not changed on a Saturday");
        let weekend = json!({ "weekdays": ["sat", "sun"] });
        assert_eq!(
            judge(WEDNESDAY + 72 * HOUR, live(), weekend),
            Verdict::Allow
        );
    }

    #[test]
    fn the_last_minutes_are_warned_of() {
        let warned = judge(WEDNESDAY, live(), json!({ "warn_minutes": 10 }));
        let told = "the window of live closes at 15:00, in 10 minutes";
        assert_eq!(warned, Verdict::Warn(told.to_owned()));
        let earlier = judge(WEDNESDAY - 60_000, live(), json!({ "warn_minutes": 10 }));
        assert_eq!(earlier, Verdict::Allow);
    }

    #[test]
    fn frozen_dates_go_before_everything_else_but_an_emergency() {
        let frozen =
            json!([{ "from": "2026-11-24", "to": "2026-11-25", "reason": "quarter's end" }]);
        let why = denied(judge(WEDNESDAY, live(), json!({ "frozen": frozen })));
        assert_eq!(
            why,
            "live is frozen to the end of 2026-11-25: quarter's end"
        );
        let day = json!([{ "from": "2026-11-25" }]);
        denied(judge(WEDNESDAY, live(), json!({ "frozen": day })));
        let other = json!([{ "from": "2026-11-26" }]);
        assert_eq!(
            judge(WEDNESDAY, live(), json!({ "frozen": other })),
            Verdict::Allow
        );

        let mut urgent = live();
        urgent["emergency"] = "payments are down".into();
        denied(judge(WEDNESDAY, urgent.clone(), json!({ "frozen": day })));
        let more = json!({ "frozen": day, "emergencies": true });
        let Verdict::Warn(told) = judge(WEDNESDAY, urgent, more) else {
            panic!("an emergency goes on");
        };
        assert!(
            told.ends_with("it is an emergency: payments are down"),
            "{told}"
        );
    }

    #[test]
    fn settings_that_make_no_sense_are_told() {
        let question = testing::question(Point::Start, json!({}));
        for (name, value) in [
            ("from", json!("8 o'clock")),
            ("until", json!("25:00")),
            ("offset", json!("Berlin")),
            ("weekdays", json!(["someday"])),
            ("frozen", json!([{ "from": "2026-02-30" }])),
            ("hours", json!(8)),
        ] {
            let more = json!({ name: value });
            let failure = testing::judge::<ChangeWindow>(&question, settings(more));
            let failure = failure.expect_err(name);
            assert_eq!(failure.code_given(), Some("invalid-settings"), "{name}");
        }
    }
}
