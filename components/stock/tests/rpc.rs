//! The contract over HTTP, on a real store: what an adapter would read.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod house;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;
use kernel::Instant;
use remote::stock as wire;
use remote::{Failure, Function, PREFIX, Reply, read};
use stock::http::rpc::{ROUTES, handle};
use stock::store::Store;
use store::DbError;
use web::{CREDENTIAL_HEADER, InternalKey, Method, Request, Response};

const NOW: Instant = Instant::from_micros(50);
const KEY: &str = "only-for-the-adapter";

fn request<F: Function>(ask: &F::Ask) -> Request {
    Request::new(Method::Post, F::PATH)
        .with_header("content-type", "application/json")
        .with_body(serde_json::to_vec(ask).unwrap())
}

/// What a caller with the key reads.
fn answer<F: Function>(
    ask: &F::Ask,
    open: impl FnOnce() -> Result<Store, DbError>,
) -> Result<F::Answer, Failure<F::Refused>> {
    let request = request::<F>(ask).with_header(CREDENTIAL_HEADER, format!("Bearer {KEY}"));
    let response = handle(&request, &InternalKey::new(KEY), NOW, open);
    let header = |name| response.header_value(name).map(str::to_owned);
    read::<F>(&Reply {
        status: response.status(),
        content_type: header("content-type"),
        retry_after: header("retry-after"),
        body: response.body().to_vec(),
    })
    .into_answer()
}

/// A house that is asked from elsewhere.
struct House {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stock.db");
        Self {
            _folder: folder,
            path,
        }
    }

    fn ask<F: Function>(&self, ask: &F::Ask) -> Result<F::Answer, Failure<F::Refused>> {
        answer::<F>(ask, || Ok(open(&self.path)))
    }

    fn reserve(&self, order: u64, lines: &[(u64, u32)], until: i64) -> String {
        let line = |&(sku, quantity): &(u64, u32)| wire::Line { sku, quantity };
        let ask = wire::ReserveAsk {
            order,
            lines: lines.iter().map(line).collect(),
            until,
        };
        format!("{:?}\n", self.ask::<wire::Reserve>(&ask))
    }

    fn of_order<F: Function<Ask = wire::OrderAsk>>(&self, order: u64) -> String
    where
        F::Answer: std::fmt::Debug,
        F::Refused: std::fmt::Debug,
    {
        format!("{:?}\n", self.ask::<F>(&wire::OrderAsk { order }))
    }

    fn level(&self, skus: &[u64]) -> String {
        let skus = skus.to_vec();
        format!("{:?}\n", self.ask::<wire::Level>(&wire::LevelAsk { skus }))
    }
}

fn open(path: &Path) -> Store {
    house::in_file(path)
}

