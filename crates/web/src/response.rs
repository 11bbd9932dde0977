use serde::Serialize;

use crate::Problem;

/// What goes back to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// A JSON document.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        Self::json_as("application/json", status, body)
    }

    /// A document that is no JSON.
    pub fn document(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), media_type.to_owned())],
            body: body.into(),
        }
    }

    /// Nothing but 204.
    pub const fn no_content() -> Self {
        Self::empty(204)
    }

    /// Nothing but a status.
    pub const fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn json_as(media_type: &str, status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::document(status, media_type, body),
            Err(error) => Problem::defect("response.encode", &error).into(),
        }
    }

    /// The same response with one more header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The first value of a header; `name` in lower case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body's bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The answer to HEAD: the same without the body.
    pub fn without_body(mut self) -> Self {
        self.body.clear();
        self
    }

    /// Takes the response apart: status, headers, body.
    pub fn into_parts(self) -> (u16, Vec<(String, String)>, Vec<u8>) {
        (self.status, self.headers, self.body)
    }
}

impl From<Result<Response, Problem>> for Response {
    fn from(answer: Result<Response, Problem>) -> Self {
        answer.unwrap_or_else(Self::from)
    }
}
