//! A product's page beside bare components, so that the share of our own code is known.
//!
//! Each round measures every page, and ratios are taken within a round: what else the machine does then
//! weighs on all of them alike.

use std::fmt;

use anyhow::Result;
use serde::Serialize;

use crate::bare;
use crate::figures::{Figures, median};
use crate::flags::Plan;
use crate::load::{Ask, Until, drive};
use crate::place::{Place, first_page, stop};
use crate::table::Table;

const TOGETHER: usize = 16;

/// Requests before anything is measured.
const WARM_UP: usize = 200;

/// What is compared, each doing what the one before does and something more.
const PAGES: [&str; 6] = [
    "no component (404 by the host)",
    "hello",
    "gateway alone",
    "gateway and hello",
    "gateway and product, no such page",
    "gateway and product, GET /products/1",
];

const HELLO: usize = 1;

/// The figures of all pages.
#[derive(Serialize)]
pub(crate) struct Pages {
    pages: Vec<Page>,
    steps: Vec<Step>,
}

/// One page; figures and ratios are medians over the rounds.
#[derive(Serialize)]
struct Page {
    name: &'static str,
    alone: Figures,
    /// One client: the median latency as a multiple of hello's.
    alone_to_hello: Spread,
    together: Figures,
    /// Many clients: hello's rate as a multiple of the page's.
    together_to_hello: Spread,
}

/// A ratio over the rounds.
#[derive(Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

/// One round of one page.
struct Round {
    alone: Figures,
    together: Figures,
}

/// Measures all pages in turn, in every round the other way round.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Result<Pages> {
    let mut shop = place.shop()?;
    shop.resume()?;
    first_page(&shop).await?;
    let mut bare = bare::start(place)?;
    let (plain, sold) = (bare.visitor(), shop.visitor());
    let asks = [
        Ask::get(&plain, "/nothing", 404),
        Ask::get(&plain, "/hello", 200),
        Ask::get(&plain, "/health/live", 200),
        Ask::get(&plain, "/products/1", 200),
        Ask::get(&sold, "/products/none", 404),
        Ask::get(&sold, "/products/1", 200),
    ];
    for ask in &asks {
        drive(&vec![ask.clone(); TOGETHER], Until::Count(WARM_UP))
            .await?
            .strict_figures()?;
    }
    let mut rounds: Vec<Vec<Round>> = asks.iter().map(|_| Vec::new()).collect();
    for number in 0..plan.rounds {
        let mut order: Vec<usize> = (0..asks.len()).collect();
        if number % 2 == 1 {
            order.reverse();
        }
        for page in order {
            rounds[page].push(round(&asks[page], plan).await?);
        }
    }
    stop(&mut bare)?;
    stop(&mut shop)?;
    Ok(Pages::of(&rounds))
}

async fn round(ask: &Ask, plan: &Plan) -> Result<Round> {
    let one = std::slice::from_ref(ask);
    let many = vec![ask.clone(); TOGETHER];
    Ok(Round {
        alone: drive(one, Until::Count(plan.requests)).await?.strict_figures()?,
        together: drive(&many, Until::Time(plan.together)).await?.strict_figures()?,
    })
}

impl Pages {
    fn of(rounds: &[Vec<Round>]) -> Self {
        let page = |(&name, own): (&&'static str, &Vec<Round>)| {
            let pairs = || own.iter().zip(&rounds[HELLO]);
            let alone: Vec<_> = own.iter().map(|round| round.alone).collect();
            let together: Vec<_> = own.iter().map(|round| round.together).collect();
            Page {
                name,
                alone: Figures::median(&alone),
                alone_to_hello: Spread::of(pairs().map(|(it, hello)| it.alone.p50_us / hello.alone.p50_us)),
                together: Figures::median(&together),
                together_to_hello: Spread::of(
                    pairs().map(|(it, hello)| hello.together.per_second / it.together.per_second),
                ),
            }
        };
        Self {
            pages: PAGES.iter().zip(rounds).map(page).collect(),
            steps: Step::all(rounds),
        }
    }
}