#[test]
fn every_answer_and_every_refusal_comes_over_the_wire() {
    let house = House::new();
    let out_of_range = kernel::MAX_ID + 1;
    let text = [
        house.reserve(1, &[(1, 2)], 100),
        house.reserve(1, &[(1, 2)], 100),
        house.reserve(1, &[(1, 3)], 100),
        house.reserve(2, &[], 100),
        house.reserve(2, &[(1, 1)], 50),
        house.reserve(0, &[(1, 1)], 100),
        house.reserve(2, &[(9_999_999, 1)], 100),
        house.reserve(2, &[(out_of_range, 1)], 100),
        house.reserve(2, &[(1, 1_000_000)], 100),
        house.level(&[1]),
        house.level(&[9_999_999]),
        house.level(&[out_of_range]),
        house.of_order::<wire::TakeBack>(1),
        house.of_order::<wire::Commit>(1),
        house.of_order::<wire::Commit>(1),
        house.of_order::<wire::Commit>(3),
        house.of_order::<wire::Commit>(out_of_range),
        house.of_order::<wire::Release>(1),
        house.of_order::<wire::Release>(3),
        house.of_order::<wire::Release>(out_of_range),
        house.of_order::<wire::Commit>(3),
        // A reservation that was still on its way when its order was given up.
        house.reserve(3, &[(1, 1)], 100),
        house.of_order::<wire::TakeBack>(1),
        house.of_order::<wire::TakeBack>(1),
        house.of_order::<wire::TakeBack>(out_of_range),
    ]
    .concat();
    expect![[r#"
        Ok(Done)
        Ok(Done)
        Err(Refused(DiffersFromExisting))
        Err(Refused(Invalid { detail: "there is no line" }))
        Err(Refused(Invalid { detail: "the reservation would end in the past" }))
        Err(Refused(Invalid { detail: "an id is a number from 1 to 9007199254740991" }))
        Err(Refused(UnknownSku { sku: 9999999 }))
        Err(Refused(UnknownSku { sku: 9007199254740992 }))
        Err(Refused(Insufficient { sku: 1, free: 98 }))
        Ok(LevelAnswer { levels: [StockLevel { sku: 1, on_hand: 100, reserved: 2 }] })
        Err(Refused(UnknownSku { sku: 9999999 }))
        Err(Refused(UnknownSku { sku: 9007199254740992 }))
        Err(Refused(NotCommitted))
        Ok(Done)
        Ok(Done)
        Err(Refused(UnknownOrder))
        Err(Refused(UnknownOrder))
        Err(Refused(Committed))
        Ok(Done)
        Ok(Done)
        Err(Refused(UnknownOrder))
        Err(Refused(Ended))
        Ok(Done)
        Ok(Done)
        Err(Refused(NotCommitted))
    "#]]
    .assert_eq(&text);
}

#[test]
fn many_are_answered_each_in_its_place() {
    let house = House::new();
    house.reserve(1, &[(1, 2)], 100);
    house.reserve(2, &[(1, 2)], 100);
    house.of_order::<wire::Release>(2);
    let orders = vec![1, 0, 2, 3, 1];
    let answers = house
        .ask::<wire::CommitAll>(&wire::CommitAllAsk { orders })
        .unwrap();
    let lines: Vec<String> = answers
        .answers
        .iter()
        .map(|answer| format!("{answer:?}"))
        .collect();
    expect![[r#"
        Done
        Refused { refusal: UnknownOrder }
        Refused { refusal: Released }
        Refused { refusal: UnknownOrder }
        Done"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_store_without_an_answer_is_unavailable_and_nothing_else() {
    let unavailable = |error: fn() -> DbError| {
        let one = answer::<wire::Commit>(&wire::OrderAsk { order: 1 }, || Err(error()));
        let orders = vec![1, 0];
        let all = answer::<wire::CommitAll>(&wire::CommitAllAsk { orders }, || Err(error()));
        let level = answer::<wire::Level>(&wire::LevelAsk { skus: vec![1] }, || Err(error()));
        format!("{one:?}\n{all:?}\n{level:?}\n")
    };
    let busy = unavailable(|| DbError::Busy);
    let broken = unavailable(|| DbError::Other("no such table: stock_level".to_owned()));
    assert_eq!(busy, broken);
    expect![[r#"
        Err(Unavailable("the stock store did not answer"))
        Ok(CommitAllAnswer { answers: [Unavailable { detail: "the stock store did not answer" }, Refused { refusal: UnknownOrder }] })
        Err(Unavailable("the stock store did not answer"))
    "#]].assert_eq(&busy);
}

#[test]
fn an_outage_is_the_same_for_a_whole_batch() {
    let orders: Vec<u64> = (1..=40).collect();
    let all = answer::<wire::CommitAll>(&wire::CommitAllAsk { orders }, || Err(DbError::Busy)).unwrap();
    let unavailable = wire::Committed::Unavailable {
        detail: "the stock store did not answer".to_owned(),
    };
    assert_eq!(all.answers, vec![unavailable; 40]);
}

/// Of the test above only a process of its own shows what it logs.
#[test]
fn an_outage_is_told_once_for_a_whole_batch() {
    let told = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "an_outage_is_the_same_for_a_whole_batch",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let (passed, log) = (
        String::from_utf8(told.stdout).unwrap(),
        String::from_utf8(told.stderr).unwrap(),
    );
    assert!(passed.contains("1 passed"), "{passed}");
    assert_eq!(
        log.matches(r#""operation":"stock.commit-all""#).count(),
        1,
        "{log}"
    );
}

#[test]
fn nobody_gets_in_without_the_key() {
    let never = || -> Result<Store, DbError> { panic!("the store is not opened") };
    let asked = request::<wire::Commit>(&wire::OrderAsk { order: 1 });
    let status =
        |key: &str, request: &Request| Response::status(&handle(request, &InternalKey::new(key), NOW, never));
    let with = |value: &str| asked.clone().with_header(CREDENTIAL_HEADER, value);
    assert_eq!(status(KEY, &asked), 401);
    assert_eq!(status(KEY, &with("Bearer wrong")), 401);
    assert_eq!(
        status(
            KEY,
            &asked
                .clone()
                .with_header("authorization", format!("Bearer {KEY}"))
        ),
        401
    );
    assert_eq!(
        status("", &with("Bearer ")),
        403,
        "a service without a key is closed"
    );
    // What there is behind the key is not told before.
    let elsewhere = Request::new(Method::Get, &format!("{PREFIX}stock/nothing"));
    assert_eq!(status(KEY, &elsewhere), 401);
    let known = elsewhere.with_header(CREDENTIAL_HEADER, format!("Bearer {KEY}"));
    assert_eq!(status(KEY, &known), 404);
}

#[test]
fn there_is_a_route_for_every_function() {
    let mut routes: Vec<&str> = ROUTES.iter().map(|route| route.pattern).collect();
    let mut paths = wire::PATHS.to_vec();
    routes.sort_unstable();
    paths.sort_unstable();
    assert_eq!(routes, paths);
}
