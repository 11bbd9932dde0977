//! What the disk and SQLite allow: one native thread that runs the statements of checkouts and nothing else, many of
//! them in one transaction of each database.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use rusqlite::types::Value as Native;
use store::{Value, native};

use super::recording::{DATABASES, Step, record};
use crate::place::fill;

/// Checkouts that become durable together.
pub(super) const BATCH: usize = 64;

/// The statements, and databases in which nobody has bought anything yet.
pub(super) struct Ceiling {
    checkouts: Vec<Vec<Step>>,
    fresh: tempfile::TempDir,
}

impl Ceiling {
    /// Records so many checkouts and lays out the databases.
    pub(super) fn prepare(checkouts: usize) -> Result<Self> {
        let fresh = tempfile::tempdir()?;
        for (label, migrations) in DATABASES {
            native::open(&file(fresh.path(), label), migrations)?;
        }
        fill(fresh.path())?;
        Ok(Self {
            checkouts: record(checkouts)?,
            fresh,
        })
    }

    /// Statements of one checkout, those that begin and end its transactions included.
    pub(super) fn statements(&self) -> f64 {
        let all: usize = self.checkouts.iter().map(Vec::len).sum();
        all as f64 / self.checkouts.len() as f64
    }

    /// Carries all of them out on a copy of the databases; checkouts a second.
    pub(super) fn run(&self, delay: Duration) -> Result<f64> {
        let folder = tempfile::tempdir()?;
        let mut databases = Vec::new();
        for (label, _) in DATABASES {
            std::fs::copy(file(self.fresh.path(), label), file(folder.path(), label))?;
            databases.push(open(&file(folder.path(), label))?);
        }
        let started = Instant::now();
        for batch in self.checkouts.chunks(BATCH) {
            carry_out(&databases, batch, delay)?;
        }
        let took = started.elapsed();
        let paid = "select count(*) from customer_order where state = 'PAID'";
        let paid: i64 = databases[0].query_row(paid, [], |row| row.get(0))?;
        let paid = usize::try_from(paid)?;
        ensure!(
            paid == self.checkouts.len(),
            "{paid} of {} were paid",
            self.checkouts.len()
        );
        Ok(paid as f64 / took.as_secs_f64())
    }
}

fn file(folder: &Path, label: &str) -> std::path::PathBuf {
    folder.join(format!("{label}.db"))
}

/// As the host opens a database.
fn open(path: &Path) -> Result<Connection> {
    let database = Connection::open(path)?;
    database
        .execute_batch("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;")?;
    database.set_prepared_statement_cache_capacity(128);
    Ok(database)
}

/// One transaction of every database; what was a checkout's own transaction can still be undone by itself.
fn carry_out(databases: &[Connection], batch: &[Vec<Step>], delay: Duration) -> Result<()> {
    let mut open = vec![false; databases.len()];
    let mut written = open.clone();
    for Step {
        database,
        statement,
        params,
    } in batch.iter().flatten()
    {
        let at = *database;
        if !open[at] {
            databases[at].prepare_cached("begin")?.execute([])?;
            open[at] = true;
        }
        let text = match &**statement {
            begin if begin.starts_with("begin") => "savepoint one",
            "commit" => "release one",
            "rollback" => {
                databases[at].prepare_cached("rollback to one")?.execute([])?;
                "release one"
            }
            other => other,
        };
        written[at] |= run(&databases[at], text, params).with_context(|| text.to_owned())?;
    }
    for (at, database) in databases.iter().enumerate().filter(|(at, _)| open[*at]) {
        let started = Instant::now();
        database.prepare_cached("commit")?.execute([])?;
        if written[at] {
            std::thread::sleep(delay.saturating_sub(started.elapsed()));
        }
    }
    Ok(())
}

/// Runs a statement to its end; whether it is one that writes.
fn run(database: &Connection, statement: &str, params: &[Value]) -> Result<bool> {
    let mut prepared = database.prepare_cached(statement)?;
    let writes = !prepared.readonly();
    let params = rusqlite::params_from_iter(params.iter().map(|value| match value {
        Value::Integer(number) => Native::Integer(*number),
        Value::Real(number) => Native::Real(*number),
        Value::Text(text) => Native::Text(text.clone()),
        Value::Blob(bytes) => Native::Blob(bytes.clone()),
        Value::Null => Native::Null,
    }));
    let mut rows = prepared.query(params)?;
    while let Some(row) = rows.next()? {
        // A row whose columns nobody asks for may not be read.
        std::hint::black_box(row.get_ref(0)?);
    }
    Ok(writes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkouts_that_were_recorded_can_be_carried_out_anew() {
        let ceiling = Ceiling::prepare(3 * BATCH / 2).unwrap();
        assert!(ceiling.statements() > 10.0, "{}", ceiling.statements());
        assert!(ceiling.run(Duration::ZERO).unwrap() > 0.0);
    }
}
