//! How a database is run.

use std::sync::Arc;
use std::time::Duration;

use crate::Fault;

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Every commit is synced before it is answered, so it survives a power cut.
    #[default]
    Full,
    /// Commits survive a crash of the process; a power cut may lose the newest ones.
    Normal,
    /// The operating system decides. For throw-away data.
    Off,
}

impl Synchronous {
    /// The name and the number that `PRAGMA synchronous` knows it by.
    pub(crate) fn spellings(self) -> [&'static str; 2] {
        match self {
            Self::Full => ["FULL", "2"],
            Self::Normal => ["NORMAL", "1"],
            Self::Off => ["OFF", "0"],
        }
    }
}

/// How a database is run; the default suits a shop.
#[derive(Clone, Debug)]
pub struct Options {
    /// When a commit counts as done.
    pub synchronous: Synchronous,
    /// Read-only connections beside the writer. With 0, and in memory, the writer also reads.
    pub readers: usize,
    /// Prepared statements kept per connection.
    pub statement_cache: usize,
    /// How long SQLite waits for a lock that another process holds on the file.
    pub busy_timeout: Duration,
    /// How long a statement may wait for the writer before it is answered [`crate::Error::Busy`].
    pub queue_timeout: Duration,
    /// How many statements may wait for the writer, and how many for the readers.
    pub queue_limit: usize,
    /// How long one guest may hold the writer, from `BEGIN` to the end of its transaction, or any
    /// connection for a single statement, before it is stopped and rolled back.
    pub transaction_deadline: Duration,
    /// Whether commits of several guests share one sync; off only to measure what that is worth.
    pub group_commit: bool,
    /// A sync takes at least this long, as on a slower disk; to measure what a disk is worth.
    pub sync_takes: Option<Duration>,
    /// The largest answer of one statement; a larger one is an error.
    pub max_result_bytes: usize,
    /// The largest the database may grow, in whole pages; beyond it a write is answered
    /// [`crate::Error::DatabaseFull`].
    pub max_database_bytes: Option<u64>,
    /// The name of a registered VFS to open the file with, for tests; SQLite's own by default.
    pub vfs: Option<String>,
    /// Fault injection, for tests.
    pub fault: Option<Arc<dyn Fault>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            readers: 2,
            statement_cache: 128,
            busy_timeout: Duration::from_secs(5),
            queue_timeout: Duration::from_secs(10),
            queue_limit: 1024,
            transaction_deadline: Duration::from_secs(5),
            group_commit: true,
            sync_takes: None,
            max_result_bytes: 128 << 20,
            max_database_bytes: None,
            vfs: None,
            fault: None,
        }
    }
}
