//! The shop beside what this machine can do at all: the same statements without anything around them, the same page by
//! an ordinary server, and the same shop with a commit for every transaction.
//!
//! All take turns, in every round the other way round, and a ratio is taken within its round.

mod ceiling;
mod domains;
mod native_page;
mod recording;

use std::fmt;

use ::tests::{Client, Shop};
use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::disk::{Commits, Disk};
use crate::figures::median;
use crate::flags::Plan;
use crate::load::{Ask, NUMBER, Request, Until, drive};
use crate::place::{Audited, MARKET, Place, close};
use crate::scenarios::{Cast, Scenario};
use crate::table::Table;
use ceiling::{BATCH, Ceiling};
use native_page::NativePage;

/// Clients of the closed loops.
const CLIENTS: usize = 64;

/// Checkouts and pages before anything is measured.
const WARM_UP: usize = 600;

/// All comparisons, on the disk as it is and on a slower one.
#[derive(Serialize)]
pub(crate) struct Rivals {
    compared: Vec<Compared>,
}

/// On one disk.
#[derive(Serialize)]
struct Compared {
    disk: Disk,
    statements: f64,
    contests: Vec<Contest>,
    audited: Vec<Audited>,
}

/// The shop and one rival; medians over the rounds.
#[derive(Serialize)]
struct Contest {
    name: String,
    /// The shop's, a second.
    shop: f64,
    /// The rival's.
    rival: f64,
    /// The part of one core that the load took while the rival was measured; nothing where there was none.
    load: f64,
    /// The shop's rate as a multiple of the rival's.
    ratio: f64,
    least: f64,
    most: f64,
    goal: f64,
}

/// What one of them did in a round.
#[derive(Debug, Clone, Copy)]
struct Rate {
    per_second: f64,
    load: f64,
}

/// What is measured in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Player {
    Grouped,
    Ceiling,
    Single,
    Page,
    NativePage,
}

const PLAYERS: [Player; 5] = [
    Player::Grouped,
    Player::Ceiling,
    Player::Single,
    Player::Page,
    Player::NativePage,
];

/// Of a shop on a slow disk only the checkouts are worth measuring again.
const SELLERS: [Player; 3] = [Player::Grouped, Player::Ceiling, Player::Single];

/// The shops and the rivals.
struct Ring {
    shop: Shop,
    single: Option<Shop>,
    ceiling: Ceiling,
    native: NativePage,
    cast: Cast,
    single_cast: Option<Cast>,
    pages: [Vec<Ask>; 2],
}

/// Measures all of it.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Result<Rivals> {
    let mut compared = Vec::new();
    for disk in &plan.disks {
        match disk.flags(Commits::Grouped, place)? {
            Some(flags) => compared.push(on(place, plan, *disk, &flags).await?),
            None => eprintln!("  left out: this host can't delay its fsyncs"),
        }
    }
    Ok(Rivals { compared })
}

async fn on(place: &Place, plan: &Plan, disk: Disk, flags: &[String]) -> Result<Compared> {
    let ring = Ring::open(place, plan, disk, flags).await?;
    let players: &[Player] = if disk.delay_ms.is_none() {
        &PLAYERS
    } else {
        &SELLERS
    };
    let mut rates: Vec<Vec<Rate>> = vec![Vec::new(); PLAYERS.len()];
    for round in 0..plan.rival_rounds {
        let mut order = players.to_vec();
        if round % 2 == 1 {
            order.reverse();
        }
        for player in order {
            if let Some(rate) = ring.play(player, plan, disk).await? {
                rates[player as usize].push(rate);
            }
        }
    }
    let contests = [
        (
            "statements alone, one thread, groups of 64",
            Player::Grouped,
            Player::Ceiling,
            0.25,
        ),
        (
            "the shop, one commit per transaction",
            Player::Grouped,
            Player::Single,
            20.0,
        ),
        (
            "product page by a native server",
            Player::Page,
            Player::NativePage,
            0.5,
        ),
    ];
    let contests = contests.into_iter().filter_map(|(name, shop, rival, goal)| {
        Contest::of(name, &rates[shop as usize], &rates[rival as usize], goal)
    });
    Ok(Compared {
        disk,
        statements: ring.ceiling.statements(),
        contests: contests.collect(),
        audited: ring.close().await?,
    })
}

