//! Three times what the shop can carry: orders come at a rate of their own, whether or not those before them were
//! answered.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::figures::Figures;
use crate::flags::Plan;
use crate::load::{Arrivals, Until, drive, open};
use crate::place::{Audited, Place, close};
use crate::scenarios::{Cast, Scenario};
use crate::table::Table;

/// Clients that measure the peak, before and after.
const CLIENTS: usize = 64;

/// Orders before anything is measured.
const WARM_UP: usize = 600;

/// How many times the peak comes.
const TIMES: f64 = 3.0;

/// What of the peak is to be delivered meanwhile, and a refusal's p99 in ms.
const GOAL_SHARE: f64 = 0.8;
const GOAL_MS: f64 = 50.0;

/// How long the shop is watched when it is over.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// What became of it.
#[derive(Serialize)]
pub(crate) struct Overload {
    /// Orders a second by a closed loop.
    peak: f64,
    /// Orders that came, a second.
    offered: f64,
    /// Orders that were paid while they came, a second.
    delivered: f64,
    /// Answers by status, with when they were there from when their request was due.
    answers: BTreeMap<u16, (usize, Figures)>,
    /// Refusals (429 and 503) together; none when there was no need of any.
    refusals: Option<Figures>,
    /// Those that don't say when to try again.
    without_retry_after: usize,
    /// Requests for which no connection was left.
    unsent: usize,
    /// Requests whose connection broke.
    broken: usize,
    /// Orders a second just afterwards, by the closed loop.
    afterwards: f64,
    /// Orders that were answered as paid, of all that are.
    acknowledged: usize,
    audited: Audited,
}

/// Floods a shop.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Result<Overload> {
    let shop = place.market(&[]).await?;
    let cast = Cast::sign_in(&shop, &[CLIENTS], false).await?;
    let asks = cast.asks(Scenario::Spread, CLIENTS);
    let warm_up = drive(&asks[..8], Until::Count(WARM_UP)).await?;
    let before = drive(&asks, Until::Time(plan.buying)).await?;
    let peak = before.figures()?.per_second;
    let mut arrivals = open(&asks, TIMES * peak, plan.flood).await?;
    let after = drive(&asks, Until::Time(AFTERWARDS)).await?;
    let paid = arrivals.latencies.get(&201).map_or(0, Vec::len);
    let acknowledged = warm_up.expected() + before.expected() + paid + after.expected();
    let audited = close(shop).await?;
    ensure!(
        audited.paid >= acknowledged,
        "{acknowledged} orders were acknowledged, {} are there",
        audited.paid
    );
    let elapsed = arrivals.elapsed;
    let of = |latencies: &mut Vec<Duration>| Figures::of(latencies, elapsed);
    let mut refused: Vec<Duration> = [429, 503]
        .iter()
        .filter_map(|status| arrivals.latencies.get(status))
        .flatten()
        .copied()
        .collect();
    let refusals = (!refused.is_empty()).then(|| of(&mut refused));
    let Arrivals {
        latencies,
        without_retry_after,
        in_time,
        unsent,
        broken,
        ..
    } = &mut arrivals;
    let answers = latencies
        .iter_mut()
        .map(|(status, latencies)| (*status, (latencies.len(), of(latencies))));
    Ok(Overload {
        peak,
        offered: TIMES * peak,
        delivered: *in_time as f64 / elapsed.as_secs_f64(),
        answers: answers.collect(),
        refusals,
        without_retry_after: *without_retry_after,
        unsent: *unsent,
        broken: *broken,
        afterwards: after.figures().map_or(0.0, |figures| figures.per_second),
        acknowledged,
        audited,
    })
}

impl fmt::Display for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "answers to orders at 3 x the peak",
            "number",
            "p50 ms",
            "p95",
            "p99",
        ]);
        for (status, (number, figures)) in &self.answers {
            let times = [figures.p50_us, figures.p95_us, figures.p99_us].map(|us| format!("{:.1}", us / 1e3));
            table.row([status.to_string(), number.to_string()].into_iter().chain(times));
        }
        write!(f, "\n{table}")?;
        let Self {
            peak,
            offered,
            delivered,
            without_retry_after,
            unsent,
            broken,
            afterwards,
            ..
        } = self;
        let verdict = |kept: bool| if kept { "kept" } else { "MISSED" };
        let share = delivered / peak;
        writeln!(
            f,
            "  peak {peak:.0}/s; of {offered:.0}/s offered {delivered:.0}/s were paid in time, {:.0} % of the peak; \
             goal {:.0} %: {}",
            100.0 * share,
            100.0 * GOAL_SHARE,
            verdict(share >= GOAL_SHARE)
        )?;
        if let Some(refusals) = self.refusals {
            let p99 = refusals.p99_us / 1e3;
            writeln!(
                f,
                "  refusals: p99 {p99:.1} ms; goal under {GOAL_MS:.0} ms: {}; without Retry-After: {without_retry_after}",
                verdict(p99 < GOAL_MS)
            )?;
        }
        writeln!(
            f,
            "  not sent for want of connections: {unsent}; broken off: {broken}"
        )?;
        writeln!(
            f,
            "  the second after it: {afterwards:.0}/s, {:.0} % of the peak",
            100.0 * afterwards / peak
        )?;
        writeln!(f, "  acknowledged: {}; {}", self.acknowledged, self.audited)
    }
}
