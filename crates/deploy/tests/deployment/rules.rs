//! Alert rules: they parse, each has a case in which it fires and one in which it does not, and each has its page.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::tools::{ask, promtool, root};
use crate::yaml::{files, list, read, text};

fn alerts() -> Vec<Value> {
    let rules = files("infra/prometheus/rules", "yaml")
        .into_iter()
        .map(|path| read(&path));
    let rules: Vec<Value> = rules
        .flat_map(|file| {
            list(&file, "/groups")
                .flat_map(|group| list(group, "/rules"))
                .cloned()
                .collect::<Vec<_>>()
        })
        .collect();
    rules
        .into_iter()
        .filter(|rule| rule.get("alert").is_some())
        .collect()
}

/// The alerts of cases in which they fire, or do not.
fn cases(fire: bool) -> BTreeSet<String> {
    let tests: Vec<Value> = files("infra/prometheus/tests", "yaml")
        .iter()
        .map(|path| read(path))
        .collect();
    let cases = tests
        .iter()
        .flat_map(|file| list(file, "/tests"))
        .flat_map(|test| list(test, "/alert_rule_test"));
    let wanted = cases.filter(|case| (list(case, "/exp_alerts").count() > 0) == fire);
    wanted.map(|case| text(case, "/alertname").to_owned()).collect()
}

#[test]
fn promtool_takes_the_rules_and_their_cases() {
    let Some(promtool) = promtool() else {
        return;
    };
    let command = |words: &[&str]| {
        let mut command = Command::new(&promtool);
        ask(command.args(words).current_dir(root())).unwrap_or_else(|complaint| panic!("{complaint}"))
    };
    let check = command(&["check", "config", "infra/prometheus/prometheus.yaml"]);
    assert!(
        check.contains("rule files found"),
        "the configuration names no rules:\n{check}"
    );
    for path in files("infra/prometheus/tests", "yaml") {
        command(&["test", "rules", &path]);
    }
}

#[test]
fn every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let names: BTreeSet<String> = alerts()
        .iter()
        .map(|alert| text(alert, "/alert").to_owned())
        .collect();
    assert!(names.len() > 15, "where are the alerts? {names:?}");
    assert_eq!(cases(true), names, "alerts that fire in some case");
    let silent = cases(false);
    let never: Vec<&String> = names.iter().filter(|name| !silent.contains(*name)).collect();
    assert!(
        never.is_empty(),
        "no case shows that these stay silent: {never:?}"
    );
}

#[test]
fn every_alert_says_how_urgent_it_is_and_what_to_do() {
    for alert in alerts() {
        let name = text(&alert, "/alert");
        assert!(
            ["page", "ticket"].contains(&text(&alert, "/labels/severity")),
            "{name}"
        );
        assert!(!text(&alert, "/annotations/summary").is_empty(), "{name}");
        let page = text(&alert, "/annotations/runbook");
        let (path, anchor) = page.split_once('#').unwrap_or_else(|| panic!("{name}: {page}"));
        let document =
            std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(
            crate::documents::anchors(&document).contains(anchor),
            "{name}: {path} has no heading #{anchor}"
        );
    }
}
