//! What of a request's headers goes on, and what of an answer's comes back.

/// Header names, in lower case, and values, in the order they came.
pub type Headers = Vec<(String, Vec<u8>)>;

/// They describe one connection and never travel further (RFC 9110 §7.6.1).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a client could say about itself or its way here, and somebody behind us might believe; and what
/// this door says itself. Every name stands for all ways to write it, see [`spelled`].
const NOT_FOR_CLIENTS: &[&str] = &[
    "authorization",
    "cf-connecting-ip",
    "client-ip",
    "content-length",
    "expect",
    "fastly-client-ip",
    "forwarded",
    "host",
    "traceparent",
    "tracestate",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-request-id",
    "x-rewrite-url",
];

/// The same for whole families of names.
const NOT_FOR_CLIENTS_FROM: &[&str] = &[
    "spin-",
    "x-account",
    "x-admin",
    "x-auth",
    "x-bodega",
    "x-forwarded",
    "x-identity",
    "x-internal",
    "x-remote",
    "x-role",
    "x-user",
];

/// What a component may tell only us, or what this door says itself.
const NOT_FOR_ANSWERS: &[&str] = &[
    "referrer-policy",
    "server",
    "x-content-type-options",
    "x-powered-by",
    "x-request-id",
];

/// The same for whole families of names. Which pages of other origins may read an answer is decided here alone.
const NOT_FOR_ANSWERS_FROM: &[&str] = &["access-control-", "spin-", "x-bodega"];

/// The headers of a request that go on to a component.
pub fn forwarded(received: &Headers) -> Headers {
    let nominated = nominated(received);
    let kept = received.iter().filter(|(name, _)| {
        let name = spelled(name);
        !is_hop(&name, &nominated)
            && !NOT_FOR_CLIENTS.contains(&name.as_str())
            && !NOT_FOR_CLIENTS_FROM.iter().any(|start| name.starts_with(start))
    });
    kept.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

/// The headers of an answer that come back to the client. Repeated ones, such as `set-cookie`, stay repeated.
pub fn returned(answered: &Headers) -> Headers {
    let nominated = nominated(answered);
    let kept = answered.iter().filter(|(name, _)| {
        let name = spelled(name);
        !is_hop(&name, &nominated)
            && !NOT_FOR_ANSWERS.contains(&name.as_str())
            && !NOT_FOR_ANSWERS_FROM.iter().any(|start| name.starts_with(start))
    });
    kept.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

/// All values of a header; `name` in lower case.
pub fn values<'a>(headers: &'a Headers, name: &str) -> Vec<&'a [u8]> {
    headers
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
        .collect()
}

/// A name as a careless reader takes it: case does not count, and CGI's heirs read `_` for `-`.
fn spelled(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn is_hop(name: &str, nominated: &[String]) -> bool {
    HOP_BY_HOP.contains(&name) || nominated.iter().any(|other| other == name)
}

/// The names that `Connection` declares to be about the connection.
fn nominated(headers: &Headers) -> Vec<String> {
    let lists = values(headers, "connection");
    lists
        .iter()
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|name| spelled(String::from_utf8_lossy(name).trim()))
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&str, &str)]) -> Headers {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    fn names(headers: &Headers) -> Vec<&str> {
        headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn ordinary_headers_go_on_as_they_came() {
        let sent = headers(&[
            ("Accept", "application/json"),
            ("content-type", "application/json"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("idempotency-key", "k"),
            ("if-match", "\"a\""),
            ("if-none-match", "\"a\""),
            ("if-none-match", "\"b\""),
            ("origin", "https://shop.example"),
            ("accept-language", "ko"),
            ("x-custom", "1"),
        ]);
        let mut expected = sent.clone();
        expected[0].0 = "accept".to_owned();
        assert_eq!(forwarded(&sent), expected);
    }

    #[test]
    fn nothing_that_claims_an_identity_or_a_way_goes_on() {
        for name in [
            "x-user-id",
            "X-User-Id",
            "X-USER-ID",
            "x_user_id",
            "X_User-Id",
            "x-user",
            "x-username",
            "x-user-role",
            "x-users",
            "x-role",
            "X_ROLE",
            "x-roles",
            "x-bodega-identity",
            "X-Bodega-Identity",
            "x_bodega_identity",
            "x-bodega",
            "x-forwarded-for",
            "X_Forwarded_For",
            "x-forwarded",
            "x-forwarded-proto",
            "x-forwarded-user",
            "forwarded",
            "Forwarded",
            "x-real-ip",
            "x_real_ip",
            "true-client-ip",
            "spin-client-addr",
            "Spin-Path-Info",
            "spin_client_addr",
            "x-auth-request-user",
            "x-authenticated-userid",
            "x-admin",
            "x-internal-token",
            "x-remote-user",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "x-request-id",
            "authorization",
            "host",
            "content-length",
            "connection",
            "keep-alive",
            "proxy-authorization",
            "Proxy-Connection",
            "te",
            "trailer",
            "transfer-encoding",
            "Transfer_Encoding",
            "upgrade",
            "http2-settings",
            "expect",
            "via",
            "traceparent",
            "TraceState",
        ] {
            let sent = headers(&[(name, "1"), ("accept", "*/*"), (name, "2")]);
            assert_eq!(names(&forwarded(&sent)), ["accept"], "{name}");
        }
    }

    #[test]
    fn what_connection_names_stays_here() {
        let sent = headers(&[
            ("connection", "close, X-Secret"),
            ("Connection", "x_other,,"),
            ("x-secret", "1"),
            ("X-Other", "1"),
            ("accept", "*/*"),
        ]);
        assert_eq!(names(&forwarded(&sent)), ["accept"]);
        assert_eq!(names(&returned(&sent)), ["accept"]);
    }

    #[test]
    fn an_answer_keeps_both_cookies_and_loses_what_is_ours() {
        let answered = headers(&[
            ("content-type", "application/json"),
            ("Set-Cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("link", "</products>; rel=\"next\""),
            ("retry-after", "1"),
            ("connection", "keep-alive"),
            ("transfer-encoding", "chunked"),
            ("x-bodega-identity", "v1"),
            ("X_Bodega_Trace", "1"),
            ("spin-component", "order"),
            ("access-control-allow-origin", "*"),
            ("Access-Control-Allow-Credentials", "true"),
            ("ETag", "\"a\""),
            ("allow", "GET"),
            ("server", "order/0.1"),
            ("x-request-id", "1"),
        ]);
        assert_eq!(
            names(&returned(&answered)),
            [
                "content-type",
                "set-cookie",
                "set-cookie",
                "link",
                "retry-after",
                "etag",
                "allow"
            ]
        );
    }
}
