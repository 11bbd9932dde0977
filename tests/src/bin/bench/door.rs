//! What the door costs: a page with and without the gateway in front of it, and checkouts while somebody
//! floods the login.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;
use tests::{Client, Shop, token_of};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use web::Role;

use crate::bare;
use crate::figures::{Figures, median};
use crate::flags::Plan;
use crate::load::{Ask, Until, drive};
use crate::place::{Place, close, first_page, stop};
use crate::table::Table;

const TOGETHER: usize = 16;

/// Requests before anything is measured.
const WARM_UP: usize = 200;

/// How many buy while the login is flooded.
const BUYERS: usize = 8;

/// Login attempts in a second, each from another address.
const ATTEMPTS_PER_SECOND: u32 = 50;

/// A limit that nobody reaches, so that counting is measured and not refusing.
const WIDE: &str = "rate_limit_per_minute=1000000";

/// The same page, each time with something more in front of it.
const WAYS: [&str; 4] = [
    "the component alone",
    "through the gateway, no limits",
    "through the gateway, with limits",
    "the same with an access token",
];

/// Checkouts in these shops and times.
const WEATHERS: [&str; 3] = [
    "nobody logs in",
    "flood, with the budget",
    "flood, without a budget",
];

/// The figures.
#[derive(Serialize)]
pub(crate) struct Door {
    ways: Vec<Way>,
    weathers: Vec<Weather>,
}

/// `GET /products/1` on one of the ways; ratios to the component alone are taken within a round.
#[derive(Serialize)]
struct Way {
    name: &'static str,
    alone: Figures,
    alone_ratio: f64,
    together: Figures,
    together_ratio: f64,
}

/// Checkouts while nobody, or somebody, floods the login.
#[derive(Serialize)]
struct Weather {
    name: &'static str,
    checkouts: Figures,
    p99_ratio: f64,
    rate_ratio: f64,
    /// What the orders were answered, by status; only those that were paid count above.
    answers: BTreeMap<u16, usize>,
    /// What the attempts were answered, by status.
    logins: BTreeMap<u16, usize>,
}

/// Checkouts in one weather.
struct Round {
    figures: Figures,
    answers: BTreeMap<u16, usize>,
    logins: BTreeMap<u16, usize>,
}

/// Measures both.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Result<Door> {
    Ok(Door {
        ways: ways(place, plan).await?,
        weathers: weathers(place, plan).await?,
    })
}

async fn ways(place: &Place, plan: &Plan) -> Result<Vec<Way>> {
    let direct = bare::start_direct(place)?;
    first_page(&direct).await?;
    let mut shops = [place.shop()?, place.shop_with(&["--variable", WIDE])?];
    for shop in &mut shops {
        shop.resume()?;
        first_page(shop).await?;
    }
    let known = shops[1].visitor().with_token(&token_of(1, Role::User));
    let clients = [direct.visitor(), shops[0].visitor(), shops[1].visitor(), known];
    let asks = clients.map(|client| Ask::get(&client, "/products/1", 200));
    let mut rounds: Vec<Vec<(Figures, Figures)>> = asks.iter().map(|_| Vec::new()).collect();
    for ask in &asks {
        drive(&vec![ask.clone(); TOGETHER], Until::Count(WARM_UP)).await?;
    }
    for number in 0..plan.rounds {
        let mut order: Vec<usize> = (0..asks.len()).collect();
        if number % 2 == 1 {
            order.reverse();
        }
        for way in order {
            let one = std::slice::from_ref(&asks[way]);
            let alone = drive(one, Until::Count(plan.requests)).await?.strict_figures()?;
            let many = vec![asks[way].clone(); TOGETHER];
            let together = drive(&many, Until::Time(plan.together)).await?.strict_figures()?;
            rounds[way].push((alone, together));
        }
    }
    for mut shop in shops.into_iter().chain([direct]) {
        stop(&mut shop)?;
    }
    Ok(WAYS
        .iter()
        .enumerate()
        .map(|(at, name)| Way::of(name, &rounds[at], &rounds[0]))
        .collect())
}

impl Way {
    fn of(name: &'static str, own: &[(Figures, Figures)], first: &[(Figures, Figures)]) -> Self {
        let pairs = || own.iter().zip(first);
        let (alone, together): (Vec<_>, Vec<_>) = own.iter().copied().unzip();
        Self {
            name,
            alone: Figures::median(&alone),
            alone_ratio: median(pairs().map(|(it, first)| it.0.p50_us / first.0.p50_us)),
            together: Figures::median(&together),
            together_ratio: median(pairs().map(|(it, first)| first.1.per_second / it.1.per_second)),
        }
    }
}

async fn weathers(place: &Place, plan: &Plan) -> Result<Vec<Weather>> {
    let proxy = ["--variable", "trusted_proxies=127.0.0.1"];
    let budget = ["--variable", "password_checks_per_minute=300"];
    let guarded = place.stocked_shop_with(&[proxy, budget].concat()).await?;
    let open = place.stocked_shop_with(&proxy).await?;
    let guarded_buyers = buyers(&guarded).await?;
    let open_buyers = buyers(&open).await?;
    let mut rounds: Vec<Vec<Round>> = WEATHERS.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.buying_rounds.max(3) {
        for (weather, (shop, buyers, flooded)) in [
            (&guarded, &guarded_buyers, false),
            (&guarded, &guarded_buyers, true),
            (&open, &open_buyers, true),
        ]
        .into_iter()
        .enumerate()
        {
            let flood = flooded.then(|| Flood::begin(shop.visitor()));
            let run = drive(buyers, Until::Time(plan.buying)).await?;
            let figures = run.figures()?;
            let logins = match flood {
                Some(flood) => flood.end().await?,
                None => BTreeMap::new(),
            };
            rounds[weather].push(Round {
                figures,
                answers: run.statuses,
                logins,
            });
        }
    }
    close(guarded).await?;
    close(open).await?;
    Ok(WEATHERS
        .iter()
        .enumerate()
        .map(|(at, name)| Weather::of(name, &rounds[at], &rounds[0]))
        .collect())
}

