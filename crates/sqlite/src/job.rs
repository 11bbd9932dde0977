//! What travels between a guest's connection and the workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::counters::Counters;
use crate::{Error, Rows, Value};

/// One guest's connection, as the workers tell them apart.
pub(crate) type SessionId = u64;

/// Where a guest stands with its transaction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// Outside a transaction.
    Idle,
    /// Inside one, which pins the writer.
    Open(Opened),
    /// Inside one as far as the guest knows; the host has rolled it back.
    Lost(Opened, Error),
}

/// How a transaction was opened: by the outermost `SAVEPOINT` of this name, or by `BEGIN`.
pub(crate) type Opened = Option<String>;

/// One statement on its way.
pub(crate) struct Job {
    pub(crate) session: SessionId,
    pub(crate) sql: Arc<str>,
    pub(crate) params: Vec<Value>,
    pub(crate) standing: Standing,
    pub(crate) counters: Counters,
    /// Set when nobody waits for the answer any more.
    pub(crate) abandoned: Arc<AtomicBool>,
    pub(crate) sent_at: Instant,
    pub(crate) reply: oneshot::Sender<Reply>,
}

impl Job {
    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Relaxed) || self.reply.is_closed()
    }
}

/// What comes back.
pub(crate) enum Reply {
    /// The statement was answered.
    Done(Answer),
    /// A reader found that the statement is not for it; the writer gets the parameters.
    NotARead(Vec<Value>),
}

/// A statement's result, and what it did to its guest.
pub(crate) struct Answer {
    pub(crate) result: Result<Rows, Error>,
    pub(crate) standing: Standing,
    pub(crate) counters: Counters,
}

/// What the writer is told.
pub(crate) enum Message {
    Run(Job),
    /// The guest is gone, or has abandoned a statement: its transaction is rolled back.
    Release(SessionId),
    /// Stop as soon as no transaction is open and nobody waits, or when the time is up.
    Drain(Duration),
}

/// What a reader is told.
pub(crate) enum Read {
    Run(Job),
    Stop,
}