impl Ring {
    async fn open(place: &Place, plan: &Plan, disk: Disk, flags: &[String]) -> Result<Self> {
        let market = async |flags: &[String]| {
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            place.market(&flags).await
        };
        let shop = market(flags).await?;
        let single = match disk.flags(Commits::Single, place)? {
            Some(flags) => Some(market(&flags).await?),
            None => None,
        };
        let cast = Cast::sign_in(&shop, &[CLIENTS], false).await?;
        let single_cast = match &single {
            Some(shop) => Some(Cast::sign_in(shop, &[CLIENTS], false).await?),
            None => None,
        };
        let native = NativePage::start(shop.folder().to_owned())?;
        let pages = [shop.visitor(), Client::at(native.url())].map(|client| {
            let page = Request::get(&client, &format!("/products/{NUMBER}"), 200).drawing(MARKET);
            vec![Ask::one(&client, page); CLIENTS]
        });
        alike(&shop.visitor(), &Client::at(native.url())).await?;
        for asks in &pages {
            drive(asks, Until::Count(WARM_UP)).await?.strict_figures()?;
        }
        for cast in [Some(&cast), single_cast.as_ref()].into_iter().flatten() {
            let asks = cast.asks(Scenario::Spread, 8);
            drive(&asks, Until::Count(WARM_UP)).await?.strict_figures()?;
        }
        Ok(Self {
            shop,
            single,
            ceiling: Ceiling::prepare(plan.ceiling)?,
            native,
            cast,
            single_cast,
            pages,
        })
    }

    /// The rate of one of them; none when this host can't do it.
    async fn play(&self, player: Player, plan: &Plan, disk: Disk) -> Result<Option<Rate>> {
        let asks = match player {
            Player::Ceiling => {
                let per_second = self.ceiling.run(disk.delay())?;
                return Ok(Some(Rate {
                    per_second,
                    load: 0.0,
                }));
            }
            Player::Grouped => self.cast.asks(Scenario::Spread, CLIENTS),
            Player::Single => match &self.single_cast {
                Some(cast) => cast.asks(Scenario::Spread, CLIENTS),
                None => return Ok(None),
            },
            Player::Page => self.pages[0].clone(),
            Player::NativePage => self.pages[1].clone(),
        };
        let run = drive(&asks, Until::Time(plan.buying)).await?;
        Ok(Some(Rate {
            per_second: run.figures()?.per_second,
            load: run.own_share(),
        }))
    }

    async fn close(self) -> Result<Vec<Audited>> {
        drop(self.native);
        let mut audited = Vec::new();
        for shop in [Some(self.shop), self.single].into_iter().flatten() {
            audited.push(close(shop).await?);
        }
        Ok(audited)
    }
}

/// Both answer the same bytes.
async fn alike(shop: &Client, native: &Client) -> Result<()> {
    for product in [1, MARKET.start, MARKET.end - 1] {
        let path = format!("/products/{product}");
        let (ours, theirs) = (shop.get(&path).await?, native.get(&path).await?);
        ensure!(
            ours.status == 200 && ours.text == theirs.text,
            "the shop answers {}, the native server {}",
            ours.text,
            theirs.text
        );
    }
    let missing = native.get("/products/99").await.context("the native server")?;
    ensure!(missing.status == 404, "the native server answers {missing:?}");
    Ok(())
}

impl Contest {
    fn of(name: &str, shop: &[Rate], rival: &[Rate], goal: f64) -> Option<Self> {
        if shop.is_empty() || rival.is_empty() {
            return None;
        }
        let ratios = || {
            shop.iter()
                .zip(rival)
                .map(|(shop, rival)| shop.per_second / rival.per_second)
        };
        Some(Self {
            name: name.to_owned(),
            shop: median(shop.iter().map(|rate| rate.per_second)),
            rival: median(rival.iter().map(|rate| rate.per_second)),
            load: median(rival.iter().map(|rate| rate.load)),
            ratio: median(ratios()),
            least: ratios().fold(f64::INFINITY, f64::min),
            most: ratios().fold(0.0, f64::max),
            goal,
        })
    }
}

impl fmt::Display for Rivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.compared.iter().try_for_each(|compared| compared.fmt(f))
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("{}, {CLIENTS} clients", self.disk);
        let mut table = Table::new(&[&title, "the shop's, /s", "its, /s", "load %", "ratio", "goal", ""]);
        for contest in &self.contests {
            let Contest {
                ratio, least, most, ..
            } = contest;
            table.row([
                contest.name.clone(),
                format!("{:.0}", contest.shop),
                format!("{:.0}", contest.rival),
                format!("{:.0}", 100.0 * contest.load),
                format!("{ratio:.2} ({least:.2}..{most:.2})"),
                format!("{:.2}", contest.goal),
                if *ratio >= contest.goal { "kept" } else { "MISSED" }.to_owned(),
            ]);
        }
        let statements = self.statements;
        write!(f, "\n{table}")?;
        writeln!(
            f,
            "  a checkout is {statements:.1} statements; {BATCH} of them share a commit in the first rival"
        )?;
        self.audited
            .iter()
            .try_for_each(|audited| writeln!(f, "  {audited}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round_and_a_rival_who_was_not_there_is_left_out() {
        let rate = |per_second| Rate {
            per_second,
            load: 0.1,
        };
        let (shop, rival) = ([10.0, 40.0, 20.0].map(rate), [20.0, 40.0, 10.0].map(rate));
        let contest = Contest::of("it", &shop, &rival, 1.0).unwrap();
        assert_eq!([contest.ratio, contest.least, contest.most], [1.0, 0.5, 2.0]);
        assert!(Contest::of("it", &shop, &[], 1.0).is_none());
    }
}
