//! What the shop does under a load of each kind: how much, how fast, and what it takes.

mod cast;
mod parts;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use serde::Serialize;
use tests::{Counts, Shop};

pub(crate) use cast::{Cast, Scenario};
use parts::Parts;

use crate::disk::{Commits, Disk};
use crate::figures::{Figures, median};
use crate::flags::Plan;
use crate::load::{Until, drive};
use crate::machine;
use crate::memory::{Held, held};
use crate::place::{Audited, Place, close};
use crate::process;
use crate::table::Table;

/// Checkouts before anything is measured: the databases' logs have reached their size and are written over.
const WARM_UP: usize = 600;

/// The figures of every scenario, on the disk as it is and on a slower one.
#[derive(Serialize)]
pub(crate) struct Scenarios {
    shops: Vec<Measured>,
}

/// One shop.
#[derive(Serialize)]
struct Measured {
    disk: Disk,
    /// What making 4 kB durable took at the start, without the delay.
    sync_ms: f64,
    /// When all had logged in: a password takes memory, too.
    signed_in: Held,
    rows: Vec<Row>,
    audited: Audited,
}

/// One scenario with so many clients; medians over the rounds.
#[derive(Clone, Serialize)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) scenario: &'static str,
    /// How many clients.
    pub(crate) clients: usize,
    /// Of what the scenario is about.
    pub(crate) figures: Figures,
    /// Of the other kind of request in it.
    other: Option<(&'static str, Figures)>,
    /// All answers by status.
    statuses: BTreeMap<u16, usize>,
    /// The clients' share of one core.
    own_share: f64,
    /// What one of its requests took of the host, jobs and events included.
    parts: Parts,
    /// The process at the end of the last round.
    memory: Held,
}

/// Lets every crowd do everything in turn; each shop is audited afterwards.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Result<Scenarios> {
    let mut shops = Vec::new();
    for disk in &plan.disks {
        match disk.flags(Commits::Grouped, place)? {
            Some(flags) => shops.push(on(place, plan, *disk, &flags).await?),
            None => eprintln!("  left out: this host can't delay its fsyncs"),
        }
    }
    Ok(Scenarios { shops })
}

async fn on(place: &Place, plan: &Plan, disk: Disk, flags: &[String]) -> Result<Measured> {
    let flags = flags.iter().map(String::as_str).chain(["--meters"]);
    let shop = place.market(&flags.collect::<Vec<_>>()).await?;
    let sync_ms = machine::sync(place.path())?;
    let cast = Cast::sign_in(&shop, &plan.crowds, plan.signs_in).await?;
    let signed_in = held(&shop)?;
    let warm_up = cast.asks(Scenario::Spread, 8);
    drive(&warm_up, Until::Count(WARM_UP)).await?.strict_figures()?;
    let mut rounds: BTreeMap<(usize, usize), Vec<Row>> = BTreeMap::new();
    for _ in 0..plan.buying_rounds {
        for (at, scenario) in Scenario::ALL.into_iter().enumerate() {
            for clients in &plan.crowds {
                let asks = cast.asks(scenario, *clients);
                let row = Row::measure(place, &shop, scenario, &asks, Until::Time(plan.buying)).await?;
                rounds.entry((at, *clients)).or_default().push(row);
            }
        }
    }
    let rows = rounds.values().map(|rounds| Row::median(rounds)).collect();
    Ok(Measured {
        disk,
        sync_ms,
        signed_in,
        rows,
        audited: close(shop).await?,
    })
}

impl Row {
    /// One round of a scenario.
    pub(crate) async fn measure(
        place: &Place,
        shop: &Shop,
        scenario: Scenario,
        asks: &[crate::load::Ask],
        until: Until,
    ) -> Result<Self> {
        let counts = Counts::read(shop, &place.stats_file())?;
        let cpu = process::of(shop)?;
        let run = drive(asks, until).await?;
        let cpu_after = process::of(shop)?;
        let counts_after = Counts::read(shop, &place.stats_file())?;
        let (figures, other) = scenario.figures(&run)?;
        let requests = scenario.requests(&run);
        Ok(Self {
            scenario: scenario.name(),
            clients: asks.len(),
            figures,
            other,
            own_share: run.own_share(),
            parts: Parts::of(
                &counts_after.since(&counts)?,
                &cpu_after.each(&cpu, requests),
                requests,
            ),
            memory: held(shop)?,
            statuses: run.statuses,
        })
    }

