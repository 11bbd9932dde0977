//! Payments in SQL.

mod figures;
mod ledger;
mod row;

use kernel::{Instant, OrderId};
use store::{Db, DbError, Migration, Row, RowError, Tx, migrations, params};

use crate::app::{Amended, BadLook, BadRefund, Claim, DueRefund, Payments};
use crate::domain::{BOOKED_ELSEWHERE, HOLD, Look, Payment, Refund, RefundKey, State, Stray, Till, UNBOOKED};
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
    "0009_create_refund_claim",
    "0010_create_stray_money",
    "0011_index_refused_refund",
    "0012_add_outbox_traceparent",
    "0013_index_payment_state",
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

    fn finish_refused(&self, refund: &Refund, now: Instant) -> Result<Amended, DbError> {
        let done = self.transaction(|tx| {
            decide(tx, refund, ("REFUSED", "DONE"), None, now)
                .map_err(|late| late.or(NotAmended::NotRefused))?;
            set_aside(tx, refund).map_err(|late| late.or(NotAmended::NoRoom))?;
            settle(tx, refund, now).map_err(|late| late.or(NotAmended::NoRoom))
        });
        match done {
            Ok(payment) => Ok(Amended::Done(payment)),
            Err(NotAmended::NotRefused) => Ok(Amended::NotRefused),
            Err(NotAmended::NoRoom) => {
                let still = ("REFUSED", "REFUSED");
                unless_late(self.transaction(|tx| decide(tx, refund, still, Some(UNBOOKED), now)))?;
                Ok(Amended::NoRoom)
            }
            Err(NotAmended::Db(error)) => Err(error),
        }
    }

    fn book_elsewhere(&self, refund: &Refund, seen: &Payment, now: Instant) -> Result<bool, DbError> {
        let booked = self.transaction(|tx| {
            let part = params![
                refund.order,
                refund.amount.money().minor(),
                seen.refunded().minor()
            ];
            let row = tx.query_one(include_str!("sql/book_elsewhere.sql"), part)?;
            let payment = payment(&row.ok_or(NotWritten::Late)?).map_err(DbError::from)?;
            insert_refund(tx, refund)?;
            decide(tx, refund, ("REQUESTED", "DONE"), None, now)?;
            let codes = params![refund.order, UNBOOKED, BOOKED_ELSEWHERE];
            tx.execute(include_str!("sql/settle_unbooked.sql"), codes)?;
            write_event(tx, event::refunded(&payment, refund), now)?;
            Ok(())
        });
        Ok(unless_late(booked)?.is_some())
    }

    fn give_cash(&self, refund: &Refund, now: Instant) -> Result<Option<Payment>, DbError> {
        unless_late(self.transaction(|tx| {
            promise(tx, refund)?;
            finish(tx, refund, now)
        }))
    }

    fn refuse(&self, refund: &Refund, code: &str, now: Instant) -> Result<bool, DbError> {
        let refused = self.transaction(|tx| {
            decide(tx, refund, ("REQUESTED", "REFUSED"), Some(code), now)?;
            let part = params![refund.order, refund.amount.money().minor()];
            tx.execute(include_str!("sql/withdraw_promise.sql"), part)?;
            Ok(())
        });
        Ok(unless_late(refused)?.is_some())
    }

    fn requested(&self, before: Instant, now: Instant, limit: u32) -> Result<Vec<DueRefund>, DbError> {
        let statement = include_str!("sql/requested_refunds.sql");
        let rows = self.read(statement, params![before, now, limit])?;
        let due = |row: &Row| match row::due_refund(row) {
            Ok(due) => Ok(Ok(due)),
            Err(source) => Ok(Err(BadRefund {
                order: row.get("order_id")?,
                key: row.get("refund_key")?,
                source,
            })),
        };
        Ok(rows.iter().map(due).collect::<Result<_, RowError>>()?)
    }

    fn claim(&self, refund: &Refund, now: Instant, rests_until: Instant) -> Result<Claim, DbError> {
        let key = refund.key.as_str();
        self.transaction(|tx| {
            if tx.execute(include_str!("sql/hold_refund.sql"), params![refund.order, key])? == 0 {
                return Ok(Claim::Decided);
            }
            let (until, promised) = (now.after(HOLD), refund.promised_until());
            let row = params![refund.order, key, now, until, rests_until, promised];
            Ok(match tx.execute(include_str!("sql/claim_refund.sql"), row)? {
                0 => Claim::Theirs,
                _ => Claim::Ours,
            })
        })
    }

    fn let_go(&self, refund: &Refund, until: Instant) -> Result<(), DbError> {
        let row = params![refund.order, refund.key.as_str(), until, refund.promised_until()];
        self.execute(include_str!("sql/let_go_refund.sql"), row).map(drop)
    }

    fn rest(&self, refund: &BadRefund, until: Instant) -> Result<(), DbError> {
        let row = params![refund.order, refund.key.as_str(), until];
        self.execute(include_str!("sql/rest_refund.sql"), row).map(drop)
    }

    fn looks(&self, now: Instant, limit: u32) -> Result<Vec<Result<Look, BadLook>>, DbError> {
        let rows = self.read(include_str!("sql/due_looks.sql"), params![now, limit])?;
        let due = |row: &Row| match row::look(row) {
            Ok(look) => Ok(Ok(look)),
            Err(source) => Ok(Err(BadLook {
                order: row.get("order_id")?,
                due: row.get("due_at")?,
                source,
            })),
        };
        Ok(rows.iter().map(due).collect::<Result<_, RowError>>()?)
    }

    fn set_look(&self, look: Look) -> Result<(), DbError> {
        self.transaction(|tx| set_look(tx, look))
    }

    fn put_off(&self, order: i64, due: Instant, until: Instant) -> Result<bool, DbError> {
        let row = params![order, due, until];
        Ok(self.execute(include_str!("sql/put_off_look.sql"), row)? > 0)
    }

    fn end_look(&self, look: Look, next: Option<Look>) -> Result<(), DbError> {
        self.transaction(|tx| {
            match next {
                Some(next) => move_look(tx, look, next)?,
                None => {
                    let row = params![look.order, look.due];
                    tx.execute(include_str!("sql/end_look.sql"), row).map(drop)?;
                }
            }
            let stray = params![look.order];
            tx.execute(include_str!("sql/end_stray.sql"), stray).map(drop)
        })
    }

    fn stick_look(
        &self,
        look: Look,
        next: Look,
        stray: &Stray,
        code: &str,
        now: Instant,
    ) -> Result<(), DbError> {
        self.transaction(|tx| {
            move_look(tx, look, next)?;
            let money = stray.amount.money();
            let row = params![
                stray.order,
                stray.payment_key.as_str(),
                money.currency().code(),
                money.minor(),
                code,
                now
            ];
            tx.execute(include_str!("sql/set_stray.sql"), row).map(drop)
        })
    }
}

