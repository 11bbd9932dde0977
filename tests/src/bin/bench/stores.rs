//! The shop on SQLite, on Postgres, and as two processes on one Postgres, in turns.

use std::fmt;

use anyhow::{Result, ensure};
use serde::Serialize;
use testkit::servers::Sync;
use tests::{Bus, Servers, Shop, token_of};
use web::Role;

use crate::figures::{Figures, median};
use crate::flags::Plan;
use crate::load::{Ask, Until, drive};
use crate::place::first_page;
use crate::table::Table;

const CLIENTS: usize = 32;

/// Orders before anything is measured.
const WARM_UP: usize = 200;

/// Pieces of product 1 that are there.
const PIECES: u64 = 1_000_000;

/// Checkouts by the same clients, of one product, against each of the shops.
#[derive(Serialize)]
pub(crate) struct Stores {
    /// Without Postgres or Redis installed there is nothing to compare.
    shops: Vec<Measured>,
}

/// One of the shops.
#[derive(Serialize)]
struct Measured {
    name: &'static str,
    figures: Figures,
    /// The median over the rounds of its rate in parts of that on SQLite in the same round.
    ratio: f64,
}

/// A shop, and who buys in it.
struct Side {
    name: &'static str,
    shop: Shop,
    asks: Vec<Ask>,
    rounds: Vec<Figures>,
}

impl Side {
    /// The clients are spread over its processes.
    async fn of(name: &'static str, mut shop: Shop, processes: usize) -> Result<Self> {
        shop.resume()?;
        for _ in 0..processes {
            first_page(&shop).await?;
        }
        shop.stock_up(1, PIECES)?;
        let client = |number: usize| {
            let token = token_of(1_000 + number as u64, Role::User);
            let visitor = shop.visitor_of(number % processes)?;
            Ok(Ask::order(&visitor.with_token(&token)))
        };
        let asks: Vec<Ask> = (0..CLIENTS).map(client).collect::<Result<_>>()?;
        drive(&asks[..8], Until::Count(WARM_UP)).await?;
        Ok(Self {
            name,
            shop,
            asks,
            rounds: Vec::new(),
        })
    }

    /// Fails if the shop lost count.
    async fn end(self) -> Result<(&'static str, Vec<Figures>)> {
        self.shop.settled().await?;
        let broken = tests::audit(self.shop.folder())?;
        ensure!(
            broken.is_empty(),
            "{}: broken invariants:\n{}",
            self.name,
            broken.join("\n")
        );
        Ok((self.name, self.rounds))
    }
}

/// Lets the shops take turns. Every commit waits for the disk, in SQLite and in Postgres.
pub(crate) async fn measure(plan: &Plan) -> Result<Stores> {
    let servers = || Servers::shared(Sync::On, Bus::Redis);
    let (Some(one), Some(two)) = (servers(), servers()) else {
        return Ok(Stores { shops: Vec::new() });
    };
    let manifest = tests::workspace().join("spin.toml");
    let mut sides = [
        Side::of("SQLite", Shop::prepare(&manifest, &[])?, 1).await?,
        Side::of("Postgres", Shop::cluster(one, 1)?, 1).await?,
        Side::of("Postgres, two processes", Shop::cluster(two, 2)?, 2).await?,
    ];
    for _ in 0..plan.buying_rounds {
        for side in &mut sides {
            let run = drive(&side.asks, Until::Time(plan.buying)).await?;
            side.rounds.push(run.figures()?);
        }
    }
    let mut ended = Vec::new();
    for side in sides {
        ended.push(side.end().await?);
    }
    let base: Vec<f64> = ended[0].1.iter().map(|round| round.per_second).collect();
    let measured = |(name, rounds): (&'static str, Vec<Figures>)| Measured {
        name,
        ratio: median(
            rounds
                .iter()
                .zip(&base)
                .map(|(round, base)| round.per_second / base),
        ),
        figures: Figures::median(&rounds),
    };
    Ok(Stores {
        shops: ended.into_iter().map(measured).collect(),
    })
}

impl fmt::Display for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shops.is_empty() {
            return writeln!(f, "\n  SKIPPED: Postgres or Redis is not installed");
        }
        let head = format!("checkouts of one product, {CLIENTS} clients");
        let mut table = Table::new(&[&head, "/s", "p50 ms", "p99 ms", "ratio"]);
        for shop in &self.shops {
            let figures = &shop.figures;
            table.row([
                shop.name.to_owned(),
                format!("{:.0}", figures.per_second),
                format!("{:.1}", figures.p50_us / 1e3),
                format!("{:.1}", figures.p99_us / 1e3),
                format!("{:.2}", shop.ratio),
            ]);
        }
        write!(f, "\n{table}")
    }
}
