//! What is the same on every path: forms of answers, methods, pages of other origins, traces, problems explained.

use expect_test::expect;
use gateway::cors::Origins;
use gateway::door::Decision;
use gateway::headers::values;
use web::{Code, Method, Response};

use crate::marks::Mark;
use crate::{admin, decide, decide_for, forward, head, refusal};

fn problems(target: &str, headers: &[(&str, &str)]) -> Response {
    refusal(&head(Method::Get, target, headers))
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

#[test]
fn who_accepts_no_json_is_refused_before_anybody_behind_is_asked() {
    let status = |method, target: &str, headers: &[(&str, &str)]| match decide(&head(method, target, headers))
    {
        Decision::Answer(response) => response.status(),
        Decision::Forward(_) => 200,
        Decision::Readiness | Decision::Contract => 201,
    };
    let html = [("accept", "text/html")];
    assert_eq!(status(Method::Get, "/products", &html), 406);
    assert_eq!(status(Method::Post, "/auth/login", &html), 406);
    assert_eq!(
        status(
            Method::Get,
            "/products",
            &[("accept", "application/problem+json")]
        ),
        406
    );
    assert_eq!(
        status(Method::Get, "/products", &[("accept", "text/html, */*;q=0.1")]),
        200
    );
    assert_eq!(status(Method::Get, "/products", &[]), 200);
    assert_eq!(
        status(Method::Options, "/products", &html),
        200,
        "there is nothing to accept"
    );
    assert_eq!(
        status(Method::Get, "/orders", &html),
        401,
        "who is asking goes first"
    );
    assert_eq!(status(Method::Get, "/nowhere", &html), 404);
    assert_eq!(
        status(Method::Get, "/health/ready", &html),
        201,
        "a probe looks at the status"
    );
    let refused = refusal(&head(Method::Get, "/products", &html));
    expect![[r#"{"type":"/problems/not-acceptable","title":"There is no answer of a media type you accept","status":406,"detail":"this path answers application/json","error":"NOT_ACCEPTABLE","message":"this path answers application/json"}"#]].assert_eq(text(&refused));
    assert_eq!(
        refused.header_value("content-type"),
        Some("application/problem+json")
    );
}

#[test]
fn a_preflight_is_answered_before_anybody_asks_who_it_is() {
    let origins = Origins::parse("https://shop.example").unwrap();
    let ask = |origins: &Origins, target: &str, origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "GET")];
        match decide_for(&Mark::Gone, origins, &head(Method::Options, target, &headers)) {
            Decision::Answer(response) => {
                let methods = response.header_value("access-control-allow-methods");
                format!("{} {}", response.status(), methods.unwrap_or("-"))
            }
            Decision::Forward(_) => "goes on".to_owned(),
            Decision::Readiness | Decision::Contract => panic!("answered here"),
        }
    };
    let granted = "204 DELETE, GET, HEAD, PATCH, POST, PUT";
    for target in ["/orders", "/admin/users", "/nowhere", "/health/live", "/problems"] {
        assert_eq!(ask(&origins, target, "https://shop.example"), granted, "{target}");
        assert_eq!(ask(&origins, target, "https://evil.example"), "204 -", "{target}");
        assert_eq!(ask(&Origins::Any, target, "null"), granted, "{target}");
    }
    assert_eq!(ask(&origins, "/orders//1", "https://shop.example"), "400 -");
    assert_eq!(ask(&Origins::None, "/orders", "https://shop.example"), "401 -");
    assert_eq!(
        ask(&Origins::None, "/products", "https://shop.example"),
        "goes on"
    );
}

#[test]
fn options_asks_as_who_it_is() {
    let admin = admin();
    assert_eq!(refusal(&head(Method::Options, "/admin/users", &[])).status(), 401);
    let known = head(Method::Options, "/admin/users", &[("authorization", &admin)]);
    assert!(matches!(decide(&known), Decision::Forward(_)));
    for path in ["/health/live", "/health/ready", "/problems", "/problems/conflict"] {
        let answer = refusal(&head(Method::Options, path, &[]));
        assert_eq!(
            (answer.status(), answer.header_value("allow")),
            (204, Some("GET, HEAD, OPTIONS")),
            "{path}"
        );
    }
}

