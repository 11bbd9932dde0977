//! What connects the guests' side with the workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;

use tokio::sync::watch;

use crate::class::Classes;
use crate::job::{Job, Message, Read, SessionId};
use crate::stats::{Meter, count};
use crate::{Error, Options};

/// What guests and workers both look at.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) meter: Meter,
    pub(crate) classes: Classes,
}

/// The guests' end of the queues. When the last one is dropped, the workers stop.
pub(crate) struct Link {
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Sender<Message>,
    /// None where the writer also reads.
    pub(crate) readers: Option<Sender<Read>>,
    pub(crate) reader_count: usize,
    /// How much still runs: the workers, and the writer's file handle.
    pub(crate) running: watch::Receiver<usize>,
    pub(crate) sessions: AtomicU64,
}

impl Link {
    pub(crate) fn next_session(&self) -> SessionId {
        self.sessions.fetch_add(1, Relaxed)
    }

    /// Sends a statement to the writer. The guest that holds it (`in_turn`) never waits in line,
    /// so it is not counted against the limit.
    pub(crate) fn to_writer(&self, job: Job, in_turn: bool) -> Result<(), Error> {
        if !in_turn {
            self.enter(&self.shared.meter.queued)?;
        }
        self.writer.send(Message::Run(job)).map_err(|_| Error::Closed)
    }

    /// Sends a statement to whichever reader is free first.
    pub(crate) fn to_reader(&self, readers: &Sender<Read>, job: Job) -> Result<(), Error> {
        self.enter(&self.shared.meter.queued_reads)?;
        readers.send(Read::Run(job)).map_err(|_| Error::Closed)
    }

    /// Takes a place in a queue, unless it is full.
    fn enter(&self, queue: &AtomicU64) -> Result<(), Error> {
        if queue.fetch_add(1, Relaxed) >= self.shared.options.queue_limit as u64 {
            queue.fetch_sub(1, Relaxed);
            count(&self.shared.meter.busy);
            return Err(Error::Busy);
        }
        Ok(())
    }
}
