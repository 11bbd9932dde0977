//! However many orders there are, a full look holds a page of them at a time, and nobody who writes waits for it.
//!
//! `AUDIT_ORDERS=1000000 cargo test -p audit --test pages -- --nocapture` says what a million cost.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]
#![allow(clippy::print_stdout, reason = "what a look cost is worth reading")]

mod shop;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use audit::{Address, Invariant, Label, Rule, Scope, Settings, Subject, Watch, look};
use kernel::Millis;
use shop::{Ground, House, Time};

/// So that several pages are needed where nobody asks for more.
const ORDERS: i64 = 12_345;

/// A million orders in memory would be hundreds of megabytes.
const MEMORY_KIB: i64 = 64 * 1024;

/// An order that is PAID and was refunded, which nobody told of.
const WRONG: i64 = 7_777;

fn fill(house: &House<'_>, orders: i64) {
    let numbers = format!(
        "with recursive number (n) as (values (1) union all select n + 1 from number where n < {orders})"
    );
    let run = |label: Label, statements: &[&str]| {
        let database = rusqlite::Connection::open(file(house, label)).unwrap();
        database
            .execute_batch("pragma synchronous = off; begin immediate")
            .unwrap();
        for statement in statements {
            let made = statement.replace("{orders}", &orders.to_string());
            let text = match made.strip_prefix("plain ") {
                Some(plain) => plain.to_owned(),
                None => made.replacen("select", &format!("{numbers} select"), 1),
            };
            database
                .execute(&text, [])
                .unwrap_or_else(|error| panic!("{error}: {text}"));
        }
        database.execute_batch("commit").unwrap();
    };
    run(
        Label::Order,
        &[
            "insert into customer_order select n, 1 + n % 1000, 'PAID', 'CARD', 'KRW', 100, 0, 100, null, null, 0, n, n from number",
            "insert into order_line (order_id, place, product_id, sku_id, name, unit_minor, quantity, amount_minor)
             select n, 1, 1 + n % 3, 1 + n % 3, 'x', 100, 1, 100 from number",
            "insert into outbox select 'order.paid:' || n, 'order.paid', '' || n, n, '{}', n, null from number",
            "plain update outbox_relay set last_position = {orders}, acknowledged = {orders}",
        ],
    );
    run(
        Label::Payment,
        &[
            "insert into payment select n, n, 1, 'CARD', 'KRW', 100, 'CAPTURED', 'k', null, 0, 0, n from number",
            "insert into outbox select 'payment.completed:' || n, 'payment.completed', '' || n, n, '{}', n, null from number",
            "plain update outbox_relay set last_position = {orders}, acknowledged = {orders}",
        ],
    );
    run(
        Label::Gateway,
        &["insert into pg_payment select n, 'KRW', 100, 'APPROVED', null, 0 from number"],
    );
    run(
        Label::Stock,
        &[
            "plain update stock_level set on_hand = 10000000",
            "plain update stock_history set quantity = 10000000, on_hand = 10000000",
            "insert into reservation select n, 'COMMITTED', n, n, n from number",
            "insert into reservation_line select n, 1 + n % 3, 1, null from number",
            "insert into stock_history select 1 + n % 3, 10 + 2 * n, 'RESERVE', n, 1, 1, 0, n from number",
            "insert into stock_history select 1 + n % 3, 11 + 2 * n, 'COMMIT', n, 1, 1, 0, n from number",
            "plain update stock_level set on_hand = on_hand - (select count(*) from reservation_line line
                      where line.sku_id = stock_level.sku_id)",
        ],
    );
    run(
        Label::Settlement,
        &[
            "insert into ledger_entry select 'payment.completed:' || n, 'SALES', 'payment.completed:' || n, n, 'KRW', n,
                    '2026-01-' || (10 + n % 20) from number",
            "insert into ledger_posting select 'payment.completed:' || n, 'CLEARING', 100, 0 from number",
            "insert into ledger_posting select 'payment.completed:' || n, 'SALES', 0, 100 from number",
            "plain insert into daily_settlement select day, count(*) * 100, count(*), 0, 0 from ledger_entry group by day",
            "insert into inbox select 'order', 'order.paid:' || n, n, n from number",
            "insert into inbox select 'payment', 'payment.completed:' || n, n, n from number",
        ],
    );
}

