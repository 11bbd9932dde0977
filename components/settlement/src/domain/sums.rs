use std::collections::{BTreeMap, BTreeSet};

use kernel::{Money, MoneyError};

use super::{CURRENCY, Day, Line, Movement, MovementKind, OrderBook, OutOfCalendar, Zone, fill, split};

/// What was taken and given back, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Taken.
    pub total: Money,
    /// By so many payments.
    pub payments: i64,
    /// Given back.
    pub refunded: Money,
    /// By so many refunds.
    pub refunds: i64,
}

/// By what a day is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// Whose goods.
    Seller,
    /// What kind of goods.
    Category,
}

impl Dimension {
    /// As databases write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Seller => "SELLER",
            Self::Category => "CATEGORY",
        }
    }

    /// The dimension of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "SELLER" => Some(Self::Seller),
            "CATEGORY" => Some(Self::Category),
            _ => None,
        }
    }

    fn name(self, line: &Line) -> &str {
        match self {
            Self::Seller => &line.seller,
            Self::Category => &line.category,
        }
    }
}

/// Sums by day, and by day and name. They depend on what moved, never on the order in which it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// All of a day.
    pub days: BTreeMap<Day, Sum>,
    /// The parts of it whose order's lines are known.
    pub shares: BTreeMap<(Day, Dimension, String), Sum>,
}

/// Why sums can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsummable {
    /// More moved on a day than a day can have.
    #[error("a day has at most {} won", Sum::MOST_A_DAY)]
    DayFull,
    /// They are too large.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Something happened at no date.
    #[error(transparent)]
    Day(#[from] OutOfCalendar),
}

impl Sum {
    /// Nothing at all.
    pub const NONE: Self = Self {
        total: Money::zero(CURRENCY),
        payments: 0,
        refunded: Money::zero(CURRENCY),
        refunds: 0,
    };

    /// What can move on one day, so that the sums of its month are exact too.
    pub const MOST_A_DAY: i64 = Money::MAX_MINOR / 31;

    /// What a day came to by this change, unless that is more than a day can have.
    pub fn reached_by(self, change: Self) -> Result<Self, Unsummable> {
        let full = |sum: Money, change: Money| change.is_positive() && sum.minor() > Self::MOST_A_DAY;
        if full(self.total, change.total) || full(self.refunded, change.refunded) {
            return Err(Unsummable::DayFull);
        }
        Ok(self)
    }

    /// What is left of what was taken.
    pub fn net(&self) -> Result<Money, MoneyError> {
        self.total.checked_sub(self.refunded)
    }

    fn of(kind: MovementKind, amount: Money) -> Self {
        match kind {
            MovementKind::Payment => Self {
                total: amount,
                payments: 1,
                ..Self::NONE
            },
            MovementKind::Refund => Self {
                refunded: amount,
                refunds: 1,
                ..Self::NONE
            },
        }
    }

    fn plus(self, other: Self) -> Result<Self, MoneyError> {
        let count = |one: i64, other: i64| one.checked_add(other).ok_or(MoneyError::Overflow);
        Ok(Self {
            total: self.total.checked_add(other.total)?,
            payments: count(self.payments, other.payments)?,
            refunded: self.refunded.checked_add(other.refunded)?,
            refunds: count(self.refunds, other.refunds)?,
        })
    }

    fn turned(self) -> Result<Self, MoneyError> {
        let turn = |amount: Money| Money::zero(CURRENCY).checked_sub(amount);
        Ok(Self {
            total: turn(self.total)?,
            payments: -self.payments,
            refunded: turn(self.refunded)?,
            refunds: -self.refunds,
        })
    }
}

impl Sums {
    /// What one order adds to the sums.
    ///
    /// The payment is shared by the amounts of the lines. Refunds are shared in the order of their moments,
    /// each among what the earlier ones left of the lines' parts; one that does not fit yet, since its
    /// payment is still on its way, waits unshared, as everything does while the lines are not known.
    pub fn of(book: &OrderBook, zone: &Zone) -> Result<Self, Unsummable> {
        let mut sums = Self::default();
        let mut moved: Vec<&Movement> = book
            .movements
            .iter()
            .filter(|one| one.amount.is_positive())
            .collect();
        moved.sort_by_key(|one| (one.kind, one.at, &one.id));
        let mut left = vec![Money::zero(CURRENCY); book.lines.len()];
        for movement in moved {
            let day = zone.day(movement.at)?;
            sums.count(day, movement)?;
            if book.lines.is_empty() {
                continue;
            }
            let parts = match movement.kind {
                MovementKind::Payment => {
                    let weights: Vec<Money> = book.lines.iter().map(|line| line.amount).collect();
                    let parts = split(movement.amount, &weights)?;
                    left = each(&left, &parts, Money::checked_add)?;
                    parts
                }
                MovementKind::Refund => match fill(movement.amount, &left)? {
                    None => continue,
                    Some(parts) => {
                        left = each(&left, &parts, Money::checked_sub)?;
                        parts
                    }
                },
            };
            sums.share(day, movement.kind, &book.lines, &parts)?;
        }
        Ok(sums)
    }

