//! The chart, rendered: as `deploy/kubernetes` shows it, valid by the schemas of those who read it, and closed by default.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::tools::{ask, python_tool, root, say};
use crate::yaml::{list, parse, read, text};

/// What is shown in `deploy/kubernetes`: a name and the values that make it.
const FLAVOURS: &[(&str, &[&str])] = &[
    (
        "bodega",
        &[
            "--values=deploy/helm/bodega/values-prod.yaml",
            "--set=monitoring.dashboards=false,monitoring.rules=false",
        ],
    ),
    (
        "bodega-sqlite",
        &["--set=database.kind=sqlite,replicas=1,podDisruptionBudget.enabled=false"],
    ),
    (
        "bodega-split",
        &[
            "--values=deploy/helm/bodega/values-dev.yaml",
            "--set=wiring=split",
        ],
    ),
    (
        "spinkube",
        &[
            "--values=deploy/helm/bodega/values-prod.yaml",
            "--set=runtime=spinkube,monitoring.dashboards=false,monitoring.rules=false",
        ],
    ),
    (
        "spinkube-split",
        &[
            "--values=deploy/helm/bodega/values-dev.yaml",
            "--set=runtime=spinkube,wiring=split",
        ],
    ),
];

/// More that must be valid, and that nobody has to see.
const COMBINATIONS: &[&[&str]] = &[
    &[],
    &["--values=deploy/helm/bodega/values-dev.yaml"],
    &["--values=deploy/helm/bodega/values-prod.yaml"],
    &["--set=events.bus=nats,servers.nats.enabled=true"],
    &["--set=autoscaling.enabled=true,autoscaling.kind=keda"],
    &["--set=runtime=spinkube,autoscaling.enabled=true,autoscaling.kind=keda"],
    &["--set=networkPolicy.enabled=false,image.pullSecrets={registry}"],
    &["--set=networkPolicy.paymentGatewayCidrs={203.0.113.0/24},wiring=split"],
    &[
        "--set=wiring=split,database.caSecret=database-ca,monitoring.podMonitor.enabled=true,monitoring.podMonitor.labels.release=prometheus",
    ],
    &[
        "--set=runtime=spinkube,database.caSecret=database-ca,database.caKey=ca-certificates.crt,monitoring.podMonitor.enabled=true",
    ],
    &["--set=events.bus=nats,secrets.nats=bodega-nats,audit.enabled=false"],
    &["--set=wiring=split,autoscaling.enabled=true,servers.postgres.enabled=true,spin.createExecutor=false"],
    &[
        "--set=runtime=spinkube,autoscaling.enabled=true,autoscaling.maxReplicas=20,servers.postgres.enabled=true",
    ],
];

fn rendered(arguments: &[&str]) -> Option<Result<String, String>> {
    let mut helm = Command::new(python_tool("helm")?);
    helm.args(["template", "shop", "deploy/helm/bodega", "--namespace=shop"])
        .args(arguments);
    Some(ask(helm.current_dir(root())))
}

pub(crate) fn resources(arguments: &[&str]) -> Option<Vec<Value>> {
    let text = rendered(arguments)?.unwrap_or_else(|complaint| panic!("{arguments:?}: {complaint}"));
    Some(parse(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}")))
}

pub(crate) type Rendered = (&'static [&'static str], Vec<Value>);

/// Everything that is rendered, once for all tests.
pub(crate) fn all() -> &'static [Rendered] {
    static ALL: OnceLock<Vec<Rendered>> = OnceLock::new();
    let flavours = FLAVOURS.iter().map(|(_, arguments)| *arguments);
    let all = flavours.chain(COMBINATIONS.iter().copied());
    ALL.get_or_init(|| {
        all.filter_map(|arguments| Some((arguments, resources(arguments)?)))
            .collect()
    })
}

#[test]
fn what_the_chart_becomes_is_what_the_repository_shows() {
    for (name, arguments) in FLAVOURS {
        let Some(text) = rendered(arguments) else {
            return;
        };
        let text = text.unwrap_or_else(|complaint| panic!("{name}: {complaint}"));
        let head = format!(
            "# Made by helm of deploy/helm/bodega, with {}.\n",
            arguments.join(" ")
        );
        let made = format!("{head}# `UPDATE_EXPECT=1 cargo test -p deploy` makes it again.\n{text}");
        let path = root().join(format!("deploy/kubernetes/{name}.yaml"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &made).expect("deploy/kubernetes is written to");
            say(&format!("{} is written", path.display()));
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == made,
            "deploy/kubernetes/{name}.yaml is not what the chart becomes: UPDATE_EXPECT=1 makes it again"
        );
    }
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let bad = [
        "runtime=nomad",
        "replicas=0",
        "replica=3",
        "database.kind=sqlite",
        "database.kind=sqlite,replicas=1,wiring=split",
        "runtime=spinkube,database.kind=sqlite,replicas=1",
        "runtime=spinkube,events.bus=nats",
        "image.digest=latest",
        "variables.jwt_keys=k1:c2VjcmV0",
        "variables.order_database=postgres://a:b@c:1/d",
        "database.port=99999",
        "networkPolicy.externalCidrs={10.0.0.1}",
        "resources.limits=null",
        "audit.intervalSeconds=0",
        "runtime=spinkube,database.caSecret=database-ca",
    ];
    for set in bad {
        let Some(made) = rendered(&[&format!("--set={set}")]) else {
            return;
        };
        assert!(made.is_err(), "{set} was taken");
    }
}

