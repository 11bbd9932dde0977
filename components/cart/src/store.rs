//! [`Carts`] in SQL. The statements are in `sql/`, each with what its outcomes mean.

use ::store::{Db, DbError, Migration, Row, RowError, Tx, Value, params};
use kernel::{Instant, OrderId, ProductId, Quantity, SkuId, UserId};

use crate::app::{Added, Carts, Key, KeyAnswer, KeyUse, Render};
use crate::domain::{Arrival, Line, MAX_LINES, Refused, limit, merge};

/// The schema, step by step.
pub const MIGRATIONS: &[Migration] = ::store::migrations![
    "0001_create_cart_line",
    "0002_create_cart_taken",
    "0003_create_cart_key",
    "0004_create_cart_merge",
];

/// The carts of one database.
pub struct Store {
    db: Db,
}

impl Store {
    /// Takes a database that was opened with [`MIGRATIONS`].
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// One statement as a transaction; answers how many rows it changed.
    fn change(&self, statement: &str, params: &[Value]) -> Result<u64, DbError> {
        self.db.transaction(|tx| tx.execute(statement, params))
    }
}

impl Carts for Store {
    fn lines(&self, user: UserId) -> Result<Vec<Line>, DbError> {
        lines(&self.db.read(include_str!("sql/lines.sql"), params![user])?)
    }

    fn find_key(&self, user: UserId, key: &str) -> Result<Option<KeyUse>, DbError> {
        let row = self
            .db
            .read_one(include_str!("sql/find_key.sql"), params![user, key])?;
        let used = |row: Row| {
            let merged: Option<String> = row.get("merged")?;
            let answer = match merged {
                Some(text) => KeyAnswer::Merged(text),
                None => KeyAnswer::Added(line(&row)?),
            };
            let command = row.get("command")?;
            Ok(KeyUse { command, answer })
        };
        row.map(used).transpose()
    }

    fn add(
        &self,
        user: UserId,
        more: Line,
        free: u32,
        key: Option<&Key>,
        now: Instant,
    ) -> Result<Added, DbError> {
        let answer = self.db.transaction(|tx| {
            let line = put_in(tx, user, more, free)?;
            match key {
                Some(key) => remember(tx, user, key, line, now).map(|()| line),
                None => Ok(line),
            }
        });
        match answer {
            Ok(line) => Ok(Added::Done(line)),
            Err(NotAdded::Refused(refused)) => Ok(Added::Refused(refused)),
            Err(NotAdded::KeyTaken) => Ok(Added::KeyTaken),
            Err(NotAdded::Db(error)) => Err(error),
        }
    }

    fn merge(
        &self,
        user: UserId,
        arrival: &Arrival,
        key: &Key,
        render: Render<'_>,
        now: Instant,
    ) -> Result<Option<String>, DbError> {
        let answer = self.db.transaction(|tx| {
            let before = lines(&tx.query(include_str!("sql/lines.sql"), params![user])?)?;
            let merged = arrival.merge_into(&before);
            replace(tx, user, &before, &merged.lines)?;
            let answer = render(&merged);
            let params = params![user, key.key.as_str(), key.command.as_str(), answer.as_str(), now];
            match tx.execute(include_str!("sql/insert_merge.sql"), params)? {
                0 => Err(NotMerged::Overtaken),
                _ => Ok(answer),
            }
        });
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(NotMerged::Overtaken) => Ok(None),
            Err(NotMerged::Db(error)) => Err(error),
        }
    }

    fn set(&self, user: UserId, line: Line) -> Result<bool, DbError> {
        let params = params![user, line.product, line.sku, line.quantity];
        Ok(self.change(include_str!("sql/set.sql"), params)? > 0)
    }

    fn remove(&self, user: UserId, product: ProductId, sku: Option<SkuId>) -> Result<bool, DbError> {
        let params = params![user, product, sku];
        Ok(self.change(include_str!("sql/remove.sql"), params)? > 0)
    }

    fn clear(&self, user: UserId) -> Result<(), DbError> {
        self.change(include_str!("sql/clear.sql"), params![user])
            .map(drop)
    }

    fn take(
        &self,
        order: OrderId,
        user: UserId,
        bought: &[(ProductId, SkuId, u32)],
        now: Instant,
    ) -> Result<bool, DbError> {
        self.db.transaction(|tx| {
            if tx.execute(include_str!("sql/insert_taken.sql"), params![order, now])? == 0 {
                return Ok(false);
            }
            if !bought.is_empty() {
                take_out(tx, user, bought)?;
            }
            Ok(true)
        })
    }
}

/// Why a transaction that puts something in must not stay.
enum NotAdded {
    Refused(Refused),
    KeyTaken,
    Db(DbError),
}