    /// These and those together.
    pub fn plus(mut self, other: &Self) -> Result<Self, MoneyError> {
        for (day, sum) in &other.days {
            add(&mut self.days, *day, *sum)?;
        }
        for (key, sum) in &other.shares {
            add(&mut self.shares, key.clone(), *sum)?;
        }
        Ok(self)
    }

    /// What has to be added to `before` to come here; without what stays as it is.
    pub fn since(self, before: &Self) -> Result<Self, MoneyError> {
        let turned = Self {
            days: turned(&before.days)?,
            shares: turned(&before.shares)?,
        };
        let mut change = self.plus(&turned)?;
        change.days.retain(|_, sum| *sum != Sum::NONE);
        change.shares.retain(|_, sum| *sum != Sum::NONE);
        Ok(change)
    }

    fn count(&mut self, day: Day, movement: &Movement) -> Result<(), MoneyError> {
        add(&mut self.days, day, Sum::of(movement.kind, movement.amount))
    }

    /// A movement counts once for every name that has a part of it.
    fn share(
        &mut self,
        day: Day,
        kind: MovementKind,
        lines: &[Line],
        parts: &[Money],
    ) -> Result<(), MoneyError> {
        for dimension in [Dimension::Seller, Dimension::Category] {
            let names: BTreeSet<&str> = lines.iter().map(|line| dimension.name(line)).collect();
            for name in names {
                let of_name = lines
                    .iter()
                    .zip(parts)
                    .filter(|(line, _)| dimension.name(line) == name);
                let part = Money::sum(of_name.map(|(_, part)| *part), CURRENCY)?;
                if part.is_positive() {
                    add(
                        &mut self.shares,
                        (day, dimension, name.to_owned()),
                        Sum::of(kind, part),
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn each(
    one: &[Money],
    other: &[Money],
    combine: impl Fn(Money, Money) -> Result<Money, MoneyError>,
) -> Result<Vec<Money>, MoneyError> {
    one.iter()
        .zip(other)
        .map(|(&one, &other)| combine(one, other))
        .collect()
}

fn add<K: Ord>(sums: &mut BTreeMap<K, Sum>, key: K, sum: Sum) -> Result<(), MoneyError> {
    let place = sums.entry(key).or_insert(Sum::NONE);
    *place = place.plus(sum)?;
    Ok(())
}

fn turned<K: Ord + Clone>(sums: &BTreeMap<K, Sum>) -> Result<BTreeMap<K, Sum>, MoneyError> {
    sums.iter()
        .map(|(key, sum)| Ok((key.clone(), sum.turned()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MovementId;
    use expect_test::{Expect, expect};
    use kernel::{Instant, OrderId};

    const HOUR: i64 = 3_600_000_000;

    fn won(minor: i64) -> Money {
        Money::try_new(minor, CURRENCY).unwrap()
    }

    fn order() -> OrderId {
        OrderId::try_new(1).unwrap()
    }

    fn payment(amount: i64, hour: i64) -> Movement {
        Movement {
            id: MovementId::payment(order()),
            order: order(),
            kind: MovementKind::Payment,
            amount: won(amount),
            at: Instant::from_micros(hour * HOUR),
            adjustments: 0,
        }
    }

    fn refund(key: &str, amount: i64, hour: i64) -> Movement {
        Movement {
            id: MovementId::refund(order(), key),
            kind: MovementKind::Refund,
            ..payment(amount, hour)
        }
    }

    fn line(category: &str, seller: &str, amount: i64) -> Line {
        Line {
            category: category.to_owned(),
            seller: seller.to_owned(),
            amount: won(amount),
        }
    }

    fn sums(movements: Vec<Movement>, lines: Vec<Line>) -> Sums {
        let book = OrderBook {
            order: order(),
            movements,
            lines,
        };
        Sums::of(&book, &Zone::parse("Asia/Seoul").unwrap()).unwrap()
    }

    fn check(sums: &Sums, expected: &Expect) {
        let text = |sum: &Sum| {
            format!(
                "{} in {}, {} back in {}",
                sum.total.minor(),
                sum.payments,
                sum.refunded.minor(),
                sum.refunds
            )
        };
        let days = sums
            .days
            .iter()
            .map(|(day, sum)| format!("{day}: {}\n", text(sum)));
        let shares = sums.shares.iter();
        let shares =
            shares.map(|((day, by, name), sum)| format!("{day} {} {name}: {}\n", by.text(), text(sum)));
        expected.assert_eq(&days.chain(shares).collect::<String>());
    }

    fn three_lines() -> Vec<Line> {
        vec![line("A", "s", 6), line("B", "s", 6), line("A", "t", 2)]
    }

    #[test]
    fn a_payment_and_its_refunds_are_shared_over_the_lines() {
        let moved = vec![
            refund("b", 1, 20),
            payment(14, 1),
            refund("a", 10, 2),
            refund("c", 3, 40),
        ];
        check(
            &sums(moved, three_lines()),
            &expect![[r#"
            1970-01-01: 14 in 1, 10 back in 1
            1970-01-02: 0 in 0, 1 back in 1
            1970-01-03: 0 in 0, 3 back in 1
            1970-01-01 SELLER s: 12 in 1, 8 back in 1
            1970-01-01 SELLER t: 2 in 1, 2 back in 1
            1970-01-01 CATEGORY A: 8 in 1, 6 back in 1
            1970-01-01 CATEGORY B: 6 in 1, 4 back in 1
            1970-01-02 SELLER s: 0 in 0, 1 back in 1
            1970-01-02 CATEGORY A: 0 in 0, 1 back in 1
            1970-01-03 SELLER s: 0 in 0, 3 back in 1
            1970-01-03 CATEGORY A: 0 in 0, 1 back in 1
            1970-01-03 CATEGORY B: 0 in 0, 2 back in 1
        "#]],
        );
    }

    #[test]
    fn without_lines_or_payment_totals_do_not_wait_and_shares_do() {
        check(
            &sums(vec![payment(14, 1), refund("a", 10, 2)], Vec::new()),
            &expect![[r#"
            1970-01-01: 14 in 1, 10 back in 1
        "#]],
        );
        check(
            &sums(vec![refund("a", 10, 2)], three_lines()),
            &expect![[r#"
            1970-01-01: 0 in 0, 10 back in 1
        "#]],
        );
        assert_eq!(sums(Vec::new(), three_lines()), Sums::default());
    }

    #[test]
    fn what_was_adjusted_away_does_not_count() {
        check(
            &sums(vec![payment(0, 1), refund("a", 0, 2)], three_lines()),
            &expect![[r#""#]],
        );
    }

    #[test]
    fn goods_for_nothing_share_alike() {
        check(
            &sums(vec![payment(3, 1)], vec![line("A", "s", 0), line("B", "t", 0)]),
            &expect![[r#"
            1970-01-01: 3 in 1, 0 back in 0
            1970-01-01 SELLER s: 2 in 1, 0 back in 0
            1970-01-01 SELLER t: 1 in 1, 0 back in 0
            1970-01-01 CATEGORY A: 2 in 1, 0 back in 0
            1970-01-01 CATEGORY B: 1 in 1, 0 back in 0
        "#]],
        );
    }

    #[test]
    fn a_change_names_only_what_changes() {
        let before = sums(vec![payment(14, 1)], three_lines());
        let after = sums(vec![payment(14, 1), refund("a", 14, 30)], three_lines());
        let change = after.clone().since(&before).unwrap();
        check(
            &change,
            &expect![[r#"
            1970-01-02: 0 in 0, 14 back in 1
            1970-01-02 SELLER s: 0 in 0, 12 back in 1
            1970-01-02 SELLER t: 0 in 0, 2 back in 1
            1970-01-02 CATEGORY A: 0 in 0, 8 back in 1
            1970-01-02 CATEGORY B: 0 in 0, 6 back in 1
        "#]],
        );
        assert_eq!(before.clone().plus(&change).unwrap(), after);
        assert_eq!(after.clone().since(&after).unwrap(), Sums::default());
    }

    #[test]
    fn a_day_has_its_limit_and_only_growth_reaches_it() {
        let sum = |total, refunded| Sum {
            total: won(total),
            refunded: won(refunded),
            ..Sum::NONE
        };
        let most = Sum::MOST_A_DAY;
        let nothing = sum(0, 0);
        for (day, change, fits) in [
            (sum(most, most), sum(1, 1), true),
            (sum(most + 1, 0), sum(1, 0), false),
            (sum(0, most + 1), sum(0, 1), false),
            (sum(most + 1, 0), sum(0, 1), true),
            (sum(most + 1, 0), sum(-5, 0), true),
            (sum(most + 1, most + 1), nothing, true),
        ] {
            let expected = if fits { Ok(day) } else { Err(Unsummable::DayFull) };
            assert_eq!(day.reached_by(change), expected, "{day:?} by {change:?}");
        }
        let month = (0..31).try_fold(nothing, |month, _| month.plus(sum(most, 0)));
        assert!(month.is_ok());
    }

    #[test]
    fn what_has_no_date_or_is_too_much_is_refused() {
        let zone = Zone::parse("Asia/Seoul").unwrap();
        let late = Movement {
            at: Instant::from_micros(i64::MAX),
            ..payment(1, 0)
        };
        let book = OrderBook {
            order: order(),
            movements: vec![late],
            lines: Vec::new(),
        };
        assert_eq!(Sums::of(&book, &zone), Err(Unsummable::Day(OutOfCalendar)));
        let most = [("a", 1), ("b", 1)].map(|(key, hour)| refund(key, Money::MAX_MINOR, hour));
        let book = OrderBook {
            movements: most.to_vec(),
            ..book
        };
        assert_eq!(
            Sums::of(&book, &zone),
            Err(Unsummable::Money(MoneyError::Overflow))
        );
    }
}
