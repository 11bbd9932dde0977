//! Orders by many at once, all for the same product: for orientation.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use serde::Serialize;

use crate::figures::Figures;
use crate::flags::Plan;
use crate::load::{Ask, Until, drive};
use crate::memory::{Held, held};
use crate::place::{Place, close};
use crate::table::Table;

/// How many buy at the same time.
const CROWDS: [usize; 3] = [1, 8, 64];

/// Orders before anything is measured.
const WARM_UP: usize = 20;

/// The figures of every crowd.
#[derive(Serialize)]
pub(crate) struct Checkouts {
    crowds: Vec<Crowd>,
    memory: Held,
}

/// So many customers, each buying again as soon as the last order is answered.
#[derive(Serialize)]
struct Crowd {
    customers: usize,
    /// Of orders that were paid.
    figures: Figures,
    /// All answers by status.
    statuses: BTreeMap<u16, usize>,
}

/// Lets crowds buy; the shop is audited afterwards.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Result<Checkouts> {
    let shop = place.stocked_shop().await?;
    let mut buyers = Vec::new();
    for _ in 0..CROWDS.into_iter().max().unwrap_or_default() {
        buyers.push(Ask::order(&shop.customer().await?.client));
    }
    drive(&buyers[..1], Until::Count(WARM_UP))
        .await?
        .strict_figures()?;
    let mut crowds = Vec::new();
    for customers in CROWDS {
        let mut run = drive(&buyers[..customers], Until::Time(plan.buying)).await?;
        crowds.push(Crowd {
            customers,
            figures: run.figures()?,
            statuses: run.statuses,
        });
    }
    let memory = held(&shop)?;
    close(shop)?;
    Ok(Checkouts { crowds, memory })
}

impl fmt::Display for Checkouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["checkouts, ms", "p50", "p95", "p99", "orders/s", "answers"]);
        for crowd in &self.crowds {
            let figures = &crowd.figures;
            let times = [figures.p50_us, figures.p95_us, figures.p99_us].map(|us| format!("{:.1}", us / 1e3));
            let answers: Vec<String> = crowd
                .statuses
                .iter()
                .map(|(status, count)| format!("{count} × {status}"))
                .collect();
            let row = std::iter::once(format!("{} customers", crowd.customers)).chain(times);
            table.row(row.chain([format!("{:.0}", figures.per_second), answers.join(", ")]));
        }
        writeln!(f, "\n{table}  {}; nothing broken in the audit", self.memory)
    }
}
