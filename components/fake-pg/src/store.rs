//! The gateway's book in SQL.

use kernel::{Currency, Money, OrderId};
use store::{Db, DbError, Migration, Row, RowError, migrations, params};

use crate::app::{Book, Recorded};
use crate::domain::{Approval, Entry, PaymentKey, Verdict};

/// The schema, forward only.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001_create_pg_payment",
    "0002_create_pg_cancel",
    "0003_create_pg_rule_count",
    "0004_create_pg_window",
];

const FIND_PAYMENT: &str = include_str!("sql/find_payment.sql");

impl Book for Db {
    fn find(&self, order: OrderId) -> Result<Option<Entry>, DbError> {
        let row = self.read_one(FIND_PAYMENT, params![order])?;
        Ok(row.as_ref().map(entry).transpose()?)
    }

    fn record(&self, new: &Entry) -> Result<Recorded, DbError> {
        let (state, code) = match &new.verdict {
            Verdict::Approved(_) => ("APPROVED", None),
            Verdict::Refused { code } => ("REFUSED", Some(code.as_str())),
        };
        let asked = new.asked;
        let row = params![new.order, asked.currency().code(), asked.minor(), state, code];
        let insert = include_str!("sql/insert_payment.sql");
        // A payment of our own name is one row, and so one statement.
        let is_new = if new.key.is_of_window() {
            let window = params![new.order, new.key.as_str()];
            let written = self.transaction(|tx| {
                let is_new = tx.execute(insert, row)? == 1;
                if is_new && tx.execute(include_str!("sql/insert_window.sql"), window)? == 0 {
                    return Err(NotWritten::Late);
                }
                Ok(is_new)
            });
            match written {
                Ok(is_new) => is_new,
                Err(NotWritten::Late) => return Ok(Recorded::KeyUsed),
                Err(NotWritten::Db(error)) => return Err(error),
            }
        } else {
            self.execute(insert, row)? == 1
        };
        if is_new {
            return Ok(Recorded::New);
        }
        // Records are never deleted.
        let earlier = self.find(new.order)?;
        let missing = || RowError::new("order_id", "it conflicts and is not there");
        Ok(Recorded::Earlier(earlier.ok_or_else(missing)?))
    }

    fn find_cancel(&self, key: &str, cancel_key: &str) -> Result<Option<(Entry, Option<Money>)>, DbError> {
        let order = PaymentKey::order(key);
        let found = self.read_one(
            include_str!("sql/find_cancel.sql"),
            params![order, key, cancel_key],
        )?;
        let parse = |row: &Row| -> Result<_, RowError> {
            let entry = entry(row)?;
            let earlier: Option<i64> = row.get("earlier_minor")?;
            let earlier = earlier.map(|minor| money(minor, entry.asked.currency(), "earlier_minor"));
            Ok((entry, earlier.transpose()?))
        };
        let found = found.as_ref().map(parse).transpose()?;
        // An order that was paid through the window has no payment of our own name.
        Ok(found.filter(|(entry, _)| entry.key.as_str() == key))
    }

    fn cancel(&self, order: OrderId, cancel_key: &str, amount: Money, reason: &str) -> Result<bool, DbError> {
        let written = self.transaction(|tx| {
            let row = params![order, cancel_key, amount.minor(), reason];
            let sum = params![order, amount.minor(), amount.currency().code()];
            if tx.execute(include_str!("sql/insert_cancel.sql"), row)? == 0
                || tx.execute(include_str!("sql/add_cancelled.sql"), sum)? == 0
            {
                return Err(NotWritten::Late);
            }
            Ok(())
        });
        match written {
            Ok(()) => Ok(true),
            Err(NotWritten::Late) => Ok(false),
            Err(NotWritten::Db(error)) => Err(error),
        }
    }

    fn count(&self, order: OrderId, rule: &str) -> Result<u32, DbError> {
        let row = self.returning_one(include_str!("sql/count_call.sql"), params![order, rule])?;
        let row = row.ok_or_else(|| RowError::new("calls", "an upsert answered no row"))?;
        Ok(row.get("calls")?)
    }
}

/// Why something was rolled back.
enum NotWritten {
    /// Its key is used, or the money was given back, since somebody looked.
    Late,
    Db(DbError),
}

impl From<RowError> for NotWritten {
    fn from(error: RowError) -> Self {
        Self::Db(error.into())
    }
}

impl From<DbError> for NotWritten {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

fn entry(row: &Row) -> Result<Entry, RowError> {
    let order = row.get("order_id")?;
    let currency = row.parse("currency", Currency::parse)?;
    let asked = money(row.get("asked_minor")?, currency, "asked_minor")?;
    let key = match row.get::<Option<String>>("payment_key")? {
        None => PaymentKey::of(order),
        Some(text) => PaymentKey::of_window(&text)
            .ok_or_else(|| RowError::new("payment_key", "no window has this key"))?,
    };
    let state: String = row.get("state")?;
    let verdict = match state.as_str() {
        "APPROVED" => Verdict::Approved(Approval {
            key: key.clone(),
            amount: asked,
            cancelled: money(row.get("cancelled_minor")?, currency, "cancelled_minor")?,
        }),
        "REFUSED" => Verdict::Refused {
            code: row.get("refusal_code")?,
        },
        other => return Err(RowError::new("state", format!("unexpected {other:?}"))),
    };
    Ok(Entry {
        order,
        key,
        asked,
        verdict,
    })
}

fn money(minor: i64, currency: Currency, column: &str) -> Result<Money, RowError> {
    Money::try_new(minor, currency).map_err(|error| RowError::new(column, error))
}
