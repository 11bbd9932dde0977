//! What is in the key-value store beside limits and breakers: what account writes of dead tokens.

use breaker::cells::Cells;
pub(super) use breaker::guest::KeyValue as Shared;
use kernel::UserId;
use token::mark;

use crate::auth::Marks;

/// Whether nobody's mark was lost with a store of before.
pub(super) fn has_every_mark(shared: &Shared) -> Result<bool, String> {
    Ok(shared.get(mark::COMPLETE)?.is_some())
}

/// Whether the store gives answers.
pub(super) fn answers(shared: &Shared) -> Result<(), String> {
    shared.get("sessions").map(drop)
}

impl Marks for Shared {
    fn read(&self, user: UserId) -> Result<Option<Vec<u8>>, String> {
        self.get(&mark::key(user))
    }
}
