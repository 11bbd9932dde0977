use kernel::{Money, ProductId};

use super::Product;

/// The longest part of a name that can be searched for.
pub const MAX_NAME_CHARS: usize = 100;

/// The form in which names are compared: upper and lower case become the same.
///
/// Character by character to lower, to upper and to lower case again, so that `ẞ`, `ß` and `ss` are one, and
/// `Σ`, `σ` and `ς` are, wherever they stand. Hangul has no case and stays as it is. Letters that merely
/// look alike, or are composed differently, stay different.
pub fn fold(text: &str) -> String {
    let upper = text
        .chars()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).collect()
}

/// What a list is narrowed to: everything that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The name contains this.
    pub name: Option<NamePart>,
    /// The category has exactly this name.
    pub category: Option<String>,
    /// The price lies in this range.
    pub price: PriceRange,
}

/// A part of a name, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePart(String);

/// Why a text is not a part of any name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NamePartError {
    /// It is longer than [`MAX_NAME_CHARS`].
    #[error("must have at most {MAX_NAME_CHARS} characters")]
    TooLong,
    /// It contains control characters.
    #[error("must not contain control characters")]
    Control,
}

impl NamePart {
    /// Takes what a customer typed.
    pub fn try_new(text: &str) -> Result<Self, NamePartError> {
        if text.chars().count() > MAX_NAME_CHARS {
            Err(NamePartError::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(NamePartError::Control)
        } else {
            Ok(Self(fold(text)))
        }
    }

    /// The folded text.
    pub fn folded(&self) -> &str {
        &self.0
    }
}

/// From the one price to the other, both included; in the smallest unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PriceRange {
    min: Option<i64>,
    max: Option<i64>,
}

/// Why two numbers are no range of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceRangeError {
    /// The lower end is negative or larger than any amount.
    #[error("must be from 0 to {}", Money::MAX_MINOR)]
    Min,
    /// The upper end is negative or larger than any amount.
    #[error("must be from 0 to {}", Money::MAX_MINOR)]
    Max,
    /// The lower end is above the upper end.
    #[error("must not be above maxPrice")]
    Empty,
}

impl PriceRange {
    /// A range that is open where nothing is said.
    pub fn try_new(min: Option<i64>, max: Option<i64>) -> Result<Self, PriceRangeError> {
        let amount = |end: Option<i64>| end.is_none_or(|minor| (0..=Money::MAX_MINOR).contains(&minor));
        if !amount(min) {
            Err(PriceRangeError::Min)
        } else if !amount(max) {
            Err(PriceRangeError::Max)
        } else if min.zip(max).is_some_and(|(min, max)| min > max) {
            Err(PriceRangeError::Empty)
        } else {
            Ok(Self { min, max })
        }
    }

    /// The lower end.
    pub const fn min(self) -> Option<i64> {
        self.min
    }

    /// The upper end.
    pub const fn max(self) -> Option<i64> {
        self.max
    }
}

/// The order of a list. Products that are equal by it follow each other by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}

/// By what a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// The product's number.
    Id,
    /// The price.
    Price,
    /// The folded name, by code points: 가나다 and abc both come out as expected.
    Name,
}

impl Sort {
    /// Every order there is, by the name a client uses; `-` turns it around.
    pub const ALL: [(&str, Self); 6] = [
        ("id", Self::ascending(SortBy::Id)),
        ("-id", Self::descending(SortBy::Id)),
        ("price", Self::ascending(SortBy::Price)),
        ("-price", Self::descending(SortBy::Price)),
        ("name", Self::ascending(SortBy::Name)),
        ("-name", Self::descending(SortBy::Name)),
    ];

    const fn ascending(by: SortBy) -> Self {
        Self {
            by,
            descending: false,
        }
    }

    const fn descending(by: SortBy) -> Self {
        Self { by, descending: true }
    }

    /// Where `product` stands in this order.
    pub fn position(self, product: &Product) -> Position {
        let id = product.id;
        match self.by {
            SortBy::Id => Position::Id(id),
            SortBy::Price => Position::Price(product.price.minor(), id),
            SortBy::Name => Position::Name(fold(&product.name), id),
        }
    }
}

/// A place in an ordered list: just behind this product, whatever becomes of it meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// In a list by id.
    Id(ProductId),
    /// In a list by price.
    Price(i64, ProductId),
    /// In a list by folded name.
    Name(String, ProductId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_makes_cases_equal_in_every_script_that_has_them() {
        for (a, b) in [
            ("Hello WORLD", "hELLO world"),
            ("테스트 상품 A", "테스트 상품 a"),
            ("ÅÄÖ", "åäö"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("ДОМ", "дом"),
        ] {
            assert_eq!(fold(a), fold(b));
        }
        assert_ne!(fold("가"), fold("나"));
        assert_eq!(fold("100%_\\"), "100%_\\");
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for character in '\0'..=char::MAX {
            let folded = fold(&character.to_string());
            assert_eq!(fold(&folded), folded, "U+{:04X}", u32::from(character));
        }
    }

    #[test]
    fn a_part_of_a_name_is_short_and_printable() {
        assert_eq!(NamePart::try_new("상품 A").unwrap().folded(), "상품 a");
        assert!(NamePart::try_new(&"가".repeat(100)).is_ok());
        assert_eq!(NamePart::try_new(&"a".repeat(101)), Err(NamePartError::TooLong));
        assert_eq!(NamePart::try_new("a\0b"), Err(NamePartError::Control));
    }

    #[test]
    fn a_range_has_two_ends_in_order() {
        let range = PriceRange::try_new;
        assert!(range(None, None).is_ok() && range(Some(0), Some(0)).is_ok());
        assert_eq!(range(Some(-1), None), Err(PriceRangeError::Min));
        assert_eq!(range(Some(i64::MAX), None), Err(PriceRangeError::Min));
        assert_eq!(range(None, Some(-1)), Err(PriceRangeError::Max));
        assert_eq!(range(Some(2), Some(1)), Err(PriceRangeError::Empty));
    }
}
