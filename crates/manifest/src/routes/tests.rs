//! Spin's documented rules, as tables.

use super::*;
use expect_test::{Expect, expect};

fn router(routes: &[&str]) -> Router {
    Router::from_routes("/", routes.iter().map(|route| (*route, *route))).expect("good routes")
}

/// Each route leads to a component of the same name, so that the answer reads as the pattern.
fn check(routes: &[&str], path: &str, expected: Expect) {
    let answer = |routes: &mut dyn Iterator<Item = &&str>| {
        let routes: Vec<_> = routes.copied().collect();
        let Some(found) = router(&routes).route(path) else {
            return "no match".to_owned();
        };
        let names: Vec<_> = found
            .named_wildcards()
            .map(|(name, value)| format!(" {name}={value}"))
            .collect();
        format!(
            "{} [{}]{}",
            found.component(),
            found.trailing_wildcard(),
            names.concat()
        )
    };
    let forwards = answer(&mut routes.iter());
    assert_eq!(
        answer(&mut routes.iter().rev()),
        forwards,
        "the order of the routes doesn't matter"
    );
    expected.assert_eq(&forwards);
}

#[test]
fn an_exact_route_matches_only_itself() {
    check(&["/foo", "/foo/bar"], "/foo", expect!["/foo []"]);
    check(&["/foo", "/foo/bar"], "/foo/bar", expect!["/foo/bar []"]);
    check(&["/foo", "/foo/bar"], "/foo/bar/baz", expect!["no match"]);
    check(&["/foo"], "/Foo", expect!["no match"]);
    check(&["/foo"], "/foobar", expect!["no match"]);
    check(&["/foo"], "/", expect!["no match"]);
    check(&["/"], "/", expect!["/ []"]);
    check(&["/"], "/foo", expect!["no match"]);
    check(&["foo"], "/foo", expect!["foo []"]);
}

#[test]
fn slashes_at_the_end_do_not_count() {
    check(&["/foo"], "/foo/", expect!["/foo []"]);
    check(&["/foo/"], "/foo", expect!["/foo/ []"]);
    check(&["/foo"], "//foo", expect!["/foo []"]);
    check(&["/foo/bar"], "/foo//bar", expect!["no match"]);
}

#[test]
fn a_trailing_wildcard_matches_all_below_and_itself() {
    check(&["/..."], "/", expect!["/... [/]"]);
    check(&["/..."], "/foo/bar", expect!["/... [/foo/bar]"]);
    check(&["/foo/..."], "/foo", expect!["/foo/... []"]);
    check(&["/foo/..."], "/foo/", expect!["/foo/... [/]"]);
    check(&["/foo/..."], "/foo/bar", expect!["/foo/... [/bar]"]);
    check(&["/foo/..."], "/foo/bar/", expect!["/foo/... [/bar/]"]);
    check(&["/foo/..."], "/foobar", expect!["no match"]);
    check(&["/foo/*"], "/foo/bar", expect!["/foo/* [/bar]"]);
}

#[test]
fn the_most_specific_route_wins() {
    check(&["/one", "/..."], "/one", expect!["/one []"]);
    check(&["/one", "/..."], "/one/two", expect!["/... [/one/two]"]);
    let nested = ["/one/...", "/one/two/...", "/one/two/three/..."];
    check(
        &nested,
        "/one/two/three/four",
        expect!["/one/two/three/... [/four]"],
    );
    check(&nested, "/one/two/four", expect!["/one/two/... [/four]"]);
    check(&nested, "/one", expect!["/one/... []"]);
    check(&["/users/:id", "/users/me"], "/users/me", expect!["/users/me []"]);
    check(
        &["/users/:id", "/users/me"],
        "/users/7",
        expect!["/users/:id [] id=7"],
    );
    check(
        &["/users/:id", "/users/..."],
        "/users/7",
        expect!["/users/:id [] id=7"],
    );
    check(
        &["/users/:id", "/users/..."],
        "/users/7/orders",
        expect!["/users/... [/7/orders]"],
    );
    check(
        &["/users/:id/orders", "/users/me/..."],
        "/users/me/orders",
        expect!["/users/me/... [/orders]"],
    );
}

