use kernel::{Instant, Millis};

/// How long an order of a two-step checkout waits for its payment: from 1 second to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold(Millis);

/// The text of a setting names no time to wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a whole number of seconds from 1 to 86400")]
pub struct HoldError(String);

impl Hold {
    /// Reads a whole number of seconds.
    pub fn parse(text: &str) -> Result<Self, HoldError> {
        let wrong = || HoldError(text.to_owned());
        let seconds: u32 = text.parse().map_err(|_| wrong())?;
        if text.starts_with('+') || !(1..=86_400).contains(&seconds) {
            return Err(wrong());
        }
        Ok(Self(Millis(seconds * 1_000)))
    }

    /// When the time of an order that is placed now runs out.
    pub const fn from(self, now: Instant) -> Instant {
        now.after(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sensible_number_of_seconds_is_a_time_to_wait() {
        let end = |text: &str| Hold::parse(text).map(|hold| hold.from(Instant::EPOCH).micros());
        assert_eq!(end("1"), Ok(1_000_000));
        assert_eq!(end("600"), Ok(600_000_000));
        assert_eq!(end("86400"), Ok(86_400_000_000));
        for text in ["", "0", "-1", "+5", "86401", "10m", "1.5", " 600", "99999999999"] {
            assert_eq!(end(text), Err(HoldError(text.to_owned())));
        }
    }
}
