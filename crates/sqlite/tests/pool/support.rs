//! What the tests share: a database in a folder of its own, short words for common steps, and
//! faults that tests steer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use sqlite::{Connection, Database, Error, Fault, Options, Point, Rows, Stats, Value};
use tempfile::TempDir;

/// A database file that goes away with the test.
pub(crate) struct Scratch {
    pub(crate) database: Database,
    folder: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("shop.db"), options).unwrap();
        Self { database, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    /// Lets go of the database and keeps its folder.
    pub(crate) fn into_folder(self) -> TempDir {
        self.folder
    }

    pub(crate) fn connect(&self) -> Connection {
        self.database.connect()
    }

    /// A guest of a database that has `create table entry (id integer primary key, note text)`.
    pub(crate) async fn with_entries(options: Options) -> (Self, Connection) {
        let scratch = Self::with(options);
        let mut guest = scratch.connect();
        run(
            &mut guest,
            "create table entry (id integer primary key, note text)",
        )
        .await;
        (scratch, guest)
    }
}

/// Runs a statement that must succeed.
pub(crate) async fn run(guest: &mut Connection, sql: &str) -> Rows {
    guest
        .execute(sql, Vec::new())
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Runs a statement that must fail, and answers its text.
pub(crate) async fn refused(guest: &mut Connection, sql: &str) -> String {
    match guest.execute(sql, Vec::new()).await {
        Err(error) => error.to_string(),
        Ok(rows) => panic!("{sql} answered {rows:?}"),
    }
}

/// The one integer that a statement answers.
pub(crate) async fn integer(guest: &mut Connection, sql: &str) -> i64 {
    match run(guest, sql).await.rows.as_slice() {
        [row] => match row.as_slice() {
            [Value::Integer(number)] => *number,
            other => panic!("{sql} answered {other:?}"),
        },
        other => panic!("{sql} answered {other:?}"),
    }
}

/// The one text that a statement answers.
pub(crate) async fn text(guest: &mut Connection, sql: &str) -> String {
    match run(guest, sql).await.rows.as_slice() {
        [row] => match row.as_slice() {
            [Value::Text(text)] => text.clone(),
            other => panic!("{sql} answered {other:?}"),
        },
        other => panic!("{sql} answered {other:?}"),
    }
}

/// The integers of a one-column answer.
pub(crate) async fn integers(guest: &mut Connection, sql: &str) -> Vec<i64> {
    let column = |row: &Vec<Value>| match row.as_slice() {
        [Value::Integer(number)] => *number,
        other => panic!("{sql} answered {other:?}"),
    };
    run(guest, sql).await.rows.iter().map(column).collect()
}

/// Gives other tasks their turn until the figures are as wished; a test that never gets there hangs
/// until the runner's limit rather than passing by luck.
pub(crate) async fn until(database: &Database, wished: impl Fn(Stats) -> bool) {
    while !wished(database.stats()) {
        tokio::task::yield_now().await;
    }
}

/// Calls a function at every point.
pub(crate) struct AtEveryPoint<F>(pub(crate) F);

impl<F: Fn(Point<'_>) -> Result<(), Error> + Send + Sync> Fault for AtEveryPoint<F> {
    fn at(&self, point: Point<'_>) -> Result<(), Error> {
        (self.0)(point)
    }
}

/// Fails with "made up" at the point that a test picks, once it is armed.
pub(crate) fn failing(pick: fn(Point<'_>) -> bool) -> (Arc<AtomicBool>, Options) {
    let armed = Arc::new(AtomicBool::new(false));
    let switch = armed.clone();
    let fault: Arc<dyn Fault> = Arc::new(AtEveryPoint(move |point: Point<'_>| {
        if switch.load(SeqCst) && pick(point) {
            return Err(Error::Io("made up".to_owned()));
        }
        Ok(())
    }));
    let options = Options {
        fault: Some(fault),
        ..Options::default()
    };
    (armed, options)
}