async fn buyers(shop: &Shop) -> Result<Vec<Ask>> {
    let mut buyers = Vec::new();
    for user in 1..=BUYERS {
        let token = token_of(user as u64, Role::User);
        buyers.push(Ask::order(&shop.visitor().with_token(&token)));
    }
    drive(&buyers, Until::Count(WARM_UP)).await?.strict_figures()?;
    Ok(buyers)
}

impl Weather {
    fn of(name: &'static str, own: &[Round], first: &[Round]) -> Self {
        let figures: Vec<_> = own.iter().map(|round| round.figures).collect();
        let pairs = || own.iter().zip(first);
        Self {
            name,
            checkouts: Figures::median(&figures),
            p99_ratio: median(pairs().map(|(it, first)| it.figures.p99_us / first.figures.p99_us)),
            rate_ratio: median(pairs().map(|(it, first)| it.figures.per_second / first.figures.per_second)),
            answers: sum(own.iter().map(|round| &round.answers)),
            logins: sum(own.iter().map(|round| &round.logins)),
        }
    }
}

fn sum<'a>(counts: impl Iterator<Item = &'a BTreeMap<u16, usize>>) -> BTreeMap<u16, usize> {
    let mut all = BTreeMap::new();
    for (status, count) in counts.flatten() {
        *all.entry(*status).or_default() += count;
    }
    all
}

fn told(counts: &BTreeMap<u16, usize>) -> String {
    let each = counts.iter().map(|(status, count)| format!("{count} × {status}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Login attempts at a steady rate, however long each takes.
struct Flood {
    goes_on: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<BTreeMap<u16, usize>>>,
}

impl Flood {
    fn begin(visitor: Client) -> Self {
        let goes_on = Arc::new(AtomicBool::new(true));
        let task = tokio::spawn(flood(visitor, goes_on.clone()));
        Self { goes_on, task }
    }

    async fn end(self) -> Result<BTreeMap<u16, usize>> {
        self.goes_on.store(false, Ordering::Relaxed);
        self.task.await.context("the flood broke off")?
    }
}

async fn flood(visitor: Client, goes_on: Arc<AtomicBool>) -> Result<BTreeMap<u16, usize>> {
    static ATTEMPT: AtomicUsize = AtomicUsize::new(0);
    let mut beat = tokio::time::interval(Duration::from_secs(1) / ATTEMPTS_PER_SECOND);
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut attempts = JoinSet::new();
    while goes_on.load(Ordering::Relaxed) {
        beat.tick().await;
        let number = ATTEMPT.fetch_add(1, Ordering::Relaxed);
        let visitor = visitor.clone();
        attempts.spawn(async move {
            let body = json!({"email": format!("u{number}@example.com"), "password": "pass1234"});
            let address = format!(
                "10.{}.{}.{}",
                (number >> 16) & 255,
                (number >> 8) & 255,
                number & 255
            );
            let request = visitor.request(reqwest::Method::POST, "/auth/login").json(&body);
            visitor.send(request.header("x-forwarded-for", address)).await
        });
    }
    let mut statuses = BTreeMap::new();
    while let Some(reply) = attempts.join_next().await {
        // An answer that broke off has no status.
        let status = reply?.map_or(0, |reply| reply.status);
        *statuses.entry(status).or_default() += 1;
    }
    Ok(statuses)
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = format!("{TOGETHER} clients, pages/s");
        let mut table = Table::new(&[
            "GET /products/1",
            "1 client, p50 µs",
            "p99",
            "times",
            &many,
            "times",
        ]);
        for way in &self.ways {
            table.row([
                way.name.to_owned(),
                format!("{:.0}", way.alone.p50_us),
                format!("{:.0}", way.alone.p99_us),
                format!("{:.2}", way.alone_ratio),
                format!("{:.0}", way.together.per_second),
                format!("{:.2}", way.together_ratio),
            ]);
        }
        writeln!(f, "\n{table}")?;
        let title = format!("checkouts by {BUYERS}, {ATTEMPTS_PER_SECOND} logins/s");
        let mut table = Table::new(&[
            &title, "p50 ms", "p99", "times", "orders/s", "times", "answers", "logins",
        ]);
        for weather in &self.weathers {
            let figures = &weather.checkouts;
            table.row([
                weather.name.to_owned(),
                format!("{:.1}", figures.p50_us / 1e3),
                format!("{:.1}", figures.p99_us / 1e3),
                format!("{:.2}", weather.p99_ratio),
                format!("{:.0}", figures.per_second),
                format!("{:.2}", weather.rate_ratio),
                told(&weather.answers),
                told(&weather.logins),
            ]);
        }
        write!(f, "\n{table}")
    }
}
