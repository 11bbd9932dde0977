//! What never starts: bodies that are too large, methods that nobody has, writing where only reading is.

use super::*;

#[test]
fn a_body_that_is_declared_too_large_never_starts() {
    let status = |lengths: &[&str]| {
        let headers: Vec<_> = lengths.iter().map(|value| ("content-length", *value)).collect();
        match decide(&head(Method::Post, "/users", &headers)) {
            Decision::Answer(response) => Err(response.status()),
            Decision::Forward(forward) => Ok(forward.length),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(status(&[]), Ok(None));
    assert_eq!(status(&["0"]), Ok(Some(0)));
    assert_eq!(status(&["1048576"]), Ok(Some(1_048_576)));
    assert_eq!(status(&["5", "5"]), Ok(Some(5)));
    assert_eq!(status(&["1048577"]), Err(413));
    assert_eq!(status(&["99999999999999999999999"]), Err(413));
    for bad in ["", "-1", "+1", "1e3", "0x10", "1 ", "5, 5", "٥"] {
        assert_eq!(status(&[bad]), Err(400), "{bad:?}");
    }
    assert_eq!(status(&["5", "6"]), Err(400));
}

#[test]
fn methods_pass_to_the_domains_but_for_those_nobody_has() {
    for method in [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
        Method::Options,
    ] {
        assert_eq!(
            forward(&head(method, "/products", &[])).upstream,
            Upstream::Product
        );
    }
    let trace = refusal(&head(Method::Other, "/products", &[]));
    assert_eq!(trace.status(), 405);
    assert!(trace.header_value("allow").is_some());
    assert_eq!(refusal(&head(Method::Other, "/orders", &[])).status(), 401);
    assert_eq!(refusal(&head(Method::Other, "/nowhere", &[])).status(), 404);
}

#[test]
fn health_is_for_reading_and_needs_nothing() {
    let live = refusal(&head(
        Method::Get,
        "/health/live",
        &[("authorization", "Bearer x")],
    ));
    assert_eq!(
        (live.status(), live.body()),
        (200, br#"{"status":"UP"}"#.as_slice())
    );
    assert_eq!(
        decide(&head(Method::Head, "/health/ready", &[])),
        Decision::Readiness
    );
    let refused = refusal(&head(Method::Post, "/health/live", &[]));
    assert_eq!(
        (refused.status(), refused.header_value("allow")),
        (405, Some("GET, HEAD, OPTIONS"))
    );
    for path in ["/health/ready", "/internal/metrics"] {
        let refused = refusal(&head(Method::Post, path, &[]));
        assert_eq!(
            (refused.status(), refused.header_value("allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
    }
}
