//! A database and its workers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::class::Classes;
use crate::core::{Core, Shared};
use crate::desk::Desk;
use crate::engine::{Engine, Place};
use crate::keeper;
use crate::link::Link;
use crate::reader::Readers;
use crate::stats::Meter;
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
        self.link.core.shared.meter.read()
    }

    /// Closes the database: open transactions are rolled back, waiting statements are answered
    /// [`Error::Closed`]. Returns when every file handle is closed.
    pub async fn close(&self) {
        self.drain(Duration::ZERO).await;
    }

    /// Waits until no transaction is open and no statement waits, at most for `grace`, then closes.
    pub async fn drain(&self, grace: Duration) {
        self.link.core.gate.close(Instant::now() + grace);
        // It fails only when the keeper is gone, which is what is waited for.
        let _ = self.link.closed.clone().wait_for(|closed| *closed).await;
    }

    fn start(place: Place, options: Options) -> Result<Self, Error> {
        let readers = options.readers;
        let shared = Arc::new(Shared {
            options,
            meter: Meter::default(),
            classes: Classes::default(),
        });
        let writing = Engine::open_writer(&place, shared.clone())?;
        let reading = (0..readers)
            .map(|_| Engine::open_reader(&place, shared.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let readers = (readers > 0).then(|| Readers::new(reading));
        let core = Arc::new(Core::new(shared, Desk::new(writing), readers));
        let (closing, closed) = watch::channel(false);
        let kept = core.clone();
        spawn("sqlite-keeper", move || {
            let engine = keeper::run(&kept);
            if let Some(readers) = &kept.readers {
                readers.close();
            }
            // The last connection folds the log into the file, which a reader could not do.
            drop(engine);
            closing.send_replace(true);
        })?;
        let link = Link {
            core,
            closed,
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
