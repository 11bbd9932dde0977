//! Payments in SQL.

mod ledger;
mod row;

use kernel::{Instant, OrderId};
use store::{Db, DbError, Migration, RowError, Tx, migrations, params};

use crate::app::Payments;
use crate::domain::{Look, Payment, Refund, RefundKey, State, Till};
use crate::event::{self, EncodeError, Event};
use row::{payment, with_refund, with_refunds};

/// The schema, forward only.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001_create_payment",
    "0002_create_refund",
    "0003_create_outbox",
    "0004_create_relay",
    "0005_create_confirmation",
    "0006_create_gateway_look",
    "0007_create_refund_pause",
    "0008_index_requested_refund",
];

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
        let (payment, refund) = with_refund(&row)?;
        Ok((Some(payment), refund))
    }

    fn find_void(&self, order: OrderId, key: &RefundKey) -> Result<(Option<Payment>, Vec<Refund>), DbError> {
        let rows = self.read(include_str!("sql/find_void.sql"), params![order, key.as_str()])?;
        match with_refunds(&rows)?.pop() {
            Some((payment, refunds)) => Ok((Some(payment), refunds)),
            None => Ok((None, Vec::new())),
        }
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
            if let Some(key) = &new.window_key {
                tx.execute(
                    include_str!("sql/insert_confirmation.sql"),
                    params![new.order, key.as_str()],
                )?;
            }
            if new.is_voided() {
                set_look(tx, Look::first(new.order, new.at))?;
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

    fn requested(&self, before: Instant, now: Instant, limit: u32) -> Result<Vec<(Refund, Till)>, DbError> {
        let rows = self.read(
            include_str!("sql/requested_refunds.sql"),
            params![before, now, limit],
        )?;
        let parse = |row| match with_refund(row)? {
            (
                Payment {
                    state: State::Captured { till, .. },
                    ..
                },
                Some(refund),
            ) => Ok((refund, till)),
            _ => Err(RowError::new(
                "refund_state",
                "a refund of what was never captured",
            )),
        };
        Ok(rows.iter().map(parse).collect::<Result<_, RowError>>()?)
    }

    fn pause(&self, refund: &Refund, until: Instant) -> Result<(), DbError> {
        let row = params![refund.order, refund.key.as_str(), until];
        self.transaction(|tx| tx.execute(include_str!("sql/pause_refund.sql"), row).map(drop))
    }

    fn looks(&self, now: Instant, limit: u32) -> Result<Vec<Look>, DbError> {
        let rows = self.read(include_str!("sql/due_looks.sql"), params![now, limit])?;
        Ok(rows.iter().map(row::look).collect::<Result<_, RowError>>()?)
    }

    fn set_look(&self, look: Look) -> Result<(), DbError> {
        self.transaction(|tx| set_look(tx, look))
    }

    fn end_look(&self, look: Look) -> Result<(), DbError> {
        let row = params![look.order, look.due];
        self.transaction(|tx| tx.execute(include_str!("sql/end_look.sql"), row).map(drop))
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

fn set_look(tx: &Tx<'_>, look: Look) -> Result<(), DbError> {
    let row = params![look.order, look.number, look.due];
    tx.execute(include_str!("sql/set_look.sql"), row).map(drop)
}

fn write_event(tx: &Tx<'_>, event: Result<Event, EncodeError>, now: Instant) -> Result<(), DbError> {
    let event = event.map_err(|error| DbError::Other(error.to_string()))?;
    let row = params![event.id, event.topic, event.key, now, event.data];
    tx.execute(include_str!("sql/insert_event.sql"), row).map(drop)
}
