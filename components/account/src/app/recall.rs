//! Marks of dead tokens, written again for a store that has lost them.

use kernel::{Instant, Millis};
use token::Kind;

use super::{Accounts, Failure, Marks};

/// A change is on its way for so long at most: a login meanwhile may have read the account as it was.
const UNDER_WAY: Millis = Millis(16_000);

/// Marks everybody whose access tokens were called back and may not have expired yet, and then says so.
///
/// A mark that is no older than the change was written by it, and stays as it is: who has logged in since is not
/// bothered, though this runs every minute. One that is older, or not there, was lost. The new one reaches as far as the
/// change may have taken, so whoever has logged in within seconds after it exchanges the token for a new one without
/// need; but nobody stays inside. Repeating is harmless, also at the same time.
pub fn recall(accounts: &dyn Accounts, marks: &dyn Marks, now: Instant) -> Result<(), Failure> {
    let since = now
        .before(Millis(Kind::Access.lifetime_seconds() * 1_000))
        .before(UNDER_WAY);
    for (user, at) in accounts.called_back_since(since)? {
        if marks.read(user)?.is_none_or(|mark| mark < at) {
            marks.restore(user, at.after(UNDER_WAY).min(now))?;
        }
    }
    Ok(marks.complete(now)?)
}
