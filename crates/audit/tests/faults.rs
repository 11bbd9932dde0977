//! One fault of each kind, planted into a shop that is in order, is found with its id; and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod shop;

use std::collections::BTreeSet;
use std::fs;

use audit::{
    Address, Finding, Invariant, Label, Rule, Scope, Settings, Sources, Subject, Watch, at_rest, look,
};
use kernel::Millis;
use shop::{Ground, House, Shop, Time, stock_up};
use testkit::servers::Postgres;

const GRACE: Millis = Millis(2_000);

/// How much faster than real time the shop's clock is: the grace takes a fifth of a second.
const SPEED: i64 = 10;

/// The orders of a small shop at rest.
struct Orders {
    /// By card, 10,000 for one piece of SKU 1.
    paid: i64,
    /// The same in cash.
    cash: i64,
    /// Cancelled after it was paid.
    cancelled: i64,
    /// Of which an admin gave 1,000 back.
    refunded: i64,
}

fn a_shop(house: &House<'_>) -> Orders {
    let shop = Shop::enter(house, 7, 0);
    let buy = |method: &str| {
        shop.time().wait(Millis(10));
        i64::try_from(shop.buy(1, 1, method).unwrap().0).unwrap()
    };
    let orders = Orders {
        paid: buy("CARD"),
        cash: buy("CASH"),
        cancelled: buy("CARD"),
        refunded: buy("CARD"),
    };
    assert!(shop.refund(orders.refunded as u64, 1_000));
    house.settle();
    assert_eq!(shop.cancel(orders.cancelled as u64), 200);
    house.settle();
    orders
}

/// A fault: where it is planted, how, and what breaks. Only a shop at rest has those of which nobody can tell
/// whether they are under way.
struct Fault {
    label: Label,
    sql: String,
    broken: Vec<(Rule, Subject)>,
    only: Only,
}

#[derive(Clone, Copy, PartialEq)]
enum Only {
    AtRest,
    Live,
    Both,
}

