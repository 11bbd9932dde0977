//! Days that begin elsewhere: everything is where it would be if it had been taken in there.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]
#![allow(clippy::print_stdout, reason = "how long it took is for a person")]

mod books;

use std::env;
use std::rc::Rc;

use books::{Books, NOW, completed, message, order, paid, refunded};
use kernel::Instant;
use proptest::prelude::*;
use relay::Event;
use settlement::app::{Ledger, consume};
use settlement::domain::Zone;
use settlement::store::{MIGRATIONS, Store};
use store::{Db, DbError, Driver, params};
use store_suite::{counted, database, shared};

store_suite::also_on_postgres!();

/// Among them one that puts the clock back past midnight, one that once left out a day, and one that moves it by
/// half an hour.
const ZONES: [&str; 7] = [
    "Asia/Seoul",
    "UTC",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Pacific/Honolulu",
];

/// Moments at which something is odd in one of them, and one where nothing is.
const ODD: [i64; 4] = [
    1_289_097_000_000_000,
    1_325_239_200_000_000,
    1_518_919_200_000_000,
    NOW.micros(),
];

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

/// Takes everything in with days of this zone; the last order's money turns out never to have moved.
fn taken_in(books: &Books, name: &str, told: &[(&str, Vec<Event>)]) {
    let store = || Store::new(books.db(), zone(name));
    for (producer, events) in told {
        let buried = consume(&store(), &message(producer, events), NOW, |_, _| {});
        assert_eq!(buried.unwrap(), []);
    }
    store().put_right(order(1), Vec::new(), NOW).unwrap();
}

/// On which day each entry is, and what the days come to.
fn seen(books: &Books) -> String {
    let rows = books.db().read(
        "select entry_id || ' ' || day as line from ledger_entry order by entry_id",
        params![],
    );
    let lines = rows.unwrap();
    let lines = lines.iter().map(|row| row.get::<String>("line").unwrap() + "\n");
    lines.collect::<String>() + &books.sums()
}

fn told(moments: &[(usize, i64, i64)]) -> Vec<(&'static str, Vec<Event>)> {
    let (mut payments, mut orders) = (Vec::new(), Vec::new());
    for (number, &(odd, minutes, refund_minutes)) in (1..).zip(moments) {
        let at = |minutes: i64| Instant::from_micros(ODD[odd] + minutes * 60_000_000);
        let lines = [("A", "s", 60), ("B", "t", 40)];
        orders.push(paid(number, &lines, number, at(minutes)));
        payments.push(completed(number, 100, 2 * number - 1, at(minutes)));
        let refund = refunded(number, "r", 35, 2 * number, at(minutes + refund_minutes));
        payments.push(refund);
    }
    vec![("order", orders), ("payment", payments)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if database::is_postgres() { 8 } else { 64 }))]
    #[test]
    fn whatever_the_zones_the_books_are_as_if_taken_in_in_the_last(
        moments in prop::collection::vec((0..ODD.len(), -3_000..3_000i64, 0..3_000i64), 1..12),
        way in prop::collection::vec(prop::sample::select(ZONES.to_vec()), 2..5),
    ) {
        let books = Books::new();
        taken_in(&books, way[0], &told(&moments));
        for name in &way {
            drop(Store::for_readers(books.db(), zone(name)).unwrap());
            let fresh = Books::new();
            taken_in(&fresh, name, &told(&moments));
            prop_assert_eq!(seen(&books), seen(&fresh));
        }
    }
}

/// A ledger of so many payments, over sixty days.
fn fill(db: &Db, payments: i64) {
    let numbers = "with recursive numbers (n) as (select cast(1 as bigint) union all select n + 1 from numbers where n < ?1) ";
    let between = 60 * 24 * 3_600_000_000 / payments;
    let entry = "insert into ledger_entry (entry_id, kind, movement_id, order_id, currency, occurred_at, day)
        {numbers} select 'payment.completed:' || n, 'SALES', 'payment.completed:' || n, n, 'KRW', ?2 + n * ?3, 'x'
        from numbers";
    let posting = "insert into ledger_posting (entry_id, account, debit_minor, credit_minor)
        {numbers} select 'payment.completed:' || n, account, debit, 10 - debit from numbers
        cross join (select 'SALES' as account, 0 as debit union all select 'CLEARING', 10) as sides";
    let line = "insert into order_line (order_id, line_number, category, seller, amount_minor)
        {numbers} select n, 1, 'category ' || (n % 20), 'seller ' || (n % 50), 10 from numbers";
    db.transaction(|tx| {
        tx.execute(
            &entry.replace("{numbers}", numbers),
            params![payments, NOW, between],
        )?;
        tx.execute(&posting.replace("{numbers}", numbers), params![payments])?;
        tx.execute(&line.replace("{numbers}", numbers), params![payments])?;
        Ok::<(), DbError>(())
    })
    .unwrap();
}

/// With another size, and `--nocapture`, this measures: `BODEGA_LEDGER=100000`.
#[test]
fn another_zone_costs_statements_by_the_day_and_not_by_the_payment() {
    let payments: u32 = env::var("BODEGA_LEDGER").map_or(2_000, |text| text.parse().unwrap());
    let inner: Rc<dyn Driver> = Rc::from(database::fresh_driver().unwrap());
    fill(&Db::open(shared(&inner), MIGRATIONS).unwrap(), payments.into());
    for name in ["Asia/Seoul", "UTC", "America/New_York"] {
        let (driver, count) = counted(inner.clone());
        let began = std::time::Instant::now();
        drop(Store::for_readers(Db::open(driver, MIGRATIONS).unwrap(), zone(name)).unwrap());
        let (took, count) = (began.elapsed(), count.get());
        println!("{name}: {payments} payments, {count} statements, {took:?}");
        assert!(count < 220 + payments / 400, "{name}: {count} statements");
    }
    let sums =
        "select cast(sum(total_minor) as bigint) as total, cast(sum(payment_count) as bigint) as payments
                from daily_settlement";
    let sums = Db::open(shared(&inner), MIGRATIONS)
        .unwrap()
        .read(sums, params![]);
    let sum = |column| sums.as_ref().unwrap()[0].get::<i64>(column).unwrap();
    let payments = i64::from(payments);
    assert_eq!((sum("total"), sum("payments")), (10 * payments, payments));
}
