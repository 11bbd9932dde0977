//! `bodega audit` as somebody calls it.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod shop;

use std::fs;
use std::path::Path;

use audit::{Answer, AuditArgs, answer};
use clap::Parser;
use expect_test::expect;
use kernel::Millis;
use shop::{Ground, House, Shop, Time, stock_up};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: AuditArgs,
}

/// The answer, or what clap says of the flags.
fn called(flags: &[&str]) -> Result<Answer, String> {
    let cli = Cli::try_parse_from(["audit"].iter().chain(flags)).map_err(|error| error.to_string())?;
    Ok(answer(&cli.args))
}

/// A shop with one order, at rest.
fn a_shop(folder: &Path) -> House<'_> {
    let house = House::new(Ground::Files(folder), Time::running(1));
    stock_up(&house);
    Shop::enter(&house, 3, 0).buy(2, 1, "CASH").unwrap();
    house.time.wait(Millis(1_000));
    house.settle();
    house
}

#[test]
fn a_shop_in_order_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    a_shop(folder.path());
    let dir = folder.path().to_str().unwrap();
    for flags in [&["--full"][..], &["--at-rest"], &["--since", "100000"], &[]] {
        let answer = called(&[&["--state-dir", dir], flags].concat()).unwrap();
        assert_eq!(
            (answer.code, answer.complaint.as_str()),
            (0, ""),
            "{}",
            answer.output
        );
        assert!(
            answer
                .output
                .ends_with("nothing is wrong, as far as was looked\n")
        );
    }
}

