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

/// All that dashboards and rules ask.
fn queries() -> Vec<String> {
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
    shown.chain(watched).chain(notes).collect()
}

/// What every replica tells alike: the domains' figures, which the page lists from `bodega_orders` down, and the gateway's
/// breakers, which all replicas share.
fn common() -> BTreeSet<String> {
    let page =
        fs::read_to_string(root().join("docs/observability.md")).expect("docs/observability.md is there");
    let table = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .skip_while(|line| !line.starts_with("| `bodega_orders`"));
    let names = table.filter_map(|line| line.split('|').nth(1));
    let names = names.flat_map(|names| names.split('`').skip(1).step_by(2));
    names
        .filter(|name| !name.contains('…'))
        .map(str::to_owned)
        .collect()
}

/// The innermost words in parentheses around each place where the query asks for this metric that put series together.
fn gathered(query: &str, metric: &str) -> Vec<Option<String>> {
    let mut found = Vec::new();
    for (at, _) in query.match_indices(metric) {
        let ends = query[at + metric.len()..].chars().next();
        if ends.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let mut depth = 0;
        let around = query[..at].char_indices().rev().filter_map(|(place, c)| {
            depth += match c {
                ')' => 1,
                '(' => -1,
                _ => 0,
            };
            (c == '(' && depth < 0).then(|| {
                depth = 0;
                // `max by (state) (` is called by its first word.
                let before = query[..place].trim_end();
                let grouped = before.strip_suffix(')').and_then(|before| before.rfind('('));
                let before = grouped.map_or(before, |open| {
                    query[..open].trim_end().trim_end_matches("by").trim_end()
                });
                let begin = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                before[begin.map_or(0, |begin| begin + 1)..].to_owned()
            })
        });
        let gathers = ["max", "sum", "avg", "min", "count", "absent"];
        let word = around.into_iter().find(|word| gathers.contains(&word.as_str()));
        found.push(word);
    }
    found
}

#[test]
fn what_all_replicas_tell_alike_is_never_added_up() {
    let common = common();
    assert!(
        common.contains("bodega_orders") && common.contains("bodega_dead_letters") && common.len() >= 8,
        "{common:?}"
    );
    assert!(!common.contains("process_cpu_seconds_total"), "{common:?}");
    for query in queries() {
        for metric in &common {
            for word in gathered(&query, metric) {
                assert!(
                    matches!(word.as_deref(), Some("max" | "absent")),
                    "{metric} is the same from each replica, take its max first: {query}"
                );
            }
        }
    }
}

#[test]
fn what_a_query_does_with_a_metric_first_is_found() {
    let word = |query: &str| gathered(query, "a_total");
    assert_eq!(
        word("sum(max by (state) (increase(a_total{x=\"1\"}[5m])))"),
        [Some("max".to_owned())]
    );
    assert_eq!(word("sum(increase(a_total[5m])) >= 1"), [Some("sum".to_owned())]);
    assert_eq!(word("max(b_total) + rate(a_total[5m])"), [None]);
    assert_eq!(
        word("max(a_total) / sum by (b, c) (a_total)"),
        [Some("max".to_owned()), Some("sum".to_owned())]
    );
    assert_eq!(word("max(a_total_of_others)"), []);
}

#[test]
fn what_is_asked_for_is_exported_and_what_is_exported_is_asked_for() {
    let listed = listed();
    let recorded: BTreeSet<String> = rules()
        .iter()
        .map(|rule| text(rule, "/record").to_owned())
        .collect();
    let queries = queries();
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
