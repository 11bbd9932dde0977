//! The shop as three apps (`deploy/remote`) against the shop as one (`spin.toml`): what is not about being apart is the same, and no
//! database has two owners.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::Finding;
use crate::grants::MANIFESTS;
use crate::tree::File;

/// The components that are another thing where stock and payment are elsewhere, or ask them.
const OTHERWISE: [&str; 6] = ["order", "outbox", "payment", "product", "settlement", "stock"];

/// Calls to one of the other apps that stay without an answer in one checkout when it is away: a step and its undoing, each asked twice.
const UNANSWERED: i64 = 4;

/// Complaints about `order.toml`, given `spin.toml`.
fn differences(whole: &Table, apart: &File) -> Vec<Finding> {
    let table = match apart.text.replace("../../target/", "target/").parse::<Table>() {
        Ok(table) => table,
        Err(error) => return vec![Finding::new(&apart.path, 1, error.to_string())],
    };
    let mut findings = Vec::new();
    let mut compare = |what: &str, one: Option<&Value>, other: Option<&Value>| {
        if one != other {
            findings.push(Finding::new(
                &apart.path,
                1,
                format!("{what} is not as in spin.toml"),
            ));
        }
    };
    let at = |table: &Table, path: &[&str]| -> Option<Value> {
        let (first, rest) = path.split_first()?;
        let start = table.get(*first)?.clone();
        rest.iter().try_fold(start, |value, key| value.get(key).cloned())
    };
    for path in [&["application", "tool"][..], &["trigger"]] {
        compare(
            &path.join("."),
            at(whole, path).as_ref(),
            at(&table, path).as_ref(),
        );
    }
    let declared = at(whole, &["component"]).and_then(|all| all.as_table().cloned());
    for (name, component) in declared.unwrap_or_default() {
        if OTHERWISE.contains(&name.as_str()) {
            continue;
        }
        let mut component = component.clone();
        if let Some(component) = component.as_table_mut() {
            component.remove("build");
        }
        compare(
            &format!("component {name}"),
            Some(&component),
            at(&table, &["component", &name]).as_ref(),
        );
    }
    let variables = at(whole, &["variables"]).and_then(|all| all.as_table().cloned());
    for (name, variable) in variables.unwrap_or_default() {
        // What only stock and payment have use for is declared where they are.
        let here = at(&table, &["variables", &name]);
        if here.is_some() || !is_of_others(&name) {
            compare(&format!("variable {name}"), Some(&variable), here.as_ref());
        }
    }
    findings
}

fn is_of_others(variable: &str) -> bool {
    [
        "fake_pg_rules",
        "payment_database",
        "pg_database",
        "stock_database",
    ]
    .contains(&variable)
}

/// The labels and variables of databases that the manifests grant, by the apps that do.
fn owners(manifests: &[&File]) -> BTreeMap<String, Vec<String>> {
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for manifest in manifests {
        let table: Table = manifest.text.parse().expect("a manifest is TOML");
        let components = table.get("component").and_then(Value::as_table);
        let labels = components.into_iter().flatten().flat_map(|(_, component)| {
            let labels = component.get("sqlite_databases").and_then(Value::as_array);
            labels.into_iter().flatten().filter_map(Value::as_str)
        });
        let variables = table.get("variables").and_then(Value::as_table);
        let variables = variables.into_iter().flatten();
        let addresses = variables.filter_map(|(name, _)| name.strip_suffix("_database"));
        for label in labels.chain(addresses) {
            let apps = owners.entry(label.to_owned()).or_default();
            if !apps.contains(&manifest.path) {
                apps.push(manifest.path.clone());
            }
        }
    }
    owners
}

fn files() -> Vec<File> {
    let mut files = crate::tree::files();
    files.retain(|file| MANIFESTS.contains(&file.path.as_str()));
    assert_eq!(files.len(), MANIFESTS.len(), "a manifest is missing");
    files
}

