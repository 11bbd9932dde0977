//! The contracts over HTTP, on the real store and the real fake gateway: what an adapter would read.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod shop;

use std::sync::atomic::{AtomicU64, Ordering};

use expect_test::expect;
use payment::http::rpc::{Call, ROUTES, handle};
use payment::store::MIGRATIONS;
use remote::payment as wire;
use remote::{Failure, Function, Reply, read};
use shop::Shop;
use store::{Db, DbError};
use store_suite::database;
use tempfile::TempDir;
use web::{CREDENTIAL_HEADER, InternalKey, Method, Request};

const KEY: &str = "only-for-the-adapter";

/// Another number each time.
fn random() -> u64 {
    static ASKED: AtomicU64 = AtomicU64::new(1);
    ASKED
        .fetch_add(1, Ordering::Relaxed)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A shop that is asked from elsewhere.
struct Elsewhere {
    shop: Shop,
    folder: TempDir,
}

fn elsewhere(rules: &str) -> Elsewhere {
    let folder = tempfile::tempdir().unwrap();
    Elsewhere {
        shop: Shop::open(folder.path(), rules),
        folder,
    }
}

fn request<F: Function>(ask: &F::Ask) -> Request {
    Request::new(Method::Post, F::PATH)
        .with_header("content-type", "application/json")
        .with_body(serde_json::to_vec(ask).unwrap())
}

fn answer<F: Function>(
    shop: &Shop,
    ask: &F::Ask,
    open: impl FnOnce() -> Result<Db, DbError>,
) -> Result<F::Answer, Failure<F::Refused>> {
    let request = request::<F>(ask).with_header(CREDENTIAL_HEADER, format!("Bearer {KEY}"));
    let call = Call {
        key: &InternalKey::new(KEY),
        now: shop.now(),
        random: random(),
    };
    let response = handle(&request, &call, &shop.pg, open);
    let header = |name| response.header_value(name).map(str::to_owned);
    read::<F>(&Reply {
        status: response.status(),
        content_type: header("content-type"),
        retry_after: header("retry-after"),
        body: response.body().to_vec(),
    })
    .into_answer()
}

impl Elsewhere {
    fn ask<F: Function>(&self, ask: &F::Ask) -> Result<F::Answer, Failure<F::Refused>> {
        let path = self.folder.path().join("payment.db");
        answer::<F>(&self.shop, ask, || Ok(database::open(&path, MIGRATIONS).unwrap()))
    }

    fn charge(&self, order: u64, amount: i64, method: wire::Method) -> String {
        self.told::<wire::Charge>(wire::ChargeAsk {
            order,
            user: 2,
            amount: won(amount),
            method,
        })
    }

    fn void(&self, order: u64, amount: i64, key: &str) -> String {
        self.told::<wire::Void>(wire::VoidAsk {
            order,
            user: 2,
            amount: won(amount),
            method: wire::Method::Card,
            key: key.to_owned(),
            reason: "given up".to_owned(),
        })
    }

    fn refund(&self, order: u64, amount: i64, key: &str) -> String {
        self.told::<wire::Refund>(wire::RefundAsk {
            order,
            key: key.to_owned(),
            amount: won(amount),
            reason: "broken".to_owned(),
        })
    }

    fn status(&self, order: u64) -> Option<wire::Receipt> {
        self.ask::<wire::Status>(&wire::StatusAsk { order })
            .unwrap()
            .payment
    }

    /// A receipt in a few words, or the refusal.
    fn told<F: Function<Answer = wire::Receipt>>(&self, ask: F::Ask) -> String
    where
        F::Refused: std::fmt::Debug,
    {
        match self.ask::<F>(&ask) {
            Ok(receipt) => format!("{}\n", in_words(&receipt)),
            Err(failure) => format!("{failure:?}\n"),
        }
    }
}

fn won(minor: i64) -> wire::Money {
    wire::Money {
        minor,
        currency: "KRW".to_owned(),
    }
}

fn in_words(receipt: &wire::Receipt) -> String {
    format!(
        "{:?} {:?} {} - {} {:?}",
        receipt.state, receipt.method, receipt.amount.minor, receipt.refunded.minor, receipt.failure
    )
}

#[test]
fn every_answer_and_every_refusal_comes_over_the_wire() {
    let shop = elsewhere("refuse amount=13 REJECT_CARD_PAYMENT");
    let dollars = |minor| wire::Money {
        minor,
        currency: "USD".to_owned(),
    };
    let confirm = |order, key: &str| wire::ConfirmAsk {
        order,
        user: 2,
        amount: won(100),
        payment_key: key.to_owned(),
    };
    let text = [
        shop.charge(1, 100, wire::Method::Card),
        shop.charge(1, 100, wire::Method::Card),
        shop.charge(1, 101, wire::Method::Card),
        shop.charge(2, 0, wire::Method::Card),
        shop.charge(0, 1, wire::Method::Card),
        shop.charge(2, 13, wire::Method::Card),
        shop.charge(3, 5, wire::Method::Cash),
        shop.charge(4, 5, wire::Method::Point),
        shop.told::<wire::Charge>(wire::ChargeAsk {
            order: 5,
            user: 2,
            amount: dollars(5),
            method: wire::Method::Card,
        }),
        shop.told::<wire::Confirm>(confirm(6, "pk-6")),
        shop.told::<wire::Confirm>(confirm(6, "pk-7")),
        shop.told::<wire::Confirm>(confirm(7, "no good key")),
        shop.refund(1, 30, "a"),
        shop.refund(1, 30, "a"),
        shop.refund(1, 31, "a"),
        shop.refund(1, 71, "b"),
        shop.refund(1, 1, ""),
        shop.refund(8, 1, "a"),
        shop.void(1, 100, "v"),
        shop.void(8, 100, "v"),
        shop.void(8, 100, ""),
        // A charge that was still on its way when its order was given up.
        shop.charge(8, 100, wire::Method::Card),
    ]
    .concat();
    expect![[r#"
        Captured Card 100 - 0 None
        Captured Card 100 - 0 None
        Refused(DiffersFromExisting)
        Refused(Invalid { detail: "the amount must be above zero" })
        Refused(Invalid { detail: "an id is a number from 1 to 9007199254740991" })
        Refused(Refused { reason: "REJECT_CARD_PAYMENT" })
        Captured Cash 5 - 0 None
        Refused(MethodNotOffered)
        Refused(Invalid { detail: "this currency is not taken" })
        Captured Pg 100 - 0 None
        Refused(DiffersFromExisting)
        Refused(Invalid { detail: "the payment key must have 1 to 200 visible ASCII characters" })
        Captured Card 100 - 30 None
        Captured Card 100 - 30 None
        Refused(DiffersFromExisting)
        Refused(ExceedsCaptured { left: Money { minor: 70, currency: "KRW" } })
        Refused(Invalid { detail: "the key must have 1 to 100 characters" })
        Refused(NotCaptured)
        Captured Card 100 - 100 None
        Failed Card 100 - 0 Some("VOIDED")
        Refused(Invalid { detail: "the key must have 1 to 100 characters" })
        Refused(Refused { reason: "VOIDED" })
    "#]]
    .assert_eq(&text);
    assert_eq!(in_words(&shop.status(1).unwrap()), "Captured Card 100 - 100 None");
    assert_eq!(shop.status(99), None);
    assert_eq!(shop.status(kernel::MAX_ID + 1), None);
}

#[test]
fn the_books_the_events_and_the_job_come_over_the_wire() {
    let shop = elsewhere("");
    for order in 1..=3 {
        shop.charge(order, 100, wire::Method::Card);
    }
    shop.refund(2, 40, "a");
    let entries = |after, limit| {
        let found = shop.ask::<wire::Entries>(&wire::EntriesAsk { after, limit });
        let entries = found.unwrap().entries;
        let lines = entries.iter().map(|entry| {
            let back: i64 = entry.refunds.iter().map(|refund| refund.amount.minor).sum();
            format!("{}: {} - {back}", entry.order, entry.amount.minor)
        });
        lines.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(entries(None, 2), "1: 100 - 0, 2: 100 - 40");
    assert_eq!(entries(Some(2), 2), "3: 100 - 0");
    assert_eq!(entries(Some(kernel::MAX_ID + 1), 2), "");

    let drain = |acknowledged| {
        let ask = wire::DrainAsk {
            acknowledged,
            limit: 100,
        };
        let due = shop.ask::<wire::Drain>(&ask).unwrap().deliveries;
        due.iter().map(|due| due.event.position).collect::<Vec<_>>()
    };
    assert_eq!(drain(0), [1, 2, 3, 4]);
    assert_eq!(drain(0), [0u64; 0], "they are on their way");

    let tally = shop.ask::<wire::Recover>(&wire::RecoverAsk { limit: 10 });
    let nothing = wire::Tally {
        done: 0,
        left: 0,
        stuck: 0,
    };
    assert_eq!(tally, Ok(nothing));
}

#[test]
fn no_answer_is_unavailable_and_nothing_else() {
    let silent = elsewhere("timeout amount=14");
    expect![[r#"
        Unavailable("the payment gateway does not answer")
    "#]]
    .assert_eq(&silent.charge(1, 14, wire::Method::Card));
    let broken = |error: fn() -> DbError| {
        let ask = wire::StatusAsk { order: 1 };
        let status = answer::<wire::Status>(&silent.shop, &ask, || Err(error()));
        let ask = wire::DrainAsk {
            acknowledged: 0,
            limit: 1,
        };
        let drain = answer::<wire::Drain>(&silent.shop, &ask, || Err(error()));
        format!("{status:?}\n{drain:?}\n")
    };
    let busy = broken(|| DbError::Busy);
    assert_eq!(busy, broken(|| DbError::Other("select secret".to_owned())));
    expect![[r#"
        Err(Unavailable("the payment store does not answer"))
        Err(Unavailable("the payment store does not answer"))
    "#]]
    .assert_eq(&busy);
}

#[test]
fn nobody_gets_in_without_the_key() {
    let shop = elsewhere("");
    let never = || -> Result<Db, DbError> { panic!("the database is not opened") };
    let status = |key: &str, request: &Request| {
        let call = Call {
            key: &InternalKey::new(key),
            now: shop.shop.now(),
            random: 7,
        };
        handle(request, &call, &shop.shop.pg, never).status()
    };
    let asked = request::<wire::Status>(&wire::StatusAsk { order: 1 });
    assert_eq!(status(KEY, &asked), 401);
    assert_eq!(
        status(KEY, &asked.clone().with_header(CREDENTIAL_HEADER, "Bearer x")),
        401
    );
    assert_eq!(
        status("", &asked.clone().with_header(CREDENTIAL_HEADER, "Bearer ")),
        403
    );
}

#[test]
fn there_is_a_route_for_every_function() {
    let mut routes: Vec<&str> = ROUTES.iter().map(|route| route.pattern).collect();
    let mut paths = wire::PATHS.to_vec();
    routes.sort_unstable();
    paths.sort_unstable();
    assert_eq!(routes, paths);
}
