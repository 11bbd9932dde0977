//! Whatever is asked in whatever order: the stock does what a few lines of plain arithmetic do, and no
//! piece is ever promised twice.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::collections::BTreeMap;
use store_suite::database;

use kernel::{Instant, OrderId, Outcome, SkuId};
use proptest::prelude::*;
use stock::app::{self, CommitError, ReleaseError, Reservations, ReserveError, TakeBackError};
use stock::domain::{CommitRefused, ReleaseRefused, ReserveRefused, TakeBackRefused};
use stock::store::{MIGRATIONS, Store};

store_suite::also_on_postgres!();

/// The seeded SKUs and how many pieces there are of each.
const INITIAL: [(u64, u32); 3] = [(1, 100), (2, 50), (3, 5)];

#[derive(Debug, Clone)]
enum Step {
    Reserve {
        order: u64,
        lines: Vec<(u64, u32)>,
        lasts: i64,
    },
    Commit {
        order: u64,
    },
    CommitAll {
        orders: Vec<u64>,
    },
    Release {
        order: u64,
    },
    TakeBack {
        order: u64,
    },
    Wait {
        micros: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let line = prop_oneof![
        (Just(1u64), 1u32..60),
        (Just(2u64), 1u32..30),
        (Just(3u64), 1u32..4),
        (Just(4u64), 1u32..2),
    ];
    prop_oneof![
        4 => (1u64..12, prop::collection::vec(line, 1..4), -1i64..30)
            .prop_map(|(order, lines, lasts)| Step::Reserve { order, lines, lasts }),
        2 => (1u64..12).prop_map(|order| Step::Commit { order }),
        2 => prop::collection::vec(1u64..12, 0..9).prop_map(|orders| Step::CommitAll { orders }),
        2 => (1u64..12).prop_map(|order| Step::Release { order }),
        2 => (1u64..12).prop_map(|order| Step::TakeBack { order }),
        1 => (1i64..20).prop_map(|micros| Step::Wait { micros }),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Open,
    Sold,
    TakenBack,
    GivenBack,
}

struct Kept {
    lines: BTreeMap<u64, u32>,
    until: i64,
    end: End,
}

/// The stock as arithmetic: every order ever seen.
#[derive(Default)]
struct Model {
    orders: BTreeMap<u64, Kept>,
    now: i64,
}

impl Model {
    fn on_hand(&self, sku: u64) -> Option<u32> {
        let initial = INITIAL.iter().find(|(known, _)| *known == sku)?.1;
        Some(initial - self.pieces(sku, |kept| kept.end == End::Sold))
    }

    fn reserved(&self, sku: u64) -> u32 {
        self.pieces(sku, |kept| kept.end == End::Open && kept.until > self.now)
    }

    fn pieces(&self, sku: u64, of: impl Fn(&Kept) -> bool) -> u32 {
        let kept = self.orders.values().filter(|kept| of(kept));
        kept.map(|kept| kept.lines.get(&sku).copied().unwrap_or(0)).sum()
    }

    fn reserve(&mut self, order: u64, lines: &[(u64, u32)], lasts: i64) -> &'static str {
        let asked: BTreeMap<u64, u32> = lines.iter().copied().collect();
        if asked.len() < lines.len() {
            return "invalid";
        }
        if let Some(kept) = self.orders.get(&order) {
            return match kept.end {
                End::GivenBack if kept.lines.is_empty() => "ended",
                _ if kept.lines != asked => "differs",
                End::GivenBack | End::TakenBack => "ended",
                End::Open if kept.until <= self.now => "ended",
                End::Open | End::Sold => "ok",
            };
        }
        if lasts <= 0 {
            return "invalid";
        }
        if lines.iter().any(|&(sku, _)| self.on_hand(sku).is_none()) {
            return "unknown";
        }
        let free = |sku| self.on_hand(sku).unwrap() - self.reserved(sku);
        if lines.iter().any(|&(sku, pieces)| free(sku) < pieces) {
            return "insufficient";
        }
        let (until, end) = (self.now + lasts, End::Open);
        self.orders.insert(
            order,
            Kept {
                lines: asked,
                until,
                end,
            },
        );
        "ok"
    }

    fn commit(&mut self, order: u64) -> &'static str {
        let kept = match self.orders.get(&order) {
            None => return "unknown",
            Some(kept) if kept.lines.is_empty() => return "unknown",
            Some(kept) => kept,
        };
        match kept.end {
            End::Sold | End::TakenBack => "ok",
            End::GivenBack => "released",
            End::Open if kept.until <= self.now && !self.all_are_free(&kept.lines) => "expired",
            End::Open => self.end(order, End::Sold),
        }
    }

    fn all_are_free(&self, lines: &BTreeMap<u64, u32>) -> bool {
        let free = |sku| self.on_hand(sku).unwrap() - self.reserved(sku);
        lines.iter().all(|(&sku, &pieces)| free(sku) >= pieces)
    }

