use kernel::{Instant, Millis, Money, OrderId};

use crate::domain::{Amount, Payment, State, Till};

/// How long whoever promised or claimed a refund has it alone: longer than any request of ours lives (15 s),
/// and shorter than the lease of an order (20 s), so that who takes over the order finds the refund free.
pub const HOLD: Millis = Millis(16_000);

/// The code of a refund of more than the gateway holds.
pub const EXCEEDS_REMAINING: &str = "EXCEEDS_REMAINING";

/// The code of a refund that the gateway gave back after all, where the book has no room for it any more.
pub const UNBOOKED: &str = "UNBOOKED";

/// The code of one that was [`UNBOOKED`] until the gateway's book was written over as a refund elsewhere.
pub const BOOKED_ELSEWHERE: &str = "BOOKED_ELSEWHERE";

/// The caller's name of one refund of an order: 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundKey(String);

/// The key is empty or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key must have 1 to {} characters", RefundKey::MAX_CHARS)]
pub struct KeyError;

impl RefundKey {
    /// The longest key.
    pub const MAX_CHARS: usize = 100;

    /// Takes a key that is neither empty nor too long.
    pub fn try_new(text: &str) -> Result<Self, KeyError> {
        let length = text.chars().take(Self::MAX_CHARS + 1).count();
        if (1..=Self::MAX_CHARS).contains(&length) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyError)
        }
    }

    /// The key of a refund that an administrator asked for, named by the `Idempotency-Key` of the request:
    /// with its prefix it may be longer than a caller's.
    pub fn of_admin(idempotency_key: &str) -> Self {
        Self(format!("admin/{idempotency_key}"))
    }

    /// A key as it was stored: a caller's, an administrator's, or one derived from them.
    pub fn stored(text: String) -> Result<Self, KeyError> {
        if text.is_empty() {
            Err(KeyError)
        } else {
            Ok(Self(text))
        }
    }

    /// The key of the next refund on behalf of the same command: `key~2`, `key~3` and so on.
    pub fn derived(&self, number: u32) -> Self {
        Self(format!("{}~{number}", self.0))
    }

    /// The key of what was given back at the gateway without us, named by all that it gave back by then.
    pub fn elsewhere(cancelled: Money) -> Self {
        Self(format!("elsewhere/{}", cancelled.minor()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundState {
    /// Its amount is promised; the gateway may or may not have heard of it.
    Requested,
    /// The money was given back.
    Done {
        /// When.
        at: Instant,
    },
    /// The gateway said no; nothing was given back and a person must look at it. Only its own yes to another
    /// attempt, heard later, makes it done.
    Refused {
        /// The gateway's code.
        code: String,
        /// When.
        at: Instant,
    },
}

/// One refund of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// What was paid for.
    pub order: OrderId,
    /// Which of the order's refunds it is.
    pub key: RefundKey,
    /// How much.
    pub amount: Amount,
    /// Why, in the caller's words.
    pub reason: String,
    /// Where it stands.
    pub state: RefundState,
    /// When it was asked for.
    pub requested_at: Instant,
}

/// The command: give this back of what the order paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    /// What was paid for.
    pub order: OrderId,
    /// Which of the order's refunds it is.
    pub key: RefundKey,
    /// How much.
    pub amount: Amount,
    /// Why, in the caller's words.
    pub reason: String,
}

/// Why nothing was refunded, in the contract's order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefused {
    /// Nothing was ever captured for the order.
    #[error("nothing was captured")]
    NotCaptured,
    /// The key was used before for another amount.
    #[error("the key was used with another amount")]
    DiffersFromExisting,
    /// More than is left; carries what is left.
    #[error("more than is left")]
    ExceedsCaptured(Money),
    /// The gateway said no; carries its code.
    #[error("the gateway refused: {0}")]
    Refused(String),
}

/// What a refund that is not refused still needs, and who holds the money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStep {
    /// Nothing: this is the first answer.
    AlreadyDone(Payment),
    /// Write the promise down, then give the money back.
    Promise(Refund, Till),
    /// It is promised already: give the money back.
    Continue(Refund, Till),
}

/// What is to be done, given the order's payment and the refund of this key as they stand.
pub fn next_of_refund(
    command: NewRefund,
    payment: Option<Payment>,
    existing: Option<Refund>,
    now: Instant,
) -> Result<RefundStep, RefundRefused> {
    let payment = payment.ok_or(RefundRefused::NotCaptured)?;
    let till = match &payment.state {
        State::Captured { till, .. } => till.clone(),
        State::Failed { .. } => return Err(RefundRefused::NotCaptured),
    };
    match existing {
        Some(refund) if refund.amount != command.amount => Err(RefundRefused::DiffersFromExisting),
        Some(refund) => match &refund.state {
            RefundState::Done { .. } => Ok(RefundStep::AlreadyDone(payment)),
            RefundState::Refused { code, .. } => Err(RefundRefused::Refused(code.clone())),
            RefundState::Requested => Ok(RefundStep::Continue(refund, till)),
        },
        None if exceeds(command.amount, payment.refundable()) => {
            Err(RefundRefused::ExceedsCaptured(payment.refundable()))
        }
        None => Ok(RefundStep::Promise(command.requested(now), till)),
    }
}

fn exceeds(amount: Amount, left: Money) -> bool {
    amount.money().currency() != left.currency() || amount.money().minor() > left.minor()
}

impl NewRefund {
    fn requested(self, now: Instant) -> Refund {
        Refund {
            order: self.order,
            key: self.key,
            amount: self.amount,
            reason: self.reason,
            state: RefundState::Requested,
            requested_at: now,
        }
    }
}

