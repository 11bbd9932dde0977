//! Use cases: charge, confirm, refund, void, status, and the job that carries on what was left half done.
//! Each can be repeated after any failure.
//!
//! The gateway is asked before a charge is written down and after a refund is promised. What a crash
//! leaves in between is finished by the repetition, since the gateway knows both by our ids.

mod figures;
mod port;
mod recover;
mod refund;
mod void;

use kernel::{Instant, OrderId, Outcome, PaymentId};
use store::DbError;

use crate::domain::{
    Amount, Charge, ChargeRefused, ChargeStep, Confirmation, Look, Payment, State, Taking, Till,
};
pub use figures::{Counted, Figures};
pub use port::{
    Amended, Approval, ApproveError, BadLook, BadRefund, CancelError, Claim, DueRefund, Entry, Gateway,
    Ledger, Outbox, Payments, Place, WithRefunds,
};
pub use recover::Tally;

/// How often a call looks again when others were first.
const ROUNDS: u32 = 4;

/// Bits of randomness in a payment's id; one draw of 64 serves all rounds.
const BITS_PER_ID: u32 = 13;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The gateway did not answer; carries its excuse.
    #[error("gateway: {0}")]
    Gateway(String),
    /// The gateway took money for a charge whose answer we never heard.
    #[error("the gateway took money that is not written down yet: the charge must be repeated or voided")]
    Unsettled,
    /// Somebody else asks the gateway about the same refund.
    #[error("somebody else is at this refund")]
    UnderWay,
    /// Others were first, each time.
    #[error("others changed the payment each time")]
    Contended,
    /// The database.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl Trouble {
    /// What a caller may know of it.
    pub const fn excuse(&self) -> &'static str {
        match self {
            Self::Gateway(_) => "the payment gateway does not answer",
            Self::Unsettled => "an earlier charge is not settled yet: repeat or void it",
            Self::UnderWay => "somebody else is at this refund: repeat the call",
            Self::Contended | Self::Store(_) => "the payment store does not answer",
        }
    }
}

/// Why a command was not done.
#[derive(Debug)]
pub enum Failed<R> {
    /// The answer is no.
    Refused(R),
    /// There is no answer.
    Unanswered(Trouble),
}

impl<R> From<Trouble> for Failed<R> {
    fn from(trouble: Trouble) -> Self {
        Self::Unanswered(trouble)
    }
}

impl<R> From<DbError> for Failed<R> {
    fn from(error: DbError) -> Self {
        Self::Unanswered(error.into())
    }
}

/// The use cases over one gateway and one store.
pub struct App<'a, P, G> {
    /// Where payments are kept.
    pub payments: &'a P,
    /// Who moves the money.
    pub gateway: &'a G,
}

