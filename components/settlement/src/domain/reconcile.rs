use std::collections::BTreeMap;

use kernel::{Instant, Millis, Money, MoneyError, OrderId};

use super::{CURRENCY, Entry, Movement, MovementId, MovementKind};

/// What moved less than this ago may be known to one side only: its event is on its way.
pub const IN_FLIGHT: Millis = Millis(10_000);

/// A refund as the payments' own book has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookRefund {
    /// Its name among the order's refunds.
    pub key: String,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Instant,
}

/// A captured payment as the payments' own book has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookEntry {
    /// For which order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Instant,
    /// What went back.
    pub refunds: Vec<BookRefund>,
}

impl BookEntry {
    /// What should be in the ledger.
    pub fn movements(&self) -> Vec<Movement> {
        let payment = Movement {
            id: MovementId::payment(self.order),
            order: self.order,
            kind: MovementKind::Payment,
            amount: self.amount,
            at: self.at,
            adjustments: 0,
        };
        let refund = |refund: &BookRefund| Movement {
            id: MovementId::refund(self.order, &refund.key),
            kind: MovementKind::Refund,
            amount: refund.amount,
            at: refund.at,
            ..payment.clone()
        };
        std::iter::once(payment.clone())
            .chain(self.refunds.iter().map(refund))
            .collect()
    }
}

/// What the ledger and the payments' book don't agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The ledger does not have it.
    Missing(Movement),
    /// Both have it, with other amounts.
    WrongAmount {
        /// As the book has it.
        expected: Movement,
        /// As the ledger has it.
        ledger: Movement,
    },
    /// Only the ledger has it.
    Unknown(Movement),
}

/// The names of mismatches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MismatchKind {
    /// A payment is not in the ledger.
    MissingPayment,
    /// An amount differs.
    WrongAmount,
    /// A refund is not in the ledger.
    MissingRefund,
    /// A payment is only in the ledger.
    UnknownPayment,
    /// A refund is only in the ledger.
    UnknownRefund,
}

impl MismatchKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::MissingPayment,
        Self::WrongAmount,
        Self::MissingRefund,
        Self::UnknownPayment,
        Self::UnknownRefund,
    ];

    /// As admins read it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::MissingPayment => "MISSING_PAYMENT",
            Self::WrongAmount => "WRONG_AMOUNT",
            Self::MissingRefund => "MISSING_REFUND",
            Self::UnknownPayment => "UNKNOWN_PAYMENT",
            Self::UnknownRefund => "UNKNOWN_REFUND",
        }
    }
}

impl Mismatch {
    /// Which it is.
    pub const fn kind(&self) -> MismatchKind {
        match self {
            Self::WrongAmount { .. } => MismatchKind::WrongAmount,
            Self::Missing(Movement {
                kind: MovementKind::Payment,
                ..
            }) => MismatchKind::MissingPayment,
            Self::Missing(Movement {
                kind: MovementKind::Refund,
                ..
            }) => MismatchKind::MissingRefund,
            Self::Unknown(Movement {
                kind: MovementKind::Payment,
                ..
            }) => MismatchKind::UnknownPayment,
            Self::Unknown(Movement {
                kind: MovementKind::Refund,
                ..
            }) => MismatchKind::UnknownRefund,
        }
    }

    /// What it is about; as the book has it, where it does.
    pub const fn movement(&self) -> &Movement {
        match self {
            Self::Missing(movement) | Self::Unknown(movement) => movement,
            Self::WrongAmount { expected, .. } => expected,
        }
    }

    /// The amount in the book.
    pub const fn expected(&self) -> Money {
        match self {
            Self::Missing(movement) => movement.amount,
            Self::WrongAmount { expected, .. } => expected.amount,
            Self::Unknown(_) => Money::zero(CURRENCY),
        }
    }

    /// The amount in the ledger.
    pub const fn found(&self) -> Money {
        match self {
            Self::Missing(_) => Money::zero(CURRENCY),
            Self::WrongAmount { ledger, .. } => ledger.amount,
            Self::Unknown(movement) => movement.amount,
        }
    }

    /// The entry that puts it right.
    pub fn correction(&self) -> Result<Entry, MoneyError> {
        match self {
            Self::Missing(movement) => Ok(Entry::new(movement)),
            Self::WrongAmount { expected, ledger } => Entry::adjustment(ledger, expected.amount),
            Self::Unknown(movement) => Entry::adjustment(movement, Money::zero(CURRENCY)),
        }
    }
}

