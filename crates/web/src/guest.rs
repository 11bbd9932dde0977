//! The wire: `wasi:http` through the SDK. The only module that knows it.

mod time;

use kernel::Instant;
use spin_sdk::http;

use crate::{IdentityKey, InternalKey, Method, Problem, Request, Response};

pub use time::within;

/// What the component was asked, as plain values.
pub fn request(wire: http::Request) -> Request {
    let target = wire.path_and_query().unwrap_or("/");
    let mut request = Request::new(Method::parse(&wire.method().to_string()), target);
    for (name, value) in wire.headers() {
        request = request.with_header(name, value.as_bytes());
    }
    request.with_body(wire.into_body())
}

/// The answer for the wire. HEAD gets no body.
pub fn respond(method: Method, response: Response) -> http::Response {
    let response = if method == Method::Head {
        response.without_body()
    } else {
        response
    };
    let (status, headers, body) = response.into_parts();
    let mut builder = http::Response::builder();
    builder.status(status);
    for (name, value) in headers {
        builder.header(name, value);
    }
    builder.body(body).build()
}

/// The clock, read once per call.
pub fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where a component reads the clock"
    )]
    let now = std::time::SystemTime::now();
    let since = now
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_micros());
    Instant::from_micros(i64::try_from(since).unwrap_or(i64::MAX))
}

/// 64 random bits from the host's secure source.
pub fn random() -> Result<u64, Problem> {
    getrandom::u64().map_err(|error| Problem::defect("random", &error))
}

/// A variable the component can't do without.
pub fn variable(name: &str) -> Result<String, Problem> {
    spin_sdk::variables::get(name).map_err(|error| Problem::defect("variable", &format!("{name}: {error:?}")))
}

/// The key of internal routes that is in this variable; blank or missing, and they are closed.
pub fn internal_key(name: &str) -> Result<InternalKey, Problem> {
    use spin_sdk::variables::{Error, get};
    match get(name) {
        Ok(key) => Ok(InternalKey::new(&key)),
        Err(Error::Undefined(_)) => Ok(InternalKey::new("")),
        Err(error) => Err(Problem::defect("variable", &format!("{name}: {error:?}"))),
    }
}

/// The key that identities are signed with.
pub fn identity_key() -> Result<IdentityKey, Problem> {
    IdentityKey::from_base64(&variable("identity_key")?).map_err(|error| Problem::defect("identity", &error))
}
