//! Every change of an order names whose it is and how it must stand; nothing else changes anything.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kernel::{Currency, Instant, Millis, Money, OrderId, ProductId, Quantity, SkuId, UserId};
use order::app::{Claim, Claims, Due, Inserted, KeyUse, LEASE, Orders, Transitions};
use order::domain::{
    Cancellation, Failure, Key, Lease, Line, Method, Order, Owner, PaymentKey, State, Stuck, Task, Totals,
    Work,
};
use order::store::MIGRATIONS;
use store::{Db, params};
use store_suite::database;

store_suite::also_on_postgres!();

const NOW: Instant = Instant::from_micros(1_767_225_600_000_000);

/// When the time to pay of a two-step order runs out.
const END: Instant = Instant::from_micros(1_767_225_600_000_000 + 60_000_000);

fn lease(owner: u64) -> Lease {
    Lease {
        owner: Owner::draw(owner),
        until: NOW.after(LEASE),
    }
}

/// Who has the work.
fn ours() -> Lease {
    lease(2)
}

/// Who has not.
fn theirs() -> Lease {
    lease(4)
}

fn order() -> Order {
    let price = Money::try_new(10, Currency::Krw).unwrap();
    let line = Line {
        product: ProductId::try_new(1).unwrap(),
        sku: SkuId::try_new(1).unwrap(),
        name: "x".to_owned(),
        category: "y".to_owned(),
        seller: "z".to_owned(),
        unit_price: price,
        quantity: Quantity::ONE,
    };
    let lines = vec![line];
    Order {
        id: OrderId::try_new(1).unwrap(),
        user: UserId::try_new(1).unwrap(),
        totals: Totals::of(&lines).unwrap(),
        lines,
        method: Method::Pg,
        state: State::Pending { pay_until: None },
        created_at: NOW,
    }
}

fn work(pay_until: Option<Instant>) -> Work {
    Work {
        task: Task::Place { pay_until },
        attempt: 1,
        lease: ours(),
        from_cart: false,
        key: None,
        stuck: None,
    }
}

const KINDS: [&str; 10] = [
    "none", "PLACE", "PLACE 2", "AWAIT", "CONFIRM", "UNDO", "FINISH", "CANCEL", "EXPIRE", "stuck",
];

/// A database with one order that has work of this kind, ours.
fn with(kind: &str) -> Db {
    let db = database::fresh(MIGRATIONS).unwrap();
    let two_step = ["PLACE 2", "AWAIT", "CONFIRM", "EXPIRE"].contains(&kind);
    let inserted = db.insert(&order(), &work(two_step.then_some(END)), None, 10);
    assert_eq!(inserted.unwrap(), Inserted::Done);
    let way: &[&str] = match kind {
        "PLACE" | "PLACE 2" => &[],
        "AWAIT" => &["wait"],
        "CONFIRM" => &["wait", "claim payment"],
        "UNDO" => &["give up"],
        "EXPIRE" => &["wait", "claim expiry"],
        "FINISH" => &["pay"],
        "CANCEL" => &["pay", "claim cancel"],
        "stuck" => &["pay", "claim cancel", "stick"],
        _ => &["pay", "forget"],
    };
    for verb in way {
        assert!(does(&db, verb, ours()), "{kind}: {verb}");
    }
    db
}

const VERBS: [&str; 14] = [
    "wait",
    "pay",
    "give up",
    "fail",
    "cancel",
    "end cancel",
    "turn",
    "stick",
    "forget",
    "claim payment",
    "claim expiry",
    "claim cancel",
    "take over",
    "retry",
];

