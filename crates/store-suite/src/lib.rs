//! What every database behind [`store`] promises, as cases to run against it.
//!
//! The same list runs natively (`crates/store/tests`) and inside wasm, on the database that the host gives
//! to a guest (`tests/guests/storage`). A case gets a way to open one fresh database as often as it likes,
//! and panics when a promise is broken. Beside them stands what the tests of every component need: its
//! migrations proven, and a [`gated`] way to its database.
#![allow(clippy::unwrap_used, reason = "a broken promise ends the case")]

mod cases;
#[cfg(not(target_family = "wasm"))]
pub mod database;
mod gate;
mod schema;

pub use gate::{counted, gated, shared};
#[cfg(not(target_family = "wasm"))]
pub use schema::{assert_migrations, columns_of, shape};

use store::{Db, DbError, Migration, params};

/// Opens the case's database with these migrations.
pub type Open<'a> = &'a dyn Fn(&[Migration]) -> Result<Db, DbError>;

/// One promise.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The promise, as a sentence.
    pub name: &'static str,
    /// Panics when it is broken.
    pub run: fn(Open<'_>),
}

macro_rules! list {
    ($($case:ident),* $(,)?) => { &[$(Case { name: stringify!($case), run: cases::$case }),*] };
}

/// All of them. Each needs a database of its own.
pub const CASES: &[Case] = list![
    what_a_transaction_answers_ok_stays,
    a_single_statement_is_a_transaction,
    what_a_transaction_refuses_never_happened,
    a_failing_statement_undoes_the_whole_transaction,
    a_second_connection_sees_what_was_committed,
    violated_constraints_are_told_apart,
    rows_are_read_by_name_and_type,
    every_value_survives_a_round_trip,
    two_rows_where_one_was_expected_are_a_defect,
    a_database_migrated_in_steps_equals_a_fresh_one,
    a_migration_that_fails_leaves_the_schema_as_it_was,
    an_older_program_does_not_touch_a_newer_database,
    an_older_program_works_beside_what_was_added,
    an_older_program_is_refused_once_something_is_taken_away,
];

/// A table of purses with a constraint, and coins that point to them.
pub const FIRST: Migration = Migration {
    number: 1,
    name: "0001_create_purse",
    sql: "-- who has how much\n\
          create table purse (\n  owner text primary key,\n  won integer not null,\n  \
          constraint won_not_negative check (won >= 0)\n);\n\
          create table coin (purse text not null references purse (owner));\n",
};

/// The purse of `a`, with 10 won.
pub const SECOND: Migration = Migration {
    number: 2,
    name: "0002_seed_purse",
    sql: "insert into purse (owner, won) values ('a', 10);\n",
};

/// One more column, which nobody has to fill.
pub const WIDER: Migration = Migration {
    number: 3,
    name: "0003_add_colour",
    sql: "-- expand: may be empty\nalter table purse add column colour text;\n",
};

/// One table less.
pub const NARROWER: Migration = Migration {
    number: 4,
    name: "0004_drop_coin",
    sql: "drop table coin;\n",
};

/// A migration that fails half-way.
pub const BROKEN: Migration = Migration {
    number: 3,
    name: "0003_break",
    sql: "create table x (y);\nnonsense;\n",
};

/// What is in somebody's purse.
pub fn won(db: &Db, owner: &str) -> Option<i64> {
    let row = db
        .read_one("select won from purse where owner = ?1", params![owner])
        .unwrap();
    row.map(|row| row.get("won").unwrap())
}
