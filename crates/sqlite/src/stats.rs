//! What a database has done so far.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counters since the database was opened, read at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Statements that were run, wherever.
    pub statements: u64,
    /// Statements outside a transaction that only read, and so ran on a reader.
    pub reads: u64,
    /// Statements that ran on the writer: writes, and all of every transaction.
    pub writes: u64,
    /// Transactions committed, those of a single statement included.
    pub commits: u64,
    /// Times that the log was synced for commits: one for each batch of them.
    pub syncs: u64,
    /// Transactions rolled back, by their guest, by SQLite or by the host.
    pub rollbacks: u64,
    /// Transactions rolled back because they held the writer too long.
    pub timeouts: u64,
    /// Statements whose guest was gone before they could be answered.
    pub abandoned: u64,
    /// Statements refused because the queue was full or the wait too long.
    pub busy: u64,
    /// Panics caught in a worker.
    pub panics: u64,
    /// Statements waiting for the writer right now.
    pub queued: u64,
    /// Time that statements spent waiting for the writer, added up.
    pub queue_wait: Duration,
}

/// The live counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) statements: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) rollbacks: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    pub(crate) abandoned: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) queued: AtomicU64,
    pub(crate) queued_reads: AtomicU64,
    pub(crate) queue_wait_ns: AtomicU64,
}

impl Meter {
    pub(crate) fn read(&self) -> Stats {
        Stats {
            statements: self.statements.load(Relaxed),
            reads: self.reads.load(Relaxed),
            writes: self.writes.load(Relaxed),
            commits: self.commits.load(Relaxed),
            syncs: self.syncs.load(Relaxed),
            rollbacks: self.rollbacks.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            busy: self.busy.load(Relaxed),
            panics: self.panics.load(Relaxed),
            queued: self.queued.load(Relaxed),
            queue_wait: Duration::from_nanos(self.queue_wait_ns.load(Relaxed)),
        }
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
