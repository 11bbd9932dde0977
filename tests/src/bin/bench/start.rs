//! From the command to the first page.

use std::fmt;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use tests::Shop;

use crate::figures::{median, millis};
use crate::flags::Plan;
use crate::memory::{Held, held};
use crate::place::{Place, first_page, stop};
use crate::table::Table;

/// What a second start may take at most.
const GOAL_MS: f64 = 2000.0;

/// Every start of a run.
#[derive(Serialize)]
pub(crate) struct Starts {
    /// Nothing compiled, no data.
    cold: Vec<Start>,
    /// Compiled components and data of an earlier start.
    warm: Vec<Start>,
}

/// One start.
#[derive(Clone, Copy, Serialize)]
struct Start {
    /// When connections were accepted, in ms from the start of the process.
    announced_ms: f64,
    /// When a product's page had been answered.
    answered_ms: f64,
    /// What the process held then: compiling leaves its traces.
    memory: Held,
}

/// Starts shops, each cold first and then warm a few times.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Result<Starts> {
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..plan.cold_starts {
        place.forget_compiled()?;
        let mut shop = place.shop()?;
        cold.push(start(&mut shop).await?);
        for _ in 0..plan.warm_starts {
            stop(&mut shop)?;
            warm.push(start(&mut shop).await?);
        }
    }
    Ok(Starts { cold, warm })
}

async fn start(shop: &mut Shop) -> Result<Start> {
    let began = Instant::now();
    shop.resume()?;
    let announced = began.elapsed();
    first_page(shop).await?;
    Ok(Start {
        announced_ms: millis(announced),
        answered_ms: millis(began.elapsed()),
        memory: held(shop)?,
    })
}

impl fmt::Display for Starts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "start, ms",
            "runs",
            "announced",
            "first page",
            "fastest",
            "slowest",
            "resident, MB",
        ]);
        for (name, starts) in [("nothing compiled", &self.cold), ("second start", &self.warm)] {
            let answered = || starts.iter().map(|start| start.answered_ms);
            let figures = [
                median(starts.iter().map(|start| start.announced_ms)),
                median(answered()),
                answered().fold(f64::INFINITY, f64::min),
                answered().fold(0.0, f64::max),
                median(starts.iter().map(|start| start.memory.resident_mb())),
            ];
            let cells = figures.map(|ms| format!("{ms:.0}"));
            table.row(
                [name.to_owned(), starts.len().to_string()]
                    .into_iter()
                    .chain(cells),
            );
        }
        write!(f, "\n{table}")?;
        let second = median(self.warm.iter().map(|start| start.answered_ms));
        let verdict = if second < GOAL_MS { "kept" } else { "MISSED" };
        writeln!(f, "  goal: second start under {GOAL_MS:.0} ms: {verdict}")
    }
}
