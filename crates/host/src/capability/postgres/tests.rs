//! Every value on its way to a real server and back.

use super::value::{data_type, parameter, value};
use super::{Database, references, row_set};
use bindings::postgres4::postgres::{Interval, ParameterValue, RangeBoundKind};
use pg::{Options, Pools};
use std::io;
use std::sync::{Arc, Mutex};
use testkit::servers::Postgres;

use ParameterValue::{
    ArrayDecimal, ArrayInt32, ArrayInt64, ArrayStr, Binary, Boolean, Date, Datetime, DbNull, Decimal,
    Floating32, Floating64, Int8, Int16, Int32, Int64, Jsonb, RangeDecimal, RangeInt32, RangeInt64, Str,
    Time, Timestamp, Uuid,
};
use RangeBoundKind::{Exclusive, Inclusive};

/// What is sent as which type of the server, and how its answer reads.
fn samples() -> Vec<(&'static str, ParameterValue, &'static str)> {
    let text = |text: &str| Some(text.to_owned());
    let span = Interval {
        micros: -1,
        days: 2,
        months: 3,
    };
    let low = "1.50".to_owned();
    let range = (Some((low, Inclusive)), Some(("2.50".to_owned(), Exclusive)));
    vec![
        ("boolean", Boolean(true), "boolean(true)"),
        ("\"char\"", Int8(-5), "unsupported([251])"),
        ("int2", Int16(i16::MIN), "int16(-32768)"),
        ("int4", Int32(i32::MAX), "int32(2147483647)"),
        ("int8", Int64(i64::MIN), "int64(-9223372036854775808)"),
        ("float4", Floating32(0.5), "floating32(0.5)"),
        ("float8", Floating64(-0.25), "floating64(-0.25)"),
        ("text", Str("전자 \u{1f6d2} '".to_owned()), "str(\"전자 🛒 '\")"),
        ("bytea", Binary(vec![0, 255]), "binary([0, 255])"),
        ("date", Date((2026, 11, 22)), "date((2026, 11, 22))"),
        ("time", Time((23, 59, 58, 1_000)), "time((23, 59, 58, 1000))"),
        (
            "timestamp",
            Datetime((1969, 12, 31, 1, 2, 3, 4_000)),
            "datetime((1969, 12, 31, 1, 2, 3, 4000))",
        ),
        (
            "timestamptz",
            Timestamp(86_400),
            "datetime((1970, 1, 2, 0, 0, 0, 0))",
        ),
        (
            "uuid",
            Uuid("0AF76519-16cd-43dd-8448-eb211c80319c".to_owned()),
            "uuid(\"0af76519-16cd-43dd-8448-eb211c80319c\")",
        ),
        (
            "jsonb",
            Jsonb(b"{\"a\": 1}".to_vec()),
            "jsonb([123, 34, 97, 34, 58, 49, 125])",
        ),
        ("numeric", Decimal("-12.340".to_owned()), "decimal(\"-12.340\")"),
        (
            "int4range",
            RangeInt32((Some((1, Inclusive)), None)),
            "range-int32((Some((1, RangeBoundKind::Inclusive)), None))",
        ),
        (
            "int8range",
            RangeInt64((None, Some((7, Exclusive)))),
            "range-int64((None, Some((7, RangeBoundKind::Exclusive))))",
        ),
        (
            "numrange",
            RangeDecimal(range),
            "range-decimal((Some((\"1.50\", RangeBoundKind::Inclusive)), Some((\"2.50\", RangeBoundKind::Exclusive))))",
        ),
        (
            "int4[]",
            ArrayInt32(vec![Some(1), None]),
            "array-int32([Some(1), None])",
        ),
        ("int8[]", ArrayInt64(vec![None]), "array-int64([None])"),
        (
            "numeric[]",
            ArrayDecimal(vec![text("1.5"), None]),
            "array-decimal([Some(\"1.5\"), None])",
        ),
        (
            "text[]",
            ArrayStr(vec![text("x"), None]),
            "array-str([Some(\"x\"), None])",
        ),
        (
            "interval",
            ParameterValue::Interval(span),
            "interval(Interval { micros: -1, days: 2, months: 3 })",
        ),
        ("int8", DbNull, "db-null"),
        ("inet", DbNull, "db-null"),
    ]
}

/// A value of an answer without the name of its type in front, which the macro writes.
fn told(value: &bindings::postgres4::postgres::DbValue) -> String {
    let text = format!("{value:?}");
    text.strip_prefix("DbValue::").unwrap_or(&text).to_owned()
}

/// `ArrayInt32([None])` and `array-int32([None])` are the same word.
fn same(found: &str, expected: &str) -> bool {
    let plain = |text: &str| {
        let (name, rest) = text
            .split_once('(')
            .map_or((text, ""), |(name, rest)| (name, rest));
        (name.replace('-', "").to_lowercase(), rest.to_owned())
    };
    plain(found) == plain(expected)
}

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went() {
    let Some(server) = Postgres::start() else { return };
    let pools = Pools::new(Options::default());
    let mut connection = pools
        .open(&server.admin_address("postgres"))
        .await
        .expect("a connection");
    for (kind, sent, expected) in samples() {
        let parameters = vec![parameter(&sent).expect("it can be sent")];
        let statement = format!("select $1::{kind} as it");
        let rows = connection
            .query(&statement, &references(&parameters), 10_000)
            .await;
        let rows = rows.unwrap_or_else(|error| panic!("{kind}: {error}"));
        let found = value(&rows[0], 0).expect("it can be read");
        assert!(same(&told(&found), expected), "{kind}: {}", told(&found));
    }
    let rows = connection
        .query("select '10.0.0.1'::inet as it, 1::int8 as n", &[], 1000)
        .await
        .expect("an answer");
    let answer = row_set(&rows).expect("it can be told");
    let names: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["it", "n"]);
    let kind = format!("{:?}", data_type(rows[0].columns()[0].type_()));
    assert!(kind.contains("Other(\"inet\")"), "{kind}");
}

#[test]
fn what_makes_no_sense_is_refused_before_it_is_sent() {
    for (nonsense, reason) in [
        (Date((2026, 2, 30)), "there is no day 2026-2-30"),
        (Time((24, 0, 0, 0)), "there is no time 24:0:0.000000000"),
        (
            Timestamp(i64::MAX),
            "9223372036854775807 is no time that can be told",
        ),
        (Uuid("x".to_owned()), "`x` is no UUID"),
        (Jsonb(b"{".to_vec()), "not JSON"),
        (Decimal("1,5".to_owned()), "`1,5` is no decimal number"),
        (
            ArrayDecimal(vec![Some("x".to_owned())]),
            "`x` is no decimal number",
        ),
    ] {
        let refused = parameter(&nonsense).err().unwrap_or_default();
        assert!(refused.starts_with(reason), "{refused}");
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn why_there_is_no_connection_is_logged_without_the_password() {
    let Some(server) = Postgres::start() else { return };
    let address = format!("postgres://postgres:hunter2@127.0.0.1:{}/ours", server.port());
    let config = pg::parse(&address).expect("an address");
    let opened = Pools::new(Options::default()).open(&address).await;
    let Err(error) = opened else {
        panic!("the password is wrong")
    };
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || Database::of(&config).is_away("stock", &error));
    let written = lines.0.lock().expect("a lock").clone();
    let text = String::from_utf8(written).expect("a text");
    for said in [
        "WARN",
        "component=stock",
        "database=ours",
        "role=postgres",
        "password authentication failed",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    for hidden in ["hunter2", "127.0.0.1"] {
        assert!(!text.contains(hidden), "{text}");
    }
}