/// The pod templates that the chart makes itself, with the name of their owner.
pub(crate) fn pods(resources: &[Value]) -> Vec<(String, &Value)> {
    let places = ["/spec/template", "/spec/jobTemplate/spec/template"];
    let found = resources.iter().flat_map(|one| {
        let name = format!("{} {}", text(one, "/kind"), text(one, "/metadata/name"));
        places
            .iter()
            .filter_map(move |place| Some((name.clone(), one.pointer(place)?)))
    });
    found.filter(|(name, _)| !name.starts_with("SpinApp")).collect()
}

/// Containers of a pod, those that run before the others first.
pub(crate) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    list(pod, "/spec/initContainers").chain(list(pod, "/spec/containers"))
}

#[test]
fn every_container_is_limited_and_may_do_nothing_that_it_needs_not() {
    for (arguments, resources) in all() {
        for (name, pod) in pods(resources) {
            let name = format!("{arguments:?}: {name}");
            assert_eq!(
                pod.pointer("/spec/automountServiceAccountToken"),
                Some(&json!(false)),
                "{name}"
            );
            assert_eq!(
                pod.pointer("/spec/securityContext/runAsNonRoot"),
                Some(&json!(true)),
                "{name}"
            );
            assert_eq!(
                text(pod, "/spec/securityContext/seccompProfile/type"),
                "RuntimeDefault",
                "{name}"
            );
            for container in containers(pod) {
                let is = |pointer: &str, expected: Value| {
                    assert_eq!(container.pointer(pointer), Some(&expected), "{name}: {pointer}")
                };
                is("/securityContext/allowPrivilegeEscalation", json!(false));
                is("/securityContext/readOnlyRootFilesystem", json!(true));
                is("/securityContext/capabilities/drop", json!(["ALL"]));
                for needed in [
                    "/resources/requests/cpu",
                    "/resources/requests/memory",
                    "/resources/limits/memory",
                ] {
                    assert!(container.pointer(needed).is_some(), "{name}: {needed}");
                }
                let image = text(container, "/image");
                let tag = image.rsplit_once(':').map(|(_, tag)| tag).unwrap_or_default();
                assert!(!tag.is_empty() && tag != "latest", "{name}: {image}");
            }
        }
    }
}

/// Labels of all pods that there will be, those of the operator included.
fn labels(resources: &[Value]) -> Vec<&Value> {
    let own = pods(resources)
        .into_iter()
        .filter_map(|(_, pod)| pod.pointer("/metadata/labels"));
    let of_apps = resources.iter().filter_map(|one| one.pointer("/spec/podLabels"));
    own.chain(of_apps).collect()
}

#[test]
fn what_selects_pods_finds_some() {
    for (arguments, resources) in all() {
        let labels = labels(resources);
        let finds = |selector: &Value| {
            let wanted = selector.as_object().expect("a selector is a map");
            labels
                .iter()
                .any(|pod| wanted.iter().all(|(key, value)| pod.get(key) == Some(value)))
        };
        for one in resources {
            let name = format!(
                "{arguments:?}: {} {}",
                text(one, "/kind"),
                text(one, "/metadata/name")
            );
            let selectors = match text(one, "/kind") {
                "Service" => vec!["/spec/selector"],
                "PodDisruptionBudget" | "Deployment" | "StatefulSet" => vec!["/spec/selector/matchLabels"],
                "NetworkPolicy" => vec!["/spec/podSelector/matchLabels"],
                _ => vec![],
            };
            for selector in selectors.iter().filter_map(|pointer| one.pointer(pointer)) {
                assert!(finds(selector), "{name}: nothing is selected by {selector}");
            }
            let directions = [("/spec/ingress", "/from"), ("/spec/egress", "/to")];
            let rules = directions
                .iter()
                .flat_map(|(direction, side)| list(one, direction).flat_map(|rule| list(rule, side)));
            let peers = rules.filter(|peer| peer.get("namespaceSelector").is_none());
            for selector in peers.filter_map(|peer| peer.pointer("/podSelector/matchLabels")) {
                assert!(finds(selector), "{name}: nobody is {selector}");
            }
        }
    }
}

#[test]
fn nobody_talks_to_anybody_unless_a_policy_says_so() {
    for (arguments, resources) in all() {
        if arguments
            .iter()
            .any(|argument| argument.contains("networkPolicy.enabled=false"))
        {
            continue;
        }
        let policies: Vec<&Value> = resources
            .iter()
            .filter(|one| text(one, "/kind") == "NetworkPolicy")
            .collect();
        let deny = policies
            .iter()
            .find(|one| text(one, "/metadata/name") == "deny-all");
        let deny = deny.unwrap_or_else(|| panic!("{arguments:?}: nothing is denied by default"));
        assert_eq!(
            deny["spec"],
            json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
        );
        for policy in &policies {
            for direction in ["ingress", "egress"] {
                for rule in list(policy, &format!("/spec/{direction}")) {
                    let sides = [list(rule, "/from").count(), list(rule, "/to").count()];
                    let name = text(policy, "/metadata/name");
                    assert!(
                        sides.iter().sum::<usize>() > 0,
                        "{arguments:?}: {name} opens {direction} for everybody"
                    );
                    assert!(
                        list(rule, "/ports").count() > 0,
                        "{arguments:?}: {name} opens every port"
                    );
                }
            }
        }
    }
}

