//! How access tokens are called back: one key of the shared key-value store for each user.
//!
//! A token is believed without asking anybody, up to 30 minutes. What must not wait so long (a suspension, another
//! role, another password, a logout everywhere) leaves a mark: the moment until which the user's tokens are
//! dead. The component that owns accounts writes it, the gateway reads it with every token.

use kernel::{Instant, UserId};

/// A mark that was not written by [`text`]: a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mark of a user's sessions is not a number of microseconds")]
pub struct MarkError;

/// Where a store says that it has every mark. One that was lost, or is new, does not.
pub const COMPLETE: &str = "sessions/complete";

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
    fn what_was_issued_before_is_dead_to_the_microsecond() {
        let until = Instant::from_micros(1_000);
        let dead = [999, 1_000, 1_001].map(|at| kills(until, Instant::from_micros(at)));
        assert_eq!(dead, [true, true, false]);
    }
}
