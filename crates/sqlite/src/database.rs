//! A database and its workers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::class::Classes;
use crate::engine::{Engine, Place};
use crate::job::{Message, Read};
use crate::link::{Link, Shared};
use crate::reader::{self, Inbox};
use crate::stats::Meter;
use crate::writer::Writer;
use crate::{Connection, Error, Options, Stats};

/// One database with its writer and readers. Clones are cheap and share it; when the last clone
/// and the last [`Connection`] are gone, the workers stop and the file is closed.
#[derive(Clone)]
pub struct Database {
    link: Arc<Link>,
}

impl Database {
    /// Opens the file, creating it and its folder if they are missing, and starts the workers.
    ///
    /// Fails here, rather than at the first statement, when the file is no database, damaged at its
    /// head, or not writable. Blocks on file access; does not need an async runtime.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        Self::start(Place::file(path)?, options)
    }

    /// Opens an empty database that lives in memory and dies with its last handle. It has no
    /// readers: the writer answers everything, in order.
    pub fn open_in_memory(options: Options) -> Result<Self, Error> {
        Self::start(
            Place::Memory,
            Options {
                readers: 0,
                ..options
            },
        )
    }

    /// What one guest's `open` gives.
    pub fn connect(&self) -> Connection {
        Connection::new(self.link.clone())
    }

    /// What this database has done so far.
    pub fn stats(&self) -> Stats {
        self.link.shared.meter.read()
    }

    /// Closes the database: open transactions are rolled back, waiting statements are answered
    /// [`Error::Closed`]. Returns when every file handle is closed.
    pub async fn close(&self) {
        self.drain(Duration::ZERO).await;
    }

    /// Waits until no transaction is open and no statement waits, at most for `grace`, then closes.
    pub async fn drain(&self, grace: Duration) {
        // A send fails only when the worker has already stopped, which is what is asked for.
        let _ = self.link.writer.send(Message::Drain(grace));
        let mut running = self.link.running.clone();
        let readers = self.link.reader_count;
        let _ = running.wait_for(|count| *count <= readers).await;
        if let Some(sender) = &self.link.readers {
            for _ in 0..readers {
                let _ = sender.send(Read::Stop);
            }
        }
        let _ = running.wait_for(|count| *count == 0).await;
    }

    fn start(place: Place, options: Options) -> Result<Self, Error> {
        let reader_count = options.readers;
        let shared = Arc::new(Shared {
            options,
            meter: Meter::default(),
            classes: Classes::default(),
        });
        let writing = Engine::open_writer(&place, shared.clone())?;
        let reading = (0..reader_count)
            .map(|_| Engine::open_reader(&place, shared.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let (writer, messages) = mpsc::channel();
        let (alive, running) = watch::channel(1 + reader_count);
        let alive = Arc::new(alive);
        spawn("writer", alive.clone(), move || {
            Writer::new(writing, messages).run()
        })?;
        let readers = match reader_count {
            0 => None,
            _ => {
                let (sender, jobs) = mpsc::channel();
                let inbox = Arc::new(Inbox::new(jobs));
                for engine in reading {
                    let inbox = inbox.clone();
                    spawn("reader", alive.clone(), move || reader::run(engine, &inbox))?;
                }
                Some(sender)
            }
        };
        let link = Link {
            shared,
            writer,
            readers,
            reader_count,
            running,
            sessions: AtomicU64::new(1),
        };
        Ok(Self { link: Arc::new(link) })
    }
}

/// Starts a worker that signs off in `alive` when it ends, however it ends.
fn spawn(
    role: &str,
    alive: Arc<watch::Sender<usize>>,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), Error> {
    let body = move || {
        let _sign_off = SignOff(alive);
        work();
    };
    thread::Builder::new()
        .name(format!("sqlite-{role}"))
        .spawn(body)
        .map(drop)
        .map_err(|error| Error::Io(format!("could not start a database worker: {error}")))
}

struct SignOff(Arc<watch::Sender<usize>>);

impl Drop for SignOff {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
