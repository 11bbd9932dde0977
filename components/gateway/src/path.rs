//! Which paths are looked at: only those with one way to write them.
//!
//! A rule about `/orders` must hold for every text that somebody behind us might read as `/orders`. So
//! instead of rewriting paths, a path that could be read in two ways is refused.

use web::{Code, Problem};

/// Longer targets are refused; ours have some dozen characters.
const MAX_BYTES: usize = 2_048;

/// Refuses a path that is not in its canonical form: it starts with `/`, has no empty segment (but for a
/// trailing `/`), no `.` or `..`, only characters that mean themselves, and percent-encoding only where
/// it can't be avoided, for UTF-8 beyond ASCII.
pub fn canonical(path: &str) -> Result<(), Problem> {
    if path.len() > MAX_BYTES {
        return Err(refused("the path is too long"));
    }
    let rest = path
        .strip_prefix('/')
        .ok_or_else(|| refused("the path must start with /"))?;
    let segments: Vec<&str> = rest.split('/').collect();
    let (last, inner) = segments.split_last().unwrap_or((&"", &[]));
    if inner.iter().any(|segment| segment.is_empty()) {
        return Err(refused("the path has an empty segment"));
    }
    for segment in inner.iter().chain([last]) {
        if matches!(*segment, "." | "..") {
            return Err(refused("the path has a dot segment"));
        }
        if !is_plain(segment) {
            return Err(refused("the path has a character that is not allowed here"));
        }
    }
    Ok(())
}

fn refused(detail: &str) -> Problem {
    Problem::new(Code::Malformed, detail)
}

/// Whether a segment has only unreserved characters (RFC 3986 §2.3), some that are harmless, and
/// percent-encoded UTF-8 beyond ASCII in capital letters.
fn is_plain(segment: &str) -> bool {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let value = match byte {
            b'%' => match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
                (Some(high), Some(low)) if high >= 8 => high << 4 | low,
                _ => return false,
            },
            _ if byte.is_ascii_alphanumeric() || b"-._~:@!$'()*+,=".contains(&byte) => byte,
            _ => return false,
        };
        decoded.push(value);
    }
    std::str::from_utf8(&decoded).is_ok()
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_one_reading_pass() {
        for path in [
            "/",
            "/orders",
            "/orders/",
            "/orders/17",
            "/users/me",
            "/ORDERS",
            "/a-b_c.d~e",
            "/.well-known/x",
            "/...",
            "/coupons/SPRING+2026,KR",
            "/products/%EC%A0%84%EC%9E%90",
        ] {
            assert!(canonical(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn paths_with_two_readings_are_refused() {
        for path in [
            "",
            "*",
            "orders",
            "http://shop/orders",
            "//",
            "//orders",
            "/orders//1",
            "/orders//",
            "/./orders",
            "/orders/.",
            "/orders/..",
            "/orders/../admin",
            "/products/../orders",
            "/../orders",
            "/%6frders",
            "/%6Frders",
            "/orders%2f1",
            "/orders%2F1",
            "/%2e%2e/orders",
            "/%2E/orders",
            "/products/%2e%2e/orders",
            "/products/..%2forders",
            "/orders;a=b",
            "/orders/;/1",
            "/orders%3Ba",
            "/products/..;/orders",
            "/\\orders",
            "/products\\..\\orders",
            "/products%5c..%5corders",
            "/orders%00",
            "/orders%0a",
            "/orders%20",
            "/orders ",
            "/orders\t",
            "/orders\0",
            "/orders#x",
            "/orders?x",
            "/orders%",
            "/orders%2",
            "/orders%zz",
            "/orders%252f1",
            "/%c0%af",
            "/%C0%AF",
            "/%EC%A0",
            "/%ec%a0%84",
            "/%E2%80%8B%2F",
            "/전자",
            "/orders|1",
            "/<script>",
            "/\"",
            "/{id}",
            "/a^b",
            "/`",
        ] {
            assert!(canonical(path).is_err(), "{path:?}");
        }
        assert!(canonical(&format!("/{}", "a".repeat(2_048))).is_err());
    }
}
