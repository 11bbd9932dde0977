use serde::de::DeserializeOwned;

use crate::{Code, Problem, Query};

/// The largest body a JSON route takes: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;

const JSON: &str = "application/json";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MAX_KEY_CHARS: usize = 255;

/// An HTTP method, as far as we answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read, headers only.
    Head,
    /// Create or do.
    Post,
    /// Replace.
    Put,
    /// Change a part.
    Patch,
    /// Remove.
    Delete,
    /// Ask what is possible.
    Options,
    /// Anything else.
    Other,
}

impl Method {
    /// The method of this name; names are case-sensitive (RFC 9110 §9.1).
    pub fn parse(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "OTHER",
        }
    }
}

/// A request with its whole body.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: String,
    query: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    /// A request for `target`, a path with an optional query: `/products?limit=5`.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self {
            method,
            path: path.to_owned(),
            query,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same request with one more header.
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// The same request with a body.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path as sent, percent-encoded, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of a header when it is there exactly once and is visible ASCII; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        let (_, value) = values.next()?;
        if values.next().is_some() {
            return None;
        }
        std::str::from_utf8(value)
            .ok()
            .filter(|text| text.bytes().all(|byte| (0x20..0x7f).contains(&byte)))
    }

    /// Whether a header is there at all; `name` in lower case.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(key, _)| key == name)
    }

    /// All values of a header, as they came; `name` in lower case.
    pub(crate) fn header_lines(&self, name: &str) -> Vec<&[u8]> {
        let lines = self.headers.iter().filter(|(key, _)| key == name);
        lines.map(|(_, value)| value.as_slice()).collect()
    }

    /// The client's `Idempotency-Key`: 1 to 255 visible ASCII characters, at most once.
    pub fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        if !self.has_header(IDEMPOTENCY_KEY) {
            return Ok(None);
        }
        let key = self.header(IDEMPOTENCY_KEY).map(str::trim);
        let key = key.filter(|key| (1..=MAX_KEY_CHARS).contains(&key.len()));
        let wrong = || {
            let why = format!("must be 1 to {MAX_KEY_CHARS} visible ASCII characters, once");
            Problem::invalid_field("Idempotency-Key", why)
        };
        key.map(Some).ok_or_else(wrong)
    }

    /// The same where nobody could tell a second command from a repeated one without it.
    pub fn required_idempotency_key(&self) -> Result<&str, Problem> {
        self.idempotency_key()?.ok_or_else(|| {
            let why = "is needed: nobody could tell a second command from a repeated one";
            Problem::invalid_field("Idempotency-Key", why)
        })
    }

    /// The query's parameters.
    pub fn query(&self) -> Result<Query, Problem> {
        Query::parse(self.query.as_deref().unwrap_or(""))
    }

    /// The body as JSON of exactly this shape: unknown fields, wrong types and broken text are refused.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.expect_json()?;
        if self.body.len() > MAX_BODY_BYTES {
            return Err(Problem::new(
                Code::TooLarge,
                format!("at most {MAX_BODY_BYTES} bytes are taken"),
            ));
        }
        let text = std::str::from_utf8(&self.body)
            .map_err(|_| Problem::new(Code::Malformed, "the body is not valid UTF-8"))?;
        // Without this an array of the right values would pass for the object, field by field.
        if !text.trim_start().starts_with('{') {
            return Err(Problem::new(Code::Malformed, "the body must be a JSON object"));
        }
        serde_json::from_str(text)
            .map_err(|error| Problem::new(Code::Malformed, format!("the body is not as expected: {error}")))
    }

    /// The same where the body may be missing. What came is read as what it is: a body without a media type is a 415
    /// and never passed over.
    pub fn optional_json<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        if self.body.is_empty() {
            return Ok(None);
        }
        self.json().map(Some)
    }

    fn expect_json(&self) -> Result<(), Problem> {
        let media_type = self
            .header("content-type")
            .map(|value| value.split(';').next().unwrap_or("").trim());
        if !media_type.is_some_and(|name| name.eq_ignore_ascii_case(JSON)) {
            return Err(
                Problem::new(Code::UnsupportedMediaType, "send the body as application/json")
                    .header(self.accepting(), JSON),
            );
        }
        // A coded body is another thing that we do not read (RFC 9110 §15.5.16).
        let codings = self.header_lines("content-encoding");
        if codings
            .iter()
            .any(|coding| !coding.eq_ignore_ascii_case(b"identity"))
        {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "send the body without Content-Encoding",
            )
            .header("accept-encoding", "identity"));
        }
        Ok(())
    }

    /// The header that tells which bodies this method takes (RFC 5789 §3.1, Linked Data Platform §7.1; RFC 9110 §12.5.1
    /// for the others).
    const fn accepting(&self) -> &'static str {
        match self.method {
            Method::Post => "accept-post",
            Method::Patch => "accept-patch",
            Method::Get | Method::Head | Method::Put | Method::Delete | Method::Options | Method::Other => {
                "accept"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Response;

    fn sent(method: Method, headers: &[(&str, &str)], body: &str) -> Result<serde_json::Value, Response> {
        let request = Request::new(method, "/x").with_body(body);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.with_header(name, *value)
        });
        request.json().map_err(Response::from)
    }

    #[test]
    fn a_body_of_another_media_type_is_refused_with_what_is_taken() {
        let good = [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
        ];
        for media_type in good {
            assert!(
                sent(Method::Post, &[("content-type", media_type)], "{}").is_ok(),
                "{media_type}"
            );
        }
        let methods = [
            (Method::Post, "accept-post"),
            (Method::Patch, "accept-patch"),
            (Method::Put, "accept"),
        ];
        for (method, header) in methods {
            for media_type in [
                "",
                "text/plain",
                "application/jsonp",
                "application/problem+json",
                "json",
            ] {
                let refused = sent(method, &[("content-type", media_type)], "{}").unwrap_err();
                assert_eq!(refused.status(), 415, "{media_type}");
                assert_eq!(
                    refused.header_value(header),
                    Some("application/json"),
                    "{method:?}"
                );
            }
            assert_eq!(sent(method, &[], "{}").unwrap_err().status(), 415);
            let twice = [("content-type", "application/json"); 2];
            assert_eq!(sent(method, &twice, "{}").unwrap_err().status(), 415);
        }
    }

    #[test]
    fn a_coded_body_is_refused() {
        let json = ("content-type", "application/json");
        let refused = sent(Method::Post, &[json, ("content-encoding", "gzip")], "{}").unwrap_err();
        assert_eq!(
            (refused.status(), refused.header_value("accept-encoding")),
            (415, Some("identity"))
        );
        assert!(sent(Method::Post, &[json, ("content-encoding", "identity")], "{}").is_ok());
    }

    #[test]
    fn a_body_that_may_be_missing_is_read_when_it_is_there() {
        let read = |headers: &[(&str, &str)], body: &str| {
            let request = Request::new(Method::Post, "/x").with_body(body);
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.with_header(name, *value)
            });
            request
                .optional_json::<serde_json::Value>()
                .map_err(|problem| problem.code().status())
        };
        let json = [("content-type", "application/json")];
        assert_eq!(read(&[], ""), Ok(None));
        assert_eq!(read(&json, ""), Ok(None));
        assert_eq!(read(&json, "{}"), Ok(Some(serde_json::json!({}))));
        assert_eq!(read(&[], "{}"), Err(415));
        assert_eq!(read(&json, " "), Err(400));
    }
}
