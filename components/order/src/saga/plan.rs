/// A step of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Set the goods aside.
    Reserve,
    /// Leave the order to its customer, who pays in a second call.
    Wait,
    /// Take the money.
    Charge,
    /// Mark the order PAID.
    Pay,
    /// Let the goods go.
    Commit,
    /// Take what was bought out of the cart.
    Empty,
    /// Write down that the checkout has failed: it is undone from now on, whoever drives it.
    GiveUp,
    /// Give the money back, and let none in any more.
    Void,
    /// Give the reserved goods back, and reserve none any more.
    Release,
    /// Take the goods back, sold or only reserved.
    TakeBack,
}

impl Step {
    /// As logs and the database write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Wait => "wait",
            Self::Charge => "charge",
            Self::Pay => "pay",
            Self::Commit => "commit",
            Self::Empty => "empty",
            Self::GiveUp => "give up",
            Self::Void => "void",
            Self::Release => "release",
            Self::TakeBack => "take back",
        }
    }
}

/// What is to be done for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// A checkout in one call; a cart is emptied at its end. The goods stay reserved: they are let go by Finish,
    /// for many orders at once.
    Place {
        /// Whether the order was made of the cart.
        from_cart: bool,
    },
    /// The first call of a checkout in two.
    Await,
    /// Its second call.
    Confirm {
        /// Whether the order was made of the cart.
        from_cart: bool,
    },
    /// What is left of a PAID order.
    Finish {
        /// Whether the order was made of the cart.
        from_cart: bool,
    },
    /// An abandoned checkout is given back.
    Undo,
    /// An order that was not paid in time is given back.
    Expire,
    /// A PAID order is given back.
    Cancel,
}

impl Plan {
    /// The steps, when none fails.
    const fn steps(self) -> &'static [Step] {
        use Step::{Charge, Commit, Empty, GiveUp, Pay, Release, Reserve, TakeBack, Void, Wait};
        match self {
            Self::Place { from_cart: false } => &[Reserve, Charge, Pay],
            Self::Place { from_cart: true } => &[Reserve, Charge, Pay, Empty],
            Self::Await => &[Reserve, Wait],
            Self::Confirm { from_cart: false } => &[Charge, Pay, Commit],
            Self::Confirm { from_cart: true } => &[Charge, Pay, Commit, Empty],
            Self::Finish { from_cart: false } => &[Commit],
            Self::Finish { from_cart: true } => &[Commit, Empty],
            Self::Undo => &[GiveUp, Void, Release],
            Self::Expire => &[Release],
            Self::Cancel => &[Void, TakeBack],
        }
    }

    /// How it ends when none fails.
    const fn end(self) -> End {
        match self {
            Self::Place { .. } | Self::Confirm { .. } | Self::Finish { .. } => End::Paid,
            Self::Await => End::Waiting,
            Self::Undo => End::Failed,
            Self::Expire | Self::Cancel => End::Cancelled,
        }
    }

    /// Whether goods are held before its first step.
    const fn begins_with_goods(self) -> bool {
        matches!(self, Self::Confirm { .. })
    }
}

/// How often a call is made that gets no answer. Every call can be repeated, and the second one often
/// learns what became of the first.
const ATTEMPTS: usize = 2;

/// What a step answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Done, now or before.
    Ok,
    /// The business said no; nothing changed.
    Refused,
    /// No answer: it may have happened.
    Unknown,
}

/// What has happened so far, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log(Vec<(Step, Answer)>);

impl Log {
    /// Writes an answer down.
    pub fn append(&mut self, step: Step, answer: Answer) {
        self.0.push((step, answer));
    }

    /// The last of a step's answers; none while an unanswered call is still worth repeating.
    fn answer(&self, step: Step) -> Option<Answer> {
        let mut answers = self.0.iter().filter(|(asked, _)| *asked == step);
        let count = answers.clone().count();
        match answers.next_back()?.1 {
            Answer::Unknown if count < ATTEMPTS => None,
            last => Some(last),
        }
    }

