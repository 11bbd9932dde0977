use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::Instant;

/// A second in microseconds.
const SECOND: i64 = 1_000_000;

/// A day in microseconds, where the clock is not moved.
const DAY: i64 = 24 * 60 * 60 * SECOND;

/// Where a day begins and ends: a time zone of the IANA database that is compiled in.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
    name: String,
}

/// There is no time zone of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {0:?}")]
pub struct UnknownZone(pub String);

/// The moment lies outside the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the moment lies outside the calendar")]
pub struct OutOfCalendar;

impl Zone {
    /// The zone of this name: `Asia/Seoul`, `UTC`.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        let unknown = || UnknownZone(name.to_owned());
        let zone = TimeZone::get(name).map_err(|_| unknown())?;
        // Without a name it is a makeshift, such as the "unknown" zone.
        let known = zone.iana_name().ok_or_else(unknown)?.to_owned();
        Ok(Self { zone, name: known })
    }

    /// Its name as the database spells it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The local date of a moment.
    pub fn day(&self, at: Instant) -> Result<Day, OutOfCalendar> {
        let moment = Timestamp::from_microsecond(at.micros()).map_err(|_| OutOfCalendar)?;
        Day::of(self.zone.to_datetime(moment).date()).ok_or(OutOfCalendar)
    }

    /// From this moment on, up to which it is the same day, without a gap: until midnight, or until the clock is
    /// moved. A day may have several such spans, since a clock that is put back may begin the evening before again.
    pub fn span(&self, at: Instant) -> Result<(Day, Instant), OutOfCalendar> {
        let moment = Timestamp::from_microsecond(at.micros()).map_err(|_| OutOfCalendar)?;
        let ahead = i64::from(self.zone.to_offset(moment).seconds()) * SECOND;
        let midnight = (at.micros() + ahead).div_euclid(DAY) * DAY + DAY - ahead;
        let moved = self.zone.following(moment).next();
        let moved = moved.map_or(i64::MAX, |moved| moved.timestamp().as_microsecond());
        Ok((self.day(at)?, Instant::from_micros(midnight.min(moved))))
    }
}

/// A date of the calendar, `2026-11-21`; years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    fn of(date: Date) -> Option<Self> {
        (date.year() >= 1).then_some(Self(date))
    }

    /// Takes `yyyy-MM-dd` and nothing else; the date must exist.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month, day) = match text.as_bytes() {
            [_, _, _, _, b'-', _, _, b'-', _, _] => (text.get(..4)?, text.get(5..7)?, text.get(8..)?),
            _ => return None,
        };
        let (month, day) = (
            i8::try_from(digits(month)?).ok()?,
            i8::try_from(digits(day)?).ok()?,
        );
        Self::of(Date::new(digits(year)?, month, day).ok()?)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}",
            self.0.year(),
            self.0.month(),
            self.0.day()
        )
    }
}

/// A month of the calendar, `2026-11`; years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// Takes `yyyy-MM` and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = match text.as_bytes() {
            [_, _, _, _, b'-', _, _] => (digits(text.get(..4)?)?, digits(text.get(5..)?)?),
            _ => return None,
        };
        let known = year >= 1 && (1..=12).contains(&month);
        known.then_some(Self {
            year,
            month: i8::try_from(month).ok()?,
        })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// The number that all of `text` spells in ASCII digits: no sign, no blank.
