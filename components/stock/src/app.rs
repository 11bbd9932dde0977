//! The use cases: load, ask the domain, save.

mod commit_all;

use ::store::DbError;
use kernel::{Instant, OrderId, Outcome, SkuId};

pub use commit_all::{MOST_AT_ONCE, commit_all};

use crate::domain::{
    Change, CommitRefused, Level, Lines, LinesError, ReleaseRefused, Reservation, ReserveRefused,
    TakeBackRefused,
};

/// What the use cases need from the store. Every change is one transaction, history included.
pub trait Reservations {
    /// The order's reservation.
    fn find(&self, order: OrderId) -> Result<Option<Reservation>, DbError>;

    /// Adds the order's first reservation, or the mark that it will never have one.
    fn add(&self, new: &Reservation, now: Instant) -> Result<Added, DbError>;

    /// Ends a reservation, if it has not ended yet: its state is now committed or released.
    fn end(&self, ended: &Reservation, now: Instant) -> Result<Ended, DbError>;

    /// Where the reservations of these orders stand, in any order; nothing for those that have none.
    fn standing(&self, orders: &[OrderId]) -> Result<Vec<(OrderId, Standing)>, DbError>;

    /// Commits those of these orders, each named once, that are reserved and whose goods are there for all of
    /// them; answers which. Nothing was changed for the others.
    fn commit_many(&self, orders: &[OrderId], now: Instant) -> Result<Vec<OrderId>, DbError>;

    /// Puts the pieces of a reservation that is now taken back into the house. False: they are back already,
    /// or were never sold; nothing was changed.
    fn take_back(&self, taken_back: &Reservation, now: Instant) -> Result<bool, DbError>;

    /// The levels of those of the SKUs that exist, in any order, all at one moment.
    fn levels(&self, skus: &[SkuId], now: Instant) -> Result<Vec<Level>, DbError>;

    /// At most `count` changes of a SKU, newest first, all of them older than `before`.
    fn history(&self, sku: SkuId, before: Option<u32>, count: u32) -> Result<Vec<Change>, DbError>;
}

/// What became of a new reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is in the store.
    Done,
    /// The order has one already; nothing was changed.
    Exists,
    /// The levels do not allow it; nothing was changed.
    Refused(ReserveRefused),
}

/// What became of the end of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It is in the store.
    Done,
    /// Somebody else was first; nothing was changed.
    Overtaken,
    /// It had expired, by this or an earlier caller's clock, and some of its pieces are held by others or
    /// sold; nothing was changed.
    GivenAway,
}

/// Where a reservation stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its goods are, or were, held.
    Reserved,
    /// They are sold, and perhaps taken back.
    Sold,
    /// They were given back before they were sold.
    Released,
}

