//! Giving money back, once for each key, and by one at a time: a gateway that hears twice of one refund may
//! say no to one and yes to the other.

use kernel::{Instant, Outcome};

use super::{Amended, App, CancelError, Claim, Failed, Gateway, Payments, ROUNDS, Trouble};
use crate::domain::{
    EXCEEDS_REMAINING, HOLD, NewRefund, Payment, Refund, RefundRefused, RefundStep, Till, UNBOOKED,
    next_of_refund,
};

/// What became of a refund that was tried.
pub(super) enum Tried {
    /// The money went back.
    Done(Payment),
    /// The gateway said no, with this code; the promise is taken back.
    Refused(String),
    /// Somebody else was first: look again.
    Overtaken,
}

impl<P: Payments, G: Gateway> App<'_, P, G> {
    /// Gives money of an order back, once for each key.
    pub fn refund(
        &self,
        command: &NewRefund,
        now: Instant,
    ) -> Result<Outcome<Payment>, Failed<RefundRefused>> {
        for _ in 0..ROUNDS {
            let (payment, existing) = self.payments.find_refund(command.order, &command.key)?;
            if payment.is_none() {
                self.expect_nothing_taken(command.order)?;
            }
            let step = next_of_refund(command.clone(), payment, existing, now).map_err(Failed::Refused)?;
            let tried = match step {
                RefundStep::AlreadyDone(payment) => return Ok(Outcome::AlreadyDone(payment)),
                RefundStep::Promise(refund, till) => self.begin(&refund, &till, now)?,
                RefundStep::Continue(refund, till) => self.carry_on(&refund, &till, now, now)?,
            };
            match tried {
                Tried::Done(payment) => return Ok(Outcome::Done(payment)),
                Tried::Refused(code) => return Err(Failed::Refused(RefundRefused::Refused(code))),
                Tried::Overtaken => {}
            }
        }
        Err(Trouble::Contended.into())
    }

    /// Promises a refund and gives the money back: who promises it has it alone.
    pub(super) fn begin(&self, refund: &Refund, till: &Till, now: Instant) -> Result<Tried, Trouble> {
        match till {
            Till::Cash => Ok(done_unless_late(self.payments.give_cash(refund, now)?)),
            Till::Gateway { payment_key } if self.payments.promise(refund)? => {
                self.give_back(refund, payment_key, refund.promised_until(), now)
            }
            Till::Gateway { .. } => Ok(Tried::Overtaken),
        }
    }

    /// Gives the money of a promised refund back, unless somebody else is at it. Until `rests_until` the job
    /// leaves it alone, also when this call never returns.
    pub(super) fn carry_on(
        &self,
        refund: &Refund,
        till: &Till,
        now: Instant,
        rests_until: Instant,
    ) -> Result<Tried, Trouble> {
        let payment_key = match till {
            Till::Cash => return Ok(done_unless_late(self.payments.finish(refund, now)?)),
            Till::Gateway { payment_key } => payment_key,
        };
        match self.payments.claim(refund, now, rests_until)? {
            Claim::Ours => self.give_back(refund, payment_key, now.after(HOLD), now),
            Claim::Theirs => Err(Trouble::UnderWay),
            Claim::Decided => Ok(Tried::Overtaken),
        }
    }

    /// Gives back what nobody else is at `until` then. Without an answer the next one need not wait so long.
    fn give_back(
        &self,
        refund: &Refund,
        payment_key: &str,
        until: Instant,
        now: Instant,
    ) -> Result<Tried, Trouble> {
        let tried = self.ask_back(refund, payment_key, now);
        if tried.is_err() {
            // Where this fails too, the claim ends by itself.
            let _ = self.payments.let_go(refund, until);
        }
        tried
    }

    fn ask_back(&self, refund: &Refund, payment_key: &str, now: Instant) -> Result<Tried, Trouble> {
        let mut cancel_key = refund.cancel_key();
        if cfg!(feature = "mutant-refund-twice") {
            // Only for the test that proves this guard is needed.
            cancel_key.push_str(&format!("@{}", now.micros()));
        }
        let answer = self
            .gateway
            .cancel(payment_key, &cancel_key, refund.amount.money(), &refund.reason);
        let code = match answer {
            Ok(()) => return self.write_down(refund, now),
            Err(CancelError::Unavailable(why)) => return Err(Trouble::Gateway(why)),
            Err(refusal) => refusal.code(),
        };
        if self.payments.refuse(refund, &code, now)? {
            Ok(Tried::Refused(code))
        } else {
            Ok(Tried::Overtaken)
        }
    }

    /// The gateway gave the money back, so that is written down, also where another one was told no.
    fn write_down(&self, refund: &Refund, now: Instant) -> Result<Tried, Trouble> {
        if let Some(payment) = self.payments.finish(refund, now)? {
            return Ok(Tried::Done(payment));
        }
        match self.payments.finish_refused(refund, now)? {
            Amended::Done(payment) => Ok(Tried::Done(payment)),
            Amended::NotRefused => Ok(Tried::Overtaken),
            Amended::NoRoom => {
                let (order, key) = (refund.order, refund.key.as_str());
                let story =
                    format!("order {order}, refund {key}: {UNBOOKED}: it was given back after a refusal");
                web::log::error("payment.refund", &story);
                Ok(Tried::Refused(UNBOOKED.to_owned()))
            }
        }
    }
}

impl CancelError {
    /// In one word, why nothing was given back.
    pub(super) fn code(self) -> String {
        match self {
            Self::UnknownPayment => "UNKNOWN_PAYMENT".to_owned(),
            Self::DiffersFromExisting => "DIFFERS_FROM_EXISTING".to_owned(),
            Self::ExceedsRemaining => EXCEEDS_REMAINING.to_owned(),
            Self::Refused(code) | Self::Unavailable(code) => code,
        }
    }
}

fn done_unless_late(payment: Option<Payment>) -> Tried {
    payment.map_or(Tried::Overtaken, Tried::Done)
}