#[test]
fn violations_end_with_1_and_are_told_with_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let house = a_shop(folder.path());
    house
        .ground
        .run("stock", "update stock_level set on_hand = 7 where sku_id = 3");
    let dir = folder.path().to_str().unwrap();
    let found = called(&["--state-dir", dir, "--full", "--grace", "1"]).unwrap();
    assert_eq!(found.code, 1);
    let lines: Vec<&str> = found.output.lines().take(3).collect();
    expect![[r#"
        I1   stock adds up                1 orders, 3 SKUs: 1 violation
               SKU 3 is off its history by -999998
        I2   paid means captured          1 orders: holds"#]]
    .assert_eq(&lines.join("\n"));
    let json = called(&["--state-dir", dir, "--at-rest", "--json"]).unwrap();
    assert_eq!(json.code, 1);
    let told: serde_json::Value = serde_json::from_str(&json.output).unwrap();
    assert_eq!(told["clean"], false);
    let of_stock = &told["invariants"][0];
    assert_eq!(of_stock["invariant"], "I1");
    assert_eq!(of_stock["looked"], serde_json::json!({"orders": 1, "SKUs": 3}));
    expect![[r#"
        {
          "id": 3,
          "rule": "history-adds-up",
          "subject": "sku",
          "text": "SKU 3 is off its history by -999998"
        }"#]]
    .assert_eq(&format!("{:#}", of_stock["violations"][0]));
}

#[test]
fn databases_that_are_not_named_are_not_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    a_shop(folder.path());
    let address = folder.path().join("address");
    fs::write(
        &address,
        format!("{}\n", folder.path().join("stock.db").display()),
    )
    .unwrap();
    let order = format!("order={}", folder.path().join("order.db").display());
    let stock = format!("stock=@{}", address.display());
    let answer = called(&["--database", &order, "--database", &stock, "--at-rest"]).unwrap();
    assert_eq!(answer.code, 0, "{}", answer.output);
    expect![[r#"
        I1   stock adds up                1 orders, 3 SKUs: holds
        I2   paid means captured          not looked at: without payment
        I3   no charge without its order  not looked at: without payment
        I4   refunds within captures      not looked at: without payment
        I5   settlement is the payments   not looked at: without payment and settlement
        I6   coupons within limits        not looked at: the shop has no tables of it yet
        I7   points balance               not looked at: the shop has no tables of it yet
        I8   lines add up                 1 orders: holds
        I9   events applied once          not looked at: without payment and settlement
        I10  sagas end                    not looked at: without payment
        I11  acknowledged is kept         not looked at: without payment and settlement
        I12  read models are fresh        not looked at: the shop has no tables of it yet
        I13  admin changes are logged     not looked at: without account
        nothing is wrong, as far as was looked
    "#]]
    .assert_eq(&answer.output);
}

#[test]
fn what_can_not_be_looked_at_ends_with_2_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let complaint = |flags: &[&str]| {
        let answer = called(flags).unwrap();
        assert_eq!((answer.code, answer.output.as_str()), (2, ""), "{flags:?}");
        answer.complaint.replace(dir, "DIR")
    };
    fs::write(
        folder.path().join("junk.db"),
        "this is no database, however long it is",
    )
    .unwrap();
    rusqlite::Connection::open(folder.path().join("old.db"))
        .unwrap()
        .execute_batch("create table a (b); pragma user_version = 3")
        .unwrap();
    let at = |label: &str, name: &str| format!("{label}={dir}/{name}");
    let all = [
        complaint(&["--state-dir", "/nowhere/at/all"]),
        complaint(&["--state-dir", dir]),
        complaint(&["--database", "order"]),
        complaint(&["--database", "ordre=x"]),
        complaint(&["--database", "order="]),
        complaint(&["--database", "order=mysql://root:hunter2@db/order"]),
        complaint(&["--database", "order=postgres://nobody:hunter2@127.0.0.1:1/order"]),
        complaint(&["--database", "order=postgres://no:hunter2@host:port/order"]),
        complaint(&[
            "--database",
            &at("order", "old.db"),
            "--database",
            &at("order", "old.db"),
        ]),
        complaint(&["--database", &at("order", "old.db")]),
        complaint(&["--database", &at("order", "junk.db")]),
        complaint(&["--database", &at("order", "none.db")]),
        complaint(&["--database", &at("order", "").replace('=', "=@")]),
    ];
    let all = all.concat();
    assert!(!all.contains("hunter2"), "{all}");
    expect![[r#"
        error: there is no folder /nowhere/at/all: name the shop's with --state-dir, or its databases with --database
        error: the database order is not there: DIR/order.db
        error: --database is LABEL=ADDRESS
        error: no database is called "ordre"; there are order, payment, pg, stock, settlement, account
        error: the address of a database is empty
        error: the address of a database is the path of an SQLite file, or postgres://ROLE:PASSWORD@HOST:PORT/DATABASE
        error: the database order could not be read: the database is not available: the database can't be reached
        error: the database order could not be read: this is no address of a Postgres database
        error: the database order is named twice
        error: the database order has schema 3 and the audit needs 11: start the shop, which brings it up to date
        error: the database order could not be read: file is not a database
        error: the database order is not there: DIR/none.db
        error: could not read DIR/: Is a directory (os error 21)
    "#]].assert_eq(&all);
    let refused = |flags: &[&str]| called(flags).unwrap_err().lines().next().unwrap().to_owned();
    let refused = [
        refused(&["--grace", "0"]),
        refused(&["--grace", "soon"]),
        refused(&["--full", "--since", "1"]),
        refused(&["--at-rest", "--grace", "5"]),
        refused(&["--state-dir", "a", "--database", "order=b"]),
        refused(&["--fully"]),
    ];
    expect![[r#"
        error: invalid value '0' for '--grace <SECONDS>': 0 is not in 1..=86400
        error: invalid value 'soon' for '--grace <SECONDS>': invalid digit found in string
        error: the argument '--full' cannot be used with '--since <HOURS>'
        error: the argument '--at-rest' cannot be used with '--grace <SECONDS>'
        error: the argument '--state-dir <DIR>' cannot be used with '--database <LABEL=ADDRESS>'
        error: unexpected argument '--fully' found"#]]
    .assert_eq(&refused.join("\n"));
}
