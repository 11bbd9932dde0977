//! What holds however many change an order at the same moment, each over a connection of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use kernel::{Currency, Instant, Millis, Money, OrderId, ProductId, Quantity, SkuId, UserId};
use order::app::{Claim, Claims, Due, Inserted, LEASE, Orders, Transitions};
use order::domain::{
    Cancellation, Failure, Lease, Line, Method, Order, Owner, PaymentKey, State, Task, Totals, Work,
};
use order::store::MIGRATIONS;
use store::{Db, params};
use store_suite::database;
use testkit::{NEW_YEAR, at_once};

store_suite::also_on_postgres!();

const THREADS: usize = 12;

/// Each race is run so often: one that is lost now and then is lost.
const RUNS: usize = 8;

/// When the time to pay runs out.
fn end() -> Instant {
    NEW_YEAR.after(Millis(60_000))
}

fn lease(owner: usize) -> Lease {
    Lease {
        owner: Owner::draw(2 + owner as u64),
        until: NEW_YEAR.after(LEASE),
    }
}

fn order(number: u64, state: State) -> Order {
    let lines = vec![Line {
        product: ProductId::try_new(1).unwrap(),
        sku: SkuId::try_new(1).unwrap(),
        name: "x".to_owned(),
        category: "y".to_owned(),
        seller: "z".to_owned(),
        unit_price: Money::try_new(10, Currency::Krw).unwrap(),
        quantity: Quantity::ONE,
    }];
    Order {
        id: OrderId::try_new(number).unwrap(),
        user: UserId::try_new(1).unwrap(),
        totals: Totals::of(&lines).unwrap(),
        lines,
        method: Method::Pg,
        state,
        created_at: NEW_YEAR,
    }
}

fn pending(number: u64) -> Order {
    order(number, State::Pending { pay_until: None })
}

fn paid() -> Order {
    order(1, State::Paid { at: NEW_YEAR })
}

fn work(pay_until: Option<Instant>, from_cart: bool) -> Work {
    Work {
        task: Task::Place { pay_until },
        attempt: 1,
        lease: lease(0),
        from_cart,
        key: None,
        stuck: None,
    }
}

fn open(path: &Path) -> Db {
    database::open(path, MIGRATIONS).unwrap()
}

/// Runs a race over databases that `begin` has prepared; `judge` gets what the threads answered.
fn race<T: Send>(begin: impl Fn(&Db), run: impl Fn(&Db, usize) -> T + Sync, judge: impl Fn(&Db, &[T])) {
    for _ in 0..RUNS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("order.db");
        let db = open(&path);
        begin(&db);
        let answers = at_once(THREADS, |_| open(&path), &run);
        judge(&db, &answers);
    }
}

fn place(db: &Db, pay_until: Option<Instant>) {
    let inserted = db.insert(&pending(1), &work(pay_until, false), None, 10);
    assert_eq!(inserted.unwrap(), Inserted::Done);
}

fn awaiting(db: &Db) {
    place(db, Some(end()));
    assert!(db.wait(pending(1).id, lease(0).owner, None).unwrap());
}

fn pay(db: &Db, owner: Owner) -> bool {
    db.pay(&paid(), owner, NEW_YEAR, NEW_YEAR, None).unwrap()
}

/// How the order stands, what is left to do, and how many changes and events there were.
fn stands(db: &Db) -> String {
    let found = db.find(pending(1).id).unwrap().unwrap();
    let statement =
        "select (select count(*) from order_history) as changes, (select count(*) from outbox) as events";
    let row = db.read_one(statement, params![]).unwrap().unwrap();
    let (changes, events): (i64, i64) = (row.get("changes").unwrap(), row.get("events").unwrap());
    let task = match found.work.map(|work| work.task) {
        None => "none",
        Some(Task::Confirm { .. }) => "CONFIRM",
        Some(Task::Expire) => "EXPIRE",
        Some(Task::Finish) => "FINISH",
        Some(_) => "something else",
    };
    format!(
        "{}, {task}, {changes} changes, {events} events",
        found.order.state.text()
    )
}

