//! Orders by many at once, all for the same product: for orientation.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use serde::Serialize;
use tests::Shop;

use crate::figures::{Figures, median};
use crate::flags::Plan;
use crate::load::{Ask, Until, drive};
use crate::machine;
use crate::memory::{Held, held};
use crate::place::{Place, close};
use crate::table::Table;

/// How many buy at the same time.
const CROWDS: [usize; 3] = [1, 8, 64];

/// Orders before anything is measured: the databases' logs have reached their size and are written over.
const WARM_UP: usize = 600;

/// The figures of every crowd.
#[derive(Serialize)]
pub(crate) struct Checkouts {
    crowds: Vec<Crowd>,
    /// When all had bought.
    memory: Held,
}

/// So many customers, each buying again as soon as the last order is answered.
#[derive(Serialize)]
struct Crowd {
    customers: usize,
    /// Of orders that were paid; medians over the rounds.
    figures: Figures,
    /// All answers by status.
    statuses: BTreeMap<u16, usize>,
    /// What making 4 kB durable took just before, since most of a checkout is that.
    sync_ms: f64,
}

/// What a crowd did in one round.
struct Round {
    figures: Figures,
    statuses: BTreeMap<u16, usize>,
    sync_ms: f64,
}

/// Lets the crowds buy in turn; the shop is audited afterwards.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Result<Checkouts> {
    let shop = place.stocked_shop().await?;
    let buyers = buyers(&shop).await?;
    drive(&buyers, Until::Count(WARM_UP)).await?.strict_figures()?;
    let mut rounds = CROWDS.map(|_| Vec::new());
    for _ in 0..plan.buying_rounds {
        for (customers, rounds) in CROWDS.iter().zip(&mut rounds) {
            let sync_ms = machine::sync(place.path())?;
            let mut run = drive(&buyers[..*customers], Until::Time(plan.buying)).await?;
            rounds.push(Round {
                figures: run.figures()?,
                statuses: run.statuses,
                sync_ms,
            });
        }
    }
    let memory = held(&shop)?;
    close(shop)?;
    let crowds = CROWDS.iter().zip(&rounds);
    Ok(Checkouts {
        crowds: crowds
            .map(|(customers, rounds)| Crowd::of(*customers, rounds))
            .collect(),
        memory,
    })
}

/// As many customers as the largest crowd has, each logged in once.
async fn buyers(shop: &Shop) -> Result<Vec<Ask>> {
    let mut buyers = Vec::new();
    for _ in 0..CROWDS.into_iter().max().unwrap_or_default() {
        buyers.push(Ask::order(&shop.customer().await?.client));
    }
    Ok(buyers)
}

impl Crowd {
    fn of(customers: usize, rounds: &[Round]) -> Self {
        let figures: Vec<_> = rounds.iter().map(|round| round.figures).collect();
        let mut statuses = BTreeMap::new();
        for (status, count) in rounds.iter().flat_map(|round| &round.statuses) {
            *statuses.entry(*status).or_default() += count;
        }
        Self {
            customers,
            figures: Figures::median(&figures),
            statuses,
            sync_ms: median(rounds.iter().map(|round| round.sync_ms)),
        }
    }
}

impl fmt::Display for Checkouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "checkouts, ms",
            "p50",
            "p95",
            "p99",
            "orders/s",
            "fsync",
            "answers",
        ];
        let mut table = Table::new(&head);
        for crowd in &self.crowds {
            let figures = &crowd.figures;
            let times = [figures.p50_us, figures.p95_us, figures.p99_us].map(|us| format!("{:.1}", us / 1e3));
            let answers: Vec<String> = crowd
                .statuses
                .iter()
                .map(|(status, count)| format!("{count} × {status}"))
                .collect();
            let row = std::iter::once(format!("{} customers", crowd.customers)).chain(times);
            table.row(row.chain([
                format!("{:.0}", figures.per_second),
                format!("{:.2}", crowd.sync_ms),
                answers.join(", "),
            ]));
        }
        writeln!(f, "\n{table}  {}; nothing broken in the audit", self.memory)
    }
}
