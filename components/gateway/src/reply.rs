//! What of a component's answer reaches the client, and what is said when there is none.

use kernel::Millis;
use web::{Code, Problem, Response};

use crate::headers::{Headers, returned, values};
use breaker::Outcome;

/// Why a component gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// It takes no more requests, is not there, or did not answer in time.
    Overload,
    /// It answered something that is not HTTP, or the way there is broken.
    Broken,
}

/// What exactly went wrong, as far as it matters for whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is nobody, or it takes no more requests.
    NotThere,
    /// It did not answer in time.
    Late,
    /// What it answered is not HTTP, or the way there is broken.
    Broken,
}

impl Trouble {
    /// What the client is told.
    pub const fn outage(self) -> Outage {
        match self {
            Self::NotThere | Self::Late => Outage::Overload,
            Self::Broken => Outage::Broken,
        }
    }
}

/// What happens with a component's answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Its body goes to the client behind these headers.
    Pass(Headers),
    /// This goes to the client instead.
    Replace(Response),
}

/// What the client is told when a component gave no answer.
pub fn outage(outage: Outage) -> Response {
    match outage {
        Outage::Overload => Problem::unavailable().into(),
        Outage::Broken => Problem::new(Code::BadGateway, "please try again in a moment")
            .header("retry-after", "1")
            .into(),
    }
}

/// What the client is told while a component has its rest, and for how many microseconds it still has.
pub fn resting(wait_us: i64) -> Response {
    let seconds = wait_us.div_euclid(1_000_000) + i64::from(wait_us % 1_000_000 != 0);
    Problem::new(Code::Unavailable, "please try again in a moment")
        .header("retry-after", seconds.max(1).to_string())
        .into()
}

/// What an answer says about the component that gave it.
///
/// A problem document means that its own code has run and decided, so the component is well, whatever it says:
/// 502 and 503 are also the answer to one request, such as an order whose payment nobody confirms, and no client
/// may shut a component for all others by repeating such a request. For the same reason a defect (500) is no
/// outage. A bare 502 is that of a component which stands for a service of another deployment where nobody is, and counts
/// as that component's own failure: it gets a rest. No component answers 504, so that is the host, whose patience is at its end.
pub fn outcome(status: u16, answered: &Headers) -> Outcome {
    match status {
        504 => Outcome::Failure,
        502 | 503 if !is_problem(answered) => Outcome::Failure,
        _ => Outcome::Success,
    }
}

/// What it says about a component that it gave no answer.
///
/// As long as the client still owes a part of the body, only what nobody else can be blamed for counts: a slow or
/// broken-off upload looks like a slow or broken component. `body_took_us` is how long the component waited for the end
/// of the body, if it came at all; whoever sends the last byte just before the deadline leaves it no time to answer.
pub fn silence(trouble: Trouble, body_took_us: Option<i64>, patience: Millis) -> Outcome {
    let had_time = body_took_us.is_some_and(|took| took <= i64::from(patience.0) * 500);
    match trouble {
        Trouble::NotThere => Outcome::Failure,
        Trouble::Late if had_time => Outcome::Failure,
        Trouble::Broken if body_took_us.is_some() => Outcome::Failure,
        Trouble::Late | Trouble::Broken => Outcome::Unknown,
    }
}

/// Looks at the head of an answer.
///
/// A failure that is no problem document was not written by a component of ours but by whatever runs it,
/// and may tell anything: a defect there is a 500 here, everything else an outage.
pub fn reply(status: u16, answered: &Headers) -> Reply {
    let failed = !(200..500).contains(&status);
    if !failed || is_problem(answered) {
        return Reply::Pass(returned(answered));
    }
    Reply::Replace(match status {
        500 => Problem::new(Code::Internal, "the error was recorded and will be looked at").into(),
        // A 502 is a component that stands for a service of another deployment, and finds nobody there.
        502..=504 => outage(Outage::Overload),
        _ => outage(Outage::Broken),
    })
}

/// Whether it is a problem document, which only code of ours writes.
pub(crate) fn is_problem(answered: &Headers) -> bool {
    let types = values(answered, "content-type");
    let [media_type] = types.as_slice() else {
        return false;
    };
    let name = media_type.split(|byte| *byte == b';').next().unwrap_or(b"");
    name.trim_ascii()
        .eq_ignore_ascii_case(b"application/problem+json")
}

