//! Values of JSON bodies whose refusals must read well.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A whole number from a JSON body: not `1.0`, not `1e3`, not `"1"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole(pub i64);

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
        Ok(Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        i64::try_from(number)
            .map(Whole)
            .map_err(|_| E::custom("the number is too large"))
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(WholeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_whole() {
        let parse = |text| {
            serde_json::from_str::<Whole>(text)
                .map(|number| number.0)
                .map_err(|e| e.to_string())
        };
        assert_eq!(parse("-3"), Ok(-3));
        assert_eq!(parse("9223372036854775807"), Ok(i64::MAX));
        for text in [
            "1.0",
            "1e3",
            "\"1\"",
            "null",
            "true",
            "9223372036854775808",
            "1e400",
            "[]",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(
            parse("1.5").unwrap_err(),
            "invalid type: floating point `1.5`, expected a whole number at line 1 column 3"
        );
    }
}
