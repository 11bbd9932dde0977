//! What every route of every domain refuses, and how: a wrong method, a parameter or field that nobody knows, a body
//! that is no JSON.

use serde_json::Value;
use web::{Method, Request, Response};

const METHODS: [Method; 8] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Options,
    Method::Other,
];

/// What a method of a path does with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing, whatever it is.
    Ignored,
    /// It is read, and may be missing.
    Optional,
    /// It is read, and must be there.
    Needed,
    /// The same, but fields that nobody knows are passed over: others define the document.
    Foreign,
}

/// A path, and all methods that it has; HEAD comes with GET, OPTIONS with all of them.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a>(pub &'a str, pub &'a [(Method, Body)]);

/// Fails unless `send` answers every path as all routes must. `send` adds what the caller is known by, and must let
/// the caller in everywhere.
pub fn check(paths: &[Path<'_>], send: impl Fn(Request) -> Response) {
    for path in paths {
        methods(*path, &send);
        for (method, body) in path.1 {
            let route = Route {
                path: path.0,
                method: *method,
                send: &send,
            };
            route.parameters();
            match body {
                Body::Ignored => route.ignores_bodies(),
                Body::Optional | Body::Needed => {
                    route.reads_json_only(*body == Body::Needed);
                    route.unknown_fields();
                }
                Body::Foreign => route.reads_json_only(true),
            }
        }
    }
}

fn methods(Path(path, has): Path<'_>, send: &impl Fn(Request) -> Response) {
    let mut names: Vec<&str> = has.iter().map(|(method, _)| method.name()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    let wrong = METHODS.iter().filter(|method| !names.contains(&method.name()));
    let wrong: Vec<Method> = wrong.copied().collect();
    names.push("OPTIONS");
    names.sort_unstable();
    for method in wrong {
        let answer = send(Request::new(method, path));
        let place = format!("{} {path}", method.name());
        assert_eq!(answer.status(), 405, "{place}");
        assert_eq!(
            answer.header_value("allow"),
            Some(names.join(", ").as_str()),
            "{place}"
        );
        problem(&answer, &place);
    }
}

struct Route<'a, F> {
    path: &'a str,
    method: Method,
    send: &'a F,
}

impl<F: Fn(Request) -> Response> Route<'_, F> {
    fn request(&self) -> Request {
        Request::new(self.method, self.path)
    }

    fn expect(&self, request: Request, status: u16, what: &str) -> Response {
        let answer = (self.send)(request);
        let place = format!("{} {}: {what}", self.method.name(), self.path);
        assert_eq!(
            answer.status(),
            status,
            "{place}: {}",
            String::from_utf8_lossy(answer.body())
        );
        problem(&answer, &place);
        answer
    }

    fn parameters(&self) {
        let json = ("content-type", "application/json");
        for query in ["unknown=1", "unknown", "UNKNOWN=", "%75nknown=1", "unknown=%ff"] {
            let request = Request::new(self.method, &format!("{}?{query}", self.path));
            self.expect(request.with_header(json.0, json.1).with_body("{}"), 400, query);
        }
    }

    fn ignores_bodies(&self) {
        let without = (self.send)(self.request());
        let with = self.request().with_header("content-type", "text/plain");
        let with = (self.send)(with.with_body("{\"role\":\"ADMIN\""));
        let place = format!("{} {}", self.method.name(), self.path);
        assert_eq!(with.status(), without.status(), "{place} with a body");
    }

    fn reads_json_only(&self, needed: bool) {
        let header = match self.method {
            Method::Patch => "accept-patch",
            _ => "accept-post",
        };
        for media_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/problem+json",
        ] {
            let request = self.request().with_header("content-type", media_type);
            let answer = self.expect(request.with_body("{}"), 415, media_type);
            assert_eq!(
                answer.header_value(header),
                Some("application/json"),
                "{}",
                self.path
            );
        }
        self.expect(self.request().with_body("{}"), 415, "no media type");
        let coded = self.json("{}").with_header("content-encoding", "gzip");
        self.expect(coded, 415, "a coded body");
        for broken in ["{", "[]", "null", "1", "{}{}", "\"{}\""] {
            self.expect(self.json(broken), 400, broken);
        }
        self.expect(self.json([0xff, 0xfe]), 400, "no UTF-8");
        if needed {
            self.expect(self.request(), 415, "no body");
        }
    }

    fn unknown_fields(&self) {
        for field in ["unknown", "id", "userId", "price", "totalAmount", "__proto__"] {
            self.expect(self.json(format!("{{\"{field}\":1}}")), 400, field);
        }
    }

    fn json(&self, body: impl Into<Vec<u8>>) -> Request {
        let request = self.request().with_header("content-type", "application/json");
        request.with_body(body)
    }
}

fn problem(answer: &Response, place: &str) {
    assert_eq!(
        answer.header_value("content-type"),
        Some("application/problem+json"),
        "{place}"
    );
    let body: Option<Value> = serde_json::from_slice(answer.body()).ok();
    let status = body.as_ref().and_then(|body| body["status"].as_u64());
    assert_eq!(status, Some(u64::from(answer.status())), "{place}");
}
