//! The running audit: once for a shop, from outside of the pods that serve, and its addresses in no list of processes.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::chart::{all, containers, pods, resources};
use crate::tools::{ask, root};
use crate::yaml::{list, text};

fn named<'a>(resources: &'a [Value], kind: &str, name: &str) -> Option<&'a Value> {
    resources
        .iter()
        .find(|one| text(one, "/kind") == kind && text(one, "/metadata/name") == name)
}

fn words<'a>(container: &'a Value, prefix: &str) -> Vec<&'a str> {
    let all = list(container, "/args").filter_map(Value::as_str);
    all.filter_map(|word| word.strip_prefix(prefix)).collect()
}

/// Every database that the audit reads.
fn labels() -> BTreeSet<String> {
    let sources = fs::read_to_string(root().join("crates/audit/src/sources.rs")).expect("it is there");
    let (_, names) = sources.split_once("fn as_str").expect("labels have names");
    let (names, _) = names.split_once("\n    }\n").expect("a function ends");
    let name = |line: &str| Some(line.split_once("=> \"")?.1.strip_suffix("\",")?.to_owned());
    names.lines().filter_map(name).collect()
}

#[test]
fn the_shop_is_audited_once() {
    for (values, resources) in all() {
        let auditors: Vec<String> = pods(resources)
            .into_iter()
            .filter(|(_, pod)| {
                containers(pod).any(|container| !words(container, "--audit-every=60").is_empty())
            })
            .map(|(name, _)| name)
            .collect();
        let off = values.iter().any(|value| value.contains("audit.enabled=false"));
        let sqlite = values.iter().any(|value| value.contains("database.kind=sqlite"));
        let expected = match (off, sqlite) {
            (true, _) => vec![],
            (false, true) => vec!["StatefulSet bodega".to_owned()],
            (false, false) => vec!["Deployment bodega-audit".to_owned()],
        };
        assert_eq!(auditors, expected, "{values:?}");
        let Some(auditor) = named(resources, "Deployment", "bodega-audit") else {
            continue;
        };
        // One, also while it is replaced.
        assert_eq!(auditor.pointer("/spec/replicas"), Some(&json!(1)));
        assert_eq!(text(auditor, "/spec/strategy/type"), "Recreate");
        let own = auditor
            .pointer("/spec/template/metadata/labels")
            .expect("it has labels");
        let finds = |selector: &Value| {
            selector
                .as_object()
                .is_some_and(|all| all.iter().all(|(key, value)| own.get(key) == Some(value)))
        };
        for service in resources.iter().filter(|one| text(one, "/kind") == "Service") {
            assert!(
                !finds(&service["spec"]["selector"]),
                "{values:?}: {} sends customers to the audit",
                text(service, "/metadata/name")
            );
        }
    }
}

#[test]
fn the_audit_reads_every_database_and_its_addresses_stand_in_files() {
    let Some(resources) = resources(&["--set=wiring=split,database.options=sslmode=require"]) else {
        return;
    };
    let auditor = named(&resources, "Deployment", "bodega-audit").expect("it is audited");
    let pod = &auditor["spec"]["template"];
    let first = list(pod, "/spec/initContainers")
        .next()
        .expect("somebody writes the files");
    let audit = list(pod, "/spec/containers").next().expect("somebody audits");
    let named: BTreeSet<String> = words(audit, "--audit-database=")
        .into_iter()
        .filter_map(|given| {
            let (label, file) = given.split_once("=@/addresses/")?;
            assert_eq!(label, file);
            Some(label.to_owned())
        })
        .collect();
    assert_eq!(named, labels());
    for word in list(audit, "/args")
        .chain(list(first, "/args"))
        .chain(list(first, "/command"))
    {
        let word = word.as_str().unwrap_or_default();
        assert!(
            !word.contains("postgres://") && !word.contains("PASSWORD"),
            "{word}"
        );
    }
    // What the kubelet does, then what the container does.
    let folder = tempfile::tempdir().unwrap();
    let script = list(first, "/args")
        .next()
        .and_then(Value::as_str)
        .expect("there is a script");
    let mut bash = Command::new("bash");
    bash.args(["-euc", script]);
    for variable in list(first, "/env") {
        let name = text(variable, "/name");
        let value = match name.strip_suffix("_PASSWORD") {
            Some(_) => "s3cret".to_owned(),
            None => {
                let password = name.replace("_ADDRESS", "_PASSWORD");
                text(variable, "/value").replace(&format!("$({password})"), "s3cret")
            }
        };
        bash.env(name, value);
    }
    bash.env("ADDRESSES", folder.path());
    ask(&mut bash).unwrap_or_else(|complaint| panic!("{complaint}"));
    for label in labels() {
        let address = fs::read_to_string(folder.path().join(&label)).unwrap();
        assert_eq!(
            address,
            format!("postgres://bodega_{label}:s3cret@bodega-postgres:5432/{label}?sslmode=require")
        );
    }
}

#[test]
fn the_audit_reaches_postgres_is_scraped_and_nothing_else() {
    for (values, resources) in all() {
        let (Some(_), Some(policy)) = (
            named(resources, "Deployment", "bodega-audit"),
            named(resources, "NetworkPolicy", "audit"),
        ) else {
            let missing = named(resources, "Deployment", "bodega-audit").is_some()
                && named(resources, "NetworkPolicy", "deny-all").is_some();
            assert!(!missing, "{values:?}: the audit reaches nothing");
            continue;
        };
        for rule in list(policy, "/spec/ingress") {
            assert_eq!(
                rule["ports"],
                json!([{"protocol": "TCP", "port": 9464}]),
                "{values:?}"
            );
        }
        assert_eq!(list(policy, "/spec/ingress").count(), 1, "{values:?}");
        for rule in list(policy, "/spec/egress") {
            assert_eq!(
                rule["ports"],
                json!([{"protocol": "TCP", "port": 5432}]),
                "{values:?}"
            );
        }
        let Some(postgres) = named(resources, "NetworkPolicy", "postgres") else {
            continue;
        };
        assert!(
            list(policy, "/spec/egress").count() > 0,
            "{values:?}: no way to Postgres"
        );
        let mut guests = list(postgres, "/spec/ingress").flat_map(|rule| list(rule, "/from"));
        let part = "/podSelector/matchLabels/app.kubernetes.io~1component";
        assert!(
            guests.any(|guest| text(guest, part) == "audit"),
            "{values:?}: Postgres lets the audit not in"
        );
    }
}

#[test]
fn the_manifest_of_the_audit_runs_nothing_and_needs_no_key() {
    let text = fs::read_to_string(root().join("deploy/audit.toml")).expect("it is there");
    let manifest: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}"));
    let keys: Vec<&str> = manifest.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["application", "spin_manifest_version"],
        "no component, trigger or variable"
    );
    assert_eq!(manifest["spin_manifest_version"].as_integer(), Some(2));
}
