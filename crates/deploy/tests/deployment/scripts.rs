//! Scripts: what they print and pass on, without the servers that they are for.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::tools::{ask, python_tool, root};
use crate::yaml::{parse, text};

const SCRIPTS: &[&str] = &[
    "deploy/push.sh",
    "deploy/secrets.sh",
    "infra/backup/postgres.sh",
    "infra/env.sh",
    "infra/postgres/init.sh",
];

const DOMAINS: [&str; 8] = [
    "account",
    "product",
    "stock",
    "payment",
    "pg",
    "order",
    "cart",
    "settlement",
];

fn bash(words: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(words).current_dir(root());
    command
}

fn made(arguments: &[&str]) -> Result<Vec<Value>, String> {
    let text = ask(bash(&["deploy/secrets.sh"]).args(arguments))?;
    parse(&text)
}

/// Names and keys of the Secrets that `deploy/secrets.sh` makes; none where the chart can't be rendered anyway.
pub(crate) fn secrets() -> Option<BTreeSet<(String, String)>> {
    python_tool("helm")?;
    let made = made(&["--nats-url", "nats://u:p@n:1?stream=bodega"])
        .unwrap_or_else(|complaint| panic!("{complaint}"));
    let keys = made.iter().flat_map(|secret| {
        let name = text(secret, "/metadata/name");
        secret["stringData"]
            .as_object()
            .into_iter()
            .flatten()
            .map(move |(key, _)| (name.to_owned(), key.clone()))
    });
    Some(keys.collect())
}

#[test]
fn every_script_is_one_and_can_be_run() {
    for script in SCRIPTS {
        ask(&mut bash(&["-n", script])).unwrap_or_else(|complaint| panic!("{script}: {complaint}"));
        let mode = fs::metadata(root().join(script))
            .expect("it is there")
            .permissions()
            .mode();
        assert!(mode & 0o111 != 0, "{script} can't be run");
    }
}

#[test]
fn secrets_are_new_each_time_and_fit_what_they_are_for() {
    let (one, other) = (
        made(&[]).unwrap(),
        made(&["--namespace", "b", "--redis-url", "redis://:p@r:1"]).unwrap(),
    );
    assert_eq!(one.len(), 4);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(text(other, "/metadata/namespace"), "b");
        let (one, other) = (
            one["stringData"].as_object().unwrap(),
            other["stringData"].as_object().unwrap(),
        );
        assert!(
            one.iter().all(|(key, value)| other[key] != *value),
            "{:?}",
            one.keys()
        );
    }
    assert!(text(&one[0], "/stringData/jwt_keys").starts_with('k'));
    assert_eq!(text(&other[2], "/stringData/url"), "redis://:p@r:1");
    let config: toml::Table = text(&other[3], "/stringData/runtime-config.toml")
        .parse()
        .unwrap();
    assert_eq!(
        config["key_value_store"]["default"]["url"].as_str(),
        Some("redis://:p@r:1")
    );
    for domain in DOMAINS {
        let password = text(&one[1], &format!("/stringData/{domain}_password"));
        assert!(
            password.len() >= 32 && password.chars().all(char::is_alphanumeric),
            "{domain}"
        );
    }
    for bad in [
        &["--redis-url", "redis"][..],
        &["--redis-url"],
        &["--nmespace", "x"],
        &["--redis-url", "redis://a\"b:1"],
        &["--nats-url", "nats://nobody:1"],
    ] {
        assert!(made(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn an_address_that_the_broker_refuses_makes_no_secret() {
    for bad in [
        &["--redis-url", "rediss://:p@r:6379"][..],
        &["--nats-url", "tls://u:p@n:4222"],
    ] {
        let complaint = made(bad).expect_err("the broker has no TLS");
        assert!(complaint.contains("no TLS"), "{complaint}");
    }
    let with = made(&["--nats-url", "nats://u:p@n:4222?stream=bodega"]).unwrap();
    assert_eq!(text(&with[4], "/metadata/name"), "bodega-nats");
    assert_eq!(
        text(&with[4], "/stringData/url"),
        "nats://u:p@n:4222?stream=bodega"
    );
}

/// What `deploy/secrets.sh` lets one replica have of connections to Postgres.
pub(crate) fn connections() -> u64 {
    let secrets = made(&[]).unwrap_or_else(|complaint| panic!("{complaint}"));
    let config: toml::Table = text(&secrets[3], "/stringData/runtime-config.toml")
        .parse()
        .unwrap();
    // As crates/manifest reads it.
    let limit = config
        .get("outbound_pg")
        .and_then(|pool| pool.get("max_connections"));
    let limit = limit.and_then(toml::Value::as_integer);
    let limit = limit.expect("secrets.sh limits the connections of a replica");
    u64::try_from(limit).expect("a limit is positive")
}

/// Writes a program of this name that does what the script says.
fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn path_with(folder: &Path) -> String {
    format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").unwrap_or_default()
    )
}

#[test]
fn the_provisioning_hands_passwords_over_where_nobody_sees_them() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard");
    program(
        folder.path(),
        "psql",
        &format!("echo \"$@\" >{0}.words; cat >{0}", heard.display()),
    );
    let run = |password: &str| {
        let mut command = bash(&["infra/postgres/init.sh"]);
        command
            .env("PATH", path_with(folder.path()))
            .env("PROVISION_SQL", "there.sql");
        for domain in DOMAINS {
            command.env(
                format!("{}_PASSWORD", domain.to_uppercase()),
                format!("{password}-{domain}"),
            );
        }
        ask(&mut command)
    };
    run("s3cret").unwrap_or_else(|complaint| panic!("{complaint}"));
    let input = fs::read_to_string(&heard).unwrap();
    for domain in DOMAINS {
        assert!(
            input.contains(&format!("\\set {domain}_password 's3cret-{domain}'\n")),
            "{input}"
        );
    }
    assert!(input.ends_with("\\i there.sql\n"), "{input}");
    let words = fs::read_to_string(heard.with_extension("words")).unwrap();
    assert!(
        !words.contains("s3cret") && words.contains("ON_ERROR_STOP=1"),
        "{words}"
    );
    assert!(run("it's").unwrap_err().contains("letters, digits"));
    let mut bare = bash(&["infra/postgres/init.sh"]);
    assert!(
        ask(bare.env("PATH", path_with(folder.path())))
            .unwrap_err()
            .contains("password for the role account")
    );
}

#[test]
fn the_provisioning_asks_for_the_passwords_that_its_sql_names() {
    let sql = fs::read_to_string(root().join("infra/postgres/provision.sql"))
        .expect("infra/postgres/provision.sql is there");
    for domain in DOMAINS {
        assert!(
            sql.contains(&format!("{domain}_password")),
            "provision.sql knows no {domain}_password"
        );
    }
}

#[test]
fn the_laptop_gets_passwords_once_and_addresses_with_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("infra")).unwrap();
    fs::copy(root().join("infra/env.sh"), folder.path().join("infra/env.sh")).unwrap();
    let run = || {
        ask(Command::new("bash")
            .arg("infra/env.sh")
            .current_dir(folder.path()))
        .unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(".bodega").join(name)).unwrap();
        (read("infra.env"), read("infra.toml"))
    };
    let first = run();
    assert_eq!(run(), first, "a second run changes nothing");
    let compose = fs::read_to_string(root().join("infra/compose.yaml")).unwrap();
    let asked = compose
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once(":?"))
        .map(|(name, _)| name);
    for name in asked {
        assert!(
            first.0.contains(&format!("{name}=")),
            "the compose file asks for {name}"
        );
    }
    let variables: toml::Table = first.1.parse().unwrap();
    for domain in DOMAINS {
        let address = variables[&format!("{domain}_database")].as_str().unwrap();
        assert!(
            address.starts_with(&format!("postgres://bodega_{domain}:"))
                && address.ends_with(&format!("/{domain}")),
            "{address}"
        );
    }
    let mode = fs::metadata(folder.path().join(".bodega/infra.env"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "others can read the passwords");
}

