use kernel::{Instant, Money, OrderId, PaymentId, UserId};

use crate::domain::{Method, Payment, PaymentKey, State, Till};

/// Money that moves: more than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(Money);

/// The amount is zero or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount must be above zero")]
pub struct NotPositive;

impl Amount {
    /// Takes an amount above zero.
    pub const fn try_new(money: Money) -> Result<Self, NotPositive> {
        if money.is_positive() {
            Ok(Self(money))
        } else {
            Err(NotPositive)
        }
    }

    /// The money.
    pub const fn money(self) -> Money {
        self.0
    }
}

/// The command: take this from that user for that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// What for; an order is charged once.
    pub order: OrderId,
    /// Whose money it is.
    pub user: UserId,
    /// How much.
    pub amount: Amount,
    /// How it is paid.
    pub method: Method,
}

/// Why nothing was charged, in the contract's order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChargeRefused {
    /// The order was charged before for another amount, user, method or key.
    #[error("the order was charged with other arguments")]
    DiffersFromExisting,
    /// The method is not offered.
    #[error("the method is not offered")]
    MethodNotOffered,
    /// The gateway said no; carries its code.
    #[error("the gateway refused: {0}")]
    Refused(String),
}

/// What a charge that is not refused still needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeStep {
    /// Nothing: this is the first answer.
    AlreadyDone(Payment),
    /// The gateway takes the money.
    Approve,
    /// The gateway takes the money that the customer began to pay under this key.
    Confirm(PaymentKey),
    /// The money counts as received, unless the gateway took it already.
    TakeCash,
}

/// Money to be taken: by a plain charge, or by confirming what the customer began in the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    /// What is taken, from whom and for what.
    pub charge: Charge,
    /// The key of the window; none for a plain charge.
    pub window_key: Option<PaymentKey>,
}

impl Taking {
    /// What is to be done, given the order's payment as it stands.
    pub fn next(&self, existing: Option<Payment>) -> Result<ChargeStep, ChargeRefused> {
        if existing.as_ref().is_some_and(|payment| !self.made(payment)) {
            return Err(ChargeRefused::DiffersFromExisting);
        }
        let step = match (self.charge.method, &self.window_key) {
            (Method::Card, None) => ChargeStep::Approve,
            (Method::Cash, None) => ChargeStep::TakeCash,
            (Method::Pg, Some(key)) => ChargeStep::Confirm(key.clone()),
            (Method::Point | Method::Pg, None) | (Method::Card | Method::Cash | Method::Point, Some(_)) => {
                return Err(ChargeRefused::MethodNotOffered);
            }
        };
        let Some(payment) = existing else {
            return Ok(step);
        };
        match &payment.state {
            State::Captured { .. } => Ok(ChargeStep::AlreadyDone(payment)),
            State::Failed { code } => Err(ChargeRefused::Refused(code.clone())),
        }
    }

    /// The payment that was captured.
    pub fn captured(&self, id: PaymentId, till: Till, now: Instant) -> Payment {
        Payment {
            window_key: self.window_key.clone(),
            ..self.charge.captured(id, till, now)
        }
    }

    /// The payment that was refused with this code.
    pub fn failed(&self, id: PaymentId, code: String, now: Instant) -> Payment {
        Payment {
            window_key: self.window_key.clone(),
            ..self.charge.failed(id, code, now)
        }
    }

    /// What was voided before anybody heard of a key stands for every key.
    fn made(&self, payment: &Payment) -> bool {
        let same_key = match (&self.window_key, &payment.window_key) {
            (Some(asked), Some(known)) => asked == known,
            (None, _) | (_, None) => true,
        };
        self.charge.made(payment) && same_key
    }
}

impl Charge {
    /// Takes it as it is.
    pub const fn taking(&self) -> Taking {
        Taking {
            charge: *self,
            window_key: None,
        }
    }

    /// The payment that was captured.
    pub const fn captured(&self, id: PaymentId, till: Till, now: Instant) -> Payment {
        let none = Money::zero(self.amount.money().currency());
        let state = State::Captured {
            till,
            refunded: none,
            refunding: none,
        };
        self.payment(id, state, now)
    }

    /// The payment that was refused with this code.
    pub const fn failed(&self, id: PaymentId, code: String, now: Instant) -> Payment {
        self.payment(id, State::Failed { code }, now)
    }