#[test]
fn a_named_wildcard_takes_one_segment() {
    check(&["/users/:id"], "/users/7", expect!["/users/:id [] id=7"]);
    check(&["/users/:id"], "/users/", expect!["no match"]);
    check(&["/users/:id"], "/users/7/8", expect!["no match"]);
    check(
        &["/a/:one/b/:two"],
        "/a/1/b/2",
        expect!["/a/:one/b/:two [] one=1 two=2"],
    );
    check(&["/a/:one/..."], "/a/1/b/2", expect!["/a/:one/... [/b/2] one=1"]);
    check(
        &["/img/:name.:kind"],
        "/img/cat.png",
        expect!["/img/:name.:kind [] name=cat kind=png"],
    );
    check(&["/users/:id"], "/users/a%2Fb", expect!["/users/:id [] id=a%2Fb"]);
}

#[test]
fn the_base_stands_before_every_route() {
    let router = Router::from_routes("/shop/", [("a", "/foo"), ("b", "/...")]).expect("good routes");
    let found = router.route("/shop/foo").expect("a match");
    assert_eq!(
        (found.component(), found.based_route(), found.raw_route()),
        ("a", "/shop/foo", "/foo")
    );
    let found = router.route("/shop/x").expect("a match");
    assert_eq!(
        (found.based_route(), found.raw_route_or_prefix()),
        ("/shop/...", "")
    );
    assert!(router.route("/foo").is_none());
    expect![[r#"{"/shop/foo": "a", "/shop/...": "b"}"#]].assert_eq(&format!("{router:?}"));
}

#[test]
fn a_private_route_is_not_reachable_from_outside() {
    let text = "spin_manifest_version = 2\n[application]\nname = \"x\"\n\
                [[trigger.http]]\nroute = { private = true }\ncomponent = { source = \"a.wasm\" }";
    let manifest = Manifest::parse(text, std::path::Path::new("spin.toml")).expect("a manifest");
    let router = Router::new(&manifest).expect("no routes");
    assert_eq!(router.routes().count(), 0);
    assert!(router.route("/").is_none());
}

#[test]
fn a_route_that_could_never_work_is_refused() {
    let check = |route: &str, expected: Expect| {
        let error = Router::from_routes("/", [("shop", route)])
            .map(|_| ())
            .expect_err("a bad route");
        expected.assert_eq(&error.to_string());
    };
    check(
        "/a/*/b",
        expect!["route `/a/*/b` of component `shop`: `*` is only possible at the end"],
    );
    check(
        "/a/*rest",
        expect![
            "route `/a/*rest` of component `shop`: a `:` needs a name behind it, and a `*` must have none"
        ],
    );
    check(
        "/a/.../b",
        expect!["route `/a/.../b` of component `shop`: `...` is only possible at the end, after a slash"],
    );
    check(
        "/a/:/b",
        expect!["route `/a/:/b` of component `shop`: a `:` needs a name behind it, and a `*` must have none"],
    );
    check(
        "/:id/:id",
        expect!["route `/:id/:id` of component `shop`: `:id` stands in it twice"],
    );
    check(
        "/:order id",
        expect!["route `/:order id` of component `shop`: ` ` must be percent-encoded, as it is in a request"],
    );
    check(
        "/:주문",
        expect!["route `/:주문` of component `shop`: `주` must be percent-encoded, as it is in a request"],
    );
    check(
        "/:a+b",
        expect![
            "route `/:a+b` of component `shop`: `:a+b` must be letters, digits, `-` and `_`, since it becomes a header's name"
        ],
    );
    check(
        "/.well-known/spin/health",
        expect![
            "route `/.well-known/spin/health` of component `shop`: everything below /.well-known/spin/ is answered by the host itself"
        ],
    );
}

#[test]
fn patterns_are_the_same_when_only_their_names_differ() {
    let same = |one: &str, other: &str| {
        let [one, other] = [one, other].map(|route| Pattern::new("/", route).expect("a good route"));
        one.matches_same() == other.matches_same()
    };
    assert!(same("/a/:x", "/a/:y/"));
    assert!(same("/a/...", "/a/*"));
    assert!(same("", "/"));
    assert!(!same("/a/:x", "/a/x"));
    assert!(!same("/a", "/a/..."));
}
