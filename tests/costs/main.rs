//! The guard over what a request costs: statements, commits, host calls and instances, counted, so that it can't be
//! noisy. `UPDATE_EXPECT=1 cargo xtask test --test costs` writes `baseline.json` anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tests::{Cost, Shop, audit, cost_flags, costs, workspace};

/// What may be more or less than the baseline, in percent of it.
const TOLERANCE: u64 = 5;

/// By request, each count by its name, such as `statements/order`; those that are nothing are left out.
type Table = BTreeMap<String, BTreeMap<String, u64>>;

#[tokio::test]
async fn no_request_costs_more_than_the_baseline_says() {
    let found = count().await.expect("every kind of request can be counted");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let mut text = serde_json::to_string_pretty(&found).expect("counts are JSON");
        text.push('\n');
        std::fs::write(file(), text).expect("the baseline can be written");
        return;
    }
    let text = std::fs::read_to_string(file()).expect("there is a baseline");
    let baseline: Table = serde_json::from_str(&text).expect("the baseline is JSON");
    let changes = changes(&baseline, &found);
    tests::say(&format!("{} kinds of requests counted", found.len()));
    assert!(changes.is_empty(), "\n{}\n", report(&changes));
}

async fn count() -> anyhow::Result<Table> {
    let folder = tempfile::tempdir()?;
    let stats = folder.path().join("stats.json");
    let mut flags = cost_flags();
    let path = stats.to_string_lossy();
    flags.extend(["--stats-file", &path]);
    let mut shop = Shop::start_with(&flags)?;
    let counted = costs(&shop, &stats).await?;
    shop.stop()?;
    let broken = audit(shop.folder())?;
    assert!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
    let row = |cost: &Cost| (cost.request.to_owned(), names(cost));
    Ok(counted.iter().map(row).collect())
}

fn names(cost: &Cost) -> BTreeMap<String, u64> {
    let counts = &cost.counts;
    let calls = counts.host_calls.iter();
    let calls = calls.map(|(kind, count)| (format!("calls/{kind}"), *count));
    let work = counts.databases.iter().flat_map(|(label, work)| {
        [
            (format!("statements/{label}"), work.statements),
            (format!("commits/{label}"), work.commits),
        ]
    });
    let all = calls
        .chain(work)
        .chain([("instances".to_owned(), counts.instances)]);
    all.filter(|(_, count)| *count > 0).collect()
}

fn file() -> PathBuf {
    workspace().join("tests/costs/baseline.json")
}

/// One count that is not what the baseline says.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    request: String,
    count: String,
    was: u64,
    is: u64,
}

fn changes(baseline: &Table, found: &Table) -> Vec<Change> {
    let nothing = BTreeMap::new();
    let requests: BTreeSet<_> = baseline.keys().chain(found.keys()).collect();
    let mut changes = Vec::new();
    for request in requests {
        let was = baseline.get(request).unwrap_or(&nothing);
        let is = found.get(request).unwrap_or(&nothing);
        for count in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            let of = |counts: &BTreeMap<String, u64>| counts.get(count).copied().unwrap_or_default();
            let (was, is) = (of(was), of(is));
            if 100 * was.abs_diff(is) > TOLERANCE * was {
                changes.push(Change {
                    request: request.clone(),
                    count: count.clone(),
                    was,
                    is,
                });
            }
        }
    }
    changes
}

fn report(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let word = if change.is > change.was { "grew" } else { "fell" };
        format!(
            "{word}  {:<32} {:<22} {:>4} -> {}",
            change.request, change.count, change.was, change.is
        )
    };
    let mut lines: Vec<String> = changes.iter().map(line).collect();
    lines.sort();
    if changes.iter().all(|change| change.is < change.was) {
        lines.push("lower the baseline: UPDATE_EXPECT=1".to_owned());
    } else {
        lines.push("what grew has to be worth it: then UPDATE_EXPECT=1 raises the baseline".to_owned());
    }
    lines.join("\n")
}

/// A table of one request with one count.
fn table(count: &str, number: u64) -> Table {
    let counts = [(count.to_owned(), number)].into();
    [("GET /a".to_owned(), counts)].into()
}

#[test]
fn what_grows_or_falls_by_more_than_a_twentieth_is_found() {
    let change = |was, is| changes(&table("statements/order", was), &table("statements/order", is)).len();
    assert_eq!([change(40, 40), change(40, 42), change(40, 38)], [0, 0, 0]);
    assert_eq!(
        [change(40, 43), change(40, 37), change(6, 7), change(6, 5)],
        [1, 1, 1, 1]
    );
}

#[test]
fn what_was_not_there_before_and_what_is_not_there_any_more_is_found() {
    let (was, is) = (table("commits/order", 2), table("commits/stock", 1));
    let told = report(&changes(&was, &is));
    assert!(
        told.contains("fell  GET /a") && told.contains("grew  GET /a"),
        "{told}"
    );
    let told = report(&changes(&was, &Table::new()));
    assert!(told.ends_with("lower the baseline: UPDATE_EXPECT=1"), "{told}");
}
