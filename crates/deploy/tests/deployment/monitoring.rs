//! How Prometheus finds the shop: under the names of jobs that the rules look for.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::chart::{all, containers, pods, resources};
use crate::tools::{ask, promtool};
use crate::yaml::{list, read, text};

/// What a PodMonitor calls the job.
fn job(monitor: &Value) -> &str {
    let relabelled = list(monitor, "/spec/podMetricsEndpoints")
        .flat_map(|endpoint| list(endpoint, "/relabelings"))
        .find(|relabelling| text(relabelling, "/targetLabel") == "job");
    relabelled.map_or("", |relabelling| text(relabelling, "/replacement"))
}

fn monitors(resources: &[Value]) -> impl Iterator<Item = &Value> {
    resources.iter().filter(|one| text(one, "/kind") == "PodMonitor")
}

#[test]
fn nobody_gets_a_monitor_without_asking() {
    let Some(resources) = resources(&[]) else { return };
    assert_eq!(monitors(&resources).count(), 0);
}

#[test]
fn a_monitor_finds_a_port_and_only_the_shop_is_the_job_that_alerts_ask_for() {
    let part = "/spec/selector/matchLabels/app.kubernetes.io~1component";
    let mut seen = 0;
    for (values, resources) in all() {
        for monitor in monitors(resources) {
            seen += 1;
            let component = text(monitor, part);
            let expected = match component {
                "shop" => "bodega".to_owned(),
                part => format!("bodega-{part}"),
            };
            assert_eq!(job(monitor), expected, "{values:?}");
            for endpoint in list(monitor, "/spec/podMetricsEndpoints") {
                // The operator's own pods have that one.
                if text(endpoint, "/port") == "http-app" {
                    assert_eq!(text(endpoint, "/path"), "/internal/metrics");
                    assert_eq!(
                        endpoint.pointer("/authorization/credentials"),
                        Some(&json!({"name": "bodega-keys", "key": "jobs_key"}))
                    );
                    assert_eq!(component, "shop", "{values:?}: nobody else has that page");
                    continue;
                }
                let own = "/metadata/labels/app.kubernetes.io~1component";
                let found = pods(resources)
                    .into_iter()
                    .filter(|(_, pod)| text(pod, own) == component)
                    .flat_map(|(_, pod)| containers(pod))
                    .flat_map(|container| list(container, "/ports"))
                    .any(|port| text(port, "/name") == text(endpoint, "/port"));
                assert!(found, "{values:?}: {component} has no such port: {endpoint}");
            }
        }
    }
    assert!(seen >= 6 || all().is_empty(), "{seen} monitors");
}

#[test]
fn the_labels_that_a_prometheus_selects_by_are_there() {
    let set = "--set=monitoring.podMonitor.enabled=true,monitoring.podMonitor.labels.release=prometheus";
    let Some(resources) = resources(&[set]) else {
        return;
    };
    for monitor in monitors(&resources) {
        assert_eq!(text(monitor, "/metadata/labels/release"), "prometheus");
    }
}

#[test]
fn whoever_scrapes_is_let_in_under_both_runtimes() {
    for (runtime, port) in [("bodega", 9464), ("spinkube", 80)] {
        let Some(resources) = resources(&[&format!("--set=runtime={runtime}")]) else {
            return;
        };
        let policy = resources
            .iter()
            .find(|one| text(one, "/kind") == "NetworkPolicy" && text(one, "/metadata/name") == "shop")
            .expect("the shop has a policy");
        let namespace = "/namespaceSelector/matchLabels/kubernetes.io~1metadata.name";
        let rule = list(policy, "/spec/ingress")
            .find(|rule| list(rule, "/from").any(|from| text(from, namespace) == "monitoring"));
        let rule = rule.unwrap_or_else(|| panic!("{runtime}: the monitoring is kept out"));
        assert_eq!(rule["ports"], json!([{"protocol": "TCP", "port": port}]));
    }
}

#[test]
fn the_scrape_jobs_for_a_prometheus_without_operator_are_valid_and_name_the_job() {
    let jobs = read("deploy/prometheus.yaml");
    let named = list(&jobs, "/scrape_configs").map(|job| {
        let relabelled = list(job, "/relabel_configs")
            .find(|one| text(one, "/target_label") == "job" && one.get("source_labels").is_none());
        relabelled.map_or(text(job, "/job_name"), |one| text(one, "/replacement"))
    });
    assert_eq!(named.collect::<Vec<_>>(), ["bodega", "bodega"]);
    let apart = list(&jobs, "/scrape_configs/0/relabel_configs")
        .find(|one| text(one, "/target_label") == "job")
        .expect("others have names of their own");
    assert_eq!(text(apart, "/regex"), "(stock|payment|audit)");
    assert_eq!(text(apart, "/replacement"), "bodega-$1");
    let Some(promtool) = promtool() else {
        return;
    };
    // Debian's promtool knows nothing of Kubernetes, so it gets the jobs with a target in the place of the discovery.
    let mut known = jobs.clone();
    for job in known["scrape_configs"].as_array_mut().expect("there are jobs") {
        let job = job.as_object_mut().expect("a job is a map");
        let discovery = job.remove("kubernetes_sd_configs");
        assert_eq!(
            discovery,
            Some(json!([{"role": "pod", "namespaces": {"names": ["shop"]}}]))
        );
        job.insert(
            "static_configs".to_owned(),
            json!([{"targets": ["127.0.0.1:9464"]}]),
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prometheus.yaml");
    fs::write(&file, known.to_string()).unwrap();
    let mut command = Command::new(promtool);
    command.args(["check", "config", "--syntax-only"]).arg(&file);
    ask(&mut command).unwrap_or_else(|complaint| panic!("{complaint}"));
}