impl Refund {
    /// How long whoever promised it has it alone.
    pub const fn promised_until(&self) -> Instant {
        self.requested_at.after(HOLD)
    }

    /// The gateway's name of this refund: the same for every attempt at it.
    pub fn cancel_key(&self) -> String {
        format!("{}:{}", self.order, self.key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payment::tests::{captured, failed, payment, won};
    use crate::domain::{Charge, Method};
    use expect_test::expect;

    fn command(amount: i64) -> NewRefund {
        NewRefund {
            order: captured(0, 0).order,
            key: RefundKey::try_new("return-1").unwrap(),
            amount: Amount::try_new(won(amount)).unwrap(),
            reason: "broken".to_owned(),
        }
    }

    fn refund(amount: i64, state: RefundState) -> Refund {
        Refund {
            state,
            ..command(amount).requested(Instant::EPOCH)
        }
    }

    #[test]
    fn every_payment_answers_every_refund() {
        let cash = Charge {
            order: captured(0, 0).order,
            user: captured(0, 0).user,
            amount: command(100).amount,
            method: Method::Cash,
        }
        .captured(captured(0, 0).id, Till::Cash, Instant::EPOCH);
        let payments = [
            ("none", None),
            ("failed", Some(failed())),
            ("captured", Some(captured(0, 0))),
            ("70 gone", Some(captured(30, 40))),
            ("refunded", Some(captured(100, 0))),
            ("cash", Some(cash)),
        ];
        let at = Instant::EPOCH;
        let code = "NOT_CANCELABLE_PAYMENT".to_owned();
        let refunds = [
            ("none", None),
            ("requested", Some(refund(40, RefundState::Requested))),
            ("done", Some(refund(40, RefundState::Done { at }))),
            ("refused", Some(refund(40, RefundState::Refused { code, at }))),
            (
                "other amount",
                Some(refund(
                    41,
                    RefundState::Refused {
                        code: String::new(),
                        at,
                    },
                )),
            ),
        ];
        let mut table = String::new();
        for (name, payment) in &payments {
            for (earlier, existing) in &refunds {
                let answer = match next_of_refund(command(40), payment.clone(), existing.clone(), at) {
                    Ok(RefundStep::AlreadyDone(payment)) => format!("first answer, {}", payment.status()),
                    Ok(RefundStep::Promise(_, till)) => format!("promise, then {till:?}"),
                    Ok(RefundStep::Continue(_, till)) => format!("continue with {till:?}"),
                    Err(RefundRefused::ExceedsCaptured(left)) => format!("only {} left", left.minor()),
                    Err(refused) => refused.to_string(),
                };
                table.push_str(&format!("payment {name}, refund {earlier}: {answer}\n"));
            }
        }
        expect![[r#"
            payment none, refund none: nothing was captured
            payment none, refund requested: nothing was captured
            payment none, refund done: nothing was captured
            payment none, refund refused: nothing was captured
            payment none, refund other amount: nothing was captured
            payment failed, refund none: nothing was captured
            payment failed, refund requested: nothing was captured
            payment failed, refund done: nothing was captured
            payment failed, refund refused: nothing was captured
            payment failed, refund other amount: nothing was captured
            payment captured, refund none: promise, then Gateway { payment_key: "key" }
            payment captured, refund requested: continue with Gateway { payment_key: "key" }
            payment captured, refund done: first answer, CAPTURED
            payment captured, refund refused: the gateway refused: NOT_CANCELABLE_PAYMENT
            payment captured, refund other amount: the key was used with another amount
            payment 70 gone, refund none: only 30 left
            payment 70 gone, refund requested: continue with Gateway { payment_key: "key" }
            payment 70 gone, refund done: first answer, PARTIALLY_REFUNDED
            payment 70 gone, refund refused: the gateway refused: NOT_CANCELABLE_PAYMENT
            payment 70 gone, refund other amount: the key was used with another amount
            payment refunded, refund none: only 0 left
            payment refunded, refund requested: continue with Gateway { payment_key: "key" }
            payment refunded, refund done: first answer, REFUNDED
            payment refunded, refund refused: the gateway refused: NOT_CANCELABLE_PAYMENT
            payment refunded, refund other amount: the key was used with another amount
            payment cash, refund none: promise, then Cash
            payment cash, refund requested: continue with Cash
            payment cash, refund done: first answer, CAPTURED
            payment cash, refund refused: the gateway refused: NOT_CANCELABLE_PAYMENT
            payment cash, refund other amount: the key was used with another amount
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn exactly_the_rest_can_be_given_back() {
        let next = |amount, payment| next_of_refund(command(amount), Some(payment), None, Instant::EPOCH);
        assert!(matches!(next(30, captured(30, 40)), Ok(RefundStep::Promise(..))));
        assert_eq!(
            next(31, captured(30, 40)),
            Err(RefundRefused::ExceedsCaptured(won(30)))
        );
        assert!(next(100, payment(Method::Card, captured(0, 0).state)).is_ok());
    }

    #[test]
    fn a_key_has_1_to_100_characters() {
        for (text, expected) in [
            (String::new(), false),
            ("환".repeat(100), true),
            ("x".repeat(101), false),
            ("x".repeat(1_000_000), false),
        ] {
            assert_eq!(
                RefundKey::try_new(&text).is_ok(),
                expected,
                "{} bytes",
                text.len()
            );
        }
        assert_eq!(refund(1, RefundState::Requested).cancel_key(), "1:return-1");
    }
}
