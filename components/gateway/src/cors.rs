//! Which web pages of other origins may read our answers (Fetch, "CORS protocol").
//!
//! `Access-Control-Allow-Credentials` is never sent. Tokens travel in a header that a page must set itself, so there
//! is no credential that a browser would add on its own, and a foreign page can do nothing that curl could not.

use web::{Method, Response};

use crate::door::Head;
use crate::headers::{Headers, values};

/// How long a browser remembers the answer to a preflight, in seconds.
const MAX_AGE: &str = "600";

const METHODS: &str = "DELETE, GET, HEAD, PATCH, POST, PUT";

/// What pages may send beyond what every page may.
const REQUEST_HEADERS: &str = "accept-language, authorization, content-type, idempotency-key, if-match, if-none-match, \
                               traceparent, tracestate";

/// What pages may read beyond what every page may.
const ANSWER_HEADERS: &str =
    "allow, etag, link, location, ratelimit, ratelimit-policy, retry-after, x-request-id";

/// What the answer to a preflight depends on.
const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// The origins whose pages may read our answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// None but our own; CORS is off.
    None,
    /// All of them.
    Any,
    /// These, each as browsers write it.
    These(Vec<String>),
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadOrigin(String);

impl std::fmt::Display for BadOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "cors_allowed_origins: {:?} must be an origin as browsers write it, such as https://shop.example or \
             http://localhost:5173: small letters, no path, no default port; or * alone",
            self.0
        )
    }
}

impl std::error::Error for BadOrigin {}

impl Origins {
    /// Reads the setting: nothing, `*`, or origins with commas between them.
    pub fn parse(text: &str) -> Result<Self, BadOrigin> {
        match text.trim() {
            "" => Ok(Self::None),
            "*" => Ok(Self::Any),
            list => {
                let origins = list.split(',').map(str::trim);
                let checked = origins.map(|origin| {
                    is_origin(origin)
                        .then(|| origin.to_owned())
                        .ok_or_else(|| BadOrigin(origin.to_owned()))
                });
                checked.collect::<Result<_, _>>().map(Self::These)
            }
        }
    }

    /// The answer to a preflight, which a browser sends without a token and before the request it is about: so it is
    /// given before anybody asks who it is. None when the request is no preflight, or CORS is off.
    ///
    /// A foreign origin gets the same answer without the permission, which is all that the browser looks for.
    pub fn preflight(&self, head: &Head) -> Option<Response> {
        let asks = |name| values(&head.headers, name).len() == 1;
        let is_preflight =
            head.method == Method::Options && asks("origin") && asks("access-control-request-method");
        if !is_preflight || *self == Self::None {
            return None;
        }
        let answer = Response::no_content().header("vary", VARY);
        Some(match self.permission(&head.headers) {
            None => answer,
            Some(_) => answer
                .header("access-control-allow-methods", METHODS)
                .header("access-control-allow-headers", REQUEST_HEADERS)
                .header("access-control-max-age", MAX_AGE),
        })
    }

    /// What every answer to this request carries, refusals too: a page that can't read them can't tell its user why.
    pub fn headers(&self, received: &Headers) -> Headers {
        let permission = self.permission(received);
        let exposed = permission.is_some().then_some(ANSWER_HEADERS);
        // A cache must not give one origin's answer to another, nor one that was asked for without any.
        let vary = matches!(self, Self::These(_)).then_some("Origin");
        let headers = [
            ("access-control-allow-origin", permission.as_deref()),
            ("access-control-expose-headers", exposed),
            ("vary", vary),
        ];
        headers
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.as_bytes().to_vec())))
            .collect()
    }

    /// The value of `Access-Control-Allow-Origin`. `null`, which every sandboxed page calls itself, is in no list.
    fn permission(&self, received: &Headers) -> Option<String> {
        match self {
            Self::None => None,
            Self::Any => Some("*".to_owned()),
            Self::These(origins) => match values(received, "origin").as_slice() {
                [origin] => origins.iter().find(|known| known.as_bytes() == *origin).cloned(),
                _ => None,
            },
        }
    }
}

/// Whether a text is an origin as browsers write it (RFC 6454 §6.2): another spelling would never match.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    is_scheme(scheme) && is_host(host) && port.is_none_or(|port| is_port(scheme, port))
}

fn is_scheme(scheme: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    scheme.starts_with(|c: char| c.is_ascii_lowercase()) && scheme.bytes().all(allowed)
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let canonical = address.parse::<std::net::Ipv6Addr>();
        return canonical.is_ok_and(|parsed| parsed.to_string() == address);
    }
    let label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        !label.is_empty() && label.bytes().all(allowed)
    };
    host.split('.').all(label)
}

