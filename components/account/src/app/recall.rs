//! Marks of dead tokens, written again for a store that has lost them.

use kernel::{Instant, Millis};
use token::Kind;

use super::{Accounts, Failure, Marks};

/// Marks everybody whose access tokens may have been called back and may not have expired yet, and then says so.
///
/// The marks are of this moment, which is later than what they stand for; so whoever is among them without need
/// exchanges the token for a new one, and nobody stays inside. Repeating is harmless, also at the same time.
pub fn recall(accounts: &dyn Accounts, marks: &dyn Marks, now: Instant) -> Result<(), Failure> {
    let since = now.before(Millis(Kind::Access.lifetime_seconds() * 1_000));
    for user in accounts.ended_since(since)? {
        marks.kill(user)?;
    }
    Ok(marks.complete()?)
}
