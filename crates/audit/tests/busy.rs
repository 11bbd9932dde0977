//! A shop that works, loses answers and is carried on by its jobs raises no alarm; and a fault in the midst of it does.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod shop;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use audit::{Invariant, Rule, Scope, Settings, Subject, Watch, at_rest, look};
use kernel::Millis;
use shop::{Ground, House, Shop, Time, stock_up};
use testkit::servers::Postgres;

/// The shop's time runs so much faster than ours: a lease of 20 s lapses within one.
const SPEED: i64 = 20;

const GRACE: Millis = Millis(120_000);

/// How long the shop works, in real time.
const WORKS: Duration = Duration::from_secs(20);

/// Of a hundred calls between domains, so many lose their answer, before or after they were done.
const LOST: u64 = 6;

/// What one customer does: buys in every way there is, cancels, gets money back.
fn customer(house: &House<'_>, seed: u64, stop: &AtomicBool) -> u64 {
    let shop = Shop::enter(house, seed, LOST);
    let mut orders = 0;
    while !stop.load(Ordering::Relaxed) {
        let draw = shop.draw();
        // Three pieces of product 3 cost what the gateway refuses.
        let (product, quantity) = (1 + draw % 3, 1 + (draw >> 8) % 3);
        let method = ["CARD", "CASH", "PG", "CARD"][(draw >> 16) as usize % 4];
        let Some((order, status)) = shop.buy(product, quantity as u32, method) else {
            continue;
        };
        orders += 1;
        thread::sleep(Duration::from_millis((draw >> 24) % 20));
        match ((draw >> 32) % 4, status.as_str()) {
            // One in four of those that wait for their payment never gets it.
            (1..=3, "PENDING") => {
                let price = [10_000, 25_000, 5_000][product as usize - 1];
                shop.confirm(order, price * quantity as i64);
            }
            (0, "PAID") => {
                shop.cancel(order);
            }
            (1, "PAID") => {
                shop.refund(order, 1_000);
            }
            _ => {}
        }
    }
    orders
}

/// The jobs and the relay, over a bus that loses messages.
fn back_office(house: &House<'_>, stop: &AtomicBool) {
    let (shop, ledger) = (Shop::enter(house, 1_000, LOST), house.settlement());
    while !stop.load(Ordering::Relaxed) {
        shop.jobs();
        house.relay(&shop, &ledger, &|| shop.draw() % 10 == 0);
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends everybody home, also when an assertion fails.
struct EndOf<'a>(&'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets a shop work, while `work` is done beside it; how many orders it took.
fn beside<T>(house: &House<'_>, work: impl FnOnce() -> T) -> (u64, T) {
    let (stop, orders) = (AtomicBool::new(false), AtomicU64::new(0));
    let answer = thread::scope(|scope| {
        for seed in 1..=3 {
            let (stop, orders) = (&stop, &orders);
            scope.spawn(move || orders.fetch_add(customer(house, seed, stop), Ordering::Relaxed));
        }
        scope.spawn(|| back_office(house, &stop));
        let _end = EndOf(&stop);
        work()
    });
    (orders.into_inner(), answer)
}

#[test]
fn a_busy_shop_raises_no_alarm() {
    let folder = tempfile::tempdir().unwrap();
    raises_no_alarm(Ground::Files(folder.path()));
}

#[test]
fn a_busy_shop_on_postgres_raises_no_alarm() {
    let Some(cluster) = Postgres::start() else { return };
    cluster.provision();
    raises_no_alarm(Ground::Postgres(&cluster));
}

fn raises_no_alarm(ground: Ground<'_>) {
    let house = House::new(ground, Time::running(SPEED));
    stock_up(&house);
    let clock = || house.time.now();
    let mut watch = Watch::new(house.sources(), GRACE);
    let mut suspects = 0;
    let (orders, passes) = beside(&house, || {
        let began = Instant::now();
        let mut passes = 0;
        while began.elapsed() < WORKS {
            let report = watch.pass(&clock).unwrap();
            assert!(report.is_clean(), "{report}");
            suspects += report.undecided;
            passes += 1;
            thread::sleep(Duration::from_millis(50));
        }
        for scope in [Scope::Full, Scope::Since(clock().before(Millis(60_000)))] {
            let settings = Settings { grace: GRACE, scope };
            let report = look(&house.sources(), &Invariant::ALL, settings, &clock).unwrap();
            assert!(report.is_clean(), "{report}");
        }
        passes
    });
    assert!(orders > 100, "only {orders} orders: nothing was proved");
    assert!(
        suspects > 0,
        "{passes} passes never saw anything under way: nothing was proved"
    );
    house.settle();
    let report = at_rest(&house.sources(), &Invariant::ALL).unwrap();
    assert!(report.is_clean(), "{report}");
    let done = |state: &str| {
        let shop = Shop::enter(&house, 1, 0);
        shop.count(&format!(
            "select count(*) as n from customer_order where state = '{state}'"
        ))
    };
    for state in ["PAID", "FAILED", "CANCELLED"] {
        assert!(done(state) > 0, "no order is {state}: nothing was proved");
    }
}

#[test]
fn a_fault_in_a_busy_shop_is_found_with_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(Ground::Files(folder.path()), Time::running(SPEED));
    stock_up(&house);
    let clock = || house.time.now();
    let (_, found) = beside(&house, || {
        thread::sleep(Duration::from_secs(2));
        let wrong = "insert into pg_payment values (99, 'KRW', 500, 'APPROVED', null, 0)";
        house.ground.run("pg", wrong);
        let settings = Settings {
            grace: GRACE,
            scope: Scope::Full,
        };
        look(&house.sources(), &Invariant::ALL, settings, &clock).unwrap()
    });
    let found: Vec<_> = found
        .violations
        .iter()
        .map(|one| (one.rule, one.subject.clone()))
        .collect();
    assert_eq!(found, [(Rule::GatewayAgrees, Subject::Order(99))]);
}