    fn end(&mut self, order: u64, end: End) -> &'static str {
        self.orders.get_mut(&order).unwrap().end = end;
        "ok"
    }

    fn take_back(&mut self, order: u64) -> &'static str {
        match self.orders.get(&order).map(|kept| kept.end) {
            Some(End::Sold | End::TakenBack) => self.end(order, End::TakenBack),
            Some(End::Open | End::GivenBack) | None => "never sold",
        }
    }

    fn release(&mut self, order: u64) -> &'static str {
        let nothing = Kept {
            lines: BTreeMap::new(),
            until: 0,
            end: End::GivenBack,
        };
        let kept = self.orders.entry(order).or_insert(nothing);
        if matches!(kept.end, End::Sold | End::TakenBack) {
            return "committed";
        }
        kept.end = End::GivenBack;
        "ok"
    }
}

fn order(number: u64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

fn sku(number: u64) -> SkuId {
    SkuId::try_new(number).unwrap()
}

fn reserve(stock: &Store, number: u64, lines: &[(u64, u32)], until: i64, now: Instant) -> &'static str {
    let wanted: Vec<_> = lines
        .iter()
        .map(|&(number, pieces)| (sku(number), pieces))
        .collect();
    match app::reserve(stock, order(number), &wanted, Instant::from_micros(until), now) {
        Ok(_) => "ok",
        Err(ReserveError::Refused(refused)) => match refused {
            ReserveRefused::Lines(_) | ReserveRefused::UntilPassed => "invalid",
            ReserveRefused::DiffersFromExisting => "differs",
            ReserveRefused::Ended => "ended",
            ReserveRefused::UnknownSku(_) => "unknown",
            ReserveRefused::Insufficient(_) => "insufficient",
        },
        Err(ReserveError::Store(error)) => panic!("{error}"),
    }
}

fn commit(stock: &Store, number: u64, now: Instant) -> &'static str {
    committed(app::commit(stock, order(number), now))
}

fn commit_all(stock: &Store, numbers: &[u64], now: Instant) -> Vec<&'static str> {
    let orders: Vec<OrderId> = numbers.iter().copied().map(order).collect();
    let answers = app::commit_all(stock, &orders, now);
    answers.into_iter().map(committed).collect()
}

fn committed(answer: Result<Outcome<()>, CommitError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(CommitError::Refused(CommitRefused::UnknownOrder)) => "unknown",
        Err(CommitError::Refused(CommitRefused::Released)) => "released",
        Err(CommitError::Refused(CommitRefused::Expired)) => "expired",
        Err(CommitError::Store(error)) => panic!("{error}"),
    }
}

fn release(stock: &Store, number: u64, now: Instant) -> &'static str {
    match app::release(stock, order(number), now) {
        Ok(_) => "ok",
        Err(ReleaseError::Refused(ReleaseRefused::Committed)) => "committed",
        Err(ReleaseError::Store(error)) => panic!("{error}"),
    }
}

fn take_back(stock: &Store, number: u64, now: Instant) -> &'static str {
    match app::take_back(stock, order(number), now) {
        Ok(_) => "ok",
        Err(TakeBackError::Refused(TakeBackRefused::NotCommitted)) => "never sold",
        Err(TakeBackError::Store(error)) => panic!("{error}"),
    }
}

/// Does one step to both and answers what both said.
fn take(step: &Step, stock: &Store, model: &mut Model) -> (Vec<&'static str>, Vec<&'static str>) {
    if let Step::CommitAll { orders } = step {
        let said = commit_all(stock, orders, Instant::from_micros(model.now));
        // One after the other: nobody may be able to tell the difference.
        let expected = orders.iter().map(|order| model.commit(*order)).collect();
        return (said, expected);
    }
    let (said, expected) = take_one(step, stock, model);
    (vec![said], vec![expected])
}

fn take_one(step: &Step, stock: &Store, model: &mut Model) -> (&'static str, &'static str) {
    let (start, now) = (model.now, Instant::from_micros(model.now));
    match step {
        Step::Reserve { order, lines, lasts } => (
            reserve(stock, *order, lines, start + lasts, now),
            model.reserve(*order, lines, *lasts),
        ),
        Step::Commit { order } => (commit(stock, *order, now), model.commit(*order)),
        Step::Release { order } => (release(stock, *order, now), model.release(*order)),
        Step::TakeBack { order } => (take_back(stock, *order, now), model.take_back(*order)),
        Step::CommitAll { orders } => panic!("{orders:?} are several"),
        Step::Wait { micros } => {
            model.now += micros;
            ("ok", "ok")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_stock_is_what_arithmetic_says(steps in prop::collection::vec(step(), 1..60)) {
        let stock = Store::new(database::fresh(MIGRATIONS).unwrap());
        let mut model = Model::default();
        for step in &steps {
            let (said, expected) = take(step, &stock, &mut model);
            prop_assert_eq!(said, expected, "{:?}", step);
            let now = Instant::from_micros(model.now);
            for (number, _) in INITIAL {
                let level = app::level(&stock, &[sku(number)], now).unwrap()[0];
                prop_assert!(level.reserved <= level.on_hand, "{:?} after {:?}", level, step);
                prop_assert_eq!(Some(level.on_hand), model.on_hand(number));
                prop_assert_eq!(level.reserved, model.reserved(number));
                let newest = &stock.history(sku(number), None, 1).unwrap()[0];
                prop_assert_eq!(newest.on_hand, level.on_hand, "history lags after {:?}", step);
            }
        }
    }
}
