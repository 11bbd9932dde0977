//! Marks of dead tokens, written again for a store that has lost them.

use kernel::{Instant, Millis};
use token::Kind;

use super::{Accounts, Failure, Marks};

/// A change is on its way for so long at most: a login meanwhile may have read the account as it was.
const UNDER_WAY: Millis = Millis(16_000);

/// Marks everybody whose access tokens may have been called back and may not have expired yet, and then says so.
///
/// Whoever has logged in within seconds after that exchanges the token for a new one without need; but nobody stays
/// inside. Repeating is harmless, also at the same time.
pub fn recall(accounts: &dyn Accounts, marks: &dyn Marks, now: Instant) -> Result<(), Failure> {
    let since = now
        .before(Millis(Kind::Access.lifetime_seconds() * 1_000))
        .before(UNDER_WAY);
    for (user, at) in accounts.ended_since(since)? {
        marks.restore(user, at.after(UNDER_WAY).min(now))?;
    }
    Ok(marks.complete()?)
}
