//! Opening a connection and making it fit for guests.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::hooks::AuthContext;
use rusqlite::{Connection, OpenFlags};

use super::Engine;
use crate::Error;
use crate::core::Shared;
use crate::policy::{Circumstances, note};
use crate::watch::Watch;

/// Where a database lives.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    File(PathBuf),
    Memory,
}

impl Place {
    /// Makes the path absolute, so that SQLite cannot read it as a URI, and its folder exist.
    pub(crate) fn file(path: &Path) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Io(format!("could not open {}: {error}", path.display()));
        let path = std::path::absolute(path).map_err(failed)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        Ok(Self::File(path))
    }
}

impl Engine {
    /// Opens the writing connection and makes sure that it can read and write.
    pub(crate) fn open_writer(place: &Place, shared: Arc<Shared>) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::open(place, shared, flags).and_then(|engine| {
            engine.claim()?;
            engine.guard()
        })
    }

    /// Opens a connection that cannot write.
    pub(crate) fn open_reader(place: &Place, shared: Arc<Shared>) -> Result<Self, Error> {
        let engine = Self::open(place, shared, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        engine.guard()
    }

    fn open(place: &Place, shared: Arc<Shared>, access: OpenFlags) -> Result<Self, Error> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match (place, shared.options.vfs.as_deref()) {
            (Place::File(path), None) => Connection::open_with_flags(path, flags),
            (Place::File(path), Some(vfs)) => Connection::open_with_flags_and_vfs(path, flags, vfs),
            (Place::Memory, _) => Connection::open_in_memory_with_flags(flags),
        };
        let connection = opened.map_err(|error| unusable(place, &error))?;
        let engine = Self {
            connection,
            place: place.clone(),
            shared,
            watch: Watch::default(),
            record: Arc::default(),
            in_transaction: Arc::default(),
        };
        engine.settle().map_err(|error| unusable(place, &error))?;
        Ok(engine)
    }

    fn settle(&self) -> rusqlite::Result<()> {
        let options = &self.shared.options;
        let connection = &self.connection;
        connection.busy_timeout(options.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(options.statement_cache);
        connection.pragma_update(None, "synchronous", options.synchronous.spellings()[0])?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        Ok(())
    }

    /// Switches to WAL, reads the schema and takes the write lock once.
    fn claim(&self) -> Result<(), Error> {
        let prove = || -> rusqlite::Result<String> {
            let mode = self
                .connection
                .query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
            self.connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            self.connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            if let Some(bytes) = self.shared.options.max_database_bytes {
                let page: u32 = self
                    .connection
                    .query_row("PRAGMA page_size", [], |row| row.get(0))?;
                let pages = i64::try_from(bytes / u64::from(page)).unwrap_or(i64::MAX);
                self.connection
                    .query_row(&format!("PRAGMA max_page_count={pages}"), [], |_| Ok(()))?;
            }
            Ok(mode)
        };
        let mode = prove().map_err(|error| unusable(&self.place, &error))?;
        if self.is_file() && mode != "wal" {
            return Err(Error::Io(format!(
                "could not open {}: no write-ahead log there",
                name(&self.place)
            )));
        }
        Ok(())
    }

    /// From here on the connection serves guests.
    fn guard(self) -> Result<Self, Error> {
        self.watch.install(&self.connection)?;
        let (record, shared, in_transaction) = (
            self.record.clone(),
            self.shared.clone(),
            self.in_transaction.clone(),
        );
        let in_memory = !self.is_file();
        self.connection.authorizer(Some(move |context: AuthContext<'_>| {
            let in_transaction = in_transaction.load(Relaxed);
            let given = Circumstances {
                options: &shared.options,
                in_memory,
                in_transaction,
            };
            note(
                &mut record.lock().unwrap_or_else(PoisonError::into_inner),
                &context,
                &given,
            )
        }))?;
        Ok(self)
    }
}

fn unusable(place: &Place, error: &rusqlite::Error) -> Error {
    Error::Io(format!("could not open {}: {error}", name(place)))
}

fn name(place: &Place) -> String {
    match place {
        Place::File(path) => path.display().to_string(),
        Place::Memory => "an in-memory database".to_owned(),
    }
}
