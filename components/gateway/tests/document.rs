//! The parts of the API's document fit together, and each operation is guarded as it says.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::path::Path;

use expect_test::expect_file;
use gateway::contract::merge;
use gateway::document::document;
use gateway::routes::{Access, OWN, Upstream, access, is_internal, upstream};
use serde_json::Value;

fn whole() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let part = |upstream: Upstream| {
        let file = root.join("..").join(upstream.name()).join("openapi.json");
        (upstream, std::fs::read(file).unwrap())
    };
    merge(&document().render(), &Upstream::ALL.map(part)).unwrap()
}

fn operations(whole: &Value) -> Vec<(String, String, Value)> {
    let paths = whole["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
    });
    all.collect()
}

#[test]
fn the_document_names_every_page_that_is_answered_here_and_no_other() {
    assert_eq!(openapi::compare(&document(), OWN), Vec::<String>::new());
}

#[test]
fn the_file_that_is_served_is_the_document() {
    expect_file!["../openapi.json"].assert_eq(&document().render());
}

#[test]
fn every_operation_is_guarded_as_the_document_says() {
    for (method, path, operation) in operations(&whole()) {
        let concrete = path.replace(['{', '}'], "");
        let guarded = match (access(&concrete), is_internal(&concrete)) {
            (Access::Open, true) => "internal",
            (Access::Open, false) => "open",
            (Access::User, _) => "user",
            (Access::Admin, _) => "admin",
        };
        let said = operation["x-access"].as_str().unwrap();
        // Some check by themselves what the door lets through.
        let stricter = guarded == "open" && !said.is_empty() && upstream(&concrete).is_some();
        assert!(
            said == guarded || stricter,
            "{method} {path}: {said}, but the door says {guarded}"
        );
    }
}

#[test]
fn names_are_unique_and_every_reference_leads_somewhere() {
    let whole = whole();
    let mut names: Vec<String> = operations(&whole)
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "an operationId is there twice");
    check_references(&whole, &whole, &names);
}

fn check_references(whole: &Value, value: &Value, names: &[String]) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match (name.as_str(), inner) {
                    ("$ref", Value::String(target)) => {
                        let found = target.strip_prefix('#').and_then(|place| whole.pointer(place));
                        assert!(found.is_some(), "{target} is nowhere");
                    }
                    ("links", Value::Object(links)) => {
                        for link in links.values() {
                            let target = link["operationId"].as_str().unwrap();
                            assert!(
                                names.iter().any(|name| name == target),
                                "{target} is no operation"
                            );
                        }
                    }
                    _ => check_references(whole, inner, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(whole, item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
