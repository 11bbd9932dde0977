use kernel::{Instant, OrderId, Outcome, UserId};

use super::{Line, Totals};

/// How the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A card.
    Card,
    /// Points of the account.
    Point,
    /// Cash.
    Cash,
    /// The payment gateway's window, in a second step.
    Pg,
}

impl Method {
    /// As clients and the database write it.
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
        [Self::Card, Self::Point, Self::Cash, Self::Pg]
            .into_iter()
            .find(|method| method.text() == text)
    }
}

/// Why an order failed, in words that are stored and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Less was free than asked for.
    OutOfStock {
        /// How many pieces of the first short line were free.
        free: u32,
    },
    /// The payment was refused.
    PaymentRefused {
        /// The gateway's code.
        code: String,
    },
    /// The method of payment is not offered.
    MethodNotOffered,
    /// Something the checkout needs did not answer; everything was given back.
    Unavailable,
}

impl Failure {
    /// The word that is stored.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::OutOfStock { .. } => "OUT_OF_STOCK",
            Self::PaymentRefused { .. } => "PAYMENT_REFUSED",
            Self::MethodNotOffered => "METHOD_NOT_OFFERED",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// What is stored beside the word; empty when it says everything.
    pub fn detail(&self) -> String {
        match self {
            Self::OutOfStock { free } => free.to_string(),
            Self::PaymentRefused { code } => code.clone(),
            Self::MethodNotOffered | Self::Unavailable => String::new(),
        }
    }

    /// The failure that was stored as `text` and `detail`.
    pub fn parse(text: &str, detail: &str) -> Option<Self> {
        match text {
            "OUT_OF_STOCK" => detail.parse().ok().map(|free| Self::OutOfStock { free }),
            "PAYMENT_REFUSED" => Some(Self::PaymentRefused {
                code: detail.to_owned(),
            }),
            "METHOD_NOT_OFFERED" => Some(Self::MethodNotOffered),
            "UNAVAILABLE" => Some(Self::Unavailable),
            _ => None,
        }
    }
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Written down; its checkout is under way, or was left behind and waits for recovery.
    Pending,
    /// Paid for.
    Paid {
        /// When.
        at: Instant,
    },
    /// Given up; nothing of it is held or charged.
    Failed {
        /// When.
        at: Instant,
        /// Why.
        failure: Failure,
    },
}

impl State {
    /// As clients and the database write it.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Paid { .. } => "PAID",
            Self::Failed { .. } => "FAILED",
        }
    }
}

/// An order: what was bought, for how much, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub user: UserId,
    /// At least one line, each SKU at most once.
    pub lines: Vec<Line>,
    /// What it costs.
    pub totals: Totals,
    /// How it is paid.
    pub method: Method,
    /// Where it stands.
    pub state: State,
    /// When it was placed.
    pub created_at: Instant,
}

/// Why an order can't go from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} can't become {to}")]
pub struct TransitionRefused {
    /// Where it stands.
    pub from: &'static str,
    /// Where it was to go.
    pub to: &'static str,
}

impl State {
    /// PENDING → PAID.
    pub fn pay(self, now: Instant) -> Result<Outcome<Self>, TransitionRefused> {
        match self {
            Self::Paid { .. } => Ok(Outcome::AlreadyDone(self)),
            Self::Failed { .. } => Err(TransitionRefused {
                from: self.text(),
                to: "PAID",
            }),
            Self::Pending => Ok(Outcome::Done(Self::Paid { at: now })),
        }
    }

    /// PENDING → FAILED. The first reason stays.
    pub fn fail(self, now: Instant, failure: Failure) -> Result<Outcome<Self>, TransitionRefused> {
        match self {
            Self::Failed { .. } => Ok(Outcome::AlreadyDone(self)),
            Self::Paid { .. } => Err(TransitionRefused {
                from: self.text(),
                to: "FAILED",
            }),
            Self::Pending => Ok(Outcome::Done(Self::Failed { at: now, failure })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(7);
    const THEN: Instant = Instant::from_micros(3);

    fn failed() -> State {
        State::Failed {
            at: THEN,
            failure: Failure::OutOfStock { free: 3 },
        }
    }

    #[test]
    fn every_state_meets_every_verb() {
        let pay = |state: State| state.pay(NOW);
        let fail = |state: State| state.fail(NOW, Failure::Unavailable);
        let paid = State::Paid { at: THEN };
        assert_eq!(pay(State::Pending), Ok(Outcome::Done(State::Paid { at: NOW })));
        assert_eq!(pay(paid.clone()), Ok(Outcome::AlreadyDone(paid.clone())));
        assert_eq!(
            pay(failed()),
            Err(TransitionRefused {
                from: "FAILED",
                to: "PAID"
            })
        );
        let gone = State::Failed {
            at: NOW,
            failure: Failure::Unavailable,
        };
        assert_eq!(fail(State::Pending), Ok(Outcome::Done(gone)));
        assert_eq!(fail(failed()), Ok(Outcome::AlreadyDone(failed())));
        assert_eq!(
            fail(paid),
            Err(TransitionRefused {
                from: "PAID",
                to: "FAILED"
            })
        );
    }

    #[test]
    fn failures_and_methods_survive_their_words() {
        for failure in [
            Failure::OutOfStock { free: 4 },
            Failure::PaymentRefused {
                code: "REJECT_CARD_PAYMENT".to_owned(),
            },
            Failure::MethodNotOffered,
            Failure::Unavailable,
        ] {
            assert_eq!(Failure::parse(failure.text(), &failure.detail()), Some(failure));
        }
        assert_eq!(Failure::parse("OUT_OF_STOCK", "many"), None);
        assert_eq!(Failure::parse("ELSE", ""), None);
        for method in [Method::Card, Method::Point, Method::Cash, Method::Pg] {
            assert_eq!(Method::parse(method.text()), Some(method));
        }
        assert_eq!(Method::parse("card"), None);
    }
}
