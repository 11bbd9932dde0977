//! Dashboards, and the one list of metrics: what is shown or watched is exported, and what is exported is shown or watched.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::tools::root;
use crate::yaml::{files, list, read, text};

/// What Prometheus makes itself.
const OF_PROMETHEUS: &[&str] = &["ALERTS", "up"];

/// Words of the query language that stand where a metric could.
const WORDS: &[&str] = &[
    "and",
    "or",
    "unless",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "bool",
];

fn listed() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("infra/metrics.txt")).expect("infra/metrics.txt is there");
    let lines: Vec<&str> = text.lines().collect();
    let mut sorted = lines.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(
        lines, sorted,
        "infra/metrics.txt is sorted, and says nothing twice"
    );
    lines.into_iter().map(str::to_owned).collect()
}

/// The metrics that a query asks for, under the names that are exported: without what a histogram adds.
fn metrics(query: &str, histograms: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let word = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
            .unwrap_or(rest.len());
        let skipped = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            '{' => rest.find('}').map_or(rest.len(), |end| end + 1),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            c if c.is_ascii_alphabetic() || c == '_' || c == ':' => {
                let after = rest[word..].trim_start();
                let name = &rest[..word];
                let grouping = ["by", "without", "on", "ignoring"].contains(&name);
                if grouping && after.starts_with('(') {
                    rest.find(')').map_or(rest.len(), |end| end + 1)
                } else {
                    let aggregates = ["by ", "without "].iter().any(|word| after.starts_with(word));
                    if !after.starts_with('(') && !aggregates && !WORDS.contains(&name) {
                        found.insert(base(name, histograms));
                    }
                    word
                }
            }
            c if c.is_ascii_digit() => word,
            c => c.len_utf8(),
        };
        rest = &rest[skipped.max(1)..];
    }
    found
}

fn base(name: &str, listed: &BTreeSet<String>) -> String {
    let endings = ["_bucket", "_count", "_sum"];
    let stem = endings.iter().find_map(|ending| name.strip_suffix(ending));
    stem.filter(|stem| listed.contains(*stem))
        .unwrap_or(name)
        .to_owned()
}

fn dashboards() -> Vec<(String, Value)> {
    let paths = files("infra/grafana/dashboards", "json").into_iter();
    let parsed = |path: String| {
        let text = fs::read_to_string(root().join(&path)).expect("it was listed");
        let board = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        (path, board)
    };
    paths.map(parsed).collect()
}

fn rules() -> Vec<Value> {
    let all = files("infra/prometheus/rules", "yaml")
        .into_iter()
        .map(|path| read(&path));
    all.flat_map(|file| {
        list(&file, "/groups")
            .flat_map(|group| list(group, "/rules"))
            .cloned()
            .collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn what_is_asked_for_is_exported_and_what_is_exported_is_asked_for() {
    let listed = listed();
    let recorded: BTreeSet<String> = rules()
        .iter()
        .map(|rule| text(rule, "/record").to_owned())
        .collect();
    let boards = dashboards();
    let panels = boards.iter().flat_map(|(_, board)| list(board, "/panels"));
    let shown = panels
        .flat_map(|panel| list(panel, "/targets"))
        .map(|target| text(target, "/expr").to_owned());
    let notes = boards
        .iter()
        .flat_map(|(_, board)| list(board, "/annotations/list"))
        .map(|note| text(note, "/expr").to_owned());
    let watched = rules().into_iter().map(|rule| text(&rule, "/expr").to_owned());
    let queries: Vec<String> = shown.chain(watched).chain(notes).collect();
    let asked: BTreeSet<String> = queries.iter().flat_map(|query| metrics(query, &listed)).collect();
    let known = |name: &&String| {
        listed.contains(*name) || recorded.contains(*name) || OF_PROMETHEUS.contains(&name.as_str())
    };
    let unknown: Vec<&String> = asked.iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "nobody exports or records {unknown:?}");
    let unseen: Vec<&String> = listed
        .iter()
        .chain(&recorded)
        .filter(|name| !name.is_empty() && !asked.contains(*name))
        .collect();
    assert!(unseen.is_empty(), "nobody looks at {unseen:?}");
}

#[test]
fn a_dashboard_has_what_grafana_needs_to_show_it() {
    let sources = read("infra/grafana/provisioning/datasources/bodega.yaml");
    let sources: BTreeSet<&str> = list(&sources, "/datasources")
        .map(|source| text(source, "/uid"))
        .collect();
    let mut uids = BTreeSet::new();
    for (path, board) in dashboards() {
        assert!(
            uids.insert(text(&board, "/uid").to_owned()),
            "{path}: another dashboard has this uid"
        );
        for needed in ["/title", "/description"] {
            assert!(!text(&board, needed).is_empty(), "{path}: {needed}");
        }
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in list(&board, "/panels") {
            let title = text(panel, "/title");
            assert!(
                ids.insert(panel["id"].as_u64()),
                "{path}: {title}: its id is another's"
            );
            assert!(
                !text(panel, "/description").is_empty(),
                "{path}: {title} does not say what it means"
            );
            assert!(
                sources.contains(text(panel, "/datasource/uid")),
                "{path}: {title}: no such data source"
            );
            let place = |name: &str| {
                panel["gridPos"][name]
                    .as_u64()
                    .unwrap_or_else(|| panic!("{path}: {title}: {name}"))
            };
            assert!(
                place("x") + place("w") <= 24,
                "{path}: {title} is beyond the edge"
            );
            for row in place("y")..place("y") + place("h") {
                for column in place("x")..place("x") + place("w") {
                    assert!(
                        taken.insert((row, column)),
                        "{path}: {title} covers another panel"
                    );
                }
            }
        }
    }
}

#[test]
fn metrics_are_found_in_a_query_and_other_words_are_not() {
    let listed = BTreeSet::from(["http_seconds".to_owned()]);
    let query = r#"1 - sum by (route, le) (rate(http_seconds_bucket{route!~"a.*|b",le="0.5"}[5m])) / 1.5e9 > 0
        and on (route) max(other_total offset 5m) unless a:b:rate5m"#;
    let found: Vec<String> = metrics(query, &listed).into_iter().collect();
    assert_eq!(found, ["a:b:rate5m", "http_seconds", "other_total"]);
    assert_eq!(
        metrics("lonely_count", &listed).first().map(String::as_str),
        Some("lonely_count")
    );
}
