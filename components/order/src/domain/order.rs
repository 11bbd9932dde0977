use kernel::{Instant, OrderId, Outcome, UserId};

use super::{Cancellation, Line, Totals};

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
    /// All methods.
    pub const ALL: [Self; 4] = [Self::Card, Self::Point, Self::Cash, Self::Pg];

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
        Self::ALL.into_iter().find(|method| method.text() == text)
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
    /// Whoever drove the checkout disappeared; everything was given back.
    Abandoned,
}

impl Failure {
    /// The words of all failures there are.
    pub const WORDS: [&str; 5] = [
        "OUT_OF_STOCK",
        "PAYMENT_REFUSED",
        "METHOD_NOT_OFFERED",
        "UNAVAILABLE",
        "ABANDONED",
    ];

    /// The word that is stored.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::OutOfStock { .. } => "OUT_OF_STOCK",
            Self::PaymentRefused { .. } => "PAYMENT_REFUSED",
            Self::MethodNotOffered => "METHOD_NOT_OFFERED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Abandoned => "ABANDONED",
        }
    }

    /// What is stored beside the word; empty when it says everything.
    pub fn detail(&self) -> String {
        match self {
            Self::OutOfStock { free } => free.to_string(),
            Self::PaymentRefused { code } => code.clone(),
            Self::MethodNotOffered | Self::Unavailable | Self::Abandoned => String::new(),
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
            "ABANDONED" => Some(Self::Abandoned),
            _ => None,
        }
    }

    /// Whether it says nothing about what was asked for, so that asking again is a new try.
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Unavailable | Self::Abandoned => true,
            Self::OutOfStock { .. } | Self::PaymentRefused { .. } | Self::MethodNotOffered => false,
        }
    }
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Written down; its checkout is under way, or was left behind and waits for recovery.
    Pending {
        /// When the time to pay runs out, if it waits for its payment now.
        pay_until: Option<Instant>,
    },
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
    /// Taken back; nothing of it is held or charged any more.
    Cancelled {
        /// When.
        at: Instant,
        /// Why.
        why: Cancellation,
    },
}

impl State {
    /// The words of all states there are.
    pub const WORDS: [&str; 4] = ["PENDING", "PAID", "FAILED", "CANCELLED"];

