//! The databases of tests: SQLite, and where a program's tests run again, Postgres.
//!
//! A test opens its databases here and is about the domain. [`also_on_postgres!`](crate::also_on_postgres) adds one
//! test to its program, which starts a cluster and runs all the others again with it.

use std::collections::HashSet;
use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use store::{Db, DbError, Driver, Migration, native, postgres};
use testkit::servers::Postgres;

/// Set in the second run: the address of a database in which each test makes schemas of its own.
const ADDRESS: &str = "BODEGA_TEST_POSTGRES";

static POSTGRES: LazyLock<Option<String>> = LazyLock::new(|| env::var(ADDRESS).ok());

/// The schemas that were made for paths.
static MADE: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Whether this is the run on Postgres.
pub fn is_postgres() -> bool {
    POSTGRES.is_some()
}

/// A database that nobody else has.
pub fn fresh(migrations: &[Migration]) -> Result<Db, DbError> {
    Db::open(fresh_driver()?, migrations)
}

/// The driver of a database that nobody else has: for tests that look over its shoulder.
pub fn fresh_driver() -> Result<Box<dyn Driver>, DbError> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some(address) = POSTGRES.as_deref() else {
        return native::in_memory_driver();
    };
    let schema = format!("fresh_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let driver = connect(address, &schema)?;
    driver.execute(&format!("create schema {schema}"), &[])?;
    Ok(driver)
}

/// A database that several have open: the file at `path`, or what stands for it.
pub fn open(path: &Path, migrations: &[Migration]) -> Result<Db, DbError> {
    if !is_postgres() {
        return native::open(path, migrations);
    }
    Db::open(driver(path)?, migrations)
}

/// The driver of one more connection to the database at `path`.
pub fn driver(path: &Path) -> Result<Box<dyn Driver>, DbError> {
    let Some(address) = POSTGRES.as_deref() else {
        return native::driver(path);
    };
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let schema = format!("path_{:x}", hasher.finish());
    let driver = connect(address, &schema)?;
    let mut made = MADE.lock().unwrap();
    if made.insert(schema.clone()) {
        driver.execute(&format!("create schema {schema}"), &[])?;
    }
    Ok(driver)
}

fn connect(address: &str, schema: &str) -> Result<Box<dyn Driver>, DbError> {
    postgres::native::driver(&format!("{address}?options=-c%20search_path%3D{schema}"))
}

/// Runs all tests of this program but `this` again, on a Postgres that is gone afterwards.
pub fn run_again(this: &str) {
    if is_postgres() {
        return;
    }
    let Some(cluster) = Postgres::start() else { return };
    cluster.provision();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--skip", this])
        .env(ADDRESS, cluster.shop_address("stock"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !text.contains("running 0 tests"),
        "on Postgres:\n{text}\n{errors}"
    );
}

/// Adds a test that runs all the others of its program again on Postgres, if there is one.
#[macro_export]
macro_rules! also_on_postgres {
    () => {
        #[test]
        fn the_same_on_postgres() {
            $crate::database::run_again("the_same_on_postgres");
        }
    };
}
