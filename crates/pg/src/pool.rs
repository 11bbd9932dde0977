use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Config;

use crate::connect::{connect, parse};
use crate::places::{Place, Places, Turn};
use crate::session::Session;
use crate::{Connection, Error};

/// Pools that are kept though nobody uses them.
const RESTING_POOLS: usize = 64;

/// How long cleaning up may take before the connection is given up.
const CLEANING: Duration = Duration::from_secs(5);

/// What pools are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Connections to one database at most.
    pub connections: usize,
    /// Connections to all of them together at most, rested ones too, where a server bears only so many.
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
pub struct Pools(Arc<All>);

/// What the pools and their connections share.
pub(crate) struct All {
    options: Options,
    places: Option<Arc<Places>>,
    pools: Mutex<HashMap<String, Arc<Pool>>>,
    swept: Once,
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

/// A session that somebody has, and the right to it.
pub(crate) struct Held {
    pub(crate) session: Session,
    permit: OwnedSemaphorePermit,
}

/// Tells pools apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolId(usize);

/// The pool of one address.
pub(crate) struct Pool {
    config: Config,
    options: Options,
    permits: Arc<Semaphore>,
    places: Option<Arc<Places>>,
    /// Those that were used last are last.
    rested: Mutex<Vec<Session>>,
    waiting: AtomicUsize,
    exhausted: AtomicUsize,
}

impl Pools {
    /// No connection yet.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(All {
            options,
            places: options.total.map(|total| Arc::new(Places::new(total))),
            pools: Mutex::default(),
            swept: Once::new(),
        }))
    }

    /// A connection to the database at `address`. Its server takes us in now, or it is an error now.
    pub async fn open(&self, address: &str) -> Result<Connection, Error> {
        let pool = self.0.pool(address)?;
        self.0.sweep_now_and_then();
        let mut connection = Connection::new(self.0.clone(), pool);
        connection.wake().await?;
        connection.rest();
        Ok(connection)
    }

    /// How every pool is used.
    pub fn stats(&self) -> Vec<PoolStats> {
        let mut stats: Vec<PoolStats> = self.0.all().iter().map(|pool| pool.stats()).collect();
        stats.sort_by(|one, other| one.database.cmp(&other.database));
        stats
    }
}

impl All {
    /// A session of this pool, once one is free.
    pub(crate) async fn lease(&self, pool: &Pool) -> Result<Held, Error> {
        let permits = pool.permits.clone();
        let permit = match permits.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => pool.patiently(permits.acquire_owned()).await?,
        };
        let session = match pool.rested() {
            Some(session) => session,
            None => self.another(pool).await?,
        };
        Ok(Held { session, permit })
    }

    /// A session more than the pool has, or the next one of it where there may be no more.
    async fn another(&self, pool: &Pool) -> Result<Session, Error> {
        let place = match self.places.as_ref().map(|places| places.take(pool.id())) {
            None => None,
            Some(Ok(place)) => Some(place),
            Some(Err(turn)) => {
                self.close_a_rested_one();
                match pool.patiently(turn).await? {
                    Turn::Place(place) => Some(place),
                    Turn::Session(session) => return Ok(session),
                }
            }
        };
        connect::<Option<Place>>(&pool.config, place)
            .await
            .map(Session::new)
    }

    /// Closes the one that has rested for the longest, of whatever pool.
    fn close_a_rested_one(&self) {
        let Some(places) = self.places.as_ref().filter(|places| places.wants_one()) else {
            return;
        };
        let pools = self.all();
        let since = |pool: &Arc<Pool>| Some((lock(&pool.rested).first()?.rested, pool.clone()));
        // Whoever was faster took it; then there may be another one.
        while let Some((_, pool)) = pools.iter().filter_map(since).min_by_key(|(since, _)| *since) {
            let mut rested = lock(&pool.rested);
            if !rested.is_empty() {
                rested.remove(0);
                return;
            }
        }
        places.none_is_left();
    }

    /// Closes what has rested for too long, also where nobody comes any more.
    fn sweep_now_and_then(self: &Arc<Self>) {
        self.swept.call_once(|| {
            let all = Arc::downgrade(self);
            let every = (self.options.idle / 4).clamp(Duration::from_millis(10), Duration::from_secs(30));
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(every).await;
                    let Some(all) = all.upgrade() else { return };
                    for pool in all.all() {
                        pool.close_old();
                    }
                }
            });
        });
    }

    fn all(&self) -> Vec<Arc<Pool>> {
        lock(&self.pools).values().cloned().collect()
    }

    fn pool(&self, address: &str) -> Result<Arc<Pool>, Error> {
        if let Some(pool) = lock(&self.pools).get(address) {
            return Ok(pool.clone());
        }
        let pool = Pool {
            config: parse(address)?,
            options: self.options,
            permits: Arc::new(Semaphore::new(self.options.connections)),
            places: self.places.clone(),
            rested: Mutex::default(),
            waiting: AtomicUsize::new(0),
            exhausted: AtomicUsize::new(0),
        };
        let mut pools = lock(&self.pools);
        if pools.len() >= RESTING_POOLS {
            // Addresses are the guests' to make up; a pool is only a convenience. One that a connection belongs to stays.
            pools.retain(|_, pool| Arc::strong_count(pool) > 1);
        }
        Ok(pools
            .entry(address.to_owned())
            .or_insert_with(|| Arc::new(pool))
            .clone())
    }
}

impl Pool {
    /// Its own place in memory, which is nobody else's while it lives.
    fn id(&self) -> PoolId {
        PoolId(std::ptr::from_ref(self).addr())
    }

    /// Waits as long as anybody may.
    async fn patiently<T, E>(&self, turn: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
        let _counted = Counted::new(&self.waiting);
        match tokio::time::timeout(self.options.wait, turn).await {
            Ok(turn) => turn.map_err(|_| Error::Closed),
            Err(_) => {
                self.exhausted.fetch_add(1, Ordering::Relaxed);
                Err(Error::Exhausted(self.options.wait))
            }
        }
    }

    /// The connection that was used last, so that those which are too many grow old.
    fn rested(&self) -> Option<Session> {
        let mut rested = lock(&self.rested);
        rested.retain(|session| self.is_good(session));
        rested.pop()
    }

    /// Closes those that nobody should get any more.
    fn close_old(&self) {
        lock(&self.rested).retain(|session| self.is_good(session));
    }

    fn is_good(&self, session: &Session) -> bool {
        let now = Instant::now();
        !session.is_closed()
            && now.duration_since(session.rested) < self.options.idle
            && now.duration_since(session.opened) < self.options.lifetime
    }

    /// Puts a session with the others: at once if nothing is in it, else once it was cleaned, away from whoever had it.
    pub(crate) fn take_back(self: &Arc<Self>, held: Held) {
        let Held { mut session, permit } = held;
        if session.is_clean() {
            self.rest(session);
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let pool = self.clone();
        runtime.spawn(async move {
            // A panic in here closes the connection; the permit goes back either way.
            if tokio::time::timeout(CLEANING, session.clean()).await == Ok(true) {
                pool.rest(session);
            } else {
                tracing::debug!("a connection to a database was not clean and is closed");
                session.give_up();
            }
            drop(permit);
        });
    }

    fn rest(&self, mut session: Session) {
        session.rested = Instant::now();
        if session.is_closed() {
            return;
        }
        match &self.places {
            Some(places) => places.hand_on(self.id(), session, &self.rested),
            None => lock(&self.rested).push(session),
        }
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
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
