//! Payments in SQL.

use kernel::{Currency, Instant, Money, OrderId};
use store::{Db, DbError, Migration, Row, RowError, Tx, migrations, params};

use crate::app::Payments;
use crate::domain::{Amount, Method, Payment, Refund, RefundKey, RefundState, State, Till};
use crate::event::{self, EncodeError, Event};

/// The schema, forward only.
pub const MIGRATIONS: &[Migration] =
    migrations!["0001_create_payment", "0002_create_refund", "0003_create_outbox"];

impl Payments for Db {
    fn find(&self, order: OrderId) -> Result<Option<Payment>, DbError> {
        let row = self.read_one(include_str!("sql/find_payment.sql"), params![order])?;
        Ok(row.as_ref().map(payment).transpose()?)
    }

    fn find_refund(
        &self,
        order: OrderId,
        key: &RefundKey,
    ) -> Result<(Option<Payment>, Option<Refund>), DbError> {
        let found = self.read_one(include_str!("sql/find_refund.sql"), params![order, key.as_str()])?;
        let Some(row) = found else {
            return Ok((None, None));
        };
        let payment = payment(&row)?;
        let refund = refund(&row, &payment)?;
        Ok((Some(payment), refund))
    }

    fn insert(&self, new: &Payment) -> Result<bool, DbError> {
        let (state, gateway_key, code) = match &new.state {
            State::Captured {
                till: Till::Gateway { payment_key },
                ..
            } => ("CAPTURED", Some(payment_key.as_str()), None),
            State::Captured { till: Till::Cash, .. } => ("CAPTURED", None, None),
            State::Failed { code } => ("FAILED", None, Some(code.as_str())),
        };
        let (currency, amount) = (new.amount.currency().code(), new.amount.minor());
        self.transaction(|tx| {
            let row = params![
                new.id,
                new.order,
                new.user,
                new.method.text(),
                currency,
                amount,
                state,
                gateway_key,
                code,
                new.at
            ];
            if tx.execute(include_str!("sql/insert_payment.sql"), row)? == 0 {
                return Ok(false);
            }
            write_event(tx, event::decided(new), new.at)?;
            Ok(true)
        })
    }

    fn promise(&self, refund: &Refund) -> Result<bool, DbError> {
        Ok(unless_late(self.transaction(|tx| promise(tx, refund)))?.is_some())
    }

