use kernel::Instant;
use store::DbError;

/// How many orders there are of what kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// By their state.
    pub states: Vec<(String, i64)>,
    /// By what became of them when they were decided: a later change takes nothing away.
    pub decided: Vec<(String, i64)>,
    /// What is left to do, by its kind.
    pub work: Vec<(String, i64)>,
    /// Those that wait for a person.
    pub stuck: i64,
    /// Events that not every consumer has.
    pub unacknowledged: i64,
    /// When the first of those happened.
    pub oldest_unacknowledged: Option<Instant>,
}

/// What the orders' store can count.
pub trait Figures {
    /// Counts, each figure at a moment of its own.
    fn count(&self) -> Result<Counted, DbError>;
}
