//! What one request asks of the host: counted, so the same on every machine.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ::tests::{Client, Reply, Shop};
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::place::{Place, close};
use crate::table::Table;

/// Statements that a checkout may take at most (DESIGN §4).
const GOAL_STATEMENTS: u64 = 15;
/// Commits that it should take.
const GOAL_COMMITS: u64 = 4;

/// The costs of some requests.
#[derive(Serialize)]
pub(crate) struct Costs {
    requests: Vec<Cost>,
}

/// What one kind of request costs.
#[derive(Serialize)]
struct Cost {
    request: &'static str,
    #[serde(flatten)]
    counts: Counts,
}

/// The host's counters, as it writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    requests: u64,
    instances: u64,
    host_calls: BTreeMap<String, u64>,
    databases: BTreeMap<String, Work>,
}

/// What one database did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Work {
    statements: u64,
    commits: u64,
}

const KINDS: [&str; 6] = [
    "GET /products/none",
    "GET /products/1",
    "POST /orders",
    "POST /orders, with a key",
    "POST /orders, out of stock",
    "GET /orders/me",
];

/// Counts each kind of request on a shop that has answered one of each before.
pub(crate) async fn measure(place: &Place) -> Result<Costs> {
    let shop = place.quiet_shop().await?;
    let customer = shop.customer().await?.client;
    let mut requests = Vec::new();
    for repeat in 0..2 {
        for kind in KINDS {
            let before = settled(&shop, &place.stats_file())?;
            request(&customer, kind, repeat).await?;
            let after = settled(&shop, &place.stats_file())?;
            if repeat > 0 {
                let counts = after.since(&before)?;
                ensure!(
                    counts.requests == 1,
                    "{kind}: counted {} requests",
                    counts.requests
                );
                requests.push(Cost {
                    request: kind,
                    counts,
                });
            }
        }
    }
    close(shop)?;
    Ok(Costs { requests })
}

async fn request(customer: &Client, kind: &str, repeat: u32) -> Result<()> {
    let (answer, expected) = match kind {
        "GET /products/1" => (customer.get("/products/1").await?, 200),
        "GET /products/none" => (customer.get("/products/none").await?, 404),
        "GET /orders/me" => (customer.get("/orders/me").await?, 200),
        "POST /orders" => (customer.order(1, 1).await?, 201),
        "POST /orders, out of stock" => (customer.order(3, 6).await?, 409),
        "POST /orders, with a key" => (keyed(customer, repeat).await?, 201),
        other => bail!("{other} is not a kind of request"),
    };
    ensure!(answer.status == expected, "{kind} answered {answer:?}");
    Ok(())
}

async fn keyed(customer: &Client, repeat: u32) -> Result<Reply> {
    let order = json!({"productId": 1, "quantity": 1, "paymentMethod": "CARD"});
    let request = customer.request(reqwest::Method::POST, "/orders").json(&order);
    customer
        .send(request.header("idempotency-key", format!("bench-{repeat}")))
        .await
}

/// The counters once they stand still: an instance may go on after its answer.
fn settled(shop: &Shop, file: &Path) -> Result<Counts> {
    let mut last = snapshot(shop, file)?;
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(20));
        let next = snapshot(shop, file)?;
        if next == last {
            return Ok(next);
        }
        last = next;
    }
    bail!("the shop does not come to rest: its counters go on");
}