/// What each page does that the one before it does not.
const STEPS: [&str; PAGES.len()] = [
    "client, network and the host's HTTP",
    "a component's instance, with the SDK",
    "the gateway's own work",
    "the hop and the instance at its end",
    "product and stock, without a statement",
    "their statements",
];

/// What a step adds, in µs; medians of the differences within a round.
#[derive(Serialize)]
struct Step {
    name: &'static str,
    /// To the median latency of one client.
    alone_us: f64,
    /// To the machine's time for a page when it is never idle.
    together_us: f64,
}

impl Step {
    fn all(rounds: &[Vec<Round>]) -> Vec<Self> {
        let added = |at: usize, time: fn(&Round) -> f64| {
            let times = rounds[at].iter().map(time);
            match at.checked_sub(1) {
                None => median(times),
                Some(before) => median(times.zip(rounds[before].iter().map(time)).map(|(a, b)| a - b)),
            }
        };
        let step = |(at, &name)| Self {
            name,
            alone_us: added(at, |round| round.alone.p50_us),
            together_us: added(at, |round| 1e6 / round.together.per_second),
        };
        STEPS.iter().enumerate().map(step).collect()
    }
}

impl Spread {
    fn of(ratios: impl Iterator<Item = f64> + Clone) -> Self {
        Self {
            median: median(ratios.clone()),
            least: ratios.clone().fold(f64::INFINITY, f64::min),
            most: ratios.fold(0.0, f64::max),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2}..{:.2})", self.median, self.least, self.most)
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        type View = fn(&Page) -> (&Figures, &Spread);
        let views: [(String, View); 2] = [
            ("page, µs, 1 client".to_owned(), |page| {
                (&page.alone, &page.alone_to_hello)
            }),
            (format!("page, µs, {TOGETHER} clients"), |page| {
                (&page.together, &page.together_to_hello)
            }),
        ];
        for (title, view) in views {
            let mut table = Table::new(&[&title, "p50", "p95", "p99", "requests/s", "times hello"]);
            for page in &self.pages {
                let (figures, ratio) = view(page);
                let cells = [figures.p50_us, figures.p95_us, figures.p99_us, figures.per_second];
                let cells = cells.map(|value| format!("{value:.0}"));
                let row = std::iter::once(page.name.to_owned()).chain(cells);
                table.row(row.chain([ratio.to_string()]));
            }
            write!(f, "\n{table}")?;
        }
        let sum = |time: fn(&Step) -> f64| self.steps.iter().map(time).sum::<f64>();
        let (alone, together) = (sum(|step| step.alone_us), sum(|step| step.together_us));
        let title = format!("{TOGETHER} clients, µs a page");
        let mut table = Table::new(&["where the time of a page goes", "1 client, µs", "%", &title, "%"]);
        for step in &self.steps {
            let cells = [
                step.alone_us,
                100.0 * step.alone_us / alone,
                step.together_us,
                100.0 * step.together_us / together,
            ];
            let cells = cells.map(|value| format!("{value:.0}"));
            table.row(std::iter::once(step.name.to_owned()).chain(cells));
        }
        write!(f, "\n{table}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(us: f64) -> Round {
        let figures = Figures {
            p50_us: us,
            p95_us: us,
            p99_us: us,
            per_second: 1e6 / us,
        };
        Round {
            alone: figures,
            together: figures,
        }
    }

    #[test]
    fn ratios_and_steps_are_taken_within_a_round() {
        // The machine is three times slower in the second of three rounds.
        let rounds: Vec<Vec<Round>> = [10.0, 100.0, 150.0, 250.0, 300.0, 400.0]
            .iter()
            .map(|us| [1.0, 3.0, 1.0].map(|slower| round(us * slower)).into())
            .collect();
        let pages = Pages::of(&rounds);
        let ratio = pages.pages[5].alone_to_hello;
        assert_eq!([ratio.median, ratio.least, ratio.most], [4.0; 3]);
        assert!((pages.pages[5].together_to_hello.median - 4.0).abs() < 1e-9);
        let added: Vec<f64> = pages.steps.iter().map(|step| step.alone_us).collect();
        assert_eq!(added, [10.0, 90.0, 50.0, 100.0, 50.0, 100.0]);
        assert!((pages.steps[5].together_us - 100.0).abs() < 1e-9);
    }
}
