//! Lists: a JSON array, `?limit=` and an opaque `?cursor=`, and a `Link` to the next page (RFC 8288).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::{Problem, Query, Request, Response};

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;

/// A cursor may carry a name of 100 characters.
const MAX_CURSOR_BYTES: usize = 1_000;

/// Which part of a list the client wants.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// How many entries: 1 to 100.
    pub limit: u32,
    /// The key of the last entry the client has; none for the first page.
    pub after: Option<String>,
    rest: String,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// The key of the last entry when there are more behind it.
    pub next: Option<String>,
}

impl PageRequest {
    /// The query parameters that [`PageRequest::parse`] reads.
    pub const PARAMETERS: [&str; 2] = ["limit", "cursor"];

    /// Reads `limit` and `cursor`.
    pub fn parse(query: &Query) -> Result<Self, Problem> {
        let limit = query.whole("limit")?.unwrap_or(i64::from(DEFAULT_LIMIT));
        let limit = u32::try_from(limit)
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let limit =
            limit.ok_or_else(|| Problem::invalid_field("limit", format!("must be from 1 to {MAX_LIMIT}")))?;
        let after = query.get("cursor").map(decode_cursor).transpose()?;
        Ok(Self {
            limit,
            after,
            rest: query.encode_without(&Self::PARAMETERS),
        })
    }

    /// How many entries to read so as to know whether there are more: one above the limit.
    pub const fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// Cuts what was read with [`PageRequest::fetch`] to one page.
    pub fn page<T>(&self, mut entries: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let limit = self.limit as usize;
        let next = (entries.len() > limit).then(|| key(&entries[limit - 1]));
        entries.truncate(limit);
        Page { entries, next }
    }

    /// The answer: the array, and the `Link` to the next page when there is one.
    pub fn respond<T: Serialize>(&self, request: &Request, page: &Page<T>) -> Response {
        self.link(request, page, Response::json(200, &page.entries))
    }

    /// An answer that carries the page somewhere inside, with the `Link` to the next page when there is one.
    pub fn link<T>(&self, request: &Request, page: &Page<T>, response: Response) -> Response {
        match &page.next {
            None => response,
            Some(key) => {
                let cursor = URL_SAFE_NO_PAD.encode(key);
                let link = format!(
                    "<{}?{}limit={}&cursor={cursor}>; rel=\"next\"",
                    request.path(),
                    self.rest,
                    self.limit
                );
                response.header("link", link)
            }
        }
    }
}

impl<T> Page<T> {
    /// The same page with every entry turned into its wire form.
    pub fn map<U>(self, wire: impl Fn(T) -> U) -> Page<U> {
        Page {
            entries: self.entries.into_iter().map(wire).collect(),
            next: self.next,
        }
    }
}

fn decode_cursor(cursor: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        // No key has a NUL, and not every database would take the question.
        .filter(|text| text.len() <= MAX_CURSOR_BYTES && !text.contains('\0'));
    text.ok_or_else(|| Problem::invalid_field("cursor", "is not one of ours; follow the Link header"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    #[test]
    fn a_full_page_links_to_the_next_with_the_same_filters() {
        let request = Request::new(Method::Get, "/products?name=a%20b&limit=2");
        let wanted = PageRequest::parse(&request.query().unwrap()).unwrap();
        let page = wanted.page(vec![1, 2, 3], ToString::to_string);
        let response = wanted.respond(&request, &page);
        assert_eq!(response.body(), b"[1,2]");
        let link = response.header_value("link").unwrap();
        assert_eq!(link, "</products?name=a%20b&limit=2&cursor=Mg>; rel=\"next\"");
        let next = Query::parse("name=a%20b&limit=2&cursor=Mg").unwrap();
        assert_eq!(PageRequest::parse(&next).unwrap().after.as_deref(), Some("2"));
        let last = wanted.page(vec![3], ToString::to_string);
        assert_eq!(wanted.respond(&request, &last).header_value("link"), None);
    }

    #[test]
    fn a_limit_or_cursor_that_makes_no_sense_is_refused() {
        for text in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=x",
            "limit=99999999999",
            "cursor=%21",
            "cursor=_w",
            "cursor=AA",
        ] {
            assert!(
                PageRequest::parse(&Query::parse(text).unwrap()).is_err(),
                "{text}"
            );
        }
    }
}
