use kernel::{Instant, OrderId, Outcome};
use store::DbError;

use super::{App, Decided, Ended, Kept, Reply};
use crate::domain::{Cancellation, Entry, Failure, Order, State, Stuck, Task, Work};
use crate::saga::{End, Log, Next, Plan, Step, next};

/// An order on its way, driven by whoever owns its work.
pub(super) struct Course {
    pub(super) order: Order,
    pub(super) work: Work,
    pub(super) plan: Plan,
    /// What is written down happened at this moment.
    pub(super) now: Instant,
    /// Why the order fails, as far as it is known.
    pub(super) failure: Failure,
    /// What the last call that went wrong said.
    pub(super) trouble: String,
    /// What the client is told; none before it is decided.
    pub(super) reply: Option<Reply>,
}

impl Course {
    /// On with what the client asked for.
    pub(super) fn forward(order: Order, work: Work, now: Instant) -> Self {
        let from_cart = work.from_cart;
        let plan = match &work.task {
            Task::Place { pay_until: None } => Plan::Place { from_cart },
            Task::Place { pay_until: Some(_) } | Task::Await { .. } => Plan::Await,
            Task::Confirm { .. } => Plan::Confirm { from_cart },
            Task::Undo { .. } => Plan::Undo,
            Task::Finish => Plan::Finish { from_cart },
            Task::Cancel { .. } => Plan::Cancel,
            Task::Expire => Plan::Expire,
        };
        let failure = if let Task::Undo { failure } = &work.task {
            failure.clone()
        } else {
            Failure::Unavailable
        };
        Self::of(order, work, plan, now, failure)
    }

    /// On with what somebody left behind: checkouts are undone, all else is carried on.
    pub(super) fn recovery(order: Order, work: Work, now: Instant) -> Self {
        match &work.task {
            Task::Place { .. } | Task::Confirm { .. } => {
                Self::of(order, work, Plan::Undo, now, Failure::Abandoned)
            }
            Task::Await { .. } | Task::Undo { .. } | Task::Finish | Task::Cancel { .. } | Task::Expire => {
                Self::forward(order, work, now)
            }
        }
    }

    const fn of(order: Order, work: Work, plan: Plan, now: Instant, failure: Failure) -> Self {
        Self {
            order,
            work,
            plan,
            now,
            failure,
            trouble: String::new(),
            reply: None,
        }
    }

    /// The answer as the client's key gets it; none when there is no key.
    pub(super) fn kept<'a>(&'a self, reply: &'a Reply) -> Option<Kept<'a>> {
        let key = self.work.key.as_ref()?;
        Some(Kept { key, reply })
    }

    pub(super) fn note(&mut self, step: &str, why: &str) {
        web::log::warn(
            "order.drive",
            &format!("order {}: no answer from {step}: {why}", self.order.id),
        );
        why.clone_into(&mut self.trouble);
    }
}

/// How far a course came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To its end.
    Done,
    /// Not to its end; recovery goes on later.
    Left,
    /// A person has to look.
    Stuck,
}

