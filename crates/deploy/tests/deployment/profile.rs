//! The manifests that are made of the shop's own `spin.toml`.

use std::fs;
use std::path::Path;

use deploy::{Part, profile};
use toml::{Table, Value};

use crate::tools::root;

fn made(part: Part) -> Table {
    let text = fs::read_to_string(root().join("spin.toml")).expect("there is a spin.toml");
    let made = profile(&text, part, Path::new(""), Path::new("target/spin"));
    let made = made.unwrap_or_else(|error| panic!("{error}"));
    made.parse().expect("what was written is TOML")
}

fn names(table: &Table, key: &str) -> Vec<String> {
    table[key]
        .as_table()
        .into_iter()
        .flat_map(Table::keys)
        .cloned()
        .collect()
}

#[test]
fn the_shop_for_requests_keeps_every_domain_and_no_clock() {
    let made = made(Part::Http);
    assert_eq!(names(&made, "trigger"), ["http"]);
    for component in [
        "gateway",
        "account",
        "order",
        "stock",
        "payment",
        "settlement",
        "outbox",
    ] {
        assert!(
            names(&made, "component").contains(&component.to_owned()),
            "{component} is gone"
        );
    }
    let text = toml::to_string(&made).expect("it was read");
    for gone in ["local://", ".tool.", "cron"] {
        assert!(!text.contains(gone), "{gone} means nothing to SpinKube");
    }
    let required = |name: &str| made["variables"][name].get("required") == Some(&Value::Boolean(true));
    for name in [
        "events_address",
        "events_host",
        "limits_address",
        "limits_host",
        "order_database",
        "postgres_host",
    ] {
        assert!(required(name), "{name} has to be said");
    }
}

#[test]
fn the_consumer_is_the_settlement_alone() {
    let made = made(Part::Consumer);
    assert_eq!(names(&made, "component"), ["settlement"]);
    let channels: Vec<&str> = made["trigger"]["redis"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|trigger| trigger.get("channel")?.as_str())
        .collect();
    assert_eq!(channels, ["shop.payment", "shop.order"]);
}

#[test]
fn what_a_profile_names_is_what_the_build_makes() {
    for part in [Part::Http, Part::Consumer] {
        let made = made(part);
        let text = toml::to_string(&made).expect("it was read");
        let paths = text.split('"').filter(|word| word.ends_with(".wasm"));
        let mut count = 0;
        for path in paths {
            count += 1;
            let name = path
                .strip_prefix("../components/")
                .unwrap_or_else(|| panic!("{path} is not beside target/spin"));
            let folder = name.trim_end_matches(".wasm").trim_end_matches("-whole");
            assert!(
                root().join("components").join(folder).is_dir(),
                "nobody builds {path}"
            );
        }
        assert!(count > 0, "{part:?} names no component");
    }
}
