//! What may know what inside a domain component: `component -> {app, store}`, `http -> app`,
//! `store -> app`, `app -> domain -> kernel`, and nothing back.

use crate::Finding;
use crate::source::{code, has_word};
use crate::tree::File;

/// The part of a component that a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Domain,
    Saga,
    App,
    Store,
    Http,
    /// Events in the outbox: JSON that leaves the component, but not by HTTP.
    Event,
    Component,
    Root,
}

/// Words that some parts must not use, and why.
struct Ban {
    words: &'static [&'static str],
    allowed: &'static [Part],
    why: &'static str,
}

use Part::{App, Component, Domain, Event, Http, Root, Saga, Store};

const OUTSIDE_DOMAIN: &[Part] = &[Saga, App, Store, Http, Event, Component, Root];

const BANS: &[Ban] = &[
    Ban {
        words: &[
            "async",
            ".await",
            "std::fs",
            "std::net",
            "std::io",
            "std::env",
            "std::process",
            "tokio",
        ],
        allowed: OUTSIDE_DOMAIN,
        why: "the domain does no I/O and is never async",
    },
    Ban {
        words: &["tracing", "log::", "println!", "eprintln!", "print!", "eprint!"],
        allowed: OUTSIDE_DOMAIN,
        why: "the domain does not log; it answers, and its caller logs",
    },
    Ban {
        words: &[
            "SystemTime",
            "Instant::now",
            "getrandom",
            "rand::",
            "thread_rng",
            "OsRng",
        ],
        allowed: &[Component],
        why: "only component.rs reads the clock and draws random numbers; elsewhere they are arguments",
    },
    Ban {
        words: &["serde", "serde_json", "Serialize", "Deserialize"],
        allowed: &[Http, Event, Component],
        why: "domain, wire and row types are three types; JSON is known to http.rs alone",
    },
    Ban {
        words: &["wit_bindgen", "spin_sdk", "bindings::", "wasi::", "exports::shop"],
        allowed: &[Component],
        why: "only component.rs knows WIT and the host",
    },
    Ban {
        words: &[
            "StatusCode",
            "HeaderMap",
            "web::Request",
            "web::Response",
            "web::Problem",
            "http::Method",
        ],
        allowed: &[Http, Component],
        why: "only http.rs and the gateway know HTTP",
    },
    Ban {
        words: &["store::Db", "store::Tx", "store::params"],
        allowed: &[Store, Component],
        why: "only store.rs knows the database",
    },
    Ban {
        words: &["crate::component", "super::component"],
        allowed: &[Component],
        why: "nothing points back to component.rs",
    },
    Ban {
        words: &["crate::http", "super::http"],
        allowed: &[Http, Component],
        why: "only component.rs hands requests to http.rs",
    },
    Ban {
        words: &["crate::store", "super::store"],
        allowed: &[Store, Component],
        why: "use cases see the trait they need, not store.rs",
    },
    Ban {
        words: &["crate::app", "crate::saga"],
        allowed: &[Saga, App, Store, Http, Event, Component],
        why: "the domain points at kernel only",
    },
];

/// SQL in a string outside store.rs.
const SQL: &[(&str, &str)] = &[
    ("select ", " from "),
    ("insert into ", ""),
    ("insert or ", " into "),
    ("delete from ", ""),
    ("update ", " set "),
    ("create table ", ""),
];

fn findings(file: &File) -> Vec<Finding> {
    let Some(part) = part(&file.path) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let bare = code(&file.text, false);
    for (index, line) in bare.lines().enumerate() {
        for ban in BANS.iter().filter(|ban| !ban.allowed.contains(&part)) {
            if let Some(word) = ban.words.iter().find(|word| has_word(line, word)) {
                findings.push(Finding::new(
                    &file.path,
                    index + 1,
                    format!("`{word}`: {}", ban.why),
                ));
            }
        }
    }
    if part != Store {
        let with_strings = code(&file.text, true).to_lowercase();
        for (index, line) in with_strings.lines().enumerate() {
            let quoted = line.split_once('"').map_or("", |(_, rest)| rest);
            if quoted.contains(".sql") || SQL.iter().any(|(verb, then)| says(quoted, verb, then)) {
                findings.push(Finding::new(&file.path, index + 1, "only store.rs knows SQL"));
            }
        }
    }
    findings
}

fn says(text: &str, verb: &str, then: &str) -> bool {
    text.find(verb)
        .is_some_and(|at| text[at + verb.len() - 1..].contains(then))
}

/// The part that `components/NAME/src/…` belongs to; none for other files, tests, and the gateway,
/// whose whole work is HTTP.
fn part(path: &str) -> Option<Part> {
    let (component, inside) = path.strip_prefix("components/")?.split_once("/src/")?;
    let inside = inside.strip_suffix(".rs")?;
    if component == "gateway" || inside.ends_with("/tests") || inside.contains("/tests/") {
        return None;
    }
    Some(match inside.split('/').next()? {
        "domain" => Domain,
        "saga" => Saga,
        "app" => App,
        "store" => Store,
        "http" => Http,
        "event" => Event,
        "component" => Component,
        _ => Root,
    })
}

#[test]
fn arrows_point_one_way() {
    let files = crate::tree::files();
    assert!(
        files.iter().any(|file| part(&file.path) == Some(Domain)),
        "no domain was found"
    );
    crate::expect_none(&files.iter().flat_map(findings).collect::<Vec<_>>());
}

#[test]
fn each_arrow_that_points_back_is_found() {
    let check = |path: &str, text: &str, expected: &[usize]| {
        let found = findings(&File::new(path, text));
        assert_eq!(crate::lines(&found), expected, "{path}: {text}");
    };
    for bad in [
        "async fn reserve() {}",
        "let t = std::fs::read(x);",
        "tracing::info!(1);",
        "println!();",
        "let now = SystemTime::now();",
        "use serde::Serialize;",
        "use wit_bindgen::generate;",
        "use crate::app::Stock;",
        "use crate::store::Sql;",
        "use web::Response;",
    ] {
        check("components/x/src/domain/level.rs", &format!("// a\n{bad}"), &[2]);
        check("components/x/src/domain/level.rs", &format!("// {bad}"), &[]);
        check("crates/x/src/domain/level.rs", bad, &[]);
    }
    check(
        "components/x/src/domain.rs",
        "#[cfg(test)]\nmod tests {\n use crate::app::Stock;\n}",
        &[],
    );
    check(
        "components/x/src/app.rs",
        "f(\"select a from b\");\nf(\"insert into c values (1)\");",
        &[1, 2],
    );
    check("components/x/src/app.rs", "include_str!(\"../sql/a.sql\")", &[1]);
    check(
        "components/x/src/store.rs",
        "f(\"select a from b\"); include_str!(\"a.sql\")",
        &[],
    );
    check("components/x/src/store.rs", "use serde_json::Value;", &[1]);
    check("components/x/src/http.rs", "use crate::store::Sql;", &[1]);
    check("components/x/src/http/wire.rs", "use serde::Deserialize;", &[]);
    check("components/x/src/http.rs", "spin_sdk::http::Request", &[1]);
    check(
        "components/x/src/component.rs",
        "use spin_sdk::http::Request;",
        &[],
    );
}