    const fn payment(&self, id: PaymentId, state: State, now: Instant) -> Payment {
        Payment {
            id,
            order: self.order,
            user: self.user,
            method: self.method,
            amount: self.amount.money(),
            window_key: None,
            state,
            at: now,
        }
    }

    fn made(&self, payment: &Payment) -> bool {
        self.order == payment.order
            && self.user == payment.user
            && self.amount.money() == payment.amount
            && self.method == payment.method
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payment::tests::{captured, failed, payment, won};
    use expect_test::expect;

    fn charge(user: u64, amount: i64, method: Method) -> Charge {
        Charge {
            order: OrderId::try_new(1).unwrap(),
            user: UserId::try_new(user).unwrap(),
            amount: Amount::try_new(won(amount)).unwrap(),
            method,
        }
    }

    #[test]
    fn only_more_than_nothing_is_an_amount() {
        for (minor, expected) in [(-1, false), (0, false), (1, true), (Money::MAX_MINOR, true)] {
            assert_eq!(Amount::try_new(won(minor)).is_ok(), expected, "{minor}");
        }
    }

    #[test]
    fn every_state_answers_every_method_and_difference() {
        let cash = charge(2, 100, Method::Cash).captured(captured(0, 0).id, Till::Cash, Instant::EPOCH);
        let states = [
            ("nothing", None),
            ("captured", Some(captured(0, 0))),
            ("refunded", Some(captured(100, 0))),
            ("failed", Some(failed())),
            ("cash", Some(cash)),
        ];
        let charges = [
            ("card", charge(2, 100, Method::Card)),
            ("cash", charge(2, 100, Method::Cash)),
            ("point", charge(2, 100, Method::Point)),
            ("pg", charge(2, 100, Method::Pg)),
            ("other amount", charge(2, 101, Method::Card)),
            ("other user", charge(3, 100, Method::Card)),
        ];
        let mut table = String::new();
        for (state, existing) in &states {
            for (name, charge) in &charges {
                let answer = match charge.taking().next(existing.clone()) {
                    Ok(ChargeStep::AlreadyDone(payment)) => format!("first answer, {}", payment.status()),
                    Ok(step) => format!("{step:?}"),
                    Err(refused) => refused.to_string(),
                };
                table.push_str(&format!("{state} + {name}: {answer}\n"));
            }
        }
        expect![[r#"
            nothing + card: Approve
            nothing + cash: TakeCash
            nothing + point: the method is not offered
            nothing + pg: the method is not offered
            nothing + other amount: Approve
            nothing + other user: Approve
            captured + card: first answer, CAPTURED
            captured + cash: the order was charged with other arguments
            captured + point: the order was charged with other arguments
            captured + pg: the order was charged with other arguments
            captured + other amount: the order was charged with other arguments
            captured + other user: the order was charged with other arguments
            refunded + card: first answer, REFUNDED
            refunded + cash: the order was charged with other arguments
            refunded + point: the order was charged with other arguments
            refunded + pg: the order was charged with other arguments
            refunded + other amount: the order was charged with other arguments
            refunded + other user: the order was charged with other arguments
            failed + card: the gateway refused: REJECT_CARD_PAYMENT
            failed + cash: the order was charged with other arguments
            failed + point: the order was charged with other arguments
            failed + pg: the order was charged with other arguments
            failed + other amount: the order was charged with other arguments
            failed + other user: the order was charged with other arguments
            cash + card: the order was charged with other arguments
            cash + cash: first answer, CAPTURED
            cash + point: the order was charged with other arguments
            cash + pg: the order was charged with other arguments
            cash + other amount: the order was charged with other arguments
            cash + other user: the order was charged with other arguments
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn what_was_decided_carries_the_command() {
        let charge = charge(2, 100, Method::Card);
        let code = "REJECT_CARD_PAYMENT".to_owned();
        assert_eq!(charge.failed(failed().id, code, Instant::EPOCH), failed());
        let till = Till::Gateway {
            payment_key: "key".to_owned(),
        };
        assert_eq!(charge.captured(failed().id, till, Instant::EPOCH), captured(0, 0));
        assert_eq!(payment(Method::Card, captured(0, 0).state), captured(0, 0));
    }
}
