//! Ids: JSON numbers from 1 to 2^53 − 1.

use crate::Instant;

/// The largest id: every integer up to here is exact in a JSON number (RFC 8259 §6).
pub const MAX_ID: u64 = (1 << 53) - 1;

/// The number is zero or above [`MAX_ID`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a number from 1 to {MAX_ID}")]
pub struct IdOutOfRange;

/// Bits of an id that are random; the 40 above them count milliseconds.
const RANDOM_BITS: u32 = 13;

/// 2025-01-01T00:00:00Z in milliseconds; the ids last until 2059.
const FIRST_MILLISECOND: i64 = 1_735_689_600_000;

/// A number for a new id: milliseconds since 2025 above 13 random bits.
///
/// Later ids are larger (to the millisecond) and the next one can't be guessed from the last.
/// Two made in the same millisecond meet with probability 1/8192, so whoever stores a new id
/// inserts it only when it is free and takes another one when it is not.
pub const fn time_ordered(now: Instant, random: u64) -> u64 {
    let elapsed = now.micros().div_euclid(1_000).saturating_sub(FIRST_MILLISECOND);
    let clock = if elapsed < 0 {
        0
    } else {
        elapsed as u64 & ((1 << 40) - 1)
    };
    let number = clock << RANDOM_BITS | random & ((1 << RANDOM_BITS) - 1);
    if number == 0 { 1 } else { number }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// Takes a number from 1 to [`MAX_ID`].
            pub const fn try_new(number: u64) -> Result<Self, IdOutOfRange> {
                if number == 0 || number > MAX_ID { Err(IdOutOfRange) } else { Ok(Self(number)) }
            }

            /// A new id, see [`time_ordered`].
            pub const fn generate(now: Instant, random: u64) -> Self {
                Self(time_ordered(now, random))
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The number as databases store it.
            pub const fn as_i64(self) -> i64 {
                self.0 as i64
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdOutOfRange;

            fn try_from(number: i64) -> Result<Self, IdOutOfRange> {
                u64::try_from(number).map_err(|_| IdOutOfRange).and_then(Self::try_new)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdOutOfRange;

            /// Decimal digits only: no sign, no blank, no leading zero.
            fn from_str(text: &str) -> Result<Self, IdOutOfRange> {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
                if !digits {
                    return Err(IdOutOfRange);
                }
                text.parse().map_err(|_| IdOutOfRange).and_then(Self::try_new)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// An order, and everything that is done on its behalf.
    OrderId
);
id!(
    /// A payment.
    PaymentId
);
id!(
    /// A product: what a customer looks at.
    ProductId
);
id!(
    /// A stock keeping unit: what is put into the parcel.
    SkuId
);
id!(
    /// An account.
    UserId
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nonsense_is_not_an_id() {
        for text in [
            "",
            "0",
            "-1",
            "+1",
            " 1",
            "1 ",
            "01",
            "1.0",
            "1e3",
            "abc",
            "9007199254740992",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<OrderId>(), Err(IdOutOfRange), "{text:?}");
        }
        assert_eq!(
            "9007199254740991".parse::<OrderId>().map(OrderId::get),
            Ok(MAX_ID)
        );
    }

    proptest! {
        #[test]
        fn generated_ids_fit_a_json_number_and_follow_time(at: i64, later in 1_000i64..1_000_000_000, a: u64, b: u64) {
            let at = at.clamp(1_735_689_600_000_000, 2_800_000_000_000_000);
            let first = OrderId::generate(Instant::from_micros(at), a);
            let second = OrderId::generate(Instant::from_micros(at + later), b);
            prop_assert!(first.get() >= 1 && second.get() <= MAX_ID);
            prop_assert!(first < second);
        }

        #[test]
        fn an_id_survives_text(number in 1..=MAX_ID) {
            let id = OrderId::try_new(number).unwrap();
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(OrderId::try_from(id.as_i64()), Ok(id));
        }
    }
}