/// Whether a change was made by this owner.
fn does(db: &Db, verb: &str, lease: Lease) -> bool {
    let (id, owner, why) = (order().id, lease.owner, Cancellation::Customer(None));
    let before = db.find(id).unwrap().unwrap();
    let after = |state| Order { state, ..order() };
    let key = PaymentKey::try_new("k").unwrap();
    match verb {
        "wait" => db.wait(id, owner, None).unwrap(),
        "pay" => db
            .pay(&after(State::Paid { at: NOW }), owner, lease.until, NOW, None)
            .unwrap(),
        "give up" => db.give_up(id, &Failure::Abandoned, owner).unwrap(),
        "end cancel" => db.end_cancel(id, owner, None).unwrap(),
        "fail" => db.fail(&order(), &Failure::Abandoned, owner, NOW, None).unwrap(),
        "cancel" => {
            let cancelled = after(State::Cancelled {
                at: NOW,
                why: why.clone(),
            });
            db.cancel(&cancelled, &before.order.state, &why, owner, NOW, None)
                .unwrap()
        }
        "turn" => db.turn(id, &Cancellation::SoldOut, owner).unwrap(),
        "stick" => {
            let stuck = Stuck {
                step: "void".to_owned(),
                reason: "no".to_owned(),
            };
            db.stick(id, &stuck, owner).unwrap()
        }
        "forget" => {
            db.forget(&[id], owner).unwrap();
            before.work.is_some() && db.find(id).unwrap().unwrap().work.is_none()
        }
        "claim payment" => db.claim_payment(id, &key, lease, NOW, None).unwrap() == Claim::Won,
        "claim expiry" => db.claim_expiry(id, lease, END).unwrap(),
        "claim cancel" => db.claim_cancel(id, &why, lease, None).unwrap() == Claim::Won,
        "take over" => db
            .take_over(id, lease, NOW.after(Millis(20_001)))
            .unwrap()
            .is_some(),
        "retry" => db.retry(id, None, lease).unwrap().is_some(),
        other => panic!("unknown verb {other}"),
    }
}

