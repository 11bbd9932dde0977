//! Statements of guests that are in no transaction: those that begin one, and those that are one by themselves.

use super::{Desk, End, Job, Turn, broken_reference, nothing_to, quoted};
use crate::class::Class;
use crate::counters::Counters;
use crate::fault::Point;
use crate::stats::count;
use crate::{Error, Rows};

impl Desk {
    pub(super) fn run_outside(
        &mut self,
        job: &Job<'_>,
        counters: &mut Counters,
    ) -> (Result<Rows, Error>, End) {
        let known = match self.engine.classify(job.sql, false) {
            Ok(known) => known,
            Err(error) => return (Err(error), End::Done),
        };
        if let Class::Accepted(rows) = &known.class {
            return (Ok(rows.clone()), End::Done);
        }
        self.count_statement();
        if let Err(error) = self.at(Point::BeforeStatement(job.sql)) {
            return (Err(error), End::Done);
        }
        let (result, end) = match &known.class {
            Class::Begin => (self.begin(job, None), End::Done),
            Class::Savepoint(name) => (self.begin(job, Some(name)), End::Done),
            Class::Write(effect) if !effect.alters => self.write(job, &known.class, counters),
            Class::Write(_) | Class::Setting => self.alone(job, &known.class, counters),
            Class::Read | Class::Accepted(_) => {
                let read = self
                    .engine
                    .run(job.sql, job.params, &known.class, false, counters);
                (read, End::Done)
            }
            Class::Commit => (Err(nothing_to("commit")), End::Done),
            Class::Rollback => (Err(nothing_to("rollback")), End::Done),
            Class::Release(name) | Class::RollbackTo(name) => {
                (Err(Error::Io(format!("no such savepoint: {name}"))), End::Done)
            }
        };
        match end {
            End::Held(_) => (result, end),
            _ => (self.after_statement(job.sql, result), end),
        }
    }

    /// Begins a guest's transaction: the batch, or a savepoint in it.
    fn begin(&mut self, job: &Job<'_>, savepoint: Option<&str>) -> Result<Rows, Error> {
        let shares = self.open_batch()?;
        self.enter(shares)?;
        let mut turn = Turn {
            session: job.session,
            opened: savepoint.map(str::to_owned),
            savepoints: Vec::new(),
            shares,
            wrote: false,
            defers_keys: false,
            until: job.until,
        };
        if let Some(name) = savepoint {
            if let Err(error) = self.engine.command(&format!("SAVEPOINT {}", quoted(name))) {
                self.undo(&turn);
                return Err(error);
            }
            turn.savepoints.push(name.to_owned());
        }
        self.turn = Some(turn);
        Ok(Rows::default())
    }

    /// Makes sure that SQLite's transaction is open; returns whether others have a part in it.
    fn open_batch(&mut self) -> Result<bool, Error> {
        if !self.engine.in_transaction() {
            // A deferred transaction that turned to writing later could fail; this one only waits.
            self.engine.command("BEGIN IMMEDIATE")?;
        }
        Ok(!self.batch.is_empty())
    }

    /// A single statement that changes rows: a member of the batch by itself.
    fn write(&mut self, job: &Job<'_>, class: &Class, counters: &mut Counters) -> (Result<Rows, Error>, End) {
        if let Err(error) = self.at(Point::BeforeCommit) {
            return (Err(error), End::Done);
        }
        let shares = match self.open_batch().and_then(|shares| self.enter(shares)) {
            Ok(shares) => shares,
            Err(error) => return (Err(error), End::Done),
        };
        let result = self.engine.run(job.sql, job.params, class, false, counters);
        if !self.engine.in_transaction() {
            return (result, End::Done);
        }
        if self.engine.breaks_foreign_keys() {
            // Only a statement whose references are deferred gets here; by itself it would not be committed.
            self.go_back(shares);
            let end = if shares { self.join(false) } else { End::Done };
            return (Err(broken_reference()), end);
        }
        // What a failed statement leaves behind, with ON CONFLICT FAIL, counts as well.
        let commits = result.is_ok();
        match self.leave(shares) {
            Ok(()) => (result, self.join(commits)),
            Err(error) => (Err(error), End::Done),
        }
    }

    /// A statement that SQLite runs in no transaction but its own.
    fn alone(&mut self, job: &Job<'_>, class: &Class, counters: &mut Counters) -> (Result<Rows, Error>, End) {
        if self.engine.in_transaction() {
            self.flush().announce();
        }
        if let Err(error) = self.at(Point::BeforeCommit) {
            return (Err(error), End::Done);
        }
        let result = self.engine.run(job.sql, job.params, class, false, counters);
        if result.is_ok() {
            count(&self.engine.shared.meter.commits);
            count(&self.engine.shared.meter.syncs);
        }
        let result = result.and_then(|rows| self.at(Point::AfterCommit).map(|()| rows));
        (result, End::Done)
    }
}
