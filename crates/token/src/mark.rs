//! How access tokens are called back: one key of the shared key-value store for each user.
//!
//! A token is believed without asking anybody, up to 30 minutes. What must not wait so long (a suspension, another
//! role, another password, a logout everywhere) leaves a mark: the moment until which the user's tokens are
//! dead. The component that owns accounts writes it, the gateway reads it with every token.

use kernel::{Instant, Millis, UserId};

/// A mark that was not written by [`text`]: a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mark of a user's sessions is not a number of microseconds")]
pub struct MarkError;

/// Where a store says that it had every mark, and when: at the moment that [`text`] writes. One that was lost, or is
/// new, says nothing.
pub const COMPLETE: &str = "sessions/complete";

/// Who writes all marks again at this moment, so that one does.
pub const LEASE: &str = "sessions/recall";

/// A store may come back without what it was told last, and then says what it said before. So it is believed for so
/// long.
const BELIEVED: Millis = Millis(60_000);

/// Whoever writes the marks again has so long for it; then another one may.
const LEASED: Millis = Millis(10_000);

/// What a store says of its marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It had all of them just now.
    Complete,
    /// It had all of them some time ago, and may have lost some since.
    Stale,
    /// It never had them, or has lost everything.
    Missing,
}

/// How the value of [`COMPLETE`] is to be taken. One that is of no time, as a program before this one wrote it, or of
/// one to come, is an old one.
pub fn standing(complete: Option<&[u8]>, now: Instant) -> Standing {
    let Some(bytes) = complete else {
        return Standing::Missing;
    };
    let near = now.before(BELIEVED)..=now.after(BELIEVED);
    match parse(bytes) {
        Ok(at) if near.contains(&at) => Standing::Complete,
        _ => Standing::Stale,
    }
}

/// The lease to be put in place of the value of [`LEASE`]; none as long as another one holds it. What makes no sense
/// is held by nobody.
pub fn lease(kept: &[u8], now: Instant) -> Option<String> {
    let held = parse(kept).is_ok_and(|until| now < until && until <= now.after(LEASED));
    (!held).then(|| text(now.after(LEASED)))
}

/// The lease of nobody: its time is over.
pub fn released() -> String {
    text(Instant::from_micros(0))
}

/// Where the component that owns accounts is asked (POST) to write every mark again that still matters. No door
/// leads there from outside.
pub const RECALL_PATH: &str = "/marks";

/// Where the mark of a user stands.
pub fn key(user: UserId) -> String {
    format!("sessions/{user}")
}

/// The mark that says: what was issued up to this moment is dead.
pub fn text(until: Instant) -> String {
    until.micros().to_string()
}

/// The moment a mark names.
pub fn parse(bytes: &[u8]) -> Result<Instant, MarkError> {
    let text = std::str::from_utf8(bytes).map_err(|_| MarkError)?;
    text.parse().map(Instant::from_micros).map_err(|_| MarkError)
}

/// Whether a mark says that a token is dead.
///
/// A token of the very microsecond is dead as well: whether it was made before or after the change can't be
/// told, and a login a microsecond later gives one that lives.
pub fn kills(until: Instant, issued_at: Instant) -> bool {
    issued_at <= until
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_and_nothing_else_is_one() {
        let until = Instant::from_micros(1_790_000_000_000_001);
        assert_eq!(parse(text(until).as_bytes()), Ok(until));
        assert_eq!(key(UserId::try_new(7).unwrap()), "sessions/7");
        for bytes in [b"".as_slice(), b"1.5", b"x", b"\xff", b"99999999999999999999"] {
            assert_eq!(parse(bytes), Err(MarkError), "{bytes:?}");
        }
    }

    #[test]
    fn a_store_is_believed_for_a_minute_and_what_no_time_says_is_old() {
        const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);
        let at = |moment: Instant| standing(Some(text(moment).as_bytes()), NOW);
        assert_eq!(standing(None, NOW), Standing::Missing);
        assert_eq!(at(NOW), Standing::Complete);
        assert_eq!(at(NOW.before(Millis(60_000))), Standing::Complete);
        assert_eq!(at(NOW.before(Millis(60_001))), Standing::Stale);
        assert_eq!(at(NOW.after(Millis(60_000))), Standing::Complete);
        assert_eq!(at(NOW.after(Millis(60_001))), Standing::Stale);
        for bytes in [b"1".as_slice(), b"", b"x"] {
            assert_eq!(standing(Some(bytes), NOW), Standing::Stale, "{bytes:?}");
        }
    }

    #[test]
    fn one_holds_the_lease_until_it_is_over_or_given_back() {
        const NOW: Instant = Instant::from_micros(1_790_000_000_000_000);
        // What the store counts from is no lease, nor is what lies too far ahead.
        for free in [
            b"".as_slice(),
            &[0; 8],
            released().as_bytes(),
            text(NOW).as_bytes(),
            text(NOW.after(Millis(10_001))).as_bytes(),
        ] {
            assert!(lease(free, NOW).is_some(), "{free:?}");
        }
        let held = lease(b"", NOW).unwrap();
        assert_eq!(lease(held.as_bytes(), NOW), None);
        assert_eq!(lease(held.as_bytes(), NOW.after(Millis(9_999))), None);
        assert!(lease(held.as_bytes(), NOW.after(Millis(10_000))).is_some());
    }

    #[test]
    fn what_was_issued_before_is_dead_to_the_microsecond() {
        let until = Instant::from_micros(1_000);
        let dead = [999, 1_000, 1_001].map(|at| kills(until, Instant::from_micros(at)));
        assert_eq!(dead, [true, true, false]);
    }
}
