//! Use cases: charge, refund, status. Each can be repeated after any failure.
//!
//! The gateway is asked before a charge is written down and after a refund is promised. What a crash
//! leaves in between is finished by the repetition, since the gateway knows both by our ids.

use kernel::{Instant, Money, OrderId, Outcome, PaymentId};
use store::DbError;

use crate::domain::{
    Charge, ChargeRefused, ChargeStep, NewRefund, Payment, Refund, RefundKey, RefundRefused, RefundStep,
    State, Till, next_of_refund,
};

/// How often a call looks again when others were first.
const ROUNDS: u32 = 4;

/// Bits of randomness in a payment's id; one draw of 64 serves all rounds.
const BITS_PER_ID: u32 = 13;

/// The company that moves the money.
pub trait Gateway {
    /// Takes `amount` for `order`, once.
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError>;
    /// Gives `amount` of a payment back, once for each `cancel_key`.
    fn cancel(
        &self,
        payment_key: &str,
        cancel_key: &str,
        amount: Money,
        reason: &str,
    ) -> Result<(), CancelError>;
    /// Whether it ever took money for `order`; the error is its excuse for not answering.
    fn took_money(&self, order: OrderId) -> Result<bool, String>;
}

/// Money the gateway took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its own name of the payment.
    pub payment_key: String,
    /// How much it took.
    pub amount: Money,
}

/// Why the gateway took no money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveError {
    /// It said no, with this code.
    Refused(String),
    /// It took another amount for this order before.
    DiffersFromExisting,
    /// It did not answer.
    Unavailable(String),
}

/// Why the gateway gave no money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelError {
    /// It knows no such payment.
    UnknownPayment,
    /// It gave another amount back under this key.
    DiffersFromExisting,
    /// It holds less than that.
    ExceedsRemaining,
    /// It said no, with this code.
    Refused(String),
    /// It did not answer.
    Unavailable(String),
}

/// Where payments are kept.
pub trait Payments {
    /// The payment of an order.
    fn find(&self, order: OrderId) -> Result<Option<Payment>, DbError>;
    /// The payment of an order, and its refund of this key.
    fn find_refund(
        &self,
        order: OrderId,
        key: &RefundKey,
    ) -> Result<(Option<Payment>, Option<Refund>), DbError>;
    /// Writes a decided payment with its event; false when its order or its id is taken.
    fn insert(&self, payment: &Payment) -> Result<bool, DbError>;
    /// Writes a refund as requested and promises its amount; false when its key is used or less is left.
    fn promise(&self, refund: &Refund) -> Result<bool, DbError>;
    /// Marks a requested refund done, with its event; none when it is not requested any more.
    fn finish(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError>;
    /// [`Payments::promise`] and [`Payments::finish`] at once; none when the promise can't be made.
    fn give_cash(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError>;
    /// Marks a requested refund refused and takes its promise back; false when it is not requested any more.
    fn refuse(&self, refund: &Refund, code: &str, now: Instant) -> Result<bool, DbError>;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The gateway did not answer; carries its excuse.
    #[error("gateway: {0}")]
    Gateway(String),
    /// The gateway took money for a charge whose answer we never heard.
    #[error("the gateway took money that is not written down yet: the charge must be repeated")]
    Unsettled,
    /// Others were first, each time.
    #[error("others changed the payment each time")]
    Contended,
    /// The database.
    #[error(transparent)]
    Store(#[from] DbError),
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
        for round in 0..ROUNDS {
            let existing = self.payments.find(charge.order)?;
            let id = PaymentId::generate(now, random >> (round * BITS_PER_ID));
            let payment = match charge.next(existing).map_err(Failed::Refused)? {
                ChargeStep::AlreadyDone(payment) => return Ok(Outcome::AlreadyDone(payment)),
                ChargeStep::TakeCash => charge.captured(id, Till::Cash, now),
                ChargeStep::AskGateway => self.ask(charge, id, now)?,
            };
            if self.payments.insert(&payment)? {
                return match &payment.state {
                    State::Captured { .. } => Ok(Outcome::Done(payment)),
                    State::Failed { code } => Err(Failed::Refused(ChargeRefused::Refused(code.clone()))),
                };
            }
            self.return_displaced(&payment)?;
        }
        Err(Trouble::Contended.into())
    }

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
            let finished = match step {
                RefundStep::AlreadyDone(payment) => return Ok(Outcome::AlreadyDone(payment)),
                RefundStep::Promise(refund, Till::Cash) => self.payments.give_cash(&refund, now)?,
                RefundStep::Promise(refund, Till::Gateway { payment_key }) => {
                    if self.payments.promise(&refund)? {
                        self.give_back(&refund, &payment_key, now)?
                    } else {
                        None
                    }
                }
                RefundStep::Continue(refund, Till::Cash) => self.payments.finish(&refund, now)?,
                RefundStep::Continue(refund, Till::Gateway { payment_key }) => {
                    self.give_back(&refund, &payment_key, now)?
                }
            };
            if let Some(payment) = finished {
                return Ok(Outcome::Done(payment));
            }
        }
        Err(Trouble::Contended.into())
    }

