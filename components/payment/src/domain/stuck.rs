use kernel::{Instant, OrderId};

use crate::domain::Amount;

/// Money of an order that the gateway holds and no payment of ours keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// For which order it was taken.
    pub order: OrderId,
    /// What the gateway calls it.
    pub payment_key: String,
    /// How much it holds.
    pub amount: Amount,
}

/// What kind of money is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A part of a payment that was to go back.
    Refund,
    /// Money that no payment of ours keeps.
    Stray,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Refund, Self::Stray];

    /// As databases and clients know it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Refund => "REFUND",
            Self::Stray => "STRAY",
        }
    }

    /// The kind of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "REFUND" => Some(Self::Refund),
            "STRAY" => Some(Self::Stray),
            _ => None,
        }
    }
}

/// Money that should have gone back and that the gateway keeps: a person must look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Whose money it is.
    pub order: OrderId,
    /// What kind.
    pub kind: Kind,
    /// The refund's key, or what the gateway calls stray money.
    pub key: String,
    /// How much.
    pub amount: Amount,
    /// Why: the gateway's code or ours.
    pub code: String,
    /// Since when.
    pub since: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.text()), Some(kind));
        }
        assert_eq!(Kind::parse("LOOK"), None);
    }
}
