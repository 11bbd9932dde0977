//! Where the databases are, and how they are read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use store::{Db, DbError, Row, Value, native, postgres};

use crate::AuditError;

/// A database of the shop, by the label under which components open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// Orders and their work.
    Order,
    /// Payments and refunds.
    Payment,
    /// The fake gateway's own book. A real gateway has it elsewhere, so it may be missing.
    Gateway,
    /// Stock and reservations.
    Stock,
    /// The ledger.
    Settlement,
    /// Accounts.
    Account,
}

impl Label {
    /// All that the audit reads.
    pub const ALL: [Self; 6] = [
        Self::Order,
        Self::Payment,
        Self::Gateway,
        Self::Stock,
        Self::Settlement,
        Self::Account,
    ];

    /// As it stands in `spin.toml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Gateway => "pg",
            Self::Stock => "stock",
            Self::Settlement => "settlement",
            Self::Account => "account",
        }
    }

    /// The oldest schema that has every table and column that is asked for here.
    const fn needs(self) -> u32 {
        match self {
            Self::Order => 11,
            Self::Payment => 4,
            Self::Gateway => 1,
            Self::Stock => 5,
            Self::Settlement => 7,
            Self::Account => 6,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Label {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Self, AuditError> {
        let found = Self::ALL.into_iter().find(|label| label.as_str() == text);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            AuditError::Sources(format!("no database is called {text:?}; there are {known}"))
        })
    }
}

/// Where one database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A file of SQLite's.
    File(PathBuf),
    /// A Postgres database, `postgres://ROLE:PASSWORD@HOST:PORT/DATABASE`. It is never shown.
    Postgres(String),
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

impl Address {
    fn open(&self, label: Label) -> Result<Db, AuditError> {
        match self {
            Self::File(path) if !path.is_file() => Err(AuditError::Missing {
                label,
                path: path.clone(),
            }),
            Self::File(path) => native::open_reader(path).map_err(AuditError::of(label)),
            Self::Postgres(address) => postgres::native::open_reader(address).map_err(AuditError::of(label)),
        }
    }
}

impl FromStr for Address {
    type Err = AuditError;

    /// A path, `postgres://…`, or `@FILE` for the address that stands in a file.
    fn from_str(text: &str) -> Result<Self, AuditError> {
        let wrong = |why: String| Err(AuditError::Sources(why));
        match text.strip_prefix('@') {
            Some(file) => match std::fs::read_to_string(file) {
                Ok(inside) if !inside.trim().starts_with('@') => inside.trim().parse(),
                Ok(_) => wrong(format!("{file} names another file in place of an address")),
                Err(error) => wrong(format!("could not read {file}: {error}")),
            },
            None if text.is_empty() => wrong("the address of a database is empty".to_owned()),
            None if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) => {
                Ok(Self::Postgres(text.to_owned()))
            }
            // Nothing of it is said: an address may have a password in it.
            None if text.contains("://") => wrong(
                "the address of a database is the path of an SQLite file, or postgres://ROLE:PASSWORD@HOST:PORT/DATABASE"
                    .to_owned(),
            ),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// Where the databases of a shop are.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<Label, Address>);

impl Sources {
    /// All databases of a shop that keeps its data in this folder, as `bodega up --state-dir` does.
    pub fn in_folder(folder: &Path) -> Self {
        let file = |label: Label| (label, Address::File(folder.join(format!("{label}.db"))));
        Self(Label::ALL.into_iter().map(file).collect())
    }

    /// Only these databases. What needs others is not looked at.
    pub fn only(self, labels: &[Label]) -> Self {
        Self(
            self.0
                .into_iter()
                .filter(|(label, _)| labels.contains(label))
                .collect(),
        )
    }

    /// Takes one database more; whether it is the first of this label.
    pub fn add(&mut self, label: Label, address: Address) -> bool {
        self.0.insert(label, address).is_none()
    }

    /// Which databases there are.
    pub fn labels(&self) -> impl Iterator<Item = Label> {
        self.0.keys().copied()
    }

    pub(crate) fn open(&self) -> Result<Books, AuditError> {
        let book = |(label, address): (&Label, &Address)| Ok((*label, fit(*label, address.open(*label)?)?));
        Ok(Books(self.0.iter().map(book).collect::<Result<_, AuditError>>()?))
    }
}

/// The database, if somebody has made its tables; none when it was never used.
fn fit(label: Label, db: Db) -> Result<Option<Db>, AuditError> {
    let needed = label.needs();
    match db.schema().map_err(AuditError::of(label))? {
        0 => Ok(None),
        found if found < needed => Err(AuditError::TooOld { label, found, needed }),
        _ => Ok(Some(db)),
    }
}

/// The databases of a shop, opened for reading. One that was never used has no tables, and nothing in them.
pub(crate) struct Books(BTreeMap<Label, Option<Db>>);

/// Asks a database something, within one moment of it.
pub(crate) type Ask<'a> = dyn Fn(&str, &[Value]) -> Result<Vec<Row>, DbError> + 'a;

impl Books {
    /// Whether this database may be asked at all.
    pub(crate) fn has(&self, label: Label) -> bool {
        self.0.contains_key(&label)
    }

    /// The answer to one statement.
    pub(crate) fn ask(
        &self,
        label: Label,
        statement: &str,
        params: &[Value],
    ) -> Result<Vec<Row>, AuditError> {
        match self.0.get(&label) {
            Some(Some(db)) => db.read(statement, params).map_err(AuditError::of(label)),
            Some(None) | None => Ok(Vec::new()),
        }
    }

    /// Several questions about one moment of a database.
    pub(crate) fn moment(
        &self,
        label: Label,
        mut questions: impl FnMut(&Ask<'_>) -> Result<(), DbError>,
    ) -> Result<(), AuditError> {
        match self.0.get(&label) {
            Some(Some(db)) => db
                .transaction(|tx| questions(&|statement, params| tx.query(statement, params)))
                .map_err(AuditError::of(label)),
            Some(None) | None => Ok(()),
        }
    }
}
