//! What a database's connections and its own thread share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::class::{Class, Classes, Known};
use crate::desk::{Desk, End, Job, Served};
use crate::gate::Gate;
use crate::inline::run_inline;
use crate::reader::Readers;
use crate::session::{SessionId, Standing};
use crate::stats::Meter;
use crate::{Error, Options};

/// How a database is run and what it has done.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) meter: Meter,
    pub(crate) classes: Classes,
}

/// The workings of one database.
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) gate: Gate,
    /// Empty once the database is closed. It is locked by whom the gate let in, or by who takes a turn away.
    desk: Mutex<Option<Desk>>,
    /// None where the writer also reads.
    pub(crate) readers: Option<Readers>,
}

impl Core {
    pub(crate) fn new(shared: Arc<Shared>, desk: Desk, readers: Option<Readers>) -> Self {
        Self {
            shared,
            gate: Gate::default(),
            desk: Mutex::new(Some(desk)),
            readers,
        }
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Option<Desk>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a statement is, asking the writer's connection unless it is known.
    pub(crate) fn classify(&self, sql: &str, in_transaction: bool) -> Result<Arc<Known>, Error> {
        if let Some(known) = self.shared.classes.get(sql) {
            return Ok(known);
        }
        match &*self.desk() {
            Some(desk) => desk.classify(sql, in_transaction),
            None => Err(Error::Closed),
        }
    }

    /// Runs a statement for a guest that was let in.
    pub(crate) fn outside(&self, job: &Job<'_>, known: Option<&Known>) -> Served {
        let served = self.run(job, known, |desk| Some(desk.outside(job)));
        let served = served.unwrap_or_else(|| gone(job));
        self.leave(job.session, &served.end);
        served
    }

    /// Runs a statement of a guest's transaction; none if it is not open any more.
    pub(crate) fn in_turn(&self, job: &Job<'_>) -> Option<Served> {
        let known = self.shared.classes.get(job.sql);
        let session = job.session;
        let served = self.run(job, known.as_deref(), |desk| {
            desk.serves(session).then(|| desk.in_turn(job))
        })?;
        self.leave(session, &served.end);
        Some(served)
    }

    /// Ends the transaction of a guest that has let go of its connection.
    pub(crate) fn release(&self, session: SessionId) {
        let ended = match &mut *self.desk() {
            Some(desk) if desk.serves(session) => {
                desk.end_turn();
                true
            }
            _ => false,
        };
        if ended {
            self.leave(session, &End::Done);
        }
    }

    /// Takes the writer from a guest whose time is up.
    pub(crate) fn evict(&self, session: SessionId) {
        let ended = match &mut *self.desk() {
            Some(desk) if desk.is_overdue(session, Instant::now()) => {
                desk.end_turn();
                true
            }
            _ => false,
        };
        if ended {
            crate::stats::count(&self.shared.meter.timeouts);
            self.leave(session, &End::Done);
        } else {
            // It is at its first or only statement, which has a deadline of its own.
            self.gate.extend(session);
        }
    }

    /// Syncs the commits that wait.
    pub(crate) fn sync(&self) {
        let settled = self.desk().as_mut().map(Desk::flush);
        self.gate.synced();
        if let Some(settled) = settled {
            settled.announce();
        }
    }

    fn leave(&self, session: SessionId, end: &End) {
        let pending = match end {
            End::Open => return,
            End::Done => false,
            End::Held(_) => true,
        };
        self.gate
            .leave(session, pending, self.shared.options.group_commit);
    }

    /// Runs at the desk, and off the asking thread's back unless the statement is known to be quick.
    fn run(
        &self,
        job: &Job<'_>,
        known: Option<&Known>,
        work: impl FnOnce(&mut Desk) -> Option<Served>,
    ) -> Option<Served> {
        let at_desk = || match &mut *self.desk() {
            Some(desk) => work(desk),
            None => Some(gone(job)),
        };
        let started = Instant::now();
        let served = match known {
            Some(known) if known.is_quick() || !known.class.runs_long() => at_desk(),
            _ => run_inline(at_desk),
        };
        if let Some(known) = known {
            known.took(started.elapsed());
        }
        served
    }
}

/// The answer once the database is closed.
const fn gone(job: &Job<'_>) -> Served {
    Served {
        result: Err(Error::Closed),
        standing: Standing::Idle,
        counters: job.counters,
        end: End::Done,
    }
}

impl Class {
    /// Whether a statement of this class may take long.
    const fn runs_long(&self) -> bool {
        match self {
            Self::Read | Self::Write(_) | Self::Setting => true,
            Self::Accepted(_)
            | Self::Begin
            | Self::Commit
            | Self::Rollback
            | Self::Savepoint(_)
            | Self::Release(_)
            | Self::RollbackTo(_) => false,
        }
    }
}
