//! A settlement's books over a database that tests can look into, and messages as producers write them.

#![allow(dead_code, reason = "each suite uses its part")]

use std::cell::RefCell;
use std::rc::Rc;

use kernel::{Instant, Money, OrderId};
use relay::{Event, Message};
use settlement::app::{self, Book, Buried, Inbox, Ledger};
use settlement::domain::{BookEntry, BookRefund, CURRENCY, Sums, Zone};
use settlement::store::{MIGRATIONS, Store};
use store::{Db, DbError, Driver, Row, params};
use store_suite::{database, shared};

/// 2026-11-20T23:23:40Z: the 21st in Seoul.
pub(crate) const NOW: Instant = Instant::from_micros(1_795_217_020_000_000);

/// An hour in microseconds.
pub(crate) const HOUR: i64 = 3_600_000_000;

pub(crate) fn won(minor: i64) -> Money {
    Money::try_new(minor, CURRENCY).unwrap()
}

pub(crate) fn order(number: u64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

pub(crate) fn seoul() -> Zone {
    Zone::parse("Asia/Seoul").unwrap()
}

/// So many hours after [`NOW`].
pub(crate) fn hours(hours: i64) -> Instant {
    Instant::from_micros(NOW.micros() + hours * HOUR)
}

pub(crate) fn event(id: &str, position: u64, at: Instant, data: &str) -> Event {
    let parts: Vec<&str> = id.split(':').collect();
    Event {
        id: id.to_owned(),
        topic: parts[0].to_owned(),
        key: parts.get(1).copied().unwrap_or("1").to_owned(),
        position,
        occurred_at: at,
        data: data.to_owned(),
        traceparent: None,
    }
}

pub(crate) fn completed(number: u64, amount: i64, position: u64, at: Instant) -> Event {
    let data = format!(
        r#"{{"paymentId":9,"orderId":{number},"userId":2,"method":"CARD","currency":"KRW","amount":{amount}}}"#
    );
    event(&format!("payment.completed:{number}"), position, at, &data)
}

pub(crate) fn refunded(number: u64, key: &str, amount: i64, position: u64, at: Instant) -> Event {
    let data = format!(
        r#"{{"orderId":{number},"currency":"KRW","amount":1,"refundKey":"{key}","refundAmount":{amount}}}"#
    );
    event(&format!("payment.refunded:{number}:{key}"), position, at, &data)
}

/// Lines are category, seller and amount.
pub(crate) fn paid(number: u64, lines: &[(&str, &str, i64)], position: u64, at: Instant) -> Event {
    let item = |(category, seller, amount): &(&str, &str, i64)| {
        format!(
            r#"{{"productId":1,"skuId":1,"category":"{category}","seller":"{seller}","amount":{amount}}}"#
        )
    };
    let items: Vec<String> = lines.iter().map(item).collect();
    let data = format!(
        r#"{{"orderId":{number},"currency":"KRW","items":[{}]}}"#,
        items.join(",")
    );
    event(&format!("order.paid:{number}"), position, at, &data)
}

pub(crate) fn message(producer: &str, events: &[Event]) -> Vec<u8> {
    let message = Message {
        producer: producer.to_owned(),
        events: events.to_vec(),
    };
    message.encode().unwrap().into_bytes()
}

/// The consumer without its wire.
pub(crate) struct Books {
    connection: Rc<dyn Driver>,
    /// What was acknowledged, in order.
    pub(crate) acknowledged: RefCell<Vec<(String, u64)>>,
}

impl Books {
    pub(crate) fn new() -> Self {
        Self::over(Rc::from(database::fresh_driver().unwrap()))
    }

    pub(crate) fn over(connection: Rc<dyn Driver>) -> Self {
        Self {
            connection,
            acknowledged: RefCell::default(),
        }
    }

    pub(crate) fn db(&self) -> Db {
        Db::open(shared(&self.connection), MIGRATIONS).unwrap()
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.db(), seoul())
    }

    pub(crate) fn consume(&self, payload: &[u8]) -> Result<Vec<Buried>, DbError> {
        let acknowledge = |producer: &str, position| {
            self.acknowledged
                .borrow_mut()
                .push((producer.to_owned(), position));
        };
        let store = Store::new(Db::open(shared(&self.connection), MIGRATIONS)?, seoul());
        app::consume(&store, payload, NOW, acknowledge)
    }

    /// Takes events in, none of them bad.
    pub(crate) fn take(&self, producer: &str, events: &[Event]) {
        assert_eq!(self.consume(&message(producer, events)).unwrap(), []);
    }

    pub(crate) fn run(&self, statement: &str) {
        self.db()
            .transaction(|tx| tx.execute(statement, params![]))
            .unwrap();
    }

    /// The sums as they are kept, a line each.
    pub(crate) fn sums(&self) -> String {
        let days = "select day, '' as name, total_minor, payment_count, refund_minor, refund_count \
                    from daily_settlement where payment_count + refund_count > 0 order by day";
        let shares = "select day, ' ' || dimension || ' ' || name as name, total_minor, payment_count, \
                      refund_minor, refund_count from daily_share \
                      where payment_count + refund_count > 0 order by day, dimension, name";
        let line = |row: &Row| {
            let text = |column| row.get::<String>(column).unwrap();
            let number = |column| row.get::<i64>(column).unwrap();
            let (total, refund) = (number("total_minor"), number("refund_minor"));
            let (payments, refunds) = (number("payment_count"), number("refund_count"));
            format!(
                "{}{}: {total} in {payments}, {refund} back in {refunds}\n",
                text("day"),
                text("name")
            )
        };
        let read = |statement| self.db().read(statement, params![]).unwrap();
        read(days).iter().chain(&read(shares)).map(line).collect()
    }

    /// Everything that is kept of events, a line each.
    pub(crate) fn everything(&self) -> String {
        let read = |statement: &str| -> String {
            let rows = self.db().read(statement, params![]).unwrap();
            rows.iter()
                .map(|row| row.get::<String>("line").unwrap() + "\n")
                .collect()
        };
        let inbox = "select producer || ' ' || event_id || ' ' || coalesce(cast(position as text), '-') || ' ' || \
                     coalesce(cast(applied_at as text), 'aside') as line from inbox order by producer, event_id";
        let marks = "select producer || ' up to ' || position as line from inbox_mark order by producer";
        let letters =
            "select coalesce(event_id, 'junk') || ': ' || error as line from dead_letter order by line";
        let ledger = "select entry.entry_id || ' ' || day || ' ' || account || ' ' || debit_minor || '/' || \
                      credit_minor as line from ledger_entry entry join ledger_posting using (entry_id) \
                      order by line";
        [inbox, marks, letters, ledger].map(read).concat() + &self.sums()
    }

    /// The ledger balances, and the sums are what it says they should be.
    pub(crate) fn audit(&self) {
        let store = self.store();
        assert_eq!(store.unbalanced().unwrap(), Vec::<String>::new());
        let mut sums = Sums::default();
        for book in store.orders(None, None, 10_000).unwrap() {
            sums = sums.plus(&Sums::of(&book, &seoul()).unwrap()).unwrap();
        }
        let days = "select day, total, refund from (select day, \
                    sum(case account when 'SALES' then credit_minor - debit_minor else 0 end) as total, \
                    sum(case account when 'REFUND' then debit_minor - credit_minor else 0 end) as refund \
                    from ledger_entry join ledger_posting using (entry_id) group by day) as days \
                    where total <> 0 or refund <> 0 order by day";
        let rows = self.db().read(days, params![]).unwrap();
        let by_ledger = rows.iter().map(|row| {
            let number = |column| row.get::<i64>(column).unwrap();
            (
                row.get::<String>("day").unwrap(),
                number("total"),
                number("refund"),
            )
        });
        let by_rule = sums
            .days
            .iter()
            .map(|(day, sum)| (day.to_string(), sum.total.minor(), sum.refunded.minor()));
        assert_eq!(by_ledger.collect::<Vec<_>>(), by_rule.collect::<Vec<_>>());
        let line = |day: String, sum: &settlement::domain::Sum| {
            let (total, back) = (sum.total.minor(), sum.refunded.minor());
            format!(
                "{day}: {total} in {}, {back} back in {}\n",
                sum.payments, sum.refunds
            )
        };
        let days = sums.days.iter().map(|(day, sum)| line(day.to_string(), sum));
        let shares = sums.shares.iter().map(|((day, dimension, name), sum)| {
            (
                (*day, dimension.text(), name.clone()),
                line(format!("{day} {} {name}", dimension.text()), sum),
            )
        });
        let mut shares: Vec<_> = shares.collect();
        shares.sort();
        let expected: String = days.chain(shares.into_iter().map(|(_, line)| line)).collect();
        assert_eq!(self.sums(), expected);
    }

    pub(crate) fn mark(&self, producer: &str) -> u64 {
        self.store().mark(producer).unwrap()
    }

    /// The dead letters' errors, the newest first.
    pub(crate) fn errors(&self) -> Vec<String> {
        let letters = self.store().dead_letters(None, 100).unwrap();
        letters.into_iter().map(|letter| letter.error).collect()
    }
}

/// The payments' book, as far as a test writes it.
#[derive(Clone, Default)]
pub(crate) struct FakeBook {
    pub(crate) entries: Vec<BookEntry>,
    pub(crate) silent: bool,
}

impl FakeBook {
    /// Takes one payment more; refunds are key, amount and hours after [`NOW`].
    pub(crate) fn with(mut self, number: u64, amount: i64, hour: i64, refunds: &[(&str, i64, i64)]) -> Self {
        let refund = |&(key, amount, hour): &(&str, i64, i64)| BookRefund {
            key: key.to_owned(),
            amount: won(amount),
            at: hours(hour),
        };
        self.entries.push(BookEntry {
            order: order(number),
            amount: won(amount),
            at: hours(hour),
            refunds: refunds.iter().map(refund).collect(),
        });
        self.entries.sort_by_key(|entry| entry.order);
        self
    }
}

impl Book for FakeBook {
    fn entries(&self, after: Option<OrderId>, limit: u32) -> Result<Vec<BookEntry>, String> {
        if self.silent {
            return Err("no answer".to_owned());
        }
        let behind = self.entries.iter().filter(|entry| Some(entry.order) > after);
        Ok(behind.take(limit as usize).cloned().collect())
    }
}