fn faults(orders: &Orders) -> Vec<Fault> {
    let Orders {
        paid,
        cash,
        cancelled,
        refunded,
    } = *orders;
    let fault = |label, sql: String, broken: Vec<(Rule, Subject)>| Fault {
        label,
        sql,
        broken,
        only: Only::Both,
    };
    let of = |order, rules: &[Rule]| rules.iter().map(|rule| (*rule, Subject::Order(order))).collect();
    let pending = format!("update customer_order set state = 'PENDING' where order_id = {cancelled};");
    let (order, payment, stock) = (Label::Order, Label::Payment, Label::Stock);
    let ledger = Label::Settlement;
    vec![
        fault(
            stock,
            format!(
                "insert into stock_history select sku_id, 1000, kind, order_id, quantity, on_hand, reserved, at
                   from stock_history where order_id = {paid} and kind = 'COMMIT';
                 update stock_level set on_hand = on_hand - 1 where sku_id = 1"
            ),
            of(paid, &[Rule::LeavesOnce]),
        ),
        fault(
            stock,
            format!("update reservation set state = 'RELEASED' where order_id = {paid}"),
            of(paid, &[Rule::PaidIsSold]),
        ),
        fault(
            stock,
            format!("delete from taken_back where order_id = {cancelled}"),
            of(cancelled, &[Rule::SoldIsPaid]),
        ),
        fault(
            stock,
            format!("update reservation_line set held_until = 1 where order_id = {paid}"),
            of(paid, &[Rule::HeldIsWaitedFor]),
        ),
        fault(
            stock,
            "update stock_level set on_hand = on_hand + 1 where sku_id = 2".to_owned(),
            vec![(Rule::HistoryAddsUp, Subject::Sku(2))],
        ),
        fault(
            stock,
            "insert into reservation values (77, 'RESERVED', 4000000000000000, null, 1);
                 insert into reservation_line values (77, 3, 1000000, 4000000000000000);
                 insert into reservation values (78, 'RESERVED', 4000000000000000, null, 1);
                 insert into reservation_line values (78, 3, 1000000, 4000000000000000)"
                .to_owned(),
            vec![
                (Rule::HeldIsWaitedFor, Subject::Order(77)),
                (Rule::HeldIsWaitedFor, Subject::Order(78)),
                (Rule::NotOversold, Subject::Sku(3)),
            ],
        ),
        fault(
            order,
            format!("update customer_order set total_minor = 9000, due_minor = 9000 where order_id = {cash};
                     update order_line set unit_minor = 9000, amount_minor = 9000 where order_id = {cash}"),
            of(cash, &[Rule::PaidIsCaptured]),
        ),
        fault(
            order,
            format!("update order_line set quantity = 1, unit_minor = 9000, amount_minor = 9000 where order_id = {cash}"),
            of(cash, &[Rule::LinesAreTotal]),
        ),
        fault(
            order,
            format!("update customer_order set state = 'FAILED', failure = 'X' where order_id = {cancelled}"),
            of(cancelled, &[Rule::StateIsTold]),
        ),
        Fault {
            only: Only::AtRest,
            ..fault(
                order,
                "insert into outbox values ('x', 'order.paid', '5', 1, '{}', null, null)".to_owned(),
                vec![(Rule::HasPosition, Subject::Producer(order))],
            )
        },
        fault(
            ledger,
            "update inbox set applied_at = null where producer = 'payment' and position = 2".to_owned(),
            vec![(Rule::AppliedOnce, Subject::Event(payment, 2))],
        ),
        // One that a person has put up with is none.
        fault(
            ledger,
            "update inbox set applied_at = null where producer = 'payment' and position = 2;
             insert into dead_letter (dead_letter_id, received_at, fingerprint, producer, event_id, topic, position, payload,
                                      error, dismissed_at, dismissed_by, dismissed_reason)
             select 1, 1, 'event payment ' || event_id, producer, event_id, 'x', position, '{}', 'x', 1, 1, 'x'
               from inbox where producer = 'payment' and position = 2"
                .to_owned(),
            vec![],
        ),
        // Put aside, and nobody has looked yet.
        fault(
            ledger,
            "update inbox set applied_at = null where producer = 'payment' and position = 2;
             insert into dead_letter (dead_letter_id, received_at, fingerprint, producer, event_id, topic, position, payload,
                                      error)
             select 1, 1, 'event payment ' || event_id, producer, event_id, 'x', position, '{}', 'x'
               from inbox where producer = 'payment' and position = 2"
                .to_owned(),
            vec![(Rule::AppliedOnce, Subject::Event(payment, 2))],
        ),
        fault(
            ledger,
            "delete from inbox where producer = 'order' and position = 1".to_owned(),
            vec![(Rule::AppliedOnce, Subject::Event(order, 1))],
        ),
        fault(
            ledger,
            "insert into inbox values ('order', 'order.paid:9', 1000, 1)".to_owned(),
            vec![(Rule::HeardIsSent, Subject::Producer(order))],
        ),
        fault(
            ledger,
            "update daily_settlement set total_minor = total_minor + 1".to_owned(),
            vec![(Rule::DaysAreSums, Subject::Day("2026-01-01".to_owned()))],
        ),
        fault(
            ledger,
            format!("update ledger_posting set debit_minor = debit_minor + 1
                      where account = 'CLEARING' and entry_id = 'payment.completed:{cash}'"),
            of(cash, &[Rule::Balances]),
        ),
        fault(
            ledger,
            format!("update ledger_posting set debit_minor = case when debit_minor > 0 then debit_minor + 5 else 0 end,
                            credit_minor = case when credit_minor > 0 then credit_minor + 5 else 0 end
                      where entry_id = 'payment.completed:{cash}';
                     update daily_settlement set total_minor = total_minor + 5"),
            of(cash, &[Rule::CapturedIsEntered]),
        ),
        fault(
            ledger,
            format!("update ledger_posting set debit_minor = case when debit_minor > 0 then debit_minor + 5 else 0 end,
                            credit_minor = case when credit_minor > 0 then credit_minor + 5 else 0 end
                      where entry_id = 'payment.refunded:{refunded}:admin/by hand';
                     update daily_settlement set refund_minor = refund_minor + 5"),
            of(refunded, &[Rule::RefundedIsEntered]),
        ),
        fault(
            order,
            format!("update customer_order set state = 'FAILED', failure = 'X' where order_id = {cash}"),
            of(cash, &[Rule::KeptForPaid, Rule::LeavesOnce, Rule::SoldIsPaid, Rule::StateIsTold]),
        ),
        fault(
            payment,
            format!("insert into refund values ({cancelled}, 'more', 10000, 'r', 'DONE', null, 1, 2)"),
            of(
                cancelled,
                &[Rule::KeptForPaid, Rule::WithinCapture, Rule::RefundedIsSum, Rule::RefundedIsEntered],
            ),
        ),
        fault(
            payment,
            format!("update payment set refunded_minor = refunded_minor + 1 where order_id = {cash}"),
            of(cash, &[Rule::RefundedIsSum]),
        ),
        fault(
            payment,
            format!("insert into refund values ({cash}, 'k', 5, 'r', 'REQUESTED', null, 1, null)"),
            of(cash, &[Rule::PromisedIsSum]),
        ),
        fault(
            payment,
            format!("insert into refund values ({cash}, 'k', 5, 'r', 'REQUESTED', null, 1, null);
                     update payment set refunding_minor = 5 where order_id = {cash}"),
            of(cash, &[Rule::PromiseKept]),
        ),
        fault(
            Label::Gateway,
            format!("update pg_payment set cancelled_minor = 1 where order_id = {paid}"),
            of(paid, &[Rule::GatewayAgrees]),
        ),
        fault(
            Label::Gateway,
            "insert into pg_payment values (99, 'KRW', 500, 'APPROVED', null, 0)".to_owned(),
            of(99, &[Rule::GatewayAgrees]),
        ),
        fault(order, pending.clone(), of(cancelled, &[Rule::IsDecided])),
        fault(
            order,
            pending.clone() + &work(cancelled, "'PLACE'", "null", "null"),
            of(cancelled, &[Rule::IsDecided, Rule::IsAtItsEnd]),
        ),
        fault(order, work(paid, "'FINISH'", "null", "'Void'"), of(paid, &[Rule::IsAtItsEnd])),
        Fault {
            only: Only::Live,
            ..fault(
                order,
                pending.clone() + &work(cancelled, "'AWAIT'", "5", "null"),
                of(cancelled, &[Rule::Expires, Rule::WaitedForIsHeld]),
            )
        },
        Fault {
            only: Only::AtRest,
            ..fault(
                order,
                pending + &work(cancelled, "'AWAIT'", "5", "null"),
                of(cancelled, &[Rule::WaitedForIsHeld]),
            )
        },
        fault(
            Label::Account,
            "insert into account (user_id, email, email_key, name, password_hash, role, status, created_at, updated_at)
             values (5, 'a', 'a', 'a', 'x', 'ADMIN', 'ACTIVE', 1, 1),
                    (6, 'b', 'b', 'b', 'x', 'USER', 'ACTIVE', 1, 1),
                    (7, 'c', 'c', 'c', 'x', 'ADMIN', 'ACTIVE', 1, 1);
             insert into account_audit values (7, 1, null, 'ROLE', null, 'ADMIN', 1)"
                .to_owned(),
            vec![(Rule::IsLogged, Subject::Account(5))],
        ),
    ]
}

fn work(order: i64, kind: &str, expires: &str, stuck: &str) -> String {
    format!(
        "insert into order_work (order_id, user_id, kind, attempt, lease_owner, lease_until, expires_at, from_cart,
                                 stuck, stuck_reason)
         values ({order}, 1, {kind}, 1, 0, 0, {expires}, 0, {stuck}, {stuck})"
    )
}

type Broken = BTreeSet<(Rule, Subject)>;

fn told(findings: &[Finding]) -> Broken {
    findings
        .iter()
        .map(|one| (one.rule, one.subject.clone()))
        .collect()
}

/// The shop in order, of which every fault gets a copy.
struct Original<'a> {
    ground: Ground<'a>,
    time: std::sync::Arc<Time>,
    orders: Orders,
}

/// A copy of the database that a fault is planted into, beside the others as they are.
struct Copy {
    sources: Sources,
    _folder: tempfile::TempDir,
}

impl<'a> Original<'a> {
    fn new(ground: Ground<'a>) -> Self {
        let time = Time::running(SPEED);
        let house = House::new(ground, time.clone());
        stock_up(&house);
        let orders = a_shop(&house);
        Self { ground, time, orders }
    }

    fn copy(&self, label: Label, sql: &str) -> Copy {
        let folder = tempfile::tempdir().unwrap();
        let address = match self.ground {
            Ground::Files(original) => {
                let name = format!("{label}.db");
                fs::copy(original.join(&name), folder.path().join(&name)).unwrap();
                Ground::Files(folder.path()).run(label.as_str(), sql);
                Address::File(folder.path().join(&name))
            }
            Ground::Postgres(cluster) => {
                let role = format!("bodega_{label}");
                cluster.run_sql(
                    "postgres",
                    &[
                        "drop database if exists copy",
                        &format!("create database copy template \"{label}\" owner \"{role}\""),
                    ],
                );
                self.ground.run("copy", sql);
                Address::Postgres(cluster.address(&role, "copy"))
            }
        };
        let mut sources = self.ground.sources();
        assert!(!sources.add(label, address), "it takes the place of the original");
        Copy {
            sources,
            _folder: folder,
        }
    }

    fn live(&self, sources: &Sources) -> Broken {
        let settings = Settings {
            grace: GRACE,
            scope: Scope::Full,
        };
        told(
            &look(sources, &Invariant::ALL, settings, &|| self.time.now())
                .unwrap()
                .violations,
        )
    }

    fn watched(&self, sources: &Sources) -> Broken {
        let mut watch = Watch::new(sources.clone(), GRACE);
        watch.pass(&|| self.time.now()).unwrap();
        assert!(watch.report().is_clean(), "one look is not enough");
        std::thread::sleep(std::time::Duration::from_millis(
            u64::from(GRACE.0) / SPEED as u64,
        ));
        told(&watch.pass(&|| self.time.now()).unwrap().violations)
    }
}

fn finds_every_fault(ground: Ground<'_>) {
    let original = Original::new(ground);
    for fault in faults(&original.orders) {
        let copy = original.copy(fault.label, &fault.sql);
        let expected: Broken = fault.broken.into_iter().collect();
        if fault.only != Only::Live {
            let report = at_rest(&copy.sources, &Invariant::ALL).unwrap();
            assert_eq!(told(&report.violations), expected, "at rest: {}", fault.sql);
        }
        if fault.only != Only::AtRest {
            assert_eq!(original.live(&copy.sources), expected, "live: {}", fault.sql);
            assert_eq!(
                original.watched(&copy.sources),
                expected,
                "watched: {}",
                fault.sql
            );
        }
    }
}

#[test]
fn a_planted_fault_is_found_by_everybody_who_looks() {
    let folder = tempfile::tempdir().unwrap();
    finds_every_fault(Ground::Files(folder.path()));
}

#[test]
fn a_planted_fault_is_found_on_postgres() {
    let Some(cluster) = Postgres::start() else { return };
    cluster.provision();
    finds_every_fault(Ground::Postgres(&cluster));
}

#[test]
fn a_shop_in_order_has_no_violations() {
    let folder = tempfile::tempdir().unwrap();
    let original = Original::new(Ground::Files(folder.path()));
    let sources = Sources::in_folder(folder.path());
    let report = at_rest(&sources, &Invariant::ALL).unwrap();
    assert!(report.is_clean(), "{report}");
    expect_test::expect![[r#"
        I1   stock adds up                4 orders, 3 SKUs: holds
        I2   paid means captured          4 orders: holds
        I3   no charge without its order  4 orders: holds
        I4   refunds within captures      4 orders: holds
        I5   settlement is the payments   4 orders, 1 days: holds
        I6   coupons within limits        not looked at: the shop has no tables of it yet
        I7   points balance               not looked at: the shop has no tables of it yet
        I8   lines add up                 4 orders: holds
        I9   events applied once          4 orders, 15 events: holds
        I10  sagas end                    4 orders: holds
        I11  acknowledged is kept         4 orders: holds
        I12  read models are fresh        not looked at: the shop has no tables of it yet
        I13  admin changes are logged     0 accounts: holds
        nothing is wrong, as far as was looked
    "#]]
    .assert_eq(&report.to_string());
    assert_eq!(original.live(&sources), Broken::new());
    assert_eq!(original.watched(&sources), Broken::new());
}

/// A rule that nobody breaks proves nothing.
#[test]
fn every_rule_has_a_fault() {
    let orders = Orders {
        paid: 1,
        cash: 2,
        cancelled: 3,
        refunded: 4,
    };
    let planted: BTreeSet<Rule> = faults(&orders)
        .iter()
        .flat_map(|fault| fault.broken.iter().map(|(rule, _)| *rule))
        .collect();
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !planted.contains(rule)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
