//! Whole numbers out of `numeric`, which is what sums of `bigint` are in Postgres.

use crate::{DbError, RowError, Value};

/// Its text in base ten, as Spin's interface has it: `-12`, `12.00`.
#[cfg(any(target_family = "wasm", test))]
pub(super) fn whole_from_text(column: &str, text: &str) -> Result<Value, DbError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    let number = if is_whole { whole.parse().ok() } else { None };
    number.map(Value::Integer).ok_or_else(|| refused(column, text))
}

/// Its bytes as the server sends them: groups of four digits, the first one worth `10000^weight`.
#[cfg(any(all(feature = "native-postgres", not(target_family = "wasm")), test))]
pub(super) fn whole_from_bytes(column: &str, bytes: &[u8]) -> Result<Value, DbError> {
    whole(bytes)
        .map(Value::Integer)
        .ok_or_else(|| refused(column, "a numeric"))
}

#[cfg(any(all(feature = "native-postgres", not(target_family = "wasm")), test))]
fn whole(bytes: &[u8]) -> Option<i64> {
    const NEGATIVE: u16 = 0x4000;
    let fields: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let [count, weight, sign, _scale, groups @ ..] = fields.as_slice() else {
        return None;
    };
    if groups.len() != usize::from(*count) || !matches!(*sign, 0 | NEGATIVE) {
        return None;
    }
    let weight = i32::from(weight.cast_signed());
    let mut sum: i128 = 0;
    for (exponent, &group) in (0..=weight).rev().zip(groups.iter().chain(std::iter::repeat(&0))) {
        // More than this many groups is beyond every `bigint`.
        if exponent > 6 {
            return None;
        }
        sum = sum * 10_000 + i128::from(group);
    }
    let fraction = groups.iter().skip(usize::try_from(weight + 1).unwrap_or(0));
    if fraction.into_iter().any(|&group| group != 0) {
        return None;
    }
    i64::try_from(if *sign == NEGATIVE { -sum } else { sum }).ok()
}

fn refused(column: &str, found: &str) -> DbError {
    RowError::new(
        column,
        format!("expected a whole number of 64 bits, found {found}"),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_whole_and_in_range_is_a_number() {
        let number = |text: &str| whole_from_text("sum", text).ok();
        assert_eq!(number("0"), Some(Value::Integer(0)));
        assert_eq!(number("-12"), Some(Value::Integer(-12)));
        assert_eq!(number("12.000"), Some(Value::Integer(12)));
        assert_eq!(number("-9223372036854775808"), Some(Value::Integer(i64::MIN)));
        for refused in ["9223372036854775808", "1.5", "NaN", "Infinity", ""] {
            assert_eq!(number(refused), None, "{refused}");
        }
        let error = whole_from_text("sum", "1.5").expect_err("it is not whole");
        assert_eq!(
            error.to_string(),
            "column sum: expected a whole number of 64 bits, found 1.5"
        );
    }

    fn bytes(weight: i16, sign: u16, groups: &[u16]) -> Vec<u8> {
        let head = [
            u16::try_from(groups.len()).unwrap(),
            weight.cast_unsigned(),
            sign,
            0,
        ];
        head.iter()
            .chain(groups)
            .flat_map(|field| field.to_be_bytes())
            .collect()
    }

    #[test]
    fn bytes_that_are_whole_and_in_range_are_a_number() {
        let number = |weight, sign, groups: &[u16]| whole(&bytes(weight, sign, groups));
        assert_eq!(number(0, 0, &[]), Some(0));
        assert_eq!(number(0, 0x4000, &[12]), Some(-12));
        assert_eq!(
            number(1, 0, &[3]),
            Some(30_000),
            "groups of zeros at the end are left out"
        );
        assert_eq!(number(1, 0, &[1, 2345]), Some(12_345));
        assert_eq!(
            number(4, 0, &[922, 3372, 368, 5477, 5807]),
            Some(9_223_372_036_854_775_807)
        );
        assert_eq!(number(4, 0, &[922, 3372, 368, 5477, 5808]), None);
        assert_eq!(number(4, 0x4000, &[922, 3372, 368, 5477, 5808]), Some(i64::MIN));
        assert_eq!(number(0, 0, &[1, 5000]), None, "1.5");
        assert_eq!(number(-1, 0, &[5000]), None, "0.5");
        assert_eq!(number(30, 0, &[1]), None, "beyond every bigint");
        assert_eq!(number(0, 0xC000, &[]), None, "NaN");
        assert_eq!(whole(&[0, 1]), None);
        assert_eq!(whole(&[0, 1, 0, 0, 0, 0, 0, 0]), None, "a group is missing");
    }
}
