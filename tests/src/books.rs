//! Where the data of a test's shop is: files in its folder, or a Postgres.

use std::path::Path;

use anyhow::{Context, Result};
use audit::{Address, Label, Sources};
use store::{Db, native, postgres};
use testkit::servers::Postgres;

/// The file in a shop's folder that names its databases, where they are not files beside it. The host reads it
/// as its variables.
const NAMES: &str = "databases.toml";

/// Every database of the shop, by its label.
const LABELS: [&str; 8] = [
    "account",
    "product",
    "stock",
    "payment",
    "pg",
    "order",
    "cart",
    "settlement",
];

/// Says that the shop in this folder has its data in this server, and makes the databases there.
pub fn name_postgres(folder: &Path, server: &Postgres) -> Result<()> {
    server.provision();
    let mut names = format!("postgres_host = \"postgres://127.0.0.1:{}\"\n", server.port());
    for label in LABELS {
        names += &format!("{label}_database = \"{}\"\n", server.shop_address(label));
    }
    Ok(std::fs::write(folder.join(NAMES), names)?)
}

/// What the host has to be told of it.
pub fn database_flags(folder: &Path) -> Vec<String> {
    let names = folder.join(NAMES);
    match names.exists() {
        true => vec!["--variable".to_owned(), format!("@{}", names.display())],
        false => Vec::new(),
    }
}

/// The address of a database in Postgres; none for a file.
fn address(folder: &Path, label: &str) -> Result<Option<String>> {
    let Ok(names) = std::fs::read_to_string(folder.join(NAMES)) else {
        return Ok(None);
    };
    let names: toml::Table = names.parse()?;
    let address = names.get(&format!("{label}_database"));
    let address = address.and_then(toml::Value::as_str);
    Ok(Some(
        address
            .with_context(|| format!("no address of {label}"))?
            .to_owned(),
    ))
}

/// Lends one database of the shop in this folder to `work`, which may write.
pub fn with_database<T: Send>(
    folder: &Path,
    label: &str,
    work: impl FnOnce(&Db) -> Result<T> + Send,
) -> Result<T> {
    let address = address(folder, label)?;
    let file = folder.join(format!("{label}.db"));
    apart(|| {
        let driver = match &address {
            Some(address) => postgres::native::driver(address)?,
            None => native::driver(&file)?,
        };
        work(&Db::reader(driver))
    })
}

/// All databases of the shop in this folder, for the audit.
pub fn sources(folder: &Path) -> Result<Sources> {
    let mut sources = Sources::in_folder(folder);
    for label in Label::ALL {
        if let Some(address) = address(folder, label.as_str())? {
            sources.add(label, Address::Postgres(address));
        }
    }
    Ok(sources)
}

/// A connection to Postgres has a runtime of its own, and won't live in a test's.
pub fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
