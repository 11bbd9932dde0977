//! Which trace an event belongs to (W3C Trace Context).
//!
//! It travels beside what happened and decides nothing: one that can't be is left out, and never a reason to
//! refuse an event.

/// The length of `00-<32 digits>-<16 digits>-<2 digits>`.
const BYTES: usize = 55;

/// The text, if it is a `traceparent` of the version that everybody reads.
pub fn traceparent(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("00-")?;
    let mut parts = rest.split('-');
    let (trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?);
    let is_id = |id: &str, digits: usize| is_hex(id, digits) && id.bytes().any(|digit| digit != b'0');
    let fits = text.len() == BYTES && is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2);
    fits.then_some(text)
}

fn is_hex(text: &str, digits: usize) -> bool {
    let small = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_and_small_one_is_one() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(good), Some(good));
        for bad in [
            "",
            &good[..54],
            &format!("{good}-"),
            &format!("{good}-01"),
            &good.to_uppercase(),
            &good.replace("00-4", "01-4"),
            &good.replace('-', "_"),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-001",
        ] {
            assert_eq!(traceparent(bad), None, "{bad}");
        }
    }
}
