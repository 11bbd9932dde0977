use kernel::{Instant, Millis};

use super::drive::Course;
use super::{
    App, CartLine, Charge, ChargeError, CommitError, Decided, ReleaseError, ReserveError, TakeBackError,
    VOIDED, VoidError,
};
use crate::domain::{Entry, Failure, Line, State, Task};
use crate::saga::{Answer, Plan, Step};

/// The goods of a two-step checkout are held for this long beyond its time to pay: many times what a call
/// takes, so that a payment at the last moment still finds them.
const GRACE: Millis = Millis(600_000);

/// The goods of a checkout in one call are held for this long, since a job lets them go after it was paid: they
/// must outlive any outage of the jobs that somebody looks after, or the orders are sold out. No abandoned
/// checkout holds goods that long, as the jobs that let goods go are those that give them back.
const JOBS_HOLD: Millis = Millis(7 * 24 * 3_600_000);

/// How often sold goods that are not, and reserved ones that are, change places between two calls: once.
const TAKE_BACK_ROUNDS: u32 = 3;

impl App<'_> {
    /// Does one step and says how it went.
    pub(super) fn do_step(&self, step: Step, course: &mut Course) -> Answer {
        match step {
            Step::Reserve => self.reserve(course),
            Step::Wait => self.wait(course),
            Step::Charge => self.charge(course),
            Step::Pay => self.pay(course),
            Step::Commit => match self.goods.commit(course.order.id) {
                Ok(()) => Answer::Ok,
                Err(CommitError::Gone(why)) => self.gone(course, why),
                Err(CommitError::Unavailable(why)) => unknown(course, step, &why),
            },
            Step::Empty => {
                let lines: Vec<CartLine> = course.order.lines.iter().map(cart_line).collect();
                match self.carts.take(course.order.id, course.order.user, &lines) {
                    Ok(()) => Answer::Ok,
                    Err(error) => unknown(course, step, &error.0),
                }
            }
            Step::GiveUp => self.give_up(course),
            Step::Void => self.void(course),
            Step::Release => match self.goods.release(course.order.id) {
                Ok(()) => Answer::Ok,
                Err(ReleaseError::Committed) => refused(course, step, "the goods are sold"),
                Err(ReleaseError::Unavailable(why)) => unknown(course, step, &why),
            },
            Step::TakeBack => self.take_back(course),
        }
    }

    fn reserve(&self, course: &mut Course) -> Answer {
        let lines: Vec<_> = course
            .order
            .lines
            .iter()
            .map(|line| (line.sku, line.quantity))
            .collect();
        let until = match course.work.task {
            Task::Place { pay_until: Some(end) } => end.after(GRACE),
            _ => course.now.after(JOBS_HOLD),
        };
        match self.goods.reserve(course.order.id, &lines, until) {
            Ok(()) => Answer::Ok,
            Err(ReserveError::Insufficient { free }) => {
                course.failure = Failure::OutOfStock { free };
                Answer::Refused
            }
            Err(ReserveError::Broken(why)) => broken(course, Step::Reserve, &why),
            Err(ReserveError::Unavailable(why)) => unknown(course, Step::Reserve, &why),
        }
    }

    fn charge(&self, course: &mut Course) -> Answer {
        let charge = charge_of(course);
        let answer = match &course.work.task {
            Task::Confirm { payment_key } => self.payments.confirm(&charge, payment_key),
            _ => self.payments.charge(&charge),
        };
        match answer {
            Ok(kept) if kept == charge.amount => Answer::Ok,
            Ok(kept) => {
                let why = format!("of {} only {} are kept", charge.amount.minor(), kept.minor());
                broken(course, Step::Charge, &why)
            }
            // Somebody has undone this checkout: that is an outage of ours, not a no of the gateway's.
            Err(ChargeError::Refused(code)) if code == VOIDED => refused(course, Step::Charge, &code),
            Err(ChargeError::Refused(code)) => {
                course.failure = Failure::PaymentRefused { code };
                Answer::Refused
            }
            Err(ChargeError::MethodNotOffered) => {
                course.failure = Failure::MethodNotOffered;
                Answer::Refused
            }
            Err(ChargeError::Broken(why)) => broken(course, Step::Charge, &why),
            Err(ChargeError::Unavailable(why)) => unknown(course, Step::Charge, &why),
        }
    }

    /// Goods that can't be let go any more went back with an order that was cancelled meanwhile, which is nobody's
    /// mistake, or are missing.
    fn gone(&self, course: &mut Course, why: &str) -> Answer {
        let owner = course.work.lease.owner;
        let is_ours = |entry: &Entry| {
            let work = entry.work.as_ref();
            work.is_some_and(|work| work.lease.owner == owner)
        };
        match self.ledger.find(course.order.id) {
            Ok(found) if !found.as_ref().is_some_and(is_ours) => {
                why.clone_into(&mut course.trouble);
                Answer::Refused
            }
            _ => refused(course, Step::Commit, why),
        }
    }

    /// The answer is decided here: the goods are held, and the customer may pay.
    fn wait(&self, course: &mut Course) -> Answer {
        let Task::Place { pay_until: Some(end) } = course.work.task else {
            return refused(course, Step::Wait, "this order does not wait");
        };
        course.order.state = State::Pending { pay_until: Some(end) };
        let reply = (self.render)(&Decided::Placed {
            order: &course.order,
            from_cart: course.work.from_cart,
        });
        let (id, owner) = (course.order.id, course.work.lease.owner);
        let waits = |entry: &Entry| {
            let work = entry.work.as_ref();
            work.is_some_and(|work| matches!(work.task, Task::Await { .. }))
        };
        let written = self.ledger.wait(id, owner, course.kept(&reply));
        let answer = self.written(course, Step::Wait, written, waits);
        if answer == Answer::Ok {
            course.reply = Some(reply);
        }
        answer
    }

    /// The answer is decided here: whatever becomes of the goods, the order was PAID.
    fn pay(&self, course: &mut Course) -> Answer {
        let mut paid = course.order.clone();
        match paid.state.pay(course.now) {
            Ok(outcome) => paid.state = outcome.into_inner(),
            Err(why) => return refused(course, Step::Pay, &why.to_string()),
        }
        let decided = match course.work.task {
            Task::Confirm { .. } => Decided::Confirmed(&paid),
            _ => Decided::Placed {
                order: &paid,
                from_cart: course.work.from_cart,
            },
        };
        let reply = (self.render)(&decided);
        let owner = course.work.lease.owner;
        let is_paid = |entry: &Entry| matches!(entry.order.state, State::Paid { .. });
        let until = drives_until(course);
        let kept = course.kept(&reply);
        let written = self.ledger.pay(&paid, owner, until, course.now, kept);
        let answer = self.written(course, Step::Pay, written, is_paid);
        if answer == Answer::Ok {
            course.order = paid;
            course.reply = Some(reply);
        }
        answer
    }

    /// A change that was not made now may have been made by a first attempt whose answer got lost.
    fn written(
        &self,
        course: &mut Course,
        step: Step,
        written: Result<bool, store::DbError>,
        is_done: impl Fn(&Entry) -> bool,
    ) -> Answer {
        let found = match written {
            Ok(true) => return Answer::Ok,
            Ok(false) => self.ledger.find(course.order.id),
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(entry)) if is_done(&entry) => Answer::Ok,
            Ok(_) => refused(course, step, "the order is somebody else's"),
            Err(error) => unknown(course, step, &error.to_string()),
        }
    }

    /// What has failed is written down before anything is given back: otherwise a client that repeats its
    /// command would drive an order on whose money is on its way back.
    fn give_up(&self, course: &mut Course) -> Answer {
        if matches!(course.work.task, Task::Undo { .. }) {
            return Answer::Ok;
        }
        let (id, owner, failure) = (course.order.id, course.work.lease.owner, course.failure.clone());
        let is_ours = |entry: &Entry| {
            let work = entry.work.as_ref();
            work.is_some_and(|work| matches!(work.task, Task::Undo { .. }) && work.lease.owner == owner)
        };
        let written = self.ledger.give_up(id, &failure, owner);
        let answer = self.written(course, Step::GiveUp, written, is_ours);
        if answer == Answer::Ok {
            course.work.task = Task::Undo { failure };
        }
        answer
    }

    fn void(&self, course: &mut Course) -> Answer {
        let attempt = course.work.attempt;
        let (key, reason) = match &course.work.task {
            Task::Cancel { why } => (
                format!("cancel/{attempt}"),
                format!("the order was cancelled: {}", why.text()),
            ),
            _ => (
                format!("undo/{attempt}"),
                "the checkout was not completed".to_owned(),
            ),
        };
        match self.payments.void(&charge_of(course), &key, &reason) {
            Ok(()) => Answer::Ok,
            Err(VoidError::Refused(why)) => refused(course, Step::Void, &why),
            Err(VoidError::Unavailable(why)) => unknown(course, Step::Void, &why),
        }
    }

    /// A PAID order's goods are sold, or still reserved because nobody came to let them go. They may be let
    /// go between two looks, by a driver that is not stopped yet.
    fn take_back(&self, course: &mut Course) -> Answer {
        for _ in 0..TAKE_BACK_ROUNDS {
            match self.goods.take_back(course.order.id) {
                Ok(()) => return Answer::Ok,
                Err(TakeBackError::Unavailable(why)) => return unknown(course, Step::TakeBack, &why),
                Err(TakeBackError::NotCommitted) => {}
            }
            match self.goods.release(course.order.id) {
                Ok(()) => return Answer::Ok,
                Err(ReleaseError::Unavailable(why)) => return unknown(course, Step::TakeBack, &why),
                Err(ReleaseError::Committed) => {}
            }
        }
        unknown(course, Step::TakeBack, "the goods are neither sold nor reserved")
    }
}

