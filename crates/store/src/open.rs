//! A component's database, wherever it is.

use std::cell::RefCell;
use std::collections::BTreeMap;

use spin_sdk::variables;

use crate::place::{Place, variable};
use crate::{Db, DbError, Migration, postgres, spin};

thread_local! {
    /// What the variables said, by label; of this instance.
    static PLACES: RefCell<BTreeMap<String, Place>> = RefCell::default();
}

/// Opens the database of `label`, wherever the variable `<label>_database` says that it is (`-` is written `_`):
///
/// * not defined, empty, or `local://NAME`: the SQLite that the manifest grants as `label`;
/// * `postgres://ROLE:PASSWORD@HOST:PORT/DATABASE`: that database, through `spin:postgres@4.0.0`. The component
///   has to be granted the host (`allowed_outbound_hosts = ["postgres://HOST:PORT"]`).
///
/// An instance asks for the variable once, and the database once about its schema and its session; see
/// `infra/postgres/provision.sql` for what a role and a database have to be like. What is expected of a host:
/// `open` may hand out a used connection, whatever its state; numbers are `int64`, sums `decimal`; errors of the
/// server come as `query-failed(db-error)` with the SQLSTATE as `code` and `table`, `column` and `constraint` in
/// `extras`; no free connection in time is `connection-failed`, and a connection that broke is not given out again.
pub fn open(label: &str, migrations: &[Migration]) -> Result<Db, DbError> {
    #[cfg(feature = "next-release")]
    let migrations = crate::next::with_one_more(migrations);
    opened(label, migrations)
}

/// Whether the database of `label` answers, and has a schema that this program works with. Both is asked each time: what an
/// instance remembers of earlier calls says nothing of how things stand now. One statement, or two the first time.
pub fn check(label: &str, migrations: &[Migration]) -> Result<(), DbError> {
    #[cfg(feature = "next-release")]
    let migrations = crate::next::with_one_more(migrations);
    opened(label, migrations)?.migrated(migrations).map(drop)
}

fn opened(label: &str, migrations: &[Migration]) -> Result<Db, DbError> {
    match place(label)? {
        Place::Local => spin::open(label, migrations),
        Place::Postgres(address) => postgres::spin::open(label, &address, migrations),
    }
}

fn place(label: &str) -> Result<Place, DbError> {
    if let Some(known) = PLACES.with_borrow(|places| places.get(label).cloned()) {
        return Ok(known);
    }
    let variable = variable(label);
    let place = match variables::get(&variable) {
        Ok(text) => Place::parse(&variable, &text)?,
        Err(variables::Error::Undefined(_)) => Place::Local,
        Err(variables::Error::Provider(_)) => {
            return Err(DbError::Unavailable(format!(
                "the variable {variable} could not be read"
            )));
        }
        // Its text may quote what stands in it.
        Err(variables::Error::InvalidName(_) | variables::Error::Other(_)) => {
            return Err(DbError::Other(format!("the variable {variable} can't be read")));
        }
    };
    PLACES.with_borrow_mut(|places| places.insert(label.to_owned(), place.clone()));
    Ok(place)
}
