use kernel::{Instant, Money, MoneyError, OrderId};

use super::CURRENCY;

/// Where value stands in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// What the payment companies hold for us.
    Clearing,
    /// What customers paid.
    Sales,
    /// What went back to them.
    Refund,
    /// What payment companies keep for their work. Known; nothing posts there yet.
    Fee,
}

impl Account {
    /// As databases write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Clearing => "CLEARING",
            Self::Sales => "SALES",
            Self::Refund => "REFUND",
            Self::Fee => "FEE",
        }
    }
}

/// One side of an entry: exactly one of the two amounts is above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// What comes in.
    pub debit: Money,
    /// What goes out.
    pub credit: Money,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A payment, as it was told.
    Sales,
    /// A refund, as it was told.
    Refund,
    /// What was wrong with one of them, put right.
    Adjustment,
}

impl EntryKind {
    /// As databases write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Sales => "SALES",
            Self::Refund => "REFUND",
            Self::Adjustment => "ADJUSTMENT",
        }
    }
}

/// Whether money was taken or given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MovementKind {
    /// Taken.
    Payment,
    /// Given back.
    Refund,
}

/// The name of one movement of money: the id of the event that tells of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MovementId(String);

impl MovementId {
    /// The one payment of an order.
    pub fn payment(order: OrderId) -> Self {
        Self(format!("payment.completed:{order}"))
    }

    /// The refund of this key.
    pub fn refund(order: OrderId, key: &str) -> Self {
        Self(format!("payment.refunded:{order}:{key}"))
    }

    /// A name that was stored.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Money that moved once, as the ledger has it: its entry and all adjustments together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Its name.
    pub id: MovementId,
    /// For which order.
    pub order: OrderId,
    /// Which way.
    pub kind: MovementKind,
    /// How much; zero when it was adjusted away.
    pub amount: Money,
    /// When.
    pub at: Instant,
    /// How often it was adjusted.
    pub adjustments: u32,
}

impl Movement {
    /// A refund's own name among those of its order.
    pub fn refund_key(&self) -> Option<&str> {
        let prefix = MovementId::refund(self.order, "");
        self.id.as_str().strip_prefix(prefix.as_str())
    }
}

/// A line of an order: whose goods, and what weight it has when money is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The category's name.
    pub category: String,
    /// The seller's name.
    pub seller: String,
    /// What the line costs; not below zero.
    pub amount: Money,
}

/// All the ledger knows of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBook {
    /// The order.
    pub order: OrderId,
    /// What moved.
    pub movements: Vec<Movement>,
    /// What was bought; empty as long as nobody told.
    pub lines: Vec<Line>,
}

/// A line of the journal: what it names left one account for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The event's id, or the adjustment's own.
    pub id: String,
    /// What it is.
    pub kind: EntryKind,
    /// The movement it tells of, or corrects.
    pub movement: MovementId,
    /// For which order.
    pub order: OrderId,
    /// When the money moved.
    pub at: Instant,
    /// Both sides.
    pub postings: [Posting; 2],
}

impl Entry {
    /// A movement that is new to the ledger.
    pub fn new(movement: &Movement) -> Self {
        let kind = match movement.kind {
            MovementKind::Payment => EntryKind::Sales,
            MovementKind::Refund => EntryKind::Refund,
        };
        Self {
            id: movement.id.as_str().to_owned(),
            kind,
            movement: movement.id.clone(),
            order: movement.order,
            at: movement.at,
            postings: postings(movement.kind, movement.amount),
        }
    }

    /// What brings a movement that the ledger has to the right amount.
    ///
    /// Its id counts the adjustments of the movement, so two that were decided at the same moment are one.
    pub fn adjustment(wrong: &Movement, right: Money) -> Result<Self, MoneyError> {
        let number = wrong.adjustments.checked_add(1).ok_or(MoneyError::Overflow)?;
        Ok(Self {
            id: format!("adjustment:{}:{number}", wrong.id.as_str()),
            kind: EntryKind::Adjustment,
            postings: postings(wrong.kind, right.checked_sub(wrong.amount)?),
            ..Self::new(wrong)
        })
    }

