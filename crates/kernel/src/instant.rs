/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u32);

/// A point in time: microseconds since 1970-01-01T00:00:00Z, no leap seconds.
///
/// It is always an argument called `now`; only the outermost layer reads a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch, as stored.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch, as stored.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This much later; stays at the end of time instead of wrapping.
    pub const fn after(self, wait: Millis) -> Self {
        Self(self.0.saturating_add(wait.0 as i64 * 1_000))
    }

    /// This much earlier; stays at the beginning of time instead of wrapping.
    pub const fn before(self, span: Millis) -> Self {
        Self(self.0.saturating_sub(span.0 as i64 * 1_000))
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-20T23:23:40.125Z`.
    ///
    /// The calendar is Howard Hinnant's `civil_from_days`
    /// (<https://howardhinnant.github.io/date_algorithms.html>), proleptic Gregorian.
    pub fn rfc3339(self) -> String {
        let (days, micros) = (
            self.0.div_euclid(86_400_000_000),
            self.0.rem_euclid(86_400_000_000),
        );
        let (year, month, day) = civil_from_days(days);
        let millis = micros / 1_000;
        let (hour, minute, second) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60);
        format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
            millis % 1_000
        )
    }
}

/// Year, month (1–12) and day (1–31) of the day that is `days` after 1970-01-01.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (
        year_of_era + era * 400 + if month <= 2 { 1 } else { 0 },
        month,
        day,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_print_as_rfc_3339() {
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Instant::from_micros(micros).rfc3339(), expected);
        }
    }

    #[test]
    fn later_never_wraps() {
        assert_eq!(Instant::EPOCH.after(Millis(1_500)).micros(), 1_500_000);
        assert_eq!(Instant::from_micros(i64::MAX).after(Millis(1)).micros(), i64::MAX);
        assert_eq!(
            Instant::from_micros(1_500_000).before(Millis(500)).micros(),
            1_000_000
        );
        assert_eq!(
            Instant::from_micros(i64::MIN).before(Millis(1)).micros(),
            i64::MIN
        );
    }
}