/// Browsers leave the scheme's own port out, and write no zeros in front.
fn is_port(scheme: &str, port: &str) -> bool {
    let number = port.parse::<u16>().ok().filter(|number| *number > 0);
    let default = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    number.is_some_and(|number| number.to_string() == port && Some(number) != default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: Method, headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter();
        Head {
            method,
            target: "/orders".to_owned(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
        }
    }

    fn shown(origins: &str, headers: &[(&str, &str)]) -> String {
        let found = Origins::parse(origins)
            .unwrap()
            .headers(&head(Method::Get, headers).headers);
        let lines = found
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
        lines.collect::<Vec<_>>().join("\n")
    }

    const TWO: &str = "https://shop.example, http://localhost:5173";
    const EXPOSED: &str = "access-control-expose-headers: allow, etag, link, location, ratelimit, \
                           ratelimit-policy, retry-after, x-request-id";

    #[test]
    fn an_origin_of_the_list_is_told_so_and_no_other() {
        for origin in ["https://shop.example", "http://localhost:5173"] {
            let expected = format!("access-control-allow-origin: {origin}\n{EXPOSED}\nvary: Origin");
            assert_eq!(shown(TWO, &[("Origin", origin)]), expected);
        }
        for foreign in [
            "https://evil.example",
            "http://shop.example",
            "https://shop.example:444",
            "https://shop.example.evil.example",
            "https://SHOP.example",
            "https://shop.example/",
            "null",
            "*",
            "",
        ] {
            assert_eq!(shown(TWO, &[("origin", foreign)]), "vary: Origin", "{foreign}");
        }
        assert_eq!(shown(TWO, &[]), "vary: Origin");
        let twice = [("origin", "https://shop.example"); 2];
        assert_eq!(shown(TWO, &twice), "vary: Origin");
    }

    #[test]
    fn everybody_or_nobody() {
        let any = format!("access-control-allow-origin: *\n{EXPOSED}");
        for headers in [&[][..], &[("origin", "null")], &[("origin", "https://a.example")]] {
            assert_eq!(shown("*", headers), any);
            assert_eq!(shown(" ", headers), "");
        }
    }

    #[test]
    fn a_preflight_is_answered_here_with_or_without_permission() {
        let two = Origins::parse(TWO).unwrap();
        let ask = |method, headers: &[(&str, &str)]| two.preflight(&head(method, headers));
        let request_method = ("Access-Control-Request-Method", "PATCH");
        let ours = [("Origin", "https://shop.example"), request_method];
        let answer = ask(Method::Options, &ours).unwrap();
        assert_eq!(answer.status(), 204);
        let text = |name| answer.header_value(name).unwrap_or("-");
        assert_eq!(text("access-control-allow-methods"), METHODS);
        assert_eq!(text("access-control-max-age"), "600");
        assert_eq!(
            text("access-control-allow-headers"),
            "accept-language, authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, \
             tracestate"
        );
        assert_eq!(text("access-control-allow-credentials"), "-");
        let foreign = ask(Method::Options, &[("Origin", "null"), request_method]).unwrap();
        assert_eq!((foreign.status(), foreign.headers().len()), (204, 1), "only vary");
        assert_eq!(foreign.header_value("vary"), Some(VARY));
        assert_eq!(ask(Method::Get, &ours), None);
        assert_eq!(ask(Method::Options, &ours[..1]), None);
        assert_eq!(ask(Method::Options, &ours[1..]), None);
        assert_eq!(Origins::None.preflight(&head(Method::Options, &ours)), None);
    }

    #[test]
    fn only_what_browsers_write_is_an_origin() {
        for good in [
            "https://shop.example",
            "http://localhost:5173",
            "http://127.0.0.1:80801".get(..21).unwrap(),
            "https://[::1]:8443",
            "https://[2001:db8::1]",
            "capacitor://localhost",
            "https://xn--9n2bp8q.example",
            "http://shop_1.example:443",
        ] {
            assert_eq!(
                Origins::parse(good),
                Ok(Origins::These(vec![good.to_owned()])),
                "{good}"
            );
        }
        for bad in [
            "null",
            ",",
            "https://a.example,",
            "*, https://a.example",
            "https://a.example https://b.example",
            "https://*.example",
            "https://",
            "://a",
            "a.example",
            "//a.example",
            "https://a.example/",
            "https://a.example/path",
            "https://a.example?x",
            "https://A.example",
            "HTTPS://a.example",
            "https://a..example",
            "https://user@a.example",
            "https://a.example:443",
            "http://a.example:80",
            "https://a.example:0",
            "https://a.example:08443",
            "https://a.example:+1",
            "https://a.example:65536",
            "https://a.example:",
            "https://[::0001]",
            "https://상점.example",
        ] {
            let error = Origins::parse(bad).unwrap_err();
            assert!(error.to_string().starts_with("cors_allowed_origins: "), "{bad}");
        }
    }
}
