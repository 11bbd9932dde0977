use kernel::Instant;
use store::DbError;

/// How many payments there are of what kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// By how they were decided; a refund takes nothing away.
    pub decided: Vec<(String, i64)>,
    /// What is stuck and waits for a person: as much as the list of it has.
    pub stuck: i64,
    /// Events that not every consumer has.
    pub unacknowledged: i64,
    /// When the first of those happened.
    pub oldest_unacknowledged: Option<Instant>,
}

/// What the payments' store can count.
pub trait Figures {
    /// Counts, each figure at a moment of its own.
    fn count(&self) -> Result<Counted, DbError>;
}
