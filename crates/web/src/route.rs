use std::fmt::Display;

use serde::Serialize;

use crate::{Code, Method, Problem, Request, Response};

/// Where a component answers its part of the API's document.
pub const DOCUMENT_PATH: &str = "/openapi.json";

/// Where a component that is an app of its own says whether it can work. The door of a shop answers this path itself, so nobody
/// asks a component through it.
pub const READY_PATH: &str = "/health/ready";

/// One line of a component's table of routes.
#[derive(Debug, Clone, Copy)]
pub struct Route<E> {
    /// The method.
    pub method: Method,
    /// The path; a `{name}` stands for one segment: `/orders/{id}`.
    pub pattern: &'static str,
    /// What to do.
    pub endpoint: E,
}

/// The segments that stood in the place of `{name}`s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathParams(Vec<(&'static str, String)>);

impl PathParams {
    /// The segment in the place of `{name}`.
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .map_or("", |(_, value)| value)
    }
}

/// Finds what a request asks for. HEAD is answered as GET.
///
/// A path nobody has is a 404; a known path with another method is a 405 with `Allow`. A path that has a route
/// of its own never fills a `{name}`: `/orders/me` is no order.
pub fn find<E: Copy>(routes: &[Route<E>], request: &Request) -> Result<(E, PathParams), Problem> {
    let has_own = routes.iter().any(|route| route.pattern == request.path());
    let on_path: Vec<(&Route<E>, PathParams)> = routes
        .iter()
        .filter(|route| !has_own || route.pattern == request.path())
        .filter_map(|route| match_path(route.pattern, request.path()).map(|params| (route, params)))
        .collect();
    let method = if request.method() == Method::Head {
        Method::Get
    } else {
        request.method()
    };
    if on_path.is_empty() {
        return Err(Problem::not_found("page"));
    }
    let refused = not_allowed(on_path.iter().map(|(route, _)| route.method));
    match on_path.into_iter().find(|(route, _)| route.method == method) {
        Some((route, params)) => Ok((route.endpoint, params)),
        None => Err(refused),
    }
}

/// The component's part of the API's document, when it is what a request asks for.
pub fn document(request: &Request, text: &str) -> Option<Response> {
    (request.path() == DOCUMENT_PATH).then(|| match request.method() {
        Method::Get | Method::Head => Response::document(200, "application/json", text),
        Method::Post | Method::Put | Method::Patch | Method::Delete | Method::Options | Method::Other => {
            not_allowed([Method::Get].into_iter()).into()
        }
    })
}

/// Whether the component can work, when that is what a request asks: for whoever runs it, so it needs no key and is not in the
/// API's document. `check` looks at what it can't do without; why that fails is for the log.
pub fn ready<E: Display>(
    request: &Request,
    operation: &str,
    check: impl FnOnce() -> Result<(), E>,
) -> Option<Response> {
    (request.path() == READY_PATH).then(|| {
        let answer = match request.method() {
            Method::Get | Method::Head => check()
                .map(|()| Response::json(200, &Ready { status: "UP" }))
                .map_err(|error| Problem::unavailable_because(operation, &error)),
            Method::Post | Method::Put | Method::Patch | Method::Delete | Method::Options | Method::Other => {
                Err(not_allowed([Method::Get].into_iter()))
            }
        };
        Response::from(answer).header("cache-control", "no-store")
    })
}

/// The same word as the gateway's own readiness has.
#[derive(Serialize)]
struct Ready {
    status: &'static str,
}

fn not_allowed(methods: impl Iterator<Item = Method>) -> Problem {
    let allow = allow(methods);
    let detail = format!("this path answers {allow}");
    Problem::new(Code::MethodNotAllowed, detail).header("allow", allow)
}

fn allow(methods: impl Iterator<Item = Method>) -> String {
    let mut names: Vec<&str> = methods.map(Method::name).collect();
    if names.is_empty() {
        return String::new();
    }
    // The gateway answers OPTIONS with this very list.
    names.push("OPTIONS");
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn match_path(pattern: &'static str, path: &str) -> Option<PathParams> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut params = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(PathParams(params)),
            (Some(wanted), Some(given)) => {
                match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) if !given.is_empty() => params.push((name, given.to_owned())),
                    None if wanted == given => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[Route<u8>] = &[
        Route {
            method: Method::Post,
            pattern: "/orders",
            endpoint: 1,
        },
        Route {
            method: Method::Get,
            pattern: "/orders/me",
            endpoint: 2,
        },
        Route {
            method: Method::Get,
            pattern: "/orders/{id}",
            endpoint: 3,
        },
        Route {
            method: Method::Post,
            pattern: "/orders/from-cart",
            endpoint: 4,
        },
    ];

    #[test]
    fn the_first_route_of_path_and_method_answers() {
        let find = |method, path| find(ROUTES, &Request::new(method, path));
        assert_eq!(find(Method::Post, "/orders").unwrap().0, 1);
        assert_eq!(find(Method::Get, "/orders/me?limit=1").unwrap().0, 2);
        let (endpoint, params) = find(Method::Head, "/orders/17").unwrap();
        assert_eq!((endpoint, params.get("id")), (3, "17"));
    }

    #[test]
    fn what_is_not_there_is_404_and_a_wrong_method_405_with_allow() {
        let status = |method, path| find(ROUTES, &Request::new(method, path)).unwrap_err();
        for path in ["/", "/orders/", "/orders/1/2", "/order", "//orders", "/Orders"] {
            assert_eq!(status(Method::Get, path).code(), Code::NotFound, "{path}");
        }
        let refused = crate::Response::from(status(Method::Delete, "/orders/1"));
        assert_eq!(
            (refused.status(), refused.header_value("allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
        let refused = crate::Response::from(status(Method::Get, "/orders/from-cart"));
        assert_eq!(
            (refused.status(), refused.header_value("allow")),
            (405, Some("OPTIONS, POST")),
            "it is no order's page"
        );
        let options = crate::Response::from(status(Method::Options, "/orders"));
        assert_eq!(
            (options.status(), options.header_value("allow")),
            (405, Some("OPTIONS, POST"))
        );
        assert_eq!(status(Method::Options, "/order").code(), Code::NotFound);
    }
    #[test]
    fn readiness_is_what_the_check_finds_and_only_on_its_path() {
        let ask = |method, target: &str, found: Result<(), &str>| {
            let response = ready(&Request::new(method, target), "x.ready", || found)?;
            let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(response.header_value("cache-control"), Some("no-store"));
            Some((
                response.status(),
                format!("{} {}", body["status"], body["detail"]),
            ))
        };
        let up = Some((200, "\"UP\" null".to_owned()));
        assert_eq!(ask(Method::Get, READY_PATH, Ok(())), up);
        assert_eq!(ask(Method::Head, READY_PATH, Ok(())), up);
        // Why is not told to who asks.
        let down = Some((503, "503 \"please try again in a moment\"".to_owned()));
        assert_eq!(ask(Method::Get, READY_PATH, Err("a secret address")), down);
        for path in ["/", "/health", "/health/ready/", "/health/live", "//health/ready"] {
            assert_eq!(ask(Method::Get, path, Ok(())), None, "{path}");
        }
        let never = || -> Result<(), &str> { panic!("nothing is looked at") };
        let refused = ready(&Request::new(Method::Post, READY_PATH), "x.ready", never).unwrap();
        assert_eq!(
            (refused.status(), refused.header_value("allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
    }
}
