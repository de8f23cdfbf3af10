//! Local time from milliseconds since the Unix epoch, by the proleptic Gregorian calendar.

use std::fmt;

use fermata_sdk::prelude::*;

const MINUTE_MS: i64 = 60 * 1000;
const DAY_MINUTES: i64 = 24 * 60;
/// Years after which the calendar repeats itself, in days.
const ERA_DAYS: i64 = 146_097;

/// A time of day, in minutes since midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct TimeOfDay(u32);

/// How far local time is ahead of UTC, in minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Offset(i64);

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Date {
    year: i64,
    month: u32,
    day: u32,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// An instant as people see it who live at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) date: Date,
    pub(crate) weekday: Weekday,
    pub(crate) time: TimeOfDay,
}

/// Texts with a shape of their own, as JSON Schema has them.
macro_rules! written {
    ($($type:ty: $pattern:literal;)*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        })*
    };
}

written! {
    TimeOfDay: r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$";
    Offset: r"^[+-](0\d|1[0-4]):[0-5]\d$";
    Date: r"^\d{4}-\d{2}-\d{2}$";
}

impl TimeOfDay {
    pub(crate) fn end_of_day() -> Self {
        Self(24 * 60)
    }

    pub(crate) fn minutes_after(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// Hours and minutes of `HH:MM`.
fn clock(text: &str) -> Option<(u32, u32)> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str| part.parse().ok().filter(|_| part.len() == 2);
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    Some((number(hours)?, minutes))
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let minutes = clock(&text).map(|(hours, minutes)| hours * 60 + minutes);
        let fits = minutes.filter(|minutes| *minutes <= 24 * 60);
        fits.map(Self).ok_or("expected a time of day such as 08:30")
    }
}

impl TryFrom<String> for Offset {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "expected an offset such as +02:00";
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return Err(EXPECTED),
        };
        let (hours, minutes) = clock(rest).ok_or(EXPECTED)?;
        Ok(Self(sign * i64::from(hours * 60 + minutes)))
    }
}

impl TryFrom<String> for Date {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "expected a date such as 2026-12-24";
        let mut parts = text.splitn(3, '-').map(str::parse::<u32>);
        let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(EXPECTED);
        };
        let date = Self {
            year: year.into(),
            month,
            day,
        };
        let fits = (1..=12).contains(&month) && (1..=31).contains(&day) && year < 10_000;
        // A day that is not there would be another one by its number.
        if fits && Self::of_days(date.days()) == date {
            Ok(date)
        } else {
            Err(EXPECTED)
        }
    }
}

impl Date {
    /// Days since 1970-01-01; months are counted from March, so that leap days come last.
    fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = if month > 2 { self.year } else { self.year - 1 };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    fn of_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(ERA_DAYS);
        let of_era = shifted.rem_euclid(ERA_DAYS);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march = (5 * of_year + 2) / 153;
        let month = (march + 2) % 12 + 1;
        let small = |number: i64| u32::try_from(number).unwrap_or_default();
        Self {
            year: era * 400 + year + i64::from(month <= 2),
            month: small(month),
            day: small(of_year - (153 * march + 2) / 5 + 1),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Weekday {
    pub(crate) const WORKING: [Self; 5] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri];
    /// 1970-01-01 was the first of these.
    const ALL: [Self; 7] = [
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
        Self::Mon,
        Self::Tue,
        Self::Wed,
    ];

    fn of_days(days: i64) -> Self {
        let at = usize::try_from(days.rem_euclid(7)).unwrap_or_default();
        Self::ALL[at]
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mon => "Monday",
            Self::Tue => "Tuesday",
            Self::Wed => "Wednesday",
            Self::Thu => "Thursday",
            Self::Fri => "Friday",
            Self::Sat => "Saturday",
            Self::Sun => "Sunday",
        })
    }
}

impl Moment {
    pub(crate) fn of(now_ms: u64, offset: Offset) -> Self {
        let ms = i64::try_from(now_ms).unwrap_or(i64::MAX / 2);
        let minutes = ms / MINUTE_MS + offset.0;
        let days = minutes.div_euclid(DAY_MINUTES);
        let time = u32::try_from(minutes.rem_euclid(DAY_MINUTES)).unwrap_or_default();
        Self {
            date: Date::of_days(days),
            weekday: Weekday::of_days(days),
            time: TimeOfDay(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_the_same_both_ways() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2026-11-28", 20_785),
            ("2100-03-01", 47_541),
        ] {
            let date = Date::try_from(text.to_owned()).expect("a date");
            assert_eq!(date.days(), days, "{text}");
            assert_eq!(Date::of_days(days).to_string(), text);
        }
        for bad in [
            "2025-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1",
            "tomorrow",
            "",
        ] {
            assert!(Date::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
