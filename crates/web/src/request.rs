use serde::de::DeserializeOwned;

use crate::{Code, Problem, Query};

/// The largest body a JSON route takes: 1 MiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;

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

    /// Whether something was sent as a body.
    pub const fn has_body(&self) -> bool {
        !self.body.is_empty()
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

    fn expect_json(&self) -> Result<(), Problem> {
        let media_type = self
            .header("content-type")
            .map(|value| value.split(';').next().unwrap_or("").trim());
        match media_type {
            Some(name) if name.eq_ignore_ascii_case("application/json") => Ok(()),
            _ => Err(
                Problem::new(Code::UnsupportedMediaType, "send the body as application/json")
                    .header("accept-post", "application/json"),
            ),
        }
    }
}
