use kernel::{Instant, Millis, OrderId, UserId};
use store::DbError;

use super::placement::lines;
use super::{
    Catalog, ChargeError, CommitError, Goods, KeyUse, Orders, Payments, PlaceError, Placed, Placement,
    RefundError, ReleaseError, ReserveError,
};
use crate::domain::{Failure, Item, Order, State, Totals};
use crate::saga::{Answer, End, Entry, Log, Next, Step, next};

/// A request drives its own checkout for this long; after it recovery may take over.
const LEASE: Millis = Millis(60_000);

/// Goods of a checkout are held for this long: many times what it takes.
const HOLD: Millis = Millis(600_000);

/// How often a new id is tried before giving up; two in a row meet once in 67 million.
const ID_ATTEMPTS: u32 = 4;

/// The name of the refund that undoes a checkout's charge.
const UNDO_KEY: &str = "checkout-undo";

/// Everything a checkout needs.
pub struct Checkout<'a> {
    /// Orders.
    pub orders: &'a dyn Orders,
    /// Prices and names.
    pub catalog: &'a dyn Catalog,
    /// Stock.
    pub goods: &'a dyn Goods,
    /// Money.
    pub payments: &'a dyn Payments,
}

impl Checkout<'_> {
    /// Writes the order down and drives it to its end.
    ///
    /// `random` gives 64 random bits a call, for the order's id.
    pub fn place(
        &self,
        placement: &Placement,
        now: Instant,
        random: &dyn Fn() -> u64,
    ) -> Result<Placed, PlaceError> {
        let key = placement.key.clone().map(|key| KeyUse {
            key,
            command: placement.command(),
        });
        if let Some(answer) = self.repeated(placement.user, key.as_ref())? {
            return Ok(answer);
        }
        let items: Vec<Item> = placement.cart.items().iter().map(|(item, _)| *item).collect();
        let lines = lines(&placement.cart, self.catalog.quote(&items)?)?;
        let totals = Totals::of(&lines)?;
        let order = |id| Order {
            id,
            user: placement.user,
            lines: lines.clone(),
            totals,
            method: placement.method,
            state: State::Pending,
            created_at: now,
        };
        for _ in 0..ID_ATTEMPTS {
            let order = order(OrderId::generate(now, random()));
            if self.orders.insert(&order, key.as_ref(), now.after(LEASE))? {
                return Ok(self.drive(order, now));
            }
            if let Some(answer) = self.repeated(placement.user, key.as_ref())? {
                return Ok(answer);
            }
        }
        Err(PlaceError::Unavailable("no free order id".to_owned()))
    }

    /// The answer to a command whose key was used before.
    fn repeated(&self, user: UserId, key: Option<&KeyUse>) -> Result<Option<Placed>, PlaceError> {
        let Some(key) = key else { return Ok(None) };
        let Some((command, id)) = self.orders.find_key(user, &key.key)? else {
            return Ok(None);
        };
        if command != key.command {
            return Err(PlaceError::KeyReused);
        }
        let order = self.orders.load(user, id)?.ok_or_else(|| {
            PlaceError::Store(DbError::Other(format!(
                "key {} names order {id}, which is not there",
                key.key
            )))
        })?;
        Ok(Some(match order.state.clone() {
            State::Pending => Placed::Pending(id),
            State::Paid { .. } => Placed::Paid(order),
            State::Failed { failure, .. } => Placed::Failed(failure),
        }))
    }

    /// Asks the plan, does what it says, writes the answer down, until it ends.
    fn drive(&self, mut order: Order, now: Instant) -> Placed {
        let mut log = Log::default();
        let mut failure = None;
        loop {
            match next(&log) {
                Next::Do(step) => {
                    let answer = self.do_step(step, &order, now, &mut failure);
                    if step == Step::Pay && answer == Answer::Ok {
                        order.state = State::Paid { at: now };
                    }
                    log.append(Entry::Did(step, answer));
                }
                Next::Undo(step) => log.append(Entry::Undid(step, self.undo_step(step, &order))),
                Next::Finished(End::Paid) => return Placed::Paid(order),
                Next::Finished(End::Failed) => return self.give_up(&order, failure, now),
                Next::Parked(step) => return parked(order, step),
                Next::Stuck(step) => return stuck(order, step),
            }
        }
    }

    fn do_step(&self, step: Step, order: &Order, now: Instant, failure: &mut Option<Failure>) -> Answer {
        match step {
            Step::Reserve => {
                let lines: Vec<_> = order.lines.iter().map(|line| (line.sku, line.quantity)).collect();
                let answer = self.goods.reserve(order.id, &lines, now.after(HOLD));
                decide(
                    answer.map_err(|error| match error {
                        ReserveError::Insufficient { free } => {
                            (Answer::Refused, Failure::OutOfStock { free }, None)
                        }
                        ReserveError::Broken(why) => (Answer::Refused, Failure::Unavailable, Some(why)),
                        ReserveError::Unavailable(why) => (Answer::Unknown, Failure::Unavailable, Some(why)),
                    }),
                    step,
                    order,
                    failure,
                )
            }
            Step::Charge => {
                let answer = self
                    .payments
                    .charge(order.id, order.user, order.totals.due, order.method);
                decide(
                    answer.map_err(|error| match error {
                        ChargeError::Refused(code) => {
                            (Answer::Refused, Failure::PaymentRefused { code }, None)
                        }
                        ChargeError::MethodNotOffered => (Answer::Refused, Failure::MethodNotOffered, None),
                        ChargeError::Broken(why) => (Answer::Refused, Failure::Unavailable, Some(why)),
                        ChargeError::Unavailable(why) => (Answer::Unknown, Failure::Unavailable, Some(why)),
                    }),
                    step,
                    order,
                    failure,
                )
            }
            Step::Pay => match self.orders.pay(order, now) {
                Ok(true) => Answer::Ok,
                Ok(false) => self.already_paid(order),
                Err(error) => unknown(step, order, &error.to_string()),
            },
            Step::Commit => match self.goods.commit(order.id) {
                Ok(()) => Answer::Ok,
                Err(CommitError::Gone(why)) => refused(step, order, why),
                Err(CommitError::Unavailable(why)) => unknown(step, order, &why),
            },
        }
    }

    /// PENDING was left before: by a first attempt whose answer got lost, or by somebody else.
    fn already_paid(&self, order: &Order) -> Answer {
        match self.orders.load(order.user, order.id) {
            Ok(Some(Order {
                state: State::Paid { .. },
                ..
            })) => Answer::Ok,
            Ok(_) => refused(Step::Pay, order, "it is not pending any more"),
            Err(error) => unknown(Step::Pay, order, &error.to_string()),
        }
    }

    fn undo_step(&self, step: Step, order: &Order) -> Answer {
        match step {
            Step::Reserve => match self.goods.release(order.id) {
                Ok(()) => Answer::Ok,
                Err(ReleaseError::Committed) => refused(step, order, "the goods are sold"),
                Err(ReleaseError::Unavailable(why)) => unknown(step, order, &why),
            },
            Step::Charge => {
                let reason = "the checkout was not completed";
                match self.payments.refund(order.id, UNDO_KEY, order.totals.due, reason) {
                    Ok(()) | Err(RefundError::NotCaptured) => Answer::Ok,
                    Err(RefundError::Refused(why)) => refused(step, order, &why),
                    Err(RefundError::Unavailable(why)) => unknown(step, order, &why),
                }
            }
            Step::Pay | Step::Commit => refused(step, order, "it can't be undone"),
        }
    }

    /// Everything was given back: the order is FAILED, or stays PENDING when even that can't be written.
    fn give_up(&self, order: &Order, failure: Option<Failure>, now: Instant) -> Placed {
        let failure = failure.unwrap_or(Failure::Unavailable);
        match self.orders.fail(order, &failure, now) {
            Ok(true) => Placed::Failed(failure),
            Ok(false) => Placed::Pending(order.id),
            Err(error) => {
                note(order, "fail", &error.to_string());
                Placed::Pending(order.id)
            }
        }
    }
}

