//! The sums as they are kept, and made again when days begin elsewhere.

use kernel::{Instant, OrderId};
use store::{Db, DbError, Row, RowError, Tx, params};

use super::Store;
use super::orders::{self, won};
use crate::app::{NotEntered, Period, Settlements};
use crate::domain::{Day, Dimension, Month, Sum, Sums, Unsummable, Zone};

/// The setting that says for which zone the sums were made.
const TIMEZONE: &str = "timezone";

/// Orders that are looked at in one go when sums are made again.
const AT_ONCE: u32 = 1_000;

/// Rows in one statement when sums are written again.
const ROWS: usize = 100;

/// Later than every day and every month.
const END_OF_TIME: &str = "9999-99";

impl Settlements for Store {
    fn day(&self, day: Day) -> Result<Option<Sum>, DbError> {
        find(&self.db, Period::Day(day))
    }

    fn days(&self, before: Option<Day>, limit: u32) -> Result<Vec<(Day, Sum)>, DbError> {
        let before = before.map_or_else(|| END_OF_TIME.to_owned(), |day| day.to_string());
        let rows = self
            .db
            .read(include_str!("../sql/list_days.sql"), params![before, limit])?;
        let day = |row: &Row| Ok((row.parse("day", Day::parse)?, sum(row)?));
        Ok(rows.iter().map(day).collect::<Result<_, RowError>>()?)
    }

    fn month(&self, month: Month) -> Result<Option<Sum>, DbError> {
        find(&self.db, Period::Month(month))
    }

    fn months(&self, before: Option<Month>, limit: u32) -> Result<Vec<(Month, Sum)>, DbError> {
        // As text, a month is before its first day.
        let before = before.map_or_else(|| END_OF_TIME.to_owned(), |month| month.to_string());
        let rows = self
            .db
            .read(include_str!("../sql/list_months.sql"), params![before, limit])?;
        let month = |row: &Row| Ok((row.parse("month", Month::parse)?, sum(row)?));
        Ok(rows.iter().map(month).collect::<Result<_, RowError>>()?)
    }

    fn shares(
        &self,
        dimension: Dimension,
        period: Period,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, Sum)>, DbError> {
        let (first, last) = range(period);
        let wanted = params![dimension.text(), first, last, after.unwrap_or(""), limit];
        let rows = self.db.read(include_str!("../sql/list_shares.sql"), wanted)?;
        let share = |row: &Row| Ok((row.get("name")?, sum(row)?));
        Ok(rows.iter().map(share).collect::<Result<_, RowError>>()?)
    }
}

fn find(db: &Db, period: Period) -> Result<Option<Sum>, DbError> {
    let (first, last) = range(period);
    let row = db.read_one(include_str!("../sql/find_period.sql"), params![first, last])?;
    Ok(row.as_ref().map(sum).transpose()?)
}

/// The first and the last day that a period can have, as text.
fn range(period: Period) -> (String, String) {
    match period {
        Period::Day(day) => (day.to_string(), day.to_string()),
        Period::Month(month) => (format!("{month}-01"), format!("{month}-31")),
    }
}

fn sum(row: &Row) -> Result<Sum, RowError> {
    Ok(Sum {
        total: won("total_minor", row.get("total_minor")?)?,
        payments: row.get("payment_count")?,
        refunded: won("refund_minor", row.get("refund_minor")?)?,
        refunds: row.get("refund_count")?,
    })
}

/// Adds a change to what is kept, unless a day would come to more than it can have.
pub(super) fn add(tx: &Tx<'_>, change: &Sums) -> Result<(), NotEntered> {
    for (&day, &added) in &change.days {
        let row = day_row(day, &added);
        let kept = tx.query_one(include_str!("../sql/add_to_day.sql"), &row)?;
        let kept = kept.as_ref().map(sum).transpose().map_err(DbError::from)?;
        kept.unwrap_or(added).reached_by(added)?;
        if kept.is_none() {
            tx.execute(include_str!("../sql/insert_day.sql"), &row)?;
        }
    }
    for (key, sum) in &change.shares {
        let row = share_row(key, sum);
        if tx.execute(include_str!("../sql/add_to_share.sql"), &row)? == 0 {
            tx.execute(include_str!("../sql/insert_share.sql"), &row)?;
        }
    }
    Ok(())
}

/// Writes sums where there are none. What the ledger has is not refused any more.
fn insert(tx: &Tx<'_>, sums: &Sums) -> Result<(), DbError> {
    let days: Vec<_> = sums.days.iter().map(|(day, sum)| day_row(*day, sum)).collect();
    let shares: Vec<_> = sums.shares.iter().map(|(key, sum)| share_row(key, sum)).collect();
    insert_rows(tx, include_str!("../sql/insert_days.sql"), &days)?;
    insert_rows(tx, include_str!("../sql/insert_shares.sql"), &shares)
}