fn digits(text: &str) -> Option<i16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(zone: &str, moment: &str) -> String {
        let micros = moment.parse::<Timestamp>().unwrap().as_microsecond();
        let zone = Zone::parse(zone).unwrap();
        zone.day(Instant::from_micros(micros)).unwrap().to_string()
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone() {
        for (zone, moment, expected) in [
            ("Asia/Seoul", "2026-11-20T14:59:59.999999Z", "2026-11-20"),
            ("Asia/Seoul", "2026-11-20T15:00:00Z", "2026-11-21"),
            ("Asia/Seoul", "2026-12-31T15:00:00Z", "2027-01-01"),
            ("Asia/Seoul", "2028-02-28T15:00:00Z", "2028-02-29"),
            ("UTC", "2026-11-20T23:59:59.999999Z", "2026-11-20"),
            ("Pacific/Kiritimati", "2026-11-20T10:00:00Z", "2026-11-21"),
            // Seoul kept summer time in 1988: from 8 May, 02:00, an hour more.
            ("Asia/Seoul", "1988-05-07T14:59:59Z", "1988-05-07"),
            ("Asia/Seoul", "1988-07-01T13:59:59Z", "1988-07-01"),
            ("Asia/Seoul", "1988-07-01T14:00:00Z", "1988-07-02"),
        ] {
            assert_eq!(day(zone, moment), expected, "{zone} {moment}");
        }
    }

    #[test]
    fn days_are_23_and_25_hours_long_where_the_clock_is_moved() {
        for (moment, expected) in [
            ("2026-03-08T04:59:59Z", "2026-03-07"),
            ("2026-03-08T05:00:00Z", "2026-03-08"),
            ("2026-03-09T03:59:59Z", "2026-03-08"),
            ("2026-03-09T04:00:00Z", "2026-03-09"),
            ("2026-11-01T04:00:00Z", "2026-11-01"),
            ("2026-11-02T04:59:59Z", "2026-11-01"),
            ("2026-11-02T05:00:00Z", "2026-11-02"),
        ] {
            assert_eq!(day("America/New_York", moment), expected, "{moment}");
        }
        // In São Paulo the clock went from 24:00 back to 23:00, so that a day had two last hours, ...
        assert_eq!(day("America/Sao_Paulo", "2018-02-18T01:59:59Z"), "2018-02-17");
        assert_eq!(day("America/Sao_Paulo", "2018-02-18T02:59:59Z"), "2018-02-17");
        assert_eq!(day("America/Sao_Paulo", "2018-02-18T03:00:00Z"), "2018-02-18");
        // ... and Samoa left out a whole one.
        assert_eq!(day("Pacific/Apia", "2011-12-30T09:59:59Z"), "2011-12-29");
        assert_eq!(day("Pacific/Apia", "2011-12-30T10:00:00Z"), "2011-12-31");
    }

    #[test]
    fn a_zone_has_one_name_however_it_is_spelt() {
        assert_eq!(Zone::parse("asia/seoul").unwrap().name(), "Asia/Seoul");
        assert_eq!(Zone::parse("UTC").unwrap().name(), "UTC");
        for name in [
            "",
            " ",
            "Asia",
            "Asia/Seoul ",
            "Mars/Base",
            "Etc/Unknown",
            "+09:00",
            "KST-9",
            "../x",
        ] {
            assert_eq!(
                Zone::parse(name).unwrap_err(),
                UnknownZone(name.to_owned()),
                "{name:?}"
            );
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_not_dates() {
        for text in ["2026-11-21", "2028-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(Day::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026",
            "2026-11",
            "2026-11-1",
            "2026-11-211",
            "2026-02-30",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "0000-01-01",
            "-001-01-01",
            "+026-11-21",
            "2026/11/21",
            "20261121",
            "2026-11-21T00:00:00Z",
            " 2026-11-21",
            "２026-11-21",
            "2026-1１-2",
            "abcd-ef-gh",
        ] {
            assert_eq!(Day::parse(text), None, "{text:?}");
        }
        for text in ["2026-11", "0001-01", "9999-12"] {
            assert_eq!(Month::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-1",
            "2026-011",
            "0000-01",
            "2026-+1",
            "2026-11-21",
        ] {
            assert_eq!(Month::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_calendar_has_an_end() {
        let zone = Zone::parse("Asia/Seoul").unwrap();
        for micros in [i64::MIN, i64::MAX, -62_200_000_000_000_000] {
            assert_eq!(zone.day(Instant::from_micros(micros)), Err(OutOfCalendar));
        }
    }

    /// How a span goes on, hour by hour of what it says and shortly before and behind its end.
    fn check_span(zone: &Zone, at: i64) -> Result<(), TestCaseError> {
        let day = |at| zone.day(Instant::from_micros(at)).unwrap();
        let (of, until) = zone.span(Instant::from_micros(at)).unwrap();
        prop_assert!(at < until.micros() && until.micros() - at <= DAY);
        prop_assert_eq!(of, day(at));
        for within in (at..until.micros())
            .step_by(3_600_000_000)
            .chain([until.micros() - 1])
        {
            prop_assert_eq!(day(within), of);
        }
        Ok(())
    }

    #[test]
    fn a_clock_put_back_past_midnight_begins_the_evening_again() {
        let zone = Zone::parse("America/St_Johns").unwrap();
        let mut at = "2010-11-06T12:00:00Z"
            .parse::<Timestamp>()
            .unwrap()
            .as_microsecond();
        let spans: Vec<String> = (0..4)
            .map(|_| {
                let (day, until) = zone.span(Instant::from_micros(at)).unwrap();
                at = until.micros();
                let until = Timestamp::from_microsecond(at).unwrap();
                format!("{day} until {until}")
            })
            .collect();
        assert_eq!(
            spans,
            [
                "2010-11-06 until 2010-11-07T02:30:00Z",
                "2010-11-07 until 2010-11-07T02:31:00Z",
                "2010-11-06 until 2010-11-07T03:30:00Z",
                "2010-11-07 until 2010-11-08T03:30:00Z",
            ]
        );
    }

    proptest! {
        #[test]
        fn a_span_is_of_one_day(
            at in -60_000_000_000_000_000i64..200_000_000_000_000_000,
            zone in prop::sample::select(vec![
                "UTC", "Asia/Seoul", "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe",
            ]),
        ) {
            check_span(&Zone::parse(zone).unwrap(), at)?;
        }

        #[test]
        fn a_day_survives_text_and_text_sorts_as_days_do(
            one in -60_000_000_000_000_000i64..200_000_000_000_000_000,
            other in -60_000_000_000_000_000i64..200_000_000_000_000_000,
        ) {
            let zone = Zone::parse("Asia/Seoul").unwrap();
            let days = [one, other].map(|micros| zone.day(Instant::from_micros(micros)).unwrap());
            prop_assert_eq!(Day::parse(&days[0].to_string()), Some(days[0]));
            prop_assert_eq!(days[0].cmp(&days[1]), days[0].to_string().cmp(&days[1].to_string()));
        }
    }
}