    fn finish(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError> {
        unless_late(self.transaction(|tx| finish(tx, refund, now)))
    }

    fn give_cash(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError> {
        unless_late(self.transaction(|tx| {
            promise(tx, refund)?;
            finish(tx, refund, now)
        }))
    }

    fn refuse(&self, refund: &Refund, code: &str, now: Instant) -> Result<bool, DbError> {
        let refused = self.transaction(|tx| {
            decide(tx, refund, "REFUSED", Some(code), now)?;
            let part = params![refund.order, refund.amount.money().minor()];
            tx.execute(include_str!("sql/withdraw_promise.sql"), part)?;
            Ok(())
        });
        Ok(unless_late(refused)?.is_some())
    }
}

/// Why a transaction was rolled back.
enum NotWritten {
    /// Things are not as they were when somebody looked.
    Late,
    Db(DbError),
}

impl From<DbError> for NotWritten {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

fn unless_late<T>(answer: Result<T, NotWritten>) -> Result<Option<T>, DbError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(NotWritten::Late) => Ok(None),
        Err(NotWritten::Db(error)) => Err(error),
    }
}

fn changed(rows: u64) -> Result<(), NotWritten> {
    if rows == 0 { Err(NotWritten::Late) } else { Ok(()) }
}

fn promise(tx: &Tx<'_>, refund: &Refund) -> Result<(), NotWritten> {
    let amount = refund.amount.money();
    let part = params![refund.order, amount.minor(), amount.currency().code()];
    changed(tx.execute(include_str!("sql/promise_refund.sql"), part)?)?;
    let row = params![
        refund.order,
        refund.key.as_str(),
        amount.minor(),
        refund.reason.as_str(),
        refund.requested_at
    ];
    changed(tx.execute(include_str!("sql/insert_refund.sql"), row)?)
}

fn finish(tx: &Tx<'_>, refund: &Refund, now: Instant) -> Result<Payment, NotWritten> {
    decide(tx, refund, "DONE", None, now)?;
    let part = params![refund.order, refund.amount.money().minor()];
    let row = tx.query_one(include_str!("sql/settle_promise.sql"), part)?;
    let payment = payment(&row.ok_or(NotWritten::Late)?).map_err(DbError::from)?;
    write_event(tx, event::refunded(&payment, refund), now)?;
    Ok(payment)
}

fn decide(
    tx: &Tx<'_>,
    refund: &Refund,
    state: &str,
    code: Option<&str>,
    now: Instant,
) -> Result<(), NotWritten> {
    let row = params![refund.order, refund.key.as_str(), state, code, now];
    changed(tx.execute(include_str!("sql/decide_refund.sql"), row)?)
}

fn write_event(tx: &Tx<'_>, event: Result<Event, EncodeError>, now: Instant) -> Result<(), DbError> {
    let event = event.map_err(|error| DbError::Other(error.to_string()))?;
    let row = params![event.id, event.topic, event.key, now, event.data];
    tx.execute(include_str!("sql/insert_event.sql"), row).map(drop)
}

fn payment(row: &Row) -> Result<Payment, RowError> {
    let currency = row.parse("currency", Currency::parse)?;
    let method = row.parse("method", Method::parse)?;
    let money = |column| money(row, column, currency);
    let text: String = row.get("state")?;
    let state = match text.as_str() {
        "CAPTURED" => State::Captured {
            till: till(row, method)?,
            refunded: money("refunded_minor")?,
            refunding: money("refunding_minor")?,
        },
        "FAILED" => State::Failed {
            code: row.get("failure_code")?,
        },
        other => return Err(RowError::new("state", format!("unexpected {other:?}"))),
    };
    Ok(Payment {
        id: row.get("payment_id")?,
        order: row.get("order_id")?,
        user: row.get("user_id")?,
        method,
        amount: money("amount_minor")?,
        state,
        at: row.get("decided_at")?,
    })
}

fn till(row: &Row, method: Method) -> Result<Till, RowError> {
    match method {
        Method::Cash => Ok(Till::Cash),
        Method::Card | Method::Pg => Ok(Till::Gateway {
            payment_key: row.get("gateway_key")?,
        }),
        Method::Point => Err(RowError::new("method", "points are not captured yet")),
    }
}

fn refund(row: &Row, payment: &Payment) -> Result<Option<Refund>, RowError> {
    let Some(key) = row.get::<Option<String>>("refund_key")? else {
        return Ok(None);
    };
    let amount = money(row, "refund_minor", payment.amount.currency())?;
    let text: String = row.get("refund_state")?;
    let state = match text.as_str() {
        "REQUESTED" => RefundState::Requested,
        "DONE" => RefundState::Done {
            at: row.get("refund_decided_at")?,
        },
        "REFUSED" => RefundState::Refused {
            code: row.get("refusal_code")?,
            at: row.get("refund_decided_at")?,
        },
        other => return Err(RowError::new("refund_state", format!("unexpected {other:?}"))),
    };
    Ok(Some(Refund {
        order: payment.order,
        key: RefundKey::try_new(&key).map_err(|error| RowError::new("refund_key", error))?,
        amount: Amount::try_new(amount).map_err(|error| RowError::new("refund_minor", error))?,
        reason: row.get("reason")?,
        state,
        requested_at: row.get("requested_at")?,
    }))
}

fn money(row: &Row, column: &str, currency: Currency) -> Result<Money, RowError> {
    Money::try_new(row.get(column)?, currency).map_err(|error| RowError::new(column, error))
}