/// Many rows in few statements.
fn insert_rows<const WIDTH: usize>(
    tx: &Tx<'_>,
    statement: &str,
    rows: &[[store::Value; WIDTH]],
) -> Result<(), DbError> {
    for rows in rows.chunks(ROWS) {
        let places = (0..rows.len()).map(|row| {
            let places = (1..=WIDTH).map(|column| format!("?{}", row * WIDTH + column));
            format!("({})", places.collect::<Vec<_>>().join(", "))
        });
        let statement = statement.replace("{rows}", &places.collect::<Vec<_>>().join(", "));
        tx.execute(&statement, &rows.concat())?;
    }
    Ok(())
}

fn day_row(day: Day, sum: &Sum) -> [store::Value; 5] {
    let (total, refunded) = (sum.total.minor(), sum.refunded.minor());
    [
        day.to_string().into(),
        total.into(),
        sum.payments.into(),
        refunded.into(),
        sum.refunds.into(),
    ]
}

fn share_row((day, dimension, name): &(Day, Dimension, String), sum: &Sum) -> [store::Value; 7] {
    let [day, total, payments, refunded, refunds] = day_row(*day, sum);
    [
        day,
        dimension.text().into(),
        name.as_str().into(),
        total,
        payments,
        refunded,
        refunds,
    ]
}

/// The zone that the sums were made for; none as long as there are none.
pub(super) fn zone_of(db: &Db) -> Result<Option<String>, DbError> {
    let row = db.read_one(include_str!("../sql/find_setting.sql"), params![TIMEZONE])?;
    Ok(row.map(|row| row.get("value")).transpose()?)
}

/// Makes all sums again when they were made for another zone than this.
///
/// A ledger for which that can't be done is an outage and no fault of the event that is being taken in:
/// events wait until a person has looked at it.
pub(super) fn keep_zone(tx: &Tx<'_>, zone: &Zone) -> Result<(), DbError> {
    let row = tx.query_one(include_str!("../sql/find_setting.sql"), params![TIMEZONE])?;
    let made_for: Option<String> = row.map(|row| row.get("value")).transpose()?;
    if made_for.as_deref() == Some(zone.name()) {
        return Ok(());
    }
    remake(tx, zone).map_err(|error| {
        DbError::Unavailable(format!("the sums can't be made for {}: {error}", zone.name()))
    })?;
    tx.execute(
        include_str!("../sql/save_setting.sql"),
        params![TIMEZONE, zone.name()],
    )?;
    Ok(())
}

/// Why sums could not be made again.
#[derive(Debug, thiserror::Error)]
enum NotRemade {
    #[error(transparent)]
    Store(#[from] DbError),
    #[error(transparent)]
    Sums(#[from] Unsummable),
}

fn remake(tx: &Tx<'_>, zone: &Zone) -> Result<(), NotRemade> {
    move_days(tx, zone)?;
    tx.execute(include_str!("../sql/clear_days.sql"), params![])?;
    tx.execute(include_str!("../sql/clear_shares.sql"), params![])?;
    let mut sums = Sums::default();
    let mut after: Option<OrderId> = None;
    loop {
        let books = orders::page(tx, after, AT_ONCE)?;
        for book in &books {
            sums = sums.plus(&Sums::of(book, zone)?).map_err(Unsummable::from)?;
        }
        after = books.last().map(|book| book.order);
        if books.len() < AT_ONCE as usize {
            break;
        }
    }
    insert(tx, &sums)?;
    Ok(())
}

/// Puts every entry on its day of this zone: one statement for each day on which something happened, however much.
fn move_days(tx: &Tx<'_>, zone: &Zone) -> Result<(), NotRemade> {
    let mut from = Instant::from_micros(i64::MIN);
    while let Some(at) = first_entry(tx, from)? {
        let (day, until) = zone.span(at).map_err(Unsummable::from)?;
        let row = params![day.to_string(), at, until];
        tx.execute(include_str!("../sql/move_entries.sql"), row)?;
        from = until;
    }
    Ok(())
}

/// When the first entry from this moment on happened.
fn first_entry(tx: &Tx<'_>, from: Instant) -> Result<Option<Instant>, DbError> {
    let row = tx.query_one(include_str!("../sql/find_first_entry.sql"), params![from])?;
    Ok(row
        .map(|row| row.get::<Option<Instant>>("occurred_at"))
        .transpose()?
        .flatten())
}
