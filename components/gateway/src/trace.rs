//! Where a request belongs in a trace (W3C Trace Context): in its caller's, or in one that begins here.

use crate::headers::{Headers, values};

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// The length of `00-<32 digits>-<16 digits>-<2 digits>`.
const PARENT_BYTES: usize = 55;

/// As much of a `tracestate` as everybody must pass on (§3.3.1.5).
const MAX_STATE_BYTES: usize = 512;

/// The flags that mean something to us: sampled, and, since level 2, that the trace id is random. All others must be
/// sent as zero.
const KNOWN_FLAGS: u8 = 0b11;

/// Sampled.
const SAMPLED: u8 = 0b01;

/// What a caller says about its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parent {
    trace: u128,
    flags: u8,
}

/// The trace headers of a forwarded request. `span` is this door's own part of the trace, which becomes the parent of
/// what happens behind it; a trace that begins here has the request's id.
pub fn context(received: &Headers, request_id: u128, span: u64) -> Headers {
    let caller = match values(received, PARENT).as_slice() {
        [parent] => parse(parent),
        _ => None,
    };
    let state = caller.and_then(|_| state(received));
    let Parent { trace, flags } = caller.unwrap_or(Parent {
        trace: request_id,
        flags: SAMPLED,
    });
    // Ids of zero are no ids.
    let (trace, span) = (trace.max(1), span.max(1));
    let parent = format!("00-{trace:032x}-{span:016x}-{flags:02x}");
    std::iter::once((PARENT.to_owned(), parent.into_bytes()))
        .chain(state.map(|state| (STATE.to_owned(), state)))
        .collect()
}

/// Several lines are one list; one that is too long or has other than visible characters is dropped as a whole.
fn state(received: &Headers) -> Option<Vec<u8>> {
    let state = values(received, STATE).join(&b","[..]);
    let visible = state
        .iter()
        .all(|byte| (0x20..0x7f).contains(byte) || *byte == b'\t');
    (!state.is_empty() && state.len() <= MAX_STATE_BYTES && visible).then_some(state)
}

/// Reads a `traceparent`. A version that we do not know is read as far as we know it, when it only adds something at
/// the end (§3.2.2.5 of level 1); version `ff` is none.
fn parse(value: &[u8]) -> Option<Parent> {
    let (known, added) = value.split_at_checked(PARENT_BYTES)?;
    let known = std::str::from_utf8(known).ok()?;
    let parts: Vec<&str> = known.split('-').collect();
    let [version, trace, span, flags] = parts.as_slice() else {
        return None;
    };
    let version = u8::try_from(hex(version, 2)?).ok()?;
    match (version, added) {
        (0xff, _) => return None,
        (_, []) => {}
        (0, _) => return None,
        (_, [b'-', ..]) => {}
        _ => return None,
    }
    let trace = hex(trace, 32).filter(|id| *id != 0)?;
    hex(span, 16).filter(|id| *id != 0)?;
    let flags = u8::try_from(hex(flags, 2)?).ok()?;
    Some(Parent {
        trace,
        flags: flags & KNOWN_FLAGS,
    })
}

/// A number of so many small hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let small = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != digits || !text.bytes().all(small) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const OURS: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000000a-01";
    const NEW: &str = "traceparent: 00-00000000000000000000000000000007-000000000000000a-01";

    fn sent(received: &[(&str, &str)]) -> String {
        let received = received.iter();
        let received: Headers = received
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        let lines = context(&received, 7, 10)
            .into_iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(&value)));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_callers_trace_goes_on_with_our_part_as_the_parent() {
        assert_eq!(sent(&[("traceparent", GOOD)]), OURS);
        assert_eq!(sent(&[("TraceParent", GOOD)]), OURS);
        for (flags, expected) in [
            ("00", "00"),
            ("02", "02"),
            ("03", "03"),
            ("ff", "03"),
            ("fc", "00"),
        ] {
            let parent = format!("{}{flags}", &GOOD[..53]);
            let expected = format!("{}{expected}", &OURS[..OURS.len() - 2]);
            assert_eq!(sent(&[("traceparent", &parent)]), expected, "{flags}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for later in [
            GOOD.replacen("00", "01", 1),
            GOOD.replacen("00", "fe", 1),
            GOOD.replacen("00", "cc", 1) + "-what-comes-later",
            GOOD.replacen("00", "cc", 1) + "-",
        ] {
            assert_eq!(sent(&[("traceparent", &later)]), OURS, "{later}");
        }
    }

    #[test]
    fn without_a_good_one_a_trace_begins_here() {
        assert_eq!(sent(&[]), NEW);
        assert_eq!(sent(&[("tracestate", "a=1")]), NEW, "a state of no trace");
        let twice = [("traceparent", GOOD), ("traceparent", GOOD)];
        assert_eq!(sent(&twice), NEW);
        let longer = format!("{GOOD}-x");
        let glued = GOOD.replacen("00", "01", 1) + "x";
        for bad in [
            "",
            "-",
            longer.as_str(),
            &glued,
            &GOOD[..54],
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0X",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-001",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-é1",
        ] {
            assert_eq!(sent(&[("traceparent", bad), ("tracestate", "a=1")]), NEW, "{bad}");
        }
    }

    #[test]
    fn a_good_state_goes_along() {
        let with = |states: &[&str]| {
            let mut received = vec![("traceparent", GOOD)];
            received.extend(states.iter().map(|state| ("tracestate", *state)));
            sent(&received)
        };
        assert_eq!(with(&["a=1"]), format!("{OURS}\ntracestate: a=1"));
        assert_eq!(with(&["a=1", "b=2"]), format!("{OURS}\ntracestate: a=1,b=2"));
        let longest = "a".repeat(MAX_STATE_BYTES);
        assert_eq!(with(&[&longest]), format!("{OURS}\ntracestate: {longest}"));
        for bad in ["", "a=\n", "a=가", &"a".repeat(MAX_STATE_BYTES + 1)] {
            assert_eq!(with(&[bad]), OURS, "{bad}");
        }
    }

    #[test]
    fn no_id_is_ever_zero() {
        let parent = &context(&Vec::new(), 0, 0)[0].1;
        assert!(parse(parent).is_some());
    }
}
