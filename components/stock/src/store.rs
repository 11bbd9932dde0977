//! [`Reservations`] in SQL. The statements are in `sql/`, each with what its outcomes mean.

mod many;

use ::store::{Db, DbError, Migration, Row, RowError, Tx, Value, params};
use kernel::{Instant, OrderId, SkuId};

use crate::app::{Added, Ended, Reservations, Standing};
use crate::domain::{Change, Kind, Level, Lines, Reservation, ReserveRefused, State, refusal};

/// The schema, step by step.
pub const MIGRATIONS: &[Migration] = ::store::migrations![
    "0001_create_stock_level",
    "0002_create_reservation",
    "0003_create_stock_history",
    "0004_seed_stock_level",
    "0005_create_taken_back",
    "0006_index_goods_gone",
];

/// The most SKUs that one statement is asked about.
const SKUS_PER_STATEMENT: usize = 100;

/// In the place of an order's id: nobody's. Ids begin at 1.
const NOBODY: i64 = 0;

/// The stock of one database.
pub struct Store {
    db: Db,
}

impl Store {
    /// Takes a database that was opened with [`MIGRATIONS`].
    pub const fn new(db: Db) -> Self {
        Self { db }
    }
}

impl Reservations for Store {
    fn find(&self, order: OrderId) -> Result<Option<Reservation>, DbError> {
        let rows = self
            .db
            .read(include_str!("sql/find_reservation.sql"), params![order])?;
        match rows.first() {
            None => Ok(None),
            Some(first) => Ok(Some(reservation(order, first, &rows)?)),
        }
    }

    fn add(&self, new: &Reservation, now: Instant) -> Result<Added, DbError> {
        if new.lines().is_none() {
            let (statement, row) = first_row(new, now)?;
            let is_new = self.db.execute(statement, &row)? == 1;
            return Ok(if is_new { Added::Done } else { Added::Exists });
        }
        let answer = self.db.transaction(|tx| {
            let (statement, row) = first_row(new, now)?;
            if tx.execute(statement, &row)? == 0 {
                return Ok(Added::Exists);
            }
            if let (Some(lines), State::Reserved { until }) = (new.lines(), new.state()) {
                hold(tx, new.order(), lines, until, now)?;
                write_history(tx, new.order(), Kind::Reserve, now)?;
            }
            Ok(Added::Done)
        });
        match answer {
            Ok(added) => Ok(added),
            Err(AddFailed::Refused(refused)) => Ok(Added::Refused(refused)),
            Err(AddFailed::Db(error)) => Err(collision_is_busy(error)),
        }
    }

    fn end(&self, ended: &Reservation, now: Instant) -> Result<Ended, DbError> {
        match self.db.transaction(|tx| end(tx, ended, now)) {
            Ok(ended) => Ok(ended),
            Err(EndFailed::GivenAway) => Ok(Ended::GivenAway),
            Err(EndFailed::Db(error)) => Err(collision_is_busy(error)),
        }
    }

    fn standing(&self, orders: &[OrderId]) -> Result<Vec<(OrderId, Standing)>, DbError> {
        many::standing(&self.db, orders)
    }

    fn commit_many(&self, orders: &[OrderId], now: Instant) -> Result<Vec<OrderId>, DbError> {
        let answer = self.db.transaction(|tx| many::end(tx, orders, now));
        answer.map_err(collision_is_busy)
    }

    fn take_back(&self, taken_back: &Reservation, now: Instant) -> Result<bool, DbError> {
        let answer = self.db.transaction(|tx| take_back(tx, taken_back, now));
        answer.map_err(collision_is_busy)
    }

    fn levels(&self, skus: &[SkuId], now: Instant) -> Result<Vec<Level>, DbError> {
        let mut levels = Vec::with_capacity(skus.len());
        for some in skus.chunks(SKUS_PER_STATEMENT) {
            let (statement, params) = levels_statement(some, NOBODY, now);
            for row in self.db.read(&statement, &params)? {
                levels.push(level(&row)?);
            }
        }
        Ok(levels)
    }

    fn history(&self, sku: SkuId, before: Option<u32>, count: u32) -> Result<Vec<Change>, DbError> {
        let before = before.map_or(i64::MAX, i64::from);
        let rows = self
            .db
            .read(include_str!("sql/history.sql"), params![sku, before, count])?;
        rows.iter().map(|row| change(row).map_err(DbError::Row)).collect()
    }
}

/// Why a transaction that adds must not stay.
enum AddFailed {
    Refused(ReserveRefused),
    Db(DbError),
}