#[test]
fn a_payment_and_the_end_of_its_time_have_one_winner() {
    let key = PaymentKey::try_new("k").unwrap();
    race(
        awaiting,
        |db, thread| match thread % 2 {
            0 => {
                db.claim_payment(pending(1).id, &key, lease(thread), NEW_YEAR, None)
                    .unwrap()
                    == Claim::Won
            }
            _ => db.claim_expiry(pending(1).id, lease(thread), end()).unwrap(),
        },
        |db, won| {
            assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
            let owner = won.iter().position(|won| *won).unwrap();
            let task = if owner % 2 == 0 { "CONFIRM" } else { "EXPIRE" };
            assert_eq!(stands(db), format!("PENDING, {task}, 0 changes, 1 events"));
            let work = db.find(pending(1).id).unwrap().unwrap().work.unwrap();
            assert_eq!(work.lease.owner, lease(owner).owner);
        },
    );
}

#[test]
fn a_request_and_those_who_take_its_work_over_decide_once() {
    race(
        |db| place(db, None),
        |db, thread| {
            if thread < 2 {
                return pay(db, lease(0).owner);
            }
            let late = NEW_YEAR.after(Millis(20_001));
            let longer = Lease {
                until: late.after(LEASE),
                ..lease(thread)
            };
            db.take_over(pending(1).id, longer, late).unwrap().is_some()
                && db
                    .fail(&pending(1), &Failure::Abandoned, longer.owner, late, None)
                    .unwrap()
        },
        |db, decided| {
            assert_eq!(
                decided.iter().filter(|decided| **decided).count(),
                1,
                "{decided:?}"
            );
            // What is paid is to be finished, and a thief may have taken just that over.
            let paid = decided[..2].contains(&true);
            let expected = if paid { "PAID, FINISH" } else { "FAILED, none" };
            assert_eq!(stands(db), format!("{expected}, 1 changes, 2 events"));
        },
    );
}

#[test]
fn an_order_is_cancelled_once_also_while_it_is_finished() {
    race(
        |db| {
            place(db, None);
            assert!(pay(db, lease(0).owner));
        },
        |db, thread| {
            let (id, mine, why) = (paid().id, lease(thread), Cancellation::Customer(None));
            if thread % 3 == 0 {
                let late = NEW_YEAR.after(Millis(20_001));
                let taken = db.take_finished(mine, late, 10).unwrap();
                db.forget(&[id], mine.owner).unwrap();
                assert!(taken.len() <= 1);
                return false;
            }
            if db.claim_cancel(id, &why, mine, None).unwrap() != Claim::Won {
                return false;
            }
            let cancelled = order(
                1,
                State::Cancelled {
                    at: NEW_YEAR,
                    why: why.clone(),
                },
            );
            let state = State::Paid { at: NEW_YEAR };
            assert!(
                db.cancel(&cancelled, &state, &why, mine.owner, NEW_YEAR, None)
                    .unwrap()
            );
            true
        },
        |db, won| {
            assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
            assert_eq!(stands(db), "CANCELLED, none, 2 changes, 3 events");
        },
    );
}

/// Each of them counts, and then writes another row than the others: only the database sees that they meet.
#[test]
fn of_a_customers_orders_no_more_than_may_wait_for_a_payment() {
    race(
        |_| {},
        |db, thread| {
            db.insert(&pending(1 + thread as u64), &work(Some(end()), false), None, 3)
                .unwrap()
        },
        |db, answers| {
            let done = answers.iter().filter(|answer| **answer == Inserted::Done).count();
            assert_eq!(done, 3, "{answers:?}");
            let row = db.read_one("select count(*) as orders from customer_order", params![]);
            assert_eq!(
                row.unwrap().unwrap().get::<i64>("orders"),
                Ok(3),
                "all or nothing of each"
            );
        },
    );
}

#[test]
fn a_cart_is_bought_once_at_a_time() {
    race(
        |_| {},
        |db, thread| {
            db.insert(&pending(1 + thread as u64), &work(None, true), None, 3)
                .unwrap()
        },
        |_, answers| {
            let done = answers.iter().filter(|answer| **answer == Inserted::Done).count();
            let others = answers
                .iter()
                .filter(|answer| **answer == Inserted::CartUnderWay)
                .count();
            assert_eq!((done, others), (1, THREADS - 1), "{answers:?}");
        },
    );
}
