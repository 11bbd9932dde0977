//! What the chart needs of others: a Postgres with room and a certificate, a NATS that asks who comes, an operator's executor.

use std::fs;

use serde_json::{Value, json};

use crate::chart::{Rendered, all, containers, pods, resources};
use crate::scripts;
use crate::tools::root;
use crate::yaml::{list, text};

fn of_kind<'a>(resources: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    resources.iter().filter(move |one| text(one, "/kind") == kind)
}

/// A variable of a container's environment.
fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let found = list(container, "/env").find(|one| text(one, "/name") == name);
    found.map(|one| text(one, "/value"))
}

#[test]
fn a_private_authority_is_trusted_by_everybody_who_connects() {
    let set = "--set=wiring=split,database.caSecret=database-ca,database.caKey=root.pem";
    let Some(made) = resources(&[set]) else { return };
    let mut trusting = 0;
    for (name, pod) in pods(&made) {
        for container in list(pod, "/spec/containers") {
            trusting += 1;
            let own = if name.starts_with("Job ") {
                assert_eq!(variable(container, "PGSSLMODE"), Some("verify-full"));
                variable(container, "PGSSLROOTCERT")
            } else {
                variable(container, "SSL_CERT_FILE")
            };
            assert_eq!(own, Some("/etc/bodega-ca/ca.crt"), "{name}");
            let mount = list(container, "/volumeMounts")
                .find(|mount| text(mount, "/mountPath") == "/etc/bodega-ca")
                .unwrap_or_else(|| panic!("{name}: the certificate is not mounted"));
            let volume = list(pod, "/spec/volumes")
                .find(|volume| text(volume, "/name") == text(mount, "/name"))
                .expect("a mount has a volume");
            assert_eq!(text(volume, "/secret/secretName"), "database-ca");
            assert_eq!(
                volume["secret"]["items"],
                json!([{"key": "root.pem", "path": "ca.crt"}]),
                "{name}"
            );
        }
    }
    assert_eq!(trusting, 5, "shop, stock, payment, audit, provisioning");
    let set = "--set=runtime=spinkube,database.caSecret=database-ca,database.caKey=ca-certificates.crt";
    let Some(made) = resources(&[set]) else { return };
    let executor = of_kind(&made, "SpinAppExecutor").next().expect("there is one");
    assert_eq!(
        text(executor, "/spec/deploymentConfig/caCertSecret"),
        "database-ca"
    );
}

#[test]
fn a_namespace_has_an_executor_unless_somebody_says_that_it_has_one() {
    let Some(made) = resources(&["--set=runtime=spinkube"]) else {
        return;
    };
    let executor = of_kind(&made, "SpinAppExecutor")
        .next()
        .expect("nothing starts without one");
    for app in of_kind(&made, "SpinApp") {
        assert_eq!(text(app, "/spec/executor"), text(executor, "/metadata/name"));
    }
    let none = resources(&["--set=runtime=spinkube,spin.createExecutor=false"]).unwrap_or_default();
    assert_eq!(of_kind(&none, "SpinAppExecutor").count(), 0);
}

/// The databases that these variables are addresses of.
fn addresses<'a>(variables: impl Iterator<Item = &'a Value>) -> u64 {
    let found = variables.filter(|one| text(one, "/value").starts_with("postgres://bodega_"));
    u64::try_from(found.count()).expect("there are eight")
}

/// How many connections all pods ask for at most in a rollout, in which every one of them is there twice.
fn asked((_, resources): &Rendered, limit: u64) -> u64 {
    let scaled = resources.iter().find_map(|one| {
        let most = one
            .pointer("/spec/maxReplicas")
            .or(one.pointer("/spec/maxReplicaCount"))?;
        Some((
            text(one, "/spec/scaleTargetRef/name"),
            most.as_u64().expect("a number"),
        ))
    });
    let of = |owner: &Value, addresses: u64| {
        let replicas = owner.pointer("/spec/replicas").and_then(Value::as_u64);
        let replicas = match scaled {
            Some((name, most)) if name == text(owner, "/metadata/name") => most,
            _ => replicas.unwrap_or(1),
        };
        replicas * 2 * limit.min(16 * addresses)
    };
    let apps = of_kind(resources, "SpinApp").map(|app| of(app, addresses(list(app, "/spec/variables"))));
    let deployments = of_kind(resources, "Deployment").map(|one| {
        let pod = &one["spec"]["template"];
        match text(one, "/metadata/name") {
            // One connection for each, and never two pods.
            "bodega-audit" => addresses(containers(pod).flat_map(|container| list(container, "/env"))),
            _ => of(
                one,
                addresses(containers(pod).flat_map(|container| list(container, "/env"))),
            ),
        }
    });
    apps.chain(deployments).sum()
}

