//! What must hold.

use std::fmt;

use crate::Label;

/// The invariants of the shop, by their numbers in DESIGN §8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// I1: pieces add up, are never oversold, and lie where their order says.
    Stock,
    /// I2: an order is PAID iff what was captured and not refunded is what it costs.
    Paid,
    /// I3: nobody's money is kept without an order that is PAID.
    Charges,
    /// I4: refunds stay within captures, and their sums are right.
    Refunds,
    /// I5: the ledger is the payments', balances, and its kept sums are its sums.
    Settlement,
    /// I6: coupons are issued and redeemed within their limits. There are no tables of coupons yet.
    Coupons,
    /// I7: points are booked twice and never below zero. There are no tables of points yet.
    Points,
    /// I8: lines add up to their order.
    Lines,
    /// I9: every event is told, and applied exactly once.
    Events,
    /// I10: every saga ends.
    Sagas,
    /// I11: what was acknowledged is still known: by us what the gateway did, by a producer what a consumer has heard.
    Acknowledged,
    /// I12: read models are what a rebuild would make. There are none yet.
    ReadModels,
    /// I13: every change that an admin made is in the audit log.
    AdminLog,
}

use Invariant::{
    Acknowledged, AdminLog, Charges, Coupons, Events, Lines, Paid, Points, ReadModels, Refunds, Sagas,
    Settlement, Stock,
};

impl Invariant {
    /// All of them, by their numbers.
    pub const ALL: [Self; 13] = [
        Stock,
        Paid,
        Charges,
        Refunds,
        Settlement,
        Coupons,
        Points,
        Lines,
        Events,
        Sagas,
        Acknowledged,
        ReadModels,
        AdminLog,
    ];

    /// What it is called everywhere: `I1` to `I13`.
    pub const fn code(self) -> &'static str {
        self.described().0
    }

    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        self.described().1
    }

    /// What it means, in a sentence.
    pub const fn meaning(self) -> &'static str {
        self.described().2
    }

    const fn described(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Stock => (
                "I1",
                "stock adds up",
                "on hand is what the history adds up to, holds stay within it, and goods are held, sold and taken back as their orders say",
            ),
            Paid => (
                "I2",
                "paid means captured",
                "an order is PAID when what was captured and not given back is what is due, and only then",
            ),
            Charges => (
                "I3",
                "no charge without its order",
                "no money is kept for an order that is not PAID",
            ),
            Refunds => (
                "I4",
                "refunds within captures",
                "refunds stay within what was captured, and the sums beside a payment are those of its refunds",
            ),
            Settlement => (
                "I5",
                "settlement is the payments",
                "the ledger has every capture and refund with its amount, each entry balances, and the sums of the days are those of the ledger",
            ),
            Coupons => (
                "I6",
                "coupons within limits",
                "no more coupons are issued or redeemed than there may be",
            ),
            Points => (
                "I7",
                "points balance",
                "points are booked twice, add up to zero, and no balance is below zero",
            ),
            Lines => ("I8", "lines add up", "the lines of an order add up to its total"),
            Events => (
                "I9",
                "events applied once",
                "every order's state was told, positions have no gap, and what a consumer acknowledged it has applied, once",
            ),
            Sagas => (
                "I10",
                "sagas end",
                "every order is decided or waits for its payment, and no promised refund stays a promise",
            ),
            Acknowledged => (
                "I11",
                "acknowledged is kept",
                "we know of all money that the gateway holds for us, and producers of every event that a consumer has heard",
            ),
            ReadModels => (
                "I12",
                "read models are fresh",
                "a read model is what a rebuild would make of it",
            ),
            AdminLog => (
                "I13",
                "admin changes are logged",
                "an account stands as the log of admins' changes says",
            ),
        }
    }

    /// The databases without which it can't be checked at all; none: there are no tables to check it on yet.
    pub const fn databases(self) -> &'static [Label] {
        match self {
            Stock => &[Label::Stock, Label::Order],
            Paid | Charges => &[Label::Order, Label::Payment],
            Refunds => &[Label::Payment],
            Settlement => &[Label::Payment, Label::Settlement],
            Coupons | Points | ReadModels => &[],
            Lines => &[Label::Order],
            Events => &[Label::Order, Label::Payment, Label::Settlement],
            Sagas => &[Label::Order, Label::Payment],
            Acknowledged => &[Label::Order, Label::Payment, Label::Settlement],
            AdminLog => &[Label::Account],
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_from_one_in_the_order_of_the_design() {
        for (place, invariant) in (1..).zip(Invariant::ALL) {
            assert_eq!(invariant.code(), format!("I{place}"));
        }
    }
}
