use futures_util::TryStreamExt;
use hashlink::LruCache;
use std::pin::pin;
use std::time::Instant;
use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, RowStream, Statement};

use crate::Error;
use crate::habit::{Habit, Transaction};

/// Prepared statements that one connection keeps.
const STATEMENTS: usize = 200;

/// Longer ones are made up for one occasion, such as lists of ids; they are prepared each time.
const LONGEST: usize = 2048;

/// Everything of a session that could outlive a transaction, in the words of `discard all` but for
/// the prepared statements, which are ours.
const DISCARD: &str = "rollback; close all; set session authorization default; reset all; unlisten *; \
     select pg_advisory_unlock_all(); discard temp; discard sequences";

/// A connection and what is known of its state.
pub(crate) struct Session {
    client: Client,
    statements: LruCache<Box<str>, (Statement, Habit)>,
    /// A transaction may be open.
    in_transaction: bool,
    /// A `begin` that was answered and not sent, with the locks behind it: it goes with the next statement.
    begin: Option<String>,
    traces: bool,
    /// A statement is on its way; still set when its caller went away.
    busy: bool,
    /// Ends the connection as it is.
    running: AbortHandle,
    pub(crate) opened: Instant,
    pub(crate) rested: Instant,
}

impl Session {
    pub(crate) fn new((client, running): (Client, AbortHandle)) -> Self {
        Self {
            client,
            running,
            statements: LruCache::new(STATEMENTS),
            in_transaction: false,
            begin: None,
            traces: false,
            busy: false,
            opened: Instant::now(),
            rested: Instant::now(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Whether it is as good for anybody else as for its holder: nothing is open, none of its settings has changed.
    pub(crate) fn is_clean(&self) -> bool {
        !self.busy && !self.in_transaction && !self.traces && self.begin.is_none()
    }

    /// Ends the connection without a word: a server that does not answer would keep it, and its place.
    pub(crate) fn give_up(self) {
        self.running.abort();
    }

    /// Runs one statement and hands its rows to `take`, which may refuse them; answers how many it changed.
    pub(crate) async fn run(
        &mut self,
        text: &str,
        parameters: &[&(dyn ToSql + Sync)],
        mut take: impl FnMut(Row) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        let habit = self.habit(text);
        if let Some(answer) = self.unsent(text, habit, parameters) {
            return Ok(answer);
        }
        self.traces |= habit.leaves_traces;
        self.in_transaction |= matches!(habit.transaction, Transaction::Begins | Transaction::Unclear);
        self.busy = true;
        let answer = self.send(text, habit, parameters, &mut take).await;
        self.busy = false;
        let ended = matches!(habit.transaction, Transaction::Ends | Transaction::RollsBack);
        if ended && answer.is_ok() {
            self.in_transaction = false;
        }
        answer
    }

    /// What needs no journey: a `begin` and its locks wait for the statement after them, and a `rollback` of nothing is
    /// done.
    fn unsent(&mut self, text: &str, habit: Habit, parameters: &[&(dyn ToSql + Sync)]) -> Option<u64> {
        if !parameters.is_empty() {
            return None;
        }
        match (habit.transaction, &mut self.begin) {
            (Transaction::Begins, None) if !self.in_transaction => self.begin = Some(text.into()),
            (Transaction::Locks, Some(begin)) => {
                // On its own line: what is before it may end with a comment.
                begin.push_str("\n;");
                begin.push_str(text);
            }
            (Transaction::RollsBack, _) if !self.in_transaction => self.begin = None,
            (Transaction::Ends, Some(_)) => self.begin = None,
            _ => return None,
        }
        Some(0)
    }

    async fn send(
        &mut self,
        text: &str,
        habit: Habit,
        parameters: &[&(dyn ToSql + Sync)],
        take: &mut impl FnMut(Row) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let prepared = self.prepared(text, habit).await?;
        let begin = self.begin.take();
        self.in_transaction |= begin.is_some();
        let parameters = parameters.iter().copied();
        // Both are on their way before either is answered; the server takes them one after the other.
        let begun = async {
            match &begin {
                Some(begin) => self.client.batch_execute(begin).await,
                None => Ok(()),
            }
        };
        let answered = async {
            let rows = self.client.query_raw(&prepared, parameters).await?;
            collect(rows, take).await
        };
        let (begun, answered) = tokio::join!(begun, answered);
        let answered = begun.map_err(Error::from).and(answered);
        if answered.as_ref().is_err_and(is_stale) {
            self.statements.remove(text);
        }
        answered
    }

    fn habit(&mut self, text: &str) -> Habit {
        self.statements
            .get(text)
            .map_or_else(|| Habit::of(text), |(_, habit)| *habit)
    }

    async fn prepared(&mut self, text: &str, habit: Habit) -> Result<Statement, Error> {
        if let Some((statement, _)) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        if let Some(begin) = self.begin.take() {
            // A statement may only be understood in its transaction, after a `create table` for instance, so a
            // new one is not prepared beside its `begin`.
            self.in_transaction = true;
            self.client.batch_execute(&begin).await?;
        }
        let statement = self.client.prepare(text).await?;
        if text.len() <= LONGEST {
            self.statements.insert(text.into(), (statement.clone(), habit));
        }
        Ok(statement)
    }

    /// Leaves nothing of its last holder; `false` means that the connection can't be used again.
    ///
    /// One whose statement was still running is given up: the server is asked to cancel it, and may do so late, when
    /// the connection would be somebody else's.
    pub(crate) async fn clean(&mut self) -> bool {
        self.begin = None;
        if self.busy {
            // Without it the statement runs to its end before the server sees that nobody waits for it.
            let _ = self
                .client
                .cancel_token()
                .cancel_query(crate::connect::tls())
                .await;
            return false;
        }
        let text = match (self.traces, self.in_transaction) {
            (true, _) => DISCARD,
            (false, true) => "rollback",
            (false, false) => "",
        };
        let cleaned = text.is_empty() || self.sweep(text).await;
        (self.in_transaction, self.traces) = (false, false);
        cleaned && !self.is_closed()
    }

    /// One statement after the other: together they would be a transaction, in which `discard` is refused.
    async fn sweep(&self, text: &str) -> bool {
        for statement in text.split(';') {
            if self.client.batch_execute(statement).await.is_err() {
                return false;
            }
        }
        true
    }
}

async fn collect(rows: RowStream, take: &mut impl FnMut(Row) -> Result<(), Error>) -> Result<u64, Error> {
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        take(row)?;
    }
    Ok(rows.rows_affected().unwrap_or_default())
}

/// The server forgot the statement, or its tables have changed since it was prepared.
fn is_stale(error: &Error) -> bool {
    let Error::Statement(error) = error else {
        return false;
    };
    let stale = [
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INVALID_SQL_STATEMENT_NAME,
    ];
    error.code().is_some_and(|code| stale.contains(code))
}
