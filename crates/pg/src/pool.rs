use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Config;

use crate::connect::{connect, parse};
use crate::session::Session;
use crate::{Error, Lease};

/// Pools that are kept though nobody uses them.
const RESTING_POOLS: usize = 64;

/// How long cleaning up may take before the connection is given up.
const CLEANING: Duration = Duration::from_secs(5);

/// What pools are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Connections to one database at most.
    pub connections: usize,
    /// Connections to all of them together at most, where a server bears only so many.
    pub total: Option<usize>,
    /// How long to wait for one of them.
    pub wait: Duration,
    /// An unused connection is closed after this time.
    pub idle: Duration,
    /// No connection gets older: so a server that moved, or a grown session, is left some day.
    pub lifetime: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 16,
            total: None,
            wait: Duration::from_secs(2),
            idle: Duration::from_secs(300),
            lifetime: Duration::from_secs(1800),
        }
    }
}

/// All pools of a process, by address.
pub struct Pools {
    options: Options,
    total: Option<Arc<Semaphore>>,
    pools: Mutex<HashMap<String, Arc<Shared>>>,
}

/// How a pool is used at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStats {
    /// The database's name.
    pub database: String,
    /// Connections that somebody has, or that are being cleaned.
    pub busy: usize,
    /// Connections that wait for somebody.
    pub idle: usize,
    /// Who waits for a connection.
    pub waiting: usize,
    /// Who has waited in vain since the start.
    pub exhausted: usize,
}

/// The right to one connection, to its database and of all.
pub(crate) type Permits = [Option<OwnedSemaphorePermit>; 2];

/// The pool of one address.
pub(crate) struct Shared {
    config: Config,
    options: Options,
    permits: Arc<Semaphore>,
    rested: Mutex<Vec<Session>>,
    waiting: AtomicUsize,
    exhausted: AtomicUsize,
}

impl Pools {
    /// No connection yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            total: options
                .total
                .map(|total| Arc::new(Semaphore::new(total.min(Semaphore::MAX_PERMITS)))),
            pools: Mutex::default(),
        }
    }

    /// A connection to the database at `address`, once one is free.
    pub async fn lease(&self, address: &str) -> Result<Lease, Error> {
        let pool = self.pool(address)?;
        let permits = [
            Some(pool.permit(&pool.permits).await?),
            match &self.total {
                Some(total) => Some(pool.permit(total).await?),
                None => None,
            },
        ];
        let session = match pool.rested() {
            Some(session) => session,
            None => Session::new(connect(&pool.config).await?),
        };
        Ok(Lease::new(session, pool, permits))
    }

    /// How every pool is used.
    pub fn stats(&self) -> Vec<PoolStats> {
        let mut stats: Vec<PoolStats> = lock(&self.pools).values().map(|pool| pool.stats()).collect();
        stats.sort_by(|one, other| one.database.cmp(&other.database));
        stats
    }

    fn pool(&self, address: &str) -> Result<Arc<Shared>, Error> {
        if let Some(pool) = lock(&self.pools).get(address) {
            return Ok(pool.clone());
        }
        let pool = Shared {
            config: parse(address)?,
            options: self.options,
            permits: Arc::new(Semaphore::new(self.options.connections)),
            rested: Mutex::default(),
            waiting: AtomicUsize::new(0),
            exhausted: AtomicUsize::new(0),
        };
        let mut pools = lock(&self.pools);
        if pools.len() >= RESTING_POOLS {
            // Addresses are the guests' to make up; a pool is only a convenience.
            pools.retain(|_, pool| pool.is_used());
        }
        Ok(pools
            .entry(address.to_owned())
            .or_insert_with(|| Arc::new(pool))
            .clone())
    }
}

impl Shared {
    async fn permit(&self, permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _counted = Counted::new(&self.waiting);
        let waiting = tokio::time::timeout(self.options.wait, permits.clone().acquire_owned());
        match waiting.await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(Error::Closed),
            Err(_) => {
                self.exhausted.fetch_add(1, Ordering::Relaxed);
                Err(Error::Exhausted(self.options.wait))
            }
        }
    }

    /// Whether somebody has one of its connections, or is about to.
    fn is_used(&self) -> bool {
        self.permits.available_permits() < self.options.connections
            || self.waiting.load(Ordering::Relaxed) > 0
    }

    /// The connection that was used last, so that those which are too many grow old.
    fn rested(&self) -> Option<Session> {
        let mut rested = lock(&self.rested);
        rested.retain(|session| self.is_good(session));
        rested.pop()
    }

    fn is_good(&self, session: &Session) -> bool {
        let now = Instant::now();
        !session.is_closed()
            && now.duration_since(session.rested) < self.options.idle
            && now.duration_since(session.opened) < self.options.lifetime
    }

    /// Cleans the connection, away from whoever had it, and puts it with the others.
    pub(crate) fn take_back(self: Arc<Self>, mut session: Session, permits: Permits) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            // A panic or a time limit in here closes the connection; the permits go back either way.
            let cleaned = tokio::time::timeout(CLEANING, session.clean()).await;
            if cleaned == Ok(true) {
                lock(&self.rested).push(session);
            } else {
                tracing::debug!("a connection to a database was not clean and is closed");
            }
            drop(permits);
        });
    }

    fn stats(&self) -> PoolStats {
        PoolStats {
            database: self
                .config
                .get_dbname()
                .or(self.config.get_user())
                .unwrap_or_default()
                .to_owned(),
            busy: self
                .options
                .connections
                .saturating_sub(self.permits.available_permits()),
            idle: lock(&self.rested).len(),
            waiting: self.waiting.load(Ordering::Relaxed),
            exhausted: self.exhausted.load(Ordering::Relaxed),
        }
    }
}

/// Counts somebody for as long as it lives, also when they give up.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a panic left is whole: nothing here is changed in two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
