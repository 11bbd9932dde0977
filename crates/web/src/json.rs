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

/// A JSON object of this shape. A bare `T` would also take an array of the right values, field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object<T>(pub T);

struct ObjectVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Point {
        x: Whole,
    }

    #[test]
    fn an_array_is_not_an_object() {
        let parse = |text| serde_json::from_str::<Vec<Object<Point>>>(text).map_err(|e| e.to_string());
        assert_eq!(parse(r#"[{"x":1}]"#).unwrap(), [Object(Point { x: Whole(1) })]);
        assert_eq!(
            parse("[[1]]").unwrap_err(),
            "invalid type: sequence, expected an object at line 1 column 1"
        );
        assert!(parse(r#"[{"x":1,"y":2}]"#).is_err());
    }

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
