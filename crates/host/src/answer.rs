//! What the host itself answers: problem documents that say what happened and nothing about how.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::WasiBody;

/// Why a request got no answer from a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The request itself makes no sense.
    BadRequest,
    /// No route fits.
    NoRoute,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The component broke off or answered nothing.
    Broken,
    /// As many requests as allowed are running.
    Busy,
    /// The request took too long.
    Deadline,
}

impl Failure {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "BAD_REQUEST", "the request is malformed"),
            Self::NoRoute => (StatusCode::NOT_FOUND, "NOT_FOUND", "nothing is served here"),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                "the request body is too large",
            ),
            Self::Broken => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL_ERROR",
                "the request could not be completed",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "BUSY",
                "too many requests are running",
            ),
            Self::Deadline => (
                StatusCode::GATEWAY_TIMEOUT,
                "TIMEOUT",
                "the request took too long",
            ),
        }
    }
}

/// The problem document for a failure.
pub(crate) fn problem(failure: Failure) -> Response<WasiBody> {
    let (status, code, detail) = failure.parts();
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
        "error": code,
        "message": detail,
    });
    let mut response = text(status, body.to_string());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// An answer with this body.
pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<WasiBody> {
    let body = Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use std::fmt::Write;

    #[test]
    fn every_failure_has_its_status_and_code() {
        let all = [
            Failure::BadRequest,
            Failure::NoRoute,
            Failure::BodyTooLarge,
            Failure::Broken,
            Failure::Busy,
            Failure::Deadline,
        ];
        let mut table = String::new();
        for failure in all {
            let response = problem(failure);
            let retry = response.headers().contains_key(RETRY_AFTER);
            writeln!(table, "{} {} retry={retry}", response.status(), failure.parts().1).expect("a string");
        }
        expect![[r#"
            400 Bad Request BAD_REQUEST retry=false
            404 Not Found NOT_FOUND retry=false
            413 Payload Too Large PAYLOAD_TOO_LARGE retry=false
            500 Internal Server Error INTERNAL_ERROR retry=false
            503 Service Unavailable BUSY retry=true
            504 Gateway Timeout TIMEOUT retry=false
        "#]]
        .assert_eq(&table);
    }
}
