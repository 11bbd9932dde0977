//! A database and its workers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
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
        let _ = running.wait_for(|count| *count <= 1 + readers).await;
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
        // One for every worker, and one more for the writer's file handle, which it keeps longest.
        let (alive, running) = watch::channel(2 + reader_count);
        let alive = Arc::new(alive);
        let (sender, jobs) = mpsc::channel();
        let inbox = Arc::new(Inbox::new(jobs));
        let mut reader_threads = Vec::new();
        for engine in reading {
            let (inbox, sign_off) = (inbox.clone(), SignOff(alive.clone()));
            reader_threads.push(spawn("sqlite-reader", move || {
                reader::run(engine, &inbox);
                drop(sign_off);
            })?);
        }
        let readers = (reader_count > 0).then_some(sender);
        let (writer, messages) = mpsc::channel();
        let (stopped, closed) = (SignOff(alive.clone()), SignOff(alive));
        spawn("sqlite-writer", move || {
            let engine = Writer::new(writing, messages).run();
            drop(stopped);
            // The last connection folds the log into the file, which a reader could not do.
            for thread in reader_threads {
                // A reader that panicked has closed its connection as well.
                let _ = thread.join();
            }
            drop(engine);
            drop(closed);
        })?;
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

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| Error::Io(format!("could not start a database worker: {error}")))
}

/// Takes one off the count of what still runs, when it is dropped.
struct SignOff(Arc<watch::Sender<usize>>);

impl Drop for SignOff {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
