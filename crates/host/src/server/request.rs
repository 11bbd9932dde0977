//! What is done to a request before a component sees it.

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Uri};
use manifest::{RequestLine, RouteMatch};
use std::net::SocketAddr;
use wasmtime_wasi_http::WasiBody;

/// Removes what means something to this connection only, and a host that could be taken for chaining.
pub(super) fn strip_transport(headers: &mut HeaderMap) {
    headers.remove(CONNECTION);
    let chained = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| manifest::service_chaining_target(host).is_some());
    if chained {
        headers.remove(HOST);
    }
}

/// The request's URI with scheme and authority, or `None` when it does not say which host it is for.
pub(super) fn absolute(uri: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let mut hosts = headers.get_all(HOST).iter();
    let header: Option<Authority> = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return None,
        (Some(host), None) => Some(host.to_str().ok()?.parse().ok()?),
        (None, _) => None,
    };
    let mut parts = uri.clone().into_parts();
    let authority = match (header, parts.authority) {
        (Some(header), Some(authority)) if header != authority => return None,
        (header, authority) => authority.or(header)?,
    };
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).ok()
}

pub(super) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Adds Spin's headers, in place of any the client made up.
pub(super) fn add_spin_headers(request: &mut Request<WasiBody>, matched: &RouteMatch, client: SocketAddr) {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let line = RequestLine {
        scheme: request.uri().scheme_str(),
        host,
        path_and_query: request.uri().path_and_query().map_or("/", PathAndQuery::as_str),
        client_addr: client,
    };
    let ours = manifest::spin_headers(&line, matched);
    let headers = request.headers_mut();
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| manifest::is_spin_header(name.as_str()))
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
    for (name, value) in ours {
        // Like Spin, leave out what cannot stand in a header.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(hosts: &[&str]) -> HeaderMap {
        let value = |host: &&str| HeaderValue::from_str(host).expect("a header value");
        hosts.iter().map(|host| (HOST, value(host))).collect()
    }

    fn check(uri: &str, hosts: &[&str], expected: Option<&str>) {
        let uri: Uri = uri.parse().expect("a URI");
        let absolute = absolute(&uri, &headers(hosts)).map(|uri| uri.to_string());
        assert_eq!(absolute.as_deref(), expected, "{uri} {hosts:?}");
    }

    #[test]
    fn the_host_of_a_request_must_be_clear() {
        check("/a?b", &["shop.example"], Some("http://shop.example/a?b"));
        check("http://shop.example/a", &[], Some("http://shop.example/a"));
        check(
            "http://shop.example/a",
            &["shop.example"],
            Some("http://shop.example/a"),
        );
        check("http://shop.example/a", &["other.example"], None);
        check("/a", &[], None);
        check("/a", &["one.example", "two.example"], None);
        check("/a", &["not a host"], None);
    }

    #[test]
    fn a_host_of_service_chaining_is_not_taken_from_outside() {
        let mut outside = headers(&["stock.spin.internal"]);
        strip_transport(&mut outside);
        assert!(outside.is_empty());
    }
}