/// What a comparison of ledger and book has found so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Taken and not given back, by the book.
    pub payments: Money,
    /// The same by the ledger.
    pub ledger: Money,
    /// How many movements are known to one side only and too young to tell; they count on neither.
    pub pending: u64,
    /// What does not agree, up to [`Report::MOST`] of them.
    pub mismatches: Vec<Mismatch>,
    /// How many do not agree.
    pub found: u64,
}

impl Report {
    /// More mismatches than this are counted, not listed.
    pub const MOST: usize = 1_000;

    /// A report of nothing.
    pub const EMPTY: Self = Self {
        payments: Money::zero(CURRENCY),
        ledger: Money::zero(CURRENCY),
        pending: 0,
        mismatches: Vec::new(),
        found: 0,
    };

    /// What the ledger has too much; below zero what it lacks.
    pub fn difference(&self) -> Result<Money, MoneyError> {
        self.ledger.checked_sub(self.payments)
    }

    /// Takes what one or more orders have in the book, and what they have in the ledger.
    ///
    /// Book and ledger are read one after the other, so each may have what the other can't have yet.
    pub fn compare(
        &mut self,
        book: Vec<Movement>,
        ledger: Vec<Movement>,
        now: Instant,
    ) -> Result<(), MoneyError> {
        let mut ledger: BTreeMap<MovementId, Movement> = ledger
            .into_iter()
            .map(|movement| (movement.id.clone(), movement))
            .collect();
        for expected in book {
            match ledger.remove(&expected.id) {
                None if in_flight(&expected, now) => self.pending += 1,
                None => {
                    self.payments = moved(self.payments, &expected)?;
                    self.note(Mismatch::Missing(expected));
                }
                Some(found) => {
                    self.payments = moved(self.payments, &expected)?;
                    self.ledger = moved(self.ledger, &found)?;
                    if found.amount != expected.amount {
                        self.note(Mismatch::WrongAmount {
                            expected,
                            ledger: found,
                        });
                    }
                }
            }
        }
        for unknown in ledger
            .into_values()
            .filter(|movement| movement.amount.is_positive())
        {
            if in_flight(&unknown, now) {
                self.pending += 1;
            } else {
                self.ledger = moved(self.ledger, &unknown)?;
                self.note(Mismatch::Unknown(unknown));
            }
        }
        Ok(())
    }

    fn note(&mut self, mismatch: Mismatch) {
        self.found += 1;
        if self.mismatches.len() < Self::MOST {
            self.mismatches.push(mismatch);
        }
    }
}

fn in_flight(movement: &Movement, now: Instant) -> bool {
    movement.at.after(IN_FLIGHT) > now
}