fn file(house: &House<'_>, label: Label) -> PathBuf {
    match house.ground.address(label.as_str()) {
        Address::File(path) => path,
        Address::Postgres(_) => panic!("these shops are files"),
    }
}

/// A figure of this process in KiB, where the system tells.
fn memory(what: &str) -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    line.trim_start_matches(':')
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// Commits to the orders' database, one after the other, until it is told to stop: how many, and the longest.
fn write(house: &House<'_>, stop: &AtomicBool) -> (u32, Duration) {
    let database = rusqlite::Connection::open(file(house, Label::Order)).unwrap();
    database.busy_timeout(Duration::from_secs(10)).unwrap();
    let (mut commits, mut longest) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        database
            .execute(
                "update customer_order set changed_at = changed_at where order_id = 5",
                [],
            )
            .unwrap();
        longest = longest.max(began.elapsed());
        commits += 1;
        thread::sleep(Duration::from_millis(2));
    }
    (commits, longest)
}

#[test]
fn a_full_look_holds_one_page_and_nobody_up() {
    let orders = std::env::var("AUDIT_ORDERS").map_or(ORDERS, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(Ground::Files(folder.path()), Time::running(10));
    fill(&house, orders);
    let gateway = rusqlite::Connection::open(file(&house, Label::Gateway)).unwrap();
    let wrong = format!("update pg_payment set cancelled_minor = 1 where order_id = {WRONG}");
    gateway.execute(&wrong, []).unwrap();
    let settings = Settings {
        grace: Millis(1_000),
        scope: Scope::Full,
    };
    let clock = || house.time.now();
    let before = memory("VmRSS");
    let stop = AtomicBool::new(false);
    let ((commits, longest), report, took) = thread::scope(|scope| {
        let writer = scope.spawn(|| write(&house, &stop));
        let began = Instant::now();
        let report = look(&house.sources(), &Invariant::ALL, settings, &clock).unwrap();
        let took = began.elapsed();
        stop.store(true, Ordering::Relaxed);
        (writer.join().unwrap(), report, took)
    });
    let found: Vec<_> = report
        .violations
        .iter()
        .map(|one| (one.rule, one.subject.clone()))
        .collect();
    assert_eq!(found, [(Rule::GatewayAgrees, Subject::Order(WRONG))], "{report}");
    let looked: Vec<_> = report.lines[0].looked.clone();
    assert_eq!(looked, [("orders", orders as u64), ("SKUs", 3)]);
    let grown = memory("VmHWM").zip(before).map(|(peak, before)| peak - before);
    println!(
        "{orders} orders in {took:?}, {commits} commits beside it, the longest {longest:?}, {grown:?} KiB"
    );
    assert!(longest < Duration::from_secs(2), "a writer waited {longest:?}");
    assert!(grown.is_none_or(|grown| grown < MEMORY_KIB), "{grown:?} KiB");
}

#[test]
fn a_watch_comes_to_everything_a_part_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(Ground::Files(folder.path()), Time::running(100_000));
    fill(&house, ORDERS);
    let gateway = rusqlite::Connection::open(file(&house, Label::Gateway)).unwrap();
    let wrong = format!("update pg_payment set cancelled_minor = 1 where order_id = {WRONG}");
    gateway.execute(&wrong, []).unwrap();
    let mut watch = Watch::new(house.sources(), Millis(1_000));
    let mut passes = 0;
    while watch.report().is_clean() {
        watch.pass(&|| house.time.now()).unwrap();
        let looked = watch.report().lines[0].looked[0].1;
        assert!(looked <= 4_000, "{looked} orders in one pass");
        passes += 1;
        assert!(passes < 30, "the patrol does not come to order {WRONG}");
    }
    assert!(passes > 5, "{passes} passes");
    assert_eq!(watch.report().violations[0].subject, Subject::Order(WRONG));
    // What is put right is not reported any more.
    let right = format!("update pg_payment set cancelled_minor = 0 where order_id = {WRONG}");
    gateway.execute(&right, []).unwrap();
    let last = watch.last_success();
    assert!(watch.pass(&|| house.time.now()).unwrap().is_clean());
    assert!(watch.last_success() > last);
}
