use kernel::{Instant, Millis, OrderId};
use store::DbError;

use super::drive::{Course, Way};
use super::{App, CommitError, Listed};
use crate::domain::{Entry, Task, Work};

/// How far a job came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Brought to an end.
    pub done: u32,
    /// Left as it was, for a later run.
    pub left: u32,
    /// Waiting for a person.
    pub stuck: u32,
}

impl Tally {
    const fn count(&mut self, way: Way) {
        match way {
            Way::Done => self.done += 1,
            Way::Left => self.left += 1,
            Way::Stuck => self.stuck += 1,
        }
    }
}

/// Orders that are finished together.
const BATCH: u32 = 500;

/// A job begins with no further order after this long: a slow gateway must not keep other jobs from their turn.
const BUDGET: Millis = Millis(3_000);

impl App<'_> {
    /// Finishes what others left behind, as much as there is time for: paid orders, and those whose lease has lapsed,
    /// `limit` at a time. The paid ones need no gateway, so they come first; what goes wrong there keeps nobody's money.
    pub fn recover(&self, limit: u32) -> Result<Tally, DbError> {
        let mut tally = Tally::default();
        let finished = self.finish_many(&mut tally);
        self.in_lots(
            limit,
            &mut tally,
            |now| self.ledger.lapsed(now, limit),
            |order| self.recover_one(order),
        )?;
        finished.map(|()| tally)
    }

    /// Gives orders back that were not paid in time, `limit` at a time and as many as there is time for.
    pub fn expire(&self, limit: u32) -> Result<Tally, DbError> {
        let mut tally = Tally::default();
        self.in_lots(
            limit,
            &mut tally,
            |now| self.ledger.expired(now, limit),
            |order| self.expire_one(order),
        )?;
        Ok(tally)
    }

    /// Looks for orders and works on each, until there are no more or the time is over. An outage leaves a whole
    /// lot as it was, and then the next one would fare no better.
    fn in_lots(
        &self,
        limit: u32,
        tally: &mut Tally,
        look: impl Fn(Instant) -> Result<Vec<OrderId>, DbError>,
        work: impl Fn(OrderId) -> Result<Way, DbError>,
    ) -> Result<(), DbError> {
        let has_time = self.budget();
        loop {
            let lot = look((self.clock)())?;
            let (is_full, before) = (lot.len() >= limit as usize, tally.done);
            for order in lot {
                if !has_time() {
                    return Ok(());
                }
                tally.count(self.or_left(order, work(order)));
            }
            if !is_full || tally.done == before {
                return Ok(());
            }
        }
    }

    /// Whether there still is time, from now on.
    fn budget(&self) -> impl Fn() -> bool {
        let end = (self.clock)().after(BUDGET);
        move || (self.clock)() < end
    }

    /// The gateway says that something became of an order's payment. That is a hint: if nobody drives the
    /// order, it is recovered now instead of a moment later.
    pub fn hint(&self, order: OrderId) -> Result<(), DbError> {
        let entry = self.ledger.find(order)?;
        let work = entry.and_then(|entry| entry.work);
        if work.is_some_and(|work| work.lapsed(self.now) && work.task != Task::Finish) {
            self.recover_one(order)?;
        }
        Ok(())
    }

    fn recover_one(&self, order: OrderId) -> Result<Way, DbError> {
        let now = (self.clock)();
        match self.ledger.take_over(order, self.lease(now), now)? {
            Some(work) => self.recover_taken(order, work),
            None => Ok(Way::Left),
        }
    }

    /// Carries on an order whose work is the caller's.
    pub(super) fn recover_taken(&self, order: OrderId, work: Work) -> Result<Way, DbError> {
        let Some(Entry { order, .. }) = self.ledger.find(order)? else {
            return Err(DbError::Other(format!(
                "work is left for order {order}, which is not there"
            )));
        };
        let now = (self.clock)();
        Ok(self.drive(&mut Course::recovery(order, work, now)))
    }

    fn expire_one(&self, order: OrderId) -> Result<Way, DbError> {
        let now = (self.clock)();
        let lease = self.lease(now);
        if !self.ledger.claim_expiry(order, lease, now)? {
            return Ok(Way::Left);
        }
        let work = Work {
            task: Task::Expire,
            attempt: 1,
            lease,
            from_cart: false,
            key: None,
            stuck: None,
        };
        self.recover_taken(order, work)
    }

    /// PAID orders are many, so they are taken over together, their goods let go together, and they are forgotten
    /// together: two statements, and one transaction of the stock, for a whole batch.
    fn finish_many(&self, tally: &mut Tally) -> Result<(), DbError> {
        let has_time = self.budget();
        loop {
            let now = (self.clock)();
            let lease = self.lease(now);
            let batch = self.ledger.take_finished(lease, now, BATCH)?;
            let is_full = batch.len() >= BATCH as usize;
            let mut finished = Vec::new();
            for (order, way) in self.finish_batch(batch, &has_time) {
                tally.count(way);
                if way == Way::Done {
                    finished.push(order);
                }
            }
            if !finished.is_empty() {
                self.ledger.forget(&finished, lease.owner)?;
            }
            // Where nothing could be finished, the next batch will fare no better.
            if !is_full || finished.is_empty() || !has_time() {
                return Ok(());
            }
        }
    }

    /// Goods are let go by the orders' ids alone, in one call. An order is read only when there is more to do.
    fn finish_batch(&self, batch: Vec<Listed<Work>>, has_time: &impl Fn() -> bool) -> Vec<(OrderId, Way)> {
        let readable = batch.iter().filter(|taken| taken.found.is_ok());
        let orders: Vec<OrderId> = readable.map(|taken| taken.id).collect();
        let mut answers = self.let_go(&orders).into_iter();
        let finish = |Listed { id, found }: Listed<Work>| {
            let way = found.and_then(|work| {
                let answer = answers.next();
                self.finish_one(id, work, answer, has_time)
            });
            (id, self.or_left(id, way))
        };
        batch.into_iter().map(finish).collect()
    }

    /// Lets the goods of PAID orders go; an outage is told once for all of them.
    fn let_go(&self, orders: &[OrderId]) -> Vec<Result<(), CommitError>> {
        if orders.is_empty() {
            return Vec::new();
        }
        let answers = self.goods.commit_all(orders);
        let mut silent = answers.iter().filter_map(|answer| match answer {
            Err(CommitError::Unavailable(why)) => Some(why),
            Ok(()) | Err(CommitError::Gone(_)) => None,
        });
        if let Some(why) = silent.next() {
            let others = silent.count();
            let story = format!("no answer from commit for an order and {others} others: {why}");
            web::log::warn("order.recover", &story);
        }
        answers
    }

    /// What is left of an order after its goods were to be let go.
    fn finish_one(
        &self,
        order: OrderId,
        work: Work,
        committed: Option<Result<(), CommitError>>,
        has_time: &impl Fn() -> bool,
    ) -> Result<Way, DbError> {
        match committed {
            Some(Ok(())) if !work.from_cart => Ok(Way::Done),
            Some(Ok(()) | Err(CommitError::Gone(_))) if has_time() => self.recover_taken(order, work),
            Some(Ok(()) | Err(CommitError::Gone(_))) => Ok(Way::Left),
            Some(Err(CommitError::Unavailable(_))) => Ok(Way::Left),
            None => Err(DbError::Other("the stock answered for fewer orders".to_owned())),
        }
    }

    /// One order that can't be looked at must not keep the others from it.
    fn or_left(&self, order: OrderId, way: Result<Way, DbError>) -> Way {
        way.unwrap_or_else(|error| {
            let story = format!("order {order}: {error}");
            if error.retryable() {
                web::log::warn("order.recover", &story);
            } else {
                web::log::error("order.recover", &story);
            }
            Way::Left
        })
    }
}
