//! When a cron trigger runs.
//!
//! Expressions are read as Spin's cron plugin reads them: seconds come first and must be there, a day
//! must fit both its fields, a step may start anywhere (`1/2`), and all of it is meant in UTC.

use croner::parser::{CronParser, Seconds};
use croner::{CivilDate, CivilDateTime, Cron, CronDateTime, Resolution, Weekday};
use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

const DAY_S: i64 = 86_400;

/// A cron expression of six fields, or of seven with a year.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    expression: String,
    cron: Cron,
}

/// Why an expression says no times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It has too few fields or too many.
    #[error(
        "{0} fields, but it needs six: second, minute, hour, day of month, month, day of week; a year may \
         follow"
    )]
    Fields(usize),
    /// A field says something impossible.
    #[error("{0}")]
    Malformed(String),
    /// It can be read, but there is no such time.
    #[error("no day is ever like that")]
    Never,
}

impl Schedule {
    /// Reads an expression.
    pub fn parse(expression: &str) -> Result<Self, ScheduleError> {
        let fields = expression.split_whitespace().count();
        if !matches!(fields, 6 | 7) && !expression.contains('@') {
            return Err(ScheduleError::Fields(fields));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .dom_and_dow(true)
            .sloppy_ranges(true)
            .build();
        let cron = parser
            .parse(expression)
            .map_err(|error| ScheduleError::Malformed(in_our_words(&error.to_string())))?;
        let schedule = Self {
            expression: expression.to_owned(),
            cron,
        };
        match schedule.next_after(Duration::ZERO) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never),
        }
    }

    /// The first time after this one; both count from 1970. `None` when there is none any more.
    pub fn next_after(&self, now: Duration) -> Option<Duration> {
        let now = Utc(i64::try_from(now.as_secs()).ok()?);
        let next = self.cron.find_next_occurrence(&now, false).ok()?;
        Some(Duration::from_secs(u64::try_from(next.0).ok()?))
    }
}

/// Every second.
impl Default for Schedule {
    fn default() -> Self {
        Self::parse("* * * * * *").expect("every second is a schedule")
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.expression)
    }
}

fn in_our_words(message: &str) -> String {
    let (_, text) = message.split_once(": ").unwrap_or(("", message));
    let text = text.trim_end_matches('.').replace("CronPattern", "the pattern");
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => text,
    }
}

/// Seconds since 1970 in UTC, where every time of every day happens once.
#[derive(Clone, Copy)]
struct Utc(i64);

impl CronDateTime for Utc {
    fn to_civil(&self) -> CivilDateTime {
        let (year, month, day) = civil(self.0.div_euclid(DAY_S));
        let second = u32::try_from(self.0.rem_euclid(DAY_S)).unwrap_or_default();
        let (hour, minute) = (second / 3600, second / 60 % 60);
        CivilDateTime::from_ymd_hms_opt(year, month, day, hour, minute, second % 60)
            .expect("the calendar below makes real dates")
    }