#[test]
fn the_postgres_of_the_chart_has_room_for_a_rollout() {
    let limit = scripts::connections();
    assert!((16..=64).contains(&limit), "{limit}");
    let mut servers = 0;
    for rendered in all() {
        let (values, resources) = rendered;
        let Some(postgres) =
            of_kind(resources, "StatefulSet").find(|one| text(one, "/metadata/name") == "bodega-postgres")
        else {
            continue;
        };
        servers += 1;
        let words = list(postgres, "/spec/template/spec/containers/0/args").filter_map(Value::as_str);
        let room: u64 = words
            .filter_map(|word| word.strip_prefix("max_connections="))
            .find_map(|number| number.parse().ok())
            .expect("its size is said");
        let asked = asked(rendered, limit);
        // Some for the provisioning, for people and for Postgres' own reserve.
        assert!(
            asked + 10 <= room,
            "{values:?}: {asked} are asked for, {room} are there"
        );
    }
    assert!(servers >= 4 || all().is_empty(), "{servers}");
}

#[test]
fn the_values_for_a_shop_that_sells_say_what_they_ask_of_its_server() {
    let text = fs::read_to_string(root().join("deploy/helm/bodega/values-prod.yaml")).unwrap();
    let prod = all()
        .iter()
        .find(|(values, _)| **values == ["--values=deploy/helm/bodega/values-prod.yaml"]);
    let Some(prod) = prod else { return };
    let asked = asked(prod, scripts::connections());
    assert!(
        text.contains(&format!(": {asked}. ")),
        "{asked} connections are asked for"
    );
    assert!(text.contains("not rediss://"), "a Redis with TLS is refused");
}

#[test]
fn a_nats_with_a_password_is_named_by_a_secret() {
    let address = |arguments: &[&str]| {
        let made = resources(arguments)?;
        let shop = of_kind(&made, "Deployment").find(|one| text(one, "/metadata/name") == "bodega")?;
        list(shop, "/spec/template/spec/containers/0/env")
            .find(|one| text(one, "/name") == "SPIN_VARIABLE_EVENTS_ADDRESS")
            .cloned()
    };
    let Some(named) = address(&["--set=events.bus=nats,secrets.nats=bodega-nats"]) else {
        return;
    };
    assert_eq!(
        named["valueFrom"],
        json!({"secretKeyRef": {"name": "bodega-nats", "key": "url"}})
    );
    let open = address(&["--set=events.bus=nats"]).unwrap_or_default();
    assert_eq!(text(&open, "/value"), "nats://bodega-nats:4222?stream=bodega");
}

#[test]
fn a_run_of_the_jobs_that_ends_late_costs_no_start() {
    let Some(made) = resources(&["--set=runtime=spinkube"]) else {
        return;
    };
    let jobs = of_kind(&made, "CronJob")
        .next()
        .expect("somebody asks for the jobs");
    assert_eq!(text(jobs, "/spec/concurrencyPolicy"), "Allow");
}

#[test]
fn an_application_is_ready_when_its_database_is_and_lives_without() {
    let probes = |resources: &[Value], name: &str| {
        let of_app = of_kind(resources, "SpinApp")
            .find(|one| text(one, "/metadata/name") == name)
            .map(|app| {
                (
                    text(app, "/spec/checks/readiness/httpGet/path").to_owned(),
                    text(app, "/spec/checks/liveness/httpGet/path").to_owned(),
                )
            });
        let of_pod = of_kind(resources, "Deployment")
            .find(|one| text(one, "/metadata/name") == name)
            .map(|one| {
                let container = &one["spec"]["template"]["spec"]["containers"][0];
                (
                    text(container, "/readinessProbe/httpGet/path").to_owned(),
                    text(container, "/livenessProbe/httpGet/path").to_owned(),
                )
            });
        of_app.or(of_pod).unwrap_or_else(|| panic!("there is no {name}"))
    };
    for runtime in ["bodega", "spinkube"] {
        let Some(made) = resources(&[&format!("--set=wiring=split,runtime={runtime}")]) else {
            return;
        };
        for app in ["bodega-stock", "bodega-payment"] {
            let (ready, live) = probes(&made, app);
            assert_eq!(
                (&*ready, &*live),
                ("/health/ready", "/openapi.json"),
                "{runtime}: {app}"
            );
        }
    }
}
