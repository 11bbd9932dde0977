//! Payments over the real fake gateway, each with its own database.

#![allow(dead_code, reason = "each suite uses its part")]

use std::path::Path;

use fake_pg::app as pg;
use fake_pg::domain::{ApproveRefused, CancelRefused, Rules};
use kernel::{Currency, Instant, Millis, Money, OrderId, Outcome, UserId};
use payment::app::{App, Approval, ApproveError, CancelError, Failed, Gateway};
use payment::domain::{Amount, Charge, ChargeRefused, Method, NewRefund, Payment, RefundKey, RefundRefused};
use payment::store::MIGRATIONS;
use store::{Db, native, params};

/// 2026-11-20T23:23:40Z.
pub(crate) const NOW: Instant = Instant::from_micros(1_795_217_020_000_000);

/// The fake gateway as the payment component sees it once composed with it.
pub(crate) struct Pg {
    pub(crate) db: Db,
    pub(crate) rules: Rules,
}

/// The payment component without its wire.
pub(crate) struct Shop {
    pub(crate) payments: Db,
    pub(crate) pg: Pg,
}

pub(crate) fn won(minor: i64) -> Money {
    Money::try_new(minor, Currency::Krw).unwrap()
}

pub(crate) fn order(number: u64) -> OrderId {
    OrderId::try_new(number).unwrap()
}

pub(crate) fn charge(number: u64, amount: i64, method: Method) -> Charge {
    Charge {
        order: order(number),
        user: UserId::try_new(2).unwrap(),
        amount: Amount::try_new(won(amount)).unwrap(),
        method,
    }
}

pub(crate) fn refund(number: u64, key: &str, amount: i64) -> NewRefund {
    NewRefund {
        order: order(number),
        key: RefundKey::try_new(key).unwrap(),
        amount: Amount::try_new(won(amount)).unwrap(),
        reason: "broken".to_owned(),
    }
}

impl Shop {
    /// A shop in memory, its gateway steered by `rules`.
    pub(crate) fn new(rules: &str) -> Self {
        let pg = native::in_memory(fake_pg::store::MIGRATIONS).unwrap();
        Self::over(native::in_memory(MIGRATIONS).unwrap(), pg, rules)
    }

    /// One of several that share the files in `dir`.
    pub(crate) fn open(dir: &Path, rules: &str) -> Self {
        let pg = native::open(&dir.join("pg.db"), fake_pg::store::MIGRATIONS).unwrap();
        Self::over(
            native::open(&dir.join("payment.db"), MIGRATIONS).unwrap(),
            pg,
            rules,
        )
    }

    fn over(payments: Db, pg: Db, rules: &str) -> Self {
        let rules = Rules::parse(rules).unwrap();
        Self {
            payments,
            pg: Pg { db: pg, rules },
        }
    }

    pub(crate) fn app(&self) -> App<'_, Db, Pg> {
        App {
            payments: &self.payments,
            gateway: &self.pg,
        }
    }

    pub(crate) fn charge(&self, charge: &Charge) -> Result<Outcome<Payment>, Failed<ChargeRefused>> {
        // Ids apart from each other, as random numbers are nearly always.
        let random = charge.order.get().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.app().charge(charge, NOW, random)
    }

    pub(crate) fn refund(&self, command: &NewRefund) -> Result<Outcome<Payment>, Failed<RefundRefused>> {
        self.app().refund(command, NOW.after(Millis(1_000)))
    }

    pub(crate) fn refunded(&self, number: u64) -> i64 {
        let payment = self.app().status(order(number)).unwrap();
        payment.map_or(0, |payment| payment.refunded().minor())
    }

    pub(crate) fn refund_states(&self, number: u64) -> Vec<(String, String)> {
        let statement = "select refund_key, state from refund where order_id = ?1 order by refund_key";
        let rows = self.payments.read(statement, params![order(number)]).unwrap();
        rows.iter()
            .map(|row| (row.get("refund_key").unwrap(), row.get("state").unwrap()))
            .collect()
    }

    pub(crate) fn topics(&self) -> Vec<String> {
        let rows = self
            .payments
            .read("select topic from outbox order by event_id", params![]);
        rows.unwrap()
            .iter()
            .map(|row| row.get("topic").unwrap())
            .collect()
    }

    pub(crate) fn events(&self) -> String {
        let statement = "select event_id, key, occurred_at, data, position from outbox order by event_id";
        let line = |row: &store::Row| {
            let (id, key): (String, String) = (row.get("event_id").unwrap(), row.get("key").unwrap());
            let (at, data): (Instant, String) = (row.get("occurred_at").unwrap(), row.get("data").unwrap());
            let position: Option<i64> = row.get("position").unwrap();
            format!("{id} | {key} | {} | {position:?} | {data}\n", at.rfc3339())
        };
        self.payments
            .read(statement, params![])
            .unwrap()
            .iter()
            .map(line)
            .collect()
    }
}

impl Pg {
    fn gateway(&self) -> pg::Gateway<'_, Db> {
        pg::Gateway {
            book: &self.db,
            rules: &self.rules,
            wait: &|_| (),
        }
    }

    /// How much of an order's money the gateway gave back.
    pub(crate) fn cancelled(&self, number: u64) -> i64 {
        let approval = self.gateway().find(order(number)).unwrap();
        approval.map_or(0, |approval| approval.cancelled.minor())
    }

    /// How much of an order's money the gateway took.
    pub(crate) fn approved(&self, number: u64) -> i64 {
        let approval = self.gateway().find(order(number)).unwrap();
        approval.map_or(0, |approval| approval.amount.minor())
    }
}

impl Gateway for Pg {
    fn approve(&self, order: OrderId, amount: Money) -> Result<Approval, ApproveError> {
        match self.gateway().approve(order, amount) {
            Ok(approval) => Ok(Approval {
                payment_key: approval.key.as_str().to_owned(),
                amount: approval.amount,
            }),
            Err(pg::ApproveError::Refused(ApproveRefused::Refused(code))) => Err(ApproveError::Refused(code)),
            Err(pg::ApproveError::Refused(ApproveRefused::DiffersFromExisting)) => {
                Err(ApproveError::DiffersFromExisting)
            }
            Err(pg::ApproveError::NoAnswer) => Err(ApproveError::Unavailable("no answer".to_owned())),
            Err(pg::ApproveError::Book(error)) => panic!("{error}"),
        }
    }

    fn cancel(&self, key: &str, cancel_key: &str, amount: Money, reason: &str) -> Result<(), CancelError> {
        match self.gateway().cancel(key, cancel_key, amount, reason) {
            Ok(()) => Ok(()),
            Err(pg::CancelError::Refused(refused)) => Err(match refused {
                CancelRefused::UnknownPayment => CancelError::UnknownPayment,
                CancelRefused::DiffersFromExisting => CancelError::DiffersFromExisting,
                CancelRefused::ExceedsRemaining(_) => CancelError::ExceedsRemaining,
                CancelRefused::Refused(code) => CancelError::Refused(code),
            }),
            Err(pg::CancelError::NoAnswer) => Err(CancelError::Unavailable("no answer".to_owned())),
            Err(pg::CancelError::Book(error)) => panic!("{error}"),
        }
    }

    fn took_money(&self, order: OrderId) -> Result<bool, String> {
        Ok(self.gateway().find(order).unwrap().is_some())
    }
}
