//! `Accept-Encoding` (RFC 9110 §12.5.3), as far as it matters between gzip and nothing.

/// The weight of a coding that is named without one.
const FULL: u16 = 1000;

/// Whether gzip is accepted, and the plain bytes are not wanted more. A header that is not as it should be
/// accepts nothing.
pub(super) fn prefers_gzip(accepted: &str) -> bool {
    let gzip = weight(accepted, &["gzip", "x-gzip"]).or_else(|| weight(accepted, &["*"]));
    let identity = weight(accepted, &["identity"]).unwrap_or(0);
    gzip.is_some_and(|gzip| gzip > 0 && gzip >= identity)
}

/// The weight of the first entry with one of these names, in thousandths.
fn weight(accepted: &str, names: &[&str]) -> Option<u16> {
    accepted.split(',').find_map(|entry| {
        let (name, parameter) = match entry.split_once(';') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (entry, None),
        };
        let is_named = names.iter().any(|other| name.trim().eq_ignore_ascii_case(other));
        is_named.then(|| parameter.map_or(FULL, |parameter| quality(parameter).unwrap_or(0)))
    })
}

/// `q=0.5` → 500; no more than three digits behind the point (RFC 9110 §12.4.2).
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.trim().split_once('=')?;
    if !name.eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, rest) = value.split_once('.').unwrap_or((value, ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(FULL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::prefers_gzip;

    #[test]
    fn gzip_goes_to_whoever_takes_it_and_does_not_want_the_plain_bytes_more() {
        for accepted in [
            "gzip",
            "GZIP",
            "x-gzip",
            "gzip, deflate, br, zstd",
            "br;q=1.0, gzip;q=0.8, *;q=0.1",
            "deflate , gzip ; q=0.001",
            "*",
            "identity;q=0, *",
            "identity;q=0.5, gzip;q=0.5",
            "gzip;q=1.000",
            "gzip;Q=1.",
        ] {
            assert!(prefers_gzip(accepted), "{accepted}");
        }
        for accepted in [
            "",
            "identity",
            "br",
            "deflate, br",
            "gzip;q=0",
            "gzip;q=0.000",
            "gzip;q=0, *",
            "*;q=0",
            "identity, gzip;q=0.5",
            "gzipx",
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.0001",
            "gzip;q=-1",
            "gzip;q",
            "gzip;level=9",
        ] {
            assert!(!prefers_gzip(accepted), "{accepted}");
        }
    }
}