#[test]
fn what_is_pushed_is_what_the_chart_takes() {
    let run = |arguments: &[&str]| ask(bash(&["deploy/push.sh"]).args(arguments).env("DRY_RUN", "1"));
    let spin =
        run(&["spin", "registry.example/spin", "0.1.0"]).unwrap_or_else(|complaint| panic!("{complaint}"));
    for app in ["bodega", "bodega-consumer"] {
        let reference = format!("registry.example/spin/{app}:0.1.0");
        let push = format!("spin registry push --from target/spin/{app}.toml {reference}");
        assert!(spin.contains(&push), "{spin}");
        let signed = format!("cosign sign --yes registry.example/spin/{app}@sha256:");
        assert!(spin.contains(&signed), "{spin}");
    }
    let host =
        run(&["host", "registry.example/bodega:0.1.0"]).unwrap_or_else(|complaint| panic!("{complaint}"));
    assert!(
        host.contains("--sbom=true") && host.contains("--provenance=mode=max"),
        "{host}"
    );
    let chart = run(&["chart", "registry.example/charts", "1.2.3"]).unwrap();
    for part in [
        "--version 1.2.3 --app-version 1.2.3",
        "helm push target/chart/bodega-1.2.3.tgz oci://registry.example/charts",
        "cosign sign --yes registry.example/charts/bodega@sha256:",
    ] {
        assert!(chart.contains(part), "{chart}");
    }
    for bad in [
        &[][..],
        &["host"],
        &["spin", "a"],
        &["chart", "a"],
        &["everything"],
    ] {
        assert!(run(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_release_gives_everything_the_version_of_its_tag() {
    let workflow = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let pushes: Vec<&str> = workflow
        .lines()
        .filter(|line| line.contains("deploy/push.sh"))
        .collect();
    assert_eq!(pushes.len(), 3, "{pushes:?}");
    for push in pushes {
        assert!(push.contains("${VERSION#v}"), "{push}");
    }
}
