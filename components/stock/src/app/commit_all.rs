use std::collections::BTreeSet;

use ::store::DbError;
use kernel::{Instant, OrderId, Outcome};

use super::{CommitError, Reservations, Standing, commit};

/// So many orders are committed in one transaction.
pub const MOST_AT_ONCE: usize = 1_000;

/// Turns the reserved goods of many orders into sold goods: one answer for each, as [`commit`] gives it.
///
/// What can be sold together is; all others are asked one by one: those that have ended, those whose goods may
/// be somebody else's, and all, when a defect of one keeps them from being sold together.
pub fn commit_all(
    store: &impl Reservations,
    orders: &[OrderId],
    now: Instant,
) -> Vec<Result<Outcome<()>, CommitError>> {
    let mut answers = Vec::with_capacity(orders.len());
    for some in orders.chunks(MOST_AT_ONCE) {
        match sell(store, some, now) {
            Ok(mut sold) => answers.extend(some.iter().map(|&order| {
                let sold = sold.answer(order);
                sold.map_or_else(|| commit(store, order, now), Ok)
            })),
            Err(error) if error.retryable() => {
                answers.extend(some.iter().map(|_| Err(error.clone().into())));
            }
            Err(_) => answers.extend(some.iter().map(|&order| commit(store, order, now))),
        }
    }
    answers
}

/// Orders whose goods are sold.
struct Sold {
    before: BTreeSet<OrderId>,
    now: BTreeSet<OrderId>,
}

impl Sold {
    /// What such an order is told: it is sold once, however often it is asked about.
    fn answer(&mut self, order: OrderId) -> Option<Outcome<()>> {
        if self.now.remove(&order) {
            self.before.insert(order);
            return Some(Outcome::Done(()));
        }
        self.before.contains(&order).then_some(Outcome::AlreadyDone(()))
    }
}

/// Commits all at once whose goods are there; nobody writes where nothing is to be sold.
fn sell(store: &impl Reservations, orders: &[OrderId], now: Instant) -> Result<Sold, DbError> {
    let asked: BTreeSet<OrderId> = orders.iter().copied().collect();
    let asked: Vec<OrderId> = asked.into_iter().collect();
    let standing = store.standing(&asked)?;
    let those = |wanted| {
        let those = standing.iter().filter(move |(_, found)| *found == wanted);
        those.map(|(order, _)| *order)
    };
    let reserved: Vec<OrderId> = those(Standing::Reserved).collect();
    let now = if reserved.is_empty() {
        Vec::new()
    } else {
        store.commit_many(&reserved, now)?
    };
    Ok(Sold {
        before: those(Standing::Sold).collect(),
        now: now.into_iter().collect(),
    })
}