#[test]
fn secrets_are_named_and_never_written_down() {
    let Some(mut made) = crate::scripts::secrets() else {
        return;
    };
    // Whose Postgres it is, has it.
    for key in ["ca.crt", "ca-certificates.crt"] {
        made.insert(("database-ca".to_owned(), key.to_owned()));
    }
    for (arguments, resources) in all() {
        assert!(
            resources.iter().all(|one| text(one, "/kind") != "Secret"),
            "{arguments:?} makes a Secret"
        );
        let mut asked = BTreeSet::new();
        for one in resources {
            references(one, &mut asked);
        }
        let unknown: Vec<_> = asked.difference(&made).collect();
        assert!(
            unknown.is_empty(),
            "{arguments:?}: deploy/secrets.sh does not make {unknown:?}"
        );
    }
}

/// Names and keys of Secrets that values come from.
fn references(value: &Value, found: &mut BTreeSet<(String, String)>) {
    if let Some(reference) = value.get("secretKeyRef") {
        found.insert((
            text(reference, "/name").to_owned(),
            text(reference, "/key").to_owned(),
        ));
    }
    if let Some(credentials) = value.pointer("/authorization/credentials") {
        found.insert((
            text(credentials, "/name").to_owned(),
            text(credentials, "/key").to_owned(),
        ));
    }
    if let Some(name) = value.get("loadFromSecret").and_then(Value::as_str) {
        found.insert((name.to_owned(), "runtime-config.toml".to_owned()));
    }
    if let Some(volume) = value.get("secret") {
        let items = list(volume, "/items").map(|item| text(item, "/key"));
        let keys: Vec<&str> = items.collect();
        let keys = if keys.is_empty() {
            vec!["runtime-config.toml"]
        } else {
            keys
        };
        found.extend(
            keys.into_iter()
                .map(|key| (text(volume, "/secretName").to_owned(), key.to_owned())),
        );
    }
    match value {
        Value::Object(all) => all.values().for_each(|one| references(one, found)),
        Value::Array(all) => all.iter().for_each(|one| references(one, found)),
        _ => {}
    }
}

#[test]
fn an_address_names_only_passwords_that_stand_before_it() {
    for (arguments, resources) in all() {
        let containers = pods(resources)
            .into_iter()
            .flat_map(|(_, pod)| self::containers(pod));
        let own = containers.map(|container| list(container, "/env").collect::<Vec<_>>());
        let apps = resources.iter().filter(|one| text(one, "/kind") == "SpinApp");
        let apps = apps.map(|app| list(app, "/spec/variables").collect::<Vec<_>>());
        for variables in own.chain(apps) {
            let mut before: BTreeSet<String> = BTreeSet::new();
            for variable in variables {
                let name = text(variable, "/name");
                for named in text(variable, "/value").split("$(").skip(1) {
                    let (named, _) = named.split_once(')').expect("a reference ends");
                    assert!(
                        before.contains(named),
                        "{arguments:?}: {name} names {named}, which is not known yet"
                    );
                }
                let prefix = if name.starts_with(|c: char| c.is_ascii_lowercase()) {
                    "SPIN_VARIABLE_"
                } else {
                    ""
                };
                assert!(
                    before.insert(format!("{prefix}{}", name.to_uppercase())),
                    "{arguments:?}: {name} is there twice"
                );
            }
        }
    }
}

#[test]
fn a_variable_is_one_of_the_manifest_that_runs() {
    let declared = |path: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(root().join(path)).unwrap_or_default();
        let manifest: toml::Table = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        manifest
            .get("variables")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    };
    let mut known = declared("spin.toml");
    for app in ["order", "stock", "payment"] {
        known.extend(declared(&format!("deploy/remote/{app}.toml")));
    }
    // What a profile adds (deploy::profile).
    known.extend(["events_host", "limits_host"].map(str::to_owned));
    if !root().join("deploy/remote").exists() {
        return;
    }
    for (arguments, resources) in all() {
        for app in resources.iter().filter(|one| text(one, "/kind") == "SpinApp") {
            for name in list(app, "/spec/variables").map(|variable| text(variable, "/name")) {
                // Passwords are there for the addresses behind them.
                assert!(
                    name.ends_with("_password") || known.contains(name),
                    "{arguments:?}: nobody declares {name}"
                );
            }
        }
    }
}

#[test]
fn the_version_is_that_of_the_workspace() {
    let chart = read("deploy/helm/bodega/Chart.yaml");
    assert_eq!(text(&chart, "/appVersion"), env!("CARGO_PKG_VERSION"));
}
