//! Files that programs of others read: the compose file, the workflows, and the configurations of what runs beside the shop.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::tools::{ask, left_out, python_tool, root};
use crate::yaml::{files, list, read, text, texts};

/// The anchors of a Markdown text's headings, as they are made of them on its web page.
pub(crate) fn anchors(document: &str) -> BTreeSet<String> {
    let mut in_code = false;
    let lines = document.lines().filter(|line| {
        in_code ^= line.starts_with("```");
        !in_code && line.starts_with('#')
    });
    let anchor = |line: &str| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let letters = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
        letters.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    lines.map(anchor).collect()
}

fn by_schema(name: &str, path: &str) {
    let Some(program) = python_tool("check-jsonschema") else {
        return;
    };
    let mut command = Command::new(program);
    command.args(["--builtin-schema", name, path]).current_dir(root());
    ask(&mut command).unwrap_or_else(|complaint| panic!("{path}:\n{complaint}"));
}

#[test]
fn the_compose_file_is_valid_and_opens_no_port_to_others() {
    by_schema("vendor.compose-spec", "infra/compose.yaml");
    let compose = read("infra/compose.yaml");
    let services = compose["services"].as_object().expect("there are services");
    for (name, service) in services {
        let image = text(service, "/image");
        assert!(
            image.contains(':') && !image.ends_with(":latest"),
            "{name}: {image}"
        );
        for port in list(service, "/ports").filter_map(Value::as_str) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port} is open to others");
        }
        for volume in list(service, "/volumes").filter_map(Value::as_str) {
            let (source, _) = volume.split_once(':').expect("a volume has a place");
            let there = match source.strip_prefix("./") {
                Some(file) => root().join("infra").join(file).exists(),
                None => compose["volumes"].get(source).is_some(),
            };
            assert!(there, "{name}: there is no {source}");
        }
        let bind = |text: &&str| text.contains("_PASSWORD:") && !text.contains("${");
        assert!(
            texts(service).iter().all(|text| !bind(text)),
            "{name} has a password in it"
        );
    }
}

#[test]
fn the_collector_uses_every_part_that_it_configures_and_no_other() {
    let collector = read("infra/otel/collector.yaml");
    let pipelines = collector
        .pointer("/service/pipelines")
        .and_then(Value::as_object)
        .expect("there are pipelines");
    for kind in ["receivers", "processors", "exporters"] {
        let configured: BTreeSet<&str> = collector[kind]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        let place = format!("/{kind}");
        let used = pipelines.values().flat_map(|pipeline| list(pipeline, &place));
        let used: BTreeSet<&str> = used.filter_map(Value::as_str).collect();
        assert_eq!(configured, used, "{kind}");
    }
    read("infra/tempo/tempo.yaml");
    read("infra/grafana/provisioning/dashboards/bodega.yaml");
}

#[test]
fn workflows_are_valid_have_an_end_and_only_the_rights_that_they_need() {
    for path in files(".github/workflows", "yml") {
        by_schema("vendor.github-workflows", &path);
        let workflow = read(&path);
        assert_eq!(
            workflow["permissions"],
            serde_json::json!({"contents": "read"}),
            "{path}"
        );
        for (name, job) in workflow["jobs"].as_object().expect("there are jobs") {
            let calls = job.get("uses").is_some();
            assert!(
                calls || job.get("timeout-minutes").is_some(),
                "{path}: {name} may run for hours"
            );
            for step in list(job, "/steps") {
                let action = text(step, "/uses");
                assert!(
                    action.is_empty() || action.contains("@v"),
                    "{path}: {action} has no version"
                );
                let command = text(step, "/run");
                assert!(
                    !command.contains("${{"),
                    "{path}: {name}: what a name says must not become a command"
                );
                for script in command
                    .split_whitespace()
                    .filter(|word| word.starts_with("deploy/") || word.starts_with(".ci/"))
                {
                    assert!(root().join(script).exists(), "{path}: there is no {script}");
                }
            }
        }
    }
}

/// Everything that a server says to these words; none where it is missing.
fn server_says(program: &str, words: &[&str]) -> Option<String> {
    // Debian keeps some of them where only root's path leads.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("env")
        .arg(format!("PATH={path}"))
        .arg(program)
        .args(words)
        .current_dir(root())
        .output()
        .unwrap();
    if output.status.code() == Some(127) {
        return left_out(&format!("{program} is missing"));
    }
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Some(told.concat())
}

#[test]
fn the_servers_take_their_configurations() {
    if let Some(told) = server_says("nats-server", &["-t", "-c", "infra/nats/nats.conf"]) {
        assert!(told.contains("is valid"), "{told}");
    }
    // Redis can't be asked. It reads the file first, and ends when it is then told to listen nowhere.
    let nowhere = ["infra/redis/redis.conf", "--port", "0", "--appendonly", "no"];
    if let Some(told) = server_says("redis-server", &nowhere) {
        assert!(told.contains("Configuration loaded"), "{told}");
    }
}

#[test]
fn an_anchor_is_what_a_heading_becomes() {
    let found = anchors("# A saga is *stuck*\n```sh\n# no heading\n```\n## I/O, 2nd\n");
    assert_eq!(
        found,
        BTreeSet::from(["a-saga-is-stuck".to_owned(), "io-2nd".to_owned()])
    );
}

#[test]
fn a_link_of_the_documents_leads_somewhere() {
    let pages = [
        "docs/observability.md",
        "docs/operations.md",
        "docs/spin.md",
        "deploy/README.md",
        "infra/README.md",
        "deploy/spin/README.md",
    ];
    for page in pages {
        let path = root().join(page);
        let document = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
        for link in document
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(link, _)| link)
        {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap_or(Path::new("")).join(file),
            };
            let text = if target.is_dir() {
                Ok(String::new())
            } else {
                fs::read_to_string(&target)
            };
            let text = text.unwrap_or_else(|_| panic!("{page}: {link} leads nowhere"));
            assert!(
                anchor.is_empty() || anchors(&text).contains(anchor),
                "{page}: {link}: no such heading"
            );
        }
    }
}