    /// Rounds of the same as one.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let last = rounds.last().expect("a scenario has at least one round");
        let figures: Vec<_> = rounds.iter().map(|round| round.figures).collect();
        let others: Vec<_> = rounds.iter().filter_map(|round| round.other).collect();
        let of_others: Vec<_> = others.iter().map(|(_, figures)| *figures).collect();
        let mut statuses = BTreeMap::new();
        for (status, count) in rounds.iter().flat_map(|round| &round.statuses) {
            *statuses.entry(*status).or_default() += count;
        }
        Self {
            figures: Figures::median(&figures),
            other: others
                .first()
                .map(|(name, _)| (*name, Figures::median(&of_others))),
            statuses,
            own_share: median(rounds.iter().map(|round| round.own_share)),
            parts: Parts::median(&rounds.iter().map(|round| &round.parts).collect::<Vec<_>>()),
            ..last.clone()
        }
    }

    fn cells(&self) -> Vec<String> {
        let Figures {
            p50_us,
            p95_us,
            p99_us,
            per_second,
        } = self.figures;
        let mut cells = vec![
            format!("{}, {}", self.scenario, self.clients),
            format!("{per_second:.0}"),
        ];
        cells.extend([p50_us, p95_us, p99_us].map(|us| format!("{:.2}", us / 1e3)));
        cells.extend(self.parts.cells());
        cells.push(format!("{:.0}", self.memory.resident_mb()));
        cells.push(format!("{:.0}", 100.0 * self.own_share));
        cells.push(told(&self.statuses));
        cells
    }
}

/// Such as `12 × 200, 1 × 503`.
pub(crate) fn told(statuses: &BTreeMap<u16, usize>) -> String {
    let each = statuses
        .iter()
        .map(|(status, count)| format!("{count} × {status}"));
    each.collect::<Vec<_>>().join(", ")
}

impl Scenarios {
    /// The rows on the disk as it is, by scenario.
    pub(crate) fn curves(&self) -> BTreeMap<&'static str, Vec<&Row>> {
        let mut curves: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in self.shops.iter().take(1).flat_map(|shop| &shop.rows) {
            curves.entry(row.scenario).or_default().push(row);
        }
        curves
    }
}

impl fmt::Display for Scenarios {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shops.iter().try_for_each(|shop| shop.fmt(f))
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  {} (4 kB: {:.2} ms)", self.disk, self.sync_ms)?;
        let mut head = vec!["scenario, clients", "/s", "p50 ms", "p95", "p99"];
        head.extend(Parts::HEAD);
        head.extend(["RSS MB", "load %", "answers"]);
        let mut table = Table::new(&head);
        for row in &self.rows {
            table.row(row.cells());
        }
        write!(f, "{table}")?;
        for row in &self.rows {
            if let Some((name, figures)) = row.other {
                let [p50, p99] = [figures.p50_us, figures.p99_us].map(|us| us / 1e3);
                let Row {
                    scenario, clients, ..
                } = row;
                writeln!(
                    f,
                    "  {scenario}, {clients}: {name} p50 {p50:.2} ms, p99 {p99:.2} ms"
                )?;
            }
        }
        let busiest = self
            .rows
            .iter()
            .filter(|row| row.scenario == Scenario::Spread.name());
        if let Some(row) =
            busiest.max_by(|one, other| one.figures.per_second.total_cmp(&other.figures.per_second))
        {
            write!(f, "\n{}", row.parts.table(row.clients))?;
        }
        writeln!(f, "  when all had logged in: {}", self.signed_in)?;
        writeln!(f, "  {}", self.audited)
    }
}
