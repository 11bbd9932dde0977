//! What must hold for the files that are found after a cut.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use sqlite::{Database, Options};

use crate::shop::{DATABASE, body, go_on};

/// What is wrong.
#[derive(Debug)]
pub(crate) enum Finding {
    /// A commit that was acknowledged is not there.
    Lost(String),
    /// The database is damaged, or a transaction is there in part.
    Broken(String),
}

impl From<rusqlite::Error> for Finding {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Each counts what must not be.
const NEVER: [(&str, &str); 8] = [
    (
        "tables that are not furnished",
        "select (select count(*) from account) <> 64 or not exists (select 1 from single where guest = 0)",
    ),
    (
        "transactions with one of their two halves",
        "select count(*) from opening full join closing using (guest, turn) \
         where opening.rowid is null or closing.rowid is null",
    ),
    (
        "transactions with other parts than they had",
        "select count(*) from closing where parts <> \
         (select count(*) from part where part.guest = closing.guest and part.turn = closing.turn)",
    ),
    (
        "parts without a transaction",
        "select (select count(*) from part) <> (select ifnull(sum(parts), 0) from closing)",
    ),
    (
        "transactions that were rolled back",
        "select (select count(*) from opening where turn < 0) + (select count(*) from part where turn < 0) \
         + (select count(*) from closing where turn < 0) + (select count(*) from parcel where turn < 0)",
    ),
    (
        "parcels that are not the newest ones",
        "select count(*) from (select guest, max(turn) as turn, parcel from opening where parcel > 0 group by guest) \
         full join parcel using (guest, turn) where parcel is not length(body)",
    ),
    (
        "accounts that differ from their transfers",
        "with moved as (select source as id, -amount as amount from opening \
                        union all select target, amount from opening), \
              total as (select id, sum(amount) as amount from moved group by id) \
         select count(*) from account left join total using (id) where balance <> start + ifnull(amount, 0)",
    ),
    (
        "guests with a commit and without an earlier one",
        "select count(*) from (select count(*) as number, max(turn) as newest from \
         (select guest, turn from opening union all select guest, turn from single) group by guest) \
         where number <> newest",
    ),
];

/// Opens what is in `folder` and looks at everything; `acknowledged` has the newest turn of each
/// guest that must be there.
pub(crate) fn audit(folder: &Path, acknowledged: &[u32]) -> Result<(), Finding> {
    let connection = Connection::open_with_flags(
        folder.join(DATABASE),
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Looking is faster without an index in shared memory, and without folding the log in the end.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("pragma locking_mode = exclusive", [], |_| Ok(()))?;
    let verdict: String = connection.query_row("pragma integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Finding::Broken(verdict));
    }
    let tables = "select 1 from sqlite_schema where name = 'closing'";
    if connection.query_row(tables, [], |_| Ok(())).optional()?.is_none() {
        return match acknowledged.iter().max() {
            Some(0) | None => Ok(()),
            Some(_) => Err(Finding::Lost("all tables".to_owned())),
        };
    }
    for (what, query) in NEVER {
        let count: i64 = connection.query_row(query, [], |row| row.get(0))?;
        if count > 0 {
            return Err(Finding::Broken(format!("{what}: {count}")));
        }
    }
    bodies(&connection)?;
    all_there(&connection, acknowledged)
}

fn bodies(connection: &Connection) -> Result<(), Finding> {
    let mut statement = connection.prepare("select guest, turn, body from parcel")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (guest, turn): (i64, i64) = (row.get(0)?, row.get(1)?);
        let byte = body(guest, turn);
        let found: Vec<u8> = row.get(2)?;
        if found != vec![byte; found.len()] {
            return Err(Finding::Broken(format!(
                "the parcel of turn {turn} of guest {guest}"
            )));
        }
    }
    Ok(())
}

fn all_there(connection: &Connection, acknowledged: &[u32]) -> Result<(), Finding> {
    let newest = "select ifnull(max(turn), 0) from \
                  (select turn from opening where guest = ?1 union all select turn from single where guest = ?1)";
    let mut statement = connection.prepare(newest)?;
    for (guest, turn) in acknowledged.iter().enumerate() {
        let found: u32 = statement.query_row([u32::try_from(guest).unwrap()], |row| row.get(0))?;
        if found < *turn {
            return Err(Finding::Lost(format!(
                "guest {guest} was told of {turn}, there are {found}"
            )));
        }
    }
    Ok(())
}

/// Opens the database as the shop does after a cut, commits once more, closes it, and looks again.
pub(crate) fn restart(folder: &Path, acknowledged: &[u32]) -> Result<(), Finding> {
    let broken = |error: sqlite::Error| Finding::Broken(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let database = Database::open(&folder.join(DATABASE), Options::default()).map_err(broken)?;
    let furnished = acknowledged.first().is_some_and(|turn| *turn > 0);
    let written = runtime.block_on(async {
        let written = match furnished {
            true => go_on(&mut database.connect()).await,
            false => Ok(()),
        };
        database.close().await;
        written
    });
    written.map_err(broken)?;
    let mut acknowledged = acknowledged.to_vec();
    acknowledged[0] += u32::from(furnished);
    audit(folder, &acknowledged)
}