fn decide(
    answer: Result<(), (Answer, Failure, Option<String>)>,
    step: Step,
    order: &Order,
    failure: &mut Option<Failure>,
) -> Answer {
    match answer {
        Ok(()) => Answer::Ok,
        Err((answer, reason, why)) => {
            if let Some(why) = why {
                note(order, step.text(), &why);
            }
            *failure = Some(reason);
            answer
        }
    }
}

fn unknown(step: Step, order: &Order, why: &str) -> Answer {
    note(order, step.text(), why);
    Answer::Unknown
}

fn refused(step: Step, order: &Order, why: &str) -> Answer {
    web::log::error(
        "order.checkout",
        &format!("order {}: {} was refused: {why}", order.id, step.text()),
    );
    Answer::Refused
}

fn note(order: &Order, step: &str, why: &str) {
    web::log::warn(
        "order.checkout",
        &format!("order {}: no answer from {step}: {why}", order.id),
    );
}

fn parked(order: Order, step: Step) -> Placed {
    web::log::warn(
        "order.checkout",
        &format!("order {}: left to recovery at {}", order.id, step.text()),
    );
    as_it_stands(order)
}

fn stuck(order: Order, step: Step) -> Placed {
    web::log::error(
        "order.checkout",
        &format!("order {}: stuck at {}", order.id, step.text()),
    );
    as_it_stands(order)
}

fn as_it_stands(order: Order) -> Placed {
    match order.state {
        State::Paid { .. } => Placed::Paid(order),
        State::Pending | State::Failed { .. } => Placed::Pending(order.id),
    }
}