    /// As clients and the database write it.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "PENDING",
            Self::Paid { .. } => "PAID",
            Self::Failed { .. } => "FAILED",
            Self::Cancelled { .. } => "CANCELLED",
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
            Self::Failed { .. } | Self::Cancelled { .. } => Err(self.refuse("PAID")),
            Self::Pending { .. } => Ok(Outcome::Done(Self::Paid { at: now })),
        }
    }

    /// PENDING → FAILED. The first reason stays.
    pub fn fail(self, now: Instant, failure: Failure) -> Result<Outcome<Self>, TransitionRefused> {
        match self {
            Self::Failed { .. } => Ok(Outcome::AlreadyDone(self)),
            Self::Paid { .. } | Self::Cancelled { .. } => Err(self.refuse("FAILED")),
            Self::Pending { .. } => Ok(Outcome::Done(Self::Failed { at: now, failure })),
        }
    }

    /// PAID → CANCELLED, or PENDING → CANCELLED when the time to pay ran out. The first reason stays.
    pub fn cancel(self, now: Instant, why: Cancellation) -> Result<Outcome<Self>, TransitionRefused> {
        match (&self, &why) {
            (Self::Cancelled { .. }, _) => Ok(Outcome::AlreadyDone(self)),
            (Self::Pending { .. }, Cancellation::Expired)
            | (
                Self::Paid { .. },
                Cancellation::Customer(_) | Cancellation::Admin(_) | Cancellation::SoldOut,
            ) => Ok(Outcome::Done(Self::Cancelled { at: now, why })),
            (
                Self::Pending { .. },
                Cancellation::Customer(_) | Cancellation::Admin(_) | Cancellation::SoldOut,
            )
            | (Self::Paid { .. }, Cancellation::Expired)
            | (Self::Failed { .. }, _) => Err(self.refuse("CANCELLED")),
        }
    }

    const fn refuse(&self, to: &'static str) -> TransitionRefused {
        TransitionRefused {
            from: self.text(),
            to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(7);
    const THEN: Instant = Instant::from_micros(3);

    const PENDING: State = State::Pending { pay_until: None };
    const PAID: State = State::Paid { at: THEN };

    fn failed() -> State {
        State::Failed {
            at: THEN,
            failure: Failure::OutOfStock { free: 3 },
        }
    }

    fn cancelled(at: Instant, why: Cancellation) -> State {
        State::Cancelled { at, why }
    }

    #[track_caller]
    fn refused(from: &'static str, to: &'static str, answer: Result<Outcome<State>, TransitionRefused>) {
        assert_eq!(answer, Err(TransitionRefused { from, to }));
    }

    #[test]
    fn every_state_meets_every_verb() {
        let gone = || cancelled(THEN, Cancellation::SoldOut);
        let pay = |state: State| state.pay(NOW);
        assert_eq!(pay(PENDING), Ok(Outcome::Done(State::Paid { at: NOW })));
        assert_eq!(pay(PAID), Ok(Outcome::AlreadyDone(PAID)));
        refused("FAILED", "PAID", pay(failed()));
        refused("CANCELLED", "PAID", pay(gone()));

        let fail = |state: State| state.fail(NOW, Failure::Unavailable);
        let given_up = State::Failed {
            at: NOW,
            failure: Failure::Unavailable,
        };
        assert_eq!(fail(PENDING), Ok(Outcome::Done(given_up)));
        assert_eq!(fail(failed()), Ok(Outcome::AlreadyDone(failed())));
        refused("PAID", "FAILED", fail(PAID));
        refused("CANCELLED", "FAILED", fail(gone()));

        for why in [
            Cancellation::Customer(None),
            Cancellation::Admin(None),
            Cancellation::SoldOut,
        ] {
            let cancel = |state: State| state.cancel(NOW, why.clone());
            assert_eq!(cancel(PAID), Ok(Outcome::Done(cancelled(NOW, why.clone()))));
            assert_eq!(cancel(gone()), Ok(Outcome::AlreadyDone(gone())));
            refused("PENDING", "CANCELLED", cancel(PENDING));
            refused("FAILED", "CANCELLED", cancel(failed()));
        }
        let expire = |state: State| state.cancel(NOW, Cancellation::Expired);
        assert_eq!(
            expire(PENDING),
            Ok(Outcome::Done(cancelled(NOW, Cancellation::Expired)))
        );
        assert_eq!(expire(gone()), Ok(Outcome::AlreadyDone(gone())));
        refused("PAID", "CANCELLED", expire(PAID));
        refused("FAILED", "CANCELLED", expire(failed()));
    }

    #[test]
    fn failures_and_methods_survive_their_words() {
        let failures = [
            Failure::OutOfStock { free: 4 },
            Failure::PaymentRefused {
                code: "REJECT_CARD_PAYMENT".to_owned(),
            },
            Failure::MethodNotOffered,
            Failure::Unavailable,
            Failure::Abandoned,
        ];
        assert_eq!(failures.each_ref().map(Failure::text), Failure::WORDS);
        for failure in failures {
            assert_eq!(Failure::parse(failure.text(), &failure.detail()), Some(failure));
        }
        assert_eq!(Failure::parse("OUT_OF_STOCK", "many"), None);
        assert_eq!(Failure::parse("ELSE", ""), None);
        for method in Method::ALL {
            assert_eq!(Method::parse(method.text()), Some(method));
        }
        assert_eq!(Method::parse("card"), None);
    }

    #[test]
    fn the_words_of_all_states_are_known() {
        let all = [PENDING, PAID, failed(), cancelled(NOW, Cancellation::Expired)];
        assert_eq!(all.map(|state| state.text()), State::WORDS);
    }
}
