//! Statements of a guest's transaction, and how it ends.

use super::{Desk, End, Job, Turn, broken_reference, nothing_to, quoted};
use crate::class::Class;
use crate::counters::Counters;
use crate::fault::Point;
use crate::stats::count;
use crate::{Error, Rows};

impl Desk {
    pub(super) fn run_in_turn(
        &mut self,
        job: &Job<'_>,
        counters: &mut Counters,
    ) -> (Result<Rows, Error>, End) {
        let known = match self.engine.classify(job.sql, true) {
            Ok(known) => known,
            Err(error) => return (Err(error), End::Open),
        };
        if let Class::Accepted(rows) = &known.class {
            return (Ok(rows.clone()), End::Open);
        }
        self.count_statement();
        if let Err(error) = self.at(Point::BeforeStatement(job.sql)) {
            return (Err(error), End::Open);
        }
        let (result, end) = match &known.class {
            Class::Commit => self.commit(),
            Class::Rollback => self.roll_back(),
            Class::Release(name) if self.commits_by_release(name) => self.commit(),
            class => (self.step(job, class, counters), End::Open),
        };
        // A commit that waits for the disk has its points behind it.
        match end {
            End::Held(_) => (result, end),
            _ => (self.after_statement(job.sql, result), end),
        }
    }

    /// A statement that leaves its transaction open.
    fn step(&mut self, job: &Job<'_>, class: &Class, counters: &mut Counters) -> Result<Rows, Error> {
        if let (Some(turn), Class::Write(_) | Class::Setting) = (&mut self.turn, class) {
            turn.wrote = true;
            turn.defers_keys |= matches!(class, Class::Setting);
        }
        let rows = self.engine.run(job.sql, job.params, class, true, counters)?;
        if let Some(turn) = &mut self.turn {
            turn.remember(class);
        }
        Ok(rows)
    }

    fn commits_by_release(&self, name: &str) -> bool {
        self.turn.as_ref().is_some_and(|turn| {
            turn.opened.is_some() && turn.savepoints.iter().rposition(|own| own == name) == Some(0)
        })
    }

    /// The guest's COMMIT: what it wrote becomes a part of the batch.
    fn commit(&mut self) -> (Result<Rows, Error>, End) {
        if let Err(error) = self.at(Point::BeforeCommit) {
            return (Err(error), End::Open);
        }
        if self.engine.breaks_foreign_keys() {
            return (Err(broken_reference()), End::Open);
        }
        let Some(turn) = &self.turn else {
            return (Err(nothing_to("commit")), End::Done);
        };
        if !turn.shares && !turn.wrote {
            // Nothing to sync, and nobody to wait for.
            let ended = self.engine.command("COMMIT");
            self.turn = None;
            count(&self.engine.shared.meter.commits);
            let ended = ended.and_then(|rows| self.at(Point::AfterCommit).map(|()| rows));
            return (ended, End::Done);
        }
        let released = if turn.shares {
            self.leave(true)
        } else {
            self.release_own(turn)
        };
        if let Err(error) = released {
            return (Err(error), End::Open);
        }
        let defers_keys = turn.defers_keys;
        self.turn = None;
        self.stop_deferring(defers_keys);
        (Ok(Rows::default()), self.join(true))
    }

    /// What stays of the guest's own savepoints, when there is none of ours around them.
    fn release_own(&self, turn: &Turn) -> Result<(), Error> {
        for name in turn.savepoints.iter().rev() {
            self.engine.command(&format!("RELEASE {}", quoted(name)))?;
        }
        Ok(())
    }

    /// The guest's ROLLBACK. Where it has read what others have committed but what is not on disk yet, even
    /// that must not be told before it is.
    fn roll_back(&mut self) -> (Result<Rows, Error>, End) {
        let Some(turn) = self.turn.take() else {
            return (Err(nothing_to("rollback")), End::Done);
        };
        count(&self.engine.shared.meter.rollbacks);
        self.undo(&turn);
        let end = if turn.shares && self.engine.in_transaction() {
            self.join(false)
        } else {
            End::Done
        };
        (Ok(Rows::default()), end)
    }

    /// Takes back what a turn did, and nothing else.
    pub(super) fn undo(&mut self, turn: &Turn) {
        if !self.engine.in_transaction() {
            return;
        }
        self.go_back(turn.shares);
        if self.engine.in_transaction() {
            self.stop_deferring(turn.defers_keys);
        }
    }

    /// `PRAGMA defer_foreign_keys` lasts until SQLite's transaction ends, which is later than the guest's.
    fn stop_deferring(&self, defers_keys: bool) {
        if defers_keys && let Err(error) = self.engine.command("PRAGMA defer_foreign_keys = 0") {
            tracing::error!(%error, "could not reset a guest's setting");
        }
    }
}

impl Turn {
    /// Keeps track of the guest's savepoints.
    fn remember(&mut self, class: &Class) {
        match class {
            Class::Savepoint(name) => self.savepoints.push(name.clone()),
            Class::Release(name) => {
                if let Some(place) = self.savepoints.iter().rposition(|own| own == name) {
                    self.savepoints.truncate(place);
                }
            }
            Class::RollbackTo(name) => {
                if let Some(place) = self.savepoints.iter().rposition(|own| own == name) {
                    self.savepoints.truncate(place + 1);
                }
            }
            _ => {}
        }
    }
}