    /// Whether a step was done, or may still be: a call without an answer can arrive after a later one was refused.
    fn may_happen(&self, step: Step) -> bool {
        let mut answers = self.0.iter().filter(|(asked, _)| *asked == step);
        answers.any(|(_, answer)| *answer != Answer::Refused)
    }
}

/// How a plan ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Money in, goods out.
    Paid,
    /// Goods are held until the customer pays.
    Waiting,
    /// Everything was given back: the order is to be marked FAILED.
    Failed,
    /// Everything was given back: the order is to be marked CANCELLED.
    Cancelled,
}

/// What must happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Do this step.
    Do(Step),
    /// There is nothing more to do.
    Finished(End),
    /// The order is PAID and its goods are gone: cancel it.
    SoldOut,
    /// No answer where one is needed: the order stays as it is and recovery goes on later.
    Parked(Step),
    /// Somebody else drives the order: leave it alone.
    Overtaken,
    /// An undo was refused: a person has to look.
    Stuck(Step),
}

/// Reads the log and says what must happen now.
pub fn next(plan: Plan, log: &Log) -> Next {
    if plan == Plan::Undo {
        return undo(plan, plan.steps(), log);
    }
    for &step in plan.steps() {
        match log.answer(step) {
            None => return Next::Do(step),
            Some(Answer::Ok) => {}
            Some(Answer::Refused) => return refused(plan, step, log),
            Some(Answer::Unknown) => return unknown(plan, step, log),
        }
    }
    Next::Finished(plan.end())
}

fn refused(plan: Plan, step: Step, log: &Log) -> Next {
    match step {
        Step::Reserve | Step::Charge => give_back(plan, log),
        Step::Wait | Step::Pay | Step::GiveUp => Next::Overtaken,
        Step::Commit => Next::SoldOut,
        Step::Empty | Step::Void | Step::Release | Step::TakeBack => Next::Stuck(step),
    }
}

fn unknown(plan: Plan, step: Step, log: &Log) -> Next {
    match step {
        Step::Reserve | Step::Charge => give_back(plan, log),
        Step::Wait
        | Step::Pay
        | Step::Commit
        | Step::Empty
        | Step::GiveUp
        | Step::Void
        | Step::Release
        | Step::TakeBack => Next::Parked(step),
    }
}

/// Undoes, last step first, whatever was done or may have been; that it does is written down before. A refused charge is
/// remembered, so none can arrive after it; refused goods are not.
fn give_back(plan: Plan, log: &Log) -> Next {
    let charged = matches!(log.answer(Step::Charge), Some(Answer::Ok | Answer::Unknown));
    let reserved = plan.begins_with_goods() || log.may_happen(Step::Reserve);
    match (charged, reserved) {
        (true, true) => undo(plan, &[Step::GiveUp, Step::Void, Step::Release], log),
        (true, false) => undo(plan, &[Step::GiveUp, Step::Void], log),
        (false, true) => undo(plan, &[Step::GiveUp, Step::Release], log),
        (false, false) => Next::Finished(End::Failed),
    }
}

/// Takes these steps back. The goods need not wait for the money: what is given up is never paid, whatever becomes of
/// its charge, and while a gateway is silent others can buy them.
fn undo(plan: Plan, steps: &[Step], log: &Log) -> Next {
    let mut silent = None;
    for &step in steps {
        match log.answer(step) {
            None => return Next::Do(step),
            Some(Answer::Ok) => {}
            Some(Answer::Unknown) if step == Step::Void => silent = Some(step),
            Some(Answer::Refused) => return refused(plan, step, log),
            Some(Answer::Unknown) => return unknown(plan, step, log),
        }
    }
    silent.map_or(Next::Finished(End::Failed), Next::Parked)
}

#[cfg(test)]
mod tests;
