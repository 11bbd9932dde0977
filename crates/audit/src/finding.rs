use std::fmt;

use crate::{Invariant, Label, Rule};

/// What a finding is about, by its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An order, with its payment, its goods and its entries.
    Order(i64),
    /// A stock keeping unit.
    Sku(i64),
    /// An event of a producer, by its position.
    Event(Label, i64),
    /// The events of a producer as a whole.
    Producer(Label),
    /// A day of the settlements.
    Day(String),
    /// An account.
    Account(i64),
}

impl Subject {
    /// The id, if it is an order.
    pub(crate) const fn order(&self) -> Option<i64> {
        match self {
            Self::Order(id) => Some(*id),
            Self::Sku(_) | Self::Event(..) | Self::Producer(_) | Self::Day(_) | Self::Account(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order {id}"),
            Self::Sku(id) => write!(f, "SKU {id}"),
            Self::Event(producer, position) => write!(f, "event {position} of {producer}"),
            Self::Producer(producer) => write!(f, "the events of {producer}"),
            Self::Day(day) => f.write_str(day),
            Self::Account(id) => write!(f, "account {id}"),
        }
    }
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule is broken.
    pub rule: Rule,
    /// Of what.
    pub subject: Subject,
    /// The figures, for a person.
    pub text: String,
    /// All that it was judged by: two looks that saw the same have the same text here.
    pub(crate) facts: String,
}

impl Finding {
    /// One that was read in a single statement, so its figures are those of one moment.
    pub(crate) const fn exact(rule: Rule, subject: Subject, text: String) -> Self {
        Self {
            rule,
            subject,
            text,
            facts: String::new(),
        }
    }

    /// What does not hold.
    pub const fn invariant(&self) -> Invariant {
        self.rule.invariant()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant(), self.text)
    }
}