/// Adds what every answer of the shop carries. What is meant for one person is kept by nobody.
pub fn finish(mut headers: Headers, request_id: &str, personal: bool) -> Headers {
    if personal {
        headers.retain(|(name, _)| name != "cache-control");
        headers.push(("cache-control".to_owned(), b"no-store".to_vec()));
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        (web::REQUEST_ID_HEADER, request_id),
    ] {
        headers.push((name.to_owned(), value.as_bytes().to_vec()));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_type(media_type: &str) -> Headers {
        vec![("Content-Type".to_owned(), media_type.as_bytes().to_vec())]
    }

    #[test]
    fn answers_and_problems_pass() {
        for (status, media_type) in [
            (200, "application/json"),
            (204, "text/plain"),
            (304, "text/html"),
            (404, "text/plain"),
            (500, "application/problem+json"),
            (503, "Application/Problem+JSON; charset=utf-8"),
        ] {
            let reply = reply(status, &of_type(media_type));
            assert!(matches!(reply, Reply::Pass(_)), "{status} {media_type}");
        }
    }

    #[test]
    fn a_failure_that_is_no_problem_is_replaced() {
        let replaced = |status, headers: &Headers| match reply(status, headers) {
            Reply::Pass(_) => None,
            Reply::Replace(response) => Some((
                response.status(),
                response.header_value("content-type").map(str::to_owned),
                response.header_value("retry-after").map(str::to_owned),
            )),
        };
        let problem = |status, wait: Option<&str>| {
            let media_type = Some("application/problem+json".to_owned());
            Some((status, media_type, wait.map(str::to_owned)))
        };
        assert_eq!(replaced(500, &of_type("text/plain")), problem(500, None));
        assert_eq!(replaced(500, &Vec::new()), problem(500, None));
        assert_eq!(replaced(503, &of_type("text/html")), problem(503, Some("1")));
        assert_eq!(
            replaced(504, &of_type("application/json")),
            problem(503, Some("1"))
        );
        let (nobody, busy) = (replaced(502, &Vec::new()), replaced(503, &Vec::new()));
        assert_eq!((&nobody, &busy), (&problem(503, Some("1")), &nobody));
        assert_eq!(replaced(599, &Vec::new()), problem(502, Some("1")));
        assert_eq!(replaced(101, &Vec::new()), problem(502, Some("1")));
        let doubled = [of_type("application/problem+json"), of_type("text/html")].concat();
        assert_eq!(replaced(500, &doubled), problem(500, None));
    }

    #[test]
    fn only_what_no_client_can_bring_about_counts_as_a_failure() {
        let problem = of_type("application/problem+json");
        let none = Headers::new();
        for status in [200, 304, 400, 404, 409, 429, 500, 501] {
            assert_eq!(outcome(status, &problem), Outcome::Success, "{status}");
            assert_eq!(outcome(status, &none), Outcome::Success, "{status}");
        }
        for status in [502, 503] {
            assert_eq!(outcome(status, &problem), Outcome::Success, "{status}");
            assert_eq!(outcome(status, &none), Outcome::Failure, "{status}");
        }
        assert_eq!(outcome(504, &problem), Outcome::Failure);
        let (all, some) = ([Outcome::Failure; 3], Outcome::Unknown);
        let troubles = [Trouble::NotThere, Trouble::Late, Trouble::Broken];
        let after = |took_us| troubles.map(|trouble| silence(trouble, took_us, Millis(14_000)));
        assert_eq!([after(Some(0)), after(Some(7_000_000))], [all, all]);
        assert_eq!(after(None), [Outcome::Failure, some, some]);
        let late = [Outcome::Failure, some, Outcome::Failure];
        assert_eq!([after(Some(7_000_001)), after(Some(13_999_000))], [late, late]);
        let outages = troubles.map(Trouble::outage);
        assert_eq!(outages, [Outage::Overload, Outage::Overload, Outage::Broken]);
    }

    #[test]
    fn a_rest_says_how_long_it_lasts() {
        for (wait_us, seconds) in [
            (0, "1"),
            (1, "1"),
            (1_000_000, "1"),
            (1_000_001, "2"),
            (5_000_000, "5"),
        ] {
            let response = resting(wait_us);
            let said = response.header_value("retry-after");
            assert_eq!((response.status(), said), (503, Some(seconds)));
        }
    }

    #[test]
    fn every_answer_says_its_id_and_personal_ones_are_not_stored() {
        let sent = vec![("cache-control".to_owned(), b"max-age=60".to_vec())];
        let text = |headers: Headers| -> Vec<String> {
            let line =
                |(name, value): (String, Vec<u8>)| format!("{name}: {}", String::from_utf8_lossy(&value));
            headers.into_iter().map(line).collect()
        };
        let common = [
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "x-request-id: 07",
        ];
        let open = text(finish(sent.clone(), "07", false));
        assert_eq!(
            (open[0].as_str(), &open[1..]),
            ("cache-control: max-age=60", &common.map(str::to_owned)[..])
        );
        let personal = text(finish(sent, "07", true));
        assert_eq!(
            (personal[0].as_str(), &personal[1..]),
            ("cache-control: no-store", &common.map(str::to_owned)[..])
        );
    }
}
