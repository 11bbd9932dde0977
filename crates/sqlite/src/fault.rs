//! The seam where a test can fail, delay or crash the n-th step.

use std::fmt;

use crate::Error;

/// Where a statement stands when it asks a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point<'a> {
    /// Before a statement runs. An error is answered instead of running it.
    BeforeStatement(&'a str),
    /// After a statement ran. An error is answered although it took effect.
    AfterStatement(&'a str),
    /// Before a transaction (also one of a single statement) is committed. An error is answered
    /// and the transaction stays as it was.
    BeforeCommit,
    /// Before a batch of commits is made durable, on the database's own thread. An error fails every guest
    /// that waits for it.
    BeforeSync,
    /// After a commit is on disk and before its guest hears of it: a lost answer.
    AfterCommit,
}

/// Called at every [`Point`], mostly on the thread of the guest: it may block to delay, return an
/// error to fail, panic, or end the process.
pub trait Fault: Send + Sync {
    /// Decides what happens at `point`.
    fn at(&self, point: Point<'_>) -> Result<(), Error>;
}

impl fmt::Debug for dyn Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Fault")
    }
}