/// Who can make a change: the owner alone (o), anybody (*), nobody (.).
#[test]
fn every_verb_meets_every_kind_of_work() {
    let mut table = format!("{:14} {}\n", "", KINDS.map(|kind| format!("{kind:8}")).concat());
    for verb in VERBS {
        let cell = |kind| {
            let by = |lease| does(&with(kind), verb, lease);
            match (by(ours()), by(theirs())) {
                (true, true) => "*",
                (true, false) => "o",
                (false, false) => ".",
                (false, true) => "?",
            }
        };
        table += &format!(
            "{verb:14} {}\n",
            KINDS.map(|kind| format!("{:8}", cell(kind))).concat()
        );
    }
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    expect_test::expect![[r#"
                       none    PLACE   PLACE 2 AWAIT   CONFIRM UNDO    FINISH  CANCEL  EXPIRE  stuck
        wait           .       .       o       .       .       .       .       .       .       .
        pay            .       o       o       .       o       .       .       .       .       .
        give up        .       o       o       .       o       .       .       .       .       .
        fail           .       o       o       .       o       o       .       .       .       .
        cancel         .       .       .       .       .       .       .       o       o       o
        end cancel     .       .       .       .       .       .       .       o       o       o
        turn           .       .       .       .       .       .       o       .       .       .
        stick          .       o       o       .       o       o       o       o       o       o
        forget         .       .       .       .       .       .       o       .       .       .
        claim payment  .       .       .       *       .       .       .       .       .       .
        claim expiry   .       .       .       *       .       .       .       .       .       .
        claim cancel   *       .       .       .       .       .       *       .       .       .
        take over      .       *       *       .       *       *       *       *       *       .
        retry          .       .       .       .       .       .       .       .       .       *
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn a_change_that_is_refused_leaves_no_trace() {
    let traces = |db: &Db| {
        let statement =
            "select (select count(*) from outbox) || ' ' || (select count(*) from order_history) || ' '
                             || (select state from customer_order) as traces";
        let row = db.read_one(statement, params![]).unwrap().unwrap();
        (row.get::<String>("traces").unwrap(), db.find(order().id).unwrap())
    };
    for kind in KINDS {
        for verb in [
            "wait",
            "pay",
            "give up",
            "fail",
            "cancel",
            "end cancel",
            "turn",
            "stick",
            "forget",
        ] {
            let db = with(kind);
            let before = traces(&db);
            assert!(!does(&db, verb, theirs()), "{kind}: {verb}");
            assert_eq!(traces(&db), before, "{kind}: {verb}");
        }
    }
}

#[test]
fn who_was_overtaken_neither_pays_nor_fails_an_order() {
    let db = with("PLACE");
    assert!(does(&db, "take over", theirs()));
    assert!(!does(&db, "pay", ours()), "somebody else drives it");
    assert!(does(&db, "fail", theirs()));
    assert!(!does(&db, "pay", ours()), "it has failed");
    let found = db.find(order().id).unwrap().unwrap();
    assert_eq!((found.order.state.text(), found.work), ("FAILED", None));
}

#[test]
fn a_lease_is_taken_only_after_its_last_moment() {
    for (wait, taken) in [(19_999, false), (20_000, false), (20_001, true)] {
        let db = with("PLACE");
        let now = NOW.after(Millis(wait));
        assert_eq!(db.lapsed(now, 10).unwrap().len(), usize::from(taken), "{wait}");
        assert_eq!(
            db.take_over(order().id, theirs(), now).unwrap().is_some(),
            taken,
            "{wait}"
        );
    }
}

#[test]
fn a_key_is_written_with_its_effect_or_not_at_all() {
    let name = Key {
        user: order().user,
        name: "k".to_owned(),
    };
    let key = |command: &str| KeyUse {
        key: name.clone(),
        command: command.to_owned(),
    };
    let db = with("AWAIT");
    let payment = PaymentKey::try_new("p").unwrap();
    let claim = |key: &KeyUse, now| {
        db.claim_payment(order().id, &payment, ours(), now, Some(key))
            .unwrap()
    };
    assert_eq!(claim(&key("late"), END), Claim::Lost);
    assert_eq!(db.find_key(&name).unwrap(), None);
    assert_eq!(claim(&key("first"), NOW), Claim::Won);
    let used = db.find_key(&name).unwrap().unwrap();
    assert_eq!((used.command.as_str(), used.reply), ("first", None));
    assert!(does(&db, "pay", ours()));
    let cancel = db.claim_cancel(order().id, &Cancellation::SoldOut, ours(), Some(&key("second")));
    assert_eq!(cancel.unwrap(), Claim::KeyTaken);
    let found = db.find(order().id).unwrap().unwrap();
    assert_eq!(found.work.unwrap().task, Task::Finish, "no key, no effect");
    let mut other = order();
    other.id = OrderId::try_new(2).unwrap();
    let inserted = db.insert(&other, &work(None), Some(&key("third")), 10);
    assert_eq!(inserted.unwrap(), Inserted::Taken);
    assert_eq!(db.find(other.id).unwrap(), None);
}

/// Lines that were written before category and seller stood beside them, and before they were kept at all.
#[test]
fn what_was_kept_of_a_line_apart_stands_in_it_now() {
    let (old, _) = MIGRATIONS.split_at(12);
    let db = database::fresh(old).unwrap();
    let order =
        "insert into customer_order (order_id, user_id, state, method, currency, total_minor, discount_minor,
                                             due_minor, lease_until, created_at, changed_at)
                 values (7, 1, 'PAID', 'CARD', 'KRW', 30, 0, 30, 1, 1, 1)";
    let line = "insert into order_line (order_id, place, product_id, sku_id, name, unit_minor, quantity, amount_minor)
                values (7, ?1, ?2, ?2, 'n', 10, 1, 10)";
    let detail = "insert into order_line_detail (order_id, place, category, seller) values (7, ?1, ?2, 's')";
    db.transaction(|tx| {
        tx.execute(order, store::params![])?;
        for place in 0i64..3 {
            tx.execute(line, store::params![place, place + 1])?;
        }
        tx.execute(detail, store::params![0i64, "food"])?;
        tx.execute(detail, store::params![2i64, "toys"])
    })
    .unwrap();
    let db = db.migrated(MIGRATIONS).unwrap();
    let found = db.load(UserId::try_new(1).unwrap(), OrderId::try_new(7).unwrap());
    let lines = found.unwrap().unwrap().lines;
    let kept: Vec<_> = lines
        .iter()
        .map(|line| (line.category.as_str(), line.seller.as_str()))
        .collect();
    assert_eq!(kept, [("food", "s"), ("", ""), ("toys", "s")]);
}
