//! One guest's view of a database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::class::Class;
use crate::counters::Counters;
use crate::job::{Answer, Job, Message, Reply, SessionId, Standing};
use crate::link::Link;
use crate::{Error, Rows, Value};

/// What one guest's `open` gives: cheap, without a file handle, and as isolated from other guests
/// as a connection of its own would be.
///
/// Dropping it inside a transaction rolls the transaction back at once.
pub struct Connection {
    link: Arc<Link>,
    session: SessionId,
    standing: Standing,
    counters: Counters,
}

impl Connection {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        let session = link.next_session();
        Self {
            link,
            session,
            standing: Standing::Idle,
            counters: Counters::default(),
        }
    }

    /// Runs one statement with its parameters bound by position, and answers its rows.
    ///
    /// A second statement in `sql` is refused, as Spin refuses it. The future may be dropped at any
    /// time: a statement that still waits is never run, one that runs is interrupted, and a
    /// transaction it belongs to is rolled back and stays refused until the guest ends it.
    pub async fn execute(&mut self, sql: &str, params: Vec<Value>) -> Result<Rows, Error> {
        let class = self.link.shared.classes.get(sql);
        if let (Some(Class::Accepted(rows)), Standing::Idle | Standing::Open(_)) = (&class, &self.standing) {
            return Ok(rows.clone());
        }
        let sql: Arc<str> = sql.into();
        let reads = matches!(class, None | Some(Class::Read));
        let params = match self.link.readers.clone() {
            Some(readers) if reads && self.standing == Standing::Idle => {
                let link = self.link.clone();
                let sent = self
                    .send(sql.clone(), params, |job| link.to_reader(&readers, job))
                    .await?;
                match sent {
                    Reply::Done(answer) => return self.land(answer),
                    Reply::NotARead(params) => params,
                }
            }
            _ => params,
        };
        let link = self.link.clone();
        let in_turn = matches!(self.standing, Standing::Open(_));
        match self.send(sql, params, |job| link.to_writer(job, in_turn)).await? {
            Reply::Done(answer) => self.land(answer),
            Reply::NotARead(_) => Err(Error::Io("the writer refused a statement".to_owned())),
        }
    }

    /// The rows that this guest's latest INSERT, UPDATE or DELETE changed.
    pub fn changes(&self) -> u64 {
        self.counters.changes
    }

    /// The rowid of this guest's latest successful INSERT, or 0.
    pub fn last_insert_rowid(&self) -> i64 {
        self.counters.last_insert_rowid
    }

    /// Whether the guest has begun a transaction that it has not ended, even if the host has
    /// rolled it back meanwhile.
    pub fn in_transaction(&self) -> bool {
        self.standing != Standing::Idle
    }

    /// Sends one statement and waits for what comes back.
    async fn send(
        &mut self,
        sql: Arc<str>,
        params: Vec<Value>,
        send: impl FnOnce(Job) -> Result<(), Error> + Send,
    ) -> Result<Reply, Error> {
        let (reply, answer) = oneshot::channel();
        let mut flight = Flight {
            connection: self,
            abandoned: Arc::default(),
            landed: false,
        };
        let job = flight.job(sql, params, reply);
        let sent = send(job);
        if let Err(error) = sent {
            flight.landed = true;
            return Err(error);
        }
        let answer = answer.await;
        flight.landed = true;
        answer.map_err(|_| Error::Closed)
    }

    /// Takes over what the statement did to this guest.
    fn land(&mut self, answer: Answer) -> Result<Rows, Error> {
        self.standing = answer.standing;
        self.counters = answer.counters;
        answer.result
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if matches!(self.standing, Standing::Open(_)) {
            release(&self.link, self.session);
        }
    }
}

/// A statement under way. Dropped before it has landed, it is called back.
struct Flight<'a> {
    connection: &'a mut Connection,
    abandoned: Arc<AtomicBool>,
    landed: bool,
}

impl Flight<'_> {
    fn job(&self, sql: Arc<str>, params: Vec<Value>, reply: oneshot::Sender<Reply>) -> Job {
        Job {
            session: self.connection.session,
            sql,
            params,
            standing: self.connection.standing.clone(),
            counters: self.connection.counters,
            abandoned: self.abandoned.clone(),
            sent_at: Instant::now(),
            reply,
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        self.abandoned.store(true, Relaxed);
        let connection = &mut *self.connection;
        if let Standing::Open(opened) = &connection.standing {
            connection.standing = Standing::Lost(opened.clone(), Error::RolledBack);
        }
        release(&connection.link, connection.session);
    }
}

/// Tells the writer that a guest has let go; a writer that is gone has rolled back already.
fn release(link: &Link, session: SessionId) {
    if link.writer.send(Message::Release(session)).is_err() {
        tracing::debug!(session, "released a session after the database was closed");
    }
}