/// Why there is no reservation.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// The business said no.
    #[error(transparent)]
    Refused(#[from] ReserveRefused),
    /// The store did not answer, or not with anything that can be.
    #[error("could not reserve in the store")]
    Store(#[from] DbError),
}

/// Why the goods are not sold.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The business said no.
    #[error(transparent)]
    Refused(#[from] CommitRefused),
    /// The store did not answer, or not with anything that can be.
    #[error("could not commit in the store")]
    Store(#[from] DbError),
}

/// Why the goods are not given back.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The business said no.
    #[error(transparent)]
    Refused(#[from] ReleaseRefused),
    /// The store did not answer, or not with anything that can be.
    #[error("could not release in the store")]
    Store(#[from] DbError),
}

/// Why sold goods are not back in the house.
#[derive(Debug, thiserror::Error)]
pub enum TakeBackError {
    /// The business said no.
    #[error(transparent)]
    Refused(#[from] TakeBackRefused),
    /// The store did not answer, or not with anything that can be.
    #[error("could not take back in the store")]
    Store(#[from] DbError),
}

/// Why the levels are not known.
#[derive(Debug, thiserror::Error)]
pub enum LevelError {
    /// There is no such SKU.
    #[error("there is no SKU {0}")]
    UnknownSku(SkuId),
    /// The store did not answer, or not with anything that can be.
    #[error("could not read levels from the store")]
    Store(#[from] DbError),
}

impl From<LinesError> for ReserveError {
    fn from(error: LinesError) -> Self {
        Self::Refused(error.into())
    }
}

/// Sets all lines aside for `order` until `until`, or none of them.
///
/// Whether `until` has passed matters for a first call only: a repeated one gets the first one's answer.
pub fn reserve(
    store: &impl Reservations,
    order: OrderId,
    wanted: &[(SkuId, u32)],
    until: Instant,
    now: Instant,
) -> Result<Outcome<()>, ReserveError> {
    let lines = Lines::try_new(wanted)?;
    let refused = match Reservation::try_new(order, lines.clone(), until, now) {
        Ok(new) => match store.add(&new, now)? {
            Added::Done => return Ok(Outcome::Done(())),
            Added::Refused(refused) => return Err(refused.into()),
            // Reservations are never deleted, so the one that exists is found below.
            Added::Exists => ReserveRefused::Ended,
        },
        Err(refused) => refused,
    };
    let existing = store.find(order)?.ok_or(refused)?;
    existing.repeat(&lines, now)?;
    Ok(Outcome::AlreadyDone(()))
}

/// Turns reserved goods into sold goods; after the hold's time, as long as nobody else took them.
pub fn commit(store: &impl Reservations, order: OrderId, now: Instant) -> Result<Outcome<()>, CommitError> {
    // At most twice: who is overtaken finds a state that nothing leaves.
    loop {
        let found = store.find(order)?.ok_or(CommitRefused::UnknownOrder)?;
        match found.commit(now)? {
            Outcome::AlreadyDone(_) => return Ok(Outcome::AlreadyDone(())),
            Outcome::Done(committed) => match store.end(&committed, now)? {
                Ended::Done => return Ok(Outcome::Done(())),
                Ended::Overtaken => {}
                Ended::GivenAway => return Err(CommitRefused::Expired.into()),
            },
        }
    }
}

/// Gives reserved goods back; an order that never reserved is remembered as released.
pub fn release(store: &impl Reservations, order: OrderId, now: Instant) -> Result<Outcome<()>, ReleaseError> {
    // At most three times: unknown, then reserved by somebody, then ended by somebody.
    loop {
        let done = match store.find(order)? {
            None => store.add(&Reservation::tombstone(order, now), now)? == Added::Done,
            Some(found) => match found.release(now)? {
                Outcome::AlreadyDone(_) => return Ok(Outcome::AlreadyDone(())),
                Outcome::Done(released) => store.end(&released, now)? == Ended::Done,
            },
        };
        if done {
            return Ok(Outcome::Done(()));
        }
    }
}

/// Takes sold goods back into the house, all lines of the order, once.
pub fn take_back(
    store: &impl Reservations,
    order: OrderId,
    now: Instant,
) -> Result<Outcome<()>, TakeBackError> {
    // At most twice: who is overtaken finds a state that nothing leaves.
    loop {
        let found = store.find(order)?.ok_or(TakeBackRefused::NotCommitted)?;
        match found.take_back(now)? {
            Outcome::AlreadyDone(_) => return Ok(Outcome::AlreadyDone(())),
            Outcome::Done(taken_back) if store.take_back(&taken_back, now)? => return Ok(Outcome::Done(())),
            Outcome::Done(_) => {}
        }
    }
}

/// The levels of `skus`, in their order; a SKU may be asked for twice.
pub fn level(store: &impl Reservations, skus: &[SkuId], now: Instant) -> Result<Vec<Level>, LevelError> {
    let levels = store.levels(skus, now)?;
    let level = |&sku| {
        let found = levels.iter().find(|level| level.sku == sku);
        found.copied().ok_or(LevelError::UnknownSku(sku))
    };
    skus.iter().map(level).collect()
}