impl App<'_> {
    /// Drives a client's order and says what the client is told.
    pub(super) fn answer(&self, mut course: Course) -> Ended {
        let way = self.drive(&mut course);
        match (course.reply.take(), way) {
            (Some(reply), _) => Ended::Decided(reply),
            (None, Way::Stuck) => Ended::Stuck(course.order.id),
            (None, Way::Done | Way::Left) => self.as_it_stands(course.order.id, &course.work),
        }
    }

    /// Asks the plan, does what it says, writes the answer down, until it ends.
    pub(super) fn drive(&self, course: &mut Course) -> Way {
        let mut log = Log::default();
        loop {
            match next(course.plan, &log) {
                Next::Do(_) if self.is_out_of_time(course) => return Way::Left,
                Next::Do(step) => {
                    let answer = self.do_step(step, course);
                    log.append(step, answer);
                }
                Next::Finished(end) => return self.end(end, course),
                Next::SoldOut => {
                    if !self.turn_to_cancel(course) {
                        return Way::Left;
                    }
                    log = Log::default();
                }
                Next::Overtaken => return left(course, "somebody else drives it"),
                Next::Parked(step) => return left(course, &format!("no answer from {}", step.text())),
                Next::Stuck(step) => return self.stick(step, course),
            }
        }
    }

    /// Past its lease an order belongs to whoever takes it: its old driver must not undo anything now.
    fn is_out_of_time(&self, course: &Course) -> bool {
        let over = (self.clock)() >= course.work.lease.until;
        if over {
            left(course, "the lease has run out");
        }
        over
    }

    /// The goods of a PAID order are gone. That is written down before the money goes back: goods that
    /// turn up meanwhile must not be let go for it.
    fn turn_to_cancel(&self, course: &mut Course) -> bool {
        let why = Cancellation::SoldOut;
        match self.ledger.turn(course.order.id, &why, course.work.lease.owner) {
            Ok(true) => {
                let story = format!(
                    "order {} is PAID, but sold out: {}",
                    course.order.id, course.trouble
                );
                web::log::error("order.drive", &story);
                course.work.task = Task::Cancel { why };
                course.plan = Plan::Cancel;
                true
            }
            // Somebody gives the order back already, so its goods were released.
            Ok(false) => false,
            Err(error) => {
                course.note("turn", &error.to_string());
                false
            }
        }
    }

    fn stick(&self, step: Step, course: &mut Course) -> Way {
        let stuck = Stuck {
            step: step.text().to_owned(),
            reason: course.trouble.clone(),
        };
        web::log::error(
            "order.drive",
            &format!(
                "order {}: stuck at {}: {}",
                course.order.id, stuck.step, stuck.reason
            ),
        );
        match self
            .ledger
            .stick(course.order.id, &stuck, course.work.lease.owner)
        {
            Ok(true) => Way::Stuck,
            Ok(false) => Way::Left,
            Err(error) => {
                course.note("stick", &error.to_string());
                Way::Left
            }
        }
    }

    fn end(&self, end: End, course: &mut Course) -> Way {
        let written = match end {
            End::Paid | End::Waiting => return Way::Done,
            End::Failed => self.fail(course),
            End::Cancelled => self.cancelled(course),
        };
        match written {
            Ok(Some(reply)) => {
                // A client that was told that it is PAID is told nothing else, now or later.
                course.reply.get_or_insert(reply);
                Way::Done
            }
            Ok(None) => left(course, "somebody else has decided it"),
            Err(error) => {
                course.note("the order's end", &error.to_string());
                Way::Left
            }
        }
    }

    fn fail(&self, course: &Course) -> Result<Option<Reply>, DbError> {
        let reply = (self.render)(&Decided::Failed(&course.failure));
        let (owner, kept) = (course.work.lease.owner, course.kept(&reply));
        let written = self
            .ledger
            .fail(&course.order, &course.failure, owner, course.now, kept)?;
        Ok(written.then_some(reply))
    }

    fn cancelled(&self, course: &mut Course) -> Result<Option<Reply>, DbError> {
        let why = match &course.work.task {
            Task::Cancel { why } => why.clone(),
            Task::Place { .. }
            | Task::Await { .. }
            | Task::Confirm { .. }
            | Task::Undo { .. }
            | Task::Finish
            | Task::Expire => Cancellation::Expired,
        };
        let before = course.order.state.clone();
        let Ok(after) = before.clone().cancel(course.now, why.clone()) else {
            return Ok(None);
        };
        let is_new = matches!(after, Outcome::Done(_));
        course.order.state = after.into_inner();
        let reply = (self.render)(&Decided::Cancelled(&course.order));
        let (owner, kept) = (course.work.lease.owner, course.kept(&reply));
        let written = if is_new {
            self.ledger
                .cancel(&course.order, &before, &why, owner, course.now, kept)?
        } else {
            self.ledger.end_cancel(course.order.id, owner, kept)?
        };
        Ok(written.then_some(reply))
    }

    /// What can be said of an order that its driver could not bring to its end: perhaps others have.
    fn as_it_stands(&self, id: OrderId, asked: &Work) -> Ended {
        let Ok(Some(Entry { order, work })) = self.ledger.find(id) else {
            return Ended::Open(id);
        };
        let placed = Decided::Placed {
            order: &order,
            from_cart: asked.from_cart,
        };
        let waits = work.is_some_and(|work| matches!(work.task, Task::Await { .. }));
        let decided = match (&asked.task, &order.state) {
            (
                Task::Place { .. } | Task::Confirm { .. } | Task::Undo { .. },
                State::Failed { failure, .. },
            ) => Decided::Failed(failure),
            (Task::Confirm { .. }, State::Paid { .. }) => Decided::Confirmed(&order),
            (Task::Place { .. }, State::Paid { .. }) => placed,
            (Task::Place { .. }, State::Pending { .. }) if waits => placed,
            (Task::Cancel { .. }, State::Cancelled { .. }) => Decided::Cancelled(&order),
            _ => return Ended::Open(id),
        };
        Ended::Decided((self.render)(&decided))
    }
}

fn left(course: &Course, why: &str) -> Way {
    web::log::warn(
        "order.drive",
        &format!("order {}: left to recovery: {why}", course.order.id),
    );
    Way::Left
}