/// Has the host write its counters.
fn snapshot(shop: &Shop, file: &Path) -> Result<Counts> {
    let process = shop.pid().context("the shop is not running")?.to_string();
    if file.exists() {
        fs::remove_file(file)?;
    }
    let signalled = Command::new("kill").args(["-USR1", &process]).status()?;
    ensure!(signalled.success(), "could not signal the host");
    let asked = Instant::now();
    while !file.exists() {
        ensure!(
            asked.elapsed() < Duration::from_secs(10),
            "the host wrote no counters"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    serde_json::from_slice(&fs::read(file)?).context("the host's counters make no sense")
}

impl Counts {
    /// What was added to an earlier reading.
    fn since(&self, earlier: &Self) -> Result<Self> {
        let less = |now: u64, then: u64| now.checked_sub(then).context("a counter went down");
        let mut added = Self {
            requests: less(self.requests, earlier.requests)?,
            instances: less(self.instances, earlier.instances)?,
            ..Self::default()
        };
        for (kind, calls) in &self.host_calls {
            let then = earlier.host_calls.get(kind).copied().unwrap_or_default();
            added.host_calls.insert(kind.clone(), less(*calls, then)?);
        }
        for (label, work) in &self.databases {
            let then = earlier.databases.get(label).copied().unwrap_or_default();
            let work = Work {
                statements: less(work.statements, then.statements)?,
                commits: less(work.commits, then.commits)?,
            };
            added.databases.insert(label.clone(), work);
        }
        Ok(added)
    }

    fn in_all(&self) -> Work {
        let works = self.databases.values();
        Work {
            statements: works.clone().map(|work| work.statements).sum(),
            commits: works.map(|work| work.commits).sum(),
        }
    }
}

impl Costs {
    fn table<'a>(
        &'a self,
        title: &str,
        columns: &[&'a str],
        cell: impl Fn(&Counts, &str) -> String,
    ) -> Table {
        let head: Vec<&str> = std::iter::once(title).chain(columns.iter().copied()).collect();
        let mut table = Table::new(&head);
        for Cost { request, counts } in &self.requests {
            let cells = columns.iter().map(|column| cell(counts, column));
            table.row(std::iter::once((*request).to_owned()).chain(cells));
        }
        table
    }
}

fn number(count: u64) -> String {
    match count {
        0 => "-".to_owned(),
        some => some.to_string(),
    }
}

impl Work {
    /// Such as `5/1`, or `-` for a database that was not asked.
    fn cell(self) -> String {
        match self {
            Self {
                statements: 0,
                commits: 0,
            } => "-".to_owned(),
            Self { statements, commits } => format!("{statements}/{commits}"),
        }
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Cost { counts: first, .. }) = self.requests.first() else {
            return Ok(());
        };
        let calls: Vec<&str> = first.host_calls.keys().map(String::as_str).collect();
        let columns: Vec<&str> = std::iter::once("instances").chain(calls).collect();
        let table = self.table("host calls", &columns, |counts, column| match column {
            "instances" => number(counts.instances),
            kind => number(counts.host_calls.get(kind).copied().unwrap_or_default()),
        });
        write!(f, "\n{table}")?;
        let labels = first.databases.keys().map(String::as_str);
        let columns: Vec<&str> = labels.chain(["in all"]).collect();
        let table = self.table("statements/commits", &columns, |counts, column| match column {
            "in all" => counts.in_all().cell(),
            label => counts.databases.get(label).copied().unwrap_or_default().cell(),
        });
        write!(f, "\n{table}")?;
        let checkout = self.requests.iter().find(|cost| cost.request == "POST /orders");
        let spent = checkout.map(|cost| cost.counts.in_all()).unwrap_or_default();
        let kept = spent.statements <= GOAL_STATEMENTS && spent.commits <= GOAL_COMMITS;
        let verdict = if kept { "kept" } else { "MISSED" };
        writeln!(f, "  BEGIN and COMMIT are counted")?;
        writeln!(
            f,
            "  goal: at most {GOAL_STATEMENTS}/{GOAL_COMMITS} for POST /orders: {verdict}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(statements: u64) -> Counts {
        let text = format!(
            r#"{{"requests":{statements},"instances":1,"host_calls":{{"sqlite":{statements}}},
                "databases":{{"order":{{"statements":{statements},"commits":1}}}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_difference_of_two_readings_is_what_happened_between_them() {
        let added = counts(9).since(&counts(4)).unwrap();
        assert_eq!(
            (added.requests, added.instances, added.host_calls["sqlite"]),
            (5, 0, 5)
        );
        assert_eq!(
            added.in_all(),
            Work {
                statements: 5,
                commits: 0
            }
        );
        assert!(
            counts(4).since(&counts(9)).is_err(),
            "a host that was restarted in between"
        );
    }

    #[test]
    fn a_database_that_appears_later_counts_from_nothing() {
        let added = counts(3).since(&Counts::default()).unwrap();
        assert_eq!(
            added.in_all(),
            Work {
                statements: 3,
                commits: 1
            }
        );
    }
}