#[test]
fn every_forwarded_request_is_part_of_a_trace() {
    let parent = |headers: &[(&str, &str)]| {
        let sent = forward(&head(Method::Get, "/products", headers)).headers;
        let found = values(&sent, "traceparent");
        assert_eq!(found.len(), 1);
        String::from_utf8(found[0].to_vec()).unwrap()
    };
    assert_eq!(
        parent(&[]),
        "00-00000000000000000000000000000007-000000000000000a-01"
    );
    assert_eq!(
        parent(&[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
        )]),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000000a-00"
    );
}

#[test]
fn every_type_leads_to_a_page_that_explains_it() {
    let list = problems("/problems", &[]);
    assert_eq!(
        list.header_value("content-type"),
        Some("text/html; charset=utf-8")
    );
    for code in Code::ALL {
        let page = problems(&code.uri(), &[("accept", "text/html")]);
        assert_eq!(page.status(), 200, "{code:?}");
        for shown in [&page, &list] {
            assert!(
                text(shown).contains(&format!("<code>{}</code>", code.text())),
                "{code:?}"
            );
            assert!(
                text(shown).contains(&format!("<code>{}</code>", code.uri())),
                "{code:?}"
            );
            assert!(!text(shown).contains("<script"));
        }
        assert!(text(&list).contains(&format!("href=\"{}\"", code.uri())));
        let json = problems(&code.uri(), &[("accept", "application/json")]);
        let entry: serde_json::Value = serde_json::from_slice(json.body()).unwrap();
        assert_eq!(
            (&entry["error"], &entry["status"]),
            (&code.text().into(), &code.status().into())
        );
    }
    for nothing in [
        "/problems/",
        "/problems/nothing",
        "/problems/CONFLICT",
        "/problems/conflict/x",
    ] {
        assert_eq!(problems(nothing, &[]).status(), 404, "{nothing}");
    }
    assert_eq!(problems("/problems?x=1", &[]).status(), 400);
    assert_eq!(problems("/problems", &[("accept", "image/png")]).status(), 406);
    assert_eq!(refusal(&head(Method::Post, "/problems", &[])).status(), 405);
}

#[test]
fn the_list_of_problems_for_programs() {
    let json = problems("/problems", &[("accept", "application/json")]);
    let entries: Vec<serde_json::Value> = serde_json::from_slice(json.body()).unwrap();
    assert_eq!(entries.len(), Code::ALL.len());
    expect![[r#"{"error":"MALFORMED_REQUEST","meaning":"Something in the request is not written as it must be: broken JSON, a wrong type, an unknown field, a path or header that makes no sense. Repeating it unchanged will not help.","status":400,"title":"The request can't be understood","type":"/problems/malformed-request"}"#]].assert_eq(&entries[0].to_string());
}

#[test]
fn pages_are_kept_and_asked_for_again_by_their_version() {
    let first = problems("/problems", &[]);
    let headers: Vec<String> = first
        .headers()
        .iter()
        .filter(|(name, _)| name != "etag")
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    expect![[r#"
        content-type: text/html; charset=utf-8
        content-security-policy: default-src 'none'; style-src 'sha256-zWHbtlFH5X4qtVmurcSmWjqfgo1R2KsQpN0gat4iw/s='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        cache-control: public, max-age=3600
        vary: Accept
    "#]].assert_eq(&headers.concat());
    let tag = first.header_value("etag").unwrap();
    let again = problems("/problems", &[("If-None-Match", tag)]);
    assert_eq!((again.status(), again.body()), (304, b"".as_slice()));
    let json = problems(
        "/problems",
        &[("accept", "application/json"), ("if-none-match", tag)],
    );
    assert_eq!(json.status(), 200, "each form has a version of its own");
    let looked = refusal(&head(Method::Head, "/problems", &[]));
    assert_eq!(looked.header_value("etag"), Some(tag));
}
