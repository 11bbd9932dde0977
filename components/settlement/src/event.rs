//! Events of payments and orders, as they tell them (SPEC §15).

use kernel::{Currency, Money, OrderId};
use relay::Event;
use serde::Deserialize;

use crate::app::Fact;
use crate::domain::{CURRENCY, Line, Movement, MovementId, MovementKind};

/// Longer names are refused.
const MAX_NAME: usize = 200;

/// Nothing that moves, and nothing that is bought, is more than this: a million million won. An amount
/// beyond it is a defect of its producer, and would leave no room for true ones in the sums.
const MAX_AMOUNT_MINOR: i64 = 1_000_000_000_000;

/// Where the parts of lines stand whose orders are older than the names on their lines.
const NAMELESS: &str = "-";

/// Why an event can't be what its topic says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A field is missing or of another kind.
    #[error("the data are not those of {topic}: {why}")]
    Data {
        /// The topic.
        topic: String,
        /// What is wrong.
        why: String,
    },
    /// It names no order.
    #[error("orderId: {0}")]
    Order(#[from] kernel::IdOutOfRange),
    /// Settlements are in one currency.
    #[error("settlements are in {}, not in {got:?}", CURRENCY.code())]
    Currency {
        /// What it is in.
        got: String,
    },
    /// An amount that can't be.
    #[error("{0} is no amount that can move")]
    Amount(i64),
    /// A name that can't be.
    #[error("{0} must have at most {MAX_NAME} characters, none of them a control character")]
    Name(&'static str),
    /// The id is not that of the change it tells of, which would count it twice.
    #[error("its id should be {0:?}")]
    Id(String),
    /// It stands for an event that could not travel.
    #[error("it could not travel: {0}")]
    Undeliverable(String),
    /// An order without lines.
    #[error("an order has items")]
    NoItems,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Completed {
    order_id: u64,
    currency: String,
    amount: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refunded {
    order_id: u64,
    currency: String,
    refund_key: String,
    refund_amount: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paid {
    order_id: u64,
    currency: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    category: String,
    seller: String,
    amount: i64,
}

/// What an event tells us. Topics that are not ours tell nothing, and are taken in as such.
pub fn fact(event: &Event) -> Result<Fact, Malformed> {
    if let Some(why) = event.undeliverable() {
        return Err(Malformed::Undeliverable(why));
    }
    match event.topic.as_str() {
        "payment.completed" => completed(event),
        "payment.refunded" => refunded(event),
        "order.paid" => paid(event),
        _ => Ok(Fact::Nothing),
    }
}

fn completed(event: &Event) -> Result<Fact, Malformed> {
    let data: Completed = read(event)?;
    let order = OrderId::try_new(data.order_id)?;
    let amount = amount(data.amount, &data.currency)?;
    moved(
        event,
        MovementId::payment(order),
        MovementKind::Payment,
        order,
        amount,
    )
}

fn refunded(event: &Event) -> Result<Fact, Malformed> {
    let data: Refunded = read(event)?;
    let order = OrderId::try_new(data.order_id)?;
    let amount = amount(data.refund_amount, &data.currency)?;
    moved(
        event,
        MovementId::refund(order, &data.refund_key),
        MovementKind::Refund,
        order,
        amount,
    )
}

fn moved(
    event: &Event,
    id: MovementId,
    kind: MovementKind,
    order: OrderId,
    amount: Money,
) -> Result<Fact, Malformed> {
    if event.id != id.as_str() {
        return Err(Malformed::Id(id.as_str().to_owned()));
    }
    Ok(Fact::Moved(Movement {
        id,
        order,
        kind,
        amount,
        at: event.occurred_at,
        adjustments: 0,
    }))
}

fn paid(event: &Event) -> Result<Fact, Malformed> {
    let data: Paid = read(event)?;
    let order = OrderId::try_new(data.order_id)?;
    expect_currency(&data.currency)?;
    if data.items.is_empty() {
        return Err(Malformed::NoItems);
    }
    let lines = data.items.into_iter().map(line);
    Ok(Fact::Bought(order, lines.collect::<Result<_, _>>()?))
}

fn line(item: Item) -> Result<Line, Malformed> {
    Ok(Line {
        category: name("category", item.category)?,
        seller: name("seller", item.seller)?,
        amount: won(item.amount, 0)?,
    })
}

fn name(field: &'static str, text: String) -> Result<String, Malformed> {
    if text.is_empty() {
        return Ok(NAMELESS.to_owned());
    }
    let fits = text.chars().count() <= MAX_NAME && !text.chars().any(char::is_control);
    fits.then_some(text).ok_or(Malformed::Name(field))
}

fn amount(minor: i64, currency: &str) -> Result<Money, Malformed> {
    expect_currency(currency)?;
    won(minor, 1)
}

fn won(minor: i64, least: i64) -> Result<Money, Malformed> {
    let sensible = (least..=MAX_AMOUNT_MINOR).contains(&minor);
    let amount = sensible.then(|| Money::try_new(minor, CURRENCY).ok());
    amount.flatten().ok_or(Malformed::Amount(minor))
}

fn expect_currency(code: &str) -> Result<(), Malformed> {
    match Currency::parse(code) {
        Some(CURRENCY) => Ok(()),
        _ => Err(Malformed::Currency { got: code.to_owned() }),
    }
}

fn read<'a, T: Deserialize<'a>>(event: &'a Event) -> Result<T, Malformed> {
    serde_json::from_str(&event.data).map_err(|error| Malformed::Data {
        topic: event.topic.clone(),
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use kernel::Instant;

    fn describe(id: &str, data: &str) -> String {
        let topic = id.split(':').next().unwrap().to_owned();
        let event = Event {
            id: id.to_owned(),
            topic,
            key: "1".to_owned(),
            position: 1,
            occurred_at: Instant::EPOCH,
            data: data.to_owned(),
            traceparent: None,
        };
        match fact(&event) {
            Ok(Fact::Moved(moved)) => {
                format!("{:?} {} of {}\n", moved.kind, moved.amount.minor(), moved.order)
            }
            Ok(Fact::Bought(order, lines)) => {
                let line =
                    |line: &Line| format!(" {}/{}/{}", line.category, line.seller, line.amount.minor());
                format!("bought {order}:{}\n", lines.iter().map(line).collect::<String>())
            }
            Ok(Fact::Nothing) => "nothing\n".to_owned(),
            Err(error) => format!("{error}\n"),
        }
    }

    #[test]
    fn events_are_read_as_their_domains_write_them() {
        let text = [
            (
                "payment.completed:1",
                r#"{"paymentId":487648624647189,"orderId":1,"userId":2,"method":"CARD","currency":"KRW","amount":100}"#,
            ),
            (
                "payment.refunded:1:return 1",
                r#"{"paymentId":4,"orderId":1,"userId":2,"method":"CARD","currency":"KRW","amount":100,"refundKey":"return 1","refundAmount":60,"refundedAmount":60,"reason":"broken"}"#,
            ),
            (
                "order.paid:1",
                r#"{"orderId":1,"userId":2,"currency":"KRW","totalAmount":100,"items":[{"productId":1,"skuId":1,"name":"x","category":"전자","seller":"bodega","unitPrice":50,"quantity":2,"amount":100}]}"#,
            ),
            ("payment.failed:1", r#"{"orderId":1}"#),
            ("order.created:1", "{}"),
            ("coupon.issued:1", "{}"),
        ];
        let text: String = text.iter().map(|(id, data)| describe(id, data)).collect();
        expect![[r#"
            Payment 100 of 1
            Refund 60 of 1
            bought 1: 전자/bodega/100
            nothing
            nothing
            nothing
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn what_could_not_travel_is_no_fact_whatever_its_topic() {
        let text = ["payment.completed:1", "payment.failed:1"]
            .map(|id| describe(id, r#"{"undeliverable":"more than the 9 bytes that are read"}"#));
        expect![[r#"
            it could not travel: more than the 9 bytes that are read
            it could not travel: more than the 9 bytes that are read
        "#]]
        .assert_eq(&text.concat());
    }

    #[test]
    fn what_can_not_be_is_said() {
        let completed = |fields: &str| describe("payment.completed:1", &format!("{{{fields}}}"));
        let paid = |items: &str| {
            describe(
                "order.paid:1",
                &format!(r#"{{"orderId":1,"currency":"KRW","items":[{items}]}}"#),
            )
        };
        let long = "x".repeat(201);
        let text = [
            completed(""),
            completed(r#""orderId":1,"currency":"KRW""#),
            completed(r#""orderId":1,"currency":"KRW","amount":1.5"#),
            completed(r#""orderId":1,"currency":"KRW","amount":"1""#),
            completed(r#""orderId":1,"currency":"KRW","amount":1e300"#),
            completed(r#""orderId":1,"currency":"KRW","amount":0"#),
            completed(r#""orderId":1,"currency":"KRW","amount":-5"#),
            completed(r#""orderId":1,"currency":"KRW","amount":9007199254740992"#),
            completed(r#""orderId":1,"currency":"KRW","amount":1000000000001"#),
            completed(r#""orderId":1,"currency":"KRW","amount":1000000000000"#),
            completed(r#""orderId":1,"currency":"USD","amount":5"#),
            completed(r#""orderId":0,"currency":"KRW","amount":5"#),
            completed(r#""orderId":2,"currency":"KRW","amount":5"#),
            paid(""),
            paid(r#"{"category":"a","seller":"b"}"#),
            paid(r#"{"category":"a","seller":"b","amount":-1}"#),
            paid(r#"{"category":"a","seller":"b","amount":1000000000001}"#),
            paid(r#"{"category":"a","seller":"b","amount":0}"#),
            paid(r#"{"category":"","seller":"b","amount":1}"#),
            paid(&format!(r#"{{"category":"a","seller":"{long}","amount":1}}"#)),
            paid(r#"{"category":"a\u0000","seller":"b","amount":1}"#),
        ];
        expect![[r#"
            the data are not those of payment.completed: missing field `orderId` at line 1 column 2
            the data are not those of payment.completed: missing field `amount` at line 1 column 30
            the data are not those of payment.completed: invalid type: floating point `1.5`, expected i64 at line 1 column 42
            the data are not those of payment.completed: invalid type: string "1", expected i64 at line 1 column 42
            the data are not those of payment.completed: invalid type: floating point `1e+300`, expected i64 at line 1 column 44
            0 is no amount that can move
            -5 is no amount that can move
            9007199254740992 is no amount that can move
            1000000000001 is no amount that can move
            Payment 1000000000000 of 1
            settlements are in KRW, not in "USD"
            orderId: an id is a number from 1 to 9007199254740991
            its id should be "payment.completed:2"
            an order has items
            the data are not those of order.paid: missing field `amount` at line 1 column 68
            -1 is no amount that can move
            1000000000001 is no amount that can move
            bought 1: a/b/0
            bought 1: -/b/1
            seller must have at most 200 characters, none of them a control character
            category must have at most 200 characters, none of them a control character
        "#]].assert_eq(&text.concat());
    }
}