    /// The payment of an order; none when nothing was ever charged, here or at the gateway.
    pub fn status(&self, order: OrderId) -> Result<Option<Payment>, Trouble> {
        let payment = self.payments.find(order)?;
        if payment.is_none() {
            self.expect_nothing_taken(order)?;
        }
        Ok(payment)
    }

    fn ask(&self, charge: &Charge, id: PaymentId, now: Instant) -> Result<Payment, Failed<ChargeRefused>> {
        let asked = charge.amount.money();
        match self.gateway.approve(charge.order, asked) {
            Ok(Approval { payment_key, amount }) if amount == asked => {
                Ok(charge.captured(id, Till::Gateway { payment_key }, now))
            }
            Ok(_) => Err(Trouble::Gateway("it took another amount than asked".to_owned()).into()),
            Err(ApproveError::Refused(code)) => Ok(charge.failed(id, code, now)),
            Err(ApproveError::DiffersFromExisting) => {
                Err(Failed::Refused(ChargeRefused::DiffersFromExisting))
            }
            Err(ApproveError::Unavailable(why)) => Err(Trouble::Gateway(why).into()),
        }
    }

    /// Another call decided the order while the gateway took our money: unless that is the very
    /// payment that was written down, it goes back.
    fn return_displaced(&self, ours: &Payment) -> Result<(), Trouble> {
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
        match theirs.state {
            State::Captured {
                till: Till::Gateway { payment_key: kept },
                ..
            } if kept == *payment_key => Ok(()),
            State::Captured { .. } | State::Failed { .. } => self
                .gateway
                .cancel(
                    payment_key,
                    &format!("{}/displaced", ours.order),
                    ours.amount,
                    "charged twice",
                )
                .map_err(|error| Trouble::Gateway(format!("money must go back: {error:?}"))),
        }
    }

    fn give_back(
        &self,
        refund: &Refund,
        payment_key: &str,
        now: Instant,
    ) -> Result<Option<Payment>, Failed<RefundRefused>> {
        let amount = refund.amount.money();
        let answer = self
            .gateway
            .cancel(payment_key, &refund.cancel_key(), amount, &refund.reason);
        let code = match answer {
            Ok(()) => return Ok(self.payments.finish(refund, now)?),
            Err(CancelError::Unavailable(why)) => return Err(Trouble::Gateway(why).into()),
            Err(CancelError::Refused(code)) => code,
            Err(CancelError::UnknownPayment) => "UNKNOWN_PAYMENT".to_owned(),
            Err(CancelError::DiffersFromExisting) => "DIFFERS_FROM_EXISTING".to_owned(),
            Err(CancelError::ExceedsRemaining) => "EXCEEDS_REMAINING".to_owned(),
        };
        if self.payments.refuse(refund, &code, now)? {
            return Err(Failed::Refused(RefundRefused::Refused(code)));
        }
        Ok(None)
    }

    /// A charge whose answer got lost left no trace here. While the gateway holds its money, "nothing
    /// was charged" would be a lie by which somebody loses it.
    fn expect_nothing_taken(&self, order: OrderId) -> Result<(), Trouble> {
        match self.gateway.took_money(order) {
            Ok(false) => Ok(()),
            Ok(true) => Err(Trouble::Unsettled),
            Err(why) => Err(Trouble::Gateway(why)),
        }
    }
}