/// Why a refused refund was not amended.
enum NotAmended {
    NotRefused,
    NoRoom,
    Db(DbError),
}

impl From<DbError> for NotAmended {
    fn from(error: DbError) -> Self {
        Self::Db(error)
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

impl NotWritten {
    /// What being late means at this step.
    fn or(self, late: NotAmended) -> NotAmended {
        match self {
            Self::Late => late,
            Self::Db(error) => NotAmended::Db(error),
        }
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
    set_aside(tx, refund)?;
    insert_refund(tx, refund)
}

fn set_aside(tx: &Tx<'_>, refund: &Refund) -> Result<(), NotWritten> {
    let amount = refund.amount.money();
    let part = params![refund.order, amount.minor(), amount.currency().code()];
    changed(tx.execute(include_str!("sql/promise_refund.sql"), part)?)
}

fn insert_refund(tx: &Tx<'_>, refund: &Refund) -> Result<(), NotWritten> {
    let row = params![
        refund.order,
        refund.key.as_str(),
        refund.amount.money().minor(),
        refund.reason.as_str(),
        refund.requested_at
    ];
    changed(tx.execute(include_str!("sql/insert_refund.sql"), row)?)
}

fn finish(tx: &Tx<'_>, refund: &Refund, now: Instant) -> Result<Payment, NotWritten> {
    decide(tx, refund, ("REQUESTED", "DONE"), None, now)?;
    settle(tx, refund, now)
}

fn settle(tx: &Tx<'_>, refund: &Refund, now: Instant) -> Result<Payment, NotWritten> {
    let part = params![refund.order, refund.amount.money().minor()];
    let row = tx.query_one(include_str!("sql/settle_promise.sql"), part)?;
    let payment = payment(&row.ok_or(NotWritten::Late)?).map_err(DbError::from)?;
    write_event(tx, event::refunded(&payment, refund), now)?;
    Ok(payment)
}

fn decide(
    tx: &Tx<'_>,
    refund: &Refund,
    (from, to): (&str, &str),
    code: Option<&str>,
    now: Instant,
) -> Result<(), NotWritten> {
    let (order, key) = (refund.order, refund.key.as_str());
    let row = params![order, key, to, code, now, from];
    changed(tx.execute(include_str!("sql/decide_refund.sql"), row)?)?;
    tx.execute(include_str!("sql/end_claim.sql"), params![order, key])?;
    Ok(())
}

fn move_look(tx: &Tx<'_>, look: Look, next: Look) -> Result<(), DbError> {
    let row = params![look.order, look.due, next.number, next.due];
    tx.execute(include_str!("sql/move_look.sql"), row).map(drop)
}

fn set_look(tx: &Tx<'_>, look: Look) -> Result<(), DbError> {
    let row = params![look.order, look.number, look.due];
    tx.execute(include_str!("sql/set_look.sql"), row).map(drop)
}

fn write_event(tx: &Tx<'_>, event: Result<Event, EncodeError>, now: Instant) -> Result<(), DbError> {
    let event = event.map_err(|error| DbError::Other(error.to_string()))?;
    let row = params![
        event.id,
        event.topic,
        event.key,
        now,
        event.data,
        tx.traceparent()
    ];
    tx.execute(include_str!("sql/insert_event.sql"), row).map(drop)
}