/// How long whoever makes an order PAID drives it. Where all that is left is the jobs' to do, they may take it at
/// once: as long as its goods are only reserved, each reservation of the same SKUs has to count them.
fn drives_until(course: &Course) -> Instant {
    match course.plan {
        Plan::Place { from_cart: false } => course.now,
        Plan::Place { from_cart: true }
        | Plan::Await
        | Plan::Confirm { .. }
        | Plan::Finish { .. }
        | Plan::Undo
        | Plan::Expire
        | Plan::Cancel => course.work.lease.until,
    }
}

const fn charge_of(course: &Course) -> Charge {
    let order = &course.order;
    Charge {
        order: order.id,
        user: order.user,
        amount: order.totals.due,
        method: order.method,
    }
}

const fn cart_line(line: &Line) -> CartLine {
    CartLine {
        product: line.product,
        sku: line.sku,
        quantity: line.quantity,
    }
}

/// What stands there is not what was asked for. So it is undone as if it had happened.
fn broken(course: &mut Course, step: Step, why: &str) -> Answer {
    refused(course, step, why);
    Answer::Unknown
}

fn unknown(course: &mut Course, step: Step, why: &str) -> Answer {
    course.note(step.text(), why);
    Answer::Unknown
}

fn refused(course: &mut Course, step: Step, why: &str) -> Answer {
    web::log::error(
        "order.drive",
        &format!("order {}: {} was refused: {why}", course.order.id, step.text()),
    );
    why.clone_into(&mut course.trouble);
    Answer::Refused
}
