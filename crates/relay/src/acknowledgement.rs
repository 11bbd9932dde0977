//! How a consumer tells a producer's relay how far it is: one key of the shared key-value store.
//!
//! It is written after the consumer's transaction, so it never runs ahead. Losing it only means that
//! events are published again; a consumer writes it anew with every message that comes.

/// The key under which `consumer` says how far it has handled the events of `producer`.
///
/// The value is [`crate::inbox::mark`] in decimal digits.
pub fn key(producer: &str, consumer: &str) -> String {
    format!("acknowledged/{producer}/{consumer}")
}

/// The position in a value; none when nobody of us wrote it.
pub fn parse(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_consumer_writes_is_a_position() {
        assert_eq!(key("payment", "settlement"), "acknowledged/payment/settlement");
        for position in [0, 1, 4_711, u64::MAX] {
            assert_eq!(parse(position.to_string().as_bytes()), Some(position));
        }
        for junk in [
            "",
            " 1",
            "+1",
            "-1",
            "1.0",
            "1e3",
            "18446744073709551616",
            "one",
            "\u{ff}",
        ] {
            assert_eq!(parse(junk.as_bytes()), None, "{junk:?}");
        }
        assert_eq!(parse(&[0xff, 0xfe]), None);
    }
}
