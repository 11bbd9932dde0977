use store::{Db, params};
#[cfg(not(target_family = "wasm"))]
use store::{Migration, native};

#[cfg(not(target_family = "wasm"))]
use crate::database;

/// Panics unless a component's migrations may be trusted: step by step they lead to the schema that a new
/// database gets at once, the last one can run twice, and Postgres gets the tables and columns that SQLite has.
#[cfg(not(target_family = "wasm"))]
pub fn assert_migrations(list: &[Migration]) {
    let fresh = database::fresh(list).unwrap();
    let expected = shape(&fresh);
    let mut known = Vec::new();
    let mut stepwise = database::fresh(&[]).unwrap();
    for migration in list {
        known.push(*migration);
        stepwise = stepwise.migrated(&known).unwrap();
    }
    assert_eq!(shape(&stepwise), expected, "step by step");
    let last = list.last().expect("a component has migrations");
    known.push(Migration {
        number: last.number + 1,
        ..*last
    });
    let twice = database::fresh(&known).unwrap();
    assert_eq!(shape(&twice), expected, "{} twice", last.name);
    let local = native::in_memory(list).unwrap();
    assert_eq!(columns(&fresh), columns(&local), "here and on SQLite");
}

/// Whether it is SQLite; the other one knows no such table.
fn is_sqlite(db: &Db) -> bool {
    db.read("select 1 from sqlite_schema", params![]).is_ok()
}

/// The names of all tables, but those that number migrations.
pub(crate) fn tables(db: &Db) -> Vec<String> {
    texts(
        db,
        if is_sqlite(db) {
            "select name as text from sqlite_schema where type = 'table' and name <> 'schema_floor' order by name"
        } else {
            "select table_name::text as text from information_schema.tables \
              where table_schema = current_schema() and table_name not in ('schema_migration', 'schema_floor') \
              order by table_name"
        },
    )
}

/// The columns of a table.
#[cfg(not(target_family = "wasm"))]
pub fn columns_of(db: &Db, table: &str) -> Vec<String> {
    let of_table = |name: &String| Some(name.strip_prefix(table)?.strip_prefix('.')?.to_owned());
    columns(db).iter().filter_map(of_table).collect()
}

/// `table.column` of everything.
#[cfg(not(target_family = "wasm"))]
fn columns(db: &Db) -> Vec<String> {
    texts(
        db,
        if is_sqlite(db) {
            "select t.name || '.' || c.name as text from sqlite_schema t join pragma_table_info(t.name) c \
              where t.type = 'table' order by 1"
        } else {
            "select table_name || '.' || column_name as text from information_schema.columns \
              where table_schema = current_schema() and table_name <> 'schema_migration' order by 1"
        },
    )
}

/// All that a database says of its schema, a line for each part: for comparing two.
#[cfg(not(target_family = "wasm"))]
pub fn shape(db: &Db) -> Vec<String> {
    texts(
        db,
        if is_sqlite(db) {
            "select coalesce(sql, name) as text from sqlite_schema order by type, name"
        } else {
            "select concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) as text \
               from information_schema.columns where table_schema = current_schema() \
              union all select concat_ws(' ', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)) \
               from pg_constraint where connamespace = current_schema()::regnamespace \
              union all select replace(indexdef, current_schema(), '') from pg_indexes \
              where schemaname = current_schema() \
              order by 1"
        },
    )
}

fn texts(db: &Db, statement: &str) -> Vec<String> {
    let rows = db.read(statement, params![]).unwrap();
    rows.iter().map(|row| row.get("text").unwrap()).collect()
}