fn named<'a>(files: &'a [File], path: &str) -> &'a File {
    files
        .iter()
        .find(|file| file.path == path)
        .unwrap_or_else(|| panic!("there is no {path}"))
}

#[test]
fn what_is_not_about_being_apart_is_the_same() {
    let files = files();
    let whole: Table = named(&files, "spin.toml")
        .text
        .parse()
        .expect("spin.toml is TOML");
    crate::expect_none(&differences(&whole, named(&files, "deploy/remote/order.toml")));
    let limits = |path: &str| {
        let table: Table = named(&files, path).text.parse().expect("a manifest is TOML");
        let mut ours = table["application"]["tool"]["bodega"].clone();
        // Where the business is counted is asked of the gateway, which only one of them has.
        ours.as_table_mut().map(|ours| ours.remove("metrics"));
        ours
    };
    for path in &MANIFESTS[1..] {
        assert_eq!(limits(path), limits("spin.toml"), "{path}");
    }
}

#[test]
fn no_database_has_two_owners() {
    let files = files();
    let apart: Vec<&File> = files.iter().filter(|file| file.path != "spin.toml").collect();
    let owners = owners(&apart);
    assert!(owners.len() >= 8, "{owners:?}");
    let shared: Vec<_> = owners.iter().filter(|(_, apps)| apps.len() > 1).collect();
    assert!(shared.is_empty(), "{shared:?}");
}

#[test]
fn the_contracts_are_closed_in_one_app() {
    let files = files();
    let whole = named(&files, "spin.toml");
    assert!(
        !whole.text.contains("remote_key"),
        "nobody in the shop of one app needs it"
    );
}

#[test]
fn a_checkout_without_answers_ends_before_the_gateway_loses_patience() {
    let files = files();
    let apart: Table = named(&files, "deploy/remote/order.toml")
        .text
        .parse()
        .expect("it is TOML");
    let default = |name: &str| -> i64 {
        let default = apart["variables"][name].get("default").and_then(Value::as_str);
        default.and_then(|text| text.parse().ok()).expect("a number")
    };
    for (one_try, budget) in [
        ("remote_try_timeout_ms", "remote_budget_ms"),
        ("remote_money_try_timeout_ms", "remote_money_budget_ms"),
    ] {
        assert!(
            UNANSWERED * default(budget) < default("upstream_timeout_ms"),
            "{budget}"
        );
        assert!(default(one_try) < default(budget), "{one_try}");
    }
}

#[test]
fn a_difference_and_a_second_owner_are_found() {
    let whole = "[variables]\na = { default = \"1\" }\nfake_pg_rules = { default = \"\" }\n[component.cart]\nsource = \"target/components/cart.wasm\"\n[component.cart.build]\ncommand = \"x\"\n[component.stock]\nsource = \"target/components/stock.wasm\"\n";
    let same = "[variables]\na = { default = \"1\" }\nb = { default = \"2\" }\n[component.cart]\nsource = \"../../target/components/cart.wasm\"\n[component.stock]\nsource = \"../../target/components/stock-remote.wasm\"\n";
    let found = |text: &str| differences(&whole.parse().unwrap(), &File::new("order.toml", text)).len();
    assert_eq!(found(same), 0);
    assert_eq!(
        found(&same.replace("a = { default = \"1\" }", "a = { default = \"2\" }")),
        1
    );
    assert_eq!(found(&same.replace("a = { default = \"1\" }\n", "")), 1);
    assert_eq!(found(&same.replace("cart.wasm", "art.wasm")), 1);
    assert_eq!(found(&format!("{same}[trigger]\nhttp = []\n")), 1);
    assert_eq!(found("= 1"), 1);

    let one = File::new("one.toml", "[component.a]\nsqlite_databases = [\"x\", \"y\"]");
    let two = File::new("two.toml", "[variables]\ny_database = { default = \"\" }");
    let owners = owners(&[&one, &two]);
    assert_eq!((owners["x"].len(), owners["y"].len()), (1, 2));
}