fn moved(sum: Money, movement: &Movement) -> Result<Money, MoneyError> {
    match movement.kind {
        MovementKind::Payment => sum.checked_add(movement.amount),
        MovementKind::Refund => sum.checked_sub(movement.amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    const NOW: Instant = Instant::from_micros(100_000_000);

    fn won(minor: i64) -> Money {
        Money::try_new(minor, CURRENCY).unwrap()
    }

    fn entry(amount: i64, age: i64, refunds: &[(&str, i64, i64)]) -> BookEntry {
        let at = |age: i64| Instant::from_micros(NOW.micros() - age * 1_000_000);
        BookEntry {
            order: OrderId::try_new(1).unwrap(),
            amount: won(amount),
            at: at(age),
            refunds: refunds
                .iter()
                .map(|&(key, amount, age)| BookRefund {
                    key: key.to_owned(),
                    amount: won(amount),
                    at: at(age),
                })
                .collect(),
        }
    }

    fn check(book: Option<BookEntry>, ledger: Option<BookEntry>, expected: &Expect) {
        let movements = |side: Option<BookEntry>| side.map_or_else(Vec::new, |entry| entry.movements());
        let mut report = Report::EMPTY;
        report.compare(movements(book), movements(ledger), NOW).unwrap();
        let line = |one: &Mismatch| {
            let entry = one.correction().unwrap();
            let sides = entry.postings.map(|posting| {
                format!(
                    " {} {}/{}",
                    posting.account.text(),
                    posting.debit.minor(),
                    posting.credit.minor()
                )
            });
            let (kind, expected, found) = (one.kind().text(), one.expected().minor(), one.found().minor());
            format!("\n{kind} {expected} {found}: {}{}", entry.id, sides.concat())
        };
        let lines: String = report.mismatches.iter().map(line).collect();
        let difference = report.difference().unwrap().minor();
        let (payments, ledger) = (report.payments.minor(), report.ledger.minor());
        expected.assert_eq(&format!(
            "payments {payments}, ledger {ledger}, difference {difference}, pending {}{lines}",
            report.pending
        ));
    }

    #[test]
    fn agreement_finds_nothing() {
        let both = || Some(entry(100, 60, &[("a", 30, 50), ("b", 70, 40)]));
        check(
            both(),
            both(),
            &expect!["payments 0, ledger 0, difference 0, pending 0"],
        );
    }

    #[test]
    fn every_kind_of_mismatch_has_its_correction() {
        check(
            Some(entry(100, 60, &[("a", 30, 50)])),
            None,
            &expect![[r#"
            payments 70, ledger 0, difference -70, pending 0
            MISSING_PAYMENT 100 0: payment.completed:1 CLEARING 100/0 SALES 0/100
            MISSING_REFUND 30 0: payment.refunded:1:a REFUND 30/0 CLEARING 0/30"#]],
        );
        check(
            None,
            Some(entry(100, 60, &[("a", 30, 50)])),
            &expect![[r#"
            payments 0, ledger 70, difference 70, pending 0
            UNKNOWN_PAYMENT 0 100: adjustment:payment.completed:1:1 SALES 100/0 CLEARING 0/100
            UNKNOWN_REFUND 0 30: adjustment:payment.refunded:1:a:1 CLEARING 30/0 REFUND 0/30"#]],
        );
        check(
            Some(entry(100, 60, &[("a", 30, 50), ("b", 10, 50)])),
            Some(entry(90, 60, &[("a", 40, 50), ("c", 5, 50)])),
            &expect![[r#"
                payments 60, ledger 45, difference -15, pending 0
                WRONG_AMOUNT 100 90: adjustment:payment.completed:1:1 CLEARING 10/0 SALES 0/10
                WRONG_AMOUNT 30 40: adjustment:payment.refunded:1:a:1 CLEARING 10/0 REFUND 0/10
                MISSING_REFUND 10 0: payment.refunded:1:b REFUND 10/0 CLEARING 0/10
                UNKNOWN_REFUND 0 5: adjustment:payment.refunded:1:c:1 CLEARING 5/0 REFUND 0/5"#]],
        );
    }

    #[test]
    fn what_is_young_is_on_its_way() {
        check(
            Some(entry(100, 60, &[("a", 30, 9)])),
            Some(entry(100, 60, &[])),
            &expect!["payments 100, ledger 100, difference 0, pending 1"],
        );
        check(
            Some(entry(100, 60, &[("a", 30, 10)])),
            Some(entry(100, 60, &[])),
            &expect![[r#"
            payments 70, ledger 100, difference 30, pending 0
            MISSING_REFUND 30 0: payment.refunded:1:a REFUND 30/0 CLEARING 0/30"#]],
        );
        check(
            None,
            Some(entry(100, 9, &[])),
            &expect!["payments 0, ledger 0, difference 0, pending 1"],
        );
        check(
            Some(entry(100, 9, &[])),
            Some(entry(90, 9, &[])),
            &expect![[r#"
            payments 100, ledger 90, difference -10, pending 0
            WRONG_AMOUNT 100 90: adjustment:payment.completed:1:1 CLEARING 10/0 SALES 0/10"#]],
        );
    }

    #[test]
    fn what_was_adjusted_away_is_not_unknown() {
        check(
            None,
            Some(entry(0, 60, &[])),
            &expect!["payments 0, ledger 0, difference 0, pending 0"],
        );
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let many = (1..=1_500).map(|order| Movement {
            id: MovementId::payment(OrderId::try_new(order).unwrap()),
            ..entry(1, 60, &[]).movements().remove(0)
        });
        let mut report = Report::EMPTY;
        report.compare(many.collect(), Vec::new(), NOW).unwrap();
        assert_eq!((report.found, report.mismatches.len()), (1_500, Report::MOST));
    }
}