    /// Whether what comes in is what goes out, and neither is below zero.
    pub fn is_balanced(&self) -> bool {
        let sum = |side: fn(&Posting) -> Money| Money::sum(self.postings.iter().map(side), CURRENCY);
        let sound = |posting: &Posting| posting.debit.minor() >= 0 && posting.credit.minor() >= 0;
        let (debits, credits) = (sum(|posting| posting.debit), sum(|posting| posting.credit));
        self.postings.iter().all(sound) && debits.is_ok() && debits == credits
    }
}

/// A payment comes into clearing out of sales, a refund leaves it for refunds; less than nothing goes the
/// other way.
fn postings(kind: MovementKind, amount: Money) -> [Posting; 2] {
    let (into, out_of) = match kind {
        MovementKind::Payment => (Account::Clearing, Account::Sales),
        MovementKind::Refund => (Account::Refund, Account::Clearing),
    };
    let (into, out_of) = if amount.minor() < 0 {
        (out_of, into)
    } else {
        (into, out_of)
    };
    let zero = Money::zero(CURRENCY);
    let amount = zero
        .checked_sub(amount)
        .ok()
        .filter(|turned| turned.is_positive())
        .unwrap_or(amount);
    [
        Posting {
            account: into,
            debit: amount,
            credit: zero,
        },
        Posting {
            account: out_of,
            debit: zero,
            credit: amount,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;

    fn won(minor: i64) -> Money {
        Money::try_new(minor, CURRENCY).unwrap()
    }

    fn movement(kind: MovementKind, amount: i64) -> Movement {
        let order = OrderId::try_new(7).unwrap();
        let id = match kind {
            MovementKind::Payment => MovementId::payment(order),
            MovementKind::Refund => MovementId::refund(order, "cancel"),
        };
        Movement {
            id,
            order,
            kind,
            amount: won(amount),
            at: Instant::EPOCH,
            adjustments: 2,
        }
    }

    fn describe(entry: &Entry) -> String {
        let side = |posting: &Posting| {
            format!(
                " {} {}/{}",
                posting.account.text(),
                posting.debit.minor(),
                posting.credit.minor()
            )
        };
        let sides: String = entry.postings.iter().map(side).collect();
        format!("{} {}:{sides}\n", entry.kind.text(), entry.id)
    }

    #[test]
    fn every_kind_of_entry_has_its_accounts() {
        let (payment, refund) = (
            movement(MovementKind::Payment, 100),
            movement(MovementKind::Refund, 60),
        );
        let adjusted = |movement, right| Entry::adjustment(movement, won(right)).unwrap();
        let entries = [
            Entry::new(&payment),
            Entry::new(&refund),
            adjusted(&payment, 130),
            adjusted(&payment, 0),
            adjusted(&refund, 100),
            adjusted(&refund, 50),
        ];
        let text: String = entries.iter().map(describe).collect();
        expect![[r#"
            SALES payment.completed:7: CLEARING 100/0 SALES 0/100
            REFUND payment.refunded:7:cancel: REFUND 60/0 CLEARING 0/60
            ADJUSTMENT adjustment:payment.completed:7:3: CLEARING 30/0 SALES 0/30
            ADJUSTMENT adjustment:payment.completed:7:3: SALES 100/0 CLEARING 0/100
            ADJUSTMENT adjustment:payment.refunded:7:cancel:3: REFUND 40/0 CLEARING 0/40
            ADJUSTMENT adjustment:payment.refunded:7:cancel:3: CLEARING 10/0 REFUND 0/10
        "#]]
        .assert_eq(&text);
    }

    proptest! {
        #[test]
        fn every_entry_balances(
            payment: bool,
            amount in 0..=Money::MAX_MINOR,
            right in 0..=Money::MAX_MINOR,
        ) {
            let kind = if payment { MovementKind::Payment } else { MovementKind::Refund };
            let movement = movement(kind, amount);
            prop_assert!(Entry::new(&movement).is_balanced());
            prop_assert!(Entry::adjustment(&movement, won(right)).unwrap().is_balanced());
        }
    }

    #[test]
    fn what_does_not_balance_is_seen() {
        let mut entry = Entry::new(&movement(MovementKind::Payment, 100));
        entry.postings[1].credit = won(99);
        assert!(!entry.is_balanced());
        let mut entry = Entry::new(&movement(MovementKind::Payment, 100));
        entry.postings[0].debit = won(-100);
        entry.postings[1].credit = won(-100);
        assert!(!entry.is_balanced());
    }
}
