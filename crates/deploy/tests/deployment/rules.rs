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

/// The blocks of YAML of a page.
fn configurations(page: &str) -> Vec<String> {
    let document =
        std::fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let parts = document.split("```").skip(1).step_by(2);
    parts
        .filter_map(|block| block.strip_prefix("yaml\n"))
        .map(str::to_owned)
        .collect()
}

/// Whether what this configuration scrapes has the label that the rules look for.
fn is_called_bodega(job: &Value) -> bool {
    let relabelled = list(job, "/relabel_configs")
        .any(|step| text(step, "/target_label") == "job" && text(step, "/replacement") == "bodega");
    text(job, "/job_name") == "bodega" || relabelled
}

#[test]
fn what_is_to_be_scraped_has_the_job_that_the_rules_look_for() {
    let pages = configurations("docs/observability.md");
    assert!(pages.len() >= 3, "the page shows {} configurations", pages.len());
    let own = std::fs::read_to_string(root().join("infra/prometheus/prometheus.yaml")).unwrap();
    let asks_the_gateway = pages.iter().any(|page| {
        let page: Value = serde_norway::from_str(page).unwrap();
        list(&page, "/scrape_configs").any(|job| {
            text(job, "/metrics_path") == "/internal/metrics" && text(job, "/authorization/type") == "Bearer"
        })
    });
    assert!(asks_the_gateway, "nobody says how a shop under Spin is scraped");
    for page in pages.iter().chain([&own]) {
        let read: Value = serde_norway::from_str(page).unwrap();
        assert!(
            list(&read, "/scrape_configs").any(is_called_bodega),
            "no job bodega:\n{page}"
        );
        let Some(promtool) = promtool() else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prometheus.yaml");
        std::fs::write(&file, without_discovery(read).to_string()).unwrap();
        // The file with the key is on another machine.
        let mut check = Command::new(promtool);
        check.args(["check", "config", "--syntax-only"]).arg(&file);
        ask(&mut check).unwrap_or_else(|complaint| panic!("{complaint}\n{page}"));
    }
}

/// Debian's promtool knows nothing of Kubernetes; all that is done with what is found there it can judge.
fn without_discovery(mut page: Value) -> Value {
    for job in page["scrape_configs"].as_array_mut().into_iter().flatten() {
        let job = job.as_object_mut().unwrap();
        if job.remove("kubernetes_sd_configs").is_some() {
            job.insert(
                "static_configs".to_owned(),
                serde_json::json!([{"targets": ["a:1"]}]),
            );
        }
    }
    page
}