impl From<DbError> for AddFailed {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Why a transaction that ends must not stay.
enum EndFailed {
    GivenAway,
    Db(DbError),
}

impl From<DbError> for EndFailed {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Writes a new reservation down. No row changed: the order has one already.
fn first_row(new: &Reservation, now: Instant) -> Result<(&'static str, [Value; 5]), DbError> {
    let (state, until, ended_at) = match new.state() {
        State::Reserved { until } => ("RESERVED", Some(until), None),
        State::Released { at } => ("RELEASED", None, Some(at)),
        State::Committed { .. } | State::TakenBack { .. } => {
            return Err(DbError::Other("a new reservation can't be sold yet".to_owned()));
        }
    };
    let row = [
        new.order().into(),
        state.into(),
        until.into(),
        ended_at.into(),
        now.into(),
    ];
    Ok((include_str!("sql/add_reservation.sql"), row))
}

/// Holds all lines or says why not; then the transaction must not stay.
fn hold(tx: &Tx<'_>, order: OrderId, lines: &Lines, until: Instant, now: Instant) -> Result<(), AddFailed> {
    let lines_count = lines.as_slice().len();
    let mut params = vec![order.into(), until.into(), now.into()];
    for line in lines.as_slice() {
        params.extend([line.sku.into(), line.quantity.into()]);
    }
    let statement = include_str!("sql/add_lines.sql").replace("{rows}", &pairs(4, lines_count));
    if tx.execute(&statement, &params)? == lines_count as u64 {
        return Ok(());
    }
    let skus: Vec<SkuId> = lines.as_slice().iter().map(|line| line.sku).collect();
    let (statement, params) = levels_statement(&skus, order.as_i64(), now);
    let rows = tx.query(&statement, &params)?;
    let levels: Result<Vec<_>, _> = rows.iter().map(level).collect();
    let refused = refusal(lines, &levels.map_err(DbError::Row)?);
    Err(refused.map_or_else(
        || AddFailed::Db(DbError::Other("free pieces could not be held".to_owned())),
        AddFailed::Refused,
    ))
}

fn end(tx: &Tx<'_>, ended: &Reservation, now: Instant) -> Result<Ended, EndFailed> {
    let order = ended.order();
    let (state, kind, at) = match ended.state() {
        State::Committed { at } => ("COMMITTED", Kind::Commit, at),
        State::Released { at } => ("RELEASED", Kind::Release, at),
        State::Reserved { .. } | State::TakenBack { .. } => {
            return Err(DbError::Other("this is not how a reservation ends".to_owned()).into());
        }
    };
    if tx.execute(include_str!("sql/end_reservation.sql"), params![order, state, at])? == 0 {
        return Ok(Ended::Overtaken);
    }
    if kind == Kind::Commit {
        let lines = ended.lines().map_or(0, |lines| lines.as_slice().len());
        if tx.execute(include_str!("sql/ship.sql"), params![order, now])? != lines as u64 {
            return Err(EndFailed::GivenAway);
        }
    }
    tx.execute(include_str!("sql/let_go.sql"), params![order])?;
    write_history(tx, order, kind, now)?;
    Ok(Ended::Done)
}

fn take_back(tx: &Tx<'_>, taken_back: &Reservation, now: Instant) -> Result<bool, DbError> {
    let order = taken_back.order();
    let is_first = tx.execute(include_str!("sql/take_back.sql"), params![order, now])? == 1;
    // The feature is only for the test that proves this guard is needed.
    if !is_first && !cfg!(feature = "mutant-release-twice") {
        return Ok(false);
    }
    tx.execute(include_str!("sql/restock.sql"), params![order])?;
    write_history(tx, order, Kind::Return, now)?;
    Ok(true)
}

fn write_history(tx: &Tx<'_>, order: OrderId, kind: Kind, now: Instant) -> Result<(), DbError> {
    let params = params![order, kind.text(), now];
    tx.execute(include_str!("sql/write_history.sql"), params)
        .map(drop)
}

/// Two writers of one SKU that did not see each other would write the same number of its history.
/// SQLite has one writer at a time, so this is for databases that have more.
fn collision_is_busy(error: DbError) -> DbError {
    match error {
        DbError::Conflict(_) => DbError::Busy,
        other => other,
    }
}

/// Who asks while adding an order's lines leaves that order's own ones out, with `without`.
fn levels_statement(skus: &[SkuId], without: i64, now: Instant) -> (String, Vec<Value>) {
    let mut params = vec![now.into(), without.into()];
    params.extend(skus.iter().map(|&sku| Value::from(sku)));
    let places: Vec<String> = (3..3 + skus.len()).map(|place| format!("?{place}")).collect();
    let statement = include_str!("sql/levels.sql").replace("{skus}", &places.join(", "));
    (statement, params)
}

/// `count` rows of two parameters each, the first one being `?first`.
fn pairs(first: usize, count: usize) -> String {
    let row = |index: usize| {
        let (sku, quantity) = (first + 2 * index, first + 2 * index + 1);
        format!("(cast(?{sku} as bigint), cast(?{quantity} as bigint))")
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

fn reservation(order: OrderId, first: &Row, rows: &[Row]) -> Result<Reservation, RowError> {
    let until: Option<Instant> = first.get("until")?;
    let ended_at: Option<Instant> = first.get("ended_at")?;
    let taken_back_at: Option<Instant> = first.get("taken_back_at")?;
    let state = first.parse("state", |text| match (text, taken_back_at) {
        ("RESERVED", None) => Some(State::Reserved { until: until? }),
        ("COMMITTED", None) => Some(State::Committed { at: ended_at? }),
        ("COMMITTED", Some(at)) => Some(State::TakenBack { at }),
        ("RELEASED", None) => Some(State::Released { at: ended_at? }),
        _ => None,
    })?;
    let lines = if first.get::<Option<SkuId>>("sku_id")?.is_none() {
        None
    } else {
        let line = |row: &Row| Ok((row.get("sku_id")?, row.get("quantity")?));
        let stored: Vec<(SkuId, u32)> = rows.iter().map(line).collect::<Result<_, RowError>>()?;
        Some(Lines::try_new(&stored).map_err(|error| RowError::new("quantity", error))?)
    };
    Ok(Reservation::restore(order, lines, state))
}

fn level(row: &Row) -> Result<Level, RowError> {
    Ok(Level {
        sku: row.get("sku_id")?,
        on_hand: row.get("on_hand")?,
        reserved: row.get("reserved")?,
    })
}

fn change(row: &Row) -> Result<Change, RowError> {
    Ok(Change {
        number: row.get("number")?,
        kind: row.parse("kind", Kind::parse)?,
        order: row.get("order_id")?,
        quantity: row.get("quantity")?,
        on_hand: row.get("on_hand")?,
        reserved: row.get("reserved")?,
        at: row.get("at")?,
    })
}
