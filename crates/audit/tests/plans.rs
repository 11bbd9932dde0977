//! No statement that grows with the shop scans a table: pages are read by key.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod shop;

use std::collections::BTreeMap;
use std::fs;

use audit::Label;
use shop::{Ground, House, Time, workspace};

/// Where each statement runs.
const DATABASES: &[(&str, Label)] = &[
    ("accounts", Label::Account),
    ("entries", Label::Settlement),
    ("events", Label::Order),
    ("gateway", Label::Gateway),
    ("gone", Label::Stock),
    ("heard", Label::Settlement),
    ("held", Label::Stock),
    ("history", Label::Stock),
    ("in_work", Label::Order),
    ("inbox", Label::Settlement),
    ("level", Label::Stock),
    ("occurred", Label::Order),
    ("on_its_way", Label::Payment),
    ("orders", Label::Order),
    ("payments", Label::Payment),
    ("refunds", Label::Payment),
    ("relay", Label::Order),
    ("reservations", Label::Stock),
    ("skus", Label::Stock),
    ("told", Label::Order),
    ("unbalanced", Label::Settlement),
    ("unplaced", Label::Order),
    ("work", Label::Order),
];

/// One statement over all of the ledger's days; once in a round of the patrol, and with a full look.
const OVER_EVERYTHING: &[&str] = &["days", "count_days"];

/// The statement about a range of orders, and about some.
fn forms(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once("where {") else {
        return vec![text.to_owned()];
    };
    let (column, after) = rest.split_once('}').unwrap();
    ["> ?1 and {column} <= ?2", "in (?1, ?2, ?3)"]
        .map(|condition| {
            let condition = condition.replace("{column}", column);
            format!("{before}where {column} {condition}{after}")
        })
        .to_vec()
}

#[test]
fn pages_are_read_by_key() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(Ground::Files(folder.path()), Time::running(1));
    let databases: BTreeMap<&str, Label> = DATABASES.iter().copied().collect();
    let mut scans = Vec::new();
    for entry in fs::read_dir(workspace().join("crates/audit/src/sql")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if OVER_EVERYTHING.contains(&name) {
            continue;
        }
        let label = databases
            .get(name)
            .unwrap_or_else(|| panic!("where does {name} run?"));
        let audit::Address::File(file) = house.ground.address(label.as_str()) else {
            panic!("this shop is files");
        };
        let database = rusqlite::Connection::open(file).unwrap();
        for form in forms(&fs::read_to_string(&path).unwrap()) {
            let mut plan = database.prepare(&format!("explain query plan {form}")).unwrap();
            let mut rows = plan.raw_query();
            while let Some(row) = rows.next().unwrap() {
                let step: String = row.get("detail").unwrap();
                // What a subquery has answered is scanned, and the relay's table is one row.
                if step.starts_with("SCAN") && !step.contains("change") && step != "SCAN relay" {
                    scans.push(format!("{name}: {step}"));
                }
            }
        }
    }
    assert!(scans.is_empty(), "{}", scans.join("\n"));
}