impl<P: Payments, G: Gateway> App<'_, P, G> {
    /// Takes the money of an order, once. `random` makes the payment's id.
    pub fn charge(
        &self,
        charge: &Charge,
        now: Instant,
        random: u64,
    ) -> Result<Outcome<Payment>, Failed<ChargeRefused>> {
        self.take(&charge.taking(), now, random)
    }

    /// Takes the money that the customer began to pay in the gateway's window, once.
    pub fn confirm(
        &self,
        confirmation: &Confirmation,
        now: Instant,
        random: u64,
    ) -> Result<Outcome<Payment>, Failed<ChargeRefused>> {
        self.take(&confirmation.taking(), now, random)
    }

    /// The payment of an order; none when nothing was ever charged, here or at the gateway.
    pub fn status(&self, order: OrderId) -> Result<Option<Payment>, Trouble> {
        let payment = self.payments.find(order)?;
        if payment.is_none() {
            self.expect_nothing_taken(order)?;
        }
        Ok(payment)
    }

    fn take(
        &self,
        taking: &Taking,
        now: Instant,
        random: u64,
    ) -> Result<Outcome<Payment>, Failed<ChargeRefused>> {
        for round in 0..ROUNDS {
            let existing = self.payments.find(taking.charge.order)?;
            let id = payment_id(now, random, round);
            let step = taking.next(existing).map_err(Failed::Refused)?;
            if let ChargeStep::AlreadyDone(payment) = step {
                return Ok(Outcome::AlreadyDone(payment));
            }
            let payment = self.ask(taking, &step, id, now)?;
            if self.payments.insert(&payment)? {
                return match &payment.state {
                    State::Captured { .. } => Ok(Outcome::Done(payment)),
                    State::Failed { code } => Err(Failed::Refused(ChargeRefused::Refused(code.clone()))),
                };
            }
            self.return_displaced(&payment, now)?;
        }
        Err(Trouble::Contended.into())
    }

    /// Has the money taken; what comes back is to be written down.
    fn ask(
        &self,
        taking: &Taking,
        step: &ChargeStep,
        id: PaymentId,
        now: Instant,
    ) -> Result<Payment, Failed<ChargeRefused>> {
        let (order, asked) = (taking.charge.order, taking.charge.amount.money());
        let answer = match step {
            ChargeStep::AlreadyDone(payment) => return Ok(payment.clone()),
            ChargeStep::TakeCash if self.held(order)?.is_some() => {
                // The answer to an earlier charge by card was lost: who pays cash now pays twice.
                return Err(Failed::Refused(ChargeRefused::DiffersFromExisting));
            }
            ChargeStep::TakeCash => return Ok(taking.captured(id, Till::Cash, now)),
            ChargeStep::Approve => self.gateway.approve(order, asked),
            ChargeStep::Confirm(key) => self.gateway.confirm(order, key.as_str(), asked),
        };
        match answer {
            Ok(Approval { payment_key, amount }) if amount == asked => {
                Ok(taking.captured(id, Till::Gateway { payment_key }, now))
            }
            Ok(_) => Err(Trouble::Gateway("it took another amount than asked".to_owned()).into()),
            Err(ApproveError::Refused(code)) => Ok(taking.failed(id, code, now)),
            Err(ApproveError::DiffersFromExisting) => {
                Err(Failed::Refused(ChargeRefused::DiffersFromExisting))
            }
            Err(ApproveError::Unavailable(why)) => Err(Trouble::Gateway(why).into()),
        }
    }

    /// Another call decided the order while the gateway took our money: unless that is the very
    /// payment that was written down, it goes back. A look is set first, in case it does not.
    fn return_displaced(&self, ours: &Payment, now: Instant) -> Result<(), Trouble> {
        let State::Captured {
            till: Till::Gateway { payment_key },
            ..
        } = &ours.state
        else {
            return Ok(());
        };
        let Some(theirs) = self.payments.find(ours.order)? else {
            return Ok(()); // Only the id was taken; the next round takes another one.
        };
        if theirs.keeps(payment_key) {
            return Ok(());
        }
        self.payments.set_look(Look::first(ours.order, now))?;
        let amount = Amount::try_new(ours.amount).expect("what was charged is more than nothing");
        self.return_stray(ours.order, payment_key, amount)
            .map_err(|error| Trouble::Gateway(format!("money must go back: {error:?}")))
    }

    /// Gives back money that belongs to no payment of ours: once for each order, whoever finds it.
    fn return_stray(&self, order: OrderId, payment_key: &str, amount: Amount) -> Result<(), CancelError> {
        let cancel_key = format!("{order}/displaced");
        self.gateway
            .cancel(payment_key, &cancel_key, amount.money(), "charged in vain")
    }

    /// A charge whose answer got lost left no trace here. While the gateway holds its money, "nothing
    /// was charged" would be a lie by which somebody loses it.
    fn expect_nothing_taken(&self, order: OrderId) -> Result<(), Trouble> {
        match self.held(order)? {
            None => Ok(()),
            Some(_) => Err(Trouble::Unsettled),
        }
    }

    /// The gateway's key and how much it holds for an order.
    fn held(&self, order: OrderId) -> Result<Option<(String, Amount)>, Trouble> {
        let entry = self.gateway.find(order).map_err(Trouble::Gateway)?;
        Ok(entry.and_then(|entry| {
            let held = entry.held()?;
            Some((entry.approval.payment_key, held))
        }))
    }
}

/// An id for each round, so that a taken one is not tried again.
const fn payment_id(now: Instant, random: u64, round: u32) -> PaymentId {
    PaymentId::generate(now, random.rotate_right(round * BITS_PER_ID))
}
