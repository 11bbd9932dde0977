use kernel::{Instant, Money, OrderId, PaymentId, UserId};

use crate::domain::PaymentKey;

/// The code of a payment that was given up before anything was taken.
pub const VOIDED: &str = "VOIDED";

/// How the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A card, through the gateway.
    Card,
    /// Points of the customer's account.
    Point,
    /// Cash against the goods; counted as received at once.
    Cash,
    /// The gateway's own window, confirmed in a second step.
    Pg,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 4] = [Self::Card, Self::Point, Self::Cash, Self::Pg];

    /// As databases and clients know it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Card => "CARD",
            Self::Point => "POINT",
            Self::Cash => "CASH",
            Self::Pg => "PG",
        }
    }

    /// The method of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "CARD" => Some(Self::Card),
            "POINT" => Some(Self::Point),
            "CASH" => Some(Self::Cash),
            "PG" => Some(Self::Pg),
            _ => None,
        }
    }
}

/// Who holds the money, and so who gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Till {
    /// The gateway, which knows the payment by this key.
    Gateway {
        /// Its own name of the payment.
        payment_key: String,
    },
    /// Ourselves.
    Cash,
}

/// Where a payment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The money is ours.
    Captured {
        /// Who holds it.
        till: Till,
        /// How much of it was given back.
        refunded: Money,
        /// How much more is promised to refunds that are under way.
        refunding: Money,
    },
    /// The gateway said no; no money moved.
    Failed {
        /// The gateway's code.
        code: String,
    },
}

/// The one payment of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// What it was for.
    pub order: OrderId,
    /// Whose money it is.
    pub user: UserId,
    /// How it was paid.
    pub method: Method,
    /// How much was asked for.
    pub amount: Money,
    /// Under which key the customer began it in the gateway's window, where that is known.
    pub window_key: Option<PaymentKey>,
    /// Where it stands.
    pub state: State,
    /// When it was decided.
    pub at: Instant,
}

impl Payment {
    /// The words of [`Payment::status`].
    pub const STATUSES: [&str; 4] = ["CAPTURED", "PARTIALLY_REFUNDED", "REFUNDED", "FAILED"];

    /// Whether it was given up before anything was taken: money that arrives later must go back.
    pub fn is_voided(&self) -> bool {
        matches!(&self.state, State::Failed { code } if code == VOIDED)
    }

    /// Whether what the gateway holds under this key is this payment's money.
    pub fn keeps(&self, key: &str) -> bool {
        match &self.state {
            State::Captured {
                till: Till::Gateway { payment_key },
                ..
            } => payment_key == key,
            State::Captured { till: Till::Cash, .. } | State::Failed { .. } => false,
        }
    }

    /// How much was given back.
    pub const fn refunded(&self) -> Money {
        match &self.state {
            State::Captured { refunded, .. } => *refunded,
            State::Failed { .. } => Money::zero(self.amount.currency()),
        }
    }

    /// What a new refund may take: neither given back nor promised yet.
    pub fn refundable(&self) -> Money {
        match &self.state {
            State::Captured {
                refunded, refunding, ..
            } => self
                .amount
                .checked_sub(*refunded)
                .and_then(|left| left.checked_sub(*refunding))
                .expect("refunds are parts of what was captured"),
            State::Failed { .. } => Money::zero(self.amount.currency()),
        }
    }

    /// Where it stands, in one word: what a customer sees.
    pub fn status(&self) -> &'static str {
        match &self.state {
            State::Failed { .. } => "FAILED",
            State::Captured { refunded, .. } if *refunded == self.amount => "REFUNDED",
            State::Captured { refunded, .. } if refunded.is_positive() => "PARTIALLY_REFUNDED",
            State::Captured { .. } => "CAPTURED",
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use kernel::Currency;

    pub(crate) fn won(minor: i64) -> Money {
        Money::try_new(minor, Currency::Krw).unwrap()
    }

    /// A payment of 100 won, of order 1 and user 2.
    pub(crate) fn payment(method: Method, state: State) -> Payment {
        Payment {
            id: PaymentId::try_new(3).unwrap(),
            order: OrderId::try_new(1).unwrap(),
            user: UserId::try_new(2).unwrap(),
            method,
            amount: won(100),
            window_key: None,
            state,
            at: Instant::EPOCH,
        }
    }

    pub(crate) fn captured(refunded: i64, refunding: i64) -> Payment {
        let till = Till::Gateway {
            payment_key: "key".to_owned(),
        };
        let state = State::Captured {
            till,
            refunded: won(refunded),
            refunding: won(refunding),
        };
        payment(Method::Card, state)
    }

    pub(crate) fn failed() -> Payment {
        let code = "REJECT_CARD_PAYMENT".to_owned();
        payment(Method::Card, State::Failed { code })
    }

    #[test]
    fn every_state_has_its_word_and_its_rest() {
        for (payment, expected) in [
            (captured(0, 0), ("CAPTURED", 0, 100)),
            (captured(0, 100), ("CAPTURED", 0, 0)),
            (captured(1, 9), ("PARTIALLY_REFUNDED", 1, 90)),
            (captured(100, 0), ("REFUNDED", 100, 0)),
            (failed(), ("FAILED", 0, 0)),
        ] {
            let found = (
                payment.status(),
                payment.refunded().minor(),
                payment.refundable().minor(),
            );
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn methods_are_read_as_they_are_written() {
        for method in [Method::Card, Method::Point, Method::Cash, Method::Pg] {
            assert_eq!(Method::parse(method.text()), Some(method));
        }
        for text in ["", "card", "BITCOIN"] {
            assert_eq!(Method::parse(text), None);
        }
    }
}
