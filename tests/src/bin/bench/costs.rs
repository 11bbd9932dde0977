//! What one request asks of the host: counted, so the same on every machine.

use std::fmt;

use ::tests::{Cost, Counts, Work};
use anyhow::Result;
use serde::Serialize;

use crate::place::{Place, close};
use crate::table::Table;

/// Statements that a checkout may take at most (DESIGN §4).
const GOAL_STATEMENTS: u64 = 15;
/// Commits that it should take.
const GOAL_COMMITS: u64 = 4;

/// The costs of some requests.
#[derive(Serialize)]
pub(crate) struct Costs {
    requests: Vec<Request>,
}

/// What one kind of request costs.
#[derive(Serialize)]
struct Request {
    request: &'static str,
    #[serde(flatten)]
    counts: Counts,
}

/// Counts each kind of request on a shop that has answered one of each before.
pub(crate) async fn measure(place: &Place) -> Result<Costs> {
    let shop = place.quiet_shop().await?;
    let counted = ::tests::costs(&shop, &place.stats_file()).await?;
    close(shop).await?;
    let request = |Cost { request, counts }| Request { request, counts };
    Ok(Costs {
        requests: counted.into_iter().map(request).collect(),
    })
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
        for Request { request, counts } in &self.requests {
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

/// Such as `5/1`, or `-` for a database that was not asked.
fn cell(work: Work) -> String {
    match (work.statements, work.commits) {
        (0, 0) => "-".to_owned(),
        (statements, commits) => format!("{statements}/{commits}"),
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Request { counts: first, .. }) = self.requests.first() else {
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
            "in all" => cell(counts.in_all()),
            label => cell(counts.databases.get(label).copied().unwrap_or_default()),
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
