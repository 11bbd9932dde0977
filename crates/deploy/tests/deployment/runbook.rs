//! The runbook: what it tells people to ask is there, and what it tells them to paste is a command.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::tools::{ask, root};

const PAGES: &[&str] = &[
    "docs/operations.md",
    "docs/spin.md",
    "deploy/README.md",
    "infra/README.md",
];

const METHODS: &[&str] = &["GET", "POST", "PATCH", "PUT", "DELETE"];

/// Routes of all components' documents, as `METHOD /path/{}`.
fn routes() -> BTreeSet<String> {
    let folders = fs::read_dir(root().join("components"))
        .expect("there are components")
        .flatten();
    let documents = folders.filter_map(|folder| fs::read_to_string(folder.path().join("openapi.json")).ok());
    let mut routes = BTreeSet::new();
    for document in documents {
        let document: Value = serde_json::from_str(&document).expect("an openapi.json is JSON");
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let methods = item
                .as_object()
                .into_iter()
                .flatten()
                .map(|(method, _)| method.to_uppercase());
            routes.extend(methods.map(|method| format!("{method} {}", template(path))));
        }
    }
    assert!(routes.len() > 30, "where are the routes? {routes:?}");
    routes
}

/// A path with all that stands for something replaced.
fn template(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let stands =
            segment.starts_with('{') || (segment.chars().any(char::is_uppercase) && segment.is_ascii());
        if stands { "{}" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// `METHOD /path` as it stands between backticks.
fn named(page: &str) -> Vec<String> {
    let inside = page.split('`').skip(1).step_by(2);
    let calls = inside.filter_map(|text| {
        let (method, rest) = text.split_once(' ')?;
        let path = rest
            .split([' ', '?'])
            .next()
            .filter(|path| path.starts_with('/'))?;
        METHODS
            .contains(&method)
            .then(|| format!("{method} {}", template(path)))
    });
    calls.collect()
}

/// The shell of a page, block by block.
fn blocks(page: &str) -> Vec<String> {
    let parts = page.split("```").skip(1).step_by(2);
    parts
        .filter_map(|block| block.strip_prefix("sh\n"))
        .map(str::to_owned)
        .collect()
}

fn pages() -> impl Iterator<Item = (&'static str, String)> {
    PAGES.iter().map(|page| {
        (
            *page,
            fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}")),
        )
    })
}

#[test]
fn every_route_that_is_named_is_one() {
    let routes = routes();
    let mut count = 0;
    for (page, text) in pages() {
        for call in named(&text) {
            count += 1;
            assert!(
                routes.contains(&call),
                "{page} names {call}, which nobody answers"
            );
        }
    }
    assert!(count > 8, "the runbook names {count} routes");
}

#[test]
fn every_command_is_one_and_names_files_that_are_there() {
    for (page, text) in pages() {
        let blocks = blocks(&text);
        assert!(!blocks.is_empty(), "{page} has no commands");
        for block in blocks {
            ask(Command::new("bash").args(["-n", "-c", &block]))
                .unwrap_or_else(|complaint| panic!("{page}: {complaint}\n{block}"));
            let words = block
                .split_whitespace()
                .map(|word| word.trim_matches(['"', '\'', ';', ')']));
            let files = words.filter(|word| {
                ["infra/", "deploy/"]
                    .iter()
                    .any(|folder| word.starts_with(folder))
            });
            for file in files.filter(|file| !file.contains(['$', '*', '{', '<'])) {
                assert!(root().join(file).exists(), "{page}: there is no {file}");
            }
        }
    }
}

#[test]
fn every_variable_of_the_shop_that_is_set_is_one() {
    let manifest = fs::read_to_string(root().join("spin.toml")).expect("there is a spin.toml");
    let manifest: toml::Table = manifest.parse().expect("it is TOML");
    let known = manifest["variables"].as_table().expect("it has variables");
    // Addresses of databases have a name by their label.
    let of_databases = |name: &str| name.ends_with("_database") || name == "postgres_host";
    for (page, text) in pages() {
        for block in blocks(&text) {
            let set = block
                .split("--variable ")
                .skip(1)
                .filter_map(|rest| rest.split_once('='));
            for (name, _) in set.filter(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            {
                assert!(
                    known.contains_key(name) || of_databases(name),
                    "{page}: there is no variable {name}"
                );
            }
        }
    }
}
