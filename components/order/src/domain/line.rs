use kernel::{Currency, Money, MoneyError, ProductId, Quantity, SkuId};

/// One line of an order, at the price of the moment it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product: ProductId,
    /// What is shipped.
    pub sku: SkuId,
    /// The product's name at that moment.
    pub name: String,
    /// The category's name; empty on lines that are older than this was kept.
    pub category: String,
    /// Who sells it; empty on lines that are older than this was kept.
    pub seller: String,
    /// The price of one piece.
    pub unit_price: Money,
    /// How many pieces.
    pub quantity: Quantity,
}

impl Line {
    /// The price of all pieces.
    pub fn amount(&self) -> Result<Money, MoneyError> {
        self.unit_price.checked_mul(self.quantity.get())
    }
}

/// What an order costs. `due = total − discount`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// The sum of the lines.
    pub total: Money,
    /// What is taken off.
    pub discount: Money,
    /// What the customer pays.
    pub due: Money,
}

impl Totals {
    /// Adds the lines up; nothing is taken off.
    pub fn of(lines: &[Line]) -> Result<Self, MoneyError> {
        let currency = lines
            .first()
            .map_or(Currency::Krw, |line| line.unit_price.currency());
        let amounts = lines.iter().map(Line::amount).collect::<Result<Vec<_>, _>>()?;
        let total = Money::sum(amounts, currency)?;
        let discount = Money::zero(currency);
        Ok(Self {
            total,
            discount,
            due: total.checked_sub(discount)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(unit: i64, quantity: i64) -> Line {
        Line {
            product: ProductId::try_new(1).unwrap(),
            sku: SkuId::try_new(1).unwrap(),
            name: "x".to_owned(),
            category: "y".to_owned(),
            seller: "z".to_owned(),
            unit_price: Money::try_new(unit, Currency::Krw).unwrap(),
            quantity: Quantity::try_new(quantity).unwrap(),
        }
    }

    #[test]
    fn lines_add_up_exactly_or_not_at_all() {
        let totals = Totals::of(&[line(10_000, 2), line(5_000, 3)]).unwrap();
        assert_eq!(
            (totals.total.minor(), totals.discount.minor(), totals.due.minor()),
            (35_000, 0, 35_000)
        );
        assert_eq!(
            Totals::of(&[line(Money::MAX_MINOR, 2)]),
            Err(MoneyError::Overflow)
        );
        assert_eq!(
            Totals::of(&[line(Money::MAX_MINOR, 1), line(1, 1)]),
            Err(MoneyError::Overflow)
        );
    }
}