impl From<DbError> for NotAdded {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<RowError> for NotAdded {
    fn from(error: RowError) -> Self {
        Self::Db(error.into())
    }
}

/// Why a transaction that merges must not stay.
enum NotMerged {
    Overtaken,
    Db(DbError),
}

impl From<DbError> for NotMerged {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Merges the pieces into the cart, or says why not.
fn put_in(tx: &Tx<'_>, user: UserId, more: Line, free: u32) -> Result<Line, NotAdded> {
    let params = params![
        user,
        more.product,
        more.sku,
        more.quantity,
        limit(free),
        MAX_LINES
    ];
    if let Some(row) = tx.query_one(include_str!("sql/merge.sql"), params)? {
        let quantity = row.get("quantity")?;
        return Ok(Line { quantity, ..more });
    }
    let params = params![user, more.product, more.sku];
    let row = tx.query_one(include_str!("sql/how_full.sql"), params)?;
    let row = row.ok_or_else(|| DbError::Other("a count answered nothing".to_owned()))?;
    let in_cart: Option<Quantity> = row.get("quantity")?;
    match merge(in_cart, row.get("lines")?, more.quantity, free) {
        Err(refused) => Err(NotAdded::Refused(refused)),
        Ok(_) => Err(DbError::Other("pieces that fit were not put in".to_owned()).into()),
    }
}

fn remember(tx: &Tx<'_>, user: UserId, key: &Key, line: Line, now: Instant) -> Result<(), NotAdded> {
    let params = params![
        user,
        key.key.as_str(),
        key.command.as_str(),
        line.product,
        line.sku,
        line.quantity,
        now,
    ];
    match tx.execute(include_str!("sql/insert_key.sql"), params)? {
        0 => Err(NotAdded::KeyTaken),
        _ => Ok(()),
    }
}

/// Makes the lines `after` of the lines `before`, of which none may be missing, unless they are others by now.
fn replace(tx: &Tx<'_>, user: UserId, before: &[Line], after: &[Line]) -> Result<(), NotMerged> {
    let pieces = |line: &Line| {
        let same = |was: &&Line| (was.product, was.sku) == (line.product, line.sku);
        before.iter().find(same).map(|was| was.quantity)
    };
    let (mut fresh, mut raised) = (Vec::new(), Vec::new());
    for line in after {
        let row = [line.product.into(), line.sku.into(), line.quantity.into()];
        match pieces(line) {
            None => fresh.push(row),
            Some(was) if was != line.quantity => {
                let [product, sku, quantity] = row;
                raised.push([product, sku, was.into(), quantity]);
            }
            Some(_) => {}
        }
    }
    change_all(tx, include_str!("sql/insert_lines.sql"), user, fresh)?;
    change_all(tx, include_str!("sql/raise_lines.sql"), user, raised)
}

/// Runs a statement that must change a line for each of these rows.
fn change_all<const WIDTH: usize>(
    tx: &Tx<'_>,
    statement: &str,
    user: UserId,
    rows: Vec<[Value; WIDTH]>,
) -> Result<(), NotMerged> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = statement.replace("{rows}", &places(2, WIDTH, rows.len()));
    let count = rows.len();
    let params: Vec<Value> = std::iter::once(user.into())
        .chain(rows.into_iter().flatten())
        .collect();
    if tx.execute(&statement, &params)? == count as u64 {
        Ok(())
    } else {
        Err(NotMerged::Overtaken)
    }
}

fn take_out(tx: &Tx<'_>, user: UserId, bought: &[(ProductId, SkuId, u32)]) -> Result<(), DbError> {
    let mut params = vec![user.into()];
    for &(product, sku, pieces) in bought {
        params.extend([product.into(), sku.into(), pieces.into()]);
    }
    let rows = places(2, 3, bought.len());
    for statement in [
        include_str!("sql/drop_bought.sql"),
        include_str!("sql/lessen_bought.sql"),
    ] {
        tx.execute(&statement.replace("{rows}", &rows), &params)?;
    }
    Ok(())
}

/// `count` rows of `width` parameters each, the first one being `?first`.
fn places(first: usize, width: usize, count: usize) -> String {
    let row = |index: usize| {
        let first = first + width * index;
        let row = (first..first + width).map(|place| format!("cast(?{place} as bigint)"));
        format!("({})", row.collect::<Vec<_>>().join(", "))
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

fn lines(rows: &[Row]) -> Result<Vec<Line>, DbError> {
    rows.iter().map(|row| line(row).map_err(DbError::Row)).collect()
}

fn line(row: &Row) -> Result<Line, RowError> {
    Ok(Line {
        product: row.get("product_id")?,
        sku: row.get("sku_id")?,
        quantity: row.get("quantity")?,
    })
}
