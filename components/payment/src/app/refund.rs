//! Giving money back, once for each key.

use kernel::{Instant, Outcome};

use super::{App, CancelError, Failed, Gateway, Payments, ROUNDS, Trouble};
use crate::domain::{NewRefund, Payment, Refund, RefundRefused, RefundStep, Till, next_of_refund};

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
                RefundStep::Continue(refund, till) => self.carry_on(&refund, &till, now)?,
            };
            match tried {
                Tried::Done(payment) => return Ok(Outcome::Done(payment)),
                Tried::Refused(code) => return Err(Failed::Refused(RefundRefused::Refused(code))),
                Tried::Overtaken => {}
            }
        }
        Err(Trouble::Contended.into())
    }

    /// Promises a refund and gives the money back.
    pub(super) fn begin(&self, refund: &Refund, till: &Till, now: Instant) -> Result<Tried, Trouble> {
        match till {
            Till::Cash => Ok(done_unless_late(self.payments.give_cash(refund, now)?)),
            Till::Gateway { .. } if self.payments.promise(refund)? => self.carry_on(refund, till, now),
            Till::Gateway { .. } => Ok(Tried::Overtaken),
        }
    }

    /// Gives the money of a promised refund back.
    pub(super) fn carry_on(&self, refund: &Refund, till: &Till, now: Instant) -> Result<Tried, Trouble> {
        let payment_key = match till {
            Till::Cash => return Ok(done_unless_late(self.payments.finish(refund, now)?)),
            Till::Gateway { payment_key } => payment_key,
        };
        let mut cancel_key = refund.cancel_key();
        if cfg!(feature = "mutant-refund-twice") {
            // Only for the test that proves this guard is needed.
            cancel_key.push_str(&format!("@{}", now.micros()));
        }
        let answer = self
            .gateway
            .cancel(payment_key, &cancel_key, refund.amount.money(), &refund.reason);
        let code = match answer {
            Ok(()) => return Ok(done_unless_late(self.payments.finish(refund, now)?)),
            Err(CancelError::Unavailable(why)) => return Err(Trouble::Gateway(why)),
            Err(CancelError::Refused(code)) => code,
            Err(CancelError::UnknownPayment) => "UNKNOWN_PAYMENT".to_owned(),
            Err(CancelError::DiffersFromExisting) => "DIFFERS_FROM_EXISTING".to_owned(),
            Err(CancelError::ExceedsRemaining) => "EXCEEDS_REMAINING".to_owned(),
        };
        if self.payments.refuse(refund, &code, now)? {
            Ok(Tried::Refused(code))
        } else {
            Ok(Tried::Overtaken)
        }
    }
}

fn done_unless_late(payment: Option<Payment>) -> Tried {
    payment.map_or(Tried::Overtaken, Tried::Done)
}