    fn civil_weekday(&self) -> Weekday {
        // The first day of 1970 was a Thursday.
        let days = (self.0.div_euclid(DAY_S) + 4).rem_euclid(7);
        Weekday::from_days_from_sunday(u32::try_from(days).unwrap_or_default())
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, croner::errors::CronError> {
        let time = i64::from(civil.hour() * 3600 + civil.minute() * 60 + civil.second());
        Ok(Resolution::Single(Self(days(civil.date()) * DAY_S + time)))
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(seconds).map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// Days of a whole turn of the Gregorian calendar.
const TURN_DAYS: i64 = 146_097;

/// The first of March of the year 0, from 1970: with February at a year's end leap days need no care.
const MARCH_OF_0: i64 = -719_468;

/// Year, month and day of a day counted from 1970.
fn civil(days: i64) -> (i32, u32, u32) {
    let days = days - MARCH_OF_0;
    let (turn, day) = (days.div_euclid(TURN_DAYS), days.rem_euclid(TURN_DAYS));
    let year = (day - day / 1460 + day / 36_524 - day / (TURN_DAYS - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carried) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = turn * 400 + year + carried;
    let small = |number: i64| u32::try_from(number).unwrap_or_default();
    (i32::try_from(year).unwrap_or(i32::MAX), small(month), small(day))
}

/// The inverse of [`civil`].
fn days(date: CivilDate) -> i64 {
    let (month, day) = (i64::from(date.month()), i64::from(date.day()));
    let year = i64::from(date.year()) - i64::from(month <= 2);
    let (turn, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    turn * TURN_DAYS + year * 365 + year / 4 - year / 100 + day + MARCH_OF_0
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// 2026-11-21T07:08:24Z, a Saturday.
    const NOW: Duration = Duration::from_secs(1_795_244_904);

    fn check(expression: &str, expected: Expect) {
        let said = match Schedule::parse(expression) {
            Err(error) => error.to_string(),
            Ok(schedule) => {
                let times =
                    std::iter::successors(schedule.next_after(NOW), |last| schedule.next_after(*last));
                let shown = times.take(3).map(|time| {
                    let seconds = i64::try_from(time.as_secs()).expect("it is near");
                    Utc(seconds).to_civil().to_string()
                });
                shown.collect::<Vec<_>>().join(" ")
            }
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn times_come_as_the_plugin_has_them() {
        check(
            "* * * * * *",
            expect!["2026-11-21T07:08:25 2026-11-21T07:08:26 2026-11-21T07:08:27"],
        );
        check(
            "1/2 * * * * *",
            expect!["2026-11-21T07:08:25 2026-11-21T07:08:27 2026-11-21T07:08:29"],
        );
        check(
            "*/20 8 * * * *",
            expect!["2026-11-21T07:08:40 2026-11-21T08:08:00 2026-11-21T08:08:20"],
        );
        check(
            "0 0 0 1 * MON",
            expect!["2027-02-01T00:00:00 2027-03-01T00:00:00 2027-11-01T00:00:00"],
        );
        check(
            "0 0 0 29 FEB *",
            expect!["2028-02-29T00:00:00 2032-02-29T00:00:00 2036-02-29T00:00:00"],
        );
        check(
            "0 1/2 11,12 5-10 * * 2027",
            expect!["2027-01-05T11:01:00 2027-01-05T11:03:00 2027-01-05T11:05:00"],
        );
        check(
            "@daily",
            expect!["2026-11-22T00:00:00 2026-11-23T00:00:00 2026-11-24T00:00:00"],
        );
        check("0 0 0 1 1 * 2020", expect![[r#""#]]);
    }

    #[test]
    fn what_makes_no_sense_is_explained() {
        check(
            "",
            expect![
                "0 fields, but it needs six: second, minute, hour, day of month, month, day of week; a year may follow"
            ],
        );
        check(
            "* * * * *",
            expect![
                "5 fields, but it needs six: second, minute, hour, day of month, month, day of week; a year may follow"
            ],
        );
        check(
            "0 0 0 1 1 * 2030 *",
            expect![
                "8 fields, but it needs six: second, minute, hour, day of month, month, day of week; a year may follow"
            ],
        );
        check("61 * * * * *", expect!["number out of bounds"]);
        check(
            "* * * * * SOON",
            expect!["the pattern contains illegal character 'S' in part 'SOON'"],
        );
        check(
            "a b c d e f",
            expect!["the pattern contains illegal character 'A' in part 'A'"],
        );
        check(
            "@sometimes",
            expect!["pattern must have 6 or 7 fields when seconds are required and years are optional"],
        );
        check("0 0 0 30 2 *", expect!["no day is ever like that"]);
    }

    #[test]
    fn every_day_has_one_date() {
        for day in -1_000_000..1_000_000 {
            let (year, month, date) = civil(day);
            let civil = CivilDate::from_ymd_opt(year, month, date).expect("a real date");
            assert_eq!(days(civil), day);
        }
    }
}
